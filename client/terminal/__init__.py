"""Two Gaps in a terminal: a player, a host, and the demo that plays by itself."""
