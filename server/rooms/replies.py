"""The answers to single requests: their frames and their side effects."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import assert_never

from server import __version__
from server.game.errors import Refused, required
from server.game.events import Event
from server.game.features import Effects
from server.game.ids import PlayerId
from server.game.phases import Phase
from server.game.state import RoomState
from server.journal.store import RoomRecord
from server.metrics import Metrics
from server.protocol.client_messages import (
    GetRoster,
    Ping,
    Role,
    TellSound,
    Vote,
)
from server.protocol.codec import encode_recorded, encode_server
from server.protocol.keys import player_token
from server.protocol.server_messages import (
    Bye,
    Done,
    Pong,
    RefusedMessage,
    RoomSummary,
    Welcome,
)
from server.rooms import requests
from server.rooms.clock import Clock
from server.rooms.ports import (
    PASSING,
    Attend,
    Enter,
    Gateway,
    Leave,
    Link,
    Request,
    Return,
    Say,
)
from server.rooms.presence import Presence
from server.rooms.publisher import Publisher

log = logging.getLogger("twogaps.room")

SERVER_NAME = f"two-gaps {__version__}"

FAULT = Refused("internal", "Internal error. Nothing was counted; please try again.")
STORAGE = Refused(
    "storage_unavailable",
    "The server cannot write its journal now. Nothing was counted; it will be sent "
    "again.",
)
INTERRUPTED = Refused("busy", "This room ended in the meantime; please try again.")
CLOSED = Refused(
    "room_closed", "This room was closed after an internal error. Its journal is kept."
)


def summary(record: RoomRecord, state: RoomState | None) -> RoomSummary:
    """Return a room's entry in the list of rooms; ``state`` is None if not running."""
    stored = Phase.FINISHED if record.finished_ms else Phase.LOBBY
    return RoomSummary(
        room=record.code,
        title=record.title,
        opened_ms=record.opened_ms,
        updated_ms=record.updated_ms,
        phase=state.phase if state else stored,
        joined=record.joined,
        round=state.plan_index if state else None,
        rounds=record.rounds,
        time_zone=record.time_zone,
        name=record.name or "",
    )


def welcome(
    state: RoomState,
    role: Role,
    now_ms: int,
    link: Link,
    player: PlayerId | None = None,
) -> bytes:
    """Return the welcome for a role; a player's has their name and resume token."""
    return encode_server(
        Welcome(
            role=role,
            room=state.code,
            player=player,
            name=state.players[player].name if player else None,
            token=player_token(state.secret, player) if player else None,
            server=SERVER_NAME,
            now_ms=now_ms,
            site=link.site,
        )
    )


def recorded(state: RoomState, vote: Vote, player: PlayerId) -> bytes:
    """Return the acknowledgment of a vote, with the answer that is now recorded."""
    poll = state.round_at(vote.round).polls[vote.ballot]
    held = poll.votes.get(player) or poll.late[player]
    return encode_recorded(vote, held.answer, is_late=held.is_late)


def done(ref: int) -> bytes:
    """Return the answer to a command that has been carried out."""
    return encode_server(Done(ref=ref))


def pong(ping: Ping, now_ms: int) -> bytes:
    """Return the answer to a ping."""
    return encode_server(Pong(ref=ping.ref, now_ms=now_ms))


def refused(refusal: Refused, message: object = None) -> bytes:
    """Return a refusal that names the message it answers."""
    vote = message if isinstance(message, Vote) else None
    return encode_server(
        RefusedMessage(
            code=refusal.code,
            detail=refusal.detail,
            retry_ms=refusal.retry_ms,
            ref=getattr(message, "ref", None),
            round=vote.round if vote else None,
            ballot=vote.ballot if vote else None,
            client=vote.client if vote else None,
            counter=vote.counter if vote else None,
        )
    )


TAKEN_OVER = encode_server(
    Bye(
        code="taken_over",
        detail="You are playing in another tab or on another device now.",
        come_back=False,
    )
)
KICKED = encode_server(
    Bye(
        code="kicked",
        detail="The host removed you from this room.",
        come_back=False,
    )
)
CALLED_BACK = encode_server(
    Bye(
        code="link_called_back",
        detail="The host has revoked this link. Ask for the new one.",
        come_back=False,
    )
)
ROOM_CLOSED = encode_server(
    Bye(
        code="room_closed",
        detail="This room was closed after an internal error. Its journal is kept.",
        come_back=False,
    )
)
DELETED = Refused("unknown_room", "This room has been deleted.")
GOODBYE = encode_server(
    Bye(
        code="room_deleted",
        detail="This room has been deleted, with all its votes.",
        come_back=False,
    )
)
MOVED = encode_server(
    Bye(
        code="moved",
        detail="The game has moved to another server and continues there.",
        come_back=True,
    )
)
KEPT = encode_server(
    Bye(
        code="moved",
        detail="This room could not be deleted, so the game continues.",
        come_back=True,
    )
)
SHUTTING_DOWN = encode_server(
    Bye(
        code="shutting_down",
        detail="The server is shutting down. Your votes are stored; it will be back.",
        come_back=True,
    )
)


@dataclass(slots=True)
class Step:
    """The decisions of one step, held back until they are stored."""

    batch: list[Request] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refusals: list[Refused | None] = field(default_factory=list)
    """For each request in the batch, the refusal or None."""
    proven: set[Link] = field(default_factory=set)
    """Hosts, co-hosts and screens that have proved their key in this step."""
    hosts_by: Link | None = None
    """The host that called the link back in this step; no other may send commands."""
    is_stored: bool = False
    answered: int = 0
    """The number of requests in the batch that have been answered."""
    is_suspect: bool = False
    """Whether a rule has raised an unexpected error."""


