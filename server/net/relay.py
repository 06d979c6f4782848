"""Relays websockets to the node that is the home of their room.

In a fleet, any node accepts any room code. A node that is not the room's home opens a
socket to the home and copies frames in both directions, so every role works on every
node, and the load balancer does not need sticky sessions. The client's address is
passed in a header, which the home trusts if the request carries the fleet's secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.http11 import Request

from server.journal.store import HeldElsewhere
from server.metrics import Metrics
from server.net.addresses import socket_url
from server.net.connection import drop
from server.net.links import WsLink
from server.protocol.client_messages import Hello
from server.protocol.codec import encode_client, encode_server
from server.protocol.keys import is_equal
from server.protocol.server_messages import Bye
from server.rooms.ports import RoomPort
from server.supervision import OwnedGroup

log = logging.getLogger("twogaps.net")

NODE_HEADER = "X-TwoGaps-Node"
"""The header that carries the fleet's secret."""

WAITED_HEADER = "X-TwoGaps-Waited"
"""The header that says for how many seconds a relayed hello has been waiting."""

MOST_BYTES = 16 * 2**20
"""Largest frame accepted from a home, which is itself part of the fleet."""

_GONE = encode_server(
    Bye(
        code="moved",
        detail="The node of this game is gone; the game continues on another one.",
        come_back=True,
    )
)


def comes_from_node(request: Request | None, key: str) -> bool:
    """Whether a request was relayed by another node in the fleet."""
    if not key or request is None:
        return False
    return is_equal(request.headers.get(NODE_HEADER, ""), key)


def waited_s(request: Request | None) -> float:
    """Return how long a relayed hello had been waiting, in seconds; 0 if not known."""
    if request is None:
        return 0.0
    try:
        return float(request.headers.get(WAITED_HEADER, "0"))
    except ValueError:
        return 0.0


class Relay:
    """One client's connection to the home of its room."""

    def __init__(self, node: str, upstream: ClientConnection, link: WsLink) -> None:
        """``node`` is the home; its frames are pushed to ``link``."""
        self.node = node
        self._upstream = upstream
        self._link = link
        self._is_closed = False

    async def takes(self, frame: str | bytes) -> bool:
        """Pass a frame on; return False for a hello, which may ask for another room.

        A frame that does not reach the home is sent again by the client.
        """
        if is_hello(frame):
            await self.close()
            return False
        with contextlib.suppress(ConnectionClosed):
            await self._upstream.send(frame)
        return True

    async def copy(self) -> None:
        """Copy frames from the home to the client until either side closes."""
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._upstream:
                self._link.push(frame.encode() if isinstance(frame, str) else frame)
        if not self._is_closed:
            self._link.part(_GONE)

    async def close(self) -> None:
        """Close the connection to the home but not the client's. Idempotent."""
        self._is_closed = True
        await self._upstream.close()

    def cut(self) -> None:
        """Drop both connections, because the home no longer responds."""
        drop(self._upstream)


class Relays:
    """Opens relays and drops those whose home is gone."""

    def __init__(
        self,
        key: str,
        is_live: Callable[[str], bool],
        metrics: Metrics,
        look_s: float = 0.25,
        patience_s: float = 6.0,
    ) -> None:
        """``key`` is the fleet's secret, and ``is_live`` returns whether a node has a
        lease. A client waits up to ``patience_s`` seconds for a room whose home is
        gone; the room is looked up every ``look_s`` seconds.
        """
        self.key = key
        self._is_live = is_live
        self._look_s = look_s
        self._patience_s = patience_s
        self._open: set[Relay] = set()
        self._group: asyncio.TaskGroup | None = None
        metrics.watch("sockets_relayed", lambda: len(self._open))

    async def run(self) -> None:
        """Copy frames and watch the homes until cancelled."""
        async with OwnedGroup() as group:
            self._group = group
            try:
                while True:
                    await asyncio.sleep(self._look_s)
                    for relay in list(self._open):
                        if not self._is_live(relay.node):
                            relay.cut()
            finally:
                self._group = None

    async def find(
        self,
        held: HeldElsewhere,
        hello: Hello,
        address: str,
        link: WsLink,
        find: Callable[[], Awaitable[RoomPort]],
    ) -> Relay | RoomPort:
        """Return a relay to a room that another node holds, or the room itself.

        If that node does not respond, ``find`` is retried until this node can take over
        the room or another node has it. Raises :class:`HeldElsewhere` if that takes too
        long.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._patience_s
        while loop.time() < until_s:
            if held.url and self._is_live(held.node):
                with contextlib.suppress(
                    OSError, TimeoutError, InvalidHandshake, ConnectionClosed
                ):
                    connecting = self._connect(held, hello, address, link)
                    return await self._while_live(held.node, connecting, until_s)
            await asyncio.sleep(self._look_s)
            try:
                return await find()
            except HeldElsewhere as now:
                held = now
        raise held.again()

    def end(self, relay: Relay) -> None:
        """Close the relay of a client that is gone, in the background."""
        if self._group is not None:
            self._group.create_task(relay.close(), name="close-relay")

    async def _while_live(
        self, node: str, connecting: Coroutine[None, None, Relay], until_s: float
    ) -> Relay:
        """Wait for a slow node to respond, for as long as it has a lease.

        Raises whatever ``connecting`` raises, and TimeoutError when ``until_s`` (on the
        loop's clock) has passed or the lease has expired.
        """
        task = asyncio.create_task(connecting, name="open-relay")
        try:
            while not task.done():
                await asyncio.wait([task], timeout=self._look_s)
                is_late = asyncio.get_running_loop().time() >= until_s
                if not task.done() and (is_late or not self._is_live(node)):
                    raise TimeoutError(f"{node} does not answer")
            return task.result()
        finally:
            task.cancel()

    async def _connect(
        self, held: HeldElsewhere, hello: Hello, address: str, link: WsLink
    ) -> Relay:
        age_s = asyncio.get_running_loop().time() - link.asked_s
        headers = {NODE_HEADER: self.key, WAITED_HEADER: f"{age_s:.6f}"}
        if address:
            headers["X-Forwarded-For"] = address
        upstream = await connect(
            socket_url(held.url),
            additional_headers=headers,
            compression=None,
            proxy=None,
            max_size=MOST_BYTES,
            open_timeout=None,
            close_timeout=1.0,
            user_agent_header=None,
            logger=logging.getLogger("twogaps.websockets"),
        )
        await upstream.send(encode_client(hello), text=True)
        relay = Relay(held.node, upstream, link)
        if self._group is None:
            await relay.close()
            raise held.again()
        self._open.add(relay)
        task = self._group.create_task(relay.copy(), name="relay")
        task.add_done_callback(lambda _: self._open.discard(relay))
        return relay


def is_hello(frame: str | bytes) -> bool:
    """Whether a frame is a hello. Inside a string, the quotes would be escaped."""
    return isinstance(frame, str) and '"type":"hello"' in frame.replace(" ", "")
