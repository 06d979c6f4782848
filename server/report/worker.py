"""Makes one report in a separate process, so that no class waits for it.

``python -m server.report.worker`` reads a job and stored events from standard input and
writes the report, or a file, to standard output. It opens nothing, and ends when its
input or output is closed.

Input: one line of JSON, the job; then the events of each room of the job, one a line,
in the order in which the job names them.
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
from server.game.state import RoomState
from server.journal.codec import decode
from server.protocol.report_types import Report
from server.report.across import first_sight
from server.report.exports import Form, Wanted, alike, written
from server.report.report import CannotReport, build_report

NICENESS = 5
"""A report may take longer; a vote may not."""

EXPLAINED = 3
"""Exit code that says: standard error holds one line for the person who asked."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to make, and of which rooms: their number of events each."""

    form: Form | Literal["page"]
    rooms: tuple[int, ...]
    others: tuple[int, ...] = ()
    """Rooms that may tell how a twin goes when it comes first; may be damaged."""
    reader: Literal["host", "others"] = "host"
    has_reasons: bool = True
    match_names: bool = False


JOB = TypeAdapter(Job)
_REPORT = TypeAdapter(Report)


def make(job: Job, lines: Iterator[bytes]) -> bytes:
    """Return the report as JSON for a page, or the file that was asked for, in base64.

    Raises :class:`CannotReport`, and ``UnreadableEvent`` for a room of the report.
    """
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


def _perhaps(lines: Iterator[bytes], n: int) -> RoomState | None:
    """Return another room, or None if its events do not decode or do not replay."""
    bodies = list(islice(lines, n))
    try:
        return _state(iter(bodies), n)
    except Exception:  # noqa: BLE001 - a damaged room must not spoil another's report
        return None


def main() -> int:
    """Do one job; return the exit code."""
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
