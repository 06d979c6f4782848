"""Cleaning players' names: pure text in, pure text out.

Follows Unicode's identifier advice in spirit (UAX #31, UTS #39): compatibility forms
are folded, invisible, control and bidirectional characters go, and two names that look
alike count as one name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container

from server.game.errors import Refused

MAX_LENGTH = 24

_LOOK_ALIKES = str.maketrans(
    {
        **dict(zip("аеорсухівкмнтьѕјԁɡ", "aeopcyxibkmhtbsjdg", strict=True)),
        **dict(zip("αβεικνορτυχγηω", "abeikvoptuxynw", strict=True)),
        **dict(zip("01|!5$@3", "ollissae", strict=True)),
    }
)


def clean_name(raw: str) -> str:
    """Return the name as it may be shown, at most 24 characters.

    Raises :class:`Refused` ("bad_name") when nothing readable is left.
    """
    folded = unicodedata.normalize("NFKC", raw)
    spaced = "".join(" " if ch.isspace() else ch for ch in folded)
    kept = "".join(ch for ch in spaced if _is_visible(ch))
    name = _limit_marks(" ".join(kept.split()))[:MAX_LENGTH].strip()
    if not any(unicodedata.category(ch)[0] in "LNS" for ch in name):
        raise Refused("bad_name", "Please enter a name with at least one letter.")
    return name


def unique_name(name: str, taken: Container[str]) -> str:
    """Return ``name``, or with a number behind it where it looks like a taken one.

    ``taken`` holds skeletons (see :func:`skeleton`). The number is found by doubling
    and halving, so that a thousand players of one name cost little.
    """
    if skeleton(name) not in taken:
        return name
    high = 2
    while skeleton(_numbered(name, high)) in taken:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if skeleton(_numbered(name, middle)) in taken:
            low = middle
        else:
            high = middle
    return _numbered(name, high)


def _numbered(name: str, number: int) -> str:
    tail = f" {number}"
    return name[: MAX_LENGTH - len(tail)].rstrip() + tail


def skeleton(name: str) -> str:
    """Return the form in which two look-alike names are equal."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(ch for ch in bare if unicodedata.category(ch) != "Mn")
    return "".join(letters.translate(_LOOK_ALIKES).split())


def _is_visible(ch: str) -> bool:
    return ch == " " or unicodedata.category(ch)[0] not in "CZ"


def _limit_marks(text: str, most: int = 2) -> str:
    """Keep at most ``most`` combining marks in a row: no towers of accents."""
    kept: list[str] = []
    run = 0
    for ch in text:
        run = run + 1 if unicodedata.combining(ch) else 0
        if run <= most:
            kept.append(ch)
    return "".join(kept)


def one_line(raw: str, most: int) -> str:
    """Return one printable line of what a person typed, at most ``most`` characters."""
    line = raw
    if not raw.isprintable():
        line = "".join(ch if ch.isprintable() else " " for ch in raw)
    return " ".join(line.split())[:most]
