"""A websocket as a Link: never blocks, and holds only the newest frame of each slot.

While the kernel accepts writes, frames go straight to the transport. When a client
reads too slowly, its frames are held here, only the newest for each slot. The keeper
flushes links with held frames and resets those that stay stuck, so that no other client
waits for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable

from websockets.exceptions import ConnectionClosed

from server.game.errors import Refused
from server.game.ids import PlayerId
from server.metrics import Metrics
from server.net.connection import NO_FILE, Connection
from server.net.crowd import DirectLink, Framer, SocketCrowd
from server.protocol.codec import with_addresses
from server.rooms.ports import Audience, Slot
from server.supervision import OwnedGroup

log = logging.getLogger("twogaps.net")

HELD = 256
"""The most frames without a slot that are held for one client."""

STUCK_S = 20.0
"""Seconds after which a client that has read nothing counts as stuck."""


class WsLink(DirectLink):
    """One websocket, as the gateway sees it."""

    __slots__ = (
        "_crowd",
        "_file",
        "_framer",
        "_is_clear",
        "_keeper",
        "_on_refusal",
        "_on_welcome",
        "_parting",
        "_queue",
        "_since",
        "_slots",
        "_sockets",
        "_ws",
        "asked_s",
        "audience",
        "is_waiting",
        "is_welcome",
        "player",
        "site",
    )

    def __init__(
        self,
        ws: Connection,
        keeper: Keeper,
        on_refusal: Callable[[Refused], None],
        on_welcome: Callable[[], None] = lambda: None,
        site: str | None = None,
        sockets: tuple[str, ...] = (),
    ) -> None:
        """``on_refusal`` is called when a hello that was passed on is refused, and
        ``on_welcome`` when it is accepted. ``site`` is this node's name, if it is one
        of several. The welcome lists ``sockets``, if this server has several addresses.
        """
        self._ws = ws
        self._keeper = keeper
        self._framer = keeper.framer
        self._is_clear = True
        """No frame is held and the link is open, so frames may be sent directly."""
        self._crowd: SocketCrowd | None = None
        self._file = NO_FILE
        """The descriptor that the crowd writes to directly."""
        ws.on_free = self._settle
        self._queue: list[bytes] = []  # short, and far smaller than an empty deque
        self._slots: dict[Slot, bytes] = {}
        self._since = 0.0
        self._parting = False
        self._on_refusal = on_refusal
        self._on_welcome = on_welcome
        self.audience: Audience = "player"
        self.player: PlayerId | None = None
        self.site = site
        self._sockets = sockets
        self.asked_s = 0.0
        """When the last hello arrived, in seconds on the loop's clock."""
        self.is_waiting = False
        """Whether a hello has been passed on and not yet answered."""
        self.is_welcome = False

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame, or hold it if the client is reading too slowly."""
        if self._is_clear and self._ws.write(frame, self._framer):
            return
        if not self._parting:
            self._hold(frame, slot)

    def enter(self, crowd: SocketCrowd) -> None:
        """Join a crowd: notify it from now on when the socket becomes free."""
        if self._crowd is not None:
            self.exit(self._crowd)
        self._crowd = crowd
        self._settle()

    def exit(self, crowd: SocketCrowd) -> None:
        """Leave a crowd: it may no longer write to the socket directly."""
        if self._crowd is crowd:
            self._leave_file()
            self._crowd = None

    def send_rest(self, rest: bytes) -> None:
        """Send the part of a directly written frame that the socket did not accept."""
        self._ws.write_rest(rest)

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        """Send the welcome; the session may now act in its role."""
        self.is_waiting, self.is_welcome = False, True
        self.player = player
        self._on_welcome()
        self.push(with_addresses(welcome, self._sockets))

    def turn_away(self, refusal: Refused) -> None:
        """Refuse a hello; the session may send another one."""
        self.is_waiting = False
        self._on_refusal(refusal)

    def part(self, bye: bytes) -> None:
        """Send a last frame and close."""
        if self._parting:
            return
        self.push(bye)
        self._parting = True
        self._set_clear(False)
        self._keeper.count_goodbye(bye)
        self._keeper.close(self._ws)

    def flush(self, now: float) -> bool:
        """Write the held frames; return whether any are left.

        Resets the link if it has been stuck for too long.
        """
        while self._queue and self._ws.write(self._queue[0], self._framer):
            self._queue.pop(0)
            self._since = now
        while self._slots and not self._queue:
            slot, frame = next(iter(self._slots.items()))
            if not self._ws.write(frame, self._framer):
                break
            del self._slots[slot]
            self._since = now
        if not self._queue and not self._slots:
            self._set_clear(not self._parting)
            return False
        if now - self._since > self._keeper.stuck_s and self._keeper.may_cut():
            self.reset()
            return False
        return True

    def _settle(self) -> None:
        """Notify the crowd if it may or may no longer write to the socket directly."""
        if self._crowd is None:
            return
        is_free = self._is_clear and self._ws.is_free and self._ws.file != NO_FILE
        if not is_free:
            self._leave_file()
        elif self._file == NO_FILE:
            self._file = self._ws.file
            self._crowd.free(self, self._file)

    def _leave_file(self) -> None:
        if self._crowd is not None and self._file != NO_FILE:
            self._crowd.engage(self, self._file)
            self._file = NO_FILE

    def _set_clear(self, is_clear: bool) -> None:
        self._is_clear = is_clear
        self._settle()

    def _hold(self, frame: bytes, slot: Slot | None) -> None:
        if not self._queue and not self._slots:
            self._set_clear(False)
            self._since = asyncio.get_running_loop().time()
            self._keeper.hold(self)
        if slot is not None:
            self._slots[slot] = frame
        elif len(self._queue) < self._keeper.held:
            self._queue.append(frame)
        else:
            self.reset()

    def reset(self) -> None:
        """Drop a stuck client. Frames it has not read are lost; it may reconnect."""
        log.info("a client that does not read was disconnected")
        self._parting = True
        self._set_clear(False)
        self._keeper.metrics.cut_loose.inc()
        self._queue.clear()
        self._slots.clear()
        self._ws.reset()


class Keeper:
    """Flushes the links of slow clients and closes the websockets of those leaving."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        held: int = HELD,
        stuck_s: float = STUCK_S,
        look_s: float = 0.1,
        resets: int = 5,
    ) -> None:
        """At most ``held`` frames without a slot are kept for one client. A client with
        more, or one that has read nothing for ``stuck_s`` seconds, is reset. Links with
        held frames are flushed every ``look_s`` seconds; each time, at most ``resets``
        of them are reset.
        """
        self.metrics = metrics
        self.metrics.watch("sockets_held", lambda: len(self._held))
        self.held = held
        self.stuck_s = stuck_s
        self.framer = Framer()
        """Shared by all links, so that a payload sent to many is framed once."""
        self._look_s = look_s
        self._most_resets = resets
        self._held: set[WsLink] = set()
        self._resets = 0
        self._wake = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._parted: list[Connection] = []
        """Websockets to close once :meth:`run` is running (again)."""

    def hold(self, link: WsLink) -> None:
        """Keep flushing a link until it has no held frames left."""
        self._held.add(link)
        self._wake.set()

    def count_goodbye(self, bye: bytes) -> None:
        """Count a last frame by its code."""
        self.metrics.goodbyes[json.loads(bye)["code"]].inc()

    def close(self, ws: Connection) -> None:
        """Close a websocket in the background."""
        if self._group is None:
            self._parted.append(ws)
        else:
            self._group.create_task(_close(ws), name="close-link")

    def may_cut(self) -> bool:
        """Return whether one more link may be reset in this round of flushing.

        If a thousand links got stuck together and were all reset at the same moment,
        handling their departure would delay all other clients.
        """
        self._resets += 1
        return self._resets <= self._most_resets

    async def run(self) -> None:
        """Flush and close until cancelled. May be run again after a failure."""
        async with OwnedGroup() as group:
            self._group = group
            try:
                while self._parted:
                    self.close(self._parted.pop())
                await self._flush_all()
            finally:
                self._group = None

    async def _flush_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            now, self._resets = loop.time(), 0
            self._held = {link for link in self._held if _flushed(link, now)}
            if not self._held:
                self._wake.clear()
            await asyncio.sleep(self._look_s)


def _flushed(link: WsLink, now: float) -> bool:
    """Flush a link; if that fails, reset it, so that other links are not affected."""
    try:
        return link.flush(now)
    except Exception:
        log.exception("a link could not be flushed")
        link.reset()
        return False


async def _close(ws: Connection) -> None:
    with contextlib.suppress(ConnectionClosed, OSError):
        await ws.close(1000)
