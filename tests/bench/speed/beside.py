"""Fan-out of all three subjects in turn: the ratios that the promises are about.

Measured one after another, minutes apart, each meets another machine: its clock, its
caches and its neighbours change, and ratios with them. Here all three have their
players at once, and send to them in turn, many times over; a ratio is taken within each
turn.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.speed import measure, room
from tests.bench.speed.campaign import Cores, Tell, as_server_sends, order, shown
from tests.bench.speed.measure import Fan
from tests.bench.speed.server_process import subject
from tests.bench.speed.swarm import UPGRADED, Swarm

TURNS = 31


@dataclass(frozen=True, slots=True)
class Beside:
    """Fan-outs to ``n`` players of each subject, side by side."""

    n: int
    game: Fan
    floor: Fan
    library: Fan
    game_by_floor: float
    """CPU of Two Gaps by that of the bare loop: the median over the turns."""
    library_by_game: float
    library_by_floor: float


def beside(n: int, cores: Cores, tell: Tell) -> Beside:
    """Measure; the driver needs three times ``n`` sockets."""
    with (
        tempfile.TemporaryDirectory(prefix="twogaps-bench-") as name,
        ExitStack() as stack,
    ):
        folder = Path(name)
        begin = stack.enter_context
        tell("side by side: everybody joins")
        game = begin(subject("two-gaps", cores.server, data=folder / "data"))
        host, players = room.Host(game), Swarm(game.port)
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
        asked: tuple[tuple[Swarm, measure.Subject, Callable[[], None]], ...] = (
            (players, game, room.toggled(host)),
            (plugs, floor, order(floor)),
            (others, library, order(library)),
        )
        turns = []
        for turn in range(TURNS):
            tell(f"side by side: turn {turn + 1} of {TURNS}")
            turns.append([measure.fan(*each, room.VIEW, 1) for each in asked])
        host.close()
        for swarm, _, _ in asked:
            swarm.close()
    return _judged(n, turns)


def _judged(n: int, turns: list[list[Fan]]) -> Beside:
    def ratio(above: int, below: int) -> float:
        return statistics.median(t[above].cpu_us / t[below].cpu_us for t in turns)

    game, floor, library = (measure.middle(fans) for fans in zip(*turns, strict=True))
    return Beside(n, game, floor, library, ratio(0, 1), ratio(2, 0), ratio(2, 1))
