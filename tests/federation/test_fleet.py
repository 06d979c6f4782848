"""Two servers on one PostgreSQL: every node serves every room, by its home."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as open_socket

from client import CommandRefused, Label, Player, admin, connect, host
from client.errors import RoomDeleted
from server.app import Config, Running, running
from server.game.answers import GapAnswer
from server.game.commands import OpenRound, OpenVote
from server.game.ids import RoomCode
from server.game.phases import Phase
from server.net.addresses import socket_url
from server.net.relay import NODE_HEADER
from server.protocol.client_messages import OpenRoom
from server.rooms.directory import Directory
from server.rooms.ports import RoomPort
from tests.support.broker import free_port, open_broker
from tests.support.cli import twogaps
from tests.support.server import UNHURRIED
from tests.support.until import until
from tests.support.wire import Wire


@dataclass(frozen=True, slots=True)
class Two:
    """Two nodes; ``home`` is that of the room."""

    home: Running
    other: Running
    room: str
    key: str


def config(postgresql: str, name: str, **more: object) -> Config:
    made = Config(port=0, journal=postgresql, site=name, lease_s=4.0, limits=UNHURRIED)
    return replace(made, **more)


@contextlib.asynccontextmanager
async def two(postgresql: str, **more: object) -> AsyncIterator[Two]:
    async with (
        running(config(postgresql, "ada", **more)) as home,
        running(config(postgresql, "bob", **more)) as other,
    ):
        room, key = await home.admin.open_room(OpenRoom(deck="first-class", seed=1))
        await until(lambda: "bob" in names(home) and "ada" in names(other))
        yield Two(home, other, room, key)


def names(server: Running) -> set[str]:
    assert server.leases is not None
    return {peer.name for peer in server.leases.node.peers if peer.is_live}


async def vote(player: Player, label: Label) -> None:
    """Vote, and wait until it is recorded."""
    await until(lambda: player.view.phase is Phase.VOTE)
    recorded = await player.vote(label, 80, to=player.view)
    assert isinstance(recorded.answer, GapAnswer)
    assert recorded.answer.label is label


def figure(server: Running, name: str) -> float:
    for line in server.metrics.text().decode().splitlines():
        if line.startswith(f"twogaps_{name} "):
            return float(line.split()[1])
    raise KeyError(name)


async def test_a_class_plays_through_a_node_that_is_not_its_home(
    postgresql: str,
) -> None:
    async with two(postgresql) as at, contextlib.AsyncExitStack() as stack:
        url = at.other.local_url
        teacher = await stack.enter_async_context(host(url, at.room, at.key))
        ann = await stack.enter_async_context(connect(url, at.room, "Ann"))
        bob = await stack.enter_async_context(
            connect(at.home.local_url, at.room, "Bob")
        )
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        for player in (ann, bob):
            await vote(player, Label.OUTER)
        assert figure(at.other, "sockets_relayed") == 2
        assert [room.code for room in at.home.directory.live] == [at.room]
        assert not at.other.directory.live
    assert not figure(at.other, "sockets_relayed")


async def test_a_relayed_hello_that_had_to_wait_comes_before_a_later_one(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A phone was slow to reach one node, and is in the room by another one."""
    found, may_go = Directory.find, asyncio.Event()
    async with (
        two(postgresql) as at,
        open_socket(socket_url(at.other.local_url)) as slow,
        open_socket(socket_url(at.home.local_url)) as quick,
    ):
        first, second = Wire(slow), Wire(quick)

        async def find(directory: Directory, code: RoomCode) -> RoomPort:
            if directory is at.other.directory:
                await may_go.wait()
            return await found(directory, code)

        who = {"room": at.room, "name": "Ann", "join_key": "ab" * 16}
        monkeypatch.setattr(Directory, "find", find)
        await first.hello("player", **who)
        await asyncio.sleep(0.05)  # or they arrive together
        await second.hello("player", **who)
        await second.until("welcome")
        await asyncio.sleep(0.2)  # far longer than the way from node to node
        may_go.set()
        await second.takes_over_from(first)


async def test_a_relayed_client_may_ask_for_another_room(postgresql: str) -> None:
    async with two(postgresql) as at:
        here, _ = await at.other.admin.open_room(OpenRoom(deck="first-class", seed=2))
        async with open_socket(socket_url(at.other.local_url)) as ws:
            wire = Wire(ws)
            await wire.send("hello", version=1, role="player", room=at.room)
            assert (await wire.until("refused"))["code"] == "bad_name"
            await wire.send("hello", version=1, role="player", room=here, name="Ann")
            assert (await wire.until("welcome"))["room"] == here


