"""The report in words: a sentence about the class, a few more, and caveats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from scenarios.prose import plural
from server.game.errors import Sentence, sentence
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
"""The fewest answers for which the report says that a case split or misled a class."""


def class_time(ms: int, zone: str | None) -> datetime:
    """Convert UTC milliseconds to the class's time zone; UTC if it is unknown."""
    return datetime.fromtimestamp(ms / 1000, zone_of(zone) or UTC)


def class_sentence(
    detections: Sequence[DetectionFigures],
    cases: Sequence[CaseFigures],
    accuracy: Figure,
    right: int,
    answers: int,
) -> Sentence:
    """Return the sentence that sums up how the class is doing."""
    if not answers:
        nothing = "No case has been answered and revealed yet."
        return sentence("nothing_answered", nothing)
    if len(detections) != 1:
        return _by_link(detections, right, answers)
    (found,) = detections
    if found.words is None or isinstance(accuracy, Hidden):
        why = found.d_prime.why if isinstance(found.d_prime, Hidden) else ""
        return sentence(
            "apart_unknown",
            f"{_right_of(right, answers)}; how well the class tells the two gaps apart "
            "is unknown ({why}).",
            right=right,
            answers=answers,
            why=why,
        )
    odd = odd_case(cases)
    if odd is not None and found.words.key in ("apart_well", "beginning"):
        return _but_one(found.words.key, odd)
    return _told(found, found.words, whole_percent(accuracy.value), answers)


def _right_of(right: int, answers: int) -> str:
    verb = "was" if right == 1 else "were"
    return f"{right} of {plural(answers, 'answer')} {verb} right"


_GAPS = {
    "swapping": "swapping the two gaps",
    "not_apart": "not yet telling the two gaps apart",
    "apart_well": "telling the two gaps apart well",
    "beginning": "beginning to tell the two gaps apart",
}
"""How a class is doing, by the key of the sentence."""


def _but_one(told: str, odd: CaseFigures) -> Sentence:
    is_split = odd.rights / odd.n >= 0.3
    verb = "split it" if is_split else "misled it"
    return sentence(
        "but_one_split" if is_split else "but_one_misled",
        f"The class is {_GAPS[told]}, but one case {verb}: “{{title}}” "
        "({right} of {n} right).",
        told=told,
        title=odd.title,
        right=odd.rights,
        n=odd.n,
    )


def _told(
    found: DetectionFigures, words: Sentence, share: int, answers: int
) -> Sentence:
    lean, called = str(words.values["lean"]), 0
    leaning = ""
    if lean:
        called = _called(found, lean)
        leaning = ", and leans {lean}: it called {called}% of the cases {lean}"
    elif words.key == "not_apart":
        leaning = ", and leans neither way: its answers look like guesses"
    return sentence(
        "class_told",
        f"The class is {_GAPS[words.key]}{leaning} ({{share}}% of "
        f"{plural(answers, 'answer')} right).",
        told=words.key,
        lean=lean,
        called=called,
        share=share,
        answers=answers,
    )


def _called(found: DetectionFigures, lean: str) -> int:
    hits, false_alarms = found.hit_rate or 0, found.false_alarm_rate or 0
    n = found.signals + found.noises
    outer = (hits * found.signals + false_alarms * found.noises) / n
    return whole_percent(outer if lean == "outer" else 1 - outer)


def _by_link(
    detections: Sequence[DetectionFigures], right: int, answers: int
) -> Sentence:
    links = {one.about.split()[1]: one.words for one in detections if one.words}
    told = [f"about the {link} link: {{{link}}}" for link in links]
    return sentence(
        "right_both_links",
        "; ".join([_right_of(right, answers) + " about both links", *told]) + ".",
        right=right,
        answers=answers,
        **links,
    )


