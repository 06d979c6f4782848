"""The clock of a home, as an edge estimates it: the offset of its best probe.

The answer to a probe took at least half of its round trip; the probe with the shortest
one bounds the error by half of that (Cristian 1989).
"""

from __future__ import annotations

from collections import deque

PROBES = 16
"""How many of the latest probes are compared."""


class ClockOffset:
    """Home time minus own time, in milliseconds."""

    def __init__(self) -> None:
        self._probes: deque[tuple[float, float]] = deque(maxlen=PROBES)

    def add(self, sent_ms: float, home_ms: float, heard_ms: float) -> None:
        """Take in an answered probe: own time sent, home's time, own time heard."""
        round_trip_ms = max(0.0, heard_ms - sent_ms)
        self._probes.append((round_trip_ms, home_ms + round_trip_ms / 2 - heard_ms))

    @property
    def offset_ms(self) -> float:
        """What to add to own time; 0 before the first probe."""
        return min(self._probes)[1] if self._probes else 0.0

    @property
    def round_trip_ms(self) -> float | None:
        """The shortest way there and back; None before the first probe."""
        return min(self._probes)[0] if self._probes else None
