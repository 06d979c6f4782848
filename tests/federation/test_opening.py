"""The opening minute over several sites: taps travel, and each site sees each step."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from pathlib import Path

import pytest

from client import Label, Player, host
from server.game.commands import OpenRound, ShowOpening
from server.game.features.opening import CASES
from server.game.phases import Phase
from server.game.views.stage_types import Bars, OpeningView
from server.protocol.client_messages import TapOpening
from tests.federation.test_sites import sites
from tests.support.arrive import GUARD_S, arrive
from tests.support.broker import KINDS
from tests.support.two_sites import NAMES, two_sites
from tests.support.until import until


async def test_taps_of_two_sites_come_together_over_a_bus_in_memory() -> None:
    async with two_sites(minute=True) as at:
        await at.do(ShowOpening(), ShowOpening())
        for number, name in enumerate(NAMES, start=1):
            gap = Label.OUTER if number < len(NAMES) else Label.INNER
            at.ask(name, TapOpening(ref=number, case=0, gap=gap))
        for number, name in enumerate(NAMES, start=1):
            assert (await at.heard(name, "done"))["ref"] == number
        taps = (await at.state()).opening.taps[0]
        assert sorted(taps.values()) == ["inner", "outer", "outer", "outer"]
        await at.do(ShowOpening())
        at.ask("Bob", TapOpening(ref=9, case=0, gap=Label.INNER))
        assert (await at.heard("Bob", "refused"))["code"] == "phase_closed"
        await at.do(OpenRound())
        assert (await at.state()).phase is Phase.READ


async def seen(player: Player, step: int) -> OpeningView:
    """Wait until a player sees a step of the minute."""
    async with asyncio.timeout(GUARD_S):
        async for view in player.views():
            if isinstance(view, OpeningView) and view.step == step:
                return view
    raise player.cause or AssertionError("the views have ended")


@pytest.mark.fault
async def test_it_is_played_at_three_sites_over_a_broker(tmp_path: Path) -> None:
    async with sites(tmp_path, KINDS[0]) as at, contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{at.home.port}"
        teacher = await stack.enter_async_context(host(url, at.room, at.key))
        nodes = (at.home, *at.edges)
        players = [
            await arrive(stack, node.local_url, at.room, f"P{number}")
            for number, node in enumerate(nodes)
        ]
        assert "show_opening" in teacher.view.commands, "first-class begins with it"
        await teacher.send(ShowOpening())
        for step in (1, 3):
            await teacher.send(ShowOpening(automatic=False))
            await asyncio.gather(*(seen(player, step) for player in players))
            case = (step - 1) // 2
            for player in players:
                await player.ask(TapOpening(case=case, gap=Label.OUTER))
            late = await arrive(stack, at.edges[1].local_url, at.room, f"Late{step}")
            assert (await seen(late, step)).gap is None
            await late.ask(TapOpening(case=case, gap=Label.INNER))
            players.append(late)
            await until(partial(_has_tapped, late))
            await teacher.send(ShowOpening())
            for player in players:
                shown = await seen(player, step + 1)
                n = len(players)
                assert shown.gap is CASES[case].gap
                assert shown.bars == Bars(n, _said(case, n))
        state = at.home.directory.live[0].state
        assert {player.points for player in state.players.values()} == {0}


def _has_tapped(player: Player) -> bool:
    return player.you.tap is not None


def _said(case: int, n: int) -> dict[str, int]:
    """Return the tally: late people at this case said inner."""
    return {"outer": n - 1, "inner": 1}
