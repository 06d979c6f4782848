"""Types for the identifiers of things, and a reader for room codes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, NewType
from urllib.parse import unquote

from pydantic import Field

RoomCode = NewType("RoomCode", str)
"""Six characters of :data:`CODE_ALPHABET`; what a player types to join."""

PlayerId = NewType("PlayerId", str)
"""A player's stable ID within one room, independent of their name and connection."""

ClientId = NewType("ClientId", str)
"""The ID of one running client; together with a counter, it stamps a vote."""

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 6

_LINK = re.compile(r"/(?:j|join)/([^/?#&\s]+)|[#?&]room=([^&\s]+)", re.IGNORECASE)
_TYPED = re.compile("[^0-9A-Z]")
_READ_AS = str.maketrans(
    "АВЕКМНОРСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹",
    "ABEKMHOPCTYXABEZHIKMNOPTYX01234567890123456789",
)
"""What keyboards for other scripts type, and the letter or digit that is meant."""
_MISREAD = str.maketrans("0O1IL", "QQJJJ")
"""Characters that codes never contain, and the letters that look most like them."""


def read_code(text: str) -> str:
    """Return the room code in a text that was typed or pasted, as far as it has one.

    The text may contain full-width characters, letters of other scripts, a whole link,
    a sentence around the code, invisible characters, spaces, hyphens and a leading #.
    Characters that codes never contain are replaced with the letters that look most
    like them. The web pages do the same (client/web/src/room/code.ts).
    """
    plain = unicodedata.normalize("NFKC", unquote(text)).replace("\\", "/")
    link = _LINK.search(plain)
    if link:
        plain = link[1] or link[2]
    elif "/" in plain:
        plain = ([part for part in re.split(r"[/?#]+", plain) if part] or [""])[-1]
    found = _letters(plain)
    return found if len(found) <= CODE_LENGTH else _of_sentence(plain) or found


def _letters(text: str) -> str:
    return _TYPED.sub("", text.upper().translate(_READ_AS)).translate(_MISREAD)


def _of_sentence(text: str) -> str:
    """Return the only word that is as long as a code, preferring words in capitals."""
    words = {
        word: read
        for word in re.split(r"[\s:,;()]+", text)
        if len(read := _letters(word)) == CODE_LENGTH
    }
    clear = {read for word, read in words.items() if word == word.upper()}
    likely = clear or set(words.values())
    return likely.pop() if len(likely) == 1 else ""


Ref = Annotated[int, Field(ge=0, le=2**53)] | None
"""The sender's own number for a message, which the reply repeats."""

Site = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] | None
"""A site's name; if given, a command applies only to the people at that site."""

RoundIndex = Annotated[int, Field(ge=0, le=999)]


@dataclass(frozen=True, slots=True)
class Challenger:
    """The person who challenges a label: a player, a co-host, or else the host."""

    player: PlayerId | None = None
    site: str | None = None
    """The site of a co-host; None for others."""
