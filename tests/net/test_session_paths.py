"""One policy, whether a message is handled as it arrives or read from the queue."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from server.game.ids import RoomCode
from server.protocol.keys import prove
from server.rooms.ports import Request
from tests.support.callers import ADMIN_KEY, Caller, Venue, token_of, venue
from tests.support.game import Game
from tests.support.room import ROOM
from tests.support.server import hall
from tests.support.wire import wire

HELLO = {"type": "hello", "version": 1, "role": "player", "room": ROOM}


@contextlib.asynccontextmanager
async def hosted() -> AsyncIterator[Venue]:
    game = Game()
    game.join("Ann", "Bob")
    async with venue(game.journal, now_ms=game.now_ms) as at:
        yield at


async def arrives(caller: Caller, frame: str) -> None:
    """Let a frame arrive as on a socket: queued only if it is not taken."""
    if not caller.session._take(frame):
        await caller.session._receive(frame)


async def queued(caller: Caller, frame: str) -> None:
    """Let a frame be read from the queue, behind others."""
    await caller.session._receive(frame)


FRAMES = {
    "ping": json.dumps({"type": "ping", "ref": 7}),
    "rubbish": "{",
    "too large": json.dumps({"type": "ping", "ref": 7}) + " " * 300_000,
    "of another role": json.dumps({"type": "list_rooms", "ref": 7}),
    "vote out of phase": json.dumps(
        {
            "type": "vote", "round": 0, "ballot": "vote", "client": "t", "counter": 1,
            "answer": {"kind": "gap", "label": "outer", "confidence": 80},
        }
    ),
    "second hello": json.dumps(HELLO),
    "proof": json.dumps({"type": "prove", "proof": "00" * 32}),
    "command": json.dumps({"type": "lock", "ref": 7}),
}  # fmt: skip


@pytest.mark.parametrize("role", ["stranger", "player", "screen", "host", "admin"])
@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
async def test_both_ways_give_the_same_answer(role: str, frame: str) -> None:
    answers = []
    for way in (arrives, queued):
        async with hosted() as at:
            caller = at.callers[role]  # type: ignore[index] # a role
            caller.link.messages.clear()
            await way(caller, frame)
            await caller.link.until(lambda link=caller.link: link.messages)  # type: ignore[misc] # bound now
            answers.append(caller.link.messages[0])
    assert answers[0]["type"] == answers[1]["type"]
    assert answers[0].get("code") == answers[1].get("code")


@pytest.mark.parametrize("way", [arrives, queued])
async def test_nothing_is_read_while_the_server_stops(way: object) -> None:
    async with hosted() as at:
        caller = at.callers["player"]
        caller.session._desk.stopping.set()
        caller.link.messages.clear()
        for frame in FRAMES.values():
            await way(caller, frame)  # type: ignore[operator] # one of the two
        assert caller.link.messages == []


@pytest.mark.parametrize(
    "frame",
    [FRAMES["ping"], FRAMES["second hello"], FRAMES["command"]],
    ids=["ping", "hello", "command"],
)
async def test_a_message_is_decoded_once(frame: str) -> None:
    async with hosted() as at:
        caller = at.callers["host"]
        decode, n = caller.session._decode, 0

        def counting(given: str | bytes) -> object:
            nonlocal n
            n += 1
            return decode(given)

        caller.session._decode = counting  # type: ignore[method-assign, assignment] # counts
        await arrives(caller, frame)
        assert n == 1


async def test_a_fault_of_a_room_ends_no_connection() -> None:
    """A fault in the callback of a transport would: asyncio closes it."""

    def fail(_: Request) -> None:
        raise RuntimeError("broken")

    async with hall() as at, wire(at.port) as ann:
        await ann.join(at.room)
        room = at.server.directory.running(RoomCode(at.room))
        assert room is not None
        room.put = fail  # type: ignore[method-assign] # a fault
        await ann.send(
            "vote", round=0, ballot="vote", client="t", counter=1,
            answer={"kind": "gap", "label": "outer", "confidence": 80},
        )  # fmt: skip
        assert (await ann.until("refused"))["code"] == "internal"
        await ann.send("ping", ref=1)
        assert (await ann.until("pong"))["ref"] == 1
        del room.put


async def test_a_second_hello_replaces_the_first_one_and_its_challenge() -> None:
    async with hosted() as at:
        eve = at.callers["stranger"]
        await arrives(eve, json.dumps({**HELLO, "role": "host"}))
        first = (await eve.link.get("challenge"))["nonce"]
        eve.link.messages.clear()
        await arrives(eve, json.dumps({"type": "hello", "version": 1, "role": "admin"}))
        nonce = (await eve.link.get("challenge"))["nonce"]
        assert nonce != first
        proof = prove(ADMIN_KEY, "admin", None, nonce)
        await arrives(eve, json.dumps({"type": "prove", "proof": proof}))
        await eve.link.get("welcome")


async def test_a_challenge_is_void_after_another_hello() -> None:
    async with hosted() as at:
        eve = at.callers["stranger"]
        await arrives(eve, json.dumps({**HELLO, "role": "host"}))
        nonce = (await eve.link.get("challenge"))["nonce"]
        await arrives(eve, json.dumps({**HELLO, "token": token_of(at.room)}))
        key = at.room.key_of("host", None)
        proof = prove(key, "host", ROOM, nonce)
        await arrives(eve, json.dumps({"type": "prove", "proof": proof}))
        refusal = await eve.link.get("refused")
        assert refusal["code"] in ("hello_expected", "not_allowed")
