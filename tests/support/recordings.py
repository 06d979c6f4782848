"""Recordings of what players and a broker were shown, and what may not be in them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiomqtt

from client.player import Player
from client.session import running
from client.staff import Host
from server.federation.messages import Announce, decode, decode_view
from server.federation.topics import BrokerAddress, watch_sockets
from server.protocol.server_messages import RefusedMessage, ServerMessage, View

RETRY_S = 0.2


class RecordedPlayer(Player):
    """A player who keeps the version of every view that came, in order."""

    def __init__(self, url: str, code: str, name: str) -> None:
        super().__init__(url, code, name)
        self.versions: list[int] = []

    def received(self, message: ServerMessage) -> None:
        """Note a view, then take the message as every player does."""
        if isinstance(message, View):
            self.versions.append(message.version)
        super().received(message)

    def check(self) -> None:
        """No view may come after one of a later version, over all connections.

        A home that was fenced knows no version that the next home has stored.
        """
        assert self.versions == sorted(self.versions), f"{self.name}: {self.versions}"


class RecordedHost(Host):
    """A host who keeps what a console would show as an error."""

    def __init__(self, url: str, code: str, key: str) -> None:
        super().__init__(url, code, key)
        self.errors: list[str] = []

    def received(self, message: ServerMessage) -> None:
        """Note a refusal, then take the message as every host does."""
        if isinstance(message, RefusedMessage):
            self.errors.append(f"{message.code}: {message.detail}")
        super().received(message)


def recorded_host(
    url: str, code: str, key: str
) -> contextlib.AbstractAsyncContextManager[RecordedHost]:
    """Host a room; what is refused is kept."""
    return running(RecordedHost(url, code, key))


def recorded(
    url: str, code: str, name: str
) -> contextlib.AbstractAsyncContextManager[RecordedPlayer]:
    """Join a room as a player whose views are kept."""
    return running(RecordedPlayer(url, code, name))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a broker has passed on for a room."""

    home: str
    kind: str
    epoch: int
    version: int
    """0 for an announcement."""


@dataclass
class Tap:
    """Everything that homes say of their rooms at a broker, in order of arrival."""

    rooms: dict[str, list[Shown]] = field(default_factory=dict)
    refused: int = 0
    """Messages that could not be read."""
    is_up: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, topic: str, payload: bytes) -> None:
        """Keep one message; an empty one takes back what was retained."""
        match topic.split("/"):
            case (_, _, "home", home, "room", code, kind) if payload:
                shown = _shown(home, kind, payload)
                if shown is None:
                    self.refused += 1
                else:
                    self.rooms.setdefault(code, []).append(shown)

    def check(self) -> int:
        """Nothing of an older epoch may come after what is of a newer one.

        Returns how many epochs were seen, over all rooms.
        """
        assert not self.refused, f"{self.refused} messages could not be read"
        epochs = 0
        for code, shown in self.rooms.items():
            seen = [each.epoch for each in shown]
            assert seen == sorted(seen), f"{code}: {_backward(shown)}"
            for kind in {each.kind for each in shown}:
                of_kind = [(e.epoch, e.version) for e in shown if e.kind == kind]
                assert of_kind == sorted(of_kind), f"{code} {kind}: {of_kind}"
            homes: dict[int, set[str]] = {}
            for each in shown:
                homes.setdefault(each.epoch, set()).add(each.home)
            assert all(len(names) == 1 for names in homes.values()), f"{code}: {homes}"
            epochs += len(homes)
        return epochs


def _backward(shown: list[Shown]) -> list[tuple[Shown, Shown]]:
    pairs = itertools.pairwise(shown)
    return [(a, b) for a, b in pairs if a.epoch > b.epoch]


def _shown(home: str, kind: str, payload: bytes) -> Shown | None:
    if kind == "announce":
        news = decode(Announce, payload)
        return Shown(home, kind, news.epoch, 0) if news else None
    found = decode_view(payload)
    return Shown(home, kind, found[0], found[1]) if found else None


@contextlib.asynccontextmanager
async def tapped(url: str, topics: tuple[str, ...]) -> AsyncIterator[Tap]:
    """Listen at the brokers of an address while the block lasts."""
    tap = Tap()
    task = asyncio.create_task(_listen(BrokerAddress.parse(url), topics, tap))
    try:
        await tap.is_up.wait()
        yield tap
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _listen(address: BrokerAddress, topics: tuple[str, ...], tap: Tap) -> None:
    watch_sockets(asyncio.get_running_loop())
    tries = 0
    while True:
        host, port = address.places[tries % len(address.places)]
        tries += 1
        with contextlib.suppress(aiomqtt.MqttError, OSError):
            async with aiomqtt.Client(
                host,
                port,
                username=address.user,
                password=address.password,
                identifier=address.client_id("tap"),
                timeout=5,
            ) as client:
                for topic in topics:
                    await client.subscribe(topic)
                tap.is_up.set()
                async for message in client.messages:
                    if isinstance(message.payload, bytes) and not message.retain:
                        tap.take(message.topic.value, message.payload)
        await asyncio.sleep(RETRY_S)


VIEWS = tuple(
    f"tg/v1/home/+/room/+/{kind}" for kind in ("announce", "player", "screen")
)
"""What homes retain of their rooms."""
