"""Practice players decide reproducibly, and as their settings say."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import pytest

from client.practice_mind import (
    NAMES,
    REASONS,
    Asked,
    Decision,
    Knowledge,
    PracticeSettings,
    decide,
    names,
)
from scenarios.model import Label, Truth
from server.game.answers import FixAnswer, GapAnswer, LinksAnswer
from server.game.names import skeleton
from server.game.phases import Ballot

CHIPS = (50, 60, 70, 80, 90, 100)
OUTER = Truth(outer=True, inner=False)
KNOWN = Knowledge({f"case {i}": OUTER for i in range(4)}, {"case 0": 2})
CROWD = range(1500)


def asked(player: int, ballot: Ballot = Ballot.VOTE, title: str = "case 0") -> Asked:
    """Return a question of a two-button room."""
    return Asked(player, title, ballot, CHIPS, two_link=False)


def gap(decision: Decision) -> GapAnswer:
    """Return the answer of a two-button room."""
    assert isinstance(decision.answer, GapAnswer)
    return decision.answer


def share_right(settings: PracticeSettings, ballot: Ballot = Ballot.VOTE) -> float:
    """Return how many of a crowd say outer, which is right."""
    return fmean(
        gap(decide(settings, asked(i, ballot), KNOWN)).label is Label.OUTER
        for i in CROWD
    )


def test_a_decision_depends_on_nothing_but_what_it_is_given() -> None:
    settings = PracticeSettings(seed=4)
    questions = [asked(i, b) for i in range(40) for b in Ballot]
    forth = {q: decide(settings, q, KNOWN) for q in questions}
    back = {q: decide(settings, q, KNOWN) for q in reversed(questions)}
    assert forth == back
    other = {q: decide(replace(settings, seed=5), q, KNOWN) for q in questions}
    assert other != forth
    slow = replace(settings, delay_s=(1.0, 3.0))
    answers = [decide(slow, q, KNOWN).answer for q in questions]
    assert answers == [forth[q].answer for q in questions]


def test_known_decisions_stay_what_they_were() -> None:
    settings = PracticeSettings(seed=7)
    told = [gap(decide(settings, asked(i), KNOWN)) for i in range(5)]
    assert [(answer.label.value, answer.confidence) for answer in told] == [
        ("outer", 70),
        ("outer", 70),
        ("inner", 60),
        ("outer", 80),
        ("outer", 90),
    ]


@pytest.mark.parametrize("skill", [0.3, 0.5, 0.65, 0.9])
def test_skill_is_the_share_that_is_right(skill: float) -> None:
    settings = PracticeSettings(skill=skill, skill_spread=0.05)
    assert share_right(settings) == pytest.approx(skill, abs=0.04)


def test_lean_pulls_to_one_side() -> None:
    assert share_right(PracticeSettings(skill=0.5, lean=1)) == 1
    assert share_right(PracticeSettings(skill=0.5, lean=-1)) == 0
    half = share_right(PracticeSettings(skill=0.5, lean=0.5))
    assert half == pytest.approx(0.75, abs=0.04)


def test_without_knowledge_they_guess_by_lean() -> None:
    def share(lean: float) -> float:
        settings = PracticeSettings(lean=lean, skill=1)
        answers = (decide(settings, asked(i), Knowledge()) for i in CROWD)
        return fmean(gap(a).label is Label.OUTER for a in answers)

    assert share(0) == pytest.approx(0.5, abs=0.04)
    assert share(0.6) == pytest.approx(0.8, abs=0.04)


def test_a_revote_wins_some_over_and_loses_a_few() -> None:
    settings = PracticeSettings(skill=0.6, skill_spread=0, learning=0.5)
    moves = {"won": 0, "lost": 0, "wrong": 0, "right": 0}
    for i in CROWD:
        before = gap(decide(settings, asked(i), KNOWN)).label
        after = gap(decide(settings, asked(i, Ballot.REVOTE), KNOWN)).label
        is_right = before is Label.OUTER
        moves["right" if is_right else "wrong"] += 1
        if before is not after:
            moves["lost" if is_right else "won"] += 1
    assert moves["won"] / moves["wrong"] == pytest.approx(0.5, abs=0.06)
    assert moves["lost"] / moves["right"] == pytest.approx(0.1, abs=0.03)


def test_the_breakdown_teaches_for_the_transfer_and_the_fix() -> None:
    settings = PracticeSettings(skill=0.6, skill_spread=0, learning=0.5)
    assert share_right(settings, Ballot.TRANSFER) == pytest.approx(0.8, abs=0.04)
    fixes = [decide(settings, asked(i, Ballot.FIX), KNOWN).answer for i in CROWD]
    assert {fix.option for fix in fixes if isinstance(fix, FixAnswer)} == {0, 1, 2}
    assert fmean(fix == FixAnswer(2) for fix in fixes) == pytest.approx(0.8, abs=0.04)


def test_confidence_is_a_chip_around_its_mean_and_higher_when_right() -> None:
    settings = PracticeSettings(confidence=0.75)
    answers = [gap(decide(settings, asked(i), KNOWN)) for i in CROWD]
    assert {answer.confidence for answer in answers} <= set(CHIPS)
    right = [a.confidence or 0 for a in answers if a.label is Label.OUTER]
    wrong = [a.confidence or 0 for a in answers if a.label is Label.INNER]
    assert fmean(right) > fmean(wrong) + 5
    assert fmean(right + wrong) == pytest.approx(75, abs=4)
    levels = replace(asked(1), chips=(60, 75, 90))
    assert gap(decide(settings, levels, KNOWN)).confidence in (60, 75, 90)
    none = replace(asked(1), chips=())
    assert gap(decide(settings, none, KNOWN)).confidence is None


def test_two_links_are_judged_apart() -> None:
    settings = PracticeSettings(skill=0.8, skill_spread=0)
    answers = [
        decide(settings, replace(asked(i), two_link=True), KNOWN).answer for i in CROWD
    ]
    links = [answer for answer in answers if isinstance(answer, LinksAnswer)]
    assert len(links) == len(CROWD)
    assert fmean(a.outer.broke for a in links) == pytest.approx(0.8, abs=0.04)
    assert fmean(a.inner.broke for a in links) == pytest.approx(0.2, abs=0.04)
    assert {(a.outer.broke, a.inner.broke) for a in links} == {
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    }


def test_reasons_argue_for_the_side_that_was_chosen() -> None:
    settings = PracticeSettings(reason_rate=0.4)
    told = 0
    for i in CROWD:
        decision = decide(settings, asked(i), KNOWN)
        if decision.reason:
            told += 1
            assert decision.reason in REASONS[gap(decision).label.value]
    assert told / len(CROWD) == pytest.approx(0.4, abs=0.04)
    assert all(len(REASONS[label.value]) >= 12 for label in Label)


def test_delays_are_in_their_range() -> None:
    settings = PracticeSettings(delay_s=(2.0, 3.0))
    delays = [decide(settings, asked(i), KNOWN).delay_s for i in range(100)]
    assert min(delays) >= 2
    assert max(delays) <= 3
    assert len(set(delays)) > 50


def test_names_are_friendly_distinct_and_seeded() -> None:
    crowd = names(NAMES + 300, seed=3)
    assert len({skeleton(name) for name in crowd}) == len(crowd)
    assert all(len(name) <= 24 for name in crowd)
    assert names(5, seed=3) == crowd[:5]
    assert names(5, seed=4) != crowd[:5]


@pytest.mark.parametrize(
    "wrong",
    [{"skill": 1.2}, {"lean": -2}, {"confidence": 0.3}, {"delay_s": (3.0, 1.0)}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        PracticeSettings(**wrong)  # type: ignore[arg-type] # wrong on purpose
