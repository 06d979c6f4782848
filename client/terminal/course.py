"""The course of a game as a host leads it: commands by name, and the next one. Pure."""

from __future__ import annotations

from server.game.commands import BUTTONS, ONWARD, HostCommand

NAMED: dict[str, HostCommand] = {command.type: command for command in BUTTONS}
"""The commands that move the game, by the names in ``HostView.commands``."""


def named(name: str) -> HostCommand:
    """Return the command of that name, with its defaults."""
    return NAMED[name]


def onward(commands: tuple[str, ...]) -> str:
    """Return which of the commands that can be given leads on through a whole round.

    Every part that a round has is played: worked examples, steps, fix, transfer.
    """
    return next((one.type for one in ONWARD if one.type in commands), "none")
