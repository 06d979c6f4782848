"""Removing players, whose names and devices are blocked until they are let back in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, assert_never

from pydantic import Field

from scenarios.prose import plural
from server.game.errors import Refused
from server.game.features import (
    QUIET,
    Asked,
    Effects,
    FromHost,
    Moment,
    Row,
    Rule,
    active,
    stays,
)
from server.game.ids import PlayerId, Site
from server.game.names import forget, looks, unique_name
from server.game.phases import GAME
from server.game.state import Player, RoomState

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Kick(FromHost):
    """Remove a player until they are let back in; votes already cast still count.

    Until then, no one can join under their name or on their device.
    """

    player: PlayerId
    site: Site = None
    """Only if the player belongs to this site."""
    type: Literal["kick"] = "kick"


@dataclass(frozen=True, slots=True, kw_only=True)
class KickRecent(FromHost):
    """Remove everyone who has just joined; votes already cast still count.

    A script may have used the names of the class, and pupils may have joined in
    between, so neither names nor devices are blocked. To keep them out, lock the room.
    """

    seconds: Annotated[int, Field(ge=1, le=3_600)] = 60
    """How far back."""
    site: Site = None
    """Remove only people at this site."""
    type: Literal["kick_recent"] = "kick_recent"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetBack(FromHost):
    """Let a removed player back in, with their answers and points."""

    player: PlayerId
    site: Site = None
    """Only if the player belongs to this site."""
    type: Literal["let_back"] = "let_back"


Commands = Kick | KickRecent | LetBack

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayerKicked:
    """A player was removed, until they are let back in."""

    player: PlayerId
    is_barred: bool = True
    """Whether their name and their device are blocked until then."""
    type: Literal["player_kicked"] = "player_kicked"

    @property
    def effects(self) -> Effects:
        """The player's connection is closed, and their words leave the wall."""
        return Effects(stage=True, kicked=(self.player,))


@dataclass(frozen=True, slots=True)
class PlayerLetBack:
    """A removed player may come back, with their answers and points."""

    player: PlayerId
    name: str
    """Their own name, with a number added if another player has it now."""
    type: Literal["player_let_back"] = "player_let_back"
    effects: ClassVar[Effects] = QUIET


Events = PlayerKicked | PlayerLetBack

# --- rules ---------------------------------------------------------------------------


def must_not_be_removed(state: RoomState, name: str, device: str | None) -> None:
    """Refuse the name or the device of a removed player."""
    if device is not None and device in state.removed_devices:
        raise Refused(
            "removed_device",
            "The host has removed a player who joined on this device. Ask the host to "
            "let them back in.",
        )
    if any(look in state.removed_looks for look in looks(name)):
        raise Refused(
            "removed_name",
            "The host has removed a player of this name. Choose another name, or ask "
            "the host to let them back in.",
        )


def _kick(state: RoomState, command: Kick, _: Moment) -> list[Events]:
    active(state, command.player)
    if command.site not in (None, state.players[command.player].site):
        raise Refused("unknown_player", f"No such player at {command.site}.")
    return [PlayerKicked(command.player)]


def _kick_recent(
    state: RoomState, command: KickRecent, moment: Moment
) -> list[PlayerKicked]:
    """Remove everyone who has just joined, such as players made up by a script."""
    since_ms = moment.now_ms - 1_000 * command.seconds
    recent = [
        PlayerKicked(player.id, is_barred=False)
        for player in state.players.values()
        if player.joined_ms >= since_ms
        and not player.is_kicked
        and command.site in (None, player.site)
    ]
    if not recent:
        detail = f"No one has joined in the last {plural(command.seconds, 'second')}."
        raise Refused("unknown_player", detail)
    return recent


def _let_back(state: RoomState, command: LetBack, _: Moment) -> list[Events]:
    player = state.players.get(command.player)
    is_theirs = player is not None and command.site in (None, player.site)
    if player is None or not player.is_kicked or not is_theirs:
        raise Refused("unknown_player", "No such player was removed.")
    return [PlayerLetBack(player.id, unique_name(player.name, state.looks))]


KICK = Rule(Row("kick", stays(GAME)), _kick)
KICK_RECENT = Rule(Row("kick_recent", stays(GAME)), _kick_recent)
LET_BACK = Rule(Row("let_back", stays(GAME)), _let_back)
ROWS = (KICK.row, KICK_RECENT.row, LET_BACK.row)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case Kick():
            return KICK.of(command)
        case KickRecent():
            return KICK_RECENT.of(command)
        case LetBack():
            return LET_BACK.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    player = state.players[event.player]
    match event:
        case PlayerKicked(is_barred=is_barred):
            _kicked(state, player, is_barred=is_barred)
        case PlayerLetBack(name=name):
            _back(state, player, name)
        case _:
            assert_never(event)


def _kicked(state: RoomState, player: Player, *, is_barred: bool) -> None:
    player.is_kicked, player.is_barred = True, is_barred
    forget(state.looks, *looks(player.name))
    if is_barred:
        state.removed_looks.update(looks(player.name))
        if player.device is not None:
            state.removed_devices[player.device] += 1
    state.kicked.add(player.id)
    state.voters.discard(player.id)
    state.joined -= 1
    if player.team is not None:
        state.team_sizes[player.team] -= 1
    if player.site is not None:
        state.people[player.site] -= 1


def _back(state: RoomState, player: Player, name: str) -> None:
    if player.is_barred:
        forget(state.removed_looks, *looks(player.name))
        if player.device is not None:
            forget(state.removed_devices, player.device)
    player.is_kicked = player.is_barred = False
    player.name = name
    state.looks.update(looks(name))
    state.kicked.discard(player.id)
    rounds = (*state.rounds, *state.practice.values())
    polls = (poll for round_ in rounds for poll in round_.polls.values())
    if any(player.id in poll.votes for poll in polls):
        state.voters.add(player.id)
    state.joined += 1
    if player.team is not None:
        state.team_sizes[player.team] += 1
    if player.site is not None:
        state.people[player.site] += 1


def erased(event: PlayerLetBack, name: str) -> PlayerLetBack:
    """Return the event with ``name`` instead of the player's name."""
    return PlayerLetBack(event.player, name)
