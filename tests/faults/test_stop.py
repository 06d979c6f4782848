"""SIGTERM in the middle of a vote: all clients are notified and come back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from client import connect, host
from server.game.commands import OpenRound, OpenVote
from server.game.events import Event, VoteCast
from server.game.ids import RoomCode
from server.journal.memory import MemoryStore
from tests.support.figures import Figure
from tests.support.http import get
from tests.support.program import RESTLESS, ROOT, Program
from tests.support.server import Hall, hall
from tests.support.voters import BY_HAND, Acks, Voter, all_again, check
from tests.support.wire import Wire, screen_key, wire

PLAYERS = 300
STOPS = 1
STUCK = 20


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    data = tmp_path / "data"
    made = Program(tmp_path, "--data", str(data), *RESTLESS)
    yield made
    await made.kill()


@pytest.mark.fault
async def test_sigterm_with_votes_in_flight_loses_nothing_and_ends_in_time(
    program: Program, tmp_path: Path, figure: Figure
) -> None:
    await program.start("--room", "first-class")
    code, key = program.room
    url = f"http://127.0.0.1:{program.port}"
    acks, spent = Acks(), []
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(host(url, code, key))
        await teacher.send(BY_HAND)
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        voters = [
            Voter(await stack.enter_async_context(connect(url, code, f"P {i}")), i)
            for i in range(PLAYERS)
        ]
        runs = [asyncio.create_task(voter.run(acks)) for voter in voters]
        for _ in range(STOPS):
            await acks.more(2 * PLAYERS)
            stuck = [_mute(program.port) for _ in range(STUCK)]
            ended = await program.stop()
            assert ended.code == 0, ended.log  # 1 would be: it took too long
            spent.append(ended.took_s)
            for mute in stuck:
                mute.close()
            await program.start()
            await all_again(voters, acks)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
    assert (await program.stop()).code == 0
    assert "Traceback" not in program.log
    times = ", ".join(f"{s:.2f}" for s in spent)
    figure(f"{STOPS} stops, {acks.n} votes acknowledged; gone after {times} s")
    await check(tmp_path / "data", RoomCode(code), voters)


def _mute(port: int) -> socket.socket:
    """Open a connection that never says a word."""
    return socket.create_connection(("127.0.0.1", port))


@pytest.mark.fault
async def test_a_hangup_changes_nothing_and_a_stop_notifies_all(
    program: Program,
) -> None:
    await program.start("--room", "first-class")
    program.signal(signal.SIGHUP)
    await program.says("no certificate to reload")
    code, key = program.room
    async with contextlib.AsyncExitStack() as stack:

        async def come() -> Wire:
            return await stack.enter_async_context(wire(program.port))

        teacher, screen, ann, admin, stranger = [await come() for _ in range(5)]
        await teacher.prove("host", code, key)
        await screen.prove("screen", code, screen_key(key))
        await ann.join(code, "Ann")
        await admin.prove("admin", None, program.admin_key)
        program.signal(signal.SIGTERM)
        for client in (teacher, screen, ann, admin, stranger):
            bye = await client.until("bye")
            assert (bye["code"], bye["come_back"]) == ("shutting_down", True)
    assert (await program.ended()).code == 0


@pytest.mark.fault
async def test_a_second_signal_ends_it_immediately(program: Program) -> None:
    await program.start()
    async with wire(program.port) as silent:  # the closing handshake is not answered
        await silent.ws.send("{}")
        silent.ws.transport.pause_reading()
        program.signal(signal.SIGINT)
        await program.says("stopping")
        program.signal(signal.SIGINT)
        ended = await program.ended()
        silent.ws.transport.resume_reading()
    assert ended.code == 130
    assert "Traceback" not in ended.log


HANGS = """
import asyncio, contextlib, sys, types
from server.app import Config
from server.cli import serve

@contextlib.asynccontextmanager
async def hangs(config):
    yield types.SimpleNamespace(certificate=None)
    await asyncio.to_thread(sys.stdin.read)  # as a disk that does not answer

@contextlib.asynccontextmanager
async def greets(*_):
    print("ready", flush=True)
    yield

serve.LAST_S, serve.running = 0.2, hangs
asyncio.run(serve._serve(Config(), greets))
"""


@pytest.mark.fault
async def test_whatever_hangs_it_is_gone_in_time() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HANGS), cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert b"took too long" in await process.stderr.read()
    assert await process.wait() == 1


class SlowStore(MemoryStore):
    """Holds votes up until the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.asked = asyncio.Event(), asyncio.Event()

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        if any(isinstance(event, VoteCast) for event in events):
            self.asked.set()
            await self.gate.wait()
        await super().append(room, version, events)


async def test_what_came_in_is_answered_before_the_goodbye() -> None:
    store, stop = SlowStore(), asyncio.Event()
    open_: asyncio.Future[Hall] = asyncio.get_running_loop().create_future()

    async def opened() -> SlowStore:
        return store

    async def serve() -> None:
        async with hall(store=opened) as at:
            open_.set_result(at)
            await stop.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(serve(), name="server")
        at = await open_
        async with wire(at.port) as teacher, wire(at.port) as ann:
            await teacher.prove("host", at.room, at.key)
            await ann.join(at.room)
            await teacher.do("open_round", "open_vote")
            voting = group.create_task(ann.vote(), name="vote")
            await store.asked.wait()
            stop.set()
            await _until_not_ready(at.port)
            store.gate.set()
            assert (await voting)["type"] == "recorded"
            assert (await ann.until("bye"))["code"] == "shutting_down"


async def _until_not_ready(port: int) -> None:
    async with asyncio.timeout(20):
        while (await get(port, "/readyz")).status == 200:
            pass
