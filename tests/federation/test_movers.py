"""A player who goes to another site with a vote that has not arrived: one vote, the
latest, whichever comes first."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from client import Label, host
from server.app import Config, running
from server.game.answers import GapAnswer
from server.game.commands import OpenRound, OpenVote
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.protocol.client_messages import OpenRoom
from tests.browser.wire import wire_to
from tests.support.arrive import arrive, see
from tests.support.broker import open_broker
from tests.support.wire import wire


@pytest.mark.fault
@pytest.mark.parametrize("device", ["same", "another"])
async def test_a_player_who_moves_with_a_vote_in_flight_has_one_vote_the_latest(
    tmp_path: Path, device: str
) -> None:
    broker = open_broker("mosquitto", tmp_path)
    await broker.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(broker.kill)
        line = await stack.enter_async_context(wire_to(broker.port))
        urls = {
            "berlin": broker.url(),
            "lisbon": f"mqtt://127.0.0.1:{line.port}",
            "oslo": broker.url(),
        }
        berlin, lisbon, oslo = [
            await stack.enter_async_context(
                running(Config(port=0, data=tmp_path / name, broker=url, site=name))
            )
            for name, url in urls.items()
        ]
        order = OpenRoom(
            deck="first-class", seed=1, settings=RoomSettings(time_factor=10)
        )
        room, key = await berlin.admin.open_room(order)
        teacher = await stack.enter_async_context(host(berlin.local_url, room, key))
        guide = await arrive(stack, lisbon.local_url, room, "guide")
        await arrive(stack, oslo.local_url, room, "other guide")
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await see(guide, "vote")

        async with wire(lisbon.port) as ann:
            token = (await ann.join(room, "Ann"))["token"]
            await ann.phase("vote")
            line.cut()
            await ann.until("notice", code="site_cut")
            await ann.send("vote", **vote("outer", 1))
            await ann.until("received")
        async with wire(oslo.port) as moved:
            await moved.hello("player", room=room, token=token)
            await moved.phase("vote")
            client = "tab-1" if device == "same" else "tab-2"
            counter = 2 if device == "same" else 1
            await moved.send("vote", **vote("inner", counter, client))
            assert (await moved.until("recorded"))["answer"]["label"] == "inner"
        line.restore()
        # Its batch comes after the earlier vote's.
        await guide.vote(Label.OUTER, 60, to=guide.view)
        state = berlin.directory.live[0].state
        poll = state.rounds[0].polls[Ballot.VOTE]
        (mine,) = [p for p in state.players.values() if p.name == "Ann"]
        assert poll.votes[mine.id].answer == GapAnswer(Label.INNER, 80)
        assert poll.tally.options(Ballot.VOTE, two_link=False) == {
            "outer": 1,
            "inner": 1,
        }
        assert mine.site == "lisbon"  # the cohort is where one joined
        events = await berlin.directory._store.load(state.code)
        cast = [e for e in events if getattr(e, "player", "") == mine.id]
        assert [e.type for e in cast] == ["player_joined", "vote_cast"]


def vote(label: str, counter: int, client: str = "tab-1") -> dict[str, object]:
    """Return a vote in the first round."""
    return {
        "round": 0,
        "ballot": "vote",
        "client": client,
        "counter": counter,
        "answer": {"kind": "gap", "label": label, "confidence": 80},
    }
