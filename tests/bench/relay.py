"""From a phone's tap to "recorded": through a site, a broker and a home, and locally.

    python -m tests.bench.relay                  # make bench-relay
    python -m tests.bench.relay --kind nats

Servers, broker and players are processes of their own on this machine, every commit is
synced. The same people vote by turns at a server without sites, at a room's home, and
at another site of it, so that whatever else the machine does falls on all alike. Prints
a table for docs/cohorts.md, and what a home takes in from many sites together
(tests/bench/million.py), whose votes come in full batches.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from client import Host, Label, Player, host
from server.game.commands import OpenRound, OpenVote
from tests.bench import million
from tests.bench.speed import machine
from tests.bench.speed.measure import percentile
from tests.support.arrive import arrive
from tests.support.broker import KINDS, Kind, open_broker
from tests.support.node import Node

CROWDS = (1, 50)
"""How many vote at the same time."""

BLOCKS, VOTES = 6, 40
"""Turns of each place, and votes of each person in a turn."""


@dataclass(slots=True)
class Place:
    """Where people vote, and how long each of their votes took."""

    name: str
    url: str
    room: str
    waits_ms: dict[int, list[float]] = field(default_factory=dict)
    took_s: dict[int, float] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def places(folder: Path, kind: Kind) -> AsyncIterator[list[Place]]:
    """Run a server alone, and a home and a site with a broker between them."""
    broker = open_broker(kind, folder)
    await broker.start()
    alone = Node(folder / "alone")
    home = Node(folder / "home", broker.url(), "berlin")
    site = Node(folder / "site", broker.url(), "lisbon")
    nodes = (alone, home, site)
    try:
        async with contextlib.AsyncExitStack() as stack:
            first, second, _ = [await node.start() for node in nodes]
            for node, room in ((alone, first), (home, second)):
                teacher = await stack.enter_async_context(
                    host(node.url, room.room, room.key)
                )
                await _open(teacher)
            yield [
                Place("one server, no sites", alone.url, first.room),
                Place("at the room's home", home.url, second.room),
                Place(f"at another site, over {kind}", site.url, second.room),
            ]
    finally:
        for node in nodes:
            await node.stop()
        await broker.kill()


async def _open(teacher: Host) -> None:
    await teacher.send(OpenRound())
    await teacher.send(OpenVote())


async def turn(place: Place, people: list[Player]) -> None:
    """Let people vote one after another, each as soon as the last is recorded."""
    waits = place.waits_ms.setdefault(len(people), [])

    async def one(player: Player) -> None:
        for number in range(VOTES):
            began_s = time.perf_counter()
            await player.vote(list(Label)[number % 2], 80, to=player.view)
            waits.append(1000 * (time.perf_counter() - began_s))

    began_s = time.perf_counter()
    await asyncio.gather(*(one(player) for player in people))
    took_s = time.perf_counter() - began_s
    place.took_s[len(people)] = place.took_s.get(len(people), 0.0) + took_s


async def measure(kind: Kind) -> list[Place]:
    """Let all players of all places vote by turns."""
    with tempfile.TemporaryDirectory(prefix="twogaps-relay-") as name:
        async with (
            places(Path(name), kind) as found,
            contextlib.AsyncExitStack() as stack,
        ):
            people = {
                place.name: [
                    await arrive(
                        stack, place.url, place.room, f"P{n} {place.name[:12]}"
                    )
                    for n in range(max(CROWDS))
                ]
                for place in found
            }
            for place in found:  # once for nothing: whatever is slow at first
                await turn(place, people[place.name][:2])
                place.waits_ms.clear()
                place.took_s.clear()
            for crowd in CROWDS:
                for block in range(BLOCKS):
                    million.tell(f"{crowd} together, turn {block + 1} of {BLOCKS}")
                    for place in found:
                        await turn(place, people[place.name][:crowd])
            million.tell("")
            return found


def table(found: list[Place]) -> str:
    """Return the table, with the last column beside the first place."""
    lines = [
        "| votes | at the same time | p50 | p99 | votes a second "
        "| p50, relative to one server |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for crowd in CROWDS:
        local = percentile(sorted(found[0].waits_ms[crowd]), 0.5)
        for place in found:
            waits = sorted(place.waits_ms[crowd])
            p50, p99 = percentile(waits, 0.5), percentile(waits, 0.99)
            rate = len(waits) / place.took_s[crowd]
            lines.append(
                f"| {place.name} | {crowd} | {p50:.1f} ms | {p99:.1f} ms | "
                f"{rate:,.0f} | {p50 / local:.1f} × |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="mosquitto")
    parser.add_argument("--ingest", type=int, default=100_000, help="0: not at all")
    asked = parser.parse_args()
    print(f"{machine.processor()}; load before: {machine.load()}\n")
    print(table(asyncio.run(measure(asked.kind))))
    print(f"\nload after: {machine.load()}\n")
    if asked.ingest:
        asyncio.run(million.run(asked.ingest))


if __name__ == "__main__":
    main()
