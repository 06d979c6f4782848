"""A room moves only if its journal has moved: no other node can take it over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.federation import topics
from server.federation.edge import EdgeRelay
from server.federation.home import HomeGateway
from server.federation.messages import EPOCHS, Announce, encode_view, epoch_key, follows
from server.federation.mqtt import Listener
from server.federation.outbox import Outbox
from server.game.ids import RoomCode
from server.journal.store import TenureLost
from server.rooms.audience import LocalGateway
from tests.support.cases import SECRET
from tests.support.fake_bus import FakeBroker
from tests.support.until import until

ROOM = RoomCode("TESTAA")
OTHER = "ff" * 16


@given(st.integers(1, EPOCHS - 1), st.integers(1, 50))
def test_each_epochs_key_follows_from_the_next_and_never_the_reverse(
    epoch: int, steps: int
) -> None:
    later = min(epoch + steps, EPOCHS)
    key, known = epoch_key(SECRET, later), epoch_key(SECRET, epoch)
    assert follows(key, later, known, epoch)
    assert not follows(known, epoch, key, later)
    assert not follows(epoch_key(OTHER, later), later, known, epoch)


@pytest.mark.parametrize("epoch", [0, EPOCHS + 1])
def test_epochs_are_bounded(epoch: int) -> None:
    with pytest.raises(ValueError, match="no epoch"):
        epoch_key(SECRET, epoch)
    assert not follows("00" * 32, epoch, epoch_key(SECRET, 1), 1)
    assert not follows("no key", 2, epoch_key(SECRET, 1), 1)


def claim(epoch: int, secret: str = SECRET) -> Announce:
    return Announce(epoch=epoch, key=epoch_key(secret, epoch))


def edge() -> EdgeRelay:
    return EdgeRelay(
        "oslo", "boot", FakeBroker().bus("oslo"), Outbox(None), LocalGateway()
    )


async def test_a_node_that_has_no_journal_takes_no_room() -> None:
    oslo = edge()
    oslo.announced("berlin", ROOM, claim(1))
    oslo.shown("berlin", ROOM, "player", encode_view(1, 5, b"{}"))
    oslo.announced("eve", ROOM, claim(9, OTHER))
    oslo.announced("eve", ROOM, Announce(epoch=9, key=epoch_key(SECRET, 1)))
    oslo.announced("eve", ROOM, Announce(epoch=9))
    assert oslo.home_of(ROOM) == "berlin"
    assert oslo.rejections.count == 3
    oslo.announced("lisbon", ROOM, claim(3))
    assert oslo.home_of(ROOM) == "lisbon"
    oslo.announced("berlin", ROOM, claim(1))
    assert oslo.home_of(ROOM) == "lisbon"


async def test_a_view_that_comes_before_the_announcement_is_kept_for_it() -> None:
    oslo = edge()
    oslo.announced("berlin", ROOM, claim(1))
    oslo.shown("berlin", ROOM, "player", encode_view(1, 5, b"old"))
    oslo.shown("lisbon", ROOM, "player", encode_view(2, 6, b"new"))
    assert oslo._views.get("berlin", ROOM, "player") == (1, 5, b"old")
    oslo.announced("lisbon", ROOM, claim(2))
    assert oslo._views.get("lisbon", ROOM, "player") == (2, 6, b"new")


class Shown:
    """A bus that keeps the topics of what is published."""

    is_up, dropped = True, 0

    def __init__(self) -> None:
        self.topics: list[str] = []

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        del payload, qos, retain
        self.topics.append(topic)

    async def run(self, listener: Listener) -> None:
        del listener


def test_a_home_that_may_have_lost_a_room_shows_it_to_no_one_again() -> None:
    """A node of a fleet that was paused reconnects before it knows what it has lost."""
    bus, lost = Shown(), [False]

    def confirm() -> None:
        if lost[0]:
            raise TenureLost("another node has it")

    home = HomeGateway("ada", bus, LocalGateway())
    home.claim(ROOM, 1, SECRET, confirm)
    home.show(ROOM, "player", b"{}", 1)
    assert len(bus.topics) == 2, "its announcement, and the view"
    home.republish()
    assert len(bus.topics) == 4
    lost[0] = True
    home.republish()
    assert len(bus.topics) == 4


async def test_rooms_are_announced_again_to_a_node_that_connects() -> None:
    """Once, whatever number of nodes it is; views follow with its first people."""
    bus = Shown()
    home = HomeGateway("ada", bus, LocalGateway(), again_s=0)
    home.claim(ROOM, 1, SECRET)
    home.show(ROOM, "player", b"{}", 1)
    before = list(bus.topics)
    for _ in range(3):
        home.announce_soon()
    await until(lambda: len(bus.topics) > len(before))
    assert bus.topics[len(before) :] == [topics.announce("ada", ROOM)]
