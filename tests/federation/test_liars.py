"""A site with home rights that lies harms its own people and rooms, and no others."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.federation import topics
from server.federation.edge import EdgeRelay
from server.federation.edges import Edges
from server.federation.home import HomeGateway
from server.federation.messages import (
    Announce,
    NodeState,
    UpBatch,
    decode,
    encode_view,
    epoch_key,
)
from server.federation.outbox import Outbox
from server.federation.remote import RemoteRoom, Uplink
from server.federation.topics import Budget, Rejections
from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.protocol.client_messages import Ping
from server.rooms.audience import LocalGateway
from server.rooms.ports import Attend, Request
from tests.support.cases import SECRET
from tests.support.fake_bus import FakeBroker, FakeBus
from tests.support.gateways import EDGE, HOME, Crowd, Shelf, StandIn, remote_crowd
from tests.support.room import ManualClock, RecordingLink
from tests.support.until import until

ROOM, OTHER = RoomCode("K7MQ2P"), RoomCode("ABCDEF")
EVE = "oslo"


class Deaf:
    """A listener of a bus that is only spoken into."""

    def bus_up(self) -> None:
        """Do nothing."""

    def bus_down(self) -> None:
        """Do nothing."""

    def bus_message(self, topic: str, payload: bytes) -> None:
        """Do nothing."""


class Scene:
    """Two honest sites, a player at the edge, and a third site's bus."""

    def __init__(self, broker: FakeBroker, crowd: Crowd, eve: FakeBus) -> None:
        self.broker, self.crowd, self.eve = broker, crowd, eve

    def link_ids(self, room: RoomCode) -> set[str]:
        """Return the ids of links as an attacker would have to guess them."""
        sent = [json.loads(p) for t, p in self.broker.log if t.startswith("tg/v1/up/")]
        items = (item for batch in sent for item in batch["items"])
        return {item["link"] for item in items if item["room"] == room} - {""}

    def down(self, site: str, *items: dict[str, Any]) -> None:
        """Send items down to the edge in the name of a site."""
        batch = {"boot": "x", "acks": [], "items": items}
        self.eve.publish(topics.down(EDGE, site), json.dumps(batch).encode())


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    broker = FakeBroker()
    await broker.start()
    eve = broker.bus(EVE)
    task = asyncio.create_task(eve.run(Deaf()))
    async with remote_crowd(broker.bus, ROOM, OTHER) as crowd:
        yield Scene(broker, crowd, eve)
    task.cancel()
    await asyncio.wait([task])


