"""A site that sends every kind of message, mutated field by field, beside two others.

The attacker has home rights and knows what no site can know: the ids of all links.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios.model import Label
from server.federation.mqtt import Bus, MqttBus, Will
from server.federation.topics import BrokerAddress
from server.game.commands import (
    CloseVotes,
    Reveal,
)
from tests.support.attacked import EVE, SITES, World, attacker
from tests.support.broker import KINDS, Kind, shipped_broker
from tests.support.fake_bus import FakeBroker
from tests.support.figures import Figure
from tests.support.mutations import FORGED, Mutator, decodes
from tests.support.room import RecordingLink
from tests.support.tiers import scaled, seed
from tests.support.until import until

PATIENCE_S = 60
ATTACK = 100
"""Messages between two honest votes."""


def _is_untouched(world: World) -> None:
    """Hold that no frame of the attacker has reached an honest site's people."""
    for person in world.people:
        text = json.dumps(person.link.messages)
        assert FORGED not in text, person.name
        assert not person.link.is_parted, (person.name, person.link.messages[-1])
        assert not person.link.of("refused")
        assert [m["token"] for m in person.link.of("welcome")] == [person.token]
    for link in world.hosts.values():
        assert not link.is_parted


async def _attack(world: World, number: int, figure: Figure, about: str) -> None:
    """Send mutated messages beside two sites that play on, and end their rounds."""
    chance = random.Random(seed())
    await world.open()
    kinds, decoded = Counter[str](), Counter[str]()
    async with attacker(world) as (eve, ears):
        mutator = Mutator(world, chance)
        for count in range(number):
            kind, topic, payload = mutator.next()
            kinds[kind] += 1
            decoded[kind] += decodes(kind, payload)
            eve.publish(topic, payload, retain="/home/" in topic or "/node/" in topic)
            if count % ATTACK == 0:
                await world.vote(chance.choice(world.people), chance.choice([*Label]))
                await until(lambda: eve.is_up)
        assert eve.dropped == 0, "the attacker has not sent all of it"
        for person in world.people:
            await world.vote(person)
        _is_untouched(world)
        private = b"".join(payload for _, payload in ears.heard).decode()
        for person in world.people:
            assert person.token not in private
            assert person.name not in private
        _report(kinds, decoded, figure, about)
        for name in SITES:
            await world.do(name, CloseVotes(override=True, without=True))
            await world.do(name, Reveal(without=True))


def _report(
    kinds: Counter[str], decoded: Counter[str], figure: Figure, about: str
) -> None:
    """Print how many messages of each kind a node can read: at least half of all."""
    share = decoded.total() / kinds.total()
    each = ", ".join(f"{k} {decoded[k]}/{n}" for k, n in sorted(kinds.items()))
    figure(f"mutated, {about}: {kinds.total():,} messages, {share:.0%} decode: {each}")
    assert share >= 0.5


async def _nothing_survives(world: World) -> None:
    """Restart both sites without the attacker, and play on."""
    await world.stop()
    await world.broker.kill()
    await world.start()
    for name, other in (SITES, SITES[::-1]):
        await world.host(name)
        edge, code = world.sites[name].node.edge, world.codes[other]
        await until(lambda e=edge, c=code, o=other: e.home_of(c) == o)  # type: ignore[misc]
        await until(lambda e=edge: e.sender.owed == 0)  # type: ignore[misc]
        view = world.hosts[name].of("host_view")[-1]["view"]
        assert view["stage"]["phase"] == "reveal"
    for person in world.people:
        await world.back(person)
        assert FORGED not in json.dumps(person.link.messages)
    await world.stop()


@pytest.mark.sampled
@pytest.mark.timeout(1_200)
async def test_a_site_that_sends_anything_harms_no_other(
    tmp_path: Path, figure: Figure
) -> None:
    world = World(tmp_path, FakeBroker(), PatientLink)
    await _attack(world, scaled(3_000, 20_000, 200_000), figure, "broker in memory")
    await _nothing_survives(world)
    for site in world.sites.values():  # the broker has forgotten what it retained
        assert len(site.node.edge._rooms) == 1


class PatientLink(RecordingLink):
    """Waits for a real broker, which shares the machine with a flood."""

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait, message by message, until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._news.clear()
                await self._news.wait()


class RealNet:
    """A broker with the shipped rights, all three sites having home rights."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        rights = dict.fromkeys((*SITES, EVE), True)
        self._broker, self._urls = shipped_broker(kind, folder, rights)
        self.start, self.kill = self._broker.start, self._broker.kill

    def bus(
        self, client_id: str, subscriptions: tuple[tuple[str, int], ...], will: Will
    ) -> Bus:
        """Return a site's bus."""
        address = BrokerAddress.parse(self._urls[client_id])
        return MqttBus(address, address.client_id(client_id), subscriptions, will)


@pytest.mark.sampled
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_site_that_sends_anything_harms_no_other_on_a_real_broker(
    tmp_path: Path, figure: Figure, kind: Kind
) -> None:
    net = RealNet(kind, tmp_path)
    world = World(tmp_path, net, PatientLink)
    try:
        await _attack(world, scaled(1_000, 10_000, 200_000), figure, kind)
        await _nothing_survives(world)
    finally:
        await net.kill()
