"""The limits of one server: for each, its value, what it limits, and the response.

A whole school can share one address, so the limits per address are generous and those
per socket are strict. docs/limits.md is generated from this table. Rates are enforced
with token buckets, and the number of sockets is fitted to the process's limit on open
files.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Generic, TypeVar

if sys.platform != "win32":
    import resource

log = logging.getLogger("twogaps.net")

Number = TypeVar("Number", int, float)
Value = TypeVar("Value")

Now = Callable[[], float]
"""A monotonic clock, in seconds."""

SPARE = 300
"""Open files reserved for the journal, the pages, the broker and the runtime."""

TOLD = 500
"""Sockets beyond the limit that are accepted only to send a refusal."""

ABOUT, ANSWER, UNIT, LEAST = "about", "answer", "unit", "least"


class BadLimit(ValueError):  # noqa: N818 - reads as a sentence where it is caught
    """A setting whose name is not a limit's, or whose number is not valid for it."""


def _limit(
    default: Number, unit: str, answer: str, about: str, *, least: float = 1
) -> Number:
    """Return a field of :class:`Limits`.

    ``about`` says what the limit applies to, and ``answer`` what happens beyond it.
    """
    notes = {ABOUT: about, ANSWER: answer, UNIT: unit, LEAST: least}
    return field(default=default, metadata=notes)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a server. Each has a counter of the same name."""

    player_frame: int = _limit(
        4 * 1024,
        "bytes",
        "refused `too_large`",
        "Longest frame from a player, a screen, or an unauthenticated socket.",
        least=256,
    )
    stranger_frame: int = _limit(
        16 * 1024,
        "bytes",
        "closed with 1009",
        "Longest frame that is read from a socket that is neither a host's nor an "
        "admin's; longer ones are never loaded into memory.",
        least=1024,
    )
    staff_frame: int = _limit(
        256 * 1024,
        "bytes",
        "closed with 1009",
        "Longest frame from a host or an admin.",
        least=1024,
    )
    player_rate: float = _limit(
        20,
        "a second",
        "read later, with a `too_fast` refusal",
        "Messages from one player, one screen or one new socket; twice as many in a "
        "burst.",
        least=0.1,
    )
    staff_rate: float = _limit(
        100,
        "a second",
        "read later, with a `too_fast` refusal",
        "Messages from one host or one admin; twice as many in a burst.",
        least=0.1,
    )
    control_rate: float = _limit(
        10,
        "a second",
        "read later",
        "Pings, pongs and message fragments on one socket, including before hello; "
        "ten times as many in a burst.",
        least=0.1,
    )
    hellos: int = _limit(
        10,
        "messages",
        "bye `refused`",
        "Refused messages on one socket before its welcome.",
    )
    hello_s: float = _limit(
        15,
        "seconds",
        "bye `idle`",
        "Time from the opening of a socket until its welcome.",
        least=0.01,
    )
    request_s: float = _limit(
        25,
        "seconds",
        "dropped",
        "Time for a connection to send its request and read the response.",
        least=0.01,
    )
    waiting: int = _limit(
        3000,
        "connections",
        "the oldest is dropped",
        "Connections that have not sent a request or have not read their page yet. "
        "Those from the last two seconds are dropped only at twice this limit.",
    )
    sockets: int = _limit(
        12_000,
        "sockets",
        "bye `full`",
        "Open WebSockets on the whole server. Up to 500 more at a time get a refusal, "
        "others HTTP 503.",
    )
    sockets_address: int = _limit(
        2000,
        "sockets",
        "bye `full`",
        "Open WebSockets from one address.",
    )
    connects_address: float = _limit(
        200,
        "a second",
        "waits, then HTTP 429",
        "New WebSockets from one address, before hello; half as many in a burst.",
        least=0.1,
    )
    unsent: int = _limit(
        64 * 1024,
        "bytes",
        "held back; only the newest of each kind is kept",
        "Bytes that the system buffers for one client that does not read; the system's "
        "default would be megabytes. The server buffers the same amount again. After "
        "that, frames wait.",
        least=4096,
    )
    pages_address: float = _limit(
        100,
        "a second",
        "HTTP 429",
        "Pages and files that one address may fetch; a hundred times as many in a "
        "burst. A QR code that has to be drawn counts as fifty requests, and an "
        "invalid request as a hundred.",
        least=0.1,
    )
    joins_room: float = _limit(
        1000,
        "a second",
        "waits, then refused `too_fast`",
        "New players in one room; twice as many in a burst. Players who come back "
        "don't count.",
        least=0.1,
    )
    joins_address: float = _limit(
        50,
        "a second",
        "waits, then refused `too_fast`",
        "New players from one address, in all rooms; sixty times as many in a burst.",
        least=0.1,
    )
    newcomers_address: int = _limit(
        500,
        "people",
        "refused `too_many_new`",
        "People in one room who come from one address, or through one other site, and "
        "have not answered yet. In a large room, the limit is three quarters of its "
        "places.",
    )
    changes: int = _limit(
        100,
        "changes",
        "refused `too_many_changes`",
        "Changes by one person in one phase, counted separately for the answer, the "
        "sentence, the challenge, the team and the time allowance. The journal keeps "
        "all of them.",
    )
    wrong_codes: float = _limit(
        2,
        "a second",
        "refused `too_fast`",
        "Different wrong room codes from one address; fifty times as many in a burst.",
        least=0.01,
    )
    opens_address: float = _limit(
        0.5,
        "a second",
        "refused `too_fast`",
        "Rooms that one address may open; forty times as many in a burst.",
        least=0.01,
    )
    rooms_address: int = _limit(
        100,
        "rooms",
        "refused `rooms_full`",
        "Running rooms that were opened from one address.",
    )
    rooms: int = _limit(
        200,
        "rooms",
        "refused `rooms_full`",
        "Running rooms. An empty room is evicted to make room for a new one.",
    )
    lag_ms: int = _limit(
        2000,
        "ms",
        "refused `busy`",
        "Event loop lag, measured twice in a row, at which the server stops admitting "
        "new people. It still serves people who are already in a room and people who "
        "are coming back.",
        least=10,
    )

    def with_settings(self, settings: Iterable[str]) -> Limits:
        """Return a copy with some limits changed, each given as ``NAME=NUMBER``.

        Raises :class:`BadLimit`, whose text lists what would be valid.
        """
        numbers = dict(map(_parse, settings))
        return replace(self, **numbers)  # type: ignore[arg-type] # whole if it must be


def _parse(setting: str) -> tuple[str, int | float]:
    name, _, text = setting.partition("=")
    known = {each.name: each for each in fields(Limits)}
    about = known.get(name.strip())
    if about is None:
        names = ", ".join(known)
        raise BadLimit(f"'{setting}' sets no limit. Write NAME=NUMBER; names: {names}.")
    least = about.metadata[LEAST]
    is_whole = about.type in (int, "int")
    try:
        number = int(text) if is_whole else float(text)
    except ValueError:
        kind = "a whole number" if is_whole else "a number"
        raise BadLimit(f"{about.name} needs {kind}, not '{text}'.") from None
    if not number >= least:
        raise BadLimit(f"{about.name} must be at least {least}, not {text}.")
    return about.name, number


NAMES = tuple(each.name for each in fields(Limits))


def fitted(limits: Limits) -> Limits:
    """Raise the process's limit on open files to the maximum; return fitted limits."""
    files = _most_files()
    if files is None:
        return limits
    found = fit(limits, files)
    if found != limits:
        log.warning(
            "only %d files may be open: at most %d sockets (ulimit -n)",
            files,
            found.sockets,
        )
    return found


