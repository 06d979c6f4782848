"""Render docs/phases.md: the transition table, as a diagram and as a table."""

from __future__ import annotations

from server.game.engine import TABLE
from server.game.phases import Phase

_EVERYWHERE = {"finish", "back_to_lobby", "skip_round", "open_round", "tick"}
"""Commands possible in nearly every phase: described in words, or drawn only once."""

_HEAD = """\
# The phases of a game

<!-- Generated from the rules in server/game/features/ by server/game/engine.py's TABLE;
     a test fails when it is stale. -->

The rules look up every command in this table, and then call the command's guard. The
column "when" describes the guard in words. The host's buttons use the same guards.

The diagram shows the ways through a round. From any phase of a round, the host can also
`skip_round`, `finish`, or go `back_to_lobby` (and later open the round again, which
keeps its votes). An open ballot closes automatically (`tick`) if the room's
`auto_close` or its flow requires it, or when a time allowance has run out after a
warning. In a test, the next round opens from a closed vote.
"""

MARK = "<!-- block: not run: a drawing of the table -->"


def render() -> str:
    """Return the document."""
    return f"{_HEAD}\n{_drawing()}\n{_table()}"


def _drawing() -> str:
    """Draw every arrow of the table except those in _EVERYWHERE, which would hide them.

    Of those, only two are drawn: the way into the next round (to reading, not to the
    phase in which a round was interrupted), and one of the ways to the end.
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
    lines += [f"| all | `{row.command}` | stays | {row.when} |" for row in always]
    for phase, rows in TABLE.items():
        for command, row in sorted(rows.items()):
            if row in always:
                continue
            targets = ", ".join(row.leads[phase]) or "stays"
            lines.append(f"| {phase} | `{command}` | {targets} | {row.when} |")
    return "\n".join(lines) + "\n"
