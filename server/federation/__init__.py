"""The way out of a room: who is attached, and how a frame reaches them."""
