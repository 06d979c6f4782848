"""Rooms and cases over the wire: opened, listed, added, and opened again."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from client import CommandRefused, admin
from client.errors import RoomDeleted
from server.app import Config, running
from server.game.events import RoomOpened
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.journal.store import Journal
from server.protocol.client_messages import OpenRoom
from tests.game.test_last_words import lesson
from tests.support.arrive import arrive
from tests.support.server import hall
from tests.support.until import until
from tests.support.wire import mac, screen_key, wire


async def test_an_admin_opens_lists_and_browses() -> None:
    async with hall() as at, wire(at.port) as desk:
        assert at.server.admin_key is not None
        await desk.prove("admin", None, at.server.admin_key)
        await desk.send("open_room", ref=1, deck="first-class", length=1)
        opened = await desk.until("room_opened")
        assert opened["host_key"] is None
        key = mac(at.server.admin_key, f"host {opened['room']}")[:16].hex()
        async with wire(at.port) as host:
            assert (await host.prove("host", opened["room"], key))["role"] == "host"
        await desk.send("open_room", ref=2, deck="no-such")
        refused = await desk.until("refused")
        assert (refused["code"], refused["ref"]) == ("unknown_deck", 2)
        zone = {"time_zone": "Mars/Olympus"}
        await desk.send("open_room", ref=9, deck="first-class", settings=zone)
        refused = await desk.until("refused")
        assert refused["code"] == "bad_settings"
        assert "Europe/Berlin" in refused["detail"]
        bad = {"score_mode": "certainty", "two_link": True}
        await desk.send("open_room", ref=3, deck="first-class", settings=bad)
        assert "two-link rooms" in (await desk.until("refused"))["detail"]
        await desk.send("list_rooms", ref=4)
        rooms = (await desk.until("room_list"))["rooms"]
        assert {room["room"] for room in rooms} == {at.room, opened["room"]}
        await desk.send("list_decks", ref=5)
        decks = await desk.until("deck_list")
        assert "first-class" in {deck["id"] for deck in decks["decks"]}
        await desk.send("get_case", ref=6, case=decks["cases"][0]["id"])
        assert (await desk.until("case"))["case"]["breakdown"]


async def test_a_room_asks_about_both_links_where_its_deck_needs_it() -> None:
    async with hall() as at:
        for order, is_two_link in (
            (OpenRoom(deck="hard"), True),
            (OpenRoom(deck="hard", settings=RoomSettings()), False),
            (OpenRoom(deck="pairs"), False),
        ):
            code, _ = await at.server.admin.open_room(order)
            room = next(each for each in at.server.directory.live if each.code == code)
            assert room.state.settings.two_link is is_two_link


async def test_a_new_rooms_goal_goes_by_what_finished_rooms_show() -> None:
    order = OpenRoom(deck="quick-five", length=1, seed=7)
    async with running(Config(port=0)) as server:
        await server.admin.open_room(order)
        (room,) = server.directory.live
        case, usual = room.state.rounds[0].case, room.state.set_goal
        assert case.label is not None
    store = MemoryStore()
    opening, *played = lesson({100: (30, 30)}).journal
    assert isinstance(opening, RoomOpened)
    (planned,) = opening.plan.rounds
    known = planned.case.model_copy(update={"id": case.id})
    rounds = (planned.model_copy(update={"case": known}),)
    plan = opening.plan.model_copy(update={"rounds": rounds})
    await store.append(opening.code, 0, [replace(opening, plan=plan), *played])

    async def kept() -> Journal:
        return store

    assert usual == 80
    async with asyncio.timeout(60), running(Config(port=0, store=kept)) as server:
        goal: float | None = None
        while goal != 99:  # until what finished rooms show has been read
            code, _ = await server.admin.open_room(order)
            live = server.directory.live
            goal = next(each for each in live if each.code == code).state.set_goal


async def test_an_open_server_lets_anyone_open_rooms_but_not_list_them() -> None:
    async with hall(is_open=True) as at, wire(at.port) as desk:
        await desk.hello("admin")
        await desk.until("welcome")
        await desk.send("open_room", ref=1, deck="first-class")
        opened = await desk.until("room_opened")
        async with wire(at.port) as host:
            await host.prove("host", opened["room"], opened["host_key"])
        await desk.send("list_rooms", ref=2)
        assert (await desk.until("refused"))["code"] == "not_allowed"


async def test_an_admin_deletes_a_room_under_its_players(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with hall() as at, contextlib.AsyncExitStack() as stack:
        desk, host, ann, wall, other = [
            await stack.enter_async_context(wire(at.port)) for _ in range(5)
        ]
        await host.prove("host", at.room, at.key)
        await wall.prove("screen", at.room, screen_key(at.key))
        await ann.join(at.room, "Ann")
        assert at.server.admin_key is not None
        await desk.prove("admin", None, at.server.admin_key)
        for ref, sender in enumerate((host, ann, wall), start=1):
            await sender.send("delete_room", ref=ref, room=at.room)
            assert (await sender.until("refused"))["code"] == "not_allowed"
        await desk.send("delete_room", ref=1, room=f" {at.room.lower()} ")
        assert (await desk.until("room_deleted", ref=1))["room"] == at.room
        for each in (host, ann, wall):
            bye = await each.until("bye")
            assert (bye["code"], bye["come_back"]) == ("room_deleted", False)
        await desk.send("list_rooms", ref=2)
        assert (await desk.until("room_list"))["rooms"] == []
        for ref, code in ((3, at.room), (4, "NOSUCH"), (5, "")):
            await desk.send("delete_room", ref=ref, room=code)
            assert (await desk.until("refused", ref=ref))["code"] == "unknown_room"
        await desk.send("get_link", ref=6, room=at.room)
        assert (await desk.until("refused", ref=6))["code"] == "unknown_room"
        await other.hello("player", room=at.room, name="Bob")
        assert (await other.until("refused"))["code"] == "unknown_room"
    about = [each for each in caplog.records if "deleted" in each.getMessage()]
    assert [(each.getMessage(), getattr(each, "room", "")) for each in about] == [
        ("deleted by an admin", at.room)
    ]


async def test_an_open_server_lets_no_one_delete_a_room() -> None:
    async with hall(is_open=True) as at, wire(at.port) as desk:
        await desk.hello("admin")
        await desk.until("welcome")
        await desk.send("delete_room", ref=2, room=at.room)
        refused = await desk.until("refused")
        assert refused["code"] == "not_allowed"
        assert "deletes no rooms" in refused["detail"]
        assert [room.code for room in at.server.directory.live] == [at.room]


async def test_a_deleted_next_lesson_is_replaced_by_another() -> None:
    async with hall() as at, wire(at.port) as host, wire(at.port) as desk:
        await host.prove("host", at.room, at.key)
        for ref, kind in enumerate(
            ("open_round", "open_vote", "close_votes", "reveal", "finish"), start=2
        ):
            await host.send(kind, ref=ref)
            await host.until("done")
        await host.send("open_next", ref=8)
        first = (await host.until("room_opened", ref=8))["room"]
        assert at.server.admin_key is not None
        await desk.prove("admin", None, at.server.admin_key)
        await desk.send("delete_room", ref=1, room=first)
        await desk.until("room_deleted")
        assert at.server.admin._next == {}
        await host.send("open_next", ref=9)
        assert (await host.until("room_opened", ref=9))["room"] != first


async def test_a_program_deletes_a_room_and_its_player_learns_why() -> None:
    async with hall() as at, contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{at.port}"
        player = await arrive(stack, url, at.room, "Ann")
        desk = await stack.enter_async_context(admin(url, at.server.admin_key))
        await desk.delete_room(at.room)
        await until(lambda: player.cause is not None)
        assert isinstance(player.cause, RoomDeleted)
        with pytest.raises(CommandRefused) as refused:
            await desk.delete_room(at.room)
        assert refused.value.code == "unknown_room"


async def test_a_host_opens_the_next_lesson_once_the_game_is_over_and_only_once() -> (
    None
):
    async with hall() as at, wire(at.port) as host, wire(at.port) as again:
        await host.prove("host", at.room, at.key)
        await host.send("open_next", ref=1)
        assert (await host.until("refused"))["code"] == "nothing_to_show"
        for ref, kind in enumerate(
            ("open_round", "open_vote", "close_votes", "reveal", "finish"), start=2
        ):
            await host.send(kind, ref=ref)
            await host.until("done")
        await host.send("open_next", ref=8)
        opened = await host.until("room_opened")
        assert opened["ref"] == 8
        assert opened["room"] != at.room
        welcome = await again.prove("host", opened["room"], opened["host_key"])
        assert welcome["role"] == "host"
        await host.send("open_next", ref=9)
        assert (await host.until("room_opened"))["room"] == opened["room"]


async def test_a_host_adds_a_case_of_the_library_by_its_id() -> None:
    async with hall() as at, wire(at.port) as host:
        await host.prove("host", at.room, at.key)
        await host.send("list_cases", ref=1)
        listed = await host.until("case_list")
        assert listed["ref"] == 1
        names = [case["id"] for case in listed["cases"]]
        view = [m for m in host.seen if m["type"] == "host_view"][-1]["view"]
        planned = {item["case"] for item in view["plan"]}
        assert names
        assert not planned & {*names}
        await host.send("add_case", ref=2, case=names[0], seen=view["place"])
        assert (await host.until("done"))["ref"] == 2
        view = [m for m in host.seen if m["type"] == "host_view"][-1]["view"]
        assert view["plan"][-1]["case"] == names[0]
        for ref, case, code in (
            (3, names[0], "bad_round"),
            (4, "no-such-case", "unknown_deck"),
        ):
            await host.send("add_case", ref=ref, case=case)
            refused = await host.until("refused")
            assert (refused["ref"], refused["code"]) == (ref, code)
        await host.send("list_cases", ref=5)
        assert names[0] not in {
            case["id"] for case in (await host.until("case_list"))["cases"]
        }


async def test_the_same_lesson_opens_again_beside_the_next_one() -> None:
    async with hall() as at, wire(at.port) as host:
        await host.prove("host", at.room, at.key)
        await host.send("name_room", ref=1, name="9b")
        await host.until("done")
        for ref, kind in enumerate(
            ("open_round", "open_vote", "close_votes", "reveal", "finish"), start=2
        ):
            await host.send(kind, ref=ref)
            await host.until("done")
        rooms = []
        for ref, same in ((7, True), (8, False), (9, True), (10, False)):
            await host.send("open_next", ref=ref, same=same)
            rooms.append((await host.until("room_opened"))["room"])
        assert rooms[:2] == rooms[2:]
        assert len({at.room, *rooms}) == 3
        again, lesson = (
            at.server.directory.running(RoomCode(room)) for room in rooms[:2]
        )
        first = at.server.directory.running(RoomCode(at.room))
        assert again is not None
        assert lesson is not None
        assert first is not None
        assert again.state.plan.rounds == first.state.plan.rounds
        assert again.state.settings == first.state.settings
        assert (again.state.name, lesson.state.name) == ("", "9b")
