"""Every background task of a server is killed in turn, by walking its task tree.

A task that is killed is logged, seen by ``/readyz`` and restarted, or ends the server.
What belongs to one room or one connection harms only that one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextvars import Context, copy_context
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from client import connect
from server.supervision import OWNER, PartFailed, Restarts, owned_by
from tests.support.broker import open_broker
from tests.support.http import get
from tests.support.server import Hall, hall
from tests.support.until import until

pytestmark = pytest.mark.fault

TEST = "the test"
KEPT = "Client._misc_loop"
"""aiomqtt starts this one from a thread; it ends with the client of ``bus``."""

INNER = {"Event.wait", "Queue.get"}
"""Tasks that ``asyncio.wait_for`` of Python 3.11 makes, and leaves behind when its own
future fails, which only this test lets it: nothing waits for them any more."""

PAUSE = Restarts(pause_s=0.3, most=1000)
ALONE = {"rooms", "links", "loop-lag", "reports"}
VITAL = {"rooms"}


class Owners:
    """Which part each task of this loop was started for."""

    def __init__(self) -> None:
        self._of: WeakKeyDictionary[asyncio.Task[Any], str] = WeakKeyDictionary()

    def make(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, Any],
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        """Make a task as asyncio does, and note its owner."""
        context = context or copy_context()
        task = asyncio.Task(work, loop=loop, context=context)
        self._of[task] = context.get(OWNER, "")
        return task

    def unowned(self) -> list[str]:
        """Return the tasks that no part answers for."""
        return [
            repr(task)
            for task in asyncio.all_tasks()
            if not self._of.get(task, TEST) and task.get_coro().__qualname__ != KEPT
        ]

    def of_part(self, name: str) -> list[asyncio.Task[Any]]:
        """Return the tasks started for a part, its own among them."""
        tasks = asyncio.all_tasks()
        return [task for task in tasks if self._of.get(task) == name]


@pytest.fixture
async def owners() -> AsyncIterator[Owners]:
    loop = asyncio.get_running_loop()
    made = Owners()
    loop.set_task_factory(made.make)
    with owned_by(TEST):
        yield made
    loop.set_task_factory(None)


@contextlib.asynccontextmanager
async def served(**config: Any) -> AsyncIterator[Hall]:
    """Run a server whose tasks are its own, not the test's."""
    with owned_by(""):
        async with hall(restarts=PAUSE, **config) as at:
            yield at
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert [task for task in left if task.get_coro().__qualname__ not in INNER] == []


async def readiness(at: Hall) -> dict[str, str]:
    """Return the parts of /readyz."""
    body = (await get(at.port, "/readyz")).body
    return dict(json.loads(body)["parts"])


async def is_ready(at: Hall) -> None:
    """Wait until the server is ready again."""
    while True:
        if (await get(at.port, "/readyz")).status == 200:
            return
        await asyncio.sleep(0.02)


async def plays(at: Hall) -> None:
    """A newcomer joins the room and leaves again."""
    async with connect(f"http://127.0.0.1:{at.port}", at.room, "Ada"):
        pass


def waiting_in(task: asyncio.Task[Any]) -> Iterator[str]:
    """Yield the coroutines that a task is suspended in, outermost first."""
    inner: Any = task.get_coro()
    while inner is not None:
        yield getattr(inner, "__qualname__", "")
        inner = getattr(inner, "cr_await", None)


def fault_in(task: asyncio.Task[Any]) -> bool:
    """Let a task fail where it waits; False if it waits for other tasks."""
    waits_for = task._fut_waiter
    if waits_for is None or isinstance(waits_for, asyncio.Task) or waits_for.done():
        return False
    if any("TaskGroup." in name for name in waiting_in(task)):
        return False
    if getattr(task.get_coro(), "__qualname__", "") in INNER:
        return False
    waits_for.set_exception(RuntimeError("injected"))
    return True


@contextlib.contextmanager
def noted(caplog: pytest.LogCaptureFixture, text: str) -> Iterator[None]:
    """Hold that something is logged in this block."""
    caplog.clear()
    yield
    messages = [record.getMessage() for record in caplog.records]
    assert any(text in message for message in messages), messages


async def is_restarted(
    at: Hall, name: str, caplog: pytest.LogCaptureFixture, kill: Callable[[], object]
) -> None:
    """Hold that killing a part is logged, seen, and followed by a restart."""
    with noted(caplog, name):
        kill()
        await until(lambda: at.server.tree.complaint)
        assert (await readiness(at))["doors"] == f"restarting: {name}"
        await is_ready(at)
    await plays(at)
    assert caplog.records[0].levelno >= logging.ERROR


async def test_a_lone_servers_parts_are_restarted(
    owners: Owners, caplog: pytest.LogCaptureFixture
) -> None:
    async with served() as at:
        tree = at.server.tree
        assert set(tree.tasks) == ALONE
        for name in sorted(ALONE - VITAL):
            await is_restarted(at, name, caplog, tree.tasks[name].cancel)
            assert owners.unowned() == []


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
async def test_a_sites_parts_are_restarted(
    owners: Owners, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: Any
) -> None:
    broker = open_broker(kind, tmp_path)
    await broker.start()
    config = {"broker": broker.url(), "site": "berlin", "data": tmp_path / "data"}
    try:
        async with served(**config) as at:
            await is_ready(at)
            names = set(at.server.tree.tasks)
            assert names > ALONE | {"arrivals"}
            for name in sorted(names - VITAL):
                kill = at.server.tree.tasks[name].cancel
                await is_restarted(at, name, caplog, kill)
                assert owners.unowned() == []
    finally:
        await broker.kill()


async def test_a_fault_in_any_task_below_a_part_restarts_the_part(
    owners: Owners, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = open_broker("nats", tmp_path)
    await broker.start()
    config = {"broker": broker.url(), "site": "berlin", "data": tmp_path / "data"}
    killed: list[str] = []
    try:
        async with served(**config) as at:
            await is_ready(at)
            for name in sorted(set(at.server.tree.tasks) - VITAL):
                for task in owners.of_part(name):
                    if task.done() or not fault_in(task):
                        continue
                    killed.append(task.get_name())
                    await until(lambda: at.server.tree.complaint)
                    await is_ready(at)
                    await plays(at)
            assert owners.unowned() == []
    finally:
        await broker.kill()
    print(f"\n  killed by a fault: {', '.join(killed)}")
    assert len(killed) >= 5
    assert "injected" in caplog.text


async def test_a_dead_rooms_part_ends_the_server(
    owners: Owners, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve() -> None:
        async with served() as at:
            at.server.tree.tasks["rooms"].cancel()
            await asyncio.Event().wait()

    with pytest.raises(PartFailed, match="'rooms'"):
        await serve()
    assert "rooms failed for good" in caplog.text


async def test_a_killed_connection_harms_no_other(owners: Owners) -> None:
    async with served() as at:
        url = f"http://127.0.0.1:{at.port}"
        async with connect(url, at.room, "Ben") as ben:
            others = set(owners.of_part("door"))
            async with connect(url, at.room, "Ada"):
                fresh = set(owners.of_part("door")) - others
                assert sum(map(fault_in, fresh)) >= 1
                assert (await ben.ping()).round_trip_s >= 0
                await is_ready(at)
        assert owners.unowned() == []


async def test_every_thread_is_known(owners: Owners, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    async with served(data=tmp_path) as at:
        await plays(at)
        fresh = [one for one in threading.enumerate() if one not in before]
        names = {one.name.rstrip("_0123456789") for one in fresh}
        assert names <= {"journal-writer", "asyncio"}, names
