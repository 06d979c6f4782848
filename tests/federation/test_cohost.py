"""A local co-host over a real broker: the site's own people, and no others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from websockets.exceptions import ConnectionClosed

from client import Player, host
from server.app import Running
from server.game.commands import CloseVotes, OpenRound, OpenVote, Reveal
from server.protocol.keys import cohost_key, prove
from tests.federation.test_sites import Sites, sites
from tests.support.arrive import GUARD_S, arrive, see
from tests.support.broker import MORE_KINDS, Kind
from tests.support.wire import Wire, wire


@contextlib.asynccontextmanager
async def cohost(at: Sites, node: Running, site: str = "lisbon") -> AsyncIterator[Wire]:
    """Be the co-host of a site, at a node."""
    async with wire(node.port) as found:
        await found.prove("cohost", at.room, cohost_key(at.key, site))
        yield found


def names(roster: dict[str, Any]) -> list[str]:
    return [person["name"] for person in roster["people"]]


@pytest.mark.fault
@pytest.mark.parametrize("kind", MORE_KINDS)
async def test_a_cohost_acts_for_the_own_people_and_sees_what_the_screen_sees(
    tmp_path: Path, kind: Kind
) -> None:
    async with sites(tmp_path, kind) as at, contextlib.AsyncExitStack() as stack:
        lisbon = at.edges[0]
        teacher = await stack.enter_async_context(
            host(f"http://127.0.0.1:{at.home.port}", at.room, at.key)
        )
        ann = await arrive(stack, lisbon.local_url, at.room, "Ann")
        bob = await arrive(stack, at.home.local_url, at.room, "Bob")
        heard = await stack.enter_async_context(_everything(at))
        here = await stack.enter_async_context(cohost(at, lisbon))
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await asyncio.gather(see(ann, "vote"), see(bob, "vote"))
        await ann.vote("inner", 80, "Because.", to=ann.view)
        view = await here.phase("vote")
        assert set(view) == {"phase", "room", "story", "clock", "pinned"}
        panel = await here.until("site_panel")
        while panel["panel"]["answered"] != 1:
            panel = await here.until("site_panel")
        assert panel["panel"]["people"] == 1

        await here.send("get_roster", ref=1, site="berlin")
        roster = await here.until("roster")
        assert names(roster) == ["Ann"]
        assert (roster["people"][0]["points"], roster["people"][0]["rounds"]) == (
            None,
            None,
        )
        await here.do("lock", "give_time", site="berlin")  # means the own site
        state = at.home.directory.live[0].state
        assert state.locked_sites == {"lisbon"}
        assert state.poll is not None
        assert list(state.poll.site_until_ms) == ["lisbon"]
        await _are_refused(here, bob.you.player)
        await here.do("kick", player=ann.you.player)
        assert state.players[ann.you.player].is_kicked
        await _stays_out_until_let_back(here, lisbon, at, ann)
        await teacher.send(CloseVotes(override=True))
        await teacher.send(Reveal())
        shown = await here.phase("reveal")
        assert shown["verdict"] is None
        assert not [topic for topic in heard if "cohost" in topic]
        private = [
            topic for topic, payload in heard.items() if b"site_panel" in payload
        ]
        assert private == ["tg/v1/down/lisbon/berlin"]


async def _stays_out_until_let_back(
    here: Wire, lisbon: Running, at: Sites, ann: Player
) -> None:
    """Under this name no one joins at any site; a co-host lets the own people back."""
    await here.do("unlock")
    for node in (lisbon, at.home):
        async with wire(node.port) as twin:
            await twin.hello("player", room=at.room, name="ANN")
            assert (await twin.until("refused"))["code"] == "removed_name"
    await here.do("let_back", player=ann.you.player)
    async with wire(lisbon.port) as back:
        await back.hello("player", room=at.room, token=ann.token)
        assert (await back.until("welcome"))["name"] == "Ann"


async def _are_refused(here: Wire, stranger: str) -> None:
    await here.send("kick", ref=50, player=stranger)
    assert (await here.until("refused", ref=50))["code"] == "unknown_player"
    for kind in ("reveal", "close_votes", "finish", "open_round"):
        await here.send(kind, ref=51)
        assert (await here.until("refused"))["code"] == "not_allowed"


@contextlib.asynccontextmanager
async def _everything(at: Sites) -> AsyncIterator[dict[str, bytes]]:
    """Subscribe to all topics; nothing of a co-host's may be retained."""
    heard: dict[str, bytes] = {}

    async def listen() -> None:
        async with aiomqtt.Client("127.0.0.1", at.broker.port) as spy:
            await spy.subscribe("#")
            ready.set()
            async for message in spy.messages:
                payload = message.payload
                assert isinstance(payload, bytes)
                topic = message.topic.value
                heard[topic] = heard.get(topic, b"") + payload
                assert not (message.retain and b"site_panel" in payload)

    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(listen(), name="spy")
        await ready.wait()
        yield heard
        task.cancel()


