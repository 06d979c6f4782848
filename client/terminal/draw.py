"""Draws what the class sees as Rich renderables, for the player, host and demo.

Pure: turns parts of a view into something that can be printed. Text from cases and
people is wrapped in ``Text``, so that it is never interpreted as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from client.terminal.words import (
    FIELDS,
    INNER_STYLE,
    KINDS,
    LEARNED,
    MEANT,
    NO_VERDICTS,
    OUTER_STYLE,
    SIGNS,
    SQUARE,
    STYLES,
    WROTE,
    option_words,
    verdict_key,
    verdict_words,
)
from scenarios.prose import plural
from server.game.outcomes import percent
from server.game.views.stage_types import (
    Bars,
    ExampleView,
    FinishedView,
    FixRevealView,
    FixView,
    Move,
    PinnedReason,
    RevealView,
    RoomCard,
    Standing,
    Step,
    Story,
    Verdict,
    WorkedExample,
)

Gap = Literal["unknown", "held", "broke"]

WIDTH = 88
"""Maximum width of running text, in columns."""

TABLE_LINES = 15
"""Number of lines of the final table that are printed."""

_DRAWN = {"intended": 1, "written": 2, "learned": 3}
"""How many stations of the diagram are drawn after each of the first steps."""


def narrow(renderable: RenderableType) -> RenderableType:
    """Limit the width of a renderable, to keep it readable on a wide terminal."""
    return Constrain(renderable, WIDTH)


def heading(text: str) -> RenderableType:
    """Draw the heading of a phase."""
    line = Rule(Text(text, style="bold"), align="left", characters="─")
    return narrow(Padding(line, (1, 0, 0, 0)))


def round_title(room: RoomCard) -> str:
    """Return "Case 2 of 8", or "Practice: case 2 again, not scored"."""
    if room.practice_of is not None:
        return f"Practice: case {room.practice_of + 1} again, not scored"
    return f"Case {(room.round or 0) + 1} of {room.rounds}"


def title_of(shown: Story) -> str:
    """Return the title, with its year if the story happened."""
    is_true = shown.kind == "documented"
    return f"{shown.title} ({shown.year})" if is_true else shown.title


def story(shown: Story) -> RenderableType:
    """Draw the story of a case without its verdict."""
    return narrow(
        Panel(
            Text(shown.text.strip()),
            title=Text(title_of(shown), style="bold"),
            title_align="left",
            subtitle=Text(KINDS[shown.kind], style="dim"),
            subtitle_align="right",
            box=box.ROUNDED,
            padding=(1, 2),
        )
    )


def texts(shown: Mapping[str, str]) -> RenderableType:
    """Draw the texts of a breakdown, each next to its label."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=21, style="bold")
    grid.add_column()
    for field, text in shown.items():
        grid.add_row(Text(FIELDS.get(field, field)), Text(text.strip()))
    return narrow(grid)


def chain(verdict: Verdict | None, stations: int = 3) -> RenderableType:
    """Draw the diagram of the two gaps with space around it."""
    return Padding(diagram(Chain.of(verdict, stations)), (1, 0, 1, 2))


def verdict_line(verdict: Verdict) -> Text:
    """Say which gap broke, with its sign."""
    return Text(verdict_words(verdict), style=f"bold {STYLES[verdict_key(verdict)]}")


def right_option(verdict: Verdict | None) -> str | None:
    """Return the right option, or None if it is unknown or experts disagree."""
    if verdict is None or verdict.is_contested:
        return None
    return verdict_key(verdict)


def tallies(view: RevealView) -> RenderableType:
    """Draw the first and second votes, and how many people changed their answer."""
    right = right_option(view.verdict)
    parts = [tally("First vote", view.before, right)]
    if view.after is not None:
        parts.append(tally("After talking", view.after, right))
        parts.append(moves(view.moves, view.carried))
    return Group(*parts)


