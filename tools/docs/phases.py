"""Render docs/phases.md: the transition table, as a diagram and as a table."""

from __future__ import annotations

from server.game.phases import TABLE, Phase

_EVERYWHERE = {"finish", "back_to_lobby", "skip_round", "open_round", "tick"}
"""Ways out that nearly every phase has: told in words, not drawn as arrows."""

_NEXT_ROUND_FROM = (
    Phase.LOBBY,
    Phase.EXAMPLE,
    Phase.REVEAL,
    Phase.FIX_REVEAL,
    Phase.TRANSFER_REVEAL,
)

_HEAD = """\
# The phases of a game

<!-- Generated from server/game/phases.py; a test fails when it is stale. -->

The rules look every command up in this table first. Drawn are the ways through a
round; from everywhere in it the host may also `skip_round`, go `back_to_lobby` (and
open the round again, votes kept) or `finish`. An open ballot also closes by itself
(`tick`) where the room has `auto_close`, or when a warned allowance has run out.
"""


def render() -> str:
    """Return the document."""
    return f"{_HEAD}\n{_drawing()}\n{_table()}"


def _drawing() -> str:
    arrows = [
        f"{phase} --> {target}: {command}"
        for phase, row in TABLE.items()
        for command, rule in row.items()
        if command not in _EVERYWHERE
        for target in rule.to
    ]
    arrows += [f"{phase} --> read: open_round" for phase in _NEXT_ROUND_FROM]
    arrows = ["[*] --> lobby", *arrows, "transfer_reveal --> finished: finish"]
    lines = "\n".join(f"    {arrow}" for arrow in [*arrows, "finished --> [*]"])
    return f"```mermaid\nstateDiagram-v2\n{lines}\n```\n"


def _table() -> str:
    lines = ["| phase | command | leads to | when |", "|---|---|---|---|"]
    for phase, row in TABLE.items():
        for command, rule in sorted(row.items()):
            targets = ", ".join(rule.to) or "stays"
            lines.append(f"| {phase} | `{command}` | {targets} | {rule.when} |")
    return "\n".join(lines) + "\n"
