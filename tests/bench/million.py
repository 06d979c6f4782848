"""A room of a million: simulated edges, a real home, a real Mosquitto.

    python -m tests.bench.million                    # make bench-million
    python -m tests.bench.million --players 100000   # a quicker look

A million people are in the journal before the home starts, each joined by an event as
the server itself writes it; then everyone casts one vote through one of 50 simulated
edges. An edge sends what a real one does, by the real one's window: batches of at most
64 KB, each vote with its player's token and link, sent again until acknowledged; and it
is sent all receipts. The home is a server like any other, on a core of its own,
its journal on a real file with every commit synced. Broker and edges share the other
core.

Prints what the home took in, how long batches were on their way, and the memory for
each player; then reads the journal, in which every vote has to be.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import aiomqtt

from scenarios.build import build_plan
from scenarios.load import load_library
from scenarios.model import Label
from server.federation import topics
from server.federation.messages import (
    MOST_BYTES,
    DownBatch,
    UpItem,
    UpSay,
    encode,
    encode_up_batch,
)
from server.federation.sender import Window
from server.game.answers import GapAnswer
from server.game.events import Event, PlayerJoined, RoomOpened, VoteCast
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.journal.codec import decode
from server.journal.sqlite import SqliteStore
from server.protocol.client_messages import Vote
from server.protocol.keys import player_token
from tests.bench.speed import machine, room
from tests.bench.speed.measure import percentile
from tests.bench.speed.page import MARK, replace_part
from tests.bench.speed.server_process import Subject, subject
from tests.support.broker import Broker, open_broker

HOME, CODE = "home", RoomCode("MMMMMM")
SECRET = "5" * 32
EDGES, LINES = 50, 10
"""Edges, and the connections to the broker that they share."""

ON_THEIR_WAY = 2
"""Batches of an edge that are not acknowledged yet. A real edge lets 32 be; 50 edges
with that many would fill the home's inbox, which would have them sent again."""

VOTES_EACH = 200
"""Votes that an edge adds at a time: about what fits into a batch."""

RTO_S = 15.0
CHUNK = 20_000
MILLION = 1_000_000
GUARD_S = 60.0


def player_id(number: int) -> PlayerId:
    """Return the id of a player."""
    return PlayerId(f"{number:012x}")


async def write_journal(folder: Path, players: int) -> float:
    """Write a room with this many players; return the seconds it took."""
    library = load_library()
    plan = build_plan(
        library.deck("first-class"), library, seed=1, length=2, two_link=False
    )
    settings = RoomSettings(time_factor=10, max_players=players)
    store = await SqliteStore.open(folder / "journal.sqlite")
    began = time.monotonic()
    now_ms = int(time.time() * 1000)
    first = RoomOpened(CODE, plan, settings, 1, SECRET, now_ms)
    await store.append(CODE, 0, [first])
    for start in range(0, players, CHUNK):
        joined: list[Event] = [
            PlayerJoined(
                player_id(number), f"Player {number}", None, False, now_ms, site(number)
            )
            for number in range(start, min(start + CHUNK, players))
        ]
        await store.append(CODE, 1 + start, joined)
    await store.close()
    return time.monotonic() - began


def site(number: int) -> str:
    """Return the edge of a player."""
    return f"edge-{number % EDGES:02d}"


@dataclass(slots=True)
class Edge:
    """One simulated edge: what it has to send, and what is on its way."""

    name: str
    people: Iterator[int]
    window: Window = field(default_factory=lambda: Window(MOST_BYTES - 1_024))
    seq: int = 0
    sent_s: dict[int, float] = field(default_factory=dict)
    """When each request on its way was first sent."""

    def fill(self, now_ms: int) -> None:
        """Take more people's votes, while few batches are on their way."""
        if self.window.on_the_way >= ON_THEIR_WAY:
            return
        for number in islice(self.people, VOTES_EACH):
            self.seq += 1
            self.window.put(self.seq, encode(self._item(number, now_ms)))

    def _item(self, number: int, now_ms: int) -> UpItem:
        player = player_id(number)
        vote = Vote(
            round=0,
            ballot=Ballot.VOTE,
            client=ClientId(f"tab-{number}"),
            counter=1,
            answer=GapAnswer(list(Label)[number % 2], room.CHIPS[number % 6]),
        )
        token = player_token(SECRET, player)
        say = UpSay(token=token, message=vote, stamped_ms=now_ms)
        return UpItem(seq=self.seq, room=CODE, link=f"{number:08x}-1", body=say)


