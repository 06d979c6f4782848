"""A phone reloaded while its site is cut off keeps playing, and is checked later."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from client import host
from server.federation.seats import Returners
from server.game.commands import Kick, OpenRound, OpenVote
from server.protocol.keys import screen_key
from tests.federation.test_movers import vote
from tests.federation.test_sites import sites
from tests.support.arrive import arrive
from tests.support.wire import wire


@pytest.mark.fault
async def test_a_phone_that_comes_back_in_a_cut_keeps_voting(tmp_path: Path) -> None:
    async with sites(tmp_path, "mosquitto") as at, contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{at.home.port}"
        teacher = await stack.enter_async_context(host(url, at.room, at.key))
        lisbon = at.edges[0]
        await arrive(stack, lisbon.local_url, at.room, "guide")
        screen = await stack.enter_async_context(wire(lisbon.port))
        await screen.prove("screen", at.room, screen_key(at.key))
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        tokens = {}
        for name in ("Ann", "Bob"):
            async with wire(lisbon.port) as phone:
                tokens[name] = (await phone.join(at.room, name))["token"]
                await phone.phase("vote")
                await phone.until("you")
        state = at.home.directory.live[0].state
        (bob,) = [p.id for p in state.players.values() if p.name == "Bob"]
        await at.broker.kill()
        await screen.until("notice", code="site_cut")
        await teacher.send(Kick(player=bob))
        async with wire(lisbon.port) as ann, wire(lisbon.port) as gone:
            for phone, name in ((ann, "Ann"), (gone, "Bob")):
                await phone.hello("player", room=at.room, token=tokens[name])
                assert (await phone.until("welcome"))["name"] == name
                await phone.phase("vote")
                assert (await phone.until("you"))["you"]["name"] == name
                await phone.until("notice", code="site_cut")
            await ann.send("vote", **vote("outer", 1))
            await ann.until("received")
            await at.broker.start()
            await ann.until("notice", code="site_back")
            assert not (await ann.until("recorded"))["is_late"]
            assert (await gone.until("bye"))["come_back"] is False
            await screen.until("progress", answered=1)  # the site's own projector
        async with wire(lisbon.port) as thief:  # no token of this room
            await thief.hello("player", room=at.room, token=tokens["Ann"] + "0")
            assert (await thief.until("refused"))["code"] == "bad_token"


def test_returners_beyond_the_limit_are_forgotten_oldest_first() -> None:
    known = Returners(most=2)
    for token in ("a", "b", "c"):
        known.welcomed(token, "ROOM", b"", token)  # type: ignore[arg-type] # ids
    assert known.find("a", "ROOM") is None  # type: ignore[arg-type] # as above
    assert known.find("c", "OTHER") is None  # type: ignore[arg-type] # as above
    known.told("c", b"you")
    known.welcomed("c", "ROOM", b"", "c")  # type: ignore[arg-type] # as above
    found = known.find("c", "ROOM")  # type: ignore[arg-type] # as above
    assert found is not None
    assert found.you == b"you"
