"""A practice crowd joins, answers what is asked, and leaves when the game is over."""

from __future__ import annotations

import asyncio

import pytest

from client.errors import RoomLocked
from client.practice import Knowledge, PracticeSettings, run_practice
from client.practice_mind import Asked, decide
from scenarios.model import Truth
from server.game.phases import Ballot, Phase
from server.game.views.stage_types import (
    FinishedView,
    FixView,
    OpeningView,
    StageView,
    Verdict,
)
from server.protocol.client_messages import Hello, TapOpening, Vote
from server.protocol.server_messages import RefusedMessage, View
from tests.client.fake_server import CARD, STORY, FakeServer, Peer, lobby, voting
from tests.client.test_votes import receipt, refusal

KNOWN = Knowledge({STORY.title: Truth(outer=True, inner=False)}, {STORY.title: 1})
CHIPS = tuple(chip.confidence for chip in CARD.chips)
END = FinishedView(CARD, (), None, False, (), (), ())
FIX = FixView(CARD, STORY, Verdict(True, False, False), "?", ("a", "b", "c"), None)
GAME: tuple[tuple[StageView, Ballot | None], ...] = (
    (voting(), Ballot.VOTE),
    (voting(phase=Phase.DISCUSS), None),
    (voting(phase=Phase.REVOTE), Ballot.REVOTE),
    (FIX, Ballot.FIX),
    (END, None),
)


async def test_they_answer_every_ballot_as_decided_and_leave(fake: FakeServer) -> None:
    settings = PracticeSettings(n=4, seed=9)
    votes: dict[str, list[Vote]] = {}
    told: list[str] = []

    async def serve() -> None:
        async with asyncio.TaskGroup() as peers:
            for _ in range(settings.n):
                peers.create_task(_play(await fake.peer(), votes))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        await run_practice(fake.url, "K7MQ2P", settings, KNOWN, told.append)

    assert len(votes) == settings.n
    expected = sorted(
        (str(decide(settings, Asked(i, STORY.title, b, CHIPS, False), KNOWN).answer))
        for i in range(settings.n)
        for b in (Ballot.VOTE, Ballot.REVOTE, Ballot.FIX)
    )
    assert sorted(str(v.answer) for mine in votes.values() for v in mine) == expected
    assert told[-1] == "12 answers stored"


async def _play(peer: Peer, votes: dict[str, list[Vote]]) -> None:
    hello = await peer.admit(lobby())
    assert hello.is_practice
    assert hello.name is not None
    mine = votes.setdefault(hello.name, [])
    for version, (view, ballot) in enumerate(GAME, start=2):
        await peer.send(View(version=version, view=view))
        if ballot is not None:
            vote = await peer.take(Vote)
            assert vote.ballot is ballot
            mine.append(vote)
            await peer.send(receipt(vote))


async def test_who_thinks_too_long_does_not_answer_the_next_question(
    fake: FakeServer,
) -> None:
    settings = PracticeSettings(n=1, delay_s=(0.2, 0.2))
    told: list[str] = []

    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        await joined.wait()
        await peer.send(View(version=2, view=voting(phase=Phase.REVOTE)))
        late = await peer.take(Vote)
        assert late.ballot is Ballot.VOTE
        await peer.send(refusal(late, "phase_closed"))
        vote = await peer.take(Vote)
        assert vote.ballot is Ballot.REVOTE
        await peer.send(receipt(vote), View(version=3, view=END))

    def tell(line: str) -> None:
        told.append(line)
        joined.set()

    joined = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        await run_practice(fake.url, "K7MQ2P", settings, KNOWN, tell)
    assert told[-2:] == ["Ada was too late: No.", "1 answer stored"]


async def test_they_tap_on_the_short_cases_of_the_opening_minute(
    fake: FakeServer,
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(OpeningView(CARD, 0, 4, None, None, None, {}))
        for step in (1, 3):
            case = (step - 1) // 2
            asked = OpeningView(CARD, step, 4, case, None, None, {})
            await peer.send(View(version=step + 1, view=asked))
            tap = await peer.take(TapOpening)
            assert tap.case == case
            code = "phase_closed"  # too late: no reason to leave
            await peer.send(RefusedMessage(ref=tap.ref, code=code, detail=""))
        await peer.send(View(version=9, view=END))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        await run_practice(fake.url, "K7MQ2P", PracticeSettings(n=1), KNOWN)


async def test_if_no_player_gets_in_the_reason_is_raised(fake: FakeServer) -> None:
    async def serve() -> None:
        for _ in range(3):
            peer = await fake.peer()
            await peer.take(Hello)
            await peer.send(RefusedMessage(code="room_locked", detail="Locked."))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        with pytest.raises(RoomLocked):
            await run_practice(fake.url, "K7MQ2P", PracticeSettings(n=3))


async def test_one_who_is_not_let_in_does_not_keep_the_others_out(
    fake: FakeServer,
) -> None:
    told: list[str] = []

    async def serve() -> None:
        peer = await fake.peer()
        await peer.take(Hello)
        await peer.send(RefusedMessage(code="room_full", detail="Full."))
        await (await fake.peer()).admit(END)

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        await run_practice(
            fake.url, "K7MQ2P", PracticeSettings(n=2), on_event=told.append
        )
    assert any("could not stay: Full." in line for line in told)
    assert any("1 of 2 have joined" in line for line in told)
