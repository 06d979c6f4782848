"""A close that is taken back over two sites: the same table as without it."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from server.game.commands import (
    CloseVotes,
    Discuss,
    OpenRound,
    OpenVote,
    ReopenVote,
    Reveal,
    Revote,
)
from server.game.phases import Ballot
from tests.support.two_sites import NAMES, two_sites


async def play(seed: int, undo: bool) -> object:
    """Play a round with answers of a seed; with ``undo``, take both closes back."""
    chance = Random(seed)
    async with two_sites() as at:
        await at.do(OpenRound(), OpenVote())
        for ballot, onward in ((Ballot.VOTE, Revote()), (Ballot.REVOTE, Reveal())):
            answers = [
                (chance.choice(NAMES), chance.choice(["outer", "inner"]))
                for _ in range(chance.randrange(1, 7))
            ]
            early = chance.randrange(len(answers) + 1)
            for number, answer in enumerate(answers):
                if undo and number == early:
                    await at.do(CloseVotes(), ReopenVote())
                at.vote(ballot, answer)
            if undo and early == len(answers):
                await at.do(CloseVotes(), ReopenVote())
            await at.do(CloseVotes())
            if ballot is Ballot.VOTE:
                await at.do(Discuss())
            await at.do(onward)
        return await at.table()


@pytest.mark.parametrize("seed", range(8))
async def test_an_undo_over_two_sites_and_the_same_presses_give_the_same_table(
    seed: int,
) -> None:
    async with asyncio.timeout(30):
        assert await play(seed, undo=True) == await play(seed, undo=False)
