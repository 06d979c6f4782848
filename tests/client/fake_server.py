"""A server that says exactly what a test tells it to say."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TypeVar

from websockets.asyncio.server import ServerConnection

from server.game.ids import PlayerId, RoomCode
from server.game.phases import Phase, Place
from server.game.scoring import chips
from server.game.settings import RoomSettings
from server.game.views.role_types import HostPanel, HostView, PrivateView
from server.game.views.stage_types import (
    LobbyView,
    RoomCard,
    StageView,
    Story,
    StoryView,
)
from server.protocol.client_messages import ClientMessage, Hello, Prove
from server.protocol.codec import decode_client, encode_server
from server.protocol.keys import prove
from server.protocol.server_messages import (
    Challenge,
    HostViewMessage,
    Panel,
    ServerMessage,
    View,
    Welcome,
    You,
)

M = TypeVar("M")

ROOM = RoomCode("K7MQ2P")
KEY = "00112233445566778899aabbccddeeff"
CARD = RoomCard(
    code=ROOM,
    title="A deck",
    round=0,
    rounds=2,
    score_mode="brier",
    chips=chips("brier"),
    two_link=False,
    teams=(),
    goal=84,
    is_locked=False,
    is_rehearsal=False,
)
YOU = PrivateView(
    player=PlayerId("p1"),
    name="Ada",
    team=None,
    is_practice=False,
    round=0,
    points=0,
    rounds=0,
    percent=100,
    clock=None,
    warned_ms=None,
    votes=(),
    score=None,
    missed=False,
    card=(),
)
PANEL = HostPanel(
    advised="open_round",
    is_ready=True,
    answered=0,
    expected=0,
    joined=0,
    connected=0,
    practice=0,
    measures=None,
    advice=None,
    reasons=(),
    need_time=(),
    warned_ms=None,
)
STORY = Story("A boat", "It went round and round.", 2016, "documented")


def lobby(joined: int = 0) -> LobbyView:
    """Return a view of the lobby."""
    return LobbyView(replace(CARD, round=None), joined)


def voting(round_: int = 0, phase: Phase = Phase.VOTE) -> StoryView:
    """Return a view in which the class votes."""
    return StoryView(replace(CARD, round=round_), phase, STORY, None, ())  # type: ignore[arg-type] # one of the story phases


def host_view(stage: StageView) -> HostView:
    """Return a host's view."""
    place = Place(stage.room.round, Phase(stage.phase))
    return HostView(stage, place, None, None, None, (), (), RoomSettings(), ())


class Peer:
    """The server's end of one socket."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.done = asyncio.Event()

    async def send(self, *messages: ServerMessage) -> None:
        """Send messages in order."""
        for message in messages:
            await self.socket.send(encode_server(message), text=True)

    async def take(self, kind: type[M]) -> M:
        """Return the next message, which must be of this kind."""
        message: ClientMessage = decode_client(await self.socket.recv())
        assert isinstance(message, kind), message
        return message

    async def admit(
        self,
        view: StageView | None = None,
        name: str = "Ada",
        addresses: tuple[str, ...] = (),
    ) -> Hello:
        """Let a player in, with a view; return its hello."""
        hello = await self.take(Hello)
        await self.send(
            Welcome(
                role=hello.role,
                room=ROOM,
                player=PlayerId("p1"),
                name=name,
                token="p1.mac",
                server="fake",
                now_ms=0,
                addresses=addresses,
            ),
            View(version=1, view=view or lobby()),
            You(you=replace(YOU, name=name)),
        )
        return hello

    async def admit_host(self) -> None:
        """Admit a host after the proof of its key."""
        hello = await self.take(Hello)
        await self.send(Challenge(nonce="n"))
        proof = await self.take(Prove)
        assert proof.proof == prove(KEY, hello.role, hello.room, "n")
        await self.send(
            Welcome(role=hello.role, room=hello.room, server="fake", now_ms=0),
            HostViewMessage(version=1, view=host_view(lobby())),
            Panel(version=1, panel=PANEL),
        )

    async def drop(self) -> None:
        """Cut the line without a goodbye."""
        self.socket.transport.abort()
        self.done.set()


class FakeServer:
    """Hands every socket to the test, in the order in which they come."""

    def __init__(self) -> None:
        self.url = ""
        self.opened = 0
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()

    async def peer(self) -> Peer:
        """Return the next socket that has been opened."""
        async with asyncio.timeout(5):
            return await self._peers.get()

    async def handle(self, socket: ServerConnection) -> None:
        """Keep a socket open until its other end leaves."""
        self.opened += 1
        await self._peers.put(Peer(socket))
        await socket.wait_closed()
