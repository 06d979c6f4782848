"""The window: bounded, in order, and nothing is forgotten before it is done."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.federation.sender import BATCH, SPAN, UNACKED, Batch, Window

RTO_S = 1.0


def seqs(batches: list[Batch]) -> list[int]:
    """Return the numbers of the requests in batches."""
    return [seq for batch in batches for seq in batch.left]


def window(n: int, size: int = 10, batch_bytes: int = 48_000) -> Window:
    """Return a window with ``n`` requests of ``size`` bytes, numbered from 1."""
    made = Window(batch_bytes)
    for seq in range(1, n + 1):
        made.put(seq, b"x" * size)
    return made


def test_what_waits_is_sent_in_order_in_batches() -> None:
    made = window(BATCH + 3)
    batches = made.due(0, RTO_S)
    assert [len(batch.left) for batch in batches] == [BATCH, 3]
    assert seqs(batches) == list(range(1, BATCH + 4))
    assert made.due(0.5, RTO_S) == []


def test_no_batch_is_larger_than_it_may_be() -> None:
    made = window(10, size=40, batch_bytes=100)
    assert [len(batch.left) for batch in made.due(0, RTO_S)] == [2] * 5
    lone = window(1, size=500, batch_bytes=100)
    assert len(lone.due(0, RTO_S)) == 1


def test_batches_in_flight_are_bounded() -> None:
    made = window(BATCH * (UNACKED + 2))
    first = made.due(0, RTO_S)
    assert len(first) == made.on_the_way == UNACKED
    made.acknowledged(list(first[3].left))
    more = made.due(0.1, RTO_S)
    assert [batch.number for batch in more] == [UNACKED + 1]
    assert made.oldest == 1


def test_what_is_not_answered_comes_again_without_what_was() -> None:
    made = window(5)
    made.due(0, RTO_S)
    made.acknowledged([2, 4, 99])
    assert made.due(0.9, RTO_S) == []
    assert seqs(made.due(1.0, RTO_S)) == [1, 3, 5]
    assert made.due(1.5, RTO_S) == []
    made.again()
    assert seqs(made.due(1.6, RTO_S)) == [1, 3, 5]


def test_a_mark_travels_behind_everything_that_may_have_been_lost() -> None:
    made = window(3)
    made.due(0, RTO_S)
    made.put(4, b"mark")
    made.again()
    assert seqs(made.due(0.1, RTO_S)) == [1, 2, 3, 4]


def test_the_newest_never_runs_far_ahead_of_the_oldest() -> None:
    made = Window(48_000)
    made.put(1, b"lost")
    made.due(0, RTO_S)
    for seq in range(2, 2 * SPAN):
        made.put(seq, b"x")
        for batch in made.due(0, RTO_S):
            assert batch.number - made.oldest < SPAN
            made.acknowledged(list(batch.left))
    assert made.oldest == 1


def test_what_is_withdrawn_is_not_sent_and_nothing_else_is_lost() -> None:
    made = window(BATCH * (UNACKED + 1))
    made.due(0, RTO_S)
    last = BATCH * (UNACKED + 1)
    made.withdraw([1, last])
    made.again()
    sent = seqs(made.due(1, RTO_S))
    made.acknowledged(sent)
    rest = seqs(made.due(2, RTO_S))
    assert sent + rest == list(range(2, last))


@given(st.lists(st.sampled_from(["put", "send", "ack", "again"]), max_size=60))
def test_whatever_happens_nothing_is_lost(steps: list[str]) -> None:
    made, owed, now_s, next_seq = Window(20), set[int](), 0.0, 1
    for step in steps:
        now_s += 0.3
        if step == "put":
            made.put(next_seq, b"12345")
            owed.add(next_seq)
            next_seq += 1
        elif step == "again":
            made.again()
        else:
            sent = seqs(made.due(now_s, RTO_S))
            if step == "ack":
                made.acknowledged(sent[::2])
                owed -= set(sent[::2])
    seen: set[int] = set()
    while made.on_the_way or not seen >= owed:
        now_s += 2
        sent = seqs(made.due(now_s, RTO_S))
        seen |= set(sent)
        made.acknowledged(sent)
    assert seen >= owed
