"""The frames that answer one request."""

from __future__ import annotations

from server import __version__
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.state import RoomState
from server.protocol.client_messages import Ping, Role, Vote
from server.protocol.codec import encode_server
from server.protocol.keys import player_token
from server.protocol.receipt import encode_recorded
from server.protocol.server_messages import (
    Bye,
    Done,
    Pong,
    RefusedMessage,
    Welcome,
)
from server.rooms.ports import Link

SERVER_NAME = f"two-gaps {__version__}"


def welcome(
    state: RoomState,
    role: Role,
    now_ms: int,
    link: Link,
    player: PlayerId | None = None,
) -> bytes:
    """Return the welcome of a role; a player's holds name and resume token."""
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
    """Return the acknowledgement of a vote: what stands, whoever sent it."""
    poll = state.rounds[vote.round].polls[vote.ballot]
    held = poll.votes.get(player) or poll.late[player]
    return encode_recorded(vote, held.answer, is_late=held.is_late)


def done(ref: int) -> bytes:
    """Return the answer to a command that was carried out."""
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
        detail="The host has removed you from this room.",
        come_back=False,
    )
)
ROOM_CLOSED = encode_server(
    Bye(
        code="room_closed",
        detail="This room was closed after a fault of ours. Its journal is kept.",
        come_back=False,
    )
)
MOVED = encode_server(
    Bye(
        code="moved",
        detail="The game has moved to another server; it goes on there.",
        come_back=True,
    )
)
SHUTTING_DOWN = encode_server(
    Bye(
        code="shutting_down",
        detail="The server is stopping. Your votes are stored; it will be back.",
        come_back=True,
    )
)
