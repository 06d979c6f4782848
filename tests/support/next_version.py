"""The next version of Two Gaps: a copy of the program with changes of each kind.

It has an event, a field in a message between nodes, one in a message to clients, and a
column in the database that this version does not know.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from server.journal.tables import FORMAT

ROOT = Path(__file__).parent.parent.parent
VERSION = "99.0.0"
READS = [99, 0, 0]
EVENT = "room_cheered"

_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "node_modules", "dist", "src", "*.svelte", "*.woff2"
)

_PATCH: dict[str, tuple[tuple[str, str], ...]] = {
    "server/__init__.py": (('__version__ = "', f'__version__ = "{VERSION}"  # was "'),),
    "server/game/features/room.py": (
        (
            "Events = (\n    RoomMoved\n",
            f"""@dataclass(frozen=True, slots=True)
class RoomCheered:
    type: Literal["{EVENT}"] = "{EVENT}"
    needs: Literal["{VERSION}"] = "{VERSION}"
    effects: ClassVar[Effects] = QUIET


Events = (
    RoomMoved
    | RoomCheered
""",
        ),
        (
            "else [RoomNamed(name, moment.now_ms)]",
            "else [RoomNamed(name, moment.now_ms), RoomCheered()]",
        ),
        (
            "        case RoomMoved(to=to, epoch=epoch):\n",
            "        case RoomCheered():\n            pass\n"
            "        case RoomMoved(to=to, epoch=epoch):\n",
        ),
    ),
    "server/game/events.py": (
        ("    RoomMoved,\n", "    RoomCheered,\n    RoomMoved,\n"),
        ("    | RoomMoved\n", "    | RoomCheered\n    | RoomMoved\n"),
    ),
    "server/federation/messages.py": (
        ("    is_up: bool\n", '    is_up: bool\n    built: str = "next"\n'),
        (
            "    epoch: Annotated[int, Field(ge=1, le=EPOCHS)]\n",
            "    epoch: Annotated[int, Field(ge=1, le=EPOCHS)]\n    mood: int = 7\n",
        ),
    ),
    "server/protocol/server_messages.py": (
        ("    now_ms: int\n", '    now_ms: int\n    built: str = "next"\n'),
    ),
    "server/journal/tables.py": (
        (f"FORMAT = {FORMAT}\n", f"FORMAT = {FORMAT + 1}\n"),
        (
            "            await db.execute(_NAMES)\n",
            "            await db.execute(_NAMES)\n"
            "            await db.execute('ALTER TABLE rooms ADD COLUMN IF NOT EXISTS "
            "mood integer NOT NULL DEFAULT 7')\n",
        ),
    ),
}
"""By file: what is replaced, and by what."""


def next_version(folder: Path) -> Path:
    """Make the copy in a folder; run a program there to run the next version."""
    for name in ("server", "client", "scenarios", "tests/support"):
        shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
    (folder / "tests" / "__init__.py").touch()
    for name, changes in _PATCH.items():
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{name} has changed: {old!r} is not in it"
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
    return folder
