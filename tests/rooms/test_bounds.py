"""How much one person may ask of a room: the journal keeps every change."""

from __future__ import annotations

import itertools

import pytest

from server.game.commands import CloseVotes, OpenRound, OpenVote, Revote
from server.game.ids import PlayerId
from server.game.settings import RoomSettings
from server.protocol.client_messages import AskTime, ChooseTeam, PlayerWish
from server.rooms.ports import Say
from server.rooms.requests import Bounds
from tests.support.room import ROOM, FailingStore, RecordingLink, Table, table

MOST = 5


NUMBERS = itertools.count(100)


async def stored(seat: Table, kind: str) -> int:
    """Return how many events of a type the journal holds."""
    return sum(event.type == kind for event in await seat.store.load(ROOM))


async def change(seat: Table, link: RecordingLink, n: int, ballot: str = "vote") -> int:
    """Change a vote ``n`` times; return how many of them were recorded."""
    before = len(link.of("recorded"))
    done = before + len(link.of("refused")) + n
    for counter in itertools.islice(NUMBERS, n):
        seat.vote(link, counter=counter, ballot=ballot)
    await link.until(lambda: len(link.of("recorded")) + len(link.of("refused")) == done)
    return len(link.of("recorded")) - before


async def test_changes_of_a_vote_are_bounded_and_the_last_one_counts() -> None:
    hits: list[str] = []
    async with table(bounds=Bounds(MOST, hits.append)) as seat:
        (_, ann), (_, bob) = await seat.join("ann"), await seat.join("bob")
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote())
        assert await change(seat, ann, 50) == 1 + MOST
        assert await stored(seat, "vote_cast") == 1 + MOST
        assert {m["code"] for m in ann.of("refused")} == {"too_many_changes"}
        assert len(hits) == 50 - 1 - MOST
        assert await change(seat, bob, 1) == 1  # nobody else is bounded
        poll = seat.room.state.poll
        assert poll is not None
        assert poll.votes[PlayerId(ann.player or "")].stamps == {
            "c": ann.of("recorded")[-1]["counter"]
        }
        await seat.do(host, CloseVotes(), Revote())
        assert await change(seat, ann, 50, "revote") == 1 + MOST


async def test_a_vote_that_is_sent_again_is_no_change() -> None:
    async with table(bounds=Bounds(1)) as seat:
        _, ann = await seat.join("ann")
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote())
        for _ in range(20):
            seat.vote(ann, counter=1)
        await ann.until(lambda: len(ann.of("recorded")) == 20)
        assert await change(seat, ann, 2) == 1


async def test_changes_start_anew_after_the_storage_failed() -> None:
    async with table(bounds=Bounds(1)) as seat:
        assert isinstance(seat.store, FailingStore)
        _, ann = await seat.join("ann")
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote())
        seat.vote(ann, counter=1)
        await ann.get("recorded", counter=1)
        seat.store.is_away = True
        seat.vote(ann, counter=2)
        await ann.get("refused", counter=2)
        seat.store.is_away = False
        seat.vote(ann, "inner", counter=2)
        await ann.get("recorded", counter=2)


@pytest.mark.parametrize(
    "wish", [ChooseTeam(team="red"), AskTime(percent=150)], ids=["team", "time"]
)
async def test_other_wishes_are_bounded_as_well(wish: PlayerWish) -> None:
    settings = RoomSettings(teams=("red", "blue"))
    async with table(settings, bounds=Bounds(MOST)) as seat:
        _, ann = await seat.join("ann")
        for ref in range(50):
            message = wish.model_copy(update={"ref": ref})
            seat.room.put(Say(link=ann, message=message, stamped_ms=seat.clock.ms))
        await ann.until(lambda: len(ann.of("done")) + len(ann.of("refused")) == 50)
        assert len(ann.of("done")) == MOST
        assert {m["code"] for m in ann.of("refused")} == {"too_many_changes"}