FORGED: dict[str, dict[str, Any]] = {
    "view": {"op": "push", "frame": '{"type":"view"}', "slot": "view"},
    "recorded": {"op": "push", "frame": '{"type":"recorded","counter":77}'},
    "greet": {"op": "greet", "frame": '{"type":"welcome","token":"eve.1"}'},
    "part": {"op": "part", "frame": '{"type":"bye","code":"kicked"}'},
    "refusal": {"op": "turn_away", "frame": "no", "code": "kicked"},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
async def test_a_frame_counts_only_from_the_home_of_its_room(
    scene: Scene, forged: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    ann = await scene.crowd.join(ROOM, "ann")
    before = list(ann.messages)
    (link,) = scene.link_ids(ROOM)
    for _ in range(3):
        scene.down(EVE, {"link": link, "room": ROOM, **forged})
    scene.crowd.say(ann, 5)
    await until(lambda: 5 in scene.crowd.rooms[ROOM].said)
    assert (ann.messages, ann.is_parted, ann.player) == (before, False, "ann")
    assert scene.crowd.rejected() == 3
    assert caplog.text.count("messages from site oslo are ignored") == 1


async def test_the_id_of_a_link_cannot_be_guessed(scene: Scene) -> None:
    for number in range(5):
        await scene.crowd.join(ROOM, f"p{number}")
    ids = scene.link_ids(ROOM)
    assert len(ids) == 5
    assert all(len(one) >= 16 and "boot" not in one for one in ids)
    assert len({one[:8] for one in ids}) == 5, "and none tells another"


@pytest.mark.parametrize("token", [12345, "x" * 5_000, "two words", ["a"], {"a": 1}])
async def test_a_token_that_is_none_stops_no_batch_and_no_rejoin(
    scene: Scene, token: object
) -> None:
    ann, bob = await scene.crowd.join(ROOM, "ann"), await scene.crowd.join(OTHER, "bob")
    link, other = scene.link_ids(ROOM).pop(), scene.link_ids(OTHER).pop()
    odd = json.dumps({"type": "welcome", "token": token})
    news = {"op": "push", "frame": '{"type":"pong","ref":9}'}
    scene.down(
        HOME,
        {"link": link, "room": ROOM, "op": "greet", "frame": odd, "player": "ann"},
        {"link": link, "room": ROOM, "op": "greet", "frame": "[", "player": "ann"},
        {"link": 7, "room": ROOM, "op": "nothing"},
        {"link": other, "room": OTHER, **news},
    )
    await bob.get("pong", ref=9)
    await scene.broker.kill()
    await scene.broker.start()
    for ref, (who, room) in enumerate([(ann, ROOM), (bob, OTHER)]):
        scene.crowd.say(who, ref)
        await until(lambda r=room, n=ref: n in scene.crowd.rooms[r].said)  # type: ignore[misc]
    await until(lambda: scene.crowd.owed() == 0)


class Home:
    """The home's half without a bus, and what its room is asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        bus = FakeBroker().bus(HOME)
        self.edges = Edges(HOME, bus, str)
        gateway = HomeGateway(HOME, bus, LocalGateway(), self.edges.forget)
        shelf = Shelf()
        self.room = shelf.rooms[ROOM] = _Asked(ROOM, gateway, self.asked)
        self.rejections = Rejections()
        self.clock = ManualClock(10**12)
        self.uplink = Uplink(gateway, self.edges, shelf, self.clock, self.rejections)
        self._number = 0

    def send(self, *items: object, site: str = EVE) -> None:
        """Receive a batch as it is decoded."""
        self._number += 1
        about = {"boot": "b", "number": self._number, "oldest": 1, "items": items}
        batch = decode(UpBatch, json.dumps(about).encode())
        assert batch is not None
        self.uplink.receive(site, batch)


class _Asked(StandIn):
    def __init__(self, code: RoomCode, gateway: Any, asked: list[Request]) -> None:
        super().__init__(code, gateway)
        self._asked = asked

    def put(self, request: Request) -> None:
        self._asked.append(request)


def said(seq: int, stamped_ms: int, link: str = "l") -> dict[str, Any]:
    message = {"type": "ping", "ref": seq}
    body = {"op": "say", "token": None, "message": message, "stamped_ms": stamped_ms}
    return {"seq": seq, "room": ROOM, "link": link, "body": body}


async def test_a_request_that_cannot_be_read_stops_no_other_of_its_batch() -> None:
    home, now_ms = Home(), 10**12
    broken = {**said(2, now_ms), "body": {"op": "return", "token": 12345}}
    home.send(said(1, now_ms), broken, "?", None, said(3, now_ms))
    pings = [one.message for one in home.asked]  # type: ignore[union-attr]
    assert pings == [Ping(ref=1), Ping(ref=3)]
    assert home.rejections.count == 3


@pytest.mark.parametrize(
    "off_ms",
    [-(10**400), 10**400, 10**20, 90_000_000, -90_000_000],
    ids=["long ago", "far ahead", "large", "a day ahead", "a day ago"],
)
async def test_an_absurd_stamp_never_reaches_a_room(off_ms: int) -> None:
    home, now_ms = Home(), 10**12
    home.send(said(1, now_ms + off_ms), said(2, now_ms), said(3, now_ms - 80_000_000))
    assert [one.message for one in home.asked] == [Ping(ref=2), Ping(ref=3)]  # type: ignore[union-attr]


def attend(seq: int, audience: str, link: str = "l") -> dict[str, Any]:
    body = {"op": "attend", "audience": audience, "nonce": "n", "proof": "p"}
    return {"seq": seq, "room": ROOM, "link": link, "body": body}


def entered(seq: int, link: str = "l") -> dict[str, Any]:
    hello = {"version": 1, "role": "player", "room": ROOM, "name": "Eve"}
    body = {"op": "enter", "hello": hello}
    return {"seq": seq, "room": ROOM, "link": link, "body": body}


async def test_a_link_is_a_cohosts_only_where_that_was_proven() -> None:
    home = Home()
    home.send(entered(1), attend(2, "cohost"), said(3, 10**12))
    assert [type(one).__name__ for one in home.asked] == ["Enter", "Say"]
    assert {one.link.audience for one in home.asked} == {"player"}
    home.asked.clear()
    home.send(attend(4, "screen", "s"))
    (screen,) = home.asked
    home.send(attend(5, "cohost", "s"))  # while the first is being stored
    assert screen.link.audience == "screen"
    assert len(home.asked) == 1
    screen.link.turn_away(Refused("wrong_proof", "No."))
    home.send(attend(6, "cohost", "s"), said(7, 10**12, "s"))
    assert isinstance(home.asked[1], Attend)
    assert home.asked[1].link is not screen.link
    home.asked[1].link.turn_away(Refused("wrong_proof", "No."))
    home.send(said(8, 10**12, "s"))
    assert home.asked[-1].link.audience == "player"


async def test_counting_players_costs_the_same_however_many_links_there_are() -> None:
    home = Home()
    home.send(*(entered(n, f"l{n}") for n in range(300)))
    edge = home.edges.known(EVE)
    assert edge is not None
    assert not edge.has_players(ROOM)
    for request in home.asked:
        request.link.greet(b"{}", PlayerId("p"))
    assert edge.players[ROOM] == 300
    edge.links = dict.fromkeys(range(10))  # type: ignore[arg-type] # looked at by none
    assert edge.has_players(ROOM)
    assert not edge.has_players(OTHER)


def relay(outbox: Outbox | None = None) -> EdgeRelay:
    bus = FakeBroker().bus(EDGE)
    return EdgeRelay(EDGE, "boot", bus, outbox or Outbox(None), LocalGateway())


async def test_what_a_site_retains_is_kept_only_up_to_a_bound() -> None:
    edge, frame = relay(), b"x" * 60_000
    for number in range(2_000):
        room = RoomCode(f"{number:06}")
        edge.shown(EVE, room, "player", encode_view(1, 1, frame))
        assert not edge.knows(room)
    edge.announced(HOME, ROOM, Announce(epoch=1))
    edge.shown(HOME, ROOM, "player", encode_view(1, 1, b"{}"))
    for number in range(2_000):
        room = RoomCode(f"{number:06}")
        edge.announced(EVE, room, Announce(epoch=1))
        edge.shown(EVE, room, "player", encode_view(1, 2, frame))
    kept = edge._views._bytes[EVE] + edge._early._bytes[EVE]
    assert kept <= 36 << 20
    assert edge._views.get(HOME, ROOM, "player") == (1, 1, b"{}")


async def test_a_flood_is_paid_for_by_the_site_that_sends_it() -> None:
    budget = Budget(per_s=10, burst=100)
    assert sum(budget.allows(EVE) for _ in range(1_000)) <= 101
    assert budget.allows(HOME, 100)


async def test_a_host_is_sent_to_no_address_that_another_site_names() -> None:
    edge = relay()
    edge.announced(EVE, ROOM, Announce(epoch=1))
    link = RecordingLink()
    link.audience = "host"
    with pytest.raises(Refused, match="lives at oslo") as refused:
        RemoteRoom(ROOM, edge).put(Attend(link=link, nonce="n", proof="p"))
    assert "http" not in refused.value.detail


async def test_the_list_of_sites_repeats_no_address_of_another_site() -> None:
    bus = FakeBroker().bus(HOME)
    edges = Edges(HOME, bus, lambda: "http://berlin.example")
    state = NodeState(is_up=True, boot="e", url="http://evil.example")
    edges.node_is(EVE, state)
    own, other = edges.sites(ROOM, 1)
    assert (own.url, other.name, other.url) == ("http://berlin.example", EVE, None)


async def test_a_line_of_the_outbox_that_is_broken_stops_no_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "outbox.sqlite"
    first = Outbox(path)
    await first.restore()
    await first.close()
    good = json.dumps(said(2, 1)["body"])
    odd = good.replace('"token": null', '"token": 12345')
    late = good.replace('"stamped_ms": 1', '"stamped_ms": 1' + "0" * 400)
    with sqlite3.connect(path) as db:
        for seq, body in enumerate([odd, good, late, "{"], start=1):
            db.execute("INSERT INTO outbox VALUES (?,?,?,?)", (seq, HOME, ROOM, body))
    outbox = Outbox(path)
    with caplog.at_level(logging.ERROR):
        await outbox.restore()
    assert [item.seq for item in outbox.waiting(HOME)] == [2]
    assert caplog.text.count("cannot be read") == 3
    await outbox.close()


def at_start(broker: FakeBroker, outbox: Outbox, search_s: float) -> EdgeRelay:
    """Return an edge that has just connected."""
    bus, people = broker.bus(EDGE), LocalGateway()
    edge = EdgeRelay(EDGE, "boot", bus, outbox, people, search_s=search_s)
    bus._is_up = True
    edge.bus_changed()
    return edge


def own(epoch: int) -> Announce:
    return Announce(epoch=epoch, key=epoch_key(SECRET, epoch))


@pytest.mark.parametrize("first", [HOME, EVE])
async def test_an_edge_that_starts_hands_no_room_to_the_first_of_two_claimants(
    first: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What the broker retains comes in any order, so neither may have the room."""
    edge = at_start(FakeBroker(), Outbox(None), search_s=60)
    claims = {HOME: own(1), EVE: own(1)}  # the key is published: a copy proves nothing
    edge.announced(first, ROOM, claims.pop(first))
    assert not edge.knows(ROOM), "another may claim it still"
    ((second, claim),) = claims.items()
    edge.announced(second, ROOM, claim)
    edge._rooms[ROOM].sure_s = 0
    assert not edge.knows(ROOM), "and time does not tell"
    assert caplog.text.count("both claim room") == 1
    edge.announced(EVE, ROOM, None)
    edge._rooms[ROOM].sure_s = 0
    assert edge.knows(ROOM)
    assert edge.home_of(ROOM) == HOME


async def test_an_edge_that_starts_again_believes_the_home_it_knew(
    tmp_path: Path,
) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite")
    await outbox.restore()
    edge = at_start(FakeBroker(), outbox, search_s=0)
    edge.announced(HOME, ROOM, own(1))
    edge.announced(HOME, OTHER, own(1))
    edge.announced(HOME, OTHER, None)
    await outbox.save_kept()
    await outbox.close()
    outbox = Outbox(tmp_path / "outbox.sqlite")
    await outbox.restore()
    edge = at_start(FakeBroker(), outbox, search_s=60)
    for epoch in (1, 2, 9):
        edge.announced(EVE, ROOM, Announce(epoch=epoch, key=own(1).key))
    assert edge.home_of(ROOM) is None
    assert edge.rejections.count == 3
    edge.announced("paris", ROOM, own(3))
    assert edge.knows(ROOM), "it has moved while this site was off, and its key follows"
    edge.announced(EVE, OTHER, own(1))
    assert not edge.knows(OTHER), "a room that was put away is kept no longer"
    await outbox.close()
