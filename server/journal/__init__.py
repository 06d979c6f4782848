"""The journal: the append-only record of every room, and the source of its state."""
