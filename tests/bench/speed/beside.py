"""Fan-out of all three subjects in turn: the ratios that the promises are about.

Measured one after another, minutes apart, each meets another machine: its clock, its
caches and its neighbors change, and ratios with them. Here all three have their
players connected, and send to them in turn, many times; a ratio is within each
turn.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.bench.speed import machine, measure, room
from tests.bench.speed.campaign import Cores, Tell, as_server_sends, order, shown
from tests.bench.speed.measure import Fan
from tests.bench.speed.server_process import subject
from tests.bench.speed.swarm import UPGRADED, Swarm

TURNS = 31


@dataclass(frozen=True, slots=True)
class Beside:
    """Fan-outs to ``n`` players of each subject, side by side."""

    n: int
    is_steered: bool
    """The driver's core did the receiving half of loopback, not the server's."""
    game: Fan
    floor: Fan
    library: Fan
    game_by_floor: float
    """CPU of Two Gaps by that of the bare loop: the median over the turns."""
    library_by_game: float
    library_by_floor: float


Asked = tuple[Swarm, measure.Subject, Callable[[], None]]
"""A subject's players, the subject, and the order to send to all of them."""


def beside(n: int, cores: Cores, tell: Tell, *, is_steered: bool = False) -> Beside:
    """Measure; the driver needs three times ``n`` sockets.

    ``is_steered`` charges the driver for what it receives. Raises
    :class:`machine.CannotSteer`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="twogaps-bench-") as name,
        ExitStack() as stack,
    ):
        asked = _all_subjects(n, cores, Path(name), stack, tell)
        turns = []
        steering = machine.receiving_on(cores.driver) if is_steered else nullcontext()
        with steering:
            for turn in range(TURNS):
                tell(f"side by side: turn {turn + 1} of {TURNS}")
                turns.append([measure.fan(*each, room.VIEW, 1) for each in asked])
        for swarm, _, _ in asked:
            swarm.close()
    return _judged(n, is_steered, turns)


def _all_subjects(
    n: int, cores: Cores, folder: Path, stack: ExitStack, tell: Tell
) -> tuple[Asked, Asked, Asked]:
    """Connect all players: to Two Gaps, the bare loop, and the library."""
    begin = stack.enter_context
    tell("side by side: all players join")
    game = begin(subject("two-gaps", cores.server, data=folder / "data"))
    host, players = room.Host(game), Swarm(game.port)
    stack.callback(host.close)
    hellos = room.hellos(game.ready["room"], n)
    players.enter(hellos, room.WELCOME, lambda _: None)
    measure.rest(players, 1.2)
    view = shown(host, players, "open_round")
    (folder / "view").write_bytes(view)
    (folder / "frame").write_bytes(as_server_sends(view))
    floor = begin(subject("floor", cores.server, message=folder / "frame"))
    plugs = Swarm(floor.port)
    plugs.connect(n)
    library = begin(subject("websockets", cores.server, message=folder / "view"))
    others = Swarm(library.port)
    others.enter([b""] * n, UPGRADED, lambda _: None)
    measure.rest(others, 1.2)
    return (
        (players, game, room.toggled(host)),
        (plugs, floor, order(floor)),
        (others, library, order(library)),
    )


def _judged(n: int, is_steered: bool, turns: Sequence[Sequence[Fan]]) -> Beside:
    def ratio(above: int, below: int) -> float:
        return statistics.median(t[above].cpu_us / t[below].cpu_us for t in turns)

    game, floor, library = (measure.middle(fans) for fans in zip(*turns, strict=True))
    return Beside(
        n=n,
        is_steered=is_steered,
        game=game,
        floor=floor,
        library=library,
        game_by_floor=ratio(0, 1),
        library_by_game=ratio(2, 0),
        library_by_floor=ratio(2, 1),
    )


def table(found: Sequence[Beside]) -> str:
    """Return all figures as a table that Markdown also shows as one."""
    lines = [
        "| side by side | receiving paid by | CPU µs a socket | bare loops "
        "| first / p50 / p99 / last has it, ms |",
        "|---|---|---:|---:|---:|",
    ]
    for one in found:
        payer = "the driver" if one.is_steered else "the server"
        for who, fan, loops in (
            ("bare loop", one.floor, 1.0),
            ("Two Gaps", one.game, one.game_by_floor),
            ("broadcast", one.library, one.library_by_floor),
        ):
            when = (fan.first_ms, fan.median_ms, fan.p99_ms, fan.last_ms)
            lines.append(
                f"| {who}, to {one.n:,} | {payer} | {fan.cpu_us:.1f} | {loops:.2f} "
                f"| {' / '.join(f'{ms:.1f}' for ms in when)} |"
            )
    return "\n".join(lines)
