"""The rules as a table: complete, and neither wider nor narrower than what happens."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import fields
from typing import get_args

import pytest

from scenarios.model import Label
from server.game.advice import advised_command
from server.game.answers import FixAnswer, GapAnswer
from server.game.commands import BUTTONS, CastVote, Command, TapOpening, Tick
from server.game.engine import TABLE, can, decide, replay
from server.game.errors import Refused
from server.game.events import Event, RoomNamed, erased
from server.game.ids import ClientId, PlayerId
from server.game.phases import Ballot, Phase
from server.game.settings import RoomSettings
from server.game.state import RoomState
from tests.support.game import Game

COMMANDS = {kind.__dataclass_fields__["type"].default for kind in get_args(Command)}
ANN = PlayerId("p-ann")

pytestmark = pytest.mark.xdist_group("phases")  # the course is made once


def test_every_phase_has_its_row_and_every_command_is_known() -> None:
    assert set(TABLE) == set(Phase)
    assert {name for row in TABLE.values() for name in row} == COMMANDS


def test_every_phase_but_the_last_leads_somewhere_and_can_be_reached() -> None:
    leads = {
        phase: {target for row in rows.values() for target in row.leads[phase]}
        for phase, rows in TABLE.items()
    }
    assert {target for targets in leads.values() for target in targets} == set(Phase)
    assert {phase for phase, targets in leads.items() if not targets} == {
        Phase.FINISHED
    }


def key(state: RoomState) -> tuple[object, ...]:
    """Return what a course can go on from: equal keys lead on alike."""
    (only,) = state.rounds
    now = only if state.round_index is None else state.round
    polls = tuple(sorted((b, poll.is_open) for b, poll in now.polls.items()))
    step = state.step if state.phase in (Phase.REVEAL, Phase.SAY) else state.place.step
    is_practice = now is not only
    at = (state.phase, state.round_index is None, state.example_index, step)
    told = (only.is_revealed, only.is_skipped, now.is_revealed, now.is_hinted)
    return *at, is_practice, *told, polls


def pressed(state: RoomState, journal: list[Event], command: Command) -> list[Event]:
    """Return a room's journal after a command; the same one if it is refused."""
    try:
        events = decide(state, command, 40_000, {ANN})
    except Refused:
        return journal
    return [*journal, *events]


@pytest.fixture(scope="module")
def course() -> dict[tuple[object, ...], list[Event]]:
    """Every state that a host can lead a game of one round to, with its journal."""
    game = Game(RoomSettings(auto_close=True), rounds=1, opening=True)
    game.join("ann")
    found = {key(game.state): list(game.journal)}
    waiting = deque([list(game.journal)])
    while waiting:
        journal = waiting.popleft()
        for _, _, after in steps(journal):
            known = key(replay(after))
            if known not in found:
                found[known] = after
                waiting.append(after)
    return found


def steps(
    journal: list[Event],
) -> Iterator[tuple[Command, list[Event], list[Event]]]:
    """Return what can happen next, each with the journal before and after it.

    That is each button that the room accepts, and a tick once everyone has answered.
    """
    state = replay(journal)
    for button in BUTTONS:
        after = pressed(state, journal, button)
        if after is not journal:
            yield button, journal, after
    answered = [*journal, *vote_in(state)]
    yield Tick(), answered, pressed(replay(answered), answered, Tick())


def vote_in(state: RoomState) -> list[Event]:
    """Return answers of all players to what is asked, so that a tick advances."""
    if state.phase is Phase.OPENING and state.opening.open_taps is not None:
        tap = TapOpening(ANN, state.opening.case or 0, Label.OUTER)
        return decide(state, tap, 15_000, {ANN})
    ballot = state.ballot
    if ballot is None or state.round_index is None:
        return []
    answer = FixAnswer(0) if ballot is Ballot.FIX else GapAnswer(Label.OUTER, 50)
    cast = CastVote(
        ANN, ClientId("c"), 1, state.round_index, ballot, answer, "", 15_000
    )
    return decide(state, cast, 15_000, {ANN})


def test_the_table_has_exactly_the_arrows_that_games_take(
    course: dict[tuple[object, ...], list[Event]],
) -> None:
    taken: set[tuple[Phase, str, Phase]] = set()
    for journal in course.values():
        before = replay(journal)
        for command, start, end in steps(journal):
            after = replay(end)
            if after.phase is not before.phase or len(end) > len(start):
                taken.add((before.phase, command.type, after.phase))
    stays_or_moves = {
        (phase, name, target)
        for phase, rows in TABLE.items()
        for name, row in rows.items()
        for target in row.leads[phase] or (phase,)
    }
    assert taken <= stays_or_moves
    arrows = {
        (phase, name, target)
        for phase, rows in TABLE.items()
        for name, row in rows.items()
        for target in row.leads[phase]
    }
    # The game has one round: no way leads from a round on into another one.
    beyond = {
        (phase, name, target)
        for phase, name, target in arrows
        if name in ("skip_round", "open_round")
    }
    assert arrows - beyond <= taken


def test_a_button_is_lit_exactly_where_its_command_is_accepted(
    course: dict[tuple[object, ...], list[Event]],
) -> None:
    for journal in course.values():
        state = replay(journal)
        for button in BUTTONS:
            try:
                decide(state, button, 20_000, {ANN})
                is_accepted = True
            except Refused:
                is_accepted = False
            assert can(state, button) == is_accepted, (state.phase, button.type)


def test_the_big_button_gives_a_command_that_is_lit(
    course: dict[tuple[object, ...], list[Event]],
) -> None:
    for journal in course.values():
        state = replay(journal)
        lit = {button.type for button in BUTTONS if can(state, button)}
        is_over = state.phase is Phase.FINISHED
        assert advised_command(state) in ({"none"} if is_over else lit)


def test_erasing_a_person_leaves_none_of_their_words() -> None:
    """Every event that names a player is blanked of what that player typed."""
    typed = {"name", "reason", "text"}
    for kind in get_args(get_args(Event)[0]):
        names = {field.name for field in fields(kind)}
        words = names & typed
        if not words or "player" not in names:
            continue
        blank = {field.name: None for field in fields(kind)} | {"player": ANN}
        event = kind(**blank | dict.fromkeys(words, "WORD"))
        assert all(
            getattr(erased(event, ANN, "erased"), word) != "WORD" for word in words
        ), kind
        assert erased(event, PlayerId("p-other"), "erased") is event


def test_a_room_is_not_called_by_an_erased_name() -> None:
    named = RoomNamed("Zoe's lesson", 1)
    assert erased(named, ANN, "erased", {"zoe"}) == RoomNamed("", 1)
    assert erased(named, ANN, "erased", {"ann", ""}) is named
