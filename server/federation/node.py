"""One node of many: hands what comes over the bus to its home half or its edge half."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from server.federation import topics
from server.federation.edge import EdgeRelay
from server.federation.home import HomeGateway
from server.federation.messages import (
    Announce,
    Answer,
    DownBatch,
    M,
    NodeState,
    Probe,
    UpBatch,
    UpItem,
    decode,
    encode,
)
from server.federation.mqtt import Bus, Will
from server.game.ids import RoomCode

log = logging.getLogger("twogaps.federation")

FORGET_S = 0.1
"""How long what is done is gathered before it is taken off the disk."""

RETRY_S = 0.25
FIRST_PROBES = 16
QUICK_PROBE_S, SLOW_PROBE_S = 0.1, 5.0


class Node:
    """Listens to the bus for both halves, and keeps them going."""

    def __init__(
        self,
        name: str,
        boot: str,
        bus: Bus,
        home: HomeGateway,
        edge: EdgeRelay,
        now_ms: Callable[[], int],
    ) -> None:
        self._name = name
        self._boot = boot
        self._bus = bus
        self._home = home
        self._edge = edge
        self._now_ms = now_ms
        self._done: list[UpItem] = []
        self.succeeded: Callable[[RoomCode, str, Announce], None] = lambda *_: None
        """Hears of every room that another node says it is home to."""
        self._unusable = 0
        self._is_leaving = False

    @property
    def rejected(self) -> int:
        """How many messages were forged, foreign or too large: nothing came of them."""
        return self._unusable + self._edge.rejected

    # --- what the bus tells ----------------------------------------------------------

    def bus_up(self) -> None:
        """Say that this node is there, and everything it retains."""
        self._say_state()
        self._home.republish()
        self._edge.bus_changed()

    def reached_at(self, url: str) -> None:
        """Tell the others the address at which people reach this node."""
        self._home.url = url
        self._say_state()

    def bus_down(self) -> None:
        """Tell this site's people that the line is cut."""
        self._edge.bus_changed()

    def bus_message(self, topic: str, payload: bytes) -> None:
        """Hand a message to whom it is for; count what is forged or foreign."""
        try:
            self._hand(topics.parts(topic), payload)
        except Exception:  # whatever another site sends: this one goes on
            self._unusable += 1
            log.exception("a message at %s could not be used", topic)

    def _hand(self, parts: tuple[str, ...], payload: bytes) -> None:
        match parts:
            case ("node", name, "state"):
                if payload and (state := self._good(decode(NodeState, payload))):
                    self._node_state(name, state)
            case ("home", home, "room", code, kind) if home != self._name:
                self._shared(home, RoomCode(code), kind, payload)
            case ("up", _, edge):
                if batch := self._good(decode(UpBatch, payload)):
                    self._home.receive(edge, batch)
            case ("down", _, home):
                if down := self._good(decode(DownBatch, payload)):
                    self._done += self._edge.receive(home, down)
            case ("clk", "up", _, edge):
                if probe := self._good(decode(Probe, payload)):
                    self._home.heard(edge)
                    answer = Answer(sent_ms=probe.sent_ms, home_ms=self._now_ms())
                    topic = topics.clock_down(edge, self._name)
                    self._bus.publish(topic, encode(answer))
            case ("clk", "down", _, home):
                if heard := self._good(decode(Answer, payload)):
                    now_ms = self._now_ms()
                    self._edge.probed(home, heard.sent_ms, heard.home_ms, now_ms)
            case _:
                pass

    def _good(self, message: M | None) -> M | None:
        """Count what could not be read."""
        if message is None:
            self._unusable += 1
        return message

    def _node_state(self, name: str, state: NodeState) -> None:
        if name == self._name:
            if not state.is_up and not self._is_leaving:
                self._say_state()  # the will of an earlier connection came late
            return
        self._edge.home_state(name, state.is_up, state.boot)
        self._home.node_is(name, state)

    def _shared(self, home: str, room: RoomCode, kind: str, payload: bytes) -> None:
        if kind == "announce":
            news = decode(Announce, payload) if payload else None
            if news is not None:
                self.succeeded(room, home, news)
            if payload and self._good(news) is None:
                return
            self._edge.announced(home, room, news)
        elif kind == "player":
            self._edge.shown(home, room, "player", payload)
        elif kind == "screen":
            self._edge.shown(home, room, "screen", payload)
        elif kind == "progress":
            self._edge.progressed(home, room, payload)

    # --- what goes on by itself ------------------------------------------------------

    async def run(self) -> None:
        """Flush, send again and probe, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._edge.sender.run(), name="relay-edge")
            group.create_task(self._home.run(), name="relay-home")
            group.create_task(self._forget(), name="relay-forget")
            group.create_task(self._retry(), name="relay-retry")
            group.create_task(self._probe(), name="relay-clock")

    async def _forget(self) -> None:
        """Take what homes are done with off the disk, many at a time."""
        while True:
            await asyncio.sleep(FORGET_S)
            done, self._done = self._done, []
            if done:
                await self._edge.sender.forget(done)

    async def _retry(self) -> None:
        while True:
            await asyncio.sleep(RETRY_S)
            self._edge.sender.send_all()

    async def _probe(self) -> None:
        sent = 0
        while True:
            for home in self._edge.homes():
                probe = Probe(sent_ms=self._now_ms())
                self._bus.publish(topics.clock_up(home, self._name), encode(probe))
                sent += 1
            is_new = sent < FIRST_PROBES or not self._edge.homes()
            await asyncio.sleep(QUICK_PROBE_S if is_new else SLOW_PROBE_S)

    def say_goodbye(self) -> None:
        """Say that this node goes down, in its own words."""
        self._is_leaving = True
        self._say_state()

    def _say_state(self) -> None:
        state = NodeState(
            is_up=not self._is_leaving, boot=self._boot, url=self._home.url
        )
        self._bus.publish(
            topics.node_state(self._name), encode(state), qos=1, retain=True
        )


def last_will(name: str, boot: str) -> Will:
    """Return what the broker says when this node is gone without a word."""
    return Will(topics.node_state(name), encode(NodeState(is_up=False, boot=boot)))
