"""Reports on demand: read from the journal, made by a separate process.

A report is based only on stored events, so it never shows anything that a crash could
lose. At most one report is made at a time. The event loop of this process only reads
rows, writes them to a pipe and passes on the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.game.errors import Refused, required
from server.game.goal import FirstVotes, together
from server.game.ids import RoomCode
from server.journal.store import DamagedRoom, RoomIndex, StoreUnavailable
from server.protocol.client_messages import GetAcross, GetReport
from server.protocol.codec import MEDIA_TYPES, file_frame, report_frame
from server.report.exports import OTHER_ROOMS
from server.report.worker import EXPLAINED, FIRST_VOTES, JOB, Job
from server.supervision import OwnedGroup

log = logging.getLogger("twogaps.report")

Question = GetReport | GetAcross

_WORK = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from server.report.worker import main; sys.exit(main())"
)
"""The program of the report process. It has the same import path as this process, and
never imports from the current folder."""

FROZEN_WORKER = "--report-worker"
"""The argument with which the one-file program starts itself as the report process."""

MOST_LEARNED = 200
"""The number of finished rooms, the newest, whose first votes are known."""

LEARNED_AT_ONCE = 10
"""Rooms that are read between two reports that someone waits for."""

_UNREADABLE = Refused(
    "storage_unavailable", "The journal cannot be read at the moment."
)
_FAULT = Refused("internal", "The report failed; the reason is in the server's log.")


@dataclass(frozen=True, slots=True)
class Asker:
    """The callbacks for the answer to one question; exactly one of them is called."""

    push: Callable[[bytes], None]
    refuse: Callable[[Refused], None]


@dataclass(slots=True)
class _Made:
    version: int
    body: bytes


@dataclass(slots=True)
class _FirstVotes:
    version: int
    votes: FirstVotes


class Reports:
    """Makes the reports that are asked for, one at a time.

    ``most_waiting`` is the maximum number of pending reports; further requests are
    refused. A report that takes longer than ``patience_s`` seconds is abandoned.

    The first votes of newly finished rooms are read every ``look_every_s`` seconds.
    While the server starts, a new room waits for them for up to ``first_look_s``
    seconds.

    :meth:`run` must be running.
    """

    def __init__(
        self,
        store: RoomIndex,
        *,
        most_waiting: int = 16,
        patience_s: float = 120,
        look_every_s: float = 600,
        first_look_s: float = 2,
    ) -> None:
        self._store = store
        self._most_waiting = most_waiting
        self._patience_s = patience_s
        self._turn = asyncio.Semaphore(1)
        self._group: asyncio.TaskGroup | None = None
        self._pending: dict[asyncio.Task[None], tuple[tuple[RoomCode, ...], Asker]] = {}
        self._learned: dict[RoomCode, _FirstVotes] = {}
        self._forgotten: set[RoomCode] = set()
        """The rooms that were deleted since the last look began."""
        self._has_looked = asyncio.Event()
        self._look_every_s, self._first_look_s = look_every_s, first_look_s
        self._pages: dict[RoomCode, _Made] = {}

    async def run(self) -> None:
        """Make reports until cancelled."""
        try:
            async with OwnedGroup() as group:
                self._group = group
                await self._learn()
        finally:
            self._group = None

    def ask(self, codes: Sequence[RoomCode], question: Question, asker: Asker) -> None:
        """Queue a question to be answered; raises :class:`Refused` if it can't be."""
        if self._group is None or len(self._pending) >= self._most_waiting:
            raise Refused("busy", "Too many reports are being made; try again soon.")
        work = self._answer(tuple(codes), question, asker)
        task = self._group.create_task(work, name=f"report-{codes[0]}")
        self._pending[task] = (tuple(codes), asker)
        task.add_done_callback(self._pending.pop)

    def forget(self, code: RoomCode) -> None:
        """Forget a room that was deleted, and refuse pending reports about it."""
        self._pages.pop(code, None)
        self._learned.pop(code, None)
        self._forgotten.add(code)
        for task, (codes, asker) in list(self._pending.items()):
            if code in codes and task.cancel():
                asker.refuse(_unknown(code))

    async def first_votes(self) -> FirstVotes:
        """Return the first votes in the latest finished rooms, summed by question."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._first_look_s):
                await self._has_looked.wait()
        return together(found.votes for found in self._learned.values())

    async def _learn(self) -> None:
        """Read the first votes of newly finished rooms, again and again."""
        while True:
            try:
                await self._look()
            except StoreUnavailable:
                log.warning("finished rooms can't be read now: goals don't know them")
            except Exception:
                log.exception("the first votes of finished rooms were not read")
            self._has_looked.set()
            await asyncio.sleep(self._look_every_s)

    async def _look(self) -> None:
        self._forgotten.clear()
        over = [one for one in await self._store.rooms() if one.finished_ms is not None]
        wanted = {one.code: one.version for one in over[:MOST_LEARNED]}
        known = self._learned
        self._learned = {code: known[code] for code in wanted if code in known}
        new = [code for code, v in wanted.items() if not self._is_known(code, v)]
        for at in range(0, len(new), LEARNED_AT_ONCE):
            codes = new[at : at + LEARNED_AT_ONCE]
            async with self._turn:
                rooms = [await self._perhaps(code) for code in codes]
                job = Job("first_votes", tuple(map(len, rooms)))
                made = FIRST_VOTES.validate_json(await self._make(job, rooms))
            self._learned |= {
                code: _FirstVotes(wanted[code], votes)
                for code, votes in zip(codes, made, strict=True)
                if code not in self._forgotten
            }

    def _is_known(self, code: RoomCode, version: int) -> bool:
        return code in self._learned and self._learned[code].version == version

    async def _perhaps(self, code: RoomCode) -> list[str]:
        """Return a room's events; none if they are damaged or were just deleted."""
        try:
            return await self._store.bodies(code)
        except DamagedRoom:
            return []

    async def _answer(
        self, codes: tuple[RoomCode, ...], question: Question, asker: Asker
    ) -> None:
        try:
            async with self._turn:
                asker.push(await self._frame(codes, question))
        except Refused as refusal:
            asker.refuse(refusal)
        except StoreUnavailable:
            asker.refuse(_UNREADABLE)
        except Exception:
            log.exception("no report of %s", ", ".join(codes))
            asker.refuse(_FAULT)

    async def _frame(self, codes: tuple[RoomCode, ...], question: Question) -> bytes:
        rooms = [await self._bodies(code) for code in codes]
        if isinstance(question, GetReport) and question.form == "page":
            return report_frame(question.ref, await self._page(codes[0], rooms[0]))
        others = await self._others(codes) if len(codes) == 1 else []
        job = _job(question, rooms, others)
        body = await self._make(job, [*rooms, *others])
        name = f"two-gaps-{'-'.join(codes)}.{question.form}"
        return file_frame(question.ref, name, MEDIA_TYPES[question.form], body)

    async def _page(self, code: RoomCode, bodies: list[str]) -> bytes:
        """Return the current report of a room; it is made once for each version."""
        known = self._pages.get(code)
        if known is None or known.version != len(bodies):
            job = Job("page", (len(bodies),))
            known = _Made(len(bodies), await self._make(job, [bodies]))
            self._pages = {code: known}  # classes rarely look at the same time
        return known.body

    async def _bodies(self, code: RoomCode) -> list[str]:
        bodies = await self._store.bodies(code)
        if not bodies:
            raise _unknown(code)
        return bodies

    async def _others(self, codes: Sequence[RoomCode]) -> list[list[str]]:
        known = [record.code for record in await self._store.rooms()]
        wanted = [code for code in known if code not in codes][:OTHER_ROOMS]
        return [await self._store.bodies(code) for code in wanted]

    async def _make(self, job: Job, rooms: Sequence[Sequence[str]]) -> bytes:
        async with asyncio.timeout(self._patience_s):
            return await made_elsewhere(job, rooms)


