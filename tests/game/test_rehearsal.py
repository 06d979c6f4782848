"""A preview is a round played by the rules, for every case, and tells nothing early."""

from __future__ import annotations

import pytest

from scenarios.model import Case
from server.game.phases import STEPS
from server.game.rehearsal import scenes_of
from server.game.views.stage_types import FixRevealView, RevealView, StoryView
from tests.support.library import LIBRARY

OF_EACH_VERDICT = (
    "four-hours", "which-hospital", "up-the-ladder", "the-eighth-server",
    "asthma-and-the-lucky-numbers",
)  # fmt: skip


def test_a_class_is_not_told_that_a_single_fact_was_changed() -> None:
    for name in ("keys-and-chests-bonus", "the-yellow-balloon"):
        scene = scenes_of(LIBRARY.case(name))[0]
        assert isinstance(scene.player, StoryView)
        assert scene.player.story.kind == "variant"


@pytest.mark.parametrize("name", OF_EACH_VERDICT)
def test_a_round_is_shown_from_reading_to_the_repairs(name: str) -> None:
    scenes = scenes_of(LIBRARY.case(name))
    names = [scene.name for scene in scenes]
    assert names[:4] == ["read", "vote", "vote_closed", "discuss"]
    assert names[4:-2] == [f"reveal.{key}" for key in STEPS]
    assert names[-2:] == ["fix", "fix_reveal"]
    last = scenes[-1].player
    assert isinstance(last, FixRevealView)
    assert last.bars.n == 3


def test_both_links_are_asked_about_where_both_or_neither_broke() -> None:
    asked = {
        case.verdict: scenes_of(case)[0].player.room.two_link
        for case in map(LIBRARY.case, OF_EACH_VERDICT)
    }
    assert asked == {
        "outer": False, "inner": False, "both": True, "neither": True,
        "contested": False,
    }  # fmt: skip


@pytest.mark.parametrize("name", OF_EACH_VERDICT)
def test_the_first_player_falls_for_what_tempts(name: str) -> None:
    case = LIBRARY.case(name)
    shown = scenes_of(case)[-3]
    assert isinstance(shown.player, RevealView)
    (vote,) = shown.you.votes
    assert vote.is_right is (None if case.contested else False)


def test_no_scene_tells_before_its_time() -> None:
    case = LIBRARY.case("four-hours")
    for scene in scenes_of(case)[:8]:
        told = f"{scene.player} {scene.screen} {scene.you}"
        assert case.breakdown.why not in told
        assert isinstance(scene.player, StoryView | RevealView)


def test_every_case_can_be_rehearsed() -> None:
    cases: list[Case] = list(LIBRARY.cases.values())
    assert {len(scenes_of(case)) for case in cases} == {len(STEPS) + 6}
