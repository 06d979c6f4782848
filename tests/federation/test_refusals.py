"""One room that refuses harms no other room of its home, and no edge."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from scenarios.model import Label
from server.config import Config
from server.federation.edge import EdgeRelay
from server.federation.edges import Edges, RemoteLink
from server.federation.home import MOST_DISOWNED, HomeGateway
from server.federation.messages import (
    Announce,
    UpBatch,
    UpBody,
    UpItem,
    UpLeave,
    UpReturn,
    UpSay,
)
from server.federation.node import LoneNode, open_node
from server.federation.outbox import Outbox
from server.federation.remote import Uplink
from server.federation.sender import STUBBORN, Window
from server.federation.topics import Rejections
from server.game.answers import GapAnswer
from server.game.engine import replay
from server.game.errors import Refused
from server.game.ids import ClientId, RoomCode
from server.game.phases import Ballot
from server.net.crowd import SocketCrowd
from server.protocol.client_messages import Vote
from server.rooms.audience import LocalGateway
from server.rooms.clock import SystemClock
from tests.support.cases import opened
from tests.support.fake_bus import FakeBroker
from tests.support.gateways import Crowd, Shelf, StandIn, remote_crowd
from tests.support.room import ROOM, ManualClock
from tests.support.until import until

BAD, GOOD = RoomCode("K7MQ2P"), RoomCode("ABCDEF")
VOTE = UpSay(
    token="p.t",
    message=Vote(
        round=0,
        ballot=Ballot.VOTE,
        client=ClientId("c"),
        counter=1,
        answer=GapAnswer(Label.OUTER, 80),
    ),
    stamped_ms=1,
)


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    fake = FakeBroker()
    await fake.start()
    async with remote_crowd(fake.bus, BAD, GOOD) as made:
        yield made


async def test_a_damaged_room_costs_its_edge_one_answer_and_no_more(
    crowd: Crowd,
) -> None:
    """More messages than a window holds reach the healthy room afterwards."""
    ann, bob = await crowd.join(BAD, "ann"), await crowd.join(GOOD, "bob")
    shelf = crowd.shelf
    assert shelf is not None
    del crowd.rooms[BAD]
    shelf.refusals[BAD] = Refused("room_closed", "damaged")
    crowd.say(ann, 7)
    await ann.get("refused", code="room_closed", ref=7)
    said = crowd.rooms[GOOD].said
    for ref in range(1, 1_101):
        crowd.say(bob, ref)
        await asyncio.sleep(0)  # so that it does not all fit into one batch
    await until(lambda: len(set(said)) == 1_100)
    await until(lambda: crowd.owed() == 0)
    assert shelf.asked == 1


class Held:
    """An uplink without a bus, and what it acknowledges."""

    def __init__(self, shelf: Shelf) -> None:
        bus = FakeBroker().bus("berlin")
        self.edges = Edges("berlin", bus, str)
        home = HomeGateway("berlin", bus, LocalGateway(), self.edges.forget)
        self.home = home
        self.uplink = Uplink(home, self.edges, shelf, ManualClock(), Rejections())
        self.number = 0

    async def send(self, body: UpBody, room: RoomCode = BAD) -> bool:
        """Send a request; return whether it was acknowledged."""
        self.number += 1
        item = UpItem(seq=self.number, room=room, link="l", body=body)
        batch = UpBatch(boot="b", number=self.number, oldest=1, items=(item,))
        self.uplink.receive("lisbon", batch)
        for _ in range(5):
            await asyncio.sleep(0)
        return self.number in self.acks

    @property
    def acks(self) -> list[int]:
        """The numbers that were acknowledged."""
        edge = self.edges.known("lisbon")
        assert edge is not None
        return edge.acks


@pytest.mark.parametrize(
    ("code", "body", "is_final"),
    [
        ("room_closed", VOTE, True),
        ("room_closed", UpReturn(token="p.t"), True),
        ("unknown_room", VOTE, True),
        ("room_moved", UpReturn(token="p.t"), True),
        ("room_moved", VOTE, False),  # it follows the room to its new home
        ("storage_unavailable", VOTE, False),
    ],
)
async def test_a_refusal_is_acknowledged_unless_it_may_pass(
    code: str, body: UpBody, is_final: bool
) -> None:
    shelf = Shelf()
    shelf.refusals[BAD] = Refused(code, "why")
    held = Held(shelf)
    task = asyncio.create_task(held.uplink.run())
    assert await held.send(body) == is_final
    task.cancel()
    await asyncio.wait([task])


async def test_a_client_that_leaves_while_its_room_is_loaded_is_gone_from_it() -> None:
    class Late(Shelf):
        async def find_here(self, wanted: str) -> StandIn:
            await asyncio.sleep(0.01)
            self.rooms[GOOD] = StandIn(GOOD, held.home)
            return self.rooms[GOOD]

    held = Held(Late())
    task = asyncio.create_task(held.uplink.run())
    await held.send(UpReturn(token="p.t"), GOOD)
    await held.send(UpLeave(), GOOD)
    await until(lambda: held.acks == [1, 2])
    assert not held.home.links(GOOD, "player")
    task.cancel()
    await asyncio.wait([task])


async def test_a_fault_in_loading_a_room_is_that_rooms_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = Held(Shelf())  # which raises KeyError for a room it does not know
    task = asyncio.create_task(held.uplink.run())
    with caplog.at_level(logging.ERROR):
        assert not await held.send(VOTE)
    assert not task.done()
    assert BAD in caplog.text
    task.cancel()
    await asyncio.wait([task])


def test_requests_that_are_never_answered_hold_up_no_others() -> None:
    window = Window(60_000)
    window.put(1, b"stuck")
    window.due(0, 1)
    passed, now_s = 0, 0.0
    for seq in range(2, 3_002):
        window.put(seq, b"vote")
        now_s += 0.02
        for batch in window.due(now_s, 1.0):
            good = [one for one in batch.left if one != 1]
            window.acknowledged(good)
            passed += len(good)
    assert passed == 3_000
    assert window.on_the_way == 1, "and what is stuck is still owed"


def test_a_home_that_is_away_is_sent_everything_in_its_order() -> None:
    window = Window(1)
    for seq in range(1, 101):
        window.put(seq, b"x")
    sent = [[*batch.left] for batch in window.due(0, 1, is_up=False)]
    for turn in range(1, 3 * STUBBORN):
        again = [[*batch.left] for batch in window.due(turn, 1, is_up=False)]
        assert again == sent


async def test_what_is_kept_of_a_room_goes_with_it() -> None:
    shelf = Shelf()
    held = Held(shelf)
    edge = held.edges.begin("lisbon", "b", set())
    link = RemoteLink(edge, BAD, "l")
    edge.links["l"], link.player = link, "p"  # type: ignore[assignment] # any id does
    edge.flushes.heard(1, 1)
    edge.flushes.marked(BAD, 5, 1)
    edge.waiting[BAD], edge.lost, edge.shown = 3, {BAD}, {BAD}
    held.home.show(BAD, "player", b"{}", 1)
    held.home.close(BAD)
    assert edge.flushes.version(BAD) == 0
    assert not any((edge.waiting, edge.lost, edge.shown))
    assert not held.home._retained
    for number in range(MOST_DISOWNED + 10):
        held.home.disown(RoomCode(f"{number:06}"))
    assert len(held.home._disowned) == MOST_DISOWNED


async def test_an_edge_keeps_nothing_of_rooms_that_are_gone() -> None:
    bus = FakeBroker().bus("oslo")
    edge = EdgeRelay("oslo", "boot", bus, Outbox(None), LocalGateway(), most_rooms=3)
    edge.announced("berlin", BAD, Announce(epoch=1))
    edge._owed[BAD] = 2
    edge._cut.add(BAD)
    edge.announced("berlin", BAD, None)
    assert not any((edge._rooms, edge._owed, edge._cut))
    for number in range(10):
        edge.announced("eve", RoomCode(f"{number:06}"), Announce(epoch=1))
        edge.shown("eve", RoomCode(f"X{number:05}"), "player", b"1 1\n{}")
    assert len(edge._rooms) == 3


async def test_a_home_with_a_broker_has_the_crowd_of_a_lone_node() -> None:
    async with contextlib.AsyncExitStack() as stack:
        alone = await open_node(Config(), SystemClock(), stack)
        config = Config(broker="mqtt://berlin:x@127.0.0.1:1", site="berlin")
        home = await open_node(config, SystemClock(), stack)
    assert isinstance(alone, LoneNode)
    assert not isinstance(home, LoneNode)
    for people in (alone.gateway, home.gateway._people, home.edge._people):
        assert people._crowd is SocketCrowd
    home.claim(replay([opened()]), lambda: None)
    assert home.elsewhere(ROOM) is None
