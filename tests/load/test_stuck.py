"""Readers that never read and a flood beside a class: bounded, and not in its way.

Times are printed, not judged: a campaign measures them in full, and judges.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.stuck import MOST_KB_EACH
from tests.support.figures import Figure
from tests.support.jam import jam
from tests.support.node import Node


@pytest.mark.load
async def test_stuck_readers_and_a_flood_cost_little(
    tmp_path: Path, figure: Figure
) -> None:
    figures = await jam(
        Node(tmp_path), people=60, stuck=150, rounds=1, views=120, until_cut=False
    )
    figure(figures.text())
    assert len(figures.jammed_ms) == 60, "a vote was not recorded"
    grown = figures.rss_after - figures.rss_before
    assert grown <= 150 * MOST_KB_EACH / 1024 + 15, "what is held grows without bound"
