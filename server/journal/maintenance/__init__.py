"""Caring for a journal: examine it, salvage what is intact, carry a room elsewhere."""
