"""What the project promises of its speed, and whether a run has held it.

Ratios within one run: neither a faster machine nor a busy neighbor moves them much.
Nothing here is a test; it is printed and written to docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.speed.beside import Beside
from tests.bench.speed.campaign import Paced, Size
from tests.bench.speed.home import Home

OVER_FLOOR = 1.3
UNDER_BROADCAST = 1.5
OF_ECHO = 0.6
MEMORY_KB = 20.0
GROWTH = 1.3
HOME = 1.15
PACED_MS = 50.0


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, and what was found."""

    text: str
    found: str
    is_held: bool

    def __str__(self) -> str:
        return (
            f"{'held    ' if self.is_held else 'NOT HELD'}  {self.text}: {self.found}"
        )


def promises(
    sizes: Sequence[Size],
    paced: Paced | None,
    turns: Sequence[Beside],
    homes: Sequence[Home] = (),
) -> list[Promise]:
    """Return what can be judged from the sizes that were run."""
    by_n = {size.n: size for size in sizes}
    found: list[Promise] = []
    for one in turns:
        found += _fan_out(one)
    found += [_of_home(one) for one in homes]
    if 5_000 in by_n:
        found += _at_5000(by_n[5_000])
    if 10_000 in by_n:
        found += _at_10000(by_n[10_000])
    if len(sizes) > 1:
        found += _growth(sizes[0], sizes[-1])
    if paced is not None:
        text = f"300 players within 3 s, p99 to recorded, under {PACED_MS:.0f} ms"
        of_each = ", ".join(f"{ms:.1f}" for ms in paced.p99_of_each_ms)
        got = f"{paced.p99_ms:.1f} ms ({of_each})"
        found.append(Promise(text, got, paced.p99_ms < PACED_MS))
    return found


def _fan_out(one: Beside) -> Iterator[Promise]:
    whose = "receivers paying for themselves" if one.is_steered else "over loopback"
    yield Promise(
        f"fan-out to {one.n:,}, CPU a socket, {whose}, "
        f"at most {OVER_FLOOR} × the bare loop",
        f"{one.game_by_floor:.2f} ({one.game.cpu_us:.1f}, {one.floor.cpu_us:.1f} µs)",
        one.game_by_floor <= OVER_FLOOR,
    )
    yield Promise(
        f"... and at least {UNDER_BROADCAST} × less than websockets.broadcast",
        f"{one.library_by_game:.2f} ({one.library.cpu_us:.1f} µs, which is "
        f"{one.library_by_floor:.2f} bare loops)",
        one.library_by_game >= UNDER_BROADCAST,
    )


def _of_home(one: Home) -> Promise:
    return Promise(
        f"fan-out to {one.n:,} of a home with a broker, CPU a socket, "
        f"at most {HOME} × that of a lone node",
        f"{one.home_by_alone:.2f} ({one.home.cpu_us:.1f}, {one.alone.cpu_us:.1f} µs)",
        one.home_by_alone <= HOME,
    )


def _at_5000(size: Size) -> Iterator[Promise]:
    durable, echo = size.game.votes.per_s, size.library.votes.per_s
    yield Promise(
        f"durable votes/s at 5,000, at least {OF_ECHO} of an echo that stores nothing",
        f"{durable / echo:.2f} ({durable:,.0f} and {echo:,.0f})",
        durable >= OF_ECHO * echo,
    )


def _at_10000(size: Size) -> Iterator[Promise]:
    stored, kb = size.game.voters_stored, size.game.joins.memory_kb_each
    yield Promise(
        "10,000 players in one room, a vote each in the journal",
        f"{stored:,}",
        stored == 10_000,
    )
    yield Promise(
        f"... memory a connection at most {MEMORY_KB:.0f} KB",
        f"{kb:.1f} KB",
        kb <= MEMORY_KB,
    )


def _growth(least: Size, most: Size) -> Iterator[Promise]:
    few, many = least.game.votes, most.game.votes
    yield Promise(
        f"bytes the server sends for a vote at {most.n:,} are those at {least.n:,}",
        f"{many.answer_bytes:.0f} and {few.answer_bytes:.0f}",
        many.answer_bytes <= few.answer_bytes + 1,
    )
    ratio = many.cpu_s_per_1000 / few.cpu_s_per_1000
    yield Promise(
        f"CPU for a vote at {most.n:,} at most {GROWTH} × that at {least.n:,}",
        f"{ratio:.2f}",
        ratio <= GROWTH,
    )
