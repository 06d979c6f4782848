"""Two Gaps in a terminal: a player, a host, and the automatic demo."""
