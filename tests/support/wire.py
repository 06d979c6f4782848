"""A client that knows only JSON and websockets: nothing of client/, nothing of ours
but what docs/protocol.md says."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

GUARD_S = 20


class Wire:
    """One socket, and everything that came over it."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self.seen: list[dict[str, Any]] = []

    async def send(self, kind: str, **fields: Any) -> None:
        """Send a message."""
        await self.ws.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> dict[str, Any]:
        """Return the next message."""
        async with asyncio.timeout(GUARD_S):
            message = json.loads(await self.ws.recv())
        self.seen.append(message)
        return message  # type: ignore[no-any-return] # JSON

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the next message of a type with these fields, skipping others."""
        while True:
            message = await self.next()
            if message["type"] == kind and all(
                message.get(key) == value for key, value in fields.items()
            ):
                return message

    async def phase(self, phase: str) -> dict[str, Any]:
        """Return the next view of a phase."""
        while True:
            message = await self.next()
            if message["type"] == "view" and message["view"]["phase"] == phase:
                return message["view"]  # type: ignore[no-any-return] # JSON
            if message["type"] == "host_view":
                stage = message["view"]["stage"]
                if stage["phase"] == phase:
                    return message["view"]  # type: ignore[no-any-return] # JSON

    async def hello(self, role: str, **fields: Any) -> None:
        """Say hello."""
        await self.send("hello", version=1, role=role, **fields)

    async def join(self, room: str, name: str = "Ann", **fields: Any) -> dict[str, Any]:
        """Join as a player; return the welcome."""
        await self.hello("player", room=room, name=name, **fields)
        return await self.until("welcome")

    async def prove(self, role: str, room: str | None, key: str) -> dict[str, Any]:
        """Prove a key; return the welcome."""
        await self.hello(role, room=room)
        nonce = (await self.until("challenge"))["nonce"]
        text = f"two-gaps 1 {role} {room or '-'} {nonce}"
        await self.send("prove", proof=mac(key, text).hex())
        return await self.until("welcome")

    async def do(self, *kinds: str, **fields: Any) -> None:
        """As a host, give commands one after another, each done before the next."""
        for kind in kinds:
            ref = len(self.seen) + 1_000
            await self.send(kind, ref=ref, **fields)
            await self.until("done", ref=ref)

    async def vote(
        self, label: str = "outer", counter: int = 1, **fields: Any
    ) -> dict[str, Any]:
        """Vote and wait for what comes of it."""
        message: dict[str, Any] = {
            "round": 0,
            "ballot": "vote",
            "client": "tab-1",
            "counter": counter,
            "answer": {"kind": "gap", "label": label, "confidence": 80},
        }
        await self.send("vote", **(message | fields))
        while True:
            answer = await self.next()
            if answer["type"] in ("recorded", "refused"):
                return answer

    async def takes_over_from(self, other: Wire) -> None:
        """Check that the other socket of this player is ended, and not this one."""
        assert (await other.until("bye"))["code"] == "taken_over"
        await self.send("ping", ref=7)
        await self.until("pong", ref=7)
        assert not [message for message in self.seen if message["type"] == "bye"]

    async def closed(self) -> int | None:
        """Wait until the server closes; return the close code."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.next()
        return self.ws.close_code


def mac(key: str, text: str) -> bytes:
    """HMAC-SHA256 of a text with a key in hex, as docs/protocol.md has it."""
    return hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).digest()


def screen_key(host_key: str) -> str:
    """The screen key, as docs/protocol.md has it."""
    return mac(host_key, "screen")[:16].hex()


@contextlib.asynccontextmanager
async def wire(
    port: int, /, url: str | None = None, **options: Any
) -> AsyncIterator[Wire]:
    """Open a socket to a server on this machine, by another address if one is given."""
    url = url or f"ws://127.0.0.1:{port}/ws"
    async with connect(url, compression=None, max_queue=None, **options) as ws:
        yield Wire(ws)


DOCS = Path(__file__).parent.parent.parent / "docs"
