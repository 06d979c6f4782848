"""The room itself: opening it, its home node, its settings, and who may still join."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, assert_never

from pydantic import Field, JsonValue

from scenarios.model import Plan
from server.game.errors import Refused
from server.game.features import (
    QUIET,
    STAGE,
    Asked,
    Effects,
    FromHost,
    Moment,
    Row,
    Rule,
    stays,
)
from server.game.ids import RoomCode, Site
from server.game.names import clean_name
from server.game.phases import GAME, Phase
from server.game.scoring import NEW_CLASS, Earlier
from server.game.settings import RoomSettings, SettingsChange, require_zone
from server.game.state import RoomState, Round

NAME_LENGTH = 40
"""The maximum length of a room's name, in code points."""

MOST_LINKS = 200
"""The maximum number of times a host link can be revoked."""

Salt = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock(FromHost):
    """Stop new players from joining, or only at one site; players can still return."""

    site: Site = None
    type: Literal["lock"] = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock(FromHost):
    """Let new players join again, at all sites or at one."""

    site: Site = None
    type: Literal["unlock"] = "unlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings(FromHost):
    """Change settings that may be changed while the game is running."""

    change: SettingsChange
    type: Literal["change_settings"] = "change_settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackLink(FromHost):
    """Revoke the host link: a new host key is derived from the current key and a salt.

    The next key (hex) is the first 16 bytes of HMAC-SHA256 over ``host SALT``, keyed
    with the current one. The sender stays connected; other hosts need the new link.
    Players and projector pages notice nothing.
    """

    salt: Salt
    """Random, 32 hex digits, chosen by the sender."""
    cohosts: bool = False
    """Also call back the links of co-hosts, made with host keys until now."""
    type: Literal["call_back_link"] = "call_back_link"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRoom(FromHost):
    """Name the room, for lists, the wall and the report; an empty name removes it."""

    name: Annotated[str, Field(max_length=200)]
    type: Literal["name_room"] = "name_room"