def steps(view: RevealView, new: Sequence[Step]) -> RenderableType:
    """Draw the new steps of the breakdown, and the part of the diagram they explain."""
    parts: list[RenderableType] = []
    keys = [step.key for step in new]
    if "tallies" in keys:
        parts.append(tallies(view))
    drawn = max((_DRAWN.get(key, 0) for key in keys), default=0)
    if "verdict" in keys and view.verdict is not None:
        parts += [chain(view.verdict), verdict_line(view.verdict)]
    elif drawn:
        parts.append(chain(None, drawn))
    parts += [texts(step.texts) for step in new if step.texts]
    return Group(*parts)


def example(shown: WorkedExample) -> RenderableType:
    """Draw a case together with its verdict and breakdown."""
    return Group(
        story(shown.story),
        chain(shown.verdict),
        verdict_line(shown.verdict),
        texts(shown.texts),
    )


def worked(view: ExampleView) -> list[RenderableType]:
    """Draw a worked example that opens or closes a deck, or the four kinds of cases."""
    if view.square:
        lines = [
            Text.assemble(
                verdict_line(Verdict(placed.outer, placed.inner, False)),
                f" {placed.title or '–'}",
            )
            for placed in view.square
        ]
        return [heading(SQUARE), *lines]
    which = "Talking point" if view.is_closing else "Worked example"
    return [heading(f"{which}: {view.index + 1} of {view.of}"), example(view.example)]


def pinned(reasons: Sequence[PinnedReason]) -> RenderableType:
    """Draw the reasons that the host shows, without their authors."""
    lines = [
        Text(f"  {reason.side}: “{reason.text}”", style=STYLES.get(reason.side, ""))
        for reason in reasons
    ]
    return narrow(Group(Text("Reasons from the class", style="bold"), *lines))


def fix_question(view: FixView | FixRevealView) -> RenderableType:
    """Draw the question of which repair fits, with numbered options."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for number, option in enumerate(view.options, start=1):
        grid.add_row(f"  {number}", Text(option.strip()))
    return narrow(Group(Text(view.question.strip(), style="bold"), grid))


def fix_reveal(view: FixRevealView) -> RenderableType:
    """Draw the right repair, and what the other ones would do."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for index, (repairs, comment) in enumerate(
        zip(view.repairs, view.comments, strict=True)
    ):
        tick = "✓" if index == view.right else " "
        said = Text.assemble((f"repairs {repairs}. ", "bold"), comment.strip())
        grid.add_row(f"{tick} {index + 1}", said)
    bars = tally("Which repair?", view.bars, str(view.right))
    return Group(bars, narrow(grid))


