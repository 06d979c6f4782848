"""A whole deck across three sites: every vote in the home's journal once."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest

from tests.support.broker import Kind
from tests.support.figures import Figure
from tests.support.sites import hold_against, play, pupils, town

campaign = pytest.mark.campaign


@pytest.mark.fault
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "each", "rounds"),
    [
        ("mosquitto", 10, 2),
        ("nats", 10, 2),
        pytest.param("mosquitto", 300, 7, marks=campaign),
        pytest.param("nats", 20, 7, marks=campaign),
    ],
)
async def test_a_deck_across_three_sites_loses_and_repeats_no_vote(
    tmp_path: Path,
    kind: Kind,
    each: int,
    rounds: int,
    figure: Figure,
) -> None:
    async with town(tmp_path, kind) as at, contextlib.AsyncExitStack() as stack:
        teacher = await at.teacher(stack)
        everyone = await pupils(stack, at, each)
        began_s = time.monotonic()
        played = await play(teacher, everyone, range(rounds))
        took_s = time.monotonic() - began_s
        await stack.aclose()
        await at.stop()
        recorded = hold_against(await at.journal(), everyone, played)
    figure(
        f"{kind}: 3 sites, {len(everyone)} players, {len(played)} ballots in "
        f"{took_s:.0f} s: {recorded} votes recorded, each in the journal once"
    )
