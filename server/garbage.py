"""When Python looks for garbage: seldom, as the server's own leavings are few.

Nearly everything here is freed as soon as nobody holds it. Only circles need looking
for: a closed socket leaves one. By default Python looks after every 700 new objects,
and what a thousand waiting votes hold is taken for old each time; that was a fifth of
what a vote costs (docs/performance.md). What was loaded at the start is never garbage
and is not looked at again.
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 50_000, 5, 4
"""New objects until the young are looked through, and how often before all are: at the
latest when some 25,000 sockets have come and gone."""


def look_seldom() -> None:
    """Settle it for this process; called once, after everything is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
