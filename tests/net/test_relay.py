"""The way to a room's home that answers late, or not at all, in simulated time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from types import SimpleNamespace

import pytest

from server.game.ids import RoomCode
from server.journal.store import HeldElsewhere
from server.metrics import Metrics
from server.net.relay import Relay, Relays
from server.protocol.client_messages import Hello
from server.rooms.audience import LocalGateway
from server.rooms.ports import RoomPort
from tests.simulation.loop import VirtualLoop
from tests.support.gateways import StandIn

CODE = RoomCode("TESTAA")
HELLO = Hello(version=1, role="player", room=CODE, name="Ann", join_key="ab" * 16)
AT_ADA = HeldElsewhere("ada", "http://ada:8000")


class Upstream:
    """A socket at the home on which nothing happens."""

    async def send(self, frame: str | bytes, text: bool = False) -> None:
        """Take a frame."""

    async def close(self) -> None:
        """Close it."""

    async def __aiter__(self) -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield ""


def slow(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every node answer after some seconds."""

    async def connect(url: str, **options: float | None) -> Upstream:
        async with asyncio.timeout(options["open_timeout"]):
            await asyncio.sleep(seconds)
        return Upstream()

    monkeypatch.setattr("server.net.relay.connect", connect)


def run(work: Coroutine[None, None, None]) -> float:
    """Run a test in simulated time; return how long it took, in seconds."""
    loop = VirtualLoop(random.Random(1))
    try:
        loop.run_until_complete(work)
        return loop.time()
    finally:
        loop.close()


async def look_for(relays: Relays, taken: RoomPort | None = None) -> Relay | RoomPort:
    """Look for the room at ada; ``taken`` is the room if this node can take it."""

    async def find() -> RoomPort:
        if taken is None:
            raise AT_ADA.again()
        return taken

    running = asyncio.create_task(relays.run())
    await asyncio.sleep(0)
    link = SimpleNamespace(asked_s=0.0)
    try:
        return await relays.find(AT_ADA, HELLO, "", link, find)  # type: ignore[arg-type] # a stand-in
    finally:
        running.cancel()
        await asyncio.wait([running])


def test_a_home_that_answers_late_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A busy machine takes longer than a connection usually does."""
    slow(4.0, monkeypatch)

    async def work() -> None:
        found = await look_for(Relays("key", lambda _: True, Metrics()))
        assert isinstance(found, Relay)

    assert 4.0 <= run(work()) < 4.5


def test_a_home_that_does_not_answer_is_waited_for_while_it_has_a_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow(60.0, monkeypatch)

    async def work() -> None:
        room, loop = StandIn(CODE, LocalGateway()), asyncio.get_running_loop()
        relays = Relays("key", lambda _: loop.time() < 1.0, Metrics())
        assert await look_for(relays, room) is room

    assert 1.0 <= run(work()) < 1.6


def test_a_client_is_asked_to_try_again_where_a_home_never_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow(60.0, monkeypatch)

    async def work() -> None:
        with pytest.raises(HeldElsewhere):
            await look_for(Relays("key", lambda _: True, Metrics()))

    assert 6.0 <= run(work()) < 6.6
