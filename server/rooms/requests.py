"""From messages of the wire to commands of the game, in the name of who sent them."""

from __future__ import annotations

from dataclasses import replace

from server.game.commands import AskTime as AskTimeCommand
from server.game.commands import CastVote, Command, GiveTime, Join, Kick, Lock, Unlock
from server.game.commands import ChooseTeam as ChooseTeamCommand
from server.game.commands import SayIt as SayItCommand
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.state import RoomState
from server.protocol.client_messages import (
    AskTime,
    ChooseTeam,
    GetReport,
    GetRoster,
    Hello,
    HostMessage,
    Ping,
    PlayerMessage,
    SayIt,
    Vote,
)
from server.protocol.keys import derive
from server.rooms.ports import Link


def player_for(state: RoomState, hello: Hello) -> PlayerId:
    """Return the id of whoever says this hello: the same for the same join key."""
    return PlayerId(derive(state.secret, f"join {hello.join_key}")[:12])


def join(state: RoomState, hello: Hello, site: str | None) -> Join:
    """Return the command that a hello by name stands for."""
    player = player_for(state, hello)
    return Join(player, hello.name or "", hello.team, hello.is_practice, site)


def limited(
    message: PlayerMessage | HostMessage, link: Link
) -> PlayerMessage | HostMessage:
    """Return a message as its sender may mean it: a co-host acts for one site only."""
    if link.audience == "cohost" and isinstance(
        message, Lock | Unlock | Kick | GiveTime
    ):
        return replace(message, site=link.site)
    return message


def command(
    message: PlayerMessage | HostMessage, player: PlayerId | None, stamped_ms: int
) -> Command:
    """Return the command that a message stands for.

    A player's message needs the player; raises :class:`Refused` without one.
    """
    match message:
        case Vote() | AskTime() | ChooseTeam() | SayIt():
            if player is None:
                raise Refused("hello_expected", "Say hello first; wait for welcome.")
            return _players(message, player, stamped_ms)
        case GetRoster() | GetReport() | Ping():
            raise TypeError(f"{message.type} is a question, not a command")
        case _:
            return message


def _players(
    message: Vote | AskTime | ChooseTeam | SayIt, player: PlayerId, stamped_ms: int
) -> Command:
    match message:
        case Vote():
            return CastVote(
                player=player,
                client=message.client,
                counter=message.counter,
                round=message.round,
                ballot=message.ballot,
                answer=message.answer,
                reason=message.reason,
                stamped_ms=stamped_ms,
            )
        case AskTime():
            return AskTimeCommand(player, message.percent, message.ref)
        case ChooseTeam():
            return ChooseTeamCommand(player, message.team, message.ref)
        case SayIt():
            return SayItCommand(player, message.round, message.text, message.ref)
