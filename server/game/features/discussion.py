"""The discussion: the contrast case beside the story, and discussion groups.

A phone shows the number of its group and, if names are shown, the names of the other
members; it never shows how the group was chosen.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import ClassVar, Literal, assert_never

from server.game.errors import Refused
from server.game.features import (
    STAGE,
    Asked,
    Effects,
    FromPlace,
    Moment,
    Row,
    Rule,
    leads,
)
from server.game.groups import Group, Person, form, settle
from server.game.ids import PlayerId
from server.game.phases import Ballot, Phase
from server.game.scoring import option_of
from server.game.settings import discuss_ms
from server.game.state import RoomState
from server.game.views.role_types import Talk

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast(FromPlace):
    """Show the contrast case beside the story, with its label."""

    type: Literal["contrast"] = "contrast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discuss(FromPlace):
    """Start the discussion."""

    type: Literal["discuss"] = "discuss"


Commands = Contrast | Discuss

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContrastShown:
    """The contrast case was shown."""

    round: int
    at_ms: int
    type: Literal["contrast_shown"] = "contrast_shown"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class DiscussionOpened:
    """The class discusses; ``deadline_ms`` is None if no timer is running."""

    round: int
    at_ms: int
    deadline_ms: int | None
    groups: tuple[tuple[PlayerId, ...], ...] = ()
    """The people who talk to each other; empty if phones show no groups."""
    type: Literal["discussion_opened"] = "discussion_opened"
    effects: ClassVar[Effects] = STAGE


Events = ContrastShown | DiscussionOpened

# --- rules ---------------------------------------------------------------------------


def _has_contrast(state: RoomState, _: Contrast) -> Refused | None:
    if state.round.planned.contrast is None:
        return Refused("nothing_to_show", "This round has no contrast case.")
    return None


def _contrast(state: RoomState, _: Contrast, moment: Moment) -> list[ContrastShown]:
    return [ContrastShown(state.index, moment.now_ms)]


def _discuss(state: RoomState, _: Discuss, moment: Moment) -> list[DiscussionOpened]:
    lasts_ms = discuss_ms(state.settings)
    deadline_ms = None if lasts_ms is None else moment.now_ms + lasts_ms
    groups: tuple[Group, ...] = ()
    if state.settings.pairs:
        seed = f"{state.seed}/{state.index}"
        groups = form(talkers(state, moment.present), seed)
    return [DiscussionOpened(state.index, moment.now_ms, deadline_ms, groups)]


CONTRAST = Rule(
    Row(
        "contrast",
        leads((Phase.VOTE_CLOSED, Phase.DISCUSS), Phase.CONTRAST),
        "the round has a contrast case",
    ),
    _contrast,
    _has_contrast,
)
DISCUSS = Rule(
    Row("discuss", leads((Phase.VOTE_CLOSED, Phase.CONTRAST), Phase.DISCUSS)), _discuss
)
ROWS = (CONTRAST.row, DISCUSS.row)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case Contrast():
            return CONTRAST.of(command)
        case Discuss():
            return DISCUSS.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case ContrastShown():
            state.enter(Phase.CONTRAST)
            state.round.is_hinted = True
        case DiscussionOpened(deadline_ms=deadline_ms, groups=groups):
            state.enter(Phase.DISCUSS, deadline_ms)
            state.round.groups = groups
            state.round.group_of = {one: group for group in groups for one in group}
            state.round.is_hinted = True
        case _:
            assert_never(event)


# --- discussion groups ---------------------------------------------------------------


def talkers(state: RoomState, present: Set[PlayerId]) -> list[Person]:
    """Return the people in a discussion: those who are present, or have voted.

    Someone whose phone has gone to sleep is still in the classroom, so disconnecting
    never removes anyone from a group.
    """
    grouped = state.round.group_of
    poll = state.round.polls.get(Ballot.VOTE)
    votes = poll.votes if poll else {}
    return [
        Person(
            player.id,
            player.site,
            player.team,
            option_of(votes[player.id].answer) if player.id in votes else None,
        )
        for player in state.players.values()
        if not player.is_kicked
        and state.counts(player.id)
        and (player.id in present or player.id in votes or player.id in grouped)
    ]


def talks(state: RoomState, present: Set[PlayerId]) -> dict[PlayerId, Talk]:
    """Return the group that each phone shows; empty outside a discussion."""
    if state.phase is not Phase.DISCUSS or not state.settings.pairs:
        return {}
    people = talkers(state, present)
    found: dict[PlayerId, Talk] = {}
    for number, group in enumerate(settle(state.round.groups, people), 1):
        if len(group) < 2:
            continue
        names = {player: state.players[player].name for player in group}
        for player in group:
            others = tuple(name for one, name in names.items() if one != player)
            shown = others if state.settings.show_names else ()
            found[player] = Talk(number, len(others), shown)
    return found