Commands = Lock | Unlock | ChangeSettings | CallBackLink | NameRoom

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RoomOpened:
    """A room was opened.

    Resume tokens and the proofs of homes are derived from ``secret`` (hex), which no
    client knows. The links of hosts, co-hosts and projector pages are derived from
    ``host_key`` (hex).
    """

    code: RoomCode
    plan: Plan
    settings: RoomSettings
    seed: int
    secret: str
    at_ms: int
    host_key: str = ""
    goal: float | None = None
    """The class goal unless the host types one; None: the usual one of its mode."""
    earlier: Earlier = NEW_CLASS
    """What this class showed in earlier lessons; the goal of the next one needs it."""
    type: Literal["room_opened"] = "room_opened"
    v: Literal[2] = 2
    needs: Literal["0.2.0"] = "0.2.0"
    effects: ClassVar[Effects] = QUIET

    @staticmethod
    def upcast_v1(stored: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Add the host key; in version 1, it was the secret itself."""
        return {**stored, "host_key": stored["secret"]}


@dataclass(frozen=True, slots=True)
class RoomMoved:
    """The room moved to another home node; ``epoch`` counts its homes."""

    to: str
    epoch: int
    at_ms: int
    type: Literal["room_moved"] = "room_moved"
    effects: ClassVar[Effects] = QUIET


@dataclass(frozen=True, slots=True)
class HostLinkCalledBack:
    """The host link was revoked; if ``cohosts`` is true, so were all co-host links."""

    salt: str
    cohosts: bool
    at_ms: int
    type: Literal["host_link_called_back"] = "host_link_called_back"

    @property
    def effects(self) -> Effects:
        """Clients that used an earlier link are disconnected."""
        if self.cohosts:
            return Effects(called_back=frozenset({"host", "cohost"}))
        return Effects(called_back=frozenset({"host"}))


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """The host changed settings; the event contains all settings."""

    settings: RoomSettings
    type: Literal["settings_changed"] = "settings_changed"
    v: Literal[2] = 2
    needs: Literal["0.2.0"] = "0.2.0"
    effects: ClassVar[Effects] = STAGE

    @staticmethod
    def upcast_v1(stored: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Change nothing: version 1 allowed any name, which is still the default."""
        return stored


@dataclass(frozen=True, slots=True)
class RoomLocked:
    """New players can no longer join."""

    type: Literal["room_locked"] = "room_locked"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class RoomUnlocked:
    """New players may join again."""

    type: Literal["room_unlocked"] = "room_unlocked"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class SiteLocked:
    """New players can no longer join at one site."""

    site: str
    type: Literal["site_locked"] = "site_locked"
    effects: ClassVar[Effects] = QUIET


@dataclass(frozen=True, slots=True)
class SiteUnlocked:
    """New players may join again at one site."""

    site: str
    type: Literal["site_unlocked"] = "site_unlocked"
    effects: ClassVar[Effects] = QUIET


@dataclass(frozen=True, slots=True)
class RoomNamed:
    """The host named the room, or removed its name."""

    name: str
    at_ms: int
    type: Literal["room_named"] = "room_named"
    effects: ClassVar[Effects] = STAGE


Events = (
    RoomMoved
    | HostLinkCalledBack
    | SettingsChanged
    | RoomLocked
    | RoomUnlocked
    | SiteLocked
    | SiteUnlocked
    | RoomNamed
)
"""Events that are folded into a state; RoomOpened creates the state."""

# --- rules ---------------------------------------------------------------------------


def _lock(state: RoomState, command: Lock, _: Moment) -> list[Events]:
    if command.site is not None:
        is_locked = command.site in state.locked_sites
        return [] if is_locked else [SiteLocked(command.site)]
    return [] if state.is_locked else [RoomLocked()]


def _unlock(state: RoomState, command: Unlock, _: Moment) -> list[Events]:
    if command.site is not None:
        is_locked = command.site in state.locked_sites
        return [SiteUnlocked(command.site)] if is_locked else []
    return [RoomUnlocked()] if state.is_locked else []


def _change_settings(
    state: RoomState, command: ChangeSettings, _: Moment
) -> list[Events]:
    require_zone(command.change.time_zone)
    change = command.change.model_dump(exclude_none=True, exclude={"timers"})
    if command.change.timers is False:
        change["time_factor"] = None
    elif command.change.timers and state.settings.time_factor is None:
        change.setdefault("time_factor", 1)
    if command.change.auto_close == "flow":
        change["auto_close"] = None
    changed = state.settings.model_copy(update=change)
    return [] if changed == state.settings else [SettingsChanged(changed)]


def _call_back_link(
    state: RoomState, command: CallBackLink, moment: Moment
) -> list[Events]:
    if len(state.link_salts) >= MOST_LINKS:
        detail = f"This link has been revoked {MOST_LINKS} times. Open another room."
        raise Refused("not_allowed", detail)
    return [HostLinkCalledBack(command.salt, command.cohosts, moment.now_ms)]


def room_name(raw: str) -> str:
    """Return a room's name, cleaned for display; empty if nothing was typed.

    Raises :class:`Refused` ("bad_name") if it contains no letters or digits.
    """
    return clean_name(raw, NAME_LENGTH) if raw.strip() else ""


def _name_room(state: RoomState, command: NameRoom, moment: Moment) -> list[RoomNamed]:
    name = room_name(command.name)
    return [] if name == state.name else [RoomNamed(name, moment.now_ms)]


LOCK = Rule(Row("lock", stays(GAME)), _lock)
UNLOCK = Rule(Row("unlock", stays(GAME)), _unlock)
CHANGE_SETTINGS = Rule(Row("change_settings", stays(GAME)), _change_settings)
CALL_BACK_LINK = Rule(Row("call_back_link", stays(Phase)), _call_back_link)
NAME_ROOM = Rule(Row("name_room", stays(Phase)), _name_room)
ROWS = (LOCK.row, UNLOCK.row, CHANGE_SETTINGS.row, CALL_BACK_LINK.row, NAME_ROOM.row)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case Lock():
            return LOCK.of(command)
        case Unlock():
            return UNLOCK.of(command)
        case ChangeSettings():
            return CHANGE_SETTINGS.of(command)
        case CallBackLink():
            return CALL_BACK_LINK.of(command)
        case NameRoom():
            return NAME_ROOM.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def opened(event: RoomOpened) -> RoomState:
    """Return the state of a room that has just been opened."""
    return RoomState(
        code=event.code,
        plan=event.plan,
        settings=event.settings,
        seed=event.seed,
        secret=event.secret,
        host_key=event.host_key or event.secret,
        opened_ms=event.at_ms,
        set_goal=event.goal,
        earlier=event.earlier,
        rounds=[Round(planned) for planned in event.plan.rounds],
    )


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case RoomMoved(to=to, epoch=epoch):
            state.home, state.epoch = to, epoch
        case HostLinkCalledBack(salt=salt, cohosts=cohosts):
            state.link_salts.append(salt)
            if cohosts:
                state.cohosts_from = len(state.link_salts)
        case SettingsChanged(settings=settings):
            state.settings = settings
        case RoomLocked():
            state.is_locked = True
        case RoomUnlocked():
            state.is_locked = False
        case SiteLocked(site=site):
            state.locked_sites.add(site)
        case SiteUnlocked(site=site):
            state.locked_sites.discard(site)
        case RoomNamed(name=name):
            state.name = name
        case _:
            assert_never(event)


def erased(event: RoomNamed, names: Set[str]) -> RoomNamed:
    """Return the event, without the room's name if that contains one of ``names``."""
    said = event.name.casefold()
    is_theirs = any(name.casefold() in said for name in names if name)
    return replace(event, name="") if is_theirs else event
