"""Every test has one tier, and a run selects by it."""

from __future__ import annotations

from pathlib import Path, PurePath

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
