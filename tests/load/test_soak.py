"""A drop of the soak test: that it plays, counts, and sees what is not flat."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.soak import Soaked, judge, soak


@pytest.mark.load
async def test_a_few_games_one_after_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soaked = await soak(tmp_path, duration_s=1, people=20)
    assert soaked.games == len(soaked.rss) >= 1
    assert soaked.votes == 4 * 20 * soaked.games
    assert soaked.returns == 2 * 20 * soaked.games


def test_growth_is_seen() -> None:
    at_s = [float(s) for s in range(0, 600, 10)]
    flat = Soaked(at_s, [80.0 + (s % 3) for s in at_s], [30.0] * len(at_s))
    assert judge(flat) == []
    leaky = Soaked(at_s, [80 + s / 30 for s in at_s], [30 + s / 60 for s in at_s])
    assert judge(leaky) == ["memory is not flat", "open files are not flat"]
