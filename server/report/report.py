"""Build the report on a room from the state that replaying its journal gives.

``for_others`` removes everything that only the host may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from scenarios.model import Rule
from server.game.errors import sentence
from server.game.goal import goal_of
from server.game.ids import PlayerId
from server.game.outcomes import (
    HasMean,
    Member,
    hidden_groups,
    scored,
    sites_of,
    teams_of,
)
from server.game.phases import Ballot
from server.game.settings import zone_of
from server.game.state import RoomState
from server.protocol.report_types import (
    CalibrationFigures,
    CaseFigures,
    Cell,
    Figure,
    Hidden,
    MatrixRow,
    Moves,
    Report,
    RoomFigures,
    RuleFigures,
    TeamFigures,
)
from server.report.case_figures import FirstSight, cases_of, consistency, take_up
from server.report.detection import confusion, detections
from server.report.figures import FEWEST_TO_POOL, clustered, mean_of
from server.report.learning import (
    calibration_figures,
    herding_figures,
    transfer_figures,
)
from server.report.sample import Counted, Sample, sample_of, votes
from server.report.sentences import caveats, class_sentence, class_time, more_sentences


class CannotReport(Exception):  # noqa: N818 - read as a sentence
    """The report cannot be made or written; the text says why."""


def build_report(
    state: RoomState,
    first_sight: FirstSight | None = None,
    *,
    is_private: bool = False,
    sentences: bool = False,
) -> Report:
    """Return the host's report of a room as far as it has been played.

    With ``is_private``, it contains names and reasons, and is only for the host's page.
    With ``is_private`` or ``sentences``, it contains the text of challenges to labels.

    Rounds count once they are revealed, and figures are based on VOTE unless noted
    otherwise. The same state always gives the same report. For other audiences, use
    :func:`for_others`.
    """
    sample = sample_of(state)
    room = _room(sample)
    has_words = is_private or sentences
    cases = cases_of(sample, first_sight or {}, sentences=has_words)
    found = tuple(detections(sample))
    accuracy = _accuracy(sample.learners)
    sureness = calibration_figures(sample)
    transfer, herding = transfer_figures(sample), herding_figures(sample)
    return Report(
        audience="host",
        room=room,
        sentence=class_sentence(found, cases, accuracy, *_right_of(sample)),
        points=tuple(more_sentences(cases, sureness, transfer, herding)),
        caveats=tuple(caveats(room, cases, transfer)),
        accuracy=accuracy,
        score=_score(scored(state)),
        goal=goal_of(state),
        detections=found,
        confusion=tuple(confusion(sample)),
        cases=cases,
        hardest=_hardest(cases),
        confidently_missed=_confidently_missed(cases),
        rules=_rules(sample),
        calibration=sureness,
        kr20=consistency(sample),
        transfer=transfer,
        teams=tuple(_groups(sample, teams_of(state))),
        cohorts=tuple(_groups(sample, sites_of(state))),
        herding=herding,
        take_up=take_up(state, is_private=is_private),
    )


def _room(sample: Sample) -> RoomFigures:
    state = sample.state
    answered = {
        player
        for _, round_ in sample.rounds
        for ballot in Ballot
        for player in votes(state, round_, ballot)
    }
    named = state.settings.time_zone
    zone = named if zone_of(named) else None
    practice = sum(player.is_practice for player in state.players.values())
    return RoomFigures(
        code=state.code,
        title=state.plan.title,
        deck=state.plan.deck,
        deck_version=state.plan.deck_version,
        seed=state.seed,
        opened_ms=state.opened_ms,
        finished_ms=state.finished_ms,
        score_mode=state.settings.score_mode,
        is_two_link=state.settings.two_link,
        is_rehearsal=state.settings.simulated,
        people=len(answered),
        practice=0 if state.settings.simulated else practice,
        revealed=len(sample.rounds),
        planned=len(state.rounds),
        time_zone=zone or "UTC",
        is_zone_known=zone is not None,
        opened=_local(state.opened_ms, zone),
        finished=None if state.finished_ms is None else _local(state.finished_ms, zone),
        name=state.name,
    )


def _local(ms: int, zone: str | None) -> str:
    return class_time(ms, zone).isoformat(timespec="seconds")


def _right_of(sample: Sample) -> tuple[int, int]:
    return sum(a.is_right for a in sample.answers), len(sample.answers)


def _accuracy(learners: Iterable[Iterable[Counted]]) -> Figure:
    marks = ([answer.is_right for answer in answers] for answers in learners)
    return clustered([(sum(each), len(each)) for each in marks])


def _score(players: Iterable[HasMean]) -> Figure:
    return mean_of([player.mean for player in players if player.mean is not None])


def _groups(
    sample: Sample, members: Mapping[str, Sequence[HasMean]]
) -> Iterator[TeamFigures]:
    for name, players in members.items():
        answers = [_answers(sample, player) for player in players]
        mine = [each for each in answers if each]
        yield TeamFigures(name, len(players), _accuracy(mine), _score(players))


def _answers(sample: Sample, player: HasMean) -> list[Counted]:
    """Return a player's answers; for a team member, only those given for that team."""
    given = sample.by_learner.get(player.id, [])
    if isinstance(player, Member):
        return [answer for answer in given if answer.round in player.rounds]
    return given


