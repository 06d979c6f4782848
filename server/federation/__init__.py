"""Games across sites: homes, edges, and the broker that carries votes between them."""
