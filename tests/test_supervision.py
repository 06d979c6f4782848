"""The task tree: what fails is logged, seen, and restarted or fatal."""

from __future__ import annotations

import asyncio
import logging

import pytest

from server.supervision import OWNER, Part, PartFailed, Restarts, TaskTree, task_tree
from tests.support.until import until

QUICK = Restarts(pause_s=0.0, most=3)
WAITS = Restarts(pause_s=30.0)


class Work:
    """A part that fails when told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.running = asyncio.Event()
        self.fault: Exception | None = None
        self.fail = asyncio.Event()

    async def run(self) -> None:
        self.runs += 1
        self.running.set()
        await self.fail.wait()
        self.fail.clear()
        self.running.clear()
        if self.fault is not None:
            raise self.fault

    async def fails(self, fault: Exception | None = None) -> None:
        """Fail, and come back once the part runs again."""
        self.fault = fault
        self.fail.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await self.running.wait()


def started(tree: TaskTree, work: Work, *, is_vital: bool = False) -> None:
    tree.start(Part("work", work.run, is_vital=is_vital))


async def test_a_part_that_raises_is_logged_and_restarted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with task_tree(QUICK) as tree:
        work = Work()
        started(tree, work)
        await work.running.wait()
        await work.fails(RuntimeError("injected"))
        assert work.runs == 2
        assert tree.complaint is None
    assert "work failed" in caplog.text
    assert "injected" in caplog.text


async def test_a_part_that_returns_is_restarted() -> None:
    async with task_tree(QUICK) as tree:
        work = Work()
        started(tree, work)
        await work.running.wait()
        await work.fails()
        assert work.runs == 2


async def test_a_part_cancelled_from_outside_is_restarted() -> None:
    async with task_tree(QUICK) as tree:
        work = Work()
        started(tree, work)
        await work.running.wait()
        work.running.clear()
        tree.tasks["work"].cancel()
        await work.running.wait()
        assert work.runs == 2
        assert tree.tasks["work"].cancelling() == 0


async def test_a_part_that_is_down_is_named_until_it_runs_again() -> None:
    async with task_tree(WAITS) as tree:
        work = Work()
        started(tree, work)
        await work.running.wait()
        assert tree.complaint is None
        work.fault = RuntimeError("injected")
        work.fail.set()
        await until(lambda: tree.complaint)
        assert tree.complaint == "restarting: work"


async def test_a_vital_part_ends_the_server() -> None:
    other = Work()

    async def serve() -> None:
        async with task_tree(QUICK) as tree:
            tree.start(Part("other", other.run))
            work = Work()
            started(tree, work, is_vital=True)
            await work.running.wait()
            work.fault = RuntimeError("injected")
            work.fail.set()
            await asyncio.Event().wait()

    with pytest.raises(PartFailed, match="the part 'work' failed"):
        await serve()
    assert other.runs == 1


async def test_a_part_that_keeps_failing_ends_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs = []

    async def run() -> None:
        runs.append(1)
        raise RuntimeError("injected")

    async def serve() -> None:
        async with task_tree(QUICK) as tree:
            tree.start(Part("work", run))
            await asyncio.Event().wait()

    with pytest.raises(PartFailed):
        await serve()
    assert len(runs) == QUICK.most + 1
    critical = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    assert [one.getMessage() for one in critical] == [
        "work failed for good: the server is shutting down"
    ]


async def test_what_the_block_raises_comes_through_unchanged() -> None:
    fault = ValueError("of the block")

    async def serve() -> None:
        async with task_tree(QUICK) as tree:
            started(tree, Work())
            raise fault

    with pytest.raises(ValueError, match="of the block") as caught:
        await serve()
    assert caught.value is fault


async def test_leaving_the_block_ends_all_parts_and_errands() -> None:
    async with task_tree(QUICK) as tree:
        work = Work()
        started(tree, work)
        tree.errand("errand", asyncio.Event().wait)
        await work.running.wait()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(tasks) == 2
    assert all(task.cancelled() for task in tasks)


async def test_an_errand_that_fails_is_logged_and_harms_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with task_tree(QUICK) as tree:
        work = Work()
        started(tree, work)
        await work.running.wait()

        async def fails() -> None:
            raise RuntimeError("injected")

        tree.errand("a fetch", fails)
        await until(lambda: "injected" in caplog.text)
        assert work.runs == 1
        assert tree.complaint is None


async def test_everything_a_part_starts_belongs_to_it() -> None:
    owners: list[str] = []

    async def child() -> None:
        owners.append(OWNER.get())

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: owners.append(OWNER.get()))
        async with asyncio.TaskGroup() as group:
            group.create_task(child())
        await asyncio.Event().wait()

    async with task_tree(QUICK) as tree:
        tree.start(Part("mine", run))
        await until(lambda: len(owners) == 2)
        assert owners == ["mine", "mine"]
        assert OWNER.get() == ""


async def test_two_parts_of_one_name_are_refused() -> None:
    async with task_tree(QUICK) as tree:
        started(tree, Work())
        with pytest.raises(ValueError, match="a part named 'work' already"):
            started(tree, Work())
