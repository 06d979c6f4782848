"""The journal: the append-only record of every room, and the truth about it."""
