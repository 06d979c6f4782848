"""Whole games against the real server: the demo, and a host with a player."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import StringIO

import pytest

from client.errors import Kicked
from client.player import connect
from client.practice import PracticeSettings, knowledge_of, run_practice
from client.staff import host
from client.terminal.demo import run_demo
from client.terminal.forms import Lines
from client.terminal.host import run_host
from client.terminal.player import play
from server.app import Config, Running, running
from server.game.phases import VERDICT_STEP
from server.game.settings import RoomSettings
from server.game.views.stage_types import Standing
from server.protocol.client_messages import OpenRoom
from tests.client.terminal.sheet import Sheet, Typed
from tests.support.until import until

REHEARSAL = RoomSettings(simulated=True, podium=True, time_factor=None)


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    """Run a server that keeps nothing."""
    async with running(Config(port=0)) as found:
        yield found


async def demo(server: Running, sheet: Sheet, players: int) -> tuple[Standing, ...]:
    """Run the demo with practice players of one seed."""
    order = OpenRoom(deck="first-class", length=2, seed=7, settings=REHEARSAL)
    code, key = await server.admin.open_room(order)
    crowd = PracticeSettings(n=players, seed=7, delay_s=(0, 0))
    known = knowledge_of(server.library.cases.values())
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(run_practice(server.local_url, code, crowd, known))
        async with host(server.local_url, code, key) as leader:
            return await run_demo(
                leader, players=players, fast=True, console=sheet.console
            )


async def test_the_demo_plays_every_part_and_ends_the_same(server: Running) -> None:
    first, second = Sheet(), Sheet()
    standings = await demo(server, first, players=8)
    assert await demo(server, second, players=8) == standings
    assert len(standings) == 8
    for part in (
        "Discuss",
        "Vote again",
        "After talking",
        "Which repair fits?",
        "Transfer",
        "The game is over",
        standings[0].name,
    ):
        assert part in first.text
    assert max(len(line) for line in first.text.splitlines()) <= 80


async def test_the_demo_waits_for_every_answer(server: Running) -> None:
    sheet = Sheet()
    await demo(server, sheet, players=20)
    assert "20 answered." in sheet.text
    assert "First vote (20 answers)" in sheet.text
    assert sheet.text.count("(20 answers)") == sheet.text.count(" answers)")


async def test_a_host_and_join_get_through_a_round_by_keyboard(
    server: Running,
) -> None:
    order = OpenRoom(deck="first-class", length=1, seed=7)
    code, key = await server.admin.open_room(order)
    url = server.local_url
    desk, seat = Sheet(), Sheet()
    typed = Typed()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        player = group.create_task(
            play(url, code, "Ada", seat.console, Lines(StringIO("o\n90\nPoints.\n")))
        )
        leader = group.create_task(run_host(url, code, key, desk.console, typed, 0))
        await desk.shows("1 joined; 1 connected")
        await typed.type("o")
        await desk.shows("Enter: open voting")
        await typed.type("")
        await seat.shows("recorded ✓ ◯ outer at 90%")
        await desk.shows("1 of 1 answered")
        await typed.type("?")
        await desk.shows("c             close voting")
        await typed.type("pin 1")
        await desk.shows("The class sees it after the vote.")
        assert "Reasons from the class" not in desk.text
        await typed.type("c")
        await desk.shows("Enter: reveal")
        await typed.type("")
        await desk.shows("Enter: next step")
        await typed.type("a")
        await desk.shows("Enter: ask which repair fits")
        await typed.type("p")
        await desk.shows("1 of 1 person")
        await typed.type("v")
        await desk.shows("Not now.")
        await typed.type("finish")
    assert (await player, await leader) == (0, 0)
    assert "Reasons from the class" in desk.text
    assert "Your first vote, ◯ outer at 90%: right, 99 points" in seat.text
    assert "Your card, Ada" in seat.text


async def test_a_host_shows_a_sentence_by_keyboard_and_hides_it(
    server: Running,
) -> None:
    order = OpenRoom(deck="first-class", length=1, seed=7)
    code, key = await server.admin.open_room(order)
    url = server.local_url
    desk, typed = Sheet(), Typed()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        leader = group.create_task(run_host(url, code, key, desk.console, typed, 0))
        async with connect(url, code, "Ada") as ada:
            await desk.shows("1 joined; 1 connected")
            for command, sign in (
                ("o", "Enter: open voting"),
                ("v", "Enter: close voting"),
                ("c", "0 of 1"),
                ("c", "Enter: reveal"),
                ("r", "Enter: next step"),
            ):
                await typed.type(command)
                await desk.shows(sign)
            room = server.directory.live[0].state
            while room.step < VERDICT_STEP:
                step = room.step
                await typed.type("n")
                await until(lambda step=step: room.step > step)
            await typed.type("s")
            await desk.shows("Say it")
            await typed.type("pin 1")
            await desk.shows("0 sentences so far; i shows them.")
            await ada.say("It was paid for.", 0)
            while "1 “It was paid for.” – Ada" not in desk.text:
                await typed.type("i")  # figures arrive after the answer
                await asyncio.sleep(0)
            await typed.type("pin 1")
            await desk.shows("From the class: “It was paid for.”")
            await until(lambda: room.round.quoted is not None)
            await typed.type("pin 1")
            await until(lambda: room.round.quoted is None)
            await typed.type("q")
    assert await leader == 0


async def test_a_host_removes_join_and_lets_them_back_in(server: Running) -> None:
    order = OpenRoom(deck="first-class", length=1, seed=7)
    code, key = await server.admin.open_room(order)
    desk, typed = Sheet(), Typed()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        leader = group.create_task(
            run_host(server.local_url, code, key, desk.console, typed, 0)
        )
        async with connect(server.local_url, code, "Ada"):
            await desk.shows("1 joined; 1 connected")
            await typed.type("kick ada")
            await desk.shows("Done.")
        with pytest.raises(Kicked):
            async with connect(server.local_url, code, "ADA"):
                pass
        await typed.type("back")
        await desk.shows("1 of 1 person")
        await typed.type("back Bob")
        await desk.shows("No player of this name was removed.")
        await typed.type("back ada")
        while desk.text.count("Done.") < 2:
            await desk.shows("Done.")
            await asyncio.sleep(0)
        await typed.type("q")
    assert await leader == 0
    assert not server.directory.live[0].state.kicked


async def test_a_host_steers_plan_clock_and_earlier_reveals_by_keyboard(
    server: Running,
) -> None:
    order = OpenRoom(deck="first-class", length=3, seed=7, name="9b")
    code, key = await server.admin.open_room(order)
    desk, typed = Sheet(), Typed()
    state = server.directory.find_here
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        leader = group.create_task(
            run_host(server.local_url, code, key, desk.console, typed, 0)
        )
        await desk.shows("9b: First class")
        room = (await state(code)).state
        first, second, third = (round_.case for round_ in room.rounds)
        await typed.type("move 3 1")
        await desk.shows("Done.")
        await typed.type("plan")
        await desk.shows("to come")
        assert [round_.case for round_ in room.rounds] == [third, first, second]
        await typed.type("move 1 9")
        await desk.shows("Only cases that are still to come can be moved.")
        await typed.type("open 2")
        await desk.shows(first.title)
        await typed.type("v")
        await desk.shows("Enter: close voting")
        await typed.type("k")
        await until(lambda: room.stopped_ms is not None)
        await typed.type("k")
        await until(lambda: room.stopped_ms is None)
        for command, sign in (("c", "Enter: reveal"), ("r", "Enter: next step")):
            await typed.type(command)
            await desk.shows(sign)
        await typed.type("open 1")
        await desk.shows(third.title)
        await typed.type("look 2")
        await desk.shows(f"Reveal: {first.title} (shown again)")
        await desk.shows("Enter: go back to the lesson")
        await typed.type("look")
        await until(lambda: room.again is None)
        await typed.type("add")
        await desk.shows("a-cent-a-tail")
        await typed.type("add a-cent-a-tail")
        await until(lambda: len(room.rounds) == 4)
        await typed.type("add a-cent-a-tail")
        await desk.shows("is already in the plan")
        await typed.type("name 9c, Friday")
        await until(lambda: room.name == "9c, Friday")
        await typed.type("q")
    assert await leader == 0