def refuse(request: Request, refusal: Refused) -> None:
    """Answer a request with a refusal; also acknowledge it if that is final."""
    if isinstance(request, Enter | Return | Attend):
        request.link.turn_away(refusal)
    elif isinstance(request, Say):
        request.link.push(refused(refusal, request.message))
    if request.ack is not None and refusal.code not in PASSING:
        request.ack()


class Answers:
    """Answers the requests to a room once their changes are stored."""

    def __init__(
        self,
        gateway: Gateway,
        clock: Clock,
        presence: Presence,
        publisher: Publisher,
        metrics: Metrics,
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._presence = presence
        self._publisher = publisher
        self._metrics = metrics
        self._asked_s: dict[PlayerId, float | None] = {}
        """When the hello arrived that each player was last welcomed for."""

    def give(self, state: RoomState, request: Request, refusal: Refused | None) -> None:
        """Answer a request; if that fails, notify its client, which may repeat it."""
        try:
            self._give(state, request, refusal)
        except Exception:
            log.exception("an answer failed", extra={"room": state.code})
            self._metrics.steps_failed.inc()
            try:
                refuse(request, FAULT)
            except Exception:
                log.exception("a link failed", extra={"room": state.code})
                self._gateway.detach(state.code, request.link)

    def _give(
        self, state: RoomState, request: Request, refusal: Refused | None
    ) -> None:
        if isinstance(request, Leave):
            self._leave(state, request)
        elif refusal is not None:
            if isinstance(request, Say):
                self._metrics.refusals[refusal.code].inc()
            refuse(request, refusal)
            return
        else:
            match request:
                case Say():
                    self._reply(state, request)
                case Enter(hello=hello):
                    self._greet(state, request, requests.player_for(state, hello))
                case Return(token=token):
                    self._greet(state, request, requests.bearer(token))
                case Attend():
                    self._attend(state, request)
                case _:
                    assert_never(request)
        if request.ack is not None:
            request.ack()

    def _reply(self, state: RoomState, request: Say) -> None:
        message, link = request.message, request.link
        if isinstance(message, TellSound):
            self._tell_sound(link, message)
        elif isinstance(message, Vote):
            player = requests.bearer(request.token) if request.token else link.player
            voter = required(player, "the voter")
            link.push(recorded(state, message, voter))
            taken_ms = self._clock.now_ms() - request.stamped_ms
            self._metrics.vote_seconds.observe(max(0, taken_ms) / 1000)
        elif isinstance(message, GetRoster):
            link.push(self._publisher.roster(state, message, link))
        elif isinstance(message, Ping):
            link.push(pong(message, self._clock.now_ms()))
        elif message.ref is not None:
            link.push(done(message.ref))

    def _tell_sound(self, link: Link, message: TellSound) -> None:
        is_news = self._presence.sound(link, is_on=message.is_on)
        if is_news:
            self._publisher.mark()
        if message.ref is not None:
            link.push(done(message.ref))

    def _greet(
        self, state: RoomState, request: Enter | Return, player: PlayerId
    ) -> None:
        """Attach a player and send everything, with no await so nothing is missed."""
        link, now_ms = request.link, self._clock.now_ms()
        if self._is_overtaken(state, request, player):
            link.part(TAKEN_OVER)
            return
        self._asked_s[player] = request.asked_s
        replaced = self._gateway.attach(state.code, link, player)
        if replaced is not None:
            replaced.part(TAKEN_OVER)
        self._presence.arrive(player)
        link.greet(welcome(state, "player", now_ms, link, player), player)
        self._publisher.show_all(state, "player", link)
        link.push(self._publisher.you_frame(state, player), "you")
        self._publisher.mark(for_newcomers=True)

    def _is_overtaken(
        self, state: RoomState, request: Enter | Return, player: PlayerId
    ) -> bool:
        """Whether a hello waited so long that a later one of its player came first."""
        asked_s, latest_s = request.asked_s, self._asked_s.get(player)
        if asked_s is None or latest_s is None or asked_s >= latest_s:
            return False
        return self._gateway.player(state.code, player) not in (None, request.link)

    def show_out(self, state: RoomState, effects: Effects, by: Link | None) -> None:
        """Disconnect removed players and the clients whose links were called back.

        ``by`` is the client that called them back; it stays connected.
        """
        for player in effects.kicked:
            self._presence.remove(player)
            link = self._gateway.player(state.code, player)
            if link is not None:
                link.part(KICKED)
        for role in effects.called_back:
            for link in list(self._gateway.links(state.code, role)):
                if link is not by:
                    link.part(CALLED_BACK)
                    self._gateway.detach(state.code, link)

    def _attend(self, state: RoomState, request: Attend) -> None:
        link = request.link
        self._gateway.attach(state.code, link, None)
        now_ms = self._clock.now_ms()
        link.greet(welcome(state, link.audience, now_ms, link), None)
        self._publisher.show_all(state, link.audience, link)
        if link.audience == "screen":
            self._publisher.mark()

    def _leave(self, state: RoomState, request: Leave) -> None:
        link = request.link
        if not self._gateway.detach(state.code, link):
            return
        if link.player is not None:
            self._presence.leave(link.player, self._clock.now_ms())
        elif link.audience == "screen":
            self._presence.sound(link, is_on=False)
        else:
            return
        self._publisher.mark()
