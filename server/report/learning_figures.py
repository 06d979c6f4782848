"""Confidence, what was learned, and what was the crowd: pooled over learners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from server.game.ids import PlayerId
from server.game.phases import Ballot
from server.game.scoring import option_of
from server.game.state import RoomState, Round
from server.protocol.report_types import (
    CalibrationFigures,
    Dot,
    Estimate,
    Figure,
    HerdingFigures,
    Hidden,
    TransferFigures,
)
from server.report.calibration import ENOUGH_FOR_ECE, calibration
from server.report.change import Switching, normalized_gain
from server.report.clusters import totals
from server.report.figures import FEWEST_ANSWERS, FEWEST_TO_POOL, clustered, pooled
from server.report.proportions import clustered_proportion, difference_interval
from server.report.sample import Counted, Sample, is_counted, rights, verdict_of, votes
from server.report.sentences import calibration_words


def calibration_figures(sample: Sample) -> CalibrationFigures | None:
    """Return the calibration of VOTE; None where no confidence was tapped."""
    chosen = [answer for answer in sample.answers if answer.confidence is not None]
    found = calibration([(a.confidence or 0, a.is_right) for a in chosen])
    if found is None:
        return None
    by_level = _by_level(chosen)
    bias = _bias(chosen)
    is_enough = isinstance(bias, Estimate)
    return CalibrationFigures(
        n=found.n,
        dots=tuple(
            Dot(b.confidence, b.n, clustered(by_level[round(100 * b.confidence)]))
            for b in found.bins
        ),
        bias=bias,
        brier=found.brier if is_enough else None,
        reliability=found.reliability if is_enough else None,
        resolution=found.resolution if is_enough else None,
        uncertainty=found.uncertainty if is_enough else None,
        skill=found.skill if is_enough else None,
        ece=found.ece if found.n >= ENOUGH_FOR_ECE else None,
        words=calibration_words(bias),
    )


def _by_level(answers: Iterable[Counted]) -> dict[int, list[tuple[int, int]]]:
    """Return (right, n) of each learner at each confidence (per cent)."""
    found: dict[int, dict[PlayerId, tuple[int, int]]] = {}
    for answer in answers:
        level = found.setdefault(answer.confidence or 0, {})
        right, n = level.get(answer.player, (0, 0))
        level[answer.player] = (right + answer.is_right, n + 1)
    return {level: list(counts.values()) for level, counts in found.items()}


def _bias(chosen: Sequence[Counted]) -> Figure:
    rows: dict[PlayerId, list[float]] = {}
    for answer in chosen:
        row = rows.setdefault(answer.player, [0, 0])
        row[0] += (answer.confidence or 0) / 100 - answer.is_right
        row[1] += 1
    return pooled(list(rows.values()), _ratio, len(chosen))


def _ratio(sums: Sequence[float]) -> float | None:
    return sums[0] / sums[1] if sums[1] else None


def transfer_figures(sample: Sample) -> TransferFigures | None:
    """Return VOTE against TRANSFER of the same people; None where none was held."""
    state = sample.state
    rows: dict[PlayerId, list[float]] = {}
    for _, round_ in sample.rounds:
        before = rights(state, round_, Ballot.VOTE)
        after = rights(state, round_, Ballot.TRANSFER)
        for player in before.keys() & after.keys():
            row = rows.setdefault(player, [0, 0, 0])
            row[0] += before[player]
            row[1] += after[player]
            row[2] += 1
    if not rows:
        return None
    first, second, pairs = totals(list(rows.values()))
    change = pooled(list(rows.values()), _rise, int(pairs))
    if isinstance(change, Hidden):
        return TransferFigures(int(pairs), None, None, change, None)
    share_1, share_2 = first / pairs, second / pairs
    gain = normalized_gain(share_1, share_2)
    return TransferFigures(int(pairs), share_1, share_2, change, gain)


def _rise(sums: Sequence[float]) -> float | None:
    before, after, pairs = sums
    return (after - before) / pairs if pairs else None


def herding_figures(sample: Sample) -> HerdingFigures | None:
    """Return who switched towards the crowd; None where no second vote was held.

    Rounds in which VOTE was a tie have no crowd and are left out.
    """
    by_learner: dict[PlayerId, Switching] = {}
    by_outcome = {True: Switching(), False: Switching()}
    held = [round_ for _, round_ in sample.rounds if Ballot.REVOTE in round_.polls]
    for round_ in held:
        crowd = _majority(sample.state, round_)
        if crowd is None or not is_counted(sample.state, round_.case):
            continue
        is_right = crowd == verdict_of(round_.case)
        for player, is_minor, switched in _switches(sample.state, round_, crowd):
            old = by_learner.get(player, Switching())
            by_learner[player] = old.plus(is_minor, switched)
            by_outcome[is_right] = by_outcome[is_right].plus(is_minor, switched)
    return _herded(list(by_learner.values()), by_outcome) if held else None


def _switches(
    state: RoomState, round_: Round, crowd: str
) -> Iterable[tuple[PlayerId, bool, bool]]:
    """Yield who voted twice, whether in the minority, and whether they switched."""
    second = votes(state, round_, Ballot.REVOTE)
    for player, vote in votes(state, round_, Ballot.VOTE).items():
        if player in second:
            side = option_of(vote.answer)
            turned = option_of(second[player].answer) != side
            yield player, side != crowd, turned


def _majority(state: RoomState, round_: Round) -> str | None:
    """Return the option that most chose in VOTE; None for a tie."""
    tally = round_.polls[Ballot.VOTE].tally
    counts = tally.options(Ballot.VOTE, two_link=state.settings.two_link)
    ranked = sorted(counts, key=lambda option: counts[option])
    if len(ranked) < 2 or counts[ranked[-1]] == counts[ranked[-2]]:
        return None
    return ranked[-1]


def _herded(
    learners: Sequence[Switching], by_outcome: Mapping[bool, Switching]
) -> HerdingFigures:
    right, wrong = by_outcome[True], by_outcome[False]
    both = right.and_also(wrong)
    n = both.minority + both.majority
    needed = f"needs {FEWEST_ANSWERS} answers, {FEWEST_TO_POOL} on either side"
    figure: Figure = Hidden(needed, n)
    if n >= FEWEST_ANSWERS and min(both.minority, both.majority) >= FEWEST_TO_POOL:
        figure = _herding(learners, both)
    is_shown = isinstance(figure, Estimate)
    return HerdingFigures(
        all=figure,
        majority_right=right.herding if is_shown else None,
        majority_wrong=wrong.herding if is_shown else None,
        n_right=right.minority + right.majority,
        n_wrong=wrong.minority + wrong.majority,
    )


def _herding(learners: Sequence[Switching], both: Switching) -> Figure:
    """Return the difference of two shares, each pooled over learners."""
    n = both.minority + both.majority
    if len(learners) < FEWEST_TO_POOL or both.herding is None:
        return Hidden(f"needs {FEWEST_TO_POOL} people, has {len(learners)}", n)
    interval = difference_interval(
        both.minority_switched / both.minority,
        clustered_proportion([(s.minority_switched, s.minority) for s in learners]),
        both.majority_switched / both.majority,
        clustered_proportion([(s.majority_switched, s.majority) for s in learners]),
    )
    return Estimate(both.herding, *interval, n)
