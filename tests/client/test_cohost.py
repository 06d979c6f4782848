"""A co-host's client: shows its key, follows the stage, and acts for its site."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from client import CommandRefused, cohost
from server.game.commands import GiveTime, Kick, Lock
from server.game.ids import PlayerId
from server.game.views.role_types import CohostPanel
from server.protocol.client_messages import ChallengeLabel, GetRoster, Hello, Prove
from server.protocol.keys import prove
from server.protocol.server_messages import (
    Challenge,
    Done,
    RefusedMessage,
    Roster,
    SitePanel,
    View,
    Welcome,
)
from tests.client.fake_server import KEY, ROOM, FakeServer, lobby

PANEL = CohostPanel("lisbon", 3, 2, 1, 2, False, True, None, 0)


async def test_a_cohost_acts_for_the_own_site(fake: FakeServer) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        assert (await peer.take(Hello)).role == "cohost"
        await peer.send(Challenge(nonce="n"))
        assert (await peer.take(Prove)).proof == prove(KEY, "cohost", ROOM, "n")
        await peer.send(
            Welcome(role="cohost", room=ROOM, server="fake", now_ms=0, site="lisbon"),
            View(version=1, view=lobby()),
            SitePanel(version=1, panel=PANEL),
        )
        await peer.send(Done(ref=(await peer.take(Lock)).ref))
        time = await peer.take(GiveTime)
        assert time.seconds == 60
        await peer.send(Done(ref=time.ref))
        stranger = await peer.take(Kick)
        await peer.send(
            RefusedMessage(code="unknown_player", detail="No.", ref=stranger.ref)
        )
        ask = await peer.take(GetRoster)
        await peer.send(Roster(ref=ask.ref, offset=0, total=0, people=()))
        against = await peer.take(ChallengeLabel)
        assert (against.round, against.text) == (1, "It was not.")
        await peer.send(
            Done(ref=against.ref),
            SitePanel(version=2, panel=replace(PANEL, challenge=against.text)),
        )

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with cohost(fake.url, ROOM, KEY) as here:
            assert here.view.phase == "lobby"
            assert (await here.until(lambda panel: panel.people == 3)) == PANEL
            await here.lock()
            await here.give_time(60)
            with pytest.raises(CommandRefused, match="No"):
                await here.kick(PlayerId("p9"))
            assert (await here.roster()).total == 0
            await here.challenge("It was not.", 1)
            panel = await here.until(lambda panel: panel.challenge != "")
            assert panel.challenge == "It was not."
