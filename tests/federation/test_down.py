"""What goes down fits into messages, and no acknowledgement comes before its answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.federation import edges
from server.federation.messages import (
    MOST_BYTES,
    DownBatch,
    DownItem,
    Mark,
    decode,
    encode,
)
from server.game.ids import RoomCode

ROOM = RoomCode("K7MQ2P")
MARK = Mark(room=ROOM, version=3)


def item(size: int) -> bytes:
    """Return an encoded item with a frame of this many bytes."""
    return encode(DownItem(link="l", room=ROOM, op="push", frame="x" * size))


@given(
    st.lists(st.integers(0, 64_000), max_size=12),
    st.integers(0, 9_000),
    st.booleans(),
)
def test_everything_arrives_in_order_and_nothing_is_too_large(
    sizes: list[int], n_acks: int, has_mark: bool
) -> None:
    items = [item(size) for size in sizes]
    acks = list(range(10**12, 10**12 + n_acks))
    marks = [MARK] if has_mark else []
    sent = list(edges.messages("b" * 32, items, acks, marks))
    assert all(len(message) <= MOST_BYTES for message in sent)
    heard = [decode(DownBatch, message) for message in sent]
    batches = [batch for batch in heard if batch is not None]
    assert len(batches) == len(sent)
    assert [encode(one) for batch in batches for one in batch.items] == items
    assert [ack for batch in batches for ack in batch.acks] == acks
    assert [mark for batch in batches for mark in batch.marks] == marks
    with_items = [n for n, batch in enumerate(batches) if batch.items]
    with_acks = [n for n, batch in enumerate(batches) if batch.acks]
    assert not with_items or not with_acks or with_acks[0] >= with_items[-1]


def test_what_fits_into_no_message_is_known_before() -> None:
    assert edges.fits(item(64_000))
    assert not edges.fits(item(65_000))


def test_without_items_no_message_is_built() -> None:
    assert list(edges.messages("b", [], [], [])) == []