@pytest.mark.fault
@pytest.mark.parametrize("kind", MORE_KINDS)
async def test_cohosts_keep_their_links_when_the_host_link_is_called_back(
    tmp_path: Path, kind: Kind
) -> None:
    async with sites(tmp_path, kind) as at, contextlib.AsyncExitStack() as stack:
        lisbon = at.edges[0]
        url = f"http://127.0.0.1:{at.home.port}"
        teacher = await stack.enter_async_context(host(url, at.room, at.key))
        ann = await arrive(stack, lisbon.local_url, at.room, "Ann")
        here = await stack.enter_async_context(cohost(at, lisbon))
        new = replace(at, key=await teacher.call_back_link())
        await here.do("lock")
        for known in (at, new):  # the link that was there, and one of the new key
            async with cohost(known, lisbon) as again:
                await again.do("unlock")
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await see(ann, "vote")
        await ann.vote("inner", 80, to=ann.view)

        newest = replace(at, key=await teacher.call_back_link(cohosts=True))
        assert (await here.until("bye"))["code"] == "link_called_back"
        for known in (at, new):
            async with wire(lisbon.port) as late:
                await late.hello("cohost", room=at.room)
                nonce = (await late.until("challenge"))["nonce"]
                key = cohost_key(known.key, "lisbon")
                await late.send("prove", proof=prove(key, "cohost", at.room, nonce))
                assert (await late.until("refused"))["code"] == "link_called_back"
        async with cohost(newest, lisbon) as invited:
            await invited.do("lock")
        assert at.home.directory.live[0].state.locked_sites == {"lisbon"}


@pytest.mark.fault
@pytest.mark.parametrize("kind", MORE_KINDS)
async def test_a_cohosts_key_is_good_at_one_site_and_shown_again_after_a_cut(
    tmp_path: Path, kind: Kind
) -> None:
    async with sites(tmp_path, kind) as at, contextlib.AsyncExitStack() as stack:
        lisbon, oslo = at.edges
        for node in at.edges:  # until both know the room
            await arrive(stack, node.local_url, at.room, "guide")
        for node in (oslo, at.home):
            async with wire(node.port) as thief:
                await thief.hello("cohost", room=at.room)
                nonce = (await thief.until("challenge"))["nonce"]
                key = cohost_key(at.key, "lisbon")
                await thief.send("prove", proof=prove(key, "cohost", at.room, nonce))
                assert (await thief.until("refused"))["code"] == "wrong_proof"
        here = await stack.enter_async_context(cohost(at, lisbon))
        await here.until("site_panel")
        await at.broker.kill()
        assert (await here.until("notice"))["code"] == "site_cut"
        await at.broker.start()
        bye = await here.until("bye")
        assert (bye["code"], bye["come_back"]) == ("prove_again", True)
        await _lock_again(at, lisbon)
        assert at.home.directory.live[0].state.locked_sites == {"lisbon"}


async def _lock_again(at: Sites, node: Running) -> None:
    """Lock the site, coming back as a page does: the line may flap when it heals."""
    async with asyncio.timeout(GUARD_S):
        while True:
            try:
                async with cohost(at, node) as again:
                    await again.do("lock")
                    return
            except ConnectionClosed:
                continue
