"""The runner of make test: failures are shown, and every part has its time."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.run import Part, failed_tests, files_alone, once_more, run_checks, table

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


def test_what_failed_beside_others_and_passes_alone_is_named() -> None:
    good = "tests/test_run.py::test_every_part_has_its_time_in_the_table"
    part = Part("tests over processes", 10.0, False, failed=(good,))
    again = once_more(part, ("-p", "no:cacheprovider"))
    assert again.passed
    assert again.took_s > part.took_s
    assert f"failed beside others, passed alone: {good}" in table([again], 11.0)
    # what fails alone, too many failures, or a run that broke: all stay failures
    missing = replace(part, failed=(good, "tests/test_run.py::test_missing"))
    assert not once_more(missing, ("-p", "no:cacheprovider")).passed
    many = replace(part, failed=(good,) * 4)
    assert once_more(many) is many
    assert once_more(replace(part, failed=())).passed is False


def test_a_test_of_a_group_is_run_once_more_by_its_own_name(tmp_path: Path) -> None:
    kept = tmp_path / "lastfailed"
    kept.write_text('{"t.py::test_a[b@c]": true, "t.py::test_a[b]@layout in de": true}')
    assert failed_tests(kept) == ("t.py::test_a[b@c]", "t.py::test_a[b]")
    assert failed_tests(tmp_path / "none") == ()


def test_files_with_a_test_that_runs_alone_are_found() -> None:
    assert "tests/net/test_abuse.py" in files_alone()
