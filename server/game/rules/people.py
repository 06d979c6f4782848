"""Rules about people: joining, teams, own time, names, and settings."""

from __future__ import annotations

from server.game.commands import (
    AskTime,
    ChangeSettings,
    ChooseTeam,
    Join,
    Kick,
    Lock,
    Rename,
    SetTeam,
    Unlock,
)
from server.game.errors import Refused
from server.game.events import (
    AllowanceGranted,
    Event,
    PlayerJoined,
    PlayerKicked,
    PlayerRenamed,
    RoomLocked,
    RoomUnlocked,
    SettingsChanged,
    SiteLocked,
    SiteUnlocked,
    TeamChosen,
)
from server.game.names import clean_name, skeleton, unique_name
from server.game.rules.moment import Moment, active
from server.game.state import RoomState

NAMES_PER_PLACE = 3


def join(state: RoomState, command: Join, moment: Moment) -> list[Event]:
    """Let a player in under a cleaned name; the same join again does nothing."""
    if command.player in state.players:  # the same hello, sent again
        active(state, command.player)
        return []
    if state.is_locked:
        raise Refused("room_locked", "The host has locked this room.")
    if command.site in state.locked_sites:
        raise Refused("room_locked", "The host at this site has locked the room.")
    if _is_full(state, moment):
        raise Refused("room_full", f"This room holds {state.settings.max_players}.")
    name = unique_name(clean_name(command.name), state.skeletons)
    team = team_named(state, command.team) if command.team else _smallest_team(state)
    return [
        PlayerJoined(
            command.player,
            name,
            team,
            command.is_practice,
            moment.now_ms,
            command.site,
        )
    ]


def _is_full(state: RoomState, moment: Moment) -> bool:
    """Whether every place is taken: by who is here, or has ever voted.

    Names that were given and left again hold no place, or a script could fill a room
    with them; but there are never more than three times as many names as places.
    """
    places = state.settings.max_players
    if state.joined < places:
        return False
    voters = {
        player
        for round_ in state.rounds
        for poll in round_.polls.values()
        for player in poll.votes
    }
    held = sum(
        1
        for player in state.players.values()
        if not player.is_kicked and (player.id in moment.present or player.id in voters)
    )
    return held >= places or state.joined >= NAMES_PER_PLACE * places


def team_named(state: RoomState, wanted: str) -> str:
    """Return the team of this name, as it is written; refuse another."""
    for team in state.settings.teams:
        if team.casefold() == wanted.strip().casefold():
            return team
    known = ", ".join(state.settings.teams) or "none"
    raise Refused("bad_team", f"No team '{wanted}' here; teams are: {known}.")


def _smallest_team(state: RoomState) -> str | None:
    if not state.settings.teams:
        return None
    sizes = dict.fromkeys(state.settings.teams, 0)
    for player in state.players.values():
        if player.team in sizes and not player.is_kicked:
            sizes[player.team] += 1
    return min(sizes, key=lambda team: sizes[team])


def choose_team(
    state: RoomState, command: ChooseTeam | SetTeam, _: Moment
) -> list[Event]:
    """Put a player into a team, at own wish or the host's."""
    active(state, command.player)
    return [TeamChosen(command.player, team_named(state, command.team))]


def ask_time(state: RoomState, command: AskTime, _: Moment) -> list[Event]:
    """Grant own time: nobody has to say why."""
    active(state, command.player)
    return [AllowanceGranted(command.player, command.percent)]


def lock(state: RoomState, command: Lock, _: Moment) -> list[Event]:
    """Lock the room, or one site."""
    if command.site is not None:
        is_locked = command.site in state.locked_sites
        return [] if is_locked else [SiteLocked(command.site)]
    return [] if state.is_locked else [RoomLocked()]


def unlock(state: RoomState, command: Unlock, _: Moment) -> list[Event]:
    """Unlock the room, or one site."""
    if command.site is not None:
        is_locked = command.site in state.locked_sites
        return [SiteUnlocked(command.site)] if is_locked else []
    return [RoomUnlocked()] if state.is_locked else []


def kick(state: RoomState, command: Kick, _: Moment) -> list[Event]:
    """Remove a player."""
    active(state, command.player)
    if command.site not in (None, state.players[command.player].site):
        raise Refused("unknown_player", f"No such player at {command.site}.")
    return [PlayerKicked(command.player)]


def rename(state: RoomState, command: Rename, _: Moment) -> list[Event]:
    """Give a player another cleaned, unique name."""
    active(state, command.player)
    name = clean_name(command.name)
    others = state.skeletons - {skeleton(state.players[command.player].name)}
    return [PlayerRenamed(command.player, unique_name(name, others))]


def change_settings(
    state: RoomState, command: ChangeSettings, _: Moment
) -> list[Event]:
    """Change what may be changed while the game runs."""
    change = command.change.model_dump(exclude_none=True, exclude={"timers"})
    if command.change.timers is False:
        change["time_factor"] = None
    elif command.change.timers and state.settings.time_factor is None:
        change.setdefault("time_factor", 1)
    changed = state.settings.model_copy(update=change)
    return [] if changed == state.settings else [SettingsChanged(changed)]
