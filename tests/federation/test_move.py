"""A room continues at another node: its home is killed with votes on their way."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from client import host
from server.game.commands import CloseVotes, NextStep, OpenRound, OpenVote, Reveal
from server.game.ids import RoomCode
from server.journal.sqlite import SqliteStore
from tests.support.arrive import arrive
from tests.support.broker import MORE_KINDS, Kind, open_broker
from tests.support.cli import twogaps
from tests.support.figures import Figure
from tests.support.node import Node
from tests.support.voters import Acks, Voter, all_again, check
from tests.support.wire import wire

A_SITE = 20


def run(*arguments: object) -> str:
    """Run the command line; it has to end well."""
    done = twogaps(*arguments)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.fault
@pytest.mark.parametrize("kind", MORE_KINDS)
async def test_a_room_continues_at_another_node_with_every_recorded_vote(
    tmp_path: Path, figure: Figure, kind: Kind
) -> None:
    broker = open_broker(kind, tmp_path)
    await broker.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(broker.kill)
        nodes = {
            name: Node(tmp_path / name, broker.url(), name)
            for name in ("berlin", "lisbon", "oslo")
        }
        for node in nodes.values():
            stack.push_async_callback(node.stop)
        ready = {name: await node.start() for name, node in nodes.items()}
        room, key = ready["berlin"].room, ready["berlin"].key
        urls = {name: f"http://127.0.0.1:{one.port}" for name, one in ready.items()}
        acks = Acks()
        async with contextlib.AsyncExitStack() as people:
            teacher = await people.enter_async_context(host(urls["berlin"], room, key))
            await teacher.send(OpenRound())
            await teacher.send(OpenVote())
            voters = [
                Voter(await arrive(people, urls[at], room, f"{at} {i}"), i)
                for at in ("lisbon", "oslo")
                for i in range(A_SITE)
            ]
            runs = [asyncio.create_task(voter.run(acks)) for voter in voters]
            await acks.more(4 * len(voters))
            await nodes["berlin"].kill()
            await asyncio.to_thread(
                run,
                "room", "move", room.lower(), "--to", "lisbon",
                "--data", tmp_path / "berlin", "--into", tmp_path / "lisbon",
            )  # fmt: skip
            await all_again(voters, acks)
            for task in runs:
                task.cancel()
            await asyncio.gather(*runs, return_exceptions=True)

            # The old home comes back, and is a site like any other.
            again = await nodes["berlin"].start()
            assert again.room != room
            guest = await arrive(people, urls["berlin"], room, "guest at the old home")
            new = await people.enter_async_context(host(urls["lisbon"], room, key))
            async with wire(again.port) as lost:
                await lost.hello("host", room=room)
                await lost.until("challenge")
                await lost.send("prove", proof="0" * 64)
                refused = await lost.until("refused", code="room_moved")
                assert "lives at lisbon" in refused["detail"]
                assert "http" not in refused["detail"], "it would be given a key"
            await new.send(CloseVotes(override=True))
            await new.send(Reveal())
            await new.send(NextStep(all=True))
            async for view in guest.views():
                if view.phase == "reveal":
                    break
        figure(f"a move of {room}: {acks.n} votes acknowledged, none lost")
        for node in nodes.values():
            await node.stop()
        await check(tmp_path / "lisbon", RoomCode(room), voters)
        store = await SqliteStore.open(tmp_path / "berlin" / "journal.sqlite")
        left = await store.load(RoomCode(room))
        await store.close()
        assert left[-1].type == "room_moved"  # nothing was written after it


def test_a_refused_move_says_why_and_changes_nothing(tmp_path: Path) -> None:
    done = twogaps("room", "move", "ABCDEF", "--to", "lisbon", "--data", tmp_path)
    assert done.exit_code == 1
    assert "no journal" in str(done.exception)
    bad = tmp_path / "x.room"
    bad.write_bytes(b"rubbish")
    (tmp_path / "site").write_text("lisbon\n")
    done = twogaps("room", "take", bad, "--data", tmp_path)
    assert done.exit_code == 1
    assert "not a room file" in done.output
    assert not (tmp_path / "incoming").exists()
