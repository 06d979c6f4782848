"""Sends frames out of a room: the attached audiences and how to reach them."""
