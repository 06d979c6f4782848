"""An edge whose broker skipped the retained views gets them again."""

from __future__ import annotations

from server.federation import topics
from server.federation.edges import Edges
from server.federation.home import HomeGateway
from server.federation.messages import UpBatch, UpItem, UpReturn
from server.federation.mqtt import Listener
from server.federation.remote import Uplink
from server.federation.topics import Rejections
from server.game.ids import RoomCode
from server.rooms.audience import LocalGateway
from tests.support.gateways import Shelf
from tests.support.room import ManualClock

ROOM = RoomCode("K7MQ2P")
VIEW = topics.view("berlin", ROOM, "player")


class Loud:
    """A bus that notes the topics of all messages."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.is_up = True
        self.dropped = 0

    async def run(self, listener: Listener) -> None:
        """Hear nothing."""

    def publish(
        self, topic: str, _: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        self.said.append(topic)


def batch(number: int, link: str, boot: str = "first") -> UpBatch:
    item = UpItem(seq=number, room=ROOM, link=link, body=UpReturn(token="a.b"))
    return UpBatch(boot=boot, number=number, oldest=1, items=(item,))


async def test_the_first_of_an_edge_has_the_views_said_again_and_no_one_else() -> None:
    bus = Loud()
    home, edges = HomeGateway("berlin", bus, LocalGateway()), Edges("berlin", bus, str)
    home.show(ROOM, "player", b"{}", 7)
    uplink = Uplink(home, edges, Shelf(), ManualClock(), Rejections())

    def times() -> int:
        return bus.said.count(VIEW)

    assert times() == 1
    uplink.receive("lisbon", batch(1, "l1"))
    assert times() == 2
    uplink.receive("lisbon", batch(2, "l2"))
    assert times() == 2
    uplink.receive("porto", batch(1, "p1"))
    assert times() == 3
    uplink.receive("lisbon", batch(1, "l1", boot="second"))
    assert times() == 4
