"""People who join through another site and never answer: each site has its bound."""

from __future__ import annotations

import asyncio
import re

from server.federation.messages import UpEnter
from server.federation.remote import mark_of
from server.game.commands import CloseVotes, KickRecent, OpenRound, OpenVote
from server.game.events import PlayerJoined
from server.game.ids import PlayerId, RoomCode
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.rooms.ports import Enter
from server.rooms.requests import Bounds
from tests.support.cases import opened
from tests.support.room import ROOM, RecordingLink, table
from tests.support.two_sites import Class, two_sites

PLACES = 40  # three quarters of them are 30


async def enter(
    at: Class, n: int, about: str, address: str = "", *, is_away: bool = True
) -> list[RecordingLink]:
    """Let ``n`` people say hello at a site; return the links of those let in."""
    links = [
        at.enter(f"{about} {number}", address, is_away=is_away) for number in range(n)
    ]
    for link in links:
        await link.until(lambda link=link: bool(link.messages))  # type: ignore[misc]
    return [link for link in links if link.is_welcome]


async def test_people_of_one_site_who_never_answer_do_not_fill_a_room() -> None:
    hits: list[str] = []
    bounds = Bounds(newcomers=20, hit=hits.append)
    async with asyncio.timeout(30), two_sites(bounds, max_players=PLACES) as at:
        assert len(await enter(at, 60, "ghost")) == 30 - 2  # beside Bob and Dee
        assert set(hits) == {"newcomers_address"}
        assert len(await enter(at, 4, "here", is_away=False)) == 4
        await at.do(OpenRound(), OpenVote())
        for name in ("Bob", "Dee", "ghost 0"):
            await at.counted(name, at.vote(Ballot.VOTE, (name, "outer")))
        assert len(await enter(at, 10, "late")) == 3  # as many as have answered


async def test_a_host_removes_everyone_who_has_just_come_through_a_site() -> None:
    bounds = Bounds(newcomers=20)
    async with asyncio.timeout(30), two_sites(bounds, max_players=PLACES) as at:
        await at.do(OpenRound(), OpenVote())
        await at.counted("Bob", at.vote(Ballot.VOTE, ("Bob", "outer")))
        at.clock.ms += 120_000
        ghosts = await enter(at, 60, "ghost")
        assert len(ghosts) == 29
        assert await at.answered(0, at.press(0, KickRecent()))
        for ghost in ghosts:
            assert (await ghost.get("bye"))["code"] == "kicked"
            assert ghost.is_parted
        state = await at.state()
        assert (len(state.kicked), state.joined) == (29, 4)
        assert state.people == {"berlin": 2, "lisbon": 2}
        assert len(await enter(at, 10, "class")) == 10  # there is room again
        await at.do(CloseVotes())


async def test_one_address_at_a_site_leaves_room_for_the_others_there() -> None:
    bounds = Bounds(newcomers=20)
    async with asyncio.timeout(30), two_sites(bounds, max_players=PLACES) as at:
        assert len(await enter(at, 60, "ghost", "192.0.2.7")) == 20
        assert len(await enter(at, 5, "class", "192.0.2.8")) == 5
        (again,) = await enter(at, 1, "ghost", "192.0.2.7")  # the same hello again
        assert again.is_welcome


def test_a_mark_says_nothing_of_an_address_and_links_no_two_rooms() -> None:
    room, other = RoomCode("K7MQ2P"), RoomCode("ABCDEF")
    marks = {mark_of("192.0.2.7", room), mark_of("192.0.2.7", other)}
    marks.add(mark_of("192.0.2.8", room))
    assert len(marks) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", mark) for mark in marks)
    assert mark_of("192.0.2.7", room) in marks
    assert mark_of("", room) == ""  # this machine itself


def test_a_hello_of_a_site_that_gives_no_mark_is_read() -> None:
    item = {"op": "enter", "hello": {"type": "hello", "version": 1, "role": "player"}}
    assert UpEnter.model_validate(item).by == ""


async def test_people_of_a_site_still_count_after_a_restart() -> None:
    store = MemoryStore()
    joined = [
        PlayerJoined(PlayerId(f"p{n}"), f"P{n}", None, False, 1, site="lisbon")
        for n in range(30)
    ]
    await store.append(ROOM, 0, [opened(RoomSettings(max_players=PLACES)), *joined])
    async with table(store=store, bounds=Bounds(newcomers=20)) as seat:
        links = {}
        for site in ("lisbon", "oslo"):
            links[site] = link = RecordingLink()
            hello = seat.hello(site)
            seat.room.put(Enter(link=link, hello=hello, site=site, relay=site))
        assert (await links["lisbon"].get("refused"))["code"] == "too_many_new"
        await links["oslo"].get("welcome")
