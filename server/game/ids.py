"""Names for the strings and numbers that identify things. Nothing else."""

from __future__ import annotations

from typing import Annotated, NewType

from pydantic import Field

RoomCode = NewType("RoomCode", str)
"""Six characters of :data:`CODE_ALPHABET`; what a player types to join."""

PlayerId = NewType("PlayerId", str)
"""A stable id within one room: never a socket, never a name."""

ClientId = NewType("ClientId", str)
"""One running copy of a client; with a counter it stamps a vote."""

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 6

Ref = Annotated[int, Field(ge=0, le=2**53)] | None
"""The sender's own number for a message, which the reply repeats."""

Site = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] | None
"""A site's name; where it is given, a command is about its people only."""

RoundIndex = Annotated[int, Field(ge=0, le=999)]
