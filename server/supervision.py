"""The task tree: one owner for everything that runs in the background.

If a part fails, this is logged, ``/readyz`` fails while the part is down, and it is
restarted after a pause. If the part is vital or keeps failing, the whole server stops
with :class:`PartFailed`, so that a service manager can restart the process. A failed
part is never reported as healthy.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterator,
)
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TypeVar

__all__ = [
    "OWNER",
    "OwnedGroup",
    "Part",
    "PartFailed",
    "Restarts",
    "TaskTree",
    "owned_by",
    "task_tree",
]

log = logging.getLogger("twogaps.tasks")

OWNER: ContextVar[str] = ContextVar("twogaps_owner", default="")
"""The name of the part on whose behalf the current code runs. Tasks and callbacks
inherit it, so that each can be traced to the part that is responsible for it."""

T = TypeVar("T")

Run = Callable[[], Awaitable[None]]
"""Does a part's work until cancelled; returning early is a failure."""


class PartFailed(Exception):  # noqa: N818 - read as a sentence
    """A part of the server failed permanently, so the server has to stop."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the part '{name}' failed; the log says why")
        self.name = name


@dataclass(frozen=True, slots=True)
class Part:
    """A background task that runs for as long as the server does."""

    name: str
    run: Run
    is_vital: bool = False
    """Whether its failure stops the server, because its state cannot be rebuilt."""


@dataclass(frozen=True, slots=True)
class Restarts:
    """How often a failed part is restarted (as in Erlang/OTP's restart intensity)."""

    pause_s: float = 0.5
    """The pause before the first restart; it doubles with each further one."""
    most: int = 5
    """More failures than this within ``window_s`` stop the server."""
    window_s: float = 60.0


@dataclass(slots=True)
class _Record:
    """The tree's record of one part."""

    task: asyncio.Task[None] = field(init=False)
    failures_s: list[float] = field(default_factory=list)
    is_down: bool = False
    is_ending: bool = False


class TaskTree:
    """The background tasks of one server, by name. Created by :func:`task_tree`."""

    def __init__(self, group: asyncio.TaskGroup, restarts: Restarts) -> None:
        self._group = group
        self._restarts = restarts
        self._parts: dict[str, _Record] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._is_closing = False

    @property
    def tasks(self) -> dict[str, asyncio.Task[None]]:
        """The running parts by name, without the tasks that they start themselves."""
        return {name: record.task for name, record in self._parts.items()}

    @property
    def complaint(self) -> str | None:
        """What is wrong with the parts, or None: the check behind ``/readyz``."""
        down = sorted(name for name, record in self._parts.items() if record.is_down)
        return f"restarting: {', '.join(down)}" if down else None

    async def check(self) -> str | None:
        """Return the complaint, as a health check."""
        return self.complaint

    def start(self, part: Part) -> None:
        """Run a part until :meth:`end` is called for it; its name must be unique."""
        if part.name in self._parts:
            raise ValueError(f"there is a part named '{part.name}' already")
        record = _Record()
        record.task = self._group.create_task(
            self._keep(part, record), name=part.name, context=_owned_by(part.name)
        )
        self._parts[part.name] = record

    def errand(self, name: str, work: Run) -> None:
        """Run a task that ends on its own; if it fails, that is only logged."""
        task = self._group.create_task(
            _log_failure(name, work), name=name, context=_owned_by(name)
        )
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def end(self, name: str) -> None:
        """Cancel a part and wait until it has ended."""
        record = self._parts.pop(name)
        record.is_ending = True
        await _cancel(record.task)

    async def close(self) -> None:
        """End everything that is still running, newest part first."""
        self._is_closing = True
        for task in list(self._errands):
            await _cancel(task)
        for name in reversed(list(self._parts)):
            await self.end(name)

    async def _keep(self, part: Part, record: _Record) -> None:
        """Run a part, restarting it after each failure, until it fails for good."""
        while True:
            try:
                await part.run()
                log.error("%s ended unexpectedly", part.name)
            except asyncio.CancelledError:
                if record.is_ending or self._is_closing:
                    raise
                _uncancel()
                log.error("%s was cancelled from outside", part.name)
            except Exception:
                log.exception("%s failed", part.name)
            record.is_down = True
            await self._pause(part, record)
            record.is_down = False

    async def _pause(self, part: Part, record: _Record) -> None:
        """Wait before a restart; raises :class:`PartFailed` if none is allowed."""
        now_s = asyncio.get_running_loop().time()
        since_s = now_s - self._restarts.window_s
        recent = (at for at in record.failures_s if at > since_s)
        record.failures_s = [*recent, now_s]
        if part.is_vital or len(record.failures_s) > self._restarts.most:
            log.critical("%s failed for good: the server is shutting down", part.name)
            self._is_closing = True
            raise PartFailed(part.name)
        pause_s = self._restarts.pause_s * 2 ** (len(record.failures_s) - 1)
        log.warning("restarting %s in %.1f s", part.name, pause_s)
        await asyncio.sleep(pause_s)


@contextlib.asynccontextmanager
async def task_tree(restarts: Restarts | None = None) -> AsyncIterator[TaskTree]:
    """Own background tasks for as long as the block lasts.

    If a part fails for good, the block is cancelled and :class:`PartFailed` is raised.
    Exceptions raised by the block itself are passed on unchanged.
    """
    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tree = TaskTree(group, restarts or Restarts())
            try:
                yield tree
            except Exception as exc:  # noqa: BLE001 - raised again below, unwrapped
                failure = exc
            finally:
                await tree.close()
    except* PartFailed as failed:
        raise failed.exceptions[0] from failure
    if failure is not None:
        raise failure


@contextlib.contextmanager
def owned_by(name: str) -> Iterator[None]:
    """Assign all tasks and callbacks started in this block to a part."""
    token = OWNER.set(name)
    try:
        yield
    finally:
        OWNER.reset(token)


class OwnedGroup(asyncio.TaskGroup):
    """A TaskGroup whose tasks belong to the part that created the group.

    By default, a task belongs to the part that starts it. But a room that was opened
    by a connection, for example, must not belong to that connection.
    """

    def __init__(self) -> None:
        super().__init__()
        self._owner = OWNER.get()

    def create_task(
        self,
        coro: Generator[object, None, T] | Coroutine[object, object, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Start a task in this group, on behalf of the group's owner."""
        context = context or _owned_by(self._owner)
        return super().create_task(coro, name=name, context=context)


def _owned_by(name: str) -> Context:
    context = copy_context()
    context.run(OWNER.set, name)
    return context


def _uncancel() -> None:
    """Undo a cancellation that did not come from the tree."""
    if (task := asyncio.current_task()) is not None:
        task.uncancel()


async def _log_failure(name: str, work: Run) -> None:
    try:
        await work()
    except Exception:
        log.exception("%s failed", name)


async def _cancel(task: asyncio.Task[None], again_s: float = 1.0) -> None:
    """Cancel a task, every ``again_s`` seconds, until it has ended.

    A library may swallow a cancellation (``asyncio.wait_for`` in Python 3.11).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=again_s)


# --- the process ---------------------------------------------------------------------


def tune_garbage_collection(
    young: int = 10_000, middle: int = 25, old: int = 4
) -> None:
    """Collect garbage less often; call once per process, after all imports.

    Nearly everything here is freed as soon as it is unreferenced. Only reference cycles
    need collecting, and each closed socket leaves one. By default, Python collects
    after every 700 new objects, which took a fifth of the time needed for a vote
    (docs/performance.md). Here, the young generation is collected after ``young`` new
    objects, which takes about 5 ms, and all objects after ``young * middle * old``, or
    about 25,000 sockets that have come and gone.

    Objects loaded at startup are never garbage and are excluded from collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, middle, old)