def _most_files() -> int | None:
    """Raise the limit on open files to the maximum; return it, or None if unlimited."""
    if sys.platform != "win32":  # which has no such limit
        files, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(
            ValueError, OSError
        ):  # macOS refuses "without a limit"
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            files = hard
        return None if files == resource.RLIM_INFINITY else files
    return None


def fit(limits: Limits, files: int) -> Limits:
    """Return the limits with connections reduced to fit this many open files."""
    if limits.sockets + TOLD + 2 * limits.waiting + SPARE <= files:
        return limits
    waiting = max(1, min(limits.waiting, files // 8))
    sockets = max(1, files - 2 * waiting - min(SPARE + TOLD, files // 4))
    return replace(limits, waiting=waiting, sockets=min(limits.sockets, sockets))


class Bucket:
    """A token bucket: refills at ``rate`` tokens per second, up to ``burst``."""

    __slots__ = ("_at", "_burst", "_now", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: Now = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._now = now
        self._at = now()

    def wait_s(self, tokens: float = 1) -> float:
        """Return how many seconds until this many tokens are available (0: now)."""
        self._fill()
        return max(0.0, min(tokens, self._burst) - self._tokens) / self._rate

    def take(self, tokens: float = 1) -> float:
        """Take tokens, on credit if need be; return how many seconds to wait for them.

        Never takes more than the bucket can hold.
        """
        self._fill()
        self._tokens -= min(tokens, self._burst)
        return 0.0 if self._tokens >= 0 else -self._tokens / self._rate

    @property
    def is_rested(self) -> bool:
        """Whether the bucket is at least half full."""
        return self._tokens >= self._burst / 2

    def give_back(self) -> None:
        """Return one token that was taken but not used."""
        self._tokens += 1

    def _fill(self) -> None:
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


class Recent(Generic[Value]):
    """A least-recently-used mapping that makes a value for each new key.

    At most ``most`` are kept; the least recently used key is dropped first.
    """

    def __init__(self, make: Callable[[], Value], most: int) -> None:
        self._make = make
        self._most = most
        self._of: OrderedDict[str, Value] = OrderedDict()

    def of(self, key: str) -> Value:
        """Return the value for a key."""
        value = self._of.get(key)
        if value is None:
            value = self._of[key] = self._make()
            if len(self._of) > self._most:
                self._of.popitem(last=False)
        else:
            self._of.move_to_end(key)
        return value

    def __len__(self) -> int:
        return len(self._of)
