"""A stranger's client: websockets, and what docs/ says. It shares no code with ours.

It plays a whole game as host, screen and two players, and checks every frame it is sent
against the published JSON Schema, and every frame it sends.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import jsonschema
from websockets.asyncio.client import ClientConnection, connect

from tests.support.server import hall

DOCS = Path(__file__).parent.parent.parent / "docs"
SCHEMA = json.loads((DOCS / "protocol.schema.json").read_text())


def validator(union: str) -> jsonschema.Draft202012Validator:
    """Return a validator for one of the two unions of messages."""
    whole = {"$ref": f"#/$defs/{union}", "$defs": SCHEMA["$defs"]}
    return jsonschema.Draft202012Validator(whole)


FROM_SERVER = validator("ServerMessage")
TO_SERVER = validator("ClientMessage")


class Stranger:
    """Speaks the documented protocol, and checks that the server does."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self.kinds: set[str] = set()
        self.last: dict[str, Any] = {}

    async def say(self, **message: Any) -> None:
        TO_SERVER.validate(message)
        await self.ws.send(json.dumps(message))

    async def hear(self, kind: str) -> dict[str, Any]:
        while True:
            message = json.loads(await self.ws.recv())
            FROM_SERVER.validate(message)
            self.kinds.add(message["type"])
            self.last[message["type"]] = message
            if message["type"] == kind:
                return message

    async def see(self, phase: str) -> dict[str, Any]:
        while True:
            view = (await self.hear("view"))["view"]
            if view["phase"] == phase:
                return view

    async def prove(self, role: str, room: str, key: str) -> None:
        await self.say(type="hello", version=1, role=role, room=room)
        nonce = (await self.hear("challenge"))["nonce"]
        text = f"two-gaps 1 {role} {room} {nonce}".encode()
        proof = hmac.new(bytes.fromhex(key), text, hashlib.sha256).hexdigest()
        await self.say(type="prove", proof=proof)
        await self.hear("welcome")

    async def command(self, kind: str, **fields: Any) -> None:
        await self.say(type=kind, ref=1, **fields)
        await self.hear("done")

    async def vote(self, ballot: str, counter: int, **answer: Any) -> None:
        message = {
            "type": "vote",
            "round": self.last["view"]["view"]["room"]["round"],
            "ballot": ballot,
            "client": "stranger",
            "counter": counter,
            "answer": answer,
        }
        await self.say(**message)
        recorded = await self.hear("recorded")
        assert (recorded["ballot"], recorded["counter"]) == (ballot, counter)


async def test_a_stranger_plays_a_whole_game() -> None:
    async with hall(length=1) as at:
        url = f"ws://127.0.0.1:{at.port}/ws"
        async with (
            connect(url) as h,
            connect(url) as s,
            connect(url) as a,
            connect(url) as b,
        ):
            host, screen, ann, bob = Stranger(h), Stranger(s), Stranger(a), Stranger(b)
            await host.prove("host", at.room, at.key)
            mac = hmac.new(bytes.fromhex(at.key), b"screen", hashlib.sha256)
            await screen.prove("screen", at.room, mac.hexdigest()[:32])
            for who, name in ((ann, "Ann"), (bob, "Bob")):
                await who.say(
                    type="hello", version=1, role="player", room=at.room, name=name
                )
                await who.hear("welcome")
            await host.command("open_round")
            await host.command("open_vote")
            for who, label in ((ann, "outer"), (bob, "inner")):
                await who.see("vote")
                await who.vote("vote", 1, kind="gap", label=label, confidence=80)
            await host.command("close_votes")
            await host.command("contrast")
            await host.command("discuss")
            await host.command("revote")
            await bob.see("revote")
            await bob.vote("revote", 2, kind="gap", label="outer", confidence=60)
            await host.command("close_votes")
            await host.command("reveal")
            await host.command("next_step", all=True)
            await host.command("ask_fix")
            await ann.see("fix")
            await ann.vote("fix", 3, kind="fix", option=0)
            await host.command("close_votes")
            await host.command("transfer")
            await ann.see("transfer")
            await ann.vote("transfer", 4, kind="gap", label="inner", confidence=None)
            await host.command("close_votes")
            await host.say(type="get_roster", ref=9)
            await host.hear("roster")
            await host.command("finish")
            closing = await screen.see("finished")
            assert closing["class_mean"] is not None
            await ann.see("finished")
            card = (await ann.hear("you"))["you"]["card"]
            assert len(card) == 1
            assert host.kinds >= {"host_view", "panel", "progress", "done", "roster"}


def test_the_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_refusal_is_documented() -> None:
    from server.game.errors import REFUSALS

    text = (DOCS / "protocol.md").read_text()
    assert all(f"`{code}`" in text for code in REFUSALS)


async def test_a_wrong_frame_is_refused_by_schema_and_server_alike() -> None:
    async with hall() as at, connect(f"ws://127.0.0.1:{at.port}/ws") as ws:
        for message in (
            {"type": "hello", "version": 1, "role": "janitor"},
            {"type": "vote", "round": -1},
            {"type": "lock", "ref": 1, "more": 2},
        ):
            assert not TO_SERVER.is_valid(message)
            await ws.send(json.dumps(message))
            assert json.loads(await ws.recv())["code"] == "bad_message"
