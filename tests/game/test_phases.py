"""The transition table, as a whole."""

from typing import get_args

from server.game.commands import Command
from server.game.engine import _RULES
from server.game.events import Event, RoomOpened
from server.game.folds import FOLDS
from server.game.phases import TABLE, Phase
from server.rooms.effects import PERSONAL, QUIET, STAGE, TIMED


def test_every_phase_has_its_row_and_every_command_is_known() -> None:
    known = {k.__dataclass_fields__["type"].default for k in get_args(Command)}
    assert set(TABLE) == set(Phase)
    for row in TABLE.values():
        assert row.keys() <= known
    assert {name for row in TABLE.values() for name in row} == known


def test_every_command_has_a_rule_and_every_event_a_fold() -> None:
    assert set(_RULES) == set(get_args(Command))
    assert {*FOLDS, RoomOpened} == set(get_args(get_args(Event)[0]))


def test_every_phase_but_the_last_leads_somewhere_and_can_be_reached() -> None:
    reached = {
        target for row in TABLE.values() for rule in row.values() for target in rule.to
    }
    assert reached == set(Phase)
    for phase, row in TABLE.items():
        leads = {target for rule in row.values() for target in rule.to}
        assert leads or phase is Phase.FINISHED


def test_every_event_is_shown_somewhere() -> None:
    placed = {*STAGE, *PERSONAL, *TIMED, *QUIET}
    assert placed == set(get_args(get_args(Event)[0]))
