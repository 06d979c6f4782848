"""A fleet is upgraded node by node during votes, and taken back to the old version.

The next version is a patched copy of this one, with an event, fields in messages, and a
column that this version does not know.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from server.game.features.room import NameRoom
from server.game.ids import RoomCode
from server.journal.codec import decode_all
from server.journal.postgres import PostgresStore
from tests.faults.test_fleet import NAMES, Classes, Fleet, held_against, voting
from tests.support.broker import shipped_broker
from tests.support.figures import Figure
from tests.support.next_version import EVENT, ROOT, VERSION, next_version
from tests.support.next_version import READS as NEXT_READS
from tests.support.recordings import recorded
from tests.support.voters import check_events
from tests.support.wire import wire

pytestmark = [pytest.mark.fault, pytest.mark.full, pytest.mark.timeout(600)]


async def restart(fleet: Fleet, name: str, root: Path, *classes: Classes) -> None:
    """Stop a node in order, and start it again with the program in a folder."""
    node = fleet.nodes[name]
    fleet.door.down.add(name)
    assert await node.stop() == 0
    node.root = root
    await node.start()
    fleet.door.down.discard(name)
    for each in classes:
        await each.again()


def row(fleet: Fleet, code: str) -> tuple[str, bool, list[int]]:
    """Return the node of a room, whether it is held, and what its journal needs."""
    query = "SELECT node, is_held, reads FROM rooms WHERE code = %s"
    with psycopg.connect(fleet.journal, autocommit=True) as db:
        found = db.execute(query, [code]).fetchone()
    assert found is not None
    return found


async def journal_of(fleet: Fleet, code: str) -> list[str]:
    """Return the events of a room as they are stored."""
    store = PostgresStore(fleet.journal)
    try:
        return list(await store.bodies(RoomCode(code)))
    finally:
        await store.close()


async def test_a_rolling_upgrade_there_and_back_loses_nothing(
    tmp_path: Path, postgresql: str, figure: Figure
) -> None:
    old, new = ROOT, next_version(tmp_path / "next")
    broker, urls = shipped_broker("nats", tmp_path, dict.fromkeys(NAMES, True))
    fleet = Fleet(tmp_path, postgresql, urls)
    await broker.start()
    try:
        async with fleet.door:
            opened = await fleet.start()
            stays, grows = Classes(opened[:-1]), Classes(opened[-1:])
            grown = opened[-1].room
            async with voting(fleet, stays):
                async with voting(fleet, grows):
                    for name in NAMES:
                        await restart(fleet, name, new, stays, grows)
                    await grows.hosts[grown].send(NameRoom(name="Grown"))
                    assert row(fleet, grown)[2] == NEXT_READS
                    for name in NAMES[:2]:
                        await restart(fleet, name, old, stays, grows)
                        home, is_held, _ = row(fleet, grown)
                        assert is_held
                        assert fleet.nodes[home].root == new, "an old node has it"
                await restart(fleet, NAMES[2], old, stays)
                await no_node_reads_it(fleet, grown)
                await restart(fleet, NAMES[0], new, stays)
                async with recorded(fleet.door.url, grown, "Late") as late:
                    assert late.view.room.code == grown
            await fleet.stop()
            votes = await held_against(fleet, stays)
        bodies = await journal_of(fleet, grown)
        known = [body for body in bodies if f'"{EVENT}"' not in body]
        assert len(known) == len(bodies) - 1
        check_events(decode_all(RoomCode(grown), known), grows.voters[grown])
        for host in (*stays.hosts.values(), *grows.hosts.values()):
            assert not host.errors
        longest_s = max(*stays.waits_ms, *grows.waits_ms) / 1000
        more = grows.acks[grown].n
        figure(
            f"7 nodes upgraded or taken back one by one: {votes}, and {more} in a room "
            f"that only the next version reads; the longest wait for 'recorded' was "
            f"{longest_s:.2f} s; no console was refused anything"
        )
    finally:
        await fleet.stop()
        await broker.kill()


async def no_node_reads_it(fleet: Fleet, code: str) -> None:
    """Every node refuses a room that is too new for it, and says which version can."""
    for node in fleet.nodes.values():
        async with wire(node.port) as early:
            hello = {"version": 1, "role": "player", "room": code, "name": "Early"}
            await early.send("hello", **hello)
            refused = await early.until("refused")
            assert refused["code"] == "busy"
            assert VERSION in refused["detail"]
    assert not row(fleet, code)[1]
