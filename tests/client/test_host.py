"""Commands are matched to their answers; admins get the keys of what they open."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from client import CommandRefused, ConnectionLost, TooMuchWaiting, admin, host
from client.connection import Backoff
from client.pending import IN_FLIGHT
from server.game.commands import CloseVotes, Discuss, Lock, NextStep, Reveal
from server.game.phases import Phase, Place
from server.game.settings import RoomSettings
from server.protocol.client_messages import GetRoster, Hello, OpenRoom, Ping, Prove
from server.protocol.keys import host_key, screen_key
from server.protocol.server_messages import (
    Challenge,
    Done,
    Pong,
    RefusedMessage,
    RoomOpenedMessage,
    Roster,
    Welcome,
)
from tests.client.fake_server import KEY, ROOM, FakeServer


async def test_answers_reach_who_asked_whatever_their_order(fake: FakeServer) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit_host()
        first = await peer.take(Discuss)
        second = await peer.take(Reveal)
        third = await peer.take(GetRoster)
        ping = await peer.take(Ping)
        await peer.send(
            Pong(ref=ping.ref, now_ms=5),
            Roster(ref=third.ref, offset=0, total=0, people=()),
            RefusedMessage(code="wrong_phase", detail="Not now.", ref=second.ref),
            Done(ref=99),
            Done(ref=first.ref),
        )

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with host(fake.url, ROOM, KEY) as teacher:
            results = await asyncio.gather(
                teacher.send(Discuss()),
                teacher.send(Reveal()),
                teacher.roster(search="a"),
                teacher.ping(),
                return_exceptions=True,
            )
    done, refused, roster, echo = results
    assert done is None
    assert isinstance(refused, CommandRefused)
    assert refused.code == "wrong_phase"
    assert isinstance(roster, Roster)
    assert not isinstance(echo, BaseException)
    assert echo.server_ms == 5


async def test_a_command_that_leads_on_carries_the_place_of_the_view(
    fake: FakeServer,
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit_host()
        step = await peer.take(NextStep)
        assert step.seen == Place(None, Phase.LOBBY)
        lock = await peer.take(Lock)
        detail = "The room had already moved on; nothing changed."
        await peer.send(
            RefusedMessage(code="stale", detail=detail, ref=step.ref),
            Done(ref=lock.ref),
        )

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with host(fake.url, ROOM, KEY) as teacher:
            refused, locked = await asyncio.gather(
                teacher.send(NextStep()), teacher.send(Lock()), return_exceptions=True
            )
    assert isinstance(refused, CommandRefused)
    assert refused.code == "stale"
    assert locked is None


async def test_commands_in_flight_at_a_drop_are_lost_and_not_repeated(
    fake: FakeServer, no_wait: Backoff
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit_host()
        await peer.take(CloseVotes)
        await peer.drop()
        peer = await fake.peer()
        await peer.admit_host()
        step = await peer.take(NextStep)
        await peer.send(Done(ref=step.ref))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with host(fake.url, ROOM, KEY, backoff=no_wait) as teacher:
            with pytest.raises(ConnectionLost):
                await teacher.send(CloseVotes())
            await teacher.ready()
            await teacher.send(NextStep(all=True))


async def test_what_is_in_flight_is_bounded(fake: FakeServer) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_admit(fake))
        async with host(fake.url, ROOM, KEY) as teacher:
            asked = [
                group.create_task(_lost(teacher.send(Discuss())))
                for _ in range(IN_FLIGHT)
            ]
            await asyncio.sleep(0)
            with pytest.raises(TooMuchWaiting):
                await teacher.send(Discuss())
    assert len(asked) == IN_FLIGHT


async def _admit(fake: FakeServer) -> None:
    peer = await fake.peer()
    await peer.admit_host()
    async for _ in peer.socket:
        pass  # read, and never answer


async def _lost(command: Coroutine[None, None, None]) -> None:
    with pytest.raises(ConnectionLost):
        await command


async def test_an_admin_opens_a_room_and_derives_its_keys(fake: FakeServer) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        hello = await peer.take(Hello)
        assert hello.room is None
        await peer.send(Challenge(nonce="n"))
        await peer.take(Prove)
        await peer.send(Welcome(role="admin", room=None, server="fake", now_ms=0))
        asked = await peer.take(OpenRoom)
        assert asked.deck == "pairs"
        assert asked.settings is not None
        assert asked.settings.time_factor is None  # "no timers" survives the wire
        await peer.send(RoomOpenedMessage(ref=asked.ref, room=ROOM))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with admin(fake.url, KEY) as desk:
            opened = await desk.open_room(
                deck="pairs", settings=RoomSettings(time_factor=None)
            )
    assert opened.host_key == host_key(KEY, ROOM)
    assert opened.screen_key == screen_key(opened.host_key)


async def test_without_an_admin_key_the_server_tells_the_host_key(
    fake: FakeServer,
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.take(Hello)
        await peer.send(Welcome(role="admin", room=None, server="fake", now_ms=0))
        asked = await peer.take(OpenRoom)
        await peer.send(RoomOpenedMessage(ref=asked.ref, room=ROOM, host_key=KEY))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with admin(fake.url) as desk:
            assert (await desk.open_room("pairs")).host_key == KEY
