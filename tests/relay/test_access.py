"""The shipped broker configuration, on real brokers: who may say and hear what."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from client import Label, host
from server.app import Config, running
from server.game.commands import CloseVotes, NextStep, OpenRound, OpenVote, Reveal
from server.game.settings import RoomSettings
from server.protocol.client_messages import OpenRoom
from server.relay.rights import SHARED
from tests.support.arrive import GUARD_S, arrive, see
from tests.support.broker import KINDS, Broker, shipped_broker

HOME, EDGE, EVE = "berlin", "lisbon", "oslo"
WAYS = ("up", "down", "clk/up", "clk/down")


@dataclass(frozen=True, slots=True)
class Guarded:
    """A broker with the shipped rights, and the addresses of its sites."""

    broker: Broker
    urls: dict[str, str]

    def client(self, site: str) -> aiomqtt.Client:
        """Return a bare MQTT client that logs in as a site."""
        url = self.urls[site]
        password = re.search(r":([^:@]+)@", url)
        assert password is not None
        return aiomqtt.Client(
            "127.0.0.1",
            self.broker.port,
            username=site,
            password=password[1],
            identifier=f"{site}-probe",
        )


@pytest.fixture(params=KINDS)
async def guarded(
    tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Guarded]:
    sites = {HOME: True, EDGE: False, EVE: False}
    broker, urls = shipped_broker(request.param, tmp_path, sites)
    path = tmp_path / "broker" / "mosquitto.conf"
    if path.exists():  # so that a probe may stand beside a node
        path.write_text(path.read_text().replace("use_username_as_clientid true", ""))
    await broker.start()
    yield Guarded(broker, urls)
    await broker.kill()


async def test_a_site_may_speak_only_for_itself(guarded: Guarded) -> None:
    forbidden = (
        f"tg/v1/up/{HOME}/{EDGE}",
        f"tg/v1/home/{HOME}/room/K7MQ2P/player",
        f"tg/v1/home/{EVE}/room/K7MQ2P/player",
        f"tg/v1/node/{HOME}/state",
        f"tg/v1/down/{EDGE}/{HOME}",
        f"tg/v1/clk/down/{EDGE}/{HOME}",
    )
    async with (
        guarded.client(HOME) as home,
        guarded.client(EDGE) as edge,
        guarded.client(EVE) as eve,
    ):
        await _hear_all(home)
        await _hear_all(edge)
        for topic in forbidden:
            await eve.publish(topic, b"forged")
        await eve.publish(f"tg/v1/up/{HOME}/{EVE}", b"allowed")
        await eve.publish(f"tg/v1/node/{EVE}/state", b"allowed", qos=1)
        assert await _first(home) == "allowed"
        assert await _first(edge) == "allowed"


async def test_a_site_cannot_hear_anothers_private_messages(guarded: Guarded) -> None:
    async with guarded.client(HOME) as home, guarded.client(EVE) as eve:
        await _hear_all(eve)
        await home.publish(f"tg/v1/down/{EDGE}/{HOME}", b"for lisbon alone")
        await home.publish(f"tg/v1/down/{EVE}/{HOME}", b"for oslo")
        assert await _first(eve) == "for oslo"


FILTERS = (
    "#",
    "tg/v1/#",
    "+/+/+/+/+",
    "$SYS/#",
    "$MQTT/#",
    "$MQTT/msgs/#",
    "$MQTT/rmsgs/#",
    "$MQTT/sub/#",
    "$JS/#",
    "tg/v1/>",
    "tg/v1/node/+/state",
    *(f"tg/v1/home/+/room/+/{kind}" for kind in ("host", "panel", "+", *SHARED)),
    "tg/v1/home/+/#",
    *(f"tg/v1/{way}/{site}/+" for way in WAYS for site in (HOME, EDGE, EVE)),
    *(f"tg/v1/{way}/+/{site}" for way in WAYS for site in (HOME, EDGE, EVE)),
)
"""Everything that somebody who is curious would subscribe to, one by one."""


async def _hear_all(client: aiomqtt.Client) -> None:
    """Subscribe to everything; what is refused is refused."""
    for topic in FILTERS:
        await client.subscribe(topic, qos=1)


async def _first(client: aiomqtt.Client) -> str:
    async with asyncio.timeout(GUARD_S):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            return message.payload.decode()
    raise AssertionError("the broker has left")


async def test_no_topic_that_a_site_can_read_tells_before_the_reveal(
    guarded: Guarded, tmp_path: Path
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        nodes = {}
        for site in (HOME, EDGE):
            config = Config(
                port=0, data=tmp_path / site, broker=guarded.urls[site], site=site
            )
            nodes[site] = await stack.enter_async_context(running(config))
        spy = await stack.enter_async_context(guarded.client(EVE))
        await _hear_all(spy)
        heard: list[tuple[str, bytes]] = []
        listening = asyncio.create_task(_listen(spy, heard))
        order = OpenRoom(
            deck="first-class", seed=1, settings=RoomSettings(time_factor=10)
        )
        room, key = await nodes[HOME].admin.open_room(order)
        url = f"http://127.0.0.1:{nodes[HOME].port}"
        teacher = await stack.enter_async_context(host(url, room, key))
        edge_url = nodes[EDGE].local_url
        players = [await arrive(stack, edge_url, room, f"P{i}") for i in range(6)]
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await asyncio.gather(*(see(player, "vote") for player in players))
        async with asyncio.timeout(GUARD_S):
            await asyncio.gather(*(player.vote(Label.OUTER, 90) for player in players))
        await teacher.send(CloseVotes())
        await asyncio.gather(*(see(player, "vote_closed") for player in players))
        before = len(heard)
        case = teacher.view.case
        assert case is not None
        await teacher.send(Reveal())
        await teacher.send(NextStep(all=True))
        told = json.dumps(case.breakdown.why, ensure_ascii=False)[1:-1]
        async with asyncio.timeout(GUARD_S):  # the reveal itself is shown
            while not any(told in text for _, text in _all(heard)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    secret = [payload.decode() for _, payload in heard[:before]]
    assert secret, "the spy heard nothing at all"
    assert not any(told in text or '"bars"' in text for text in secret)
    assert not any("host_view" in text or '"panel"' in text for _, text in _all(heard))
    assert not any("/down/" in topic or "/up/" in topic for topic, _ in heard)


def _all(heard: list[tuple[str, bytes]]) -> list[tuple[str, str]]:
    return [(topic, payload.decode()) for topic, payload in heard]


async def _listen(client: aiomqtt.Client, heard: list[tuple[str, bytes]]) -> None:
    async for message in client.messages:
        assert isinstance(message.payload, bytes)
        heard.append((message.topic.value, message.payload))
