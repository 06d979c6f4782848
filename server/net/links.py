"""A websocket as a Link: never waits, keeps only the newest of what replaces itself.

While the kernel takes what is written, frames go straight to the transport. Once a
client reads too slowly, its frames are held here, newest of each slot; a keeper looks
after held links, and cuts those loose that stay stuck. Nobody else waits for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from server.game.errors import Refused
from server.game.ids import PlayerId
from server.metrics import Metrics
from server.net.connection import NO_FILE, DirectConnection, Framer, Line, reset
from server.net.crowd import DirectLink, SocketCrowd
from server.rooms.ports import Audience, Slot

log = logging.getLogger("twogaps.net")

HELD = 256
"""Frames without a slot that are held; more than that, and the client is cut loose."""

STUCK_S = 20.0
"""A client that has taken nothing for so long is cut loose."""

LOOK_S = 0.1
"""How often held links are looked at."""

CUTS = 5
"""At most so many are cut loose in one look."""


class WsLink(DirectLink):
    """One websocket, as the gateway sees it."""

    __slots__ = (
        "_crowd",
        "_file",
        "_is_clear",
        "_keeper",
        "_line",
        "_on_refusal",
        "_on_welcome",
        "_parting",
        "_queue",
        "_since",
        "_slots",
        "_ws",
        "audience",
        "is_waiting",
        "is_welcome",
        "player",
        "site",
    )

    def __init__(
        self,
        ws: DirectConnection,
        keeper: Keeper,
        on_refusal: Callable[[Refused], None],
        site: str | None = None,
        on_welcome: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_refusal`` is told when a hello that was passed on has been refused,
        ``on_welcome`` when it has been accepted; ``site`` names this node among others.
        """
        self._ws = ws
        self._keeper = keeper
        self._line = Line(ws, keeper.framer)
        self._is_clear = True
        """Nothing is held, and it has not parted: frames may go straight out."""
        self._crowd: SocketCrowd | None = None
        self._file = NO_FILE
        """The descriptor to which its crowd writes directly."""
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
        self.is_waiting = False
        """A hello has been passed on and not yet been answered."""
        self.is_welcome = False

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame, or hold it while the client is slow."""
        if self._is_clear and self._line.write(frame):
            return
        if not self._parting:
            self._hold(frame, slot)

    def enter(self, crowd: SocketCrowd) -> None:
        """Hear what a crowd hears: from now on it is told when the socket is free."""
        if self._crowd is not None:
            self.exit(self._crowd)
        self._crowd = crowd
        self._settle()

    def exit(self, crowd: SocketCrowd) -> None:
        """Have a crowd write no more to the socket directly."""
        if self._crowd is crowd:
            self._leave_file()
            self._crowd = None

    def send_rest(self, rest: bytes) -> None:
        """Send what the socket did not take of a frame that was written directly."""
        self._ws.transport.write(rest)

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        """Send the welcome: the session may now speak for its role."""
        self.is_waiting, self.is_welcome = False, True
        self.player = player
        self._on_welcome()
        self.push(welcome)

    def turn_away(self, refusal: Refused) -> None:
        """Send the refusal of a hello: the session may try another one."""
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
        """Write what is held; return whether anything is left to hold.

        Cuts the link loose where it has been stuck for too long.
        """
        while self._queue and self._line.write(self._queue[0]):
            self._queue.pop(0)
            self._since = now
        while self._slots and not self._queue:
            slot, frame = next(iter(self._slots.items()))
            if not self._line.write(frame):
                break
            del self._slots[slot]
            self._since = now
        if not self._queue and not self._slots:
            self._set_clear(not self._parting)
            return False
        if now - self._since > STUCK_S and self._keeper.may_cut():
            self._cut()
            return False
        return True

    def _settle(self) -> None:
        """Tell the crowd whether it may write to the socket directly."""
        if self._crowd is None:
            return
        is_free = self._is_clear and self._ws.is_free and self._ws.file != NO_FILE
        if not is_free:
            self._leave_file()
        elif self._file == NO_FILE:
            self._file = self._ws.file
            self._crowd.free(self, self._file)

    def _leave_file(self) -> None:
        if self._file != NO_FILE:
            assert self._crowd is not None
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
        elif len(self._queue) < HELD:
            self._queue.append(frame)
        else:
            self._cut()

    def _cut(self) -> None:
        """Drop a stuck client: what it has not read is lost, it may come back."""
        log.info("a client that does not read was cut loose")
        self._parting = True
        self._set_clear(False)
        self._keeper.metrics.cut_loose.inc()
        self._queue.clear()
        self._slots.clear()
        reset(self._ws.transport)


class Keeper:
    """Looks after links that are slow, and closes those that part."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.metrics = metrics or Metrics()
        self.metrics.watch("sockets_held", lambda: len(self._held))
        self.framer = Framer()
        """Shared by all links: what goes to many is framed once."""
        self._held: set[WsLink] = set()
        self._cuts = 0
        self._wake = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None

    def hold(self, link: WsLink) -> None:
        """Look after a link until it has nothing held."""
        self._held.add(link)
        self._wake.set()

    def count_goodbye(self, bye: bytes) -> None:
        """Count a last frame by its code."""
        self.metrics.goodbyes[json.loads(bye)["code"]].inc()

    def close(self, ws: ServerConnection) -> None:
        """Close a websocket in the background."""
        if self._group is not None:
            self._group.create_task(_close(ws), name="close-link")

    def may_cut(self) -> bool:
        """Whether one more may be cut loose in this look.

        A thousand that get stuck together would else go in the same moment, and their
        farewell hold up everybody else.
        """
        self._cuts += 1
        return self._cuts <= CUTS

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            loop = asyncio.get_running_loop()
            while True:
                await self._wake.wait()
                now, self._cuts = loop.time(), 0
                self._held = {link for link in self._held if link.flush(now)}
                if not self._held:
                    self._wake.clear()
                await asyncio.sleep(LOOK_S)


async def _close(ws: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed, OSError):
        await ws.close(1000)
