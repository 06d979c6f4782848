"""A flush mark holds only when nothing before it can be missing."""

from __future__ import annotations

from server.federation.edges import Flushes
from server.game.ids import RoomCode

ROOM, OTHER = RoomCode("K7MQ2P"), RoomCode("ABCDEF")


def test_a_mark_holds_with_its_batch_where_nothing_was_lost() -> None:
    edge = Flushes()
    assert edge.version(ROOM) == 0
    edge.heard(1, 1)
    edge.heard(2, 1)
    edge.marked(ROOM, 7, 2)
    assert edge.version(ROOM) == 7
    assert edge.version(OTHER) == 0


def test_a_mark_waits_for_a_batch_that_was_lost_before_it() -> None:
    edge = Flushes()
    edge.heard(1, 1)
    edge.heard(3, 1)
    edge.marked(ROOM, 7, 3)
    assert edge.version(ROOM) == 0
    edge.heard(2, 1)
    assert edge.version(ROOM) == 7


def test_what_is_done_need_not_come_to_a_home_that_has_restarted() -> None:
    edge = Flushes()
    edge.heard(41, 40)
    edge.marked(ROOM, 7, 41)
    assert edge.version(ROOM) == 0
    edge.heard(42, 41)
    assert edge.version(ROOM) == 7


def test_a_mark_that_comes_again_takes_nothing_back() -> None:
    edge = Flushes()
    for number in (1, 2, 3):
        edge.heard(number, 1)
    edge.marked(ROOM, 9, 3)
    edge.marked(ROOM, 7, 2)
    assert edge.version(ROOM) == 9


def test_a_mark_waits_for_requests_that_their_room_has_not_dealt_with() -> None:
    edge = Flushes()
    edge.took(ROOM, 11, 1)
    edge.took(OTHER, 12, 1)
    edge.heard(1, 1)
    edge.marked(ROOM, 7, 1)
    assert edge.version(ROOM) == 0
    edge.done(ROOM, 11)
    assert edge.version(ROOM) == 7, "a request for another room holds nothing up"


def test_a_mark_that_answered_a_close_that_was_not_stored_does_not_count() -> None:
    edge = Flushes()
    edge.heard(1, 1)
    edge.marked(ROOM, 7, 1)
    edge.rewind(ROOM, 7)
    assert edge.version(ROOM) < 7
    edge.heard(2, 1)
    edge.marked(ROOM, 7, 2)
    assert edge.version(ROOM) == 7
