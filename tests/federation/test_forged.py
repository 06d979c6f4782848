"""What a site makes up, or makes too large, changes nothing and is counted."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from client import Label, Player, host
from server.app import Running
from server.federation.messages import MOST_BYTES
from server.game.commands import OpenRound, OpenVote
from server.game.settings import RoomSettings
from server.protocol.client_messages import OpenRoom
from server.protocol.server_messages import Recorded
from tests.support.arrive import GUARD_S, arrive, see
from tests.support.broker import KINDS, Kind
from tests.support.guarded import EDGE, EVE, HOME, Guarded, guarded_broker
from tests.support.until import until

UP = f"tg/v1/up/{HOME}/{EVE}"


def item(body: dict[str, object], seq: int = 1, room: str = "R") -> dict[str, object]:
    """Return a request as an edge sends it."""
    return {"seq": seq, "room": room, "link": "made-up", "body": body}


def batch(*items: dict[str, object], number: int = 1, oldest: int = 1) -> bytes:
    """Return a batch as an edge sends it."""
    about = {"boot": "eve", "number": number, "oldest": oldest}
    return json.dumps({**about, "items": items}).encode()


def vote(room: str, token: str | None) -> dict[str, object]:
    """Return a vote in a player's name."""
    answer = {"kind": "gap", "label": "inner", "confidence": 80}
    message = {
        "type": "vote",
        "round": 0,
        "ballot": "vote",
        "client": "eve",
        "counter": 1,
        "answer": answer,
        "reason": "",
    }
    body = {"op": "say", "token": token, "message": message, "stamped_ms": 1}
    return item(body, room=room)


def challenge(room: str, token: str | None) -> dict[str, object]:
    """Return a sentence against a label in a player's name."""
    message = {"type": "challenge_label", "round": 0, "text": "Made up."}
    body = {"op": "say", "token": token, "message": message, "stamped_ms": 1}
    return item(body, room=room)


def unreadable(room: str) -> list[tuple[str, bytes]]:
    """Return unusable messages: each is counted."""
    finish = {"op": "say", "token": None, "message": {"type": "finish"}}
    return [
        (UP, b""),
        (UP, b"\x00\xff" * 50),
        (UP, b"{}"),
        (UP, b"[" * 30_000),
        (UP, batch(vote(room, None)) + b" " * MOST_BYTES),
        (UP, batch(item({**finish, "stamped_ms": 1}, room=room))),
        (UP, batch(item({"op": "own", "room": room}))),
        (UP, batch(vote(room, None), number=5_000, oldest=1)),
        (UP, batch(vote(room, None), number=1, oldest=2)),
        (UP, batch(*[item({"op": "leave"})] * 1_001)),
        (f"tg/v1/clk/up/{HOME}/{EVE}", b"now"),
        (f"tg/v1/node/{EVE}/state", b'{"is_up":"perhaps"}'),
    ]


def refused(room: str, ann: str) -> list[bytes]:
    """Return requests that can be read, and that a room turns down."""
    attend = {"op": "attend", "audience": "screen", "nonce": "n", "proof": "0" * 64}
    return [
        batch(vote(room, None)),
        batch(vote(room, "stranger.0000")),
        batch(vote(room, f"{ann}.{'0' * 32}")),
        batch(challenge(room, None)),
        batch(challenge(room, f"{ann}.{'0' * 32}")),
        batch(item({"op": "return", "token": f"{ann}.{'0' * 32}"}, room=room)),
        batch(item(attend, room=room)),
        batch(item({"op": "leave"}, room=room)),
        batch(item({"op": "flush", "version": 10**9}, room=room)),
        batch(vote("ZZZZZZ", None)),
    ]


@dataclass(frozen=True, slots=True)
class Scene:
    """A room with a vote open, a player in it, and the broker."""

    guarded: Guarded
    home: Running
    room: str
    ann: Player

    async def vote(self, label: Label) -> Recorded:
        """Let the player vote in the ballot that is open."""
        return await self.ann.vote(label, 60, to=self.ann.view)

    def rejected(self) -> float:
        """How many messages the home has counted as of no use."""
        for line in self.home.metrics.text().decode().splitlines():
            if line.startswith("twogaps_broker_rejected "):
                return float(line.split()[1])
        raise AssertionError("there is no such figure")

    def fingerprint(self) -> object:
        """What the room holds."""
        state = self.home.directory.live[0].state
        assert state.poll is not None
        return (state.version, dict(state.poll.votes), sorted(state.players))