@dataclass(slots=True)
class Outcome:
    """What came back."""

    acked: int = 0
    receipts: int = 0
    lag_ms: list[float] = field(default_factory=list)
    batches: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    again: int = 0
    """Batches that were sent again."""


@dataclass(slots=True)
class Line:
    """One connection to the broker, for some of the edges."""

    edges: dict[str, Edge]
    outcome: Outcome

    async def run(self, port: int, number: int) -> None:
        """Send until every vote of these edges is acknowledged."""
        async with aiomqtt.Client(
            "127.0.0.1", port, identifier=f"edges-{number}"
        ) as client:
            for name in self.edges:
                await client.subscribe(topics.down(name, HOME), qos=0)
            async with asyncio.TaskGroup() as group:
                again = group.create_task(self._again(client), name="again")
                await self._talk(client)
                again.cancel()

    async def _talk(self, client: aiomqtt.Client) -> None:
        for edge in self.edges.values():
            await self._send(client, edge)
        async for message in client.messages:
            name = str(message.topic).split("/")[3]
            edge = self.edges[name]
            assert isinstance(message.payload, bytes)
            self._hear(edge, message.payload)
            await self._send(client, edge)
            if not any(one.sent_s for one in self.edges.values()):
                return

    async def _again(self, client: aiomqtt.Client) -> None:
        """Send again what has waited too long."""
        while True:
            await asyncio.sleep(1)
            for edge in self.edges.values():
                await self._send(client, edge)

    async def _send(self, client: aiomqtt.Client, edge: Edge) -> None:
        edge.fill(int(time.time() * 1000))
        now_s = time.monotonic()
        for batch in edge.window.due(now_s, RTO_S):
            payload = encode_up_batch(
                BOOT, batch.number, edge.window.oldest, batch.left.values()
            )
            for seq in batch.left:
                edge.sent_s.setdefault(seq, now_s)
            self.outcome.batches += 1
            self.outcome.again += batch.times > 1
            self.outcome.bytes_up += len(payload)
            await client.publish(topics.up(HOME, edge.name), payload, qos=0)

    def _hear(self, edge: Edge, payload: bytes) -> None:
        batch = DownBatch.model_validate_json(payload)
        now_s = time.monotonic()
        edge.window.acknowledged(batch.acks)
        for seq in batch.acks:
            if (sent_s := edge.sent_s.pop(seq, None)) is not None:
                self.outcome.lag_ms.append((now_s - sent_s) * 1000)
                self.outcome.acked += 1
        self.outcome.receipts += len(batch.items)
        self.outcome.bytes_down += len(payload)


BOOT = "simulated"


async def vote(port: int, players: int) -> Outcome:
    """Let all players vote through their edge; return what came back."""
    outcome = Outcome()
    edges = [Edge(site(i), iter(range(i, players, EDGES))) for i in range(EDGES)]
    lines = [
        Line({edge.name: edge for edge in edges[i::LINES]}, outcome)
        for i in range(LINES)
    ]
    async with asyncio.TaskGroup() as group:
        for number, line in enumerate(lines):
            group.create_task(line.run(port, number), name=f"line-{number}")
        group.create_task(_watch(outcome, players), name="watch")
    return outcome


async def _watch(outcome: Outcome, players: int) -> None:
    """Show what is going on; give up if nothing comes for long."""
    seen, since_s = 0, time.monotonic()
    while outcome.acked < players:
        await asyncio.sleep(0.1)
        if outcome.acked != seen:
            seen, since_s = outcome.acked, time.monotonic()
        elif time.monotonic() - since_s > GUARD_S:
            raise SystemExit(f"no acknowledgement for {GUARD_S:.0f} s at {seen:,}")
        tell(f"{seen:,} of {players:,} votes stored")


