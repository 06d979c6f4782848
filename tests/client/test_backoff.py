"""Waits grow, are capped, and are jittered over their whole range."""

from __future__ import annotations

from random import Random

from client.connection import Backoff


def test_ceilings_double_up_to_the_cap() -> None:
    backoff = Backoff(Random(3))
    ceilings = []
    for _ in range(7):
        ceilings.append(round(backoff.ceiling_s, 1))
        backoff.wait_s()
    assert ceilings == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_every_wait_lies_between_nothing_and_its_ceiling() -> None:
    backoff = Backoff(Random(4))
    for _ in range(2000):
        ceiling_s = backoff.ceiling_s
        assert 0 <= backoff.wait_s() <= ceiling_s


def test_waits_are_spread_and_come_from_the_random_source() -> None:
    def waits(seed: int) -> list[float]:
        backoff = Backoff(Random(seed))
        return [backoff.wait_s() for _ in range(200)]

    late = waits(5)[10:]
    assert min(late) < 0.5
    assert max(late) > 4.5
    assert waits(5) == waits(5)
    assert waits(5) != waits(6)


def test_reset_and_fresh_start_again() -> None:
    backoff = Backoff(Random(1))
    backoff.wait_s()
    backoff.wait_s()
    assert backoff.fresh().ceiling_s == 0.2
    backoff.reset()
    assert backoff.ceiling_s == 0.2
