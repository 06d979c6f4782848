"""Random presses on two consoles of a room whose voters are at two sites."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from random import Random

import pytest

from server.game.commands import BUTTONS, CloseVotes, FromPlace, ReopenVote
from server.game.engine import evolve, replay
from server.game.phases import OPEN_BALLOT, Ballot, Place
from tests.support.figures import Figure
from tests.support.game import totals
from tests.support.tiers import scaled
from tests.support.two_sites import NAMES, Class, two_sites

BY_TYPE = {button.type: button for button in BUTTONS}
REOPENED = (Ballot.VOTE, Ballot.REVOTE)
ACTS = 60


@dataclass(frozen=True)
class Act:
    """What happens next: consoles that look or press, or a player who votes."""

    kind: str
    console: int = 0
    button: str = ""
    """What is pressed; empty: the big button."""
    name: str = ""
    label: str = ""


def script(chance: Random) -> list[Act]:
    """Return what happens in a lesson of this seed."""

    def act() -> Act:
        kind = chance.choices(["look", "press", "both", "vote"], [4, 6, 2, 5])[0]
        button = chance.choice(["", "", "", *sorted(BY_TYPE)])
        label = chance.choice(["outer", "inner"])
        return Act(kind, chance.randrange(2), button, chance.choice(NAMES), label)

    return [act() for _ in range(ACTS)]


class Lesson:
    """A script that is played, and what its two consoles have before their eyes."""

    def __init__(self, at: Class, undo: frozenset[int]) -> None:
        """``undo``: before which acts an open vote is closed and opened again."""
        self._at = at
        self._undo = undo
        self._seen = [at.look(0), at.look(1)]
        self.undone = 0
        self.refused = 0

    async def play(self, acts: list[Act]) -> object:
        """Play all acts; return the figures of the journal."""
        for number, act in enumerate(acts):
            if number in self._undo:
                await self._take_back()
            await self._do(act)
        return totals(await self._at.events())

    async def _do(self, act: Act) -> None:
        at = self._at
        match act.kind:
            case "look":
                self._seen[act.console] = at.look(act.console)
            case "vote":
                await self._vote(act)
            case "press":
                await self._press((act.console, act.button))
            case "both":
                other = act.button if len(act.name) % 2 else ""
                await self._press((act.console, act.button), (1 - act.console, other))

    async def _vote(self, act: Act) -> None:
        state = await self._at.state()
        ballot = OPEN_BALLOT.get(state.phase)
        if (
            ballot is not None
            and ballot is not Ballot.FIX
            and state.round_index is not None
        ):
            answer = (act.name, act.label)
            counter = self._at.vote(ballot, answer, state.round_index)
            await self._at.counted(act.name, counter)

    async def _press(self, *presses: tuple[int, str]) -> None:
        """Press on one console, or on both in the same moment."""
        sent = []
        for console, button in presses:
            place, advised = self._seen[console]
            command = BY_TYPE.get(button or advised)
            if isinstance(command, FromPlace):
                ref = self._at.press(console, replace(command, seen=place))
                sent.append((console, ref, command.type, place))
        known = len(await self._at.events())
        done = [
            (kind, place)
            for console, ref, kind, place in sent
            if await self._at.answered(console, ref)
        ]
        self.refused += len(sent) - len(done)
        await self._check(known, done)

    async def _check(self, known: int, done: list[tuple[str, Place]]) -> None:
        """Each press that counted was decided on a place where the room was then.

        Two presses decided on one place count once, unless one of them only gave time.
        """
        journal = await self._at.events()
        state = replay(journal[:known])
        visited = {replace(state.place, plan=None)}
        for event in journal[known:]:
            evolve(state, event)
            visited.add(replace(state.place, plan=None))
        assert {replace(place, plan=None) for _, place in done} <= visited, done
        moved = [place for kind, place in done if kind != "give_time"]
        assert len(moved) == len(set(moved)), done

    async def _take_back(self) -> None:
        """Close the vote that is open and open it again, as two quick presses would."""
        state = await self._at.state()
        if OPEN_BALLOT.get(state.phase) in REOPENED:
            await self._at.do(CloseVotes(), ReopenVote())
            self.undone += 1


async def lesson(seed: int, *, undo: bool) -> tuple[object, Lesson]:
    """Play the lesson of a seed, with its undos or without them."""
    chance = Random(f"gestures {seed}")
    acts = script(chance)
    moments = frozenset(chance.sample(range(ACTS), 20)) if undo else frozenset()
    async with two_sites() as at:
        played = Lesson(at, moments)
        return await played.play(acts), played


@pytest.mark.sampled
async def test_random_presses_over_two_sites_give_one_table_with_and_without_undo(
    figure: Figure,
) -> None:
    undone = refused = 0
    lessons = scaled(6, 60, 600)
    for seed in range(lessons):
        async with asyncio.timeout(60):
            plain, _ = await lesson(seed, undo=False)
            table, played = await lesson(seed, undo=True)
        assert table == plain, seed
        undone, refused = undone + played.undone, refused + played.refused
    assert undone
    assert refused
    figure(f"gestures: {lessons} lessons, {undone} undos, {refused} presses refused")
