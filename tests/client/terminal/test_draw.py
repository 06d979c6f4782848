"""What is drawn can be read at 80 columns, without color."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from client.terminal import draw
from client.terminal.draw import Chain, diagram, moves, tally
from client.terminal.words import FIELDS, KINDS, verdict_words
from scenarios.model import Kind
from server.game.errors import sentence
from server.game.phases import STEPS, StepKey, step_texts
from server.game.views.stage_types import (
    Bars,
    FinishedView,
    FixRevealView,
    Move,
    RevealView,
    Standing,
    Step,
    Story,
    Verdict,
)
from tests.client.fake_server import CARD
from tests.support.cases import make_case

OUTER = Verdict(outer=True, inner=False, is_contested=False)
STORY = Story("A [bold]boat[/]", "It went round " * 20, 2016, "documented")


def drawn(shown: RenderableType, width: int = 80) -> str:
    """Return what is printed on a plain console."""
    file = StringIO()
    console = Console(file=file, width=width, color_system=None, highlight=False)
    console.print(shown)
    return file.getvalue()


@pytest.mark.parametrize("is_reached", [True, False])
def test_the_last_words_are_not_what_was_missed(is_reached: bool) -> None:
    said = drawn(draw.summary(FinishedView(CARD, (), 83.25, is_reached, (), (), ())))
    assert f"Class mean 83.2. Our goal was {CARD.goal:g}." in said
    assert ("You made it." in said) is is_reached
    assert "not" not in said.lower()


def test_the_last_words_follow_the_goal() -> None:
    knew = sentence("last_knew", "You knew more than you said.")
    view = FinishedView(CARD, (), 70, False, (), (), (), last_words=(knew,))
    assert "Our goal was 84.\nYou knew more than you said.\n" in drawn(
        draw.summary(view)
    )


def reveal(
    step: int, after: Bars | None = None, moved: tuple[Move, ...] = ()
) -> RevealView:
    """Return a reveal with this many steps shown."""
    case = make_case("boat")
    return RevealView(
        room=CARD,
        story=STORY,
        step=step,
        last_step=len(STEPS) - 1,
        shown=tuple(Step(key, step_texts(case, key)) for key in STEPS[: step + 1]),
        before=Bars(4, {"outer": 3, "inner": 1}),
        after=after,
        carried=1 if after else 0,
        moves=moved,
        verdict=OUTER if step >= STEPS.index("verdict") else None,
        pinned=(),
    )


@pytest.mark.parametrize("stations", [0, 1, 2, 3])
def test_the_diagram_grows_station_by_station(stations: int) -> None:
    line = diagram(Chain(stations)).plain
    names = ["What we meant", "What we wrote", "What it learned"]
    assert [name in line for name in names] == [i < stations for i in range(3)]
    assert ("◯" in line) == (stations > 1)
    assert ("●" in line) == (stations > 2)


@pytest.mark.parametrize(
    ("outer", "inner"), [(True, False), (False, True), (True, True), (False, False)]
)
def test_a_broken_gap_shows_by_shape_and_in_words(outer: bool, inner: bool) -> None:
    line, under = diagram(Chain.of(Verdict(outer, inner, False))).plain.split("\n")
    assert ("◯╱  ╱" in line) == outer
    assert ("●╱  ╱" in line) == inner
    assert ("outer broke" in under) == outer
    assert ("inner held" in under) == (not inner)
    assert max(len(line), len(under)) < 80


def test_each_gap_is_named_below_its_place() -> None:
    line, under = diagram(Chain.of(OUTER)).plain.split("\n")
    middle = under.index("outer broke") + len("outer broke") // 2
    assert abs(middle - line.index("╱")) <= 2


@pytest.mark.parametrize("width", [40, 80, 200])
def test_everything_fits_the_console(width: int) -> None:
    shown = [draw.story(STORY), draw.heading("Vote"), draw.steps(reveal(9), ())]
    for each in shown:
        lines = drawn(each, width).splitlines()
        assert max((len(line) for line in lines), default=0) <= width


def test_stories_are_not_read_as_markup() -> None:
    assert "A [bold]boat[/] (2016)" in drawn(draw.story(STORY))


@pytest.mark.parametrize("kind", ["one-fact", "variant", "thought"])
def test_a_story_that_did_not_happen_has_no_year(kind: Kind) -> None:
    told = drawn(draw.story(replace(STORY, kind=kind)))
    assert "2016" not in told
    assert KINDS[kind] in told


def test_a_tally_has_numbers_and_ticks_the_right_option() -> None:
    text = drawn(tally("First vote", Bars(4, {"outer": 3, "inner": 1}), "outer"))
    assert "First vote (4 answers)" in text
    outer, inner = text.splitlines()[1:3]
    assert "◯ outer" in outer
    assert "75%" in outer
    assert "✓ right" in outer
    assert "● inner" in inner
    assert "25%" in inner
    assert "✓" not in inner


def test_an_empty_tally_is_drawn() -> None:
    assert "0 answers" in drawn(tally("First vote", Bars(0, {"outer": 0, "inner": 0})))


def test_beside_both_a_gap_means_that_one_alone() -> None:
    options = {"outer": 1, "inner": 0, "both": 2, "neither": 0}
    text = drawn(tally("First vote", Bars(3, options), "both"))
    assert "◯ outer only" in text
    assert "● inner only" in text
    assert text.count("only") == 2


def test_small_moves_are_shown_without_their_number() -> None:
    moved = (Move("inner", "outer", None), Move("outer", "inner", 7))
    text = moves((*moved, Move("outer", "outer", 9)), carried=2).plain
    assert "some from ● inner to ◯ outer" in text
    assert "7 from ◯ outer to ● inner" in text
    assert "9" not in text
    assert "2 kept the first vote" in text


def test_nothing_is_ticked_where_experts_disagree() -> None:
    assert draw.right_option(Verdict(True, False, is_contested=True)) is None
    assert draw.right_option(OUTER) == "outer"
    assert "Experts disagree" in verdict_words(Verdict(True, False, True))


def test_the_breakdown_shows_both_tallies_and_every_text() -> None:
    view = reveal(9, after=Bars(4, {"outer": 4, "inner": 0}))
    text = " ".join(drawn(draw.steps(view, view.shown)).split())
    assert "First vote" in text
    assert "After talking" in text
    for step in view.shown:
        for told in step.texts.values():
            assert told in text


def test_steps_that_were_shown_are_not_repeated() -> None:
    view = reveal(2)
    text = drawn(draw.steps(view, view.shown[2:]))
    assert "First vote" not in text
    assert "SECRET-boat-written" in text
    assert "SECRET-boat-intended" not in text
    assert "╱" not in text


def test_every_text_has_a_title() -> None:
    case = make_case("boat", contested="Some say so.")
    keys: tuple[StepKey, ...] = STEPS
    for key in keys:
        assert set(step_texts(case, key)) <= set(FIELDS)


def test_the_right_repair_is_ticked_with_its_reason() -> None:
    view = FixRevealView(
        room=CARD,
        story=STORY,
        verdict=OUTER,
        question="Which?",
        options=("A", "B", "C"),
        right=1,
        repairs=("the other gap", "this gap", "neither gap"),
        comments=("Too far.", "It fixes the score.", "No use."),
        bars=Bars(2, {"0": 0, "1": 2, "2": 0}),
    )
    text = drawn(draw.fix_reveal(view))
    assert "✓ 2 repairs this gap. It fixes the score." in text


def test_the_final_table_counts_the_people_it_leaves_out() -> None:
    standings = tuple(Standing(i, f"P{i}", 10.0, 10.0, 1) for i in range(1, 51))
    text = drawn(draw.final_table(standings, joined=300, most=15))
    assert "P15" in text
    assert "P16" not in text
    assert "and 285 more" in text