def summary(view: FinishedView) -> RenderableType:
    """Draw the closing page: every case before and after, and the class goal."""
    table = Table(box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("Case")
    table.add_column("Gap", no_wrap=True)
    table.add_column("Right at first", justify="right")
    table.add_column("In the end", justify="right")
    for item in view.rounds:
        key = verdict_key(item.verdict)
        table.add_row(
            Text(item.title),
            Text(key, style=STYLES[key]),
            _of(item.right_before, item.n, "contested"),
            _of(item.right_after, item.n_after, ""),
        )
    parts: list[RenderableType] = [Text(NO_VERDICTS) if view.room.is_test else table]
    if view.class_mean is not None:
        reached = " You made it." if view.reached_goal else ""
        goal = f"Our goal was {view.room.goal:g}."
        parts.append(Text(f"Class mean {view.class_mean:.1f}. {goal}{reached}"))
    parts += [Text(one.text) for one in view.last_words]
    for team in view.teams:
        mean = "too few to show" if team.mean is None else f"{team.mean:.1f}"
        parts.append(Text(f"  {team.name}: {mean} (n = {team.n})"))
    for reading in view.reading:
        if reading.start_here:
            source = f"{reading.authors} ({reading.year}), {reading.title}."
            parts.append(Text(f"Start reading here: {source} {reading.where}"))
    return narrow(Group(*parts))


def _of(right: int | None, n: int | None, otherwise: str) -> str:
    return otherwise if right is None or n is None else f"{right} of {n}"


def final_table(
    standings: Sequence[Standing], joined: int, most: int = TABLE_LINES
) -> Table:
    """Draw the first ``most`` lines of the final table; count the people left out.

    ``standings`` may contain only the top of the table. ``joined`` is the number of
    people who joined.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Place", justify="right")
    table.add_column("Name")
    table.add_column("Points", justify="right")
    table.add_column("Mean", justify="right")
    table.add_column("Cases", justify="right")
    for line in standings[:most]:
        table.add_row(
            str(line.rank),
            Text(line.name),
            f"{line.points:.1f}",
            f"{line.mean:.1f}",
            str(line.rounds),
        )
    shown = min(len(standings), most)
    if standings and joined > shown:
        table.add_row("", Text(f"and {joined - shown} more", style="dim"))
    return table


# --- the two gaps in one line, and tallies as bars ------------------------------------


GAP_WIDTH = 13
STATIONS = 3


@dataclass(frozen=True, slots=True)
class Chain:
    """The state of the diagram: how many stations are drawn (0 to 3), and each gap."""

    stations: int = STATIONS
    outer: Gap = "unknown"
    inner: Gap = "unknown"

    @classmethod
    def of(cls, verdict: Verdict | None, stations: int = STATIONS) -> Chain:
        """Return the chain for a verdict; both gaps are unknown if there is none."""
        if verdict is None:
            return cls(stations)
        return cls(
            stations,
            "broke" if verdict.outer else "held",
            "broke" if verdict.inner else "held",
        )


def diagram(chain: Chain) -> Text:
    """Draw the chain in one line, and the names of the gaps below it once known."""
    line = Text(no_wrap=True)
    under = Text(no_wrap=True)
    gaps = (
        ("outer", chain.outer, OUTER_STYLE),
        ("inner", chain.inner, INNER_STYLE),
    )
    for index, name in enumerate((MEANT, WROTE, LEARNED)[: chain.stations]):
        if index:
            gap, how, style = gaps[index - 1]
            line.append(_gap(SIGNS[gap], how), style=_emphasis(style, how))
            said = "" if how == "unknown" else f"{gap} {how}"
            under.append(said.center(GAP_WIDTH), style=_emphasis(style, how))
        line.append(name, style="bold")
        under.append(" " * len(name))
    if chain.outer == chain.inner == "unknown":
        return line
    under.rstrip()
    return Text("\n", no_wrap=True).join([line, under])


def _gap(sign: str, how: Gap) -> str:
    """Return a gap, 13 columns wide: intact, or cracked open."""
    return f" ───{sign}╱  ╱─── " if how == "broke" else f" ─────{sign}───── "


def _emphasis(style: str, how: Gap) -> str:
    return f"bold {style}" if how == "broke" else style


BAR_WIDTH = 36


def tally(title: str, bars: Bars, right: str | None = None) -> RenderableType:
    """Draw one tally; ``right`` is the option to tick, or None if it is unknown."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(width=BAR_WIDTH, no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    for option, n in bars.options.items():
        share = n / bars.n if bars.n else 0.0
        style = STYLES.get(option, "")
        grid.add_row(
            Text(f"  {_name(option, bars)}", style=style),
            Text(_bar(share), style=style),
            Text(str(n)),
            Text(f"{percent(share)}%", style="dim"),
            Text("✓ right" if option == right else "", style="bold green"),
        )
    answers = plural(bars.n, "answer")
    return Group(Text(f"{title} ({answers})", style="bold"), grid)


def _name(option: str, bars: Bars) -> str:
    """Return an option's name; if "both" is an option, a gap means only that gap."""
    is_alone = "both" in bars.options and option in ("outer", "inner")
    return f"{option_words(option)} only" if is_alone else option_words(option)


def _bar(share: float) -> str:
    """Return a bar in steps of half a column, so that 1 vote out of 60 is visible."""
    halves = round(share * BAR_WIDTH * 2)
    return "█" * (halves // 2) + "▌" * (halves % 2)


def moves(moved: Sequence[Move], carried: int) -> Text:
    """Say how many changed their answer, and how many first votes were carried over."""
    said = [
        f"{'some' if move.n is None else move.n} from {option_words(move.before)} "
        f"to {option_words(move.after)}"
        for move in moved
        if move.before != move.after and move.n != 0
    ]
    text = f"Moved: {', '.join(said)}." if said else "No one changed their answer."
    if carried:
        text += f" {carried} kept the first vote without voting again."
    return Text(text, style="dim")
