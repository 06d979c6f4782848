"""Re-keying: score a stored room again with corrected cases.

The journal is not changed. The cases in its first event and those that were added later
are replaced in memory, and all events are folded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scenarios.model import Case, PlannedRound
from server.game.events import CaseAdded, Event, RoomOpened
from server.game.ids import PlayerId
from server.game.outcomes import mean_score
from server.game.phases import Ballot
from server.game.state import RoomState, Round
from server.report.sample import rights, verdict_of

_Now = Callable[[Case | None], Case | None]

NO_GAP_BROKE = "No single gap broke in the corrected case: it is left unscored."


@dataclass(frozen=True, slots=True)
class CaseChange:
    """The effect of a corrected case on one round, before and after."""

    number: int
    ballot: Ballot
    case: str
    versions: tuple[int, int]
    verdicts: tuple[str, str]
    right: tuple[int, int]
    n: tuple[int, int]

    @property
    def is_rekeyed(self) -> bool:
        """Whether answers are judged differently, rather than only the text changed."""
        pairs = (self.verdicts, self.right, self.n)
        return any(before != after for before, after in pairs)


@dataclass(frozen=True, slots=True)
class PlayerChange:
    """A player whose points changed. Points are sums of round scores."""

    player: PlayerId
    name: str
    points: tuple[float, float]
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rescoring:
    """What changed, before and after. If both tuples are empty, nothing did."""

    cases: tuple[CaseChange, ...]
    players: tuple[PlayerChange, ...]
    mean: tuple[float | None, float | None]
    """Mean round score of the class."""
    unknown: tuple[str, ...]
    """Cases that the library no longer has; they were kept as they were played."""


def corrected(events: Sequence[Event], cases: Mapping[str, Case]) -> list[Event]:
    """Return a journal with the current text of its cases.

    A case that is not in ``cases`` stays as it was played. In a room with two buttons,
    a case becomes unscored if it no longer has exactly one gap, because no button would
    be right. Raises ValueError if the first event is not a RoomOpened.
    """
    first, *rest = events
    if not isinstance(first, RoomOpened):
        raise ValueError("a journal begins with RoomOpened")

    def now(case: Case | None) -> Case | None:
        present = cases.get(case.id, case) if case else None
        is_fair = present is None or present.is_clean or not present.is_scored
        if present is None or is_fair or first.settings.two_link:
            return present
        return present.model_copy(update={"contested": NO_GAP_BROKE})

    plan = first.plan.model_copy(
        update={"rounds": tuple(_now(planned, now) for planned in first.plan.rounds)}
    )
    later = [
        replace(event, planned=_now(event.planned, now))
        if isinstance(event, CaseAdded)
        else event
        for event in rest
    ]
    return [replace(first, plan=plan), *later]


def _now(planned: PlannedRound, now: _Now) -> PlannedRound:
    return planned.model_copy(
        update={
            "case": now(planned.case),
            "contrast": now(planned.contrast),
            "transfer": now(planned.transfer),
        }
    )


def compare(
    before: RoomState, after: RoomState, cases: Mapping[str, Case]
) -> Rescoring:
    """Return what re-keying changed in a room."""
    played = {
        case.id
        for round_ in before.rounds
        for case in (round_.planned.case, round_.planned.transfer)
        if case is not None
    }
    return Rescoring(
        cases=tuple(_case_changes(before, after)),
        players=tuple(_player_changes(before, after)),
        mean=(_class_mean(before), _class_mean(after)),
        unknown=tuple(sorted(played - cases.keys())),
    )


def _case_changes(before: RoomState, after: RoomState) -> Iterator[CaseChange]:
    for index, (old, new) in enumerate(zip(before.rounds, after.rounds, strict=True)):
        for ballot in old.polls:
            was, is_now = old.case_of(ballot), new.case_of(ballot)
            if was == is_now:
                continue
            marks = _marks(before, old, ballot), _marks(after, new, ballot)
            yield CaseChange(
                number=index + 1,
                ballot=ballot,
                case=was.id,
                versions=(was.version, is_now.version),
                verdicts=(verdict_of(was), verdict_of(is_now)),
                right=(marks[0][0], marks[1][0]),
                n=(marks[0][1], marks[1][1]),
            )


def _marks(state: RoomState, round_: Round, ballot: Ballot) -> tuple[int, int]:
    found = rights(state, round_, ballot)
    return sum(found.values()), len(found)


def _player_changes(before: RoomState, after: RoomState) -> Iterator[PlayerChange]:
    places = _places(before), _places(after)
    for player, place in places[1].items():
        points = before.players[player].points, after.players[player].points
        if points[0] != points[1]:
            name = before.players[player].name
            yield PlayerChange(player, name, points, (places[0][player], place))


def _places(state: RoomState) -> dict[PlayerId, int]:
    """Return the place of each player who counts; equal points share a place."""
    counting = [p for p in state.players.values() if state.counts(p.id)]
    points = sorted((player.points for player in counting), reverse=True)
    ranked = sorted(counting, key=lambda player: -player.points)
    return {player.id: points.index(player.points) + 1 for player in ranked}


def _class_mean(state: RoomState) -> float | None:
    return mean_score(p for p in state.players.values() if state.counts(p.id))