@pytest.fixture(params=KINDS)
async def scene(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async with (
        guarded_broker(request.param, tmp_path) as guarded,
        guarded.node(HOME, tmp_path) as home,
        guarded.node(EDGE, tmp_path) as edge,
        contextlib.AsyncExitStack() as stack,
    ):
        settings = RoomSettings(time_factor=10)
        room, key = await home.admin.open_room(
            OpenRoom(deck="first-class", seed=1, settings=settings)
        )
        teacher = await stack.enter_async_context(host(home.local_url, room, key))
        ann = await arrive(stack, edge.local_url, room, "Ann")
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await see(ann, "vote")
        await ann.vote(Label.OUTER, 80, to=ann.view)
        yield Scene(guarded, home, room, ann)


async def test_what_is_forged_changes_nothing_and_is_counted(scene: Scene) -> None:
    before, counted = scene.fingerprint(), scene.rejected()
    assert scene.ann.id is not None
    async with scene.guarded.client(EVE) as eve:
        forged = unreadable(scene.room)
        for topic, payload in forged:
            await eve.publish(topic, payload, qos=1)
        await until(lambda: scene.rejected() == counted + len(forged))
        await eve.subscribe(f"tg/v1/down/{EVE}/+")
        turned_down = refused(scene.room, scene.ann.id)
        for payload in turned_down:
            await eve.publish(UP, payload, qos=1)
        await _answers(eve, len(turned_down))
    assert scene.fingerprint() == before
    assert scene.rejected() == counted + len(forged)
    recorded = await asyncio.wait_for(scene.vote(Label.INNER), GUARD_S)
    assert recorded.counter == 2


async def _answers(eve: aiomqtt.Client, n: int) -> None:
    """Wait until the home is done with ``n`` requests: all refused."""
    acks = 0
    async with asyncio.timeout(GUARD_S):
        async for message in eve.messages:
            assert isinstance(message.payload, bytes)
            acks += len(json.loads(message.payload)["acks"])
            if acks == n:
                return


async def test_what_is_too_large_for_the_broker_does_not_arrive(scene: Scene) -> None:
    counted = scene.rejected()
    with contextlib.suppress(
        aiomqtt.MqttError
    ):  # the broker may end the connection for it
        async with scene.guarded.client(EVE) as eve:
            await eve.publish(UP, b"x" * 1_000_000, qos=1, timeout=2)
    recorded = await asyncio.wait_for(scene.vote(Label.OUTER), GUARD_S)
    assert recorded.counter == 2
    assert scene.rejected() == counted


@pytest.mark.parametrize("kind", KINDS)
async def test_a_site_with_home_rights_reaches_no_one_elses_people(
    tmp_path: Path, kind: Kind
) -> None:
    async with (
        guarded_broker(kind, tmp_path, is_eve_home=True) as guarded,
        guarded.node(HOME, tmp_path) as home,
        guarded.node(EDGE, tmp_path) as edge,
        contextlib.AsyncExitStack() as stack,
    ):
        room, _ = await home.admin.open_room(OpenRoom(deck="first-class", seed=1))
        ann = await arrive(stack, edge.local_url, room, "Ann")
        known = edge.directory._nodes.edge  # type: ignore[attr-defined] # a real node
        (link,) = known._seats  # which no site can know
        bye = json.dumps({"type": "bye", "code": "kicked", "come_back": False})
        forged = {"link": link, "room": room, "op": "part", "frame": bye}
        batch = {"boot": "x", "acks": [], "items": [forged]}
        claim = {"epoch": 1, "key": "ab" * 32}
        async with guarded.client(EVE) as eve:
            down = f"tg/v1/down/{EDGE}/{EVE}"
            await eve.publish(down, json.dumps(batch), qos=1)
            topic = f"tg/v1/home/{EVE}/room/{room}"
            await eve.publish(
                f"{topic}/announce", json.dumps(claim), retain=True, qos=1
            )
            await eve.publish(f"{topic}/player", b"1 99\n{}", retain=True, qos=1)
            await until(lambda: known.rejections.count >= 2)
        assert known.home_of(room) == HOME
        await ann.ping()
