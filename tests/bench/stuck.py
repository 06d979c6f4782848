"""``python -m tests.bench.stuck``: a class of 300 beside 1,000 stuck readers.

Beside them a player floods the server with votes. The class's p99 from vote to recorded
must stay within the larger of 50 ms and twice its own quiet figure, measured in the
same run; the server's memory must stay bounded.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.jam import Figures, jam
from tests.support.node import Node

MOST_KB_EACH = 150
"""Memory that a reader who never reads may cost: what the transport holds and what is
kept in its place (64 KiB and the newest of each kind), and the connection itself."""


def judge(figures: Figures) -> list[str]:
    """Return what does not hold."""
    limit_ms = max(50.0, 2 * figures.quiet_p99)
    faults = []
    if figures.jammed_p99 > limit_ms:
        faults.append(f"p99 {figures.jammed_p99:.1f} ms is over {limit_ms:.1f} ms")
    if figures.cut_loose < 0.9 * figures.stuck:
        faults.append("most of those who never read were not even stuck")
    grown = figures.rss_after - figures.rss_before
    if grown > figures.stuck * MOST_KB_EACH / 1024:
        faults.append(f"the server has grown by {grown:.0f} MiB")
    return faults


async def main() -> int:
    """Measure, print, and judge; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        figures = await jam(
            Node(Path(folder)), 300, 1_000, rounds=4, views=400, until_cut=True
        )
    print(figures.text())
    faults = judge(figures)
    print("\n".join(faults) or "within the larger of 50 ms and twice the quiet figure")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
