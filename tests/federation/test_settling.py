"""A reveal waits for sites that are behind, for as long as the host lets it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from scenarios.model import Flow
from server.federation.settling import Settling
from server.game.commands import (
    AskFix,
    CloseVotes,
    Discuss,
    Finish,
    HostCommand,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
)
from server.game.ids import RoomCode
from server.game.phases import Ballot, Phase
from server.game.settings import RoomSettings
from server.game.views.role_types import SiteLink
from server.protocol.client_messages import Ping
from server.rooms.audience import LocalGateway
from server.rooms.ports import MakeBarrier, Say
from tests.support.room import RecordingLink, Table, table


class FarSites:
    """Other sites, which flush when the test says so."""

    def __init__(self) -> None:
        self.late: set[str] = set()
        self.asked: list[int] = []

    def barrier(self, gateway: LocalGateway) -> MakeBarrier:
        """Return what makes the barrier of a room before these sites."""
        return lambda clock, is_idle: Settling(self, gateway, clock, is_idle)

    def behind(self, room: RoomCode, version: int) -> tuple[str, ...]:
        del room
        return tuple(sorted(self.late)) if version else ()

    def sites(self, room: RoomCode, version: int) -> tuple[SiteLink, ...]:
        names = ("lisbon", "oslo")
        behind = self.behind(room, version)
        return tuple(
            SiteLink(n, False, True, 12, n in behind, None, None) for n in names
        )

    def ask_flush(
        self, room: RoomCode, version: int, *, is_first: bool = False
    ) -> None:
        del room
        self.asked.append(version)


@contextlib.asynccontextmanager
async def closed(
    flow: Flow | None = None,
) -> AsyncIterator[tuple[Table, FarSites, RecordingLink]]:
    """A room whose first vote is closed, and its host."""
    far, gateway = FarSites(), LocalGateway()
    settings = RoomSettings(time_factor=None, flow=flow)
    barrier = far.barrier(gateway)
    async with table(settings, gateway=gateway, barrier=barrier) as at:
        host = await at.attend("host")
        _, ann = await at.join("Ann")
        await at.do(host, OpenRound(), OpenVote())
        at.vote(ann)
        await ann.get("recorded")
        await at.do(host, CloseVotes())
        yield at, far, host


def say(at: Table, host: RecordingLink, command: HostCommand) -> None:
    """Let the host give a command, and do not wait for what comes of it."""
    at.room.put(Say(link=host, message=command, stamped_ms=at.clock.ms))


async def pass_time(at: Table, host: RecordingLink, ms: int) -> None:
    """Move the clock in steps, and let the room look at it after each."""
    for _ in range(0, ms, 250):
        at.clock.ms += 250
        pings = 1_000 + len(host.of("pong"))
        at.room.put(Say(link=host, message=Ping(ref=pings), stamped_ms=at.clock.ms))
        await host.get("pong", ref=pings)


async def waits_for(at: Table, host: RecordingLink) -> list[str]:
    """Return for which sites the host is shown that something waits."""
    await pass_time(at, host, 1_000)
    held = host.of("panel")[-1]["panel"]["held"]
    return [site["name"] for site in held["sites"]] if held else []


async def test_a_reveal_waits_and_continues_once_all_votes_are_in() -> None:
    async with closed() as (at, far, host):
        far.late = {"lisbon"}
        say(at, host, Reveal(ref=7))
        assert await waits_for(at, host) == ["lisbon"]
        await pass_time(at, host, 10_000)  # however long it takes
        assert at.room.state.phase is Phase.VOTE_CLOSED
        far.late = set()
        await host.get("done", ref=7)
        assert at.room.state.phase is Phase.REVEAL
        assert await waits_for(at, host) == []


async def test_the_vote_that_was_waited_for_counts_in_the_reveal() -> None:
    async with closed() as (at, far, host):
        _, bob = await at.join("Bob")
        far.late = {"lisbon"}
        say(at, host, Reveal(ref=7))
        await waits_for(at, host)
        at.clock.ms -= 1_000  # stamped before the 2 s after the close had run out
        at.vote(bob)
        far.late = set()
        assert not (await bob.get("recorded"))["is_late"]
        await host.get("done", ref=7)
        assert at.room.state.rounds[0].polls[Ballot.VOTE].tally.n == 2


async def test_the_host_may_go_on_without_a_site_and_is_not_asked_again() -> None:
    async with closed() as (at, far, host):
        far.late = {"lisbon"}
        say(at, host, Reveal(ref=7))
        await waits_for(at, host)
        say(at, host, Reveal(ref=8, without=True))
        await host.get("done", ref=8)
        assert (await host.get("refused", ref=7))["code"] == "overtaken"
        assert at.room.state.phase is Phase.REVEAL
        await at.do(host, NextStep(all=True), AskFix(), CloseVotes())
        assert at.room.state.phase is Phase.FIX_REVEAL  # lisbon is still away


async def test_a_site_that_has_come_back_is_waited_for_again() -> None:
    async with closed() as (at, far, host):
        far.late = {"lisbon"}
        await at.do(host, Reveal(without=True), NextStep(all=True))
        far.late = set()
        await at.do(host, AskFix())
        await pass_time(at, host, 500)
        await at.do(host, OpenRound(round=1), OpenVote(), CloseVotes())
        far.late = {"lisbon"}
        say(at, host, Reveal(ref=7))
        assert await waits_for(at, host) == ["lisbon"]


async def test_another_command_takes_the_place_of_a_reveal_that_waits() -> None:
    async with closed() as (at, far, host):
        far.late = {"oslo"}
        say(at, host, Reveal(ref=7))
        say(at, host, NextStep(ref=8))
        await waits_for(at, host)
        await at.do(host, Discuss())
        codes = [(m["ref"], m["code"]) for m in host.of("refused") if m["ref"] < 9]
        assert codes == [(7, "overtaken"), (8, "overtaken")]
        assert at.room.state.phase is Phase.DISCUSS


async def test_what_follows_a_reveal_follows_it_when_it_comes() -> None:
    async with closed() as (at, far, host):
        far.late = {"oslo"}
        say(at, host, Reveal(ref=7))
        say(at, host, NextStep(ref=8, all=True))
        await waits_for(at, host)
        far.late = set()
        await host.get("done", ref=8)
        assert at.room.state.step > 0


async def test_a_close_that_reveals_waits_like_a_reveal() -> None:
    async with closed() as (at, far, host):
        await at.do(host, Reveal(), NextStep(all=True), AskFix())
        far.late = {"lisbon", "oslo"}
        say(at, host, CloseVotes(ref=70))
        assert await waits_for(at, host) == ["lisbon", "oslo"]
        assert at.room.state.phase is Phase.FIX
        held = host.of("panel")[-1]["panel"]["held"]
        assert held["command"] == "close_votes"
        say(at, host, CloseVotes(ref=71, without=True))
        await host.get("done", ref=71)
        assert at.room.state.phase is Phase.FIX_REVEAL


async def test_the_end_of_a_test_waits_like_a_reveal() -> None:
    async with closed("test") as (at, far, host):
        _, bob = await at.join("Bob")
        far.late = {"lisbon"}
        say(at, host, Finish(ref=70))
        assert await waits_for(at, host) == ["lisbon"]
        held = host.of("panel")[-1]["panel"]["held"]
        assert held["command"] == "finish"
        at.clock.ms -= 1_000  # stamped before the 2 s after the close had run out
        at.vote(bob)
        assert not (await bob.get("recorded"))["is_late"]
        say(at, host, Finish(ref=71, without=True))
        await host.get("done", ref=71)
        assert (await host.get("refused", ref=70))["code"] == "overtaken"
        assert at.room.state.phase is Phase.FINISHED
        assert len(at.room.state.rounds[0].scores) == 2


async def test_the_end_of_a_lesson_waits_for_no_site() -> None:
    async with closed() as (at, far, host):
        far.late = {"lisbon"}
        await at.do(host, Finish())
        assert at.room.state.phase is Phase.FINISHED
        assert at.room.state.rounds[0].scores == {}


async def test_sites_that_are_behind_are_asked_again() -> None:
    async with closed() as (at, far, host):
        far.late = {"lisbon"}
        say(at, host, Reveal(ref=7))
        await waits_for(at, host)
        asked = len(far.asked)
        await pass_time(at, host, 1_500)
        assert len(far.asked) > asked


async def test_an_automatic_close_waits_for_two_seconds_at_most() -> None:
    far, gateway = FarSites(), LocalGateway()
    settings, barrier = RoomSettings(auto_close=True), far.barrier(gateway)
    async with table(settings, gateway=gateway, barrier=barrier) as at:
        host = await at.attend("host")
        await at.do(host, OpenRound(), OpenVote(), CloseVotes())
        await at.do(host, Reveal(), NextStep(all=True), AskFix())
        far.late = {"lisbon"}
        assert at.room.state.deadline_ms is not None
        at.clock.ms = at.room.state.deadline_ms + 2_001
        await pass_time(at, host, 1_500)
        assert at.room.state.phase is Phase.FIX
        await pass_time(at, host, 1_000)
        assert at.room.state.phase is Phase.FIX_REVEAL


async def test_the_host_sees_every_site_whether_it_is_up_and_what_it_owes() -> None:
    async with closed() as (at, far, host):
        far.late = {"oslo"}
        await pass_time(at, host, 1_000)
        cards = host.of("panel")[-1]["panel"]["sites"]
        lines = [
            (c["name"], c["link"]["is_behind"], c["link"]["waiting"]) for c in cards
        ]
        assert lines == [("lisbon", False, 12), ("oslo", True, 12)]
