"""What an edge knows of its own people in rooms of other nodes, and tells them.

A token that the home has welcomed here, in this run of the node, opens the same room
again while the connection to the home is cut: a phone that is reloaded then can go on
voting. The home checks the token as soon as it is reachable.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.game.ids import PlayerId, RoomCode
from server.protocol.client_messages import Vote
from server.protocol.codec import encode_server
from server.protocol.server_messages import Bye, Notice, Received
from server.rooms.ports import Audience, Link


@dataclass(slots=True)
class Elsewhere:
    """A room of another node, as an edge knows it."""

    home: str
    epoch: int
    key: str = ""
    """Of its epoch; empty where no announcement has come yet."""
    views: dict[Audience, tuple[int, int, bytes]] = field(default_factory=dict)
    """Epoch, version and frame of the newest view of each role."""


@dataclass(slots=True)
class Seat:
    """One of this node's people in a room elsewhere."""

    link: Link
    room: RoomCode
    token: str | None = None
    is_greeted: bool = False
    is_forgotten: bool = False
    """Whether the home has forgotten since that it let somebody in."""
    returning: int = 0
    """The number of its latest return, which may be on its way still."""


@dataclass(slots=True)
class Returner:
    """A player as last welcomed, and the private part that was sent last."""

    room: RoomCode
    welcome: bytes
    player: PlayerId
    you: bytes | None = None


class Returners:
    """Players of rooms elsewhere, by their token."""

    def __init__(self, most: int = 50_000) -> None:
        """``most`` tokens are remembered; beyond that the oldest is forgotten."""
        self._most = most
        self._known: dict[str, Returner] = {}

    def welcomed(
        self, token: str, room: RoomCode, welcome: bytes, player: PlayerId
    ) -> None:
        """A home has welcomed a player."""
        old = self._known.pop(token, None)
        you = old.you if old is not None else None
        self._known[token] = Returner(room, welcome, player, you)
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]

    def told(self, token: str, you: bytes) -> None:
        """A home has sent a player's private part."""
        if token in self._known:
            self._known[token].you = you

    def find(self, token: str, room: RoomCode) -> Returner | None:
        """Return whoever has this token in a room."""
        found = self._known.get(token)
        return found if found is not None and found.room == room else None

    def forget(self, token: str) -> None:
        """A home has shown a player out. Idempotent."""
        self._known.pop(token, None)


class EarlyViews:
    """Views of homes that are not announced yet, which may come later."""

    def __init__(self, most: int = 1_000) -> None:
        """``most`` rooms are remembered; beyond that the oldest is forgotten."""
        self._most = most
        self._kept: dict[tuple[str, RoomCode], dict[Audience, bytes]] = {}

    def keep(
        self, home: str, room: RoomCode, audience: Audience, payload: bytes
    ) -> None:
        """Remember a view until its home is announced."""
        self._kept.setdefault((home, room), {})[audience] = payload
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    def take(self, home: str, room: RoomCode) -> dict[Audience, bytes]:
        """Return and forget the views of a home."""
        return self._kept.pop((home, room), {})


CUT = encode_server(
    Notice(
        code="site_cut",
        detail="The line to the game is down. Go on voting: your votes are kept here "
        "and travel as soon as it is back.",
    )
)
BACK = encode_server(
    Notice(code="site_back", detail="The line is back; your votes are on their way.")
)
PROVE_AGAIN = encode_server(
    Bye(
        code="prove_again",
        detail="The line to the game was cut; the key has to be shown again.",
        come_back=True,
    )
)
MOVED = encode_server(
    Bye(
        code="moved",
        detail="The game has moved to another server; it goes on there.",
        come_back=True,
    )
)


def received(vote: Vote) -> bytes:
    """Return the frame that says of a vote that it is safe at this site."""
    return encode_server(
        Received(
            round=vote.round,
            ballot=vote.ballot,
            client=vote.client,
            counter=vote.counter,
        )
    )


def shown_out(detail: str) -> bytes:
    """Return the last frame for somebody whom the home does not let in again."""
    return encode_server(Bye(code="refused", detail=detail[:500], come_back=False))
