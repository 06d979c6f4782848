"""Every test has one tier, and a run selects by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePath
from xml.etree import ElementTree

import pytest

from tests.support.tiers import (
    FOLDERS,
    SEED_SWITCH,
    Tier,
    TierError,
    is_drawn,
    is_run,
    tier_of,
)

TESTS = Path(__file__).parent


def test_every_test_file_has_a_tier() -> None:
    files = [path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")]
    assert len(files) > 150
    assert {tier_of(path, ()) for path in files} <= set(Tier)


def test_every_folder_with_a_tier_exists() -> None:
    assert [name for name in FOLDERS if not (TESTS / name).is_dir()] == []


def test_a_test_in_a_folder_without_a_tier_is_refused() -> None:
    with pytest.raises(TierError, match=r"novel/test_x\.py has no tier"):
        tier_of(PurePath("novel/test_x.py"), {"fault"})


def test_a_marker_overrides_the_folder_and_two_are_refused() -> None:
    path = PurePath("game/test_x.py")
    assert tier_of(path, ()) is Tier.FAST
    assert tier_of(path, {"full", "fault"}) is Tier.FULL
    assert tier_of(PurePath("novel/test_x.py"), {"campaign"}) is Tier.CAMPAIGN
    with pytest.raises(TierError, match="full and campaign"):
        tier_of(path, {"full", "campaign"})


@pytest.mark.parametrize(
    ("chosen", "runs"),
    [
        (Tier.FAST, {Tier.FAST}),
        (Tier.FULL, {Tier.FAST, Tier.FULL}),
        (Tier.CAMPAIGN, {Tier.CAMPAIGN}),
    ],
)
def test_a_run_selects_by_tier(chosen: Tier, runs: set[Tier]) -> None:
    assert {tier for tier in Tier if is_run(chosen, tier, ())} == runs


def test_a_campaign_also_runs_larger_samples() -> None:
    assert is_run(Tier.CAMPAIGN, Tier.FAST, {"sampled"})
    assert not is_run(Tier.CAMPAIGN, Tier.FAST, {"alone"})


def test_each_seed_draws_another_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"tests/browser/test_game.py::test_{n}" for n in range(3_000)]
    drawn = []
    for number in range(20):
        monkeypatch.setenv(SEED_SWITCH, str(number))
        drawn.append({name for name in names if is_drawn(name, 3)})
        assert drawn[-1] == {name for name in names if is_drawn(name, 3)}
        assert 800 < len(drawn[-1]) < 1_200
    assert set.union(*drawn) == set(names)
    assert all(is_drawn(name, 1) for name in names)


GROUPED = """
import pytest

pytestmark = pytest.mark.xdist_group("one")


@pytest.mark.parametrize("number", range(8))
def test_it(number: int, worker_id: str, record_property) -> None:
    record_property("worker", worker_id)
"""


def test_the_tests_of_a_group_run_in_one_process(tmp_path: Path) -> None:
    """Not so with some versions of pytest: then each process starts a Chromium."""
    (tmp_path / "test_grouped.py").write_text(GROUPED, encoding="utf-8")
    report = tmp_path / "report.xml"
    spread = ("-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider")
    command = (sys.executable, "-m", "pytest", *spread, f"--junit-xml={report}", ".")
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    properties = ElementTree.parse(report).iterfind(".//property")
    workers = [each.get("value") for each in properties]
    assert len(workers) == 8
    assert len(set(workers)) == 1, workers
