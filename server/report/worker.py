"""Make one report in a separate process, so that games are not slowed down.

``python -m server.report.worker`` reads a job and stored events from standard input and
writes the report, or a file, to standard output. It opens no files or connections, and
exits when its input or output is closed.

The first line of the input is the job as JSON. It is followed by the events of each
room, one per line, in the order in which the job lists the rooms.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from pydantic import TypeAdapter

from server.game.engine import replay
from server.game.goal import first_votes
from server.game.state import RoomState
from server.journal.codec import decode
from server.protocol.report_types import Report
from server.report.across import first_sight
from server.report.exports import Form, Wanted, alike, written
from server.report.report import CannotReport, build_report

NICENESS = 5
"""The niceness of this process, since reports may take longer, but votes may not."""

EXPLAINED = 3
"""Exit code if standard error contains one line for the person who asked."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to make, and the number of events of each room."""

    form: Form | Literal["page", "first_votes"]
    rooms: tuple[int, ...]
    others: tuple[int, ...] = ()
    """Rooms in which a twin may have come first; they may be damaged."""
    reader: Literal["host", "others"] = "host"
    has_reasons: bool = True
    match_names: bool = False


JOB = TypeAdapter(Job)
_REPORT = TypeAdapter(Report)
FIRST_VOTES = TypeAdapter(list[dict[str, tuple[int, int]]])
"""The first votes of some rooms, as this process returns them."""


def make(job: Job, lines: Iterator[bytes]) -> bytes:
    """Return the report as JSON for a page, or the requested file in base64.

    The first votes of rooms are also JSON, one element for each room. Raises
    :class:`CannotReport`, or ``UnreadableEvent`` for a room in the report.
    """
    if job.form == "first_votes":
        return FIRST_VOTES.dump_json([_first_votes(lines, n) for n in job.rooms])
    states = [_state(lines, n) for n in job.rooms]
    others = [state for n in job.others if (state := _perhaps(lines, n)) is not None]
    if job.form == "page":
        (state,) = states
        sight = first_sight(alike(state, others))
        found = build_report(state, sight, is_private=True)
        return _REPORT.dump_json(found)
    wanted = Wanted(job.form, job.reader, job.has_reasons, job.match_names)
    return base64.b64encode(written(states, others, wanted))


def _state(lines: Iterator[bytes], n: int) -> RoomState:
    return replay([decode(line.decode()) for line in islice(lines, n)])


def _first_votes(lines: Iterator[bytes], n: int) -> dict[str, tuple[int, int]]:
    """Return the first votes of a room; none if it is damaged, or a rehearsal."""
    state = _perhaps(lines, n)
    if state is None or state.settings.simulated:
        return {}
    return first_votes(state)


def _perhaps(lines: Iterator[bytes], n: int) -> RoomState | None:
    """Return another room, or None if its events do not decode or do not replay."""
    bodies = list(islice(lines, n))
    try:
        return _state(iter(bodies), n)
    except Exception:  # noqa: BLE001 - a damaged room must not spoil another's report
        return None


def main() -> int:
    """Do one job, and return the exit code."""
    if sys.platform != "win32":
        os.nice(NICENESS)
    lines = iter(sys.stdin.buffer.readline, b"")
    try:
        made = make(JOB.validate_json(next(lines)), lines)
    except CannotReport as exc:
        sys.stderr.write(str(exc))
        return EXPLAINED
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
