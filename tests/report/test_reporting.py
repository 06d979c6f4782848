"""Making a report in a process of its own: what it reads, and how it ends."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.game.events import PlayerRenamed
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import encode
from server.report.reporting import exchange, made_elsewhere
from server.report.worker import Job, make
from tests.support.cases import opened


class _FullPipe:
    """The standard input of a worker that reads nothing: draining never ends."""

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass

    async def drain(self) -> None:
        await asyncio.Event().wait()


async def test_feeding_ends_when_reading_fails() -> None:
    broken, silent = asyncio.StreamReader(), asyncio.StreamReader()
    broken.set_exception(OSError("the pipe is broken"))
    worker = SimpleNamespace(stdin=_FullPipe(), stdout=broken, stderr=silent)
    before = asyncio.all_tasks()
    with pytest.raises(ExceptionGroup) as failure:
        await exchange(worker, Job("page", (1,)), [["{}"]])
    assert failure.group_contains(OSError, match="the pipe is broken")
    assert asyncio.all_tasks() == before


def test_another_room_that_does_not_replay_spoils_no_report() -> None:
    healthy = opened()
    damaged = dataclasses.replace(healthy, code=RoomCode("BADBAD"))
    stray = PlayerRenamed(PlayerId("unknown"), "x")
    lines = [f"{encode(event)}\n".encode() for event in (healthy, damaged, stray)]
    page = make(Job("page", (1,), others=(2,)), iter(lines))
    assert b'"code":"TESTAA"' in page


async def test_the_report_process_imports_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("server.py", "random.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong file')\n")
    monkeypatch.chdir(tmp_path)
    page = await made_elsewhere(Job("page", (1,)), [[encode(opened())]])
    assert b'"code":"TESTAA"' in page
