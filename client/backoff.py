"""How long to wait before trying again."""

from __future__ import annotations

from random import Random


class Backoff:
    """Exponential back-off with full jitter: 0 to ``first_s``, then twice that, …

    Full jitter spreads the clients of a whole class best when they all come back at
    same time (Brooker 2015, "Exponential Backoff and Jitter"). All chance is from
    ``random``.
    """

    def __init__(
        self, random: Random, first_s: float = 0.2, cap_s: float = 5.0
    ) -> None:
        self._random = random
        self._first_s = first_s
        self._cap_s = cap_s
        self._failures = 0

    @property
    def ceiling_s(self) -> float:
        """The longest that the next wait can be, in seconds."""
        return min(self._cap_s, self._first_s * 2.0 ** min(self._failures, 30))

    @property
    def cap_s(self) -> float:
        """The longest that any wait can be, in seconds."""
        return self._cap_s

    def wait_s(self) -> float:
        """Return how long to wait now, in seconds, and make the next wait longer."""
        wait_s = self._random.uniform(0, self.ceiling_s)
        self._failures += 1
        return wait_s

    def reset(self) -> None:
        """Start again from the shortest wait."""
        self._failures = 0

    def fresh(self) -> Backoff:
        """Return another one of the same bounds, at its start, for something else."""
        return Backoff(self._random, self._first_s, self._cap_s)
