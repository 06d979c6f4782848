"""Estimates how long a lesson takes in each flow, from the timers that rooms use.

Pure; times are in milliseconds. A class that uses all its time takes as long as
estimated, and one that knows the answers is quicker. Time that the host adds is not
included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from scenarios.model import Case, Flow, Plan, PlannedRound

WORDS_PER_MINUTE = 150
VOTE_MS = 30_000
"""Time for a ballot, in addition to the time for reading what is new."""
DISCUSS_MS = 120_000

JOIN_MS = 180_000
"""From when the code first appears on the projector until the last person joins."""
MINUTE_MS = 90_000
"""The opening minute, including the taps."""
SCREEN_MS = 8_000
"""Time for each screen of a reveal, in addition to the time for reading it."""
TALK_MS = 60_000
"""Time to talk about a verdict in the full flow, or about a case at the end."""
END_MS = 120_000
"""Time for the closing page, and for a first look at the card."""


def reading_ms(*texts: str) -> int:
    """Return how long it takes to read these texts (ms)."""
    return sum(len(text.split()) for text in texts) * 60_000 // WORDS_PER_MINUTE


def minutes_of(plan: Plan, flow: Flow) -> tuple[int, ...]:
    """Return how many minutes a plan takes with only its first round, two rounds, ...

    Each figure is rounded up, and includes everything from the first person who joins
    to the closing page.
    """
    total_ms = JOIN_MS + END_MS + _around_ms(plan, flow)
    minutes = []
    for planned in plan.rounds:
        total_ms += sum(_round_ms(planned, flow))
        minutes.append(ceil(total_ms / 60_000))
    return tuple(minutes)


def _around_ms(plan: Plan, flow: Flow) -> int:
    """Return the time before the first round and after the last one (ms)."""
    if flow == "test":
        return 0
    minute_ms = MINUTE_MS if plan.minute else 0
    talk_ms = (len(plan.closing) + bool(plan.closing)) * TALK_MS
    return minute_ms + talk_ms + sum(map(_worked_ms, (*plan.opening, *plan.closing)))


def _round_ms(planned: PlannedRound, flow: Flow) -> Iterator[int]:
    """Yield the time that each part of a round takes in a flow (ms)."""
    case, told = planned.case, planned.case.breakdown
    yield reading_ms(case.story) + VOTE_MS
    if flow == "test":
        return
    verdict = (told.broke, case.contested or told.why)
    line = (told.intended, told.written, told.learned)
    yield SCREEN_MS
    if flow == "quick":
        yield _screen_ms(*verdict) + _screen_ms(told.say)
        return
    yield DISCUSS_MS + VOTE_MS
    yield _screen_ms(*line) + _screen_ms(*verdict) + TALK_MS + _screen_ms(told.say)
    asked = case.fix_question
    yield VOTE_MS + reading_ms(asked.text)
    yield _screen_ms(*(option.comment for option in asked.options))
    twin = planned.transfer
    if twin is not None:
        yield reading_ms(twin.story) + VOTE_MS + _screen_ms(twin.breakdown.why)


def _worked_ms(case: Case) -> int:
    told = case.breakdown
    texts: Sequence[str] = (told.intended, told.written, told.learned, told.why)
    return _screen_ms(case.story, *texts)


def _screen_ms(*texts: str) -> int:
    return SCREEN_MS + reading_ms(*texts)
