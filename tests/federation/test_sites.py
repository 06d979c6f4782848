"""One game across sites, over a real broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from client import CommandRefused, Label, Player, admin, connect, host
from client.errors import RoomDeleted, UnknownRoom
from server.app import Config, Running, running
from server.game.answers import GapAnswer
from server.game.commands import CloseVotes, NextStep, OpenRound, OpenVote, Reveal
from server.game.ids import RoomCode
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.game.views.stage_types import RevealView
from server.protocol.client_messages import OpenRoom
from tests.support.arrive import GUARD_S, arrive, see
from tests.support.broker import KINDS, Broker, Kind, open_broker
from tests.support.until import until

SETTINGS = RoomSettings(time_factor=10)


@dataclass(frozen=True, slots=True)
class Sites:
    """A home with a room, two edges, and the broker between them."""

    broker: Broker
    home: Running
    edges: tuple[Running, ...]
    room: str
    key: str


@contextlib.asynccontextmanager
async def sites(folder: Path, kind: Kind) -> AsyncIterator[Sites]:
    """Run a broker and three nodes, and wait until the edges know the room."""
    broker = open_broker(kind, folder)
    await broker.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(broker.kill)
        nodes = [
            await stack.enter_async_context(
                running(
                    Config(
                        port=0,
                        data=folder / name,
                        broker=broker.url(),
                        site=name,
                    )
                )
            )
            for name in ("berlin", "lisbon", "oslo")
        ]
        order = OpenRoom(deck="first-class", seed=1, settings=SETTINGS)
        room, key = await nodes[0].admin.open_room(order)
        yield Sites(broker, nodes[0], tuple(nodes[1:]), room, key)


async def told(player: Player) -> None:
    """Wait until a player knows the score of the round."""
    await until(lambda: player.you.score is not None)


@pytest.mark.fault
@pytest.mark.parametrize("kind", KINDS)
async def test_players_of_three_sites_play_one_round(
    tmp_path: Path, kind: Kind
) -> None:
    async with sites(tmp_path, kind) as at, contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{at.home.port}"
        teacher = await stack.enter_async_context(host(url, at.room, at.key))
        players = [
            await arrive(stack, site.local_url, at.room, f"P{i}-{k}")
            for k, site in enumerate((at.home, *at.edges))
            for i in range(5)
        ]
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await asyncio.gather(*(see(player, "vote") for player in players))
        async with asyncio.timeout(GUARD_S):
            recorded = await asyncio.gather(
                *(
                    p.vote(list(Label)[i % 2], 80, to=p.view)
                    for i, p in enumerate(players)
                )
            )
        assert all(isinstance(each.answer, GapAnswer) for each in recorded)
        await teacher.send(CloseVotes())
        await teacher.send(Reveal())
        await teacher.send(NextStep(all=True))
        await asyncio.gather(*(see(player, "reveal") for player in players))
        state = at.home.directory.live[0].state
        tally = state.rounds[0].polls[Ballot.VOTE].tally
        assert tally.options(Ballot.VOTE, two_link=False) == {"outer": 8, "inner": 7}
        cohorts = {player.site for player in state.players.values()}
        assert cohorts == {"berlin", "lisbon", "oslo"}
        shown = players[-1].view
        assert isinstance(shown, RevealView)
        assert {c.name: c.n for c in shown.cohorts} == dict.fromkeys(cohorts, 5)
        await asyncio.gather(*(told(player) for player in players))


@pytest.mark.fault
@pytest.mark.parametrize("kind", KINDS)
async def test_a_deleted_room_is_gone_at_every_site(tmp_path: Path, kind: Kind) -> None:
    async with sites(tmp_path, kind) as at, contextlib.AsyncExitStack() as stack:
        nodes = (at.home, *at.edges)
        players = [
            await arrive(stack, node.local_url, at.room, f"P{number}")
            for number, node in enumerate(nodes)
        ]
        desks = [
            await stack.enter_async_context(admin(node.local_url, node.admin_key))
            for node in nodes
        ]
        with pytest.raises(CommandRefused) as refused:
            await desks[1].delete_room(at.room)
        assert refused.value.code == "room_moved"
        await desks[0].delete_room(at.room)
        await until(lambda: all(player.cause is not None for player in players))
        assert [type(player.cause) for player in players] == [RoomDeleted] * 3
        for node in nodes:
            await until(lambda node=node: not knows(node, at.room))
            with pytest.raises(UnknownRoom):
                async with connect(node.local_url, at.room, "Late"):
                    pass


def knows(node: Running, room: str) -> bool:
    """Whether a node has a room, or takes it for one of another site."""
    code, directory = RoomCode(room), node.directory
    is_here = directory.running(code) is not None
    return is_here or directory._nodes.elsewhere(code) is not None


@pytest.mark.fault
@pytest.mark.parametrize("kind", KINDS)
async def test_votes_survive_the_brokers_death(tmp_path: Path, kind: Kind) -> None:
    async with sites(tmp_path, kind) as at, contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{at.home.port}"
        teacher = await stack.enter_async_context(host(url, at.room, at.key))
        players = [
            await arrive(stack, site.local_url, at.room, f"P{i}-{k}")
            for k, site in enumerate(at.edges)
            for i in range(10)
        ]
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await asyncio.gather(*(see(player, "vote") for player in players))
        for turn in range(4):
            votes = [
                asyncio.create_task(
                    player.vote(list(Label)[(i + turn) % 2], 80, to=player.view)
                )
                for i, player in enumerate(players)
            ]
            await at.broker.kill()
            await at.broker.start()
            async with asyncio.timeout(GUARD_S):
                recorded = await asyncio.gather(*votes)
            labels = [each.answer.label for each in recorded]
            assert labels == [list(Label)[(i + turn) % 2] for i in range(20)]
        poll = at.home.directory.live[0].state.poll
        assert poll is not None
        assert poll.tally.options(Ballot.VOTE, two_link=False) == {
            "outer": 10,
            "inner": 10,
        }
