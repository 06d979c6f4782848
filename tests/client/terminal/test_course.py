"""The course names every command that moves a game, and always leads on."""

from __future__ import annotations

import pytest

from client.terminal.words import COMMANDS, LETTERS, NAMED, command_words, named
from scenarios.model import FLOWS
from server.game.commands import HOST_COMMANDS, onward
from server.game.engine import TABLE
from server.game.phases import Phase


def test_every_command_that_moves_the_game_has_a_name() -> None:
    assert set(NAMED) == set(HOST_COMMANDS)


def test_letters_and_words_are_those_of_commands_that_exist() -> None:
    assert {name for names in LETTERS.values() for name in names} <= set(HOST_COMMANDS)
    assert set(COMMANDS) <= {*HOST_COMMANDS, "none"}
    for typed in set(LETTERS) & set(HOST_COMMANDS):
        assert LETTERS[typed] == (typed,), "a command's name gives that command"


def test_a_command_without_words_says_its_name() -> None:
    assert command_words("next_step") == COMMANDS["next_step"]
    assert command_words("show_a_film") == "show a film"


@pytest.mark.parametrize("name", HOST_COMMANDS)
def test_a_name_gives_its_own_command(name: str) -> None:
    assert named(name).type == name


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.FINISHED])
def test_there_is_a_way_on_from_everywhere(phase: Phase) -> None:
    for flow in FLOWS:
        assert {one.type for one in onward(flow, phase)} & set(TABLE[phase])


def test_a_letter_never_has_two_meanings_in_one_phase() -> None:
    for phase, commands in TABLE.items():
        for letter, names in LETTERS.items():
            if names == ("stop_clock", "start_clock"):
                continue  # a switch: a clock that runs can't be started
            assert sum(name in commands for name in names) <= 1, (phase, letter)
