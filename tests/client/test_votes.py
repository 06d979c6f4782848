"""A vote is sent until the server has it, and counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from random import Random

import pytest

from client import (
    CommandRefused,
    Label,
    Player,
    VoteRefused,
    VoteSuperseded,
    connect,
    host,
)
from client.connection import Backoff
from client.errors import Kicked, LeftByUs
from client.pending import PendingVotes
from server.game.answers import FixAnswer
from server.game.commands import CloseVotes, OpenRound, OpenVote, Revote
from server.game.phases import Ballot, Phase
from server.game.views.stage_types import StageView
from server.protocol.client_messages import (
    AskTime,
    ChallengeLabel,
    ChooseTeam,
    SayIt,
    Vote,
)
from server.protocol.server_messages import Bye, Done, Recorded, RefusedMessage, View
from tests.client.fake_server import FakeServer, Peer, voting
from tests.support.server import hall


def receipt(vote: Vote) -> Recorded:
    """Return the acknowledgement of a vote."""
    return Recorded(
        round=vote.round,
        ballot=vote.ballot,
        client=vote.client,
        counter=vote.counter,
        answer=vote.answer,
    )


def refusal(vote: Vote, code: str) -> RefusedMessage:
    """Return a refusal of a vote."""
    return RefusedMessage(
        code=code,
        detail="No.",
        round=vote.round,
        ballot=vote.ballot,
        client=vote.client,
        counter=vote.counter,
    )


class Made(Backoff):
    """Keeps the back-offs that were made of it."""

    def __init__(self) -> None:
        super().__init__(Random(1), first_s=1.0)
        self.made: list[Backoff] = []

    def fresh(self) -> Backoff:
        """Return a new one, and keep it."""
        self.made.append(super().fresh())
        return self.made[-1]


async def test_a_vote_that_one_node_refused_is_not_held_back_at_the_next() -> None:
    sent: list[Vote] = []
    backoff = Made()
    pending = PendingVotes(sent.append, backoff)
    answer = FixAnswer(0)
    vote = Vote(round=0, ballot=Ballot.VOTE, client="c", counter=1, answer=answer)
    pending.add(vote)
    for _ in range(3):
        pending.refused(refusal(vote, "busy"))
    assert backoff.made[0].ceiling_s == 5.0
    pending.pause()
    pending.resend()
    assert sent == [vote, vote]
    assert backoff.made[0].ceiling_s == 1.0
    pending.fail(LeftByUs())


async def test_a_vote_is_sent_again_after_a_drop_until_recorded(
    fake: FakeServer, no_wait: Backoff
) -> None:
    votes: list[Vote] = []

    async def serve() -> None:
        for _ in range(3):
            peer = await fake.peer()
            await peer.admit(voting())
            votes.append(await peer.take(Vote))
            await peer.drop()
        peer = await fake.peer()
        await peer.admit(voting())
        votes.append(await peer.take(Vote))
        await peer.send(receipt(votes[-1]))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada", backoff=no_wait) as player:
            stored = await player.vote(
                Label.OUTER, confidence=80, reason="The score", to=player.view
            )
            assert player.unrecorded == ()
    assert votes == [votes[0]] * 4
    assert stored.counter == votes[0].counter
    assert votes[0].round == 0
    assert votes[0].ballot is Ballot.VOTE


async def test_a_vote_survives_a_cancelled_wait(
    fake: FakeServer, no_wait: Backoff
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        await peer.take(Vote)
        gave_up.set()
        await stopped.wait()
        await peer.drop()
        peer = await fake.peer()
        await peer.admit(voting())
        vote = await peer.take(Vote)
        await peer.send(receipt(vote))

    gave_up, stopped = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        served = group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada", backoff=no_wait) as player:
            waiting = group.create_task(player.vote(Label.OUTER, to=player.view))
            await gave_up.wait()
            waiting.cancel()
            stopped.set()
            await player.news.until(lambda message: isinstance(message, Recorded))
            assert player.unrecorded == ()
        await served


@pytest.mark.parametrize("code", ["storage_unavailable", "busy", "too_fast"])
async def test_passing_refusals_are_answered_by_sending_again(
    fake: FakeServer, no_wait: Backoff, code: str
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        for _ in range(3):
            await peer.send(refusal(await peer.take(Vote), code))
        await peer.send(receipt(await peer.take(Vote)))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada", backoff=no_wait) as player:
            assert (await player.vote(Label.INNER, to=player.view)).counter == 1
    assert fake.opened == 1


async def test_other_refusals_are_final(fake: FakeServer) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        await peer.send(refusal(await peer.take(Vote), "phase_closed"))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada") as player:
            with pytest.raises(VoteRefused) as caught:
                await player.vote(Label.INNER, to=player.view)
            assert caught.value.code == "phase_closed"
            assert player.unrecorded == ()


async def test_a_newer_answer_supersedes_an_older_one(
    fake: FakeServer, no_wait: Backoff
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        old = await peer.take(Vote)
        first_sent.set()
        new = await peer.take(Vote)
        assert new.counter > old.counter
        await peer.drop()
        peer = await fake.peer()
        await peer.admit(voting())
        again = await peer.take(Vote)
        assert again == new  # only the newest is sent again
        await peer.send(receipt(old), receipt(new))

    first_sent = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada", backoff=no_wait) as player:
            older = group.create_task(
                _superseded(player.vote(Label.OUTER, to=player.view))
            )
            await first_sent.wait()
            stored = await player.vote(Label.INNER, 60, to=player.view)
            assert stored.counter == 2
            assert await older


async def _superseded(vote: Coroutine[None, None, Recorded]) -> bool:
    with pytest.raises(VoteSuperseded):
        await vote
    return True


async def test_answers_to_two_ballots_do_not_supersede_each_other(
    fake: FakeServer,
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        first = await peer.take(Vote)
        await peer.send(View(version=2, view=voting(phase=Phase.REVOTE)))
        second = await peer.take(Vote)
        assert (first.ballot, second.ballot) == (Ballot.VOTE, Ballot.REVOTE)
        await peer.send(receipt(second), receipt(first))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada") as player:
            first = group.create_task(player.vote(Label.OUTER, to=player.view))
            async for view in player.views():
                if view.phase is Phase.REVOTE:
                    break
            second = await player.answer(FixAnswer(1), to=player.view)
            assert (await first).ballot is Ballot.VOTE
            assert second.ballot is Ballot.REVOTE


async def test_an_answer_to_the_first_vote_never_counts_in_the_second() -> None:
    async with hall() as at:
        url = at.server.local_url
        async with connect(url, at.room, "Bob") as bob, host(url, at.room, at.key) as h:
            await h.send(OpenRound())
            await h.send(OpenVote())
            seen = await _sees(bob, Phase.VOTE)
            await h.send(CloseVotes())
            await h.send(Revote())
            await _sees(bob, Phase.REVOTE)
            recorded = await bob.vote(Label.INNER, 70, to=seen)
            assert recorded.ballot is Ballot.VOTE
            (room,) = at.server.directory.live
            assert not room.state.rounds[0].polls[Ballot.REVOTE].votes


async def _sees(player: Player, phase: Phase) -> StageView:
    async for view in player.views():
        if view.phase is phase:
            return view
    raise AssertionError("the game is over")


async def test_requests_of_a_player_return_or_raise_their_own_answer(
    fake: FakeServer,
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit(voting())
        moved = await peer.take(ChooseTeam)
        asked = await peer.take(AskTime)
        assert asked.ref is not None
        no = RefusedMessage(code="bad_team", detail="No such team.", ref=moved.ref)
        await peer.send(no, Done(ref=asked.ref))
        said = await peer.take(SayIt)
        assert (said.round, said.text) == (0, "It was paid for.")
        assert said.ref is not None
        await peer.send(Done(ref=said.ref))
        against = await peer.take(ChallengeLabel)
        assert (against.round, against.text) == (2, "It was not.")
        early = "once the class has seen it"
        await peer.send(RefusedMessage(code="bad_round", detail=early, ref=against.ref))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada") as player:
            time = group.create_task(player.ask_time(150))
            with pytest.raises(CommandRefused, match="No such team") as caught:
                await player.choose_team("Ravens")
            assert caught.value.code == "bad_team"
            await time
            await player.say("It was paid for.", 0)
            with pytest.raises(CommandRefused, match="the class has seen"):
                await player.challenge("It was not.", 2)


async def test_nothing_is_sent_when_nothing_is_asked(fake: FakeServer) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_admit(fake))
        async with connect(fake.url, "K7MQ2P", "Ada") as player:
            with pytest.raises(VoteRefused, match="asks for no vote"):
                await player.vote(Label.OUTER, to=player.view)


async def _admit(fake: FakeServer) -> None:
    await (await fake.peer()).admit()


async def test_who_is_kicked_hears_why_the_vote_never_counts(
    fake: FakeServer,
) -> None:
    async def serve() -> Peer:
        peer = await fake.peer()
        await peer.admit(voting())
        await peer.take(Vote)
        await peer.send(Bye(code="kicked", detail="Out.", come_back=False))
        return peer

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada") as player:
            with pytest.raises(Kicked):
                await player.vote(Label.OUTER, to=player.view)
            with pytest.raises(Kicked):
                await player.vote(Label.OUTER, to=player.view)