async def test_a_home_that_hands_over_loses_its_people_for_one_reconnect(
    postgresql: str,
) -> None:
    async with two(postgresql) as at, contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(
            host(at.home.local_url, at.room, at.key)
        )
        ann = await stack.enter_async_context(
            connect(at.other.local_url, at.room, "Ann")
        )
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await vote(ann, Label.OUTER)
        await at.home.directory.hand_over()
        await until(lambda: bool(at.other.directory.live))
        await vote(ann, Label.INNER)
        await until(lambda: figure(at.home, "sockets_relayed") == 1)  # the teacher
        assert figure(at.home, "rooms_lost_total") == 0
        assert ann.view.phase is Phase.VOTE


async def test_a_room_that_is_handed_over_proves_it_to_sites_outside(
    postgresql: str, tmp_path: Path
) -> None:
    """Two nodes announced it in one epoch, and no site believed either."""
    broker = open_broker("mosquitto", tmp_path)
    await broker.start()
    try:
        async with two(postgresql, broker=broker.url()) as at:
            assert at.home.directory.live[0].state.home is None
            await at.home.directory.hand_over()
            await until(lambda: bool(at.other.directory.live))
            state = at.other.directory.live[0].state
            assert (state.home, state.epoch) == ("bob", 2)
            await at.other.directory.hand_over()
            await until(lambda: bool(at.home.directory.live))
            state = at.home.directory.live[0].state
            assert (state.home, state.epoch) == ("ada", 3)
    finally:
        await broker.kill()


def _is_letting_go(at: Two) -> bool:
    """Whether the home still tells the database that it holds a room no longer."""
    return f"let-go-{at.room}" in _tasks()


def _tasks() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks()]


async def test_a_room_without_people_is_let_go_and_opens_at_any_node(
    postgresql: str,
) -> None:
    async with two(postgresql, idle_s=0.1) as at:
        async with connect(at.home.local_url, at.room, "Ann"):
            pass
        await until(lambda: not at.home.directory.live, 60)
        await until(lambda: not _is_letting_go(at), 60)
        async with connect(at.other.local_url, at.room, "Bob"):
            assert [room.code for room in at.other.directory.live] == [at.room]


async def test_an_admin_gets_links_and_lists_at_every_node(
    postgresql: str, tmp_path: Path
) -> None:
    (tmp_path / "bob").mkdir()
    async with two(postgresql) as at:
        assert at.other.admin_key is not None
        async with admin(at.other.local_url, at.other.admin_key) as desk:
            assert [room.room for room in await desk.list_rooms()] == [at.room]
        state = await at.other.directory.look_at(RoomCode(at.room))
        assert state.code == at.room
        assert not at.other.directory.live


async def test_a_room_is_deleted_at_its_home_or_wherever_it_is_not_running(
    postgresql: str,
) -> None:
    async with two(postgresql) as at, contextlib.AsyncExitStack() as stack:
        ann, bob = [
            await stack.enter_async_context(connect(node.local_url, at.room, name))
            for node, name in ((at.home, "Ann"), (at.other, "Bob"))
        ]
        there, here = [
            await stack.enter_async_context(admin(node.local_url, node.admin_key))
            for node in (at.other, at.home)
        ]
        with pytest.raises(CommandRefused) as refused:
            await there.delete_room(at.room)
        assert refused.value.code == "room_moved"
        assert "running at ada" in refused.value.detail
        await here.delete_room(at.room)
        await until(lambda: ann.cause is not None and bob.cause is not None)
        assert isinstance(ann.cause, RoomDeleted)
        assert isinstance(bob.cause, RoomDeleted)
        assert await there.list_rooms() == ()
        while refused.value.code == "room_moved":  # remembered for a moment
            with pytest.raises(CommandRefused) as refused:
                await there.delete_room(at.room)
        assert refused.value.code == "unknown_room"
        next_room, _ = await at.home.admin.open_room(OpenRoom(deck="first-class"))
        at.home.directory._live.put_away(next_room)
        await until(lambda: f"let-go-{next_room}" not in _tasks())
        await there.delete_room(next_room)
        assert await here.list_rooms() == ()


