"""People: joining, leaving, names and teams."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, ClassVar, Literal, assert_never

from pydantic import Field, JsonValue

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
from server.game.features.removal import must_not_be_removed
from server.game.ids import PlayerId, Ref
from server.game.names import clean_name, forget, is_suggested, looks, unique_name
from server.game.phases import GAME
from server.game.state import Player, RoomState

NAMES_PER_PLACE = 3

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Join:
    """A new player joins under a name, which is cleaned first."""

    player: PlayerId
    name: str
    team: str | None = None
    is_practice: bool = False
    site: str | None = None
    device: str | None = None
    """An identifier of the player's device that is only valid in this room."""
    type: Literal["join"] = "join"


@dataclass(frozen=True, slots=True)
class ChooseTeam:
    """A player moves to another team (in rooms that have teams)."""

    player: PlayerId
    team: str
    ref: Ref = None
    type: Literal["choose_team"] = "choose_team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename(FromHost):
    """Give a player another name."""

    player: PlayerId
    name: Annotated[str, Field(max_length=200)]
    type: Literal["rename"] = "rename"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTeam(FromHost):
    """Move a player to another team."""

    player: PlayerId
    team: str
    type: Literal["set_team"] = "set_team"


Commands = Join | ChooseTeam | Rename | SetTeam

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayerJoined:
    """A player joined under a cleaned name that is unique in the room."""

    player: PlayerId
    name: str
    team: str | None
    is_practice: bool
    at_ms: int
    site: str | None = None
    """The site whose cohort the player belongs to; None at the room's own node."""
    device: str | None = None
    """An identifier of the player's device that is only valid in this room."""
    type: Literal["player_joined"] = "player_joined"
    v: Literal[2] = 2
    needs: Literal["0.2.0"] = "0.2.0"
    effects: ClassVar[Effects] = QUIET

    @staticmethod
    def upcast_v1(stored: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Add the device, which version 1 did not have."""
        return {**stored, "device": None}


@dataclass(frozen=True, slots=True)
class PlayerRenamed:
    """A player was renamed."""

    player: PlayerId
    name: str
    type: Literal["player_renamed"] = "player_renamed"

    @property
    def effects(self) -> Effects:
        """The player's phone shows the name."""
        return Effects(persons=frozenset({self.player}))


@dataclass(frozen=True, slots=True)
class TeamChosen:
    """A player moved to another team."""

    player: PlayerId
    team: str
    type: Literal["team_chosen"] = "team_chosen"

    @property
    def effects(self) -> Effects:
        """The player's phone shows the team."""
        return Effects(persons=frozenset({self.player}))


Events = PlayerJoined | PlayerRenamed | TeamChosen

# --- rules ---------------------------------------------------------------------------


def _join(state: RoomState, command: Join, moment: Moment) -> list[Events]:
    """Admit a player under a cleaned name; repeating the same join does nothing."""
    if command.player in state.players:  # a repeated hello
        active(state, command.player)
        return []
    if state.is_locked:
        raise Refused("room_locked", "The host has locked this room.")
    if command.site in state.locked_sites:
        raise Refused("room_locked", "The host at this site has locked the room.")
    if _is_full(state, moment):
        raise Refused(
            "room_full",
            f"This room is full: it holds "
            f"{plural(state.settings.max_players, 'player')}.",
        )
    name = clean_name(command.name)
    if state.settings.suggested_names and not is_suggested(name):
        raise Refused(
            "suggested_only",
            "This room accepts only suggested names. Choose one of those offered, "
            "such as Quiet Otter.",
        )
    must_not_be_removed(state, name, command.device)
    name = unique_name(name, state.looks)
    team = _team_named(state, command.team) if command.team else _smallest_team(state)
    return [
        PlayerJoined(
            command.player,
            name,
            team,
            command.is_practice,
            moment.now_ms,
            command.site,
            command.device,
        )
    ]


def _is_full(state: RoomState, moment: Moment) -> bool:
    """Whether every place is taken by someone who is present or has ever voted.

    Players who left without voting take up no place, or a script could fill a room
    with them. But a room never has more than three times as many names as places.
    """
    places = state.settings.max_players
    if state.joined < places:
        return False
    if state.joined >= NAMES_PER_PLACE * places or len(state.voters) >= places:
        return True
    free = places - len(state.voters)
    here = (
        player
        for player in moment.present
        if player not in state.voters
        and player in state.players
        and player not in state.kicked
    )
    return next(islice(here, free - 1, None), None) is not None


def _team_named(state: RoomState, wanted: str) -> str:
    """Return the team with this name, spelled as in the settings; or refuse it."""
    for team in state.settings.teams:
        if team.casefold() == wanted.strip().casefold():
            return team
    known = ", ".join(state.settings.teams) or "none"
    raise Refused("bad_team", f"This room has no team '{wanted}'. Its teams: {known}.")


def _smallest_team(state: RoomState) -> str | None:
    if not state.settings.teams:
        return None
    return min(state.settings.teams, key=lambda team: state.team_sizes[team])


def _choose_team(
    state: RoomState, command: ChooseTeam | SetTeam, _: Moment
) -> list[Events]:
    active(state, command.player)
    return [TeamChosen(command.player, _team_named(state, command.team))]


def _rename(state: RoomState, command: Rename, _: Moment) -> list[Events]:
    """Give a player another cleaned, unique name."""
    active(state, command.player)
    name = clean_name(command.name)
    others = state.looks - Counter(looks(state.players[command.player].name))
    return [PlayerRenamed(command.player, unique_name(name, others))]


JOIN = Rule(Row("join", stays(GAME)), _join)
CHOOSE_TEAM = Rule(Row("choose_team", stays(GAME)), _choose_team)
RENAME = Rule(Row("rename", stays(GAME)), _rename)
SET_TEAM = Rule(Row("set_team", stays(GAME)), _choose_team)
ROWS = (JOIN.row, CHOOSE_TEAM.row, RENAME.row, SET_TEAM.row)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case Join():
            return JOIN.of(command)
        case ChooseTeam():
            return CHOOSE_TEAM.of(command)
        case Rename():
            return RENAME.of(command)
        case SetTeam():
            return SET_TEAM.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case PlayerJoined():
            _joined(state, event)
        case PlayerRenamed(player=player_id, name=name):
            player = state.players[player_id]
            forget(state.looks, *looks(player.name))
            player.name = name
            state.looks.update(looks(name))
        case TeamChosen(player=player_id, team=team):
            _in_team(state, state.players[player_id], team)
        case _:
            assert_never(event)


def _joined(state: RoomState, event: PlayerJoined) -> None:
    state.players[event.player] = Player(
        event.player,
        event.name,
        event.team,
        event.is_practice,
        event.at_ms,
        event.site,
        device=event.device,
    )
    state.looks.update(looks(event.name))
    state.joined += 1
    if event.team is not None:
        state.team_sizes[event.team] += 1
    if event.site is not None:
        state.people[event.site] += 1


def _in_team(state: RoomState, player: Player, team: str) -> None:
    if player.team is not None:
        state.team_sizes[player.team] -= 1
    player.team = team
    state.team_sizes[team] += 1


def erased(event: PlayerJoined | PlayerRenamed, name: str) -> Events:
    """Return the event with ``name`` instead of the player's, and without a device."""
    if isinstance(event, PlayerJoined):
        return replace(event, name=name, device=None)
    return replace(event, name=name)
