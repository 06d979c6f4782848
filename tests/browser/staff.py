"""An admin and a host without a browser: they set a room up and drive it in tests."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from server.protocol.keys import prove

Json = dict[str, Any]


class Staff:
    """A proven socket that sends a command and waits for its answer."""

    def __init__(self, ws: ClientConnection) -> None:
        self._ws = ws
        self._ref = 0

    async def ask(self, kind: str, **fields: Any) -> Json:
        """Send one command; return its answer, or fail when it is refused."""
        self._ref += 1
        await self._ws.send(json.dumps({"type": kind, "ref": self._ref, **fields}))
        while True:
            message: Json = json.loads(await self._ws.recv())
            if message.get("ref") == self._ref:
                assert message["type"] != "refused", message
                return message


@contextlib.asynccontextmanager
async def staff(
    port: int, role: str, key: str, room: str | None = None
) -> AsyncIterator[Staff]:
    """Connect as an admin or as the host of a room."""
    async with connect(f"ws://127.0.0.1:{port}/ws", max_size=None) as ws:
        hello = {"type": "hello", "version": 1, "role": role, "room": room}
        await ws.send(json.dumps(hello))
        challenge = json.loads(await ws.recv())
        assert challenge["type"] == "challenge", challenge
        proof = prove(key, role, room, challenge["nonce"])
        await ws.send(json.dumps({"type": "prove", "proof": proof}))
        welcome = json.loads(await ws.recv())
        assert welcome["type"] == "welcome", welcome
        yield Staff(ws)
