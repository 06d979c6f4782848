"""The terminal player against a server that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import StringIO

import pytest

from client.connection import Backoff
from client.errors import Kicked
from client.player import connect
from client.terminal.forms import Lines
from client.terminal.player import Seat
from scenarios.model import Label
from server.game.answers import GapAnswer
from server.game.phases import Phase
from server.game.views.role_types import CardItem
from server.game.views.stage_types import FinishedView, SayView, Verdict
from server.protocol.client_messages import AskTime, ChallengeLabel, SayIt, Vote
from server.protocol.server_messages import (
    Bye,
    Done,
    Recorded,
    RefusedMessage,
    ServerMessage,
    View,
    You,
)
from tests.client.fake_server import CARD, ROOM, STORY, YOU, FakeServer, Peer, voting
from tests.client.terminal.sheet import Sheet, Typed

ENDED = FinishedView(CARD, (), None, False, (), (), ())
CARD_OF_ADA = CardItem(
    "A boat", "Round.", Verdict(True, False, False), (), 96.0, "Points were paid."
)


def receipt(vote: Vote) -> Recorded:
    """Return the receipt of a vote."""
    return Recorded(
        round=vote.round,
        ballot=vote.ballot,
        client=vote.client,
        counter=vote.counter,
        answer=vote.answer,
    )


def closing() -> tuple[ServerMessage, ...]:
    """Return the closing page, and the player's own card after it."""
    you = replace(YOU, card=(CARD_OF_ADA,), points=96.0, rounds=1)
    return View(version=90, view=ENDED), You(you=you)


async def sit(fake: FakeServer, no_wait: Backoff, sheet: Sheet, typed: str) -> int:
    """Play with lines typed beforehand."""
    async with asyncio.timeout(10):
        async with connect(fake.url, ROOM, "Ada", backoff=no_wait) as player:
            return await Seat(player, sheet.console, Lines(StringIO(typed))).sit()


async def test_a_vote_is_sent_part_by_part_and_called_recorded(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet, votes = Sheet(), []

    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        for _ in range(3):
            vote = await peer.take(Vote)
            votes.append(vote)
            await peer.send(receipt(vote))
        await sheet.shows("recorded ✓ ◯ outer at 80%")
        await peer.send(*closing())

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        code = await sit(fake, no_wait, sheet, "o\n80\nPoints, not racing.\n")
    assert code == 0
    assert votes[0].answer == GapAnswer(Label.OUTER)
    assert votes[-1].answer == GapAnswer(Label.OUTER, 80)
    assert votes[-1].reason == "Points, not racing."
    assert "recorded ✓ ◯ outer at 80%" in sheet.text
    assert "Points were paid." in sheet.text
    assert "96.0 points in 1 case." in sheet.text


async def test_a_line_answers_a_question_other_than_a_vote(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet = Sheet()
    verdict = Verdict(outer=True, inner=False, is_contested=False)

    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(SayView(replace(CARD, round=2), STORY, verdict))
        said = await peer.take(SayIt)
        assert (said.round, said.text) == (2, "It was paid for turning.")
        await peer.send(Done(ref=said.ref or 0))
        await sheet.shows("recorded ✓")
        await peer.send(*closing())

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        assert await sit(fake, no_wait, sheet, "\nIt was paid for turning.\n") == 0
    assert "One sentence in your own words:" in sheet.text


async def _sit(fake: FakeServer, no_wait: Backoff, sheet: Sheet, lines: Lines) -> int:
    async with connect(fake.url, ROOM, "Ada", backoff=no_wait) as player:
        return await Seat(player, sheet.console, lines).sit()


async def test_a_player_challenges_a_label_and_takes_it_back(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet, typed = Sheet(), Typed()
    verdict = Verdict(outer=True, inner=False, is_contested=False)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(_sit(fake, no_wait, sheet, typed))
        peer = await fake.peer()
        await peer.admit(SayView(replace(CARD, round=2), STORY, verdict))
        await typed.type("/challenge It was never paid for.")
        said = await peer.take(ChallengeLabel)
        assert (said.round, said.text) == (2, "It was never paid for.")
        await peer.send(Done(ref=said.ref or 0))
        await sheet.shows("recorded ✓ The host reads it.")
        await typed.type("/challenge")
        taken = await peer.take(ChallengeLabel)
        assert (taken.round, taken.text) == (2, "")
        early = "Only a label that the class has seen can be challenged."
        await peer.send(RefusedMessage(code="bad_round", detail=early, ref=taken.ref))
        await sheet.shows(early)
        await typed.type("/quit")
        assert await task == 0


async def test_a_script_waits_for_its_question(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet = Sheet()

    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit()
        await peer.send(View(version=2, view=voting(phase=Phase.READ)))
        await peer.send(View(version=3, view=voting()))
        vote = await peer.take(Vote)
        assert vote.answer == GapAnswer(Label.INNER)
        await peer.send(receipt(vote), *closing())

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        assert await sit(fake, no_wait, sheet, "i\n") == 0


async def test_a_drop_is_shown_calmly_and_the_vote_is_resent(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet = Sheet()

    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        first = await peer.take(Vote)
        await peer.drop()
        peer = await fake.peer()
        await peer.admit(voting())
        again = await peer.take(Vote)
        assert (again.client, again.counter) == (first.client, first.counter)
        await peer.send(receipt(again), *closing())

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        assert await sit(fake, no_wait, sheet, "o\n") == 0
    assert "dropped. Trying again; your answer is kept" in sheet.text
    assert "Back in the room." in sheet.text


async def test_a_refused_vote_says_why(fake: FakeServer, no_wait: Backoff) -> None:
    sheet = Sheet()

    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        vote = await peer.take(Vote)
        refusal = RefusedMessage(
            code="phase_closed",
            detail="It had closed.",
            round=vote.round,
            ballot=vote.ballot,
            client=vote.client,
            counter=vote.counter,
        )
        await peer.send(refusal, *closing())

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        await sit(fake, no_wait, sheet, "o\n")
    assert "It had closed." in sheet.text


async def test_extra_time_is_shown_once_it_is_granted(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet = Sheet()

    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        asked = await peer.take(AskTime)
        assert asked.percent == 0
        assert asked.ref is not None
        await peer.send(Done(ref=asked.ref), You(you=replace(YOU, percent=0)))
        await sheet.shows("For you")
        await peer.send(*closing())

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        await sit(fake, no_wait, sheet, "/time 0\n")
    assert "For you: no time limit" in sheet.text


async def test_quit_leaves_immediately(fake: FakeServer, no_wait: Backoff) -> None:
    async def serve() -> Peer:
        peer = await fake.peer()
        await peer.admit(voting())
        return peer

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        assert await sit(fake, no_wait, Sheet(), "/quit\n") == 0


@pytest.mark.parametrize("code", ["kicked", "taken_over"])
async def test_a_removed_player_sees_why_and_stays_away(
    fake: FakeServer, no_wait: Backoff, code: str
) -> None:
    sheet = Sheet()

    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        bye = {"type": "bye", "code": code, "detail": "Off you go.", "come_back": False}
        await peer.send(Bye.model_validate(bye))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        assert await sit(fake, no_wait, sheet, "") == 1
    assert "Off you go." in sheet.text
    assert fake.opened == 1


async def test_a_refused_player_sees_the_reason(
    fake: FakeServer, no_wait: Backoff
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.send(RefusedMessage(code="kicked", detail="You were removed."))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        with pytest.raises(Kicked, match="You were removed"):
            await sit(fake, no_wait, Sheet(), "")
