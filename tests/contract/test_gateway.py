"""What every Gateway promises: on one node, and across two over every kind of bus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.federation.mqtt import MqttBus
from server.federation.topics import BrokerAddress
from server.game.ids import PlayerId, RoomCode
from tests.support.broker import KINDS, open_broker
from tests.support.fake_bus import FakeBroker
from tests.support.gateways import Crowd, frame, local_crowd, remote_crowd
from tests.support.room import RecordingLink
from tests.support.until import until

ROOM, OTHER = RoomCode("K7MQ2P"), RoomCode("ABCDEF")
ANN = PlayerId("ann")


@pytest.fixture(params=["local", "memory", *KINDS])
async def crowd(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Crowd]:
    if request.param == "local":
        async with local_crowd(ROOM, OTHER) as made:
            yield made
    elif request.param == "memory":
        fake = FakeBroker()
        await fake.start()
        async with remote_crowd(fake.bus, ROOM, OTHER) as made:
            yield made
    else:
        broker = open_broker(request.param, tmp_path)
        await broker.start()
        address = BrokerAddress.parse(broker.url())
        async with remote_crowd(
            lambda *about: MqttBus(address, *about), ROOM, OTHER
        ) as made:
            yield made
        await broker.kill()


def versions(link: RecordingLink) -> list[int]:
    """Return the versions of the views that a link was sent."""
    return [view["version"] for view in link.of("view")]


async def test_a_view_reaches_one_role_and_no_other(crowd: Crowd) -> None:
    ann, bob = await crowd.join(ROOM, "ann"), await crowd.join(ROOM, "bob")
    far = await crowd.join(OTHER, "far")
    screen = await crowd.attend(ROOM, "screen")
    host = await crowd.attend(ROOM, "host")
    for audience, version in (("player", 5), ("screen", 6), ("host", 7)):
        crowd.rooms[ROOM].show(audience, version)
    crowd.rooms[OTHER].show("player", 8)
    for link, version in ((ann, 5), (bob, 5), (screen, 6), (host, 7), (far, 8)):
        await link.get("view", version=version)
        assert {one for one in versions(link) if one > 1} == {version}


async def test_views_are_shown_in_order_and_the_last_is_shown(crowd: Crowd) -> None:
    ann = await crowd.join(ROOM, "ann")
    for version in range(2, 60):
        crowd.rooms[ROOM].show("player", version)
    await ann.get("view", version=59)
    assert versions(ann) == sorted(set(versions(ann)))


async def test_who_comes_later_sees_what_is_shown_now(crowd: Crowd) -> None:
    crowd.rooms[ROOM].show("player", 9)
    crowd.rooms[ROOM].show("screen", 9)
    for link in (await crowd.join(ROOM, "ann"), await crowd.attend(ROOM, "screen")):
        await link.get("view", version=9)


async def test_a_private_frame_reaches_one_player_in_order_and_once(
    crowd: Crowd,
) -> None:
    ann, bob = await crowd.join(ROOM, "ann"), await crowd.join(ROOM, "bob")
    for number in range(200):
        crowd.push(ROOM, ANN, frame("recorded", number=number))
    crowd.push(ROOM, "bob", frame("recorded", number=-1))
    crowd.push(ROOM, "stranger", frame("recorded", number=-2))
    await ann.get("recorded", number=199)
    await bob.get("recorded", number=-1)
    assert [one["number"] for one in ann.of("recorded")] == list(range(200))
    assert len(bob.of("recorded")) == 1


async def test_a_long_private_frame_arrives_whole(crowd: Crowd) -> None:
    ann = await crowd.join(ROOM, "ann")
    text = '"ü\\' * 2_000  # half as long again as JSON in JSON
    for number in range(4):
        crowd.push(ROOM, ANN, frame("you", number=number, text=text))
    await ann.get("you", number=3)
    assert [one["text"] for one in ann.of("you")] == [text] * 4


async def test_a_frame_for_a_role_reaches_that_role(crowd: Crowd) -> None:
    ann, screen = await crowd.join(ROOM, "ann"), await crowd.attend(ROOM, "screen")
    host = await crowd.attend(ROOM, "host")
    for audience in ("player", "screen", "host"):
        crowd.gateway.broadcast(ROOM, audience, frame("notice", to=audience))
    crowd.gateway.broadcast(ROOM, "player", frame("progress", n=3), "progress")
    for link, audience in ((ann, "player"), (screen, "screen"), (host, "host")):
        await link.get("notice", to=audience)
        assert len(link.of("notice")) == 1
    await ann.get("progress", n=3)


async def test_a_player_has_one_link(crowd: Crowd) -> None:
    first = await crowd.join(ROOM, "ann")
    second = await crowd.join(ROOM, "ann")
    await first.get("bye")
    assert first.is_parted
    crowd.push(ROOM, ANN, frame("you", n=1))
    await second.get("you", n=1)
    assert not first.of("you")
    crowd.leave(first)
    crowd.say(second, 1)
    await until(lambda: crowd.rooms[ROOM].said == [1])
    assert crowd.players(ROOM) == [ANN]


async def test_who_leaves_is_not_counted_any_more(crowd: Crowd) -> None:
    ann, _ = await crowd.join(ROOM, "ann"), await crowd.join(ROOM, "bob")
    await crowd.attend(ROOM, "screen")
    assert len(crowd.gateway.links(ROOM, "player")) == 2
    assert len(crowd.gateway.links(ROOM, "screen")) == 1
    assert len(crowd.gateway.links(OTHER, "player")) == 0
    crowd.leave(ann)
    await until(lambda: crowd.players(ROOM) == ["bob"])


async def test_one_is_dismissed_or_all_are(crowd: Crowd) -> None:
    ann, bob = await crowd.join(ROOM, "ann"), await crowd.join(ROOM, "bob")
    screen = await crowd.attend(ROOM, "screen")
    far = await crowd.join(OTHER, "far")
    one = crowd.gateway.player(ROOM, ANN)
    assert one is not None
    one.part(frame("bye", code="kicked"))
    await ann.get("bye", code="kicked")
    assert not bob.is_parted
    crowd.gateway.dismiss(ROOM, frame("bye", code="over"))
    for link in (bob, screen):
        await link.get("bye", code="over")
    assert not far.is_parted


async def test_people_get_the_goodbye_of_a_room_that_is_closed_right_after_it(
    crowd: Crowd,
) -> None:
    """Across nodes, the room is withdrawn after it and not before."""
    ann, screen = await crowd.join(ROOM, "ann"), await crowd.attend(ROOM, "screen")
    crowd.gateway.dismiss(ROOM, frame("bye", code="over"))
    crowd.gateway.close(ROOM)
    for link in (ann, screen):
        await link.get("bye", code="over")
    assert crowd.rejected() == 0


async def test_what_people_say_arrives_and_is_done_with(crowd: Crowd) -> None:
    people = [await crowd.join(ROOM, f"p{n}") for n in range(5)]
    for ref in range(1, 501):
        crowd.say(people[ref % 5], ref)
    await until(lambda: set(crowd.rooms[ROOM].said) == set(range(1, 501)))
    await until(lambda: crowd.owed() == 0)


async def test_all_messages_before_a_view_are_in_once_all_have_caught_up(
    crowd: Crowd,
) -> None:
    room = crowd.rooms[ROOM]
    ann = await crowd.join(ROOM, "ann")
    for version in range(2, 12):
        for ref in range(50 * version, 50 * version + 50):
            crowd.say(ann, ref)
        room.show("player", version)
        await until(lambda version=version: not crowd.sites.behind(ROOM, version))
        assert set(room.said) == set(range(100, 50 * version + 50))


async def test_sites_that_are_asked_send_what_they_have(crowd: Crowd) -> None:
    room = crowd.rooms[ROOM]
    ann = await crowd.join(ROOM, "ann")
    await until(lambda: not crowd.sites.behind(ROOM, 1))
    for ref in range(1, 101):
        crowd.say(ann, ref)
    crowd.sites.ask_flush(ROOM, 40)
    await until(lambda: not crowd.sites.behind(ROOM, 40))
    assert set(room.said) == set(range(1, 101))


async def test_a_room_is_closed_once_and_for_all(crowd: Crowd) -> None:
    ann = await crowd.join(ROOM, "ann")
    crowd.gateway.close(ROOM)
    crowd.gateway.close(ROOM)
    crowd.gateway.broadcast(ROOM, "player", frame("progress", n=9), "progress")
    crowd.rooms[OTHER].show("player", 5)
    far = await crowd.join(OTHER, "far")
    await far.get("view", version=5)
    assert not ann.of("progress")
    assert crowd.players(ROOM) == []
