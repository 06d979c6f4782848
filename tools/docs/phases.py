"""Render docs/phases.md: the transition table, as a diagram and as a table."""

from __future__ import annotations

from server.game.engine import TABLE
from server.game.phases import Phase

_EVERYWHERE = {"finish", "back_to_lobby", "skip_round", "open_round", "tick"}
"""Ways out that nearly every phase has: told in words, or drawn once below."""

_HEAD = """\
# The phases of a game

<!-- Generated from the rules in server/game/features/ by server/game/engine.py's TABLE;
     a test fails when it is stale. -->

The rules look every command up in this table first, then ask the command's guard, in
words under "when"; the host's buttons ask the same guards. Drawn are the ways through a
round; from everywhere in it the host may also `skip_round`, go `back_to_lobby` (and
open the round again, votes kept) or `finish`. An open ballot also closes automatically
(`tick`) where the room's `auto_close` or its flow says so, or when a warned allowance
has run out. In a test the next round opens from a closed vote.
"""

MARK = "<!-- block: not run: a drawing of the table -->"


def render() -> str:
    """Return the document."""
    return f"{_HEAD}\n{_drawing()}\n{_table()}"


def _drawing() -> str:
    """Draw every arrow of the table but those of _EVERYWHERE, which would hide them.

    Of those, drawn is the way into the next round (only to reading, not to where a
    round was left), and one of the ways to the end.
    """
    arrows = [
        f"{phase} --> {target}: {command}"
        for phase, rows in TABLE.items()
        for command, row in rows.items()
        if command not in _EVERYWHERE
        for target in row.leads[phase]
    ]
    between = [phase for phase, rows in TABLE.items() if "open_round" in rows]
    arrows += [f"{phase} --> read: open_round" for phase in between]
    arrows = ["[*] --> lobby", *arrows, "transfer_reveal --> finished: finish"]
    lines = "\n".join(f"    {arrow}" for arrow in [*arrows, "finished --> [*]"])
    return f"{MARK}\n\n```mermaid\nstateDiagram-v2\n{lines}\n```\n"


def _table() -> str:
    lines = ["| phase | command | leads to | when |", "|---|---|---|---|"]
    always = [
        row
        for row in TABLE[Phase.LOBBY].values()
        if len(row.leads) == len(Phase) and not any(row.leads.values())
    ]
    lines += [f"| every one | `{row.command}` | stays | {row.when} |" for row in always]
    for phase, rows in TABLE.items():
        for command, row in sorted(rows.items()):
            if row in always:
                continue
            targets = ", ".join(row.leads[phase]) or "stays"
            lines.append(f"| {phase} | `{command}` | {targets} | {row.when} |")
    return "\n".join(lines) + "\n"
