"""The runner of make test: failures are shown, and every part has its time."""

from __future__ import annotations

import sys

import pytest

from tests.run import Part, files_alone, run_checks, table

GOOD = ((sys.executable, "-c", "print('fine')"),)
BAD = ((sys.executable, "-c", "print('line 7 is wrong'); raise SystemExit(1)"), *GOOD)


def test_a_failed_check_is_shown_and_its_other_commands_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parts = run_checks(2, {"good": GOOD, "bad": BAD})
    assert {part.name: part.passed for part in parts} == {"good": True, "bad": False}
    shown = capsys.readouterr().out
    assert "FAILED bad" in shown
    assert "line 7 is wrong\nfine" in shown
    assert shown.count("fine") == 1  # what passes says nothing


def test_every_part_has_its_time_in_the_table() -> None:
    text = table([Part("types", 4.26, True), Part("tests alone", 60.0, False)], 61.2)
    assert text.splitlines() == [
        "  types           4.3 s  passed",
        "  tests alone    60.0 s  FAILED",
        "  in all         61.2 s",
    ]


def test_files_with_a_test_that_runs_alone_are_found() -> None:
    assert "tests/net/test_abuse.py" in files_alone()