async def test_a_client_with_several_addresses_goes_to_the_next_one(
    postgresql: str,
) -> None:
    """The first is of no one; the second stops while a vote is open."""
    async with contextlib.AsyncExitStack() as stack:
        home = await stack.enter_async_context(running(config(postgresql, "ada")))
        other = contextlib.AsyncExitStack()
        async with other:
            first = await other.enter_async_context(running(config(postgresql, "bob")))
            places = [f"127.0.0.1:{port}" for port in (free_port(), first.port)]
            places.append(f"127.0.0.1:{home.port}")
            url = f"http://{','.join(places)}"
            room, key = await home.admin.open_room(OpenRoom(deck="first-class", seed=1))
            teacher = await stack.enter_async_context(host(url, room, key))
            ann = await stack.enter_async_context(connect(url, room, "Ann"))
            await teacher.send(OpenRound())
            await teacher.send(OpenVote())
            await vote(ann, Label.OUTER)
            assert figure(first, "sockets_relayed") == 2
        await vote(ann, Label.INNER)
        assert figure(home, "sockets_relayed") == 0


async def test_one_admin_key_opens_rooms_at_every_node_and_outlives_their_disks(
    postgresql: str, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "admin.key").write_text("ab" * 16 + "\n")
    async with running(config(postgresql, "ada", data=tmp_path / "old")) as ada:
        assert ada.admin_key == "ab" * 16, "an earlier fleet keeps its key"
        async with running(config(postgresql, "bob", data=tmp_path / "new")) as bob:
            assert bob.admin_key == ada.admin_key
    kept = (tmp_path / "new" / "admin.key").read_text()
    assert kept == ada.admin_key + "\n", "for the tools on that machine"
    async with running(config(postgresql, "cy")) as cy:
        assert cy.admin_key == ada.admin_key
        async with admin(cy.local_url, cy.admin_key) as desk:
            assert (await desk.open_room("first-class")).room


async def test_a_node_is_not_ready_while_it_drains(postgresql: str) -> None:
    async with two(postgresql) as at:
        assert at.home.leases is not None
        async with at.home.leases.node.store.connection() as db:
            await db.execute("UPDATE nodes SET is_draining = true WHERE name = 'ada'")
        await until(lambda: bool(at.other.directory.live), 60)
        assert at.home.leases.why_closed() == "draining"
        async with connect(at.home.local_url, at.room, "Ann") as ann:
            assert ann.view
        assert not at.home.directory.live


async def test_only_nodes_may_speak_for_other_addresses(postgresql: str) -> None:
    """A wrong secret is an ordinary client's header."""
    async with two(postgresql) as at:
        url = socket_url(at.other.local_url)
        headers = {NODE_HEADER: "0" * 32, "X-Forwarded-For": "203.0.113.9"}
        async with open_socket(url, additional_headers=headers) as ws:
            wire = Wire(ws)
            await wire.send("hello", version=1, role="player", room=at.room, name="Ann")
            assert (await wire.until("welcome"))["room"] == at.room, "it was relayed"
        assert at.other.leases is not None
        headers[NODE_HEADER] = at.other.leases.node.key
        async with open_socket(url, additional_headers=headers) as ws:
            wire = Wire(ws)
            await wire.send("hello", version=1, role="player", room=at.room, name="Bob")
            assert (await wire.until("refused"))["code"] == "busy", "no second hop"


async def test_a_second_server_on_one_machine_has_a_name_of_its_own(
    postgresql: str,
) -> None:
    one, other = (config(postgresql, "x", site=None) for _ in range(2))
    async with running(one) as ada, running(other) as bob:
        assert ada.leases is not None
        assert bob.leases is not None
        assert ada.leases.node.name != bob.leases.node.name


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"lease_s": 0.1}, "--lease"), ({"site": "Ada!"}, "--site")],
)
def test_settings_that_cannot_work_are_named(
    setting: dict[str, object], words: str
) -> None:
    with pytest.raises(Exception, match=words):
        config("postgresql://x/y", "ada", **setting).check()


async def test_a_node_is_drained_by_command(postgresql: str) -> None:
    async with two(postgresql):
        place = ("--journal", postgresql)
        listed = await asyncio.to_thread(twogaps, "fleet", "list", *place)
        assert "ada: up, 1 room" in listed.output
        done = await asyncio.to_thread(twogaps, "fleet", "drain", "ada", *place)
        assert done.exit_code == 0, done.output
        assert "ada has no rooms left" in done.output
        listed = await asyncio.to_thread(twogaps, "fleet", "list", *place)
        assert "ada: draining, 0 rooms" in listed.output
        assert "bob: up, 1 room" in listed.output
        wrong = await asyncio.to_thread(twogaps, "fleet", "drain", "eve", *place)
        assert wrong.exit_code == 1
        assert "No live node is named 'eve'" in wrong.output


def test_a_fleet_needs_the_address_of_its_database() -> None:
    found = twogaps("fleet", "list")
    assert found.exit_code == 1
    assert "postgresql://" in found.output
