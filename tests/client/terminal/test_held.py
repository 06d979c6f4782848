"""The terminal host, when a reveal waits for another site."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from client.connection import Backoff
from client.staff import host
from client.terminal.host import Desk
from server.game.commands import CloseVotes, Reveal
from server.game.phases import Phase
from server.game.views.role_types import ChallengeCard, HeldReveal, SiteCard, SiteLink
from server.protocol.client_messages import ChallengeLabel
from server.protocol.server_messages import Done, HostViewMessage, Panel, RefusedMessage
from tests.client.fake_server import KEY, PANEL, ROOM, FakeServer, host_view, voting
from tests.client.terminal.sheet import Sheet, Typed

LISBON = SiteLink("lisbon", False, False, 12, True, 14, None)
CARD = SiteCard("lisbon", 20, 18, 12, 6, (0.25, 0.75), 1, LISBON)


async def test_the_host_sees_the_awaited_sites_and_continues(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet, typed = Sheet(), Typed()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(_host(fake, no_wait, sheet, typed), name="host")
        peer = await fake.peer()
        await peer.admit_host()
        closed = replace(
            host_view(voting(phase=Phase.VOTE_CLOSED)), commands=("reveal",)
        )
        panel = replace(PANEL, advised="reveal", sites=(CARD,), late=1)
        await peer.send(
            HostViewMessage(version=5, view=closed), Panel(version=5, panel=panel)
        )
        await sheet.shows("Enter:")
        await typed.type("r")
        first = await peer.take(Reveal)
        assert not first.without
        held = replace(panel, held=HeldReveal("reveal", (LISBON,)))
        await peer.send(Panel(version=5, panel=held))
        await sheet.shows("Waiting for lisbon (cut, silent for 14 s, 12 votes")
        await typed.type("i")
        await sheet.shows("50% (25 to 75)")
        await typed.type("g")
        again = await peer.take(Reveal)
        assert again.without
        await peer.send(
            RefusedMessage(code="overtaken", detail="", ref=first.ref),
            Panel(version=6, panel=panel),
            Done(ref=again.ref),
        )
        await typed.type("q")


async def test_the_host_reads_challenges_with_names_and_has_one_too(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet, typed = Sheet(), Typed()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(_host(fake, no_wait, sheet, typed), name="host")
        peer = await fake.peer()
        await peer.admit_host()
        told = (
            ChallengeCard("cohost", "lisbon", "We measured it."),
            ChallengeCard("player", "Ada", "It was never paid for."),
        )
        panel = replace(PANEL, challenged=40, challenges=told)
        view = host_view(voting(phase=Phase.VOTE_CLOSED))
        await peer.send(
            HostViewMessage(version=5, view=view), Panel(version=5, panel=panel)
        )
        await typed.type("i")
        await sheet.shows("Challenges to this label: 40")
        await sheet.shows("“We measured it.” – co-host at lisbon")
        await sheet.shows("“It was never paid for.” – Ada")
        await sheet.shows("and 38 more, in the report")
        await typed.type("challenge The rule of steps decides.")
        own = await peer.take(ChallengeLabel)
        assert (own.round, own.text) == (0, "The rule of steps decides.")
        await peer.send(Done(ref=own.ref))
        await sheet.shows("Done.")
        await typed.type("challenge")
        taken = await peer.take(ChallengeLabel)
        assert taken.text == ""
        await peer.send(Done(ref=taken.ref))
        await typed.type("q")


async def test_a_second_enter_on_the_heels_of_the_first_is_not_the_next_step(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet, typed = Sheet(), Typed()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(_host(fake, no_wait, sheet, typed, 60.0), name="host")
        peer = await fake.peer()
        await peer.admit_host()
        closed = replace(
            host_view(voting(phase=Phase.VOTE_CLOSED)), commands=("reveal",)
        )
        panel = replace(PANEL, advised="reveal")
        await peer.send(
            HostViewMessage(version=5, view=closed), Panel(version=5, panel=panel)
        )
        await sheet.shows("Enter: reveal")
        await typed.type("")
        await sheet.shows("Just changed")
        await typed.type("r")
        reveal = await peer.take(Reveal)
        assert reveal.seen == closed.place
        await peer.send(Done(ref=reveal.ref), Panel(version=6, panel=panel))
        await typed.type("q")


async def test_a_close_is_asked_about_while_few_have_answered(
    fake: FakeServer, no_wait: Backoff
) -> None:
    sheet, typed = Sheet(), Typed()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(_host(fake, no_wait, sheet, typed), name="host")
        peer = await fake.peer()
        await peer.admit_host()
        open_ = replace(host_view(voting()), commands=("close_votes",))
        panel = replace(PANEL, advised="close_votes", answered=0, expected=6)
        await peer.send(
            HostViewMessage(version=5, view=open_), Panel(version=5, panel=panel)
        )
        await sheet.shows("Enter: close voting")
        await typed.type("c")
        await sheet.shows("0 of 6 have answered. Repeat to close.")
        await typed.type("c")
        close = await peer.take(CloseVotes)
        await peer.send(Done(ref=close.ref), Panel(version=6, panel=panel))
        await typed.type("q")


async def _host(
    fake: FakeServer,
    no_wait: Backoff,
    sheet: Sheet,
    typed: Typed,
    guard_s: float = 0.0,
) -> None:
    async with host(fake.url, ROOM, KEY, backoff=no_wait) as leader:
        await Desk(leader, sheet.console, typed, guard_s).work()