def _hardest(cases: Iterable[CaseFigures]) -> tuple[int, ...]:
    """Return the numbers of the three cases with the fewest right answers, or fewer.

    The hardest case comes first. Cases that everyone got right are left out.
    """
    scored = [c for c in cases if c.is_scored and c.n >= FEWEST_TO_POOL]
    ranked = sorted(scored, key=lambda case: case.rights / case.n)
    return tuple(case.number for case in ranked[:3] if case.rights < case.n)


def _rules(sample: Sample) -> tuple[RuleFigures, ...]:
    """Return the class's results for each rule that decides cases, hardest first."""
    answers: dict[Rule, list[Counted]] = {}
    for answer in sample.answers:
        if answer.case.rule is not None:
            answers.setdefault(answer.case.rule, []).append(answer)
    found = [_rule(rule, given) for rule, given in answers.items()]
    return tuple(sorted(found, key=lambda one: (one.rights / one.n, one.rule)))


def _rule(rule: Rule, given: Sequence[Counted]) -> RuleFigures:
    learners: dict[PlayerId, list[bool]] = {}
    for answer in given:
        learners.setdefault(answer.player, []).append(answer.is_right)
    rights = sum(answer.is_right for answer in given)
    cases = tuple(sorted({answer.round + 1 for answer in given}))
    marks = [(sum(each), len(each)) for each in learners.values()]
    return RuleFigures(rule, cases, len(given), rights, clustered(marks))


def _confidently_missed(cases: Iterable[CaseFigures]) -> tuple[int, ...]:
    told = [case for case in cases if case.is_told_confident]
    told.sort(key=lambda case: -(case.confident_errors or 0) / case.n)
    return tuple(case.number for case in told)


# --- what other audiences may see: no counts of few people ----------------------------


def for_others(report: Report, least: int) -> Report:
    """Return the report, hiding cross-table cells with fewer than ``least`` people.

    The bars of a tally, which everyone saw at the reveal, are not changed.
    """
    cases = tuple(_case(case, least) for case in report.cases)
    points = more_sentences(cases, report.calibration, report.transfer, report.herding)
    return replace(
        report,
        audience="others",
        take_up=(),
        points=tuple(points),
        accuracy=_figure(report.accuracy),
        confusion=tuple(_row(row, least) for row in report.confusion),
        cases=cases,
        rules=tuple(
            replace(rule, right=_figure(rule.right), rights=0)
            if isinstance(rule.right, Hidden)
            else rule
            for rule in report.rules
        ),
        calibration=_calibration(report.calibration, least),
        teams=tuple(
            replace(team, accuracy=_figure(team.accuracy))
            for team in report.teams
            if team.n >= least
        ),
        cohorts=_cohorts(report.cohorts, least),
    )


def _cohorts(cohorts: Sequence[TeamFigures], least: int) -> tuple[TeamFigures, ...]:
    """Keep the sites' names and sizes, but hide figures that cover few people."""
    hidden = hidden_groups({cohort.name: cohort.n for cohort in cohorts}, least)
    return tuple(
        replace(
            cohort, accuracy=_WHY[hidden[cohort.name]], score=_WHY[hidden[cohort.name]]
        )
        if cohort.name in hidden
        else replace(cohort, accuracy=_figure(cohort.accuracy))
        for cohort in cohorts
    )


_WHY = {
    "few": Hidden(sentence("few_to_show", "too few people to show")),
    "cover": Hidden(
        sentence("covers_site", "hidden, so that a smaller site cannot be worked out")
    ),
}


def suppress(counts: Sequence[int], least: int) -> list[int | None]:
    """Return the counts of one row with those below ``least`` replaced by None.

    A row's total is known, so a single hidden count could be worked out. In that case,
    the smallest other count is also hidden.
    """
    shown: list[int | None] = [n if n >= least else None for n in counts]
    if shown.count(None) == 1 and len(shown) > 1:
        others = [(n, i) for i, n in enumerate(shown) if n is not None]
        shown[min(others)[1]] = None
    return shown


def _figure(figure: Figure) -> Figure:
    return replace(figure, count=None) if isinstance(figure, Hidden) else figure


def _cells(cells: Sequence[Cell], least: int) -> tuple[Cell, ...]:
    shown = suppress([cell.n or 0 for cell in cells], least)
    return tuple(Cell(c.answer, n) for c, n in zip(cells, shown, strict=True))


def _row(row: MatrixRow, least: int) -> MatrixRow:
    return replace(row, cells=_cells(row.cells, least))


def _case(case: CaseFigures, least: int) -> CaseFigures:
    errors, challenged = case.confident_errors, case.challenged
    return replace(
        case,
        challenged=challenged if challenged and challenged >= least else None,
        challenges=(),
        right=_figure(case.right),
        confident_errors=errors if errors is not None and errors >= least else None,
        moves=_moves(case.moves, least),
        fix=_figure(case.fix) if case.fix else None,
        transfer=_figure(case.transfer) if case.transfer else None,
        first_sight=_figure(case.first_sight) if case.first_sight else None,
    )


def _moves(moves: Moves | None, least: int) -> Moves | None:
    if moves is None:
        return None
    cells = _cells(moves.cells, least)
    if all(cell.n is not None for cell in cells):
        return moves
    return replace(
        moves,
        after=_figure(moves.after),
        cells=cells,
        right_turn=None,
        loss=None,
        mid_p=None,
        exact_p=None,
    )


def _calibration(
    found: CalibrationFigures | None, least: int
) -> CalibrationFigures | None:
    if found is None:
        return None
    dots = tuple(
        replace(dot, share=_figure(dot.share)) for dot in found.dots if dot.n >= least
    )
    return replace(found, dots=dots)
