"""A campaign keeps what has passed, continues after an interruption, and sums up."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.campaign import Result, State, campaign, figures_in, resumed, run, summary

SAY = (sys.executable, "-c", "print('first'); print('of 7 votes none lost')")
FAIL = (sys.executable, "-c", "raise SystemExit(3)")


def test_a_step_that_passed_is_not_run_again(tmp_path: Path) -> None:
    state = State("abc", 7)
    assert campaign({"say": SAY, "fail": FAIL}, state, tmp_path) == 1
    again = resumed(tmp_path, "abc", 7)
    assert again == state
    assert [result.passed for result in again.results.values()] == [True, False]
    assert campaign({"say": FAIL, "fail": SAY}, again, tmp_path) == 0
    assert again.results["say"].figures == ["first", "of 7 votes none lost"]


def test_an_interrupted_step_leaves_the_others_stored(tmp_path: Path) -> None:
    def interrupted(name: str, command: Sequence[str], folder: Path) -> Result:
        if name == "long":
            raise KeyboardInterrupt
        return run(name, command, folder)

    steps = {"say": SAY, "long": SAY}
    with pytest.raises(KeyboardInterrupt):
        campaign(steps, State("abc", 7), tmp_path, interrupted)
    assert list(resumed(tmp_path, "abc", 7).results) == ["say"]


def test_another_commit_or_seed_starts_again(tmp_path: Path) -> None:
    campaign({"say": SAY}, State("abc", 7), tmp_path)
    assert resumed(tmp_path, "abd", 7).results == {}
    assert resumed(tmp_path, "abc", 8).results == {}


def test_figures_come_from_pytests_section_or_the_last_lines() -> None:
    log = "dots\n===== figures =====\nnone lost\n\n===== slowest =====\n1 s\n"
    assert figures_in(log) == ["none lost"]
    assert figures_in("a\nb\nc\nd\ne\n") == ["b", "c", "d", "e"]
    assert figures_in("..\n1 passed in 7.55s\n") == ["1 passed in 7.55s"]


def test_the_summary_holds_every_step_and_figure(tmp_path: Path) -> None:
    state = State("abc", 7)
    campaign({"say": SAY}, state, tmp_path)
    text = summary(state)
    assert "| say | passed |" in text
    assert "first<br>of 7 votes none lost" in text
    assert (tmp_path / "summary.md").read_text() == text
