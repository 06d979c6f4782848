"""What an edge knows about its clients in remote rooms, and its notices to them.

While the connection to a home is lost, a token that the home accepted during this run
of the node still opens the same room, so that a phone that is reloaded can keep voting.
The home checks the token as soon as it can be reached again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.federation.messages import Announce, DownItem, UpBody, UpSay, follows
from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.protocol.client_messages import Vote
from server.protocol.codec import encode_server
from server.protocol.server_messages import Bye, Notice, Received
from server.rooms.ports import SHARED, Audience, Link

FINAL = ("kicked", "bad_token")
"""Refusals that end the connection of a player who has already been admitted."""


@dataclass(slots=True)
class Elsewhere:
    """What an edge knows about a room of another node."""

    home: str
    epoch: int
    key: str = ""
    """The key of its epoch; empty if no announcement has arrived yet."""
    sure_s: float = 0.0
    """When its home is certain (on the loop's clock): all claims are known by then."""
    rivals: dict[str, Announce] = field(default_factory=dict)
    """Other sites that claim the room; until they withdraw, its home is uncertain."""

    def is_sure(self, now_s: float) -> bool:
        """Whether it is certain which site has the room."""
        return not self.rivals and now_s >= self.sure_s

    def is_rival(self, home: str, news: Announce, now_s: float) -> bool:
        """Whether a site's claim is as valid as the one that came first."""
        if self.is_sure(now_s) or home == self.home:
            return False
        return not follows(self.key, self.epoch, news.key, news.epoch)


@dataclass(slots=True)
class Seat:
    """One of this node's clients in a room of another node."""

    link: Link
    room: RoomCode
    token: str | None = None
    is_greeted: bool = False
    is_forgotten: bool = False
    """Whether the home has since forgotten that it admitted this client."""
    returning: int = 0
    """The number of its latest request to return, which may still be in flight."""

    def say_received(self, body: UpBody) -> None:
        """Send a receipt if the request is a vote: it is now safe at this site."""
        if isinstance(body, UpSay) and isinstance(body.message, Vote):
            self.link.push(received(body.message))

    def hear(self, item: DownItem, returners: Returners) -> None:
        """Pass on a home's frame, refusal or goodbye to the client."""
        frame = item.frame.encode()
        match item.op:
            case "push":
                self.link.push(frame, item.slot)
                if item.slot == "you" and self.token is not None:
                    returners.told(self.token, frame)
            case "turn_away":
                self.turned_away(item, returners)
            case "part":
                self.link.part(frame)
                if b'"kicked"' in frame:
                    returners.forget(self.token or "")

    def turned_away(self, item: DownItem, returners: Returners) -> None:
        """Handle a refused hello; it is final if the player was admitted before."""
        if self.is_greeted and item.code in FINAL:
            returners.forget(self.token or "")
            self.link.part(shown_out(item.frame))
        else:
            self.link.turn_away(Refused(item.code, item.frame))


@dataclass(slots=True)
class Returner:
    """A player's last welcome, and the private frame that was sent last."""

    room: RoomCode
    welcome: bytes
    player: PlayerId
    you: bytes | None = None


class Returners:
    """Players in rooms of other nodes, by their token."""

    def __init__(self, most: int = 50_000) -> None:
        """At most ``most`` tokens are remembered; then the oldest is forgotten."""
        self._most = most
        self._known: dict[str, Returner] = {}

    def welcomed(
        self, token: str, room: RoomCode, welcome: bytes, player: PlayerId
    ) -> None:
        """Remember the welcome that a home sent to a player."""
        old = self._known.pop(token, None)
        you = old.you if old is not None else None
        self._known[token] = Returner(room, welcome, player, you)
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]

    def told(self, token: str, you: bytes) -> None:
        """Remember the private frame that a home sent to a player."""
        if token in self._known:
            self._known[token].you = you

    def find(self, token: str, room: RoomCode) -> Returner | None:
        """Return the player with this token in a room, or None."""
        found = self._known.get(token)
        return found if found is not None and found.room == room else None

    def forget(self, token: str) -> None:
        """Forget a player who was removed by the home. Idempotent."""
        self._known.pop(token, None)


View = tuple[int, int, bytes]
"""Epoch, version and frame."""


class Views:
    """The newest views of rooms at other nodes, with a size limit for each home."""

    def __init__(self, most_bytes: int = 32 << 20) -> None:
        """At most ``most_bytes`` are kept per home; then its oldest are forgotten.

        The home sends a forgotten view again when the first clients join its room.
        """
        self._most_bytes = most_bytes
        self._kept: dict[str, dict[tuple[RoomCode, Audience], View]] = {}
        self._bytes: dict[str, int] = {}

    def get(self, home: str, room: RoomCode, audience: Audience) -> View | None:
        """Return the view of a role in a room, or None."""
        return self._kept.get(home, {}).get((room, audience))

    def keep(self, home: str, room: RoomCode, audience: Audience, view: View) -> None:
        """Remember a view, and forget the previous one."""
        self._forget(home, room, audience)
        kept = self._kept.setdefault(home, {})
        kept[room, audience] = view
        self._bytes[home] = self._bytes.get(home, 0) + len(view[2])
        while self._bytes[home] > self._most_bytes:
            self._forget(home, *next(iter(kept)))

    def take(self, home: str, room: RoomCode) -> dict[Audience, View]:
        """Remove and return the views of a room."""
        found = {role: self._forget(home, room, role) for role in SHARED}
        return {role: view for role, view in found.items() if view is not None}

    def _forget(self, home: str, room: RoomCode, audience: Audience) -> View | None:
        view = self._kept.get(home, {}).pop((room, audience), None)
        if view is not None:
            self._bytes[home] -= len(view[2])
        return view


CUT = encode_server(
    Notice(
        code="site_cut",
        detail="The connection to the game is down. Keep voting: your votes are saved "
        "here and sent as soon as it is back.",
    )
)
BACK = encode_server(
    Notice(
        code="site_back", detail="The connection is back; your votes are on their way."
    )
)
PROVE_AGAIN = encode_server(
    Bye(
        code="prove_again",
        detail="The connection to the game was lost; the key must be proven again.",
        come_back=True,
    )
)
MOVED = encode_server(
    Bye(
        code="moved",
        detail="The game has moved to another server and continues there.",
        come_back=True,
    )
)


def received(vote: Vote) -> bytes:
    """Return the receipt for a vote that is safe at this site."""
    return encode_server(
        Received(
            round=vote.round,
            ballot=vote.ballot,
            client=vote.client,
            counter=vote.counter,
        )
    )


def shown_out(detail: str) -> bytes:
    """Return the last frame for a player that the home does not readmit."""
    return encode_server(Bye(code="refused", detail=detail[:500], come_back=False))
