"""What a host steers reaches people at every site, and costs no vote."""

from __future__ import annotations

from typing import Any

from server.game.commands import (
    CloseVotes,
    NextStep,
    OpenRound,
    OpenVote,
    ReorderPlan,
    Reveal,
    ShowAgain,
    StartClock,
    StopClock,
)
from server.game.phases import Ballot, Phase
from tests.support.two_sites import NAMES, Class, two_sites


async def view_of(at: Class, name: str, is_wanted: Any) -> dict[str, Any]:
    """Wait until a player's latest view is as wanted; return it."""
    link = at.link(name)

    def latest() -> dict[str, Any]:
        views = link.of("view")
        return views[-1]["view"] if views else {}

    await link.until(lambda: bool(latest()) and is_wanted(latest()))
    return latest()


def stands(view: dict[str, Any]) -> bool:
    return bool((view.get("clock") or {}).get("is_stopped"))


async def test_a_clock_stops_and_starts_at_both_sites_and_votes_still_count() -> None:
    async with two_sites(time_factor=1, auto_close=True) as at:
        await at.do(OpenRound(), OpenVote())
        await at.do(StopClock())
        left = [(await view_of(at, n, stands))["clock"]["remaining_ms"] for n in NAMES]
        assert len(set(left)) == 1
        counters = {name: at.vote(Ballot.VOTE, (name, "outer")) for name in NAMES}
        for name, counter in counters.items():
            await at.counted(name, counter)
        state = await at.state()
        assert state.phase is Phase.VOTE, "all have answered, and nothing closes"
        assert state.round.polls[Ballot.VOTE].tally.n == len(NAMES)
        at.clock.ms += 3_600_000
        await at.do(StartClock())
        for name in NAMES:
            await view_of(at, name, lambda view: not stands(view))
        for name in NAMES:
            await view_of(at, name, lambda view: view["phase"] == "vote_closed")


async def test_an_earlier_reveal_is_shown_at_both_sites_with_own_answers() -> None:
    async with two_sites() as at:
        await at.do(OpenRound(), OpenVote())
        for name in NAMES:
            at_site = at.vote(Ballot.VOTE, (name, "outer"))
            await at.counted(name, at_site)
        await at.do(CloseVotes(), Reveal())
        await at.steer(NextStep(all=True))
        await at.steer(ReorderPlan(order=(2, 1)))
        await at.do(OpenRound())
        assert (await at.state()).round.case.id == "case-2"
        await at.steer(ShowAgain(round=0))
        for name in NAMES:
            view = await view_of(at, name, lambda view: view.get("is_again"))
            assert view["verdict"] is not None
            link = at.link(name)
            await link.until(lambda link=link: link.of("you")[-1]["you"]["round"] == 0)
            assert link.of("you")[-1]["you"]["votes"][0]["is_right"]
        await at.do(OpenVote())
        for name in NAMES:
            await view_of(at, name, lambda view: view["phase"] == "vote")
            link = at.link(name)
            await link.until(lambda link=link: link.of("you")[-1]["you"]["round"] == 1)
            assert link.of("you")[-1]["you"]["votes"] == []
