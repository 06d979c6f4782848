"""Reports on demand: read from the journal, made by a process of its own.

Only what is stored is reported, so a report never says more than a crash would leave.
At most one is made at a time; on this process's loop nothing happens but reading rows,
writing them to a pipe and passing the answer on.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from server.federation.gateway import Link
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.journal.store import EventStore, StoreUnavailable
from server.protocol.client_messages import GetAcross, GetReport
from server.protocol.report_frames import MEDIA_TYPES, file_frame, report_frame
from server.report.files import OTHER_ROOMS
from server.rooms import replies
from server.rooms.report_worker import EXPLAINED, JOB, Job

log = logging.getLogger("twogaps.report")

Question = GetReport | GetAcross

WAITING = 16
"""Reports asked for at once on this server; more are refused."""

PATIENCE_S = 120
"""A report that takes longer is given up."""

_UNREADABLE = Refused("storage_unavailable", "Cannot read the journal now.")
_FAULT = Refused("internal", "The report could not be made; the server's log says why.")


@dataclass(slots=True)
class _Made:
    version: int
    body: bytes


class Reports:
    """Answers who asks for a report. :meth:`run` has to be running."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._turn = asyncio.Semaphore(1)
        self._group: asyncio.TaskGroup | None = None
        self._waiting = 0
        self._pages: dict[RoomCode, _Made] = {}

    async def run(self) -> None:
        """Make reports until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.Event().wait()

    def ask(self, link: Link, codes: Sequence[RoomCode], question: Question) -> None:
        """Answer a question as soon as its turn comes; raises :class:`Refused`."""
        if self._group is None or self._waiting >= WAITING:
            raise Refused("busy", "Too many reports are being made; ask again soon.")
        self._waiting += 1
        work = self._answer(link, tuple(codes), question)
        self._group.create_task(work, name=f"report-{codes[0]}")

    async def _answer(
        self, link: Link, codes: tuple[RoomCode, ...], question: Question
    ) -> None:
        try:
            async with self._turn:
                link.push(await self._frame(codes, question))
        except Refused as refusal:
            link.push(replies.refused(refusal, question))
        except StoreUnavailable:
            link.push(replies.refused(_UNREADABLE, question))
        except Exception:
            log.exception("no report of %s", ", ".join(codes))
            link.push(replies.refused(_FAULT, question))
        finally:
            self._waiting -= 1

    async def _frame(self, codes: tuple[RoomCode, ...], question: Question) -> bytes:
        rooms = [await self._bodies(code) for code in codes]
        if isinstance(question, GetReport) and question.form == "page":
            return report_frame(question.ref, await self._page(codes[0], rooms[0]))
        others = await self._others(codes) if len(codes) == 1 else []
        body = await _make(_job(question, rooms, others), [*rooms, *others])
        name = f"two-gaps-{'-'.join(codes)}.{question.form}"
        return file_frame(question.ref, name, MEDIA_TYPES[question.form], body)

    async def _page(self, code: RoomCode, bodies: list[str]) -> bytes:
        """Return the report of a room as it is now; made once a version."""
        known = self._pages.get(code)
        if known is None or known.version != len(bodies):
            job = Job("page", (len(bodies),))
            known = _Made(len(bodies), await _make(job, [bodies]))
            self._pages = {code: known}  # one class at a time looks at its report
        return known.body

    async def _bodies(self, code: RoomCode) -> list[str]:
        bodies = await self._store.bodies(code)
        if not bodies:
            raise Refused("unknown_room", f"No room {code} in this journal.")
        return bodies

    async def _others(self, codes: Sequence[RoomCode]) -> list[list[str]]:
        known = [record.code for record in await self._store.rooms()]
        wanted = [code for code in known if code not in codes][:OTHER_ROOMS]
        return [await self._store.bodies(code) for code in wanted]


def _job(
    question: Question, rooms: Sequence[Sequence[str]], others: Sequence[Sequence[str]]
) -> Job:
    counts = tuple(map(len, rooms)), tuple(map(len, others))
    if isinstance(question, GetReport):
        reader, reasons = question.reader, question.reasons
        return Job(question.form, *counts, reader=reader, has_reasons=reasons)
    return Job(question.form, *counts, match_names=question.match_names)


async def _make(job: Job, rooms: Sequence[Sequence[str]]) -> bytes:
    """Let a process of its own do a job; it dies with this task.

    Raises :class:`Refused` with the reason where the rooms cannot be reported on.
    """
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server.rooms.report_worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert worker.stdin is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            feeding = asyncio.create_task(
                _feed(worker.stdin, job, rooms), name="feed-report"
            )
            out, complaint = await _read(worker)
            await feeding
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    if worker.returncode == EXPLAINED:
        raise Refused("not_allowed", complaint.decode())
    if worker.returncode:
        raise RuntimeError(complaint.decode(errors="replace")[-2000:])
    return out


async def _feed(
    pipe: asyncio.StreamWriter, job: Job, rooms: Sequence[Sequence[str]]
) -> None:
    """Write the job and the events, a room at a time, as fast as they are read."""
    try:
        pipe.write(JOB.dump_json(job) + b"\n")
        for bodies in rooms:
            for at in range(0, len(bodies), 500):
                pipe.write("".join(f"{b}\n" for b in bodies[at : at + 500]).encode())
                await pipe.drain()
        pipe.close()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has ended: its exit code says why


async def _read(worker: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    assert worker.stdout is not None
    assert worker.stderr is not None
    out, complaint = await asyncio.gather(worker.stdout.read(), worker.stderr.read())
    await worker.wait()
    return out, complaint