def _unknown(code: RoomCode) -> Refused:
    return Refused("unknown_room", f"No room {code} in this journal.")


def _job(
    question: Question, rooms: Sequence[Sequence[str]], others: Sequence[Sequence[str]]
) -> Job:
    counts = tuple(map(len, rooms)), tuple(map(len, others))
    if isinstance(question, GetReport):
        reader, reasons = question.reader, question.reasons
        return Job(question.form, *counts, reader=reader, has_reasons=reasons)
    return Job(question.form, *counts, match_names=question.match_names)


async def made_elsewhere(job: Job, rooms: Sequence[Sequence[str]]) -> bytes:
    """Do a job in a separate process, which ends with this task, and return the result.

    Raises :class:`Refused` with the reason if the rooms cannot be reported on.
    """
    worker = await asyncio.create_subprocess_exec(
        *_worker_command(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, complaint = await exchange(worker, job, rooms)
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    if worker.returncode == EXPLAINED:
        raise Refused("cannot_report", complaint.decode())
    if worker.returncode:
        raise RuntimeError(complaint.decode(errors="replace")[-2000:])
    return out


def _worker_command() -> tuple[str, ...]:
    if getattr(sys, "frozen", False):  # the one-file program has no other Python
        return (sys.executable, FROZEN_WORKER)
    return (sys.executable, "-P", "-c", _WORK, *sys.path)


async def exchange(
    worker: asyncio.subprocess.Process, job: Job, rooms: Sequence[Sequence[str]]
) -> tuple[bytes, bytes]:
    """Write a job to a worker, and return its standard output and standard error.

    If reading fails, writing ends as well, and vice versa.
    """
    stdin, stdout = required(worker.stdin, "stdin"), required(worker.stdout, "stdout")
    stderr = required(worker.stderr, "stderr")
    async with asyncio.TaskGroup() as group:
        group.create_task(_feed(stdin, job, rooms), name="report-feed")
        out = group.create_task(stdout.read(), name="report-read")
        complaint = group.create_task(stderr.read(), name="report-complaint")
    await worker.wait()
    return out.result(), complaint.result()


async def _feed(
    pipe: asyncio.StreamWriter, job: Job, rooms: Sequence[Sequence[str]]
) -> None:
    """Write the job and the events, one room at a time, as fast as the worker reads."""
    try:
        pipe.write(JOB.dump_json(job) + b"\n")
        for bodies in rooms:
            for at in range(0, len(bodies), 500):
                pipe.write("".join(f"{b}\n" for b in bodies[at : at + 500]).encode())
                await pipe.drain()
        pipe.close()
    except (BrokenPipeError, ConnectionResetError):
        pass  # the worker has exited, and its exit code says why
