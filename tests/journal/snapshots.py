"""What a replay gives after every event: a digest of the whole table of a room.

``python -m tests.journal.snapshots`` writes ``fixtures/<version>/replay.json`` for a
release that has none. Like the journal itself, it is never written again: code that
folds a released journal into another table is wrong, whatever else it does better.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import lzma
import tempfile
from collections.abc import Sequence
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from server.game.engine import evolve, open_room
from server.game.events import Event, RoomOpened
from server.game.ids import RoomCode
from server.journal.sqlite import SqliteStore
from tests.journal.released import FIXTURES

FIELDS = {
    "RoomSettings": (
        "score_mode", "confidence", "two_link", "time_factor", "auto_close",
        "show_names", "podium", "pairs", "teams", "class_goal", "min_cell",
        "max_players", "simulated",
    ),
    "RoomState": (
        "code", "seed", "secret", "opened_ms", "settings", "home", "epoch", "version",
        "phase", "round_index", "example_index", "step", "deadline_ms",
        "warned_until_ms", "is_locked", "locked_sites", "finished_ms", "players",
        "kicked", "own_time", "joined", "people", "late", "rounds",
    ),
    "Round": (
        "polls", "is_opened", "is_revealed", "is_skipped", "pins", "said", "groups",
        "scores", "after", "carried", "cohorts", "moves",
    ),
    "Poll": (
        "opened_ms", "deadline_ms", "closed_ms", "votes", "late", "missed", "tally",
        "sites", "site_until_ms",
    ),
    "Player": (
        "id", "name", "team", "is_practice", "joined_ms", "site", "is_kicked",
        "allowance", "points", "rounds_scored",
    ),
    "Vote": ("answer", "reason", "at_ms", "first_ms", "stamps", "is_late"),
    "Tally": ("cells",),
    "Cohort": ("before", "after"),
    "Pin": ("player", "ballot"),
    "GapAnswer": ("label", "confidence", "kind"),
    "LinksAnswer": ("outer", "inner", "kind"),
    "LinkAnswer": ("broke", "confidence"),
    "FixAnswer": ("option", "kind"),
}  # fmt: skip
"""What the table of a room consists of. Look-alike forms of names are left out: they
are computed from the names, by rules that follow Unicode. So is the plan."""


def plain(value: object) -> Any:
    """Return a part of a table as JSON: mappings as pairs, in their order."""
    if is_dataclass(value):
        return {
            name: plain(getattr(value, name)) for name in FIELDS[type(value).__name__]
        }
    if isinstance(value, BaseModel):
        names = FIELDS.get(type(value).__name__)
        return value.model_dump(mode="json", include=set(names) if names else None)
    if isinstance(value, dict):
        return [[plain(key), plain(item)] for key, item in value.items()]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def digests(events: Sequence[Event]) -> list[str]:
    """Return a digest of the table after each event of a journal."""
    first, *others = events
    assert isinstance(first, RoomOpened)
    state = open_room(first)
    found = [_digest(plain(state))]
    for event in others:
        evolve(state, event)
        found.append(_digest(plain(state)))
    return found


def _digest(table: object) -> str:
    text = json.dumps(table, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def journals(release: str, folder: Path) -> dict[str, tuple[Event, ...]]:
    """Return every journal of a release by the code of its room."""
    packed = (FIXTURES / release / "journal.sqlite.xz").read_bytes()
    (folder / "journal.sqlite").write_bytes(lzma.decompress(packed))
    store = await SqliteStore.open(folder / "journal.sqlite")
    codes = sorted(record.code for record in await store.rooms())
    found = {code: tuple(await store.load(RoomCode(code))) for code in codes}
    await store.close()
    return found


def main() -> None:
    """Write what is missing."""
    for release in sorted(path.name for path in FIXTURES.iterdir()):
        target = FIXTURES / release / "replay.json"
        if target.exists():
            continue
        with tempfile.TemporaryDirectory() as scratch:
            found = asyncio.run(journals(release, Path(scratch)))
        known = {code: digests(events) for code, events in found.items()}
        target.write_text(json.dumps(known, indent=1) + "\n")
        print(f"{target.name} of {release}: {sum(map(len, known.values()))} tables")


if __name__ == "__main__":
    main()
