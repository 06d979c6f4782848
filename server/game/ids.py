"""Names for the strings and numbers that identify things. Nothing else."""

from __future__ import annotations

from typing import NewType

RoomCode = NewType("RoomCode", str)
"""Six characters of :data:`CODE_ALPHABET`; what a player types to join."""

PlayerId = NewType("PlayerId", str)
"""A stable id within one room: never a socket, never a name."""

ClientId = NewType("ClientId", str)
"""One running copy of a client; with a counter it stamps a vote."""

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 6
