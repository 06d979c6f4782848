"""The report in words: one sentence on the class, a few more, and its caveats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from server.game.outcomes import percent as whole_percent
from server.game.settings import zone_of
from server.protocol.report_types import (
    CalibrationFigures,
    CaseFigures,
    DetectionFigures,
    Estimate,
    Figure,
    HerdingFigures,
    Hidden,
    RoomFigures,
    TransferFigures,
)

GENTLE_CLASS = 10
"""Fewest answers at which the report says that a case split or misled a class."""


def class_time(ms: int, zone: str | None) -> datetime:
    """Return UTC milliseconds as the class's clock showed them.

    In UTC where the zone is unknown.
    """
    return datetime.fromtimestamp(ms / 1000, zone_of(zone) or UTC)


def percent(share: float) -> str:
    """Return a proportion as whole per cents."""
    return f"{whole_percent(share)} %"


def class_sentence(
    detections: Sequence[DetectionFigures],
    cases: Sequence[CaseFigures],
    accuracy: Figure,
    right: int,
    answers: int,
) -> str:
    """Return the one sentence that says how the class does."""
    if not answers:
        return "Nothing has been answered and revealed yet."
    if len(detections) != 1:
        return _by_link(detections, right, answers)
    (found,) = detections
    if found.words is None or isinstance(accuracy, Hidden):
        why = found.d_prime.why if isinstance(found.d_prime, Hidden) else ""
        return (
            f"{right} of {answers} answers were right; how well the class tells the "
            f"two gaps apart is unknown ({why})."
        )
    odd = odd_case(cases)
    if odd is not None and found.words.startswith(("telling", "beginning")):
        verb = "split it" if odd.rights / odd.n >= 0.3 else "misled it"
        return (
            f"The class is {_gaps(found.words.partition(',')[0])}, but one case "
            f"{verb}: “{odd.title}” ({odd.rights} of {odd.n} right)."
        )
    return f"{_told(found)} ({percent(accuracy.value)} of {answers} answers right)."


def _told(found: DetectionFigures) -> str:
    words, _, lean = (found.words or "").partition(", leaning ")
    told = f"The class is {_gaps(words)}"
    if lean:
        return f"{told}, and leans {lean}: {_leaning(found, lean)}"
    if words.startswith("not yet"):
        return f"{told}, and leans neither way: its answers look like guesses"
    return told


def _gaps(words: str) -> str:
    if words == "swapping the two":
        return "swapping the two gaps"
    return words.replace("them", "the two gaps")


def _leaning(found: DetectionFigures, lean: str) -> str:
    hits, false_alarms = found.hit_rate or 0, found.false_alarm_rate or 0
    n = found.signals + found.noises
    outer = (hits * found.signals + false_alarms * found.noises) / n
    share = outer if lean == "outer" else 1 - outer
    return f"it called {percent(share)} of the cases {lean}"


def _by_link(detections: Sequence[DetectionFigures], right: int, answers: int) -> str:
    parts = [f"about {one.about}: {one.words}" for one in detections if one.words]
    told = f"{right} of {answers} answers were right about both links"
    return f"{told}; {'; '.join(parts)}." if parts else f"{told}."


def odd_case(cases: Sequence[CaseFigures]) -> CaseFigures | None:
    """Return the one case that went far worse than all others together, if one did.

    At most 70 % right, while every other case is above that, and its interval wholly
    below the share right of the others. A lean may then be the work of that case, and
    is not spoken of.
    """
    scored = [case for case in cases if case.is_scored and case.n >= GENTLE_CLASS]
    if len(scored) < 3:
        return None
    worst = min(scored, key=lambda case: case.rights / case.n)
    others = [case for case in scored if case is not worst]
    rest = sum(case.rights for case in others) / sum(case.n for case in others)
    second = min(case.rights / case.n for case in others)
    if isinstance(worst.right, Hidden) or worst.rights / worst.n > 0.7:
        return None
    is_alone = worst.right.high < rest and second > 0.7
    return worst if is_alone else None


def more_sentences(
    cases: Sequence[CaseFigures],
    calibration: CalibrationFigures | None,
    transfer: TransferFigures | None,
    herding: HerdingFigures | None,
) -> Iterator[str]:
    """Yield what else is worth saying, at most one sentence on each matter."""
    if calibration is not None and calibration.words:
        yield calibration.words
    missed = [
        c for c in cases if c.is_told_confident and c.confident_errors is not None
    ]
    if missed:
        worst = max(missed, key=lambda case: (case.confident_errors or 0) / case.n)
        yield (
            f"“{worst.title}” was missed with conviction: {worst.confident_errors} of "
            f"{worst.n} were wrong at 80 % or more. Such errors are corrected best "
            "when they are named."
        )
    if transfer is not None and isinstance(transfer.change, Estimate):
        yield _transfer(transfer, transfer.change)
    if (
        herding is not None
        and isinstance(herding.all, Estimate)
        and herding.all.low > 0
    ):
        yield (
            "In the second vote, those in the minority switched more often than those "
            f"in the majority (by {whole_percent(herding.all.value)} points): part of "
            "the change is the pull of the crowd."
        )
    checks = [case.title for case in cases if case.asks_to_check]
    if checks:
        yield f"Check the key of: {', '.join(checks)}."


def _transfer(transfer: TransferFigures, change: Estimate) -> str:
    told = (
        f"On the twin cases {percent(transfer.after or 0)} were right, after "
        f"{percent(transfer.before or 0)} in the first vote of the same people"
    )
    if change.low > 0:
        return f"{told}: the reason was carried over, or the twins were easier."
    if change.high < 0:
        return f"{told}: the twins were harder, or the reason was not carried over."
    return f"{told}: no clear change."


def calibration_words(bias: Figure) -> str | None:
    """Return in words whether the class was surer than it was right."""
    if isinstance(bias, Hidden):
        return None
    points = f"{whole_percent(abs(bias.value))} points"
    if bias.low > 0:
        return f"The class was surer than it was right, by {points}."
    if bias.high < 0:
        return f"The class was right more often than it dared to say, by {points}."
    return "On the whole, the class was about as sure as it was right."


def caveats(
    room: RoomFigures, cases: Sequence[CaseFigures], transfer: TransferFigures | None
) -> Iterator[str]:
    """Yield what a reader must know before believing the figures."""
    if room.is_rehearsal:
        yield "This was a rehearsal: practice players are counted as people."
    elif room.practice:
        yield f"{room.practice} practice players are left out."
    if room.people < 10:
        yield (
            f"Only {room.people} people answered: much is not shown, what is shown is "
            "uncertain, and none of it speaks for other classes."
        )
    scored = [case for case in cases if case.is_scored]
    kinds = {v: sum(case.verdict == v for case in scored) for v in ("outer", "inner")}
    if scored and min(kinds.values()) < 3:
        yield (
            f"Few cases ({kinds['outer']} outer, {kinds['inner']} inner): d' and c "
            "are about these cases, not about cases in general."
        )
    argued = sum(not case.is_scored for case in cases)
    if argued:
        yield (
            f"{argued} of the cases enter no mean and no statistic: the experts "
            "disagree, or no single answer is right."
        )
    if room.revealed < room.planned:
        yield f"{room.revealed} of {room.planned} rounds were played to their reveal."
    if room.score_mode == "speed":
        yield "Points depended on speed; that costs validity."
    if any(case.moves for case in cases):
        yield (
            "Vote to second vote measures switching, not learning; losses are shown "
            "beside gains."
        )
    if transfer is not None:
        yield (
            "Vote to transfer compares two different cases: read it beside how people "
            "do on the twin when it comes first."
        )