def odd_case(cases: Sequence[CaseFigures]) -> CaseFigures | None:
    """Return the one case that went far worse than all others, if there is one.

    It has at most 70% right answers, while every other case has more, and its interval
    is entirely below the share of right answers to the others. A lean may then be
    caused by that case, and is not mentioned.
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
) -> Iterator[Sentence]:
    """Yield further remarks, at most one sentence on each subject."""
    if calibration is not None and calibration.words:
        yield calibration.words
    missed = [
        c for c in cases if c.is_told_confident and c.confident_errors is not None
    ]
    if missed:
        worst = max(missed, key=lambda case: (case.confident_errors or 0) / case.n)
        yield sentence(
            "missed_with_conviction",
            "“{title}” was missed with confidence: {errors} of {n} were wrong at 80% "
            "or more. Such errors are easiest to correct when you name them.",
            title=worst.title,
            errors=worst.confident_errors or 0,
            n=worst.n,
        )
    if transfer is not None and isinstance(transfer.change, Estimate):
        yield _transfer(transfer, transfer.change)
    if (
        herding is not None
        and isinstance(herding.all, Estimate)
        and herding.all.low > 0
    ):
        points = whole_percent(herding.all.value)
        yield sentence(
            "pull_of_the_crowd",
            "In the second vote, those in the minority switched more often than those "
            f"in the majority (by {plural(points, 'point')}): part of the change is "
            "the pull of the crowd.",
            points=points,
        )
    checks = [case.title for case in cases if case.asks_to_check]
    if checks:
        titles = ", ".join(checks)
        yield sentence("check_keys", "Check the key of: {titles}.", titles=titles)


def _transfer(transfer: TransferFigures, change: Estimate) -> Sentence:
    key, end = "twins_same", "no clear change."
    if change.low > 0:
        key = "twins_better"
        end = "the reasoning carried over, or the twins were easier."
    elif change.high < 0:
        key = "twins_worse"
        end = "the twins were harder, or the reasoning did not carry over."
    return sentence(
        key,
        "On the twin cases, {after}% were right, compared with {before}% of the same "
        f"people in the first vote: {end}",
        after=whole_percent(transfer.after or 0),
        before=whole_percent(transfer.before or 0),
    )


def calibration_words(bias: Figure) -> Sentence | None:
    """Return in words whether the class was too confident or not confident enough."""
    if isinstance(bias, Hidden):
        return None
    points = whole_percent(abs(bias.value))
    by = plural(points, "point")
    key = "about_as_sure"
    text = "Overall, the class was about as confident as it should be."
    if bias.low > 0:
        key = "surer_than_right"
        text = f"The class was overconfident, by {by}."
    elif bias.high < 0:
        key = "righter_than_sure"
        text = f"The class was right more often than it expected, by {by}."
    return sentence(key, text, points=points)


def caveats(
    room: RoomFigures, cases: Sequence[CaseFigures], transfer: TransferFigures | None
) -> Iterator[Sentence]:
    """Yield what a reader must know before relying on the figures."""
    yield from _who(room)
    yield from _which(cases)
    if room.revealed < room.planned:
        yield sentence(
            "rounds_played",
            f"{{revealed}} of {plural(room.planned, 'round')} played through the "
            "reveal.",
            revealed=room.revealed,
            planned=room.planned,
        )
    if room.score_mode == "speed":
        speed = "Points depended on speed, which makes them less valid."
        yield sentence("speed_counted", speed)
    if any(case.moves for case in cases):
        yield sentence(
            "switching",
            "The change from vote to second vote measures switching, not learning; "
            "losses are shown beside gains.",
        )
    if transfer is not None:
        yield sentence(
            "two_cases",
            "The change from vote to transfer compares two different cases: read it "
            "beside how people do on the twin when it comes first.",
        )


def _who(room: RoomFigures) -> Iterator[Sentence]:
    if room.is_rehearsal:
        rehearsal = "This was a rehearsal: practice players are counted as people."
        yield sentence("was_rehearsal", rehearsal)
    elif room.practice:
        out = "{n} practice players are left out."
        yield sentence("practice_left_out", out, n=room.practice)
    if room.people < 10:
        yield sentence(
            "few_people",
            f"Only {plural(room.people, 'person', 'people')} answered, so much is "
            "hidden, the rest is uncertain, and none of it applies to other classes.",
            n=room.people,
        )


def _which(cases: Sequence[CaseFigures]) -> Iterator[Sentence]:
    scored = [case for case in cases if case.is_scored]
    outer, inner = (
        sum(case.verdict == verdict for case in scored)
        for verdict in ("outer", "inner")
    )
    if scored and min(outer, inner) < 3:
        yield sentence(
            "few_cases",
            "Few cases ({outer} outer, {inner} inner): d' and c are about these cases, "
            "not about cases in general.",
            outer=outer,
            inner=inner,
        )
    if argued := sum(not case.is_scored for case in cases):
        yield sentence(
            "unscored_cases",
            "{n} of the cases are left out of all means and statistics: experts "
            "disagree, or no single answer is right.",
            n=argued,
        )
