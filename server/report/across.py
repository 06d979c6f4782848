"""Several rooms together: side by side, pooled by case, and before and after compared.

Rooms are pooled only if "right" means the same in all of them: they must all have two
buttons or all have two links, and all be classes or all be rehearsals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scenarios.prose import plural
from server.game.errors import Sentence, sentence
from server.game.ids import PlayerId
from server.game.intervals import totals
from server.game.names import skeleton
from server.game.phases import Ballot
from server.game.state import RoomState
from server.protocol.report_types import Estimate, Figure, Hidden, Report
from server.report.case_figures import FirstSight
from server.report.figures import (
    needs_answers,
    normalized_gain,
    pooled,
    proportion,
)
from server.report.items import FEWEST_ANSWERS, Difficulty, difficulties
from server.report.report import CannotReport, build_report
from server.report.sample import Counted, counted, verdict_of
from server.report.table import Pseudonym, keyed


@dataclass(frozen=True, slots=True)
class PooledCase:
    """One case over all rooms that played it, first votes only."""

    case: str
    title: str
    verdict: str
    versions: tuple[int, ...]
    rooms: int
    right: Figure
    difficulty: Figure
    """Rasch difficulty in logits."""


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """The people who chose the same name in the first room and in the last one."""

    matched: int
    only_before: int
    only_after: int
    before: float | None
    after: float | None
    change: Figure
    gain: float | None
    cases_in_both: int


@dataclass(frozen=True, slots=True)
class Across:
    """Several rooms, in the order in which they were named."""

    rooms: tuple[Report, ...]
    cases: tuple[PooledCase, ...]
    before_after: BeforeAfter | None
    caveats: tuple[Sentence, ...]


def across(states: Sequence[RoomState], *, match_names: bool = False) -> Across:
    """Return several rooms, side by side and pooled.

    With ``match_names``, the first room is compared with the last one, for people who
    chose the same name in both. Raises :class:`CannotReport` if rooms can't be pooled.
    """
    _check(states)
    found = _before_after(states[0], states[-1]) if match_names else None
    return Across(
        rooms=tuple(build_report(state) for state in states),
        cases=pooled_cases(states, match_names=match_names),
        before_after=found,
        caveats=tuple(_caveats(found)),
    )


def _check(states: Sequence[RoomState]) -> None:
    if len({state.code for state in states}) < max(2, len(states)):
        raise CannotReport("Name two or more different rooms.")
    if len({state.settings.two_link for state in states}) > 1:
        raise CannotReport(
            "Rooms with two buttons and with two links cannot be pooled."
        )
    if len({state.settings.simulated for state in states}) > 1:
        raise CannotReport("Rehearsals and classes cannot be pooled.")


def _caveats(found: BeforeAfter | None) -> Iterable[Sentence]:
    yield sentence(
        "about_logits",
        "Difficulties are in logits (above 0 is hard) and assume that people are "
        "alike in every room. The figure is shrunk toward 0; its interval is not.",
    )
    if found is not None:
        yield sentence(
            "matched_by_name",
            "People are matched only by the name they chose; names that more than one "
            "person had are left out.",
        )
        if not found.cases_in_both:
            mixed = (
                "No case was in both rooms: the change mixes learning and difficulty."
            )
            yield sentence("no_common_cases", mixed)
        else:
            yield sentence(
                "common_cases",
                plural(found.cases_in_both, "case was", "cases were")
                + " in both rooms: part of the change may be remembering.",
                n=found.cases_in_both,
            )


def pooled_cases(
    states: Sequence[RoomState], *, match_names: bool = False
) -> tuple[PooledCase, ...]:
    """Return every scored case of several rooms, hardest first.

    A case whose verdict was changed between rooms counts as two cases.
    """
    learners: dict[str, dict[str, bool]] = {}
    answers: dict[str, list[tuple[RoomState, Counted]]] = {}
    for state in states:
        names = _named(state) if match_names else {}
        for answer in counted(state, Ballot.VOTE):
            who = names.get(answer.player, f"{state.code}/{answer.player}")
            key = f"{answer.case.id} ({verdict_of(answer.case)})"
            learners.setdefault(who, {}).setdefault(key, answer.is_right)
            answers.setdefault(key, []).append((state, answer))
    hard = difficulties(list(learners.values()))
    cases = [
        _pooled_case(
            given, hard[key], [one[key] for one in learners.values() if key in one]
        )
        for key, given in answers.items()
    ]
    return tuple(sorted(cases, key=lambda case: -_rank(case)))


def _rank(case: PooledCase) -> float:
    return -9.0 if isinstance(case.difficulty, Hidden) else case.difficulty.value


def _pooled_case(
    given: Sequence[tuple[RoomState, Counted]], b: Difficulty, marks: Sequence[bool]
) -> PooledCase:
    case = given[-1][1].case
    difficulty = (
        Estimate(b.b, *b.interval, b.n)
        if b.n >= FEWEST_ANSWERS
        else Hidden(needs_answers(FEWEST_ANSWERS), b.n)
    )
    return PooledCase(
        case=case.id,
        title=case.title,
        verdict=verdict_of(case),
        versions=tuple(sorted({answer.case.version for _, answer in given})),
        rooms=len({state.code for state, _ in given}),
        right=proportion(sum(marks), len(marks)),
        difficulty=difficulty,
    )


def first_sight(states: Iterable[RoomState]) -> FirstSight:
    """Return (right, n) for every case with a first vote, by case ID."""
    found: dict[str, tuple[int, int]] = {}
    for state in states:
        for answer in counted(state, Ballot.VOTE):
            right, n = found.get(answer.case.id, (0, 0))
            found[answer.case.id] = (right + answer.is_right, n + 1)
    return found


def _named(state: RoomState) -> dict[PlayerId, str]:
    """Return people whose name is unique in their room, with its skeleton."""
    names = {
        player.id: skeleton(player.name)
        for player in state.players.values()
        if state.counts(player.id)
    }
    times = Counter(names.values())
    forgotten = skeleton("erased")
    return {
        player: name
        for player, name in names.items()
        if times[name] == 1 and name != forgotten
    }


def pseudonyms_by_name(key: bytes) -> Pseudonym:
    """Return a function that gives people with the same name the same pseudonym."""

    def name(state: RoomState, player: PlayerId) -> str:
        named = skeleton(state.players[player].name)
        is_alone = _named(state).get(player) == named
        return keyed(key, f"name/{named}" if is_alone else f"{state.code}/{player}")

    return name


def _marks(state: RoomState) -> dict[str, tuple[int, int]]:
    """Return (right, n) in VOTE, by name."""
    names = _named(state)
    found: dict[str, tuple[int, int]] = {}
    for answer in counted(state, Ballot.VOTE):
        if name := names.get(answer.player):
            right, n = found.get(name, (0, 0))
            found[name] = (right + answer.is_right, n + 1)
    return found


def _before_after(first: RoomState, last: RoomState) -> BeforeAfter:
    before, after = _marks(first), _marks(last)
    both = sorted(before.keys() & after.keys())
    rows = [(_share(before, name), _share(after, name), 1.0) for name in both]
    change = pooled(rows, lambda s: (s[1] - s[0]) / s[2] if s[2] else None, len(rows))
    share_1 = share_2 = gain = None
    if not isinstance(change, Hidden):
        sums = totals(rows)
        share_1, share_2 = sums[0] / sums[2], sums[1] / sums[2]
        gain = normalized_gain(share_1, share_2)
    return BeforeAfter(
        matched=len(both),
        only_before=len(before) - len(both),
        only_after=len(after) - len(both),
        before=share_1,
        after=share_2,
        change=change,
        gain=gain,
        cases_in_both=len(_voted(first) & _voted(last)),
    )


def _share(marks: Mapping[str, tuple[int, int]], name: str) -> float:
    right, n = marks[name]
    return right / n


def _voted(state: RoomState) -> set[str]:
    return {answer.case.id for answer in counted(state, Ballot.VOTE)}