def tell(text: str) -> None:
    """Show what is going on, in one line that is written over."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


async def stored(folder: Path) -> int:
    """Count the voters in the journal."""
    store = await SqliteStore.open(folder / "journal.sqlite")
    bodies = await store._ask(
        lambda db: db.execute(
            "SELECT body FROM events WHERE body LIKE '%\"vote_cast\"%'"
        ).fetchall()
    )
    await store.close()
    events = (decode(body) for (body,) in bodies)
    return len({event.player for event in events if isinstance(event, VoteCast)})


def host_does(server: Subject, *commands: str) -> list[float]:
    """Give a host's commands; return the seconds each took."""
    host = room.Host(server)
    took = []
    for command in commands:
        tell(f"the host: {command}")
        began = time.monotonic()
        host.do(command)
        took.append(time.monotonic() - began)
    host.close()
    return took


async def run(players: int) -> str:
    """Do all of it; return what was found, a line each."""
    available = sorted(os.sched_getaffinity(0))
    core = available[0]
    machine.pin(available[-1])
    found = [f"{machine.processor()}; load before {machine.load()}"]
    with tempfile.TemporaryDirectory(prefix="twogaps-million-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        tell(f"writing a journal in which {players:,} have joined")
        wrote_s = await write_journal(folder / "data", players)
        found.append(f"{players:,} joined events written in {wrote_s:.1f} s")
        broker = open_broker("mosquitto", folder)
        await broker.start()
        try:
            found += await _measure(folder, broker, core, players)
        finally:
            await broker.kill()
        kept = await stored(folder / "data")
        found.append(f"voters found in the journal afterwards: {kept:,} of {players:,}")
    return "\n".join([*found, f"load after {machine.load()}"])


async def _measure(folder: Path, broker: Broker, core: int, players: int) -> list[str]:
    found: list[str] = []
    options = {"data": folder / "data", "broker": broker.url(), "site": HOME}
    tell("the home replays its journal")
    began = time.monotonic()
    with subject("two-gaps", core, **options) as server:
        ready_s, empty = time.monotonic() - began, server.ready["memory_before"]
        joined = server.memory_bytes
        found.append(
            f"home ready {ready_s:.1f} s after its start, {joined / 1e6:,.0f} MB: "
            f"{(joined - empty) / players:.0f} bytes for each who has joined"
        )
        took = await asyncio.to_thread(host_does, server, "open_round", "open_vote")
        found.append(f"open_round {took[0]:.2f} s, open_vote {took[1]:.2f} s")
        cpu, brokers = server.cpu_s, machine.cpu_s(broker.pid)
        mine, began = time.process_time(), time.monotonic()
        outcome = await vote(broker.port, players)
        took_s = time.monotonic() - began
        tell("")
        lag = sorted(outcome.lag_ms)
        found.append(
            f"{outcome.acked:,} votes stored and acknowledged in {took_s:.1f} s: "
            f"{outcome.acked / took_s:,.0f} a second, in {outcome.batches:,} batches "
            f"({outcome.again} sent again), {outcome.receipts:,} receipts\n"
            f"lag of a vote from its edge to its acknowledgement there: "
            f"p50 {percentile(lag, 0.5):.0f} ms, p99 {percentile(lag, 0.99):.0f} ms\n"
            f"up {outcome.bytes_up / players:.0f} and down "
            f"{outcome.bytes_down / players:.0f} bytes a vote\n"
            f"CPU for 1,000 votes: home {(server.cpu_s - cpu) / players * 1e3:.4f} s, "
            f"broker {(machine.cpu_s(broker.pid) - brokers) / players * 1e3:.4f} s, "
            f"edges {(time.process_time() - mine) / players * 1e3:.4f} s"
        )
        voted = server.memory_bytes
        found.append(
            f"then {voted / 1e6:,.0f} MB: {(voted - empty) / players:.0f} bytes for "
            "each who has joined, voted, and is linked"
        )
        took = await asyncio.to_thread(host_does, server, "close_votes", "reveal")
        found.append(f"close_votes {took[0]:.2f} s, reveal {took[1]:.2f} s")
    return found


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", type=int, default=MILLION)
    players = parser.parse_args().players
    found = asyncio.run(run(players))
    print(found)
    if players == MILLION:
        replace_part("million", f"{MARK}\n\n```\n{found}\n```")


if __name__ == "__main__":
    main()
