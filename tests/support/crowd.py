"""People of several sites in a live room, without sockets and without a broker."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.model import Label
from server.game.answers import GapAnswer
from server.game.errors import Refused
from server.game.ids import ClientId, PlayerId
from server.game.phases import Ballot
from server.protocol.client_messages import Hello, Vote
from server.rooms.ports import Audience, Enter, Say, Slot
from server.rooms.room import Room
from tests.support.until import until


class Deaf:
    """A link that hears nothing but its welcome."""

    def __init__(self, site: str) -> None:
        self.audience: Audience = "player"
        self.player: PlayerId | None = None
        self.site: str | None = site

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Hear nothing."""

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        """Be in the room from now on."""
        self.player = player

    def turn_away(self, refusal: Refused) -> None:
        """Not happen in these tests."""
        raise refusal

    def part(self, bye: bytes) -> None:
        """Hear nothing."""


async def crowd(room: Room, site: str, n: int) -> list[Deaf]:
    """Let ``n`` people of a site into a room."""
    links = [Deaf(site) for _ in range(n)]
    for i, link in enumerate(links):
        hello = Hello(
            version=1,
            role="player",
            room=room.code,
            name=f"{site} {i}",
            join_key=f"{hash((site, i)) % 16**32:032x}",
        )
        room.put(Enter(link=link, hello=hello, site=site))
    await until(lambda: all(link.player for link in links))
    return links


def vote(
    room: Room, links: Sequence[Deaf], ballot: Ballot, outer: float, now_ms: int
) -> None:
    """Let people answer the open ballot; the first ``outer`` of them say outer."""
    round_ = room.state.round_index
    assert round_ is not None
    for i, link in enumerate(links):
        label = Label.OUTER if i < outer * len(links) else Label.INNER
        message = Vote(
            round=round_,
            ballot=ballot,
            client=ClientId("crowd"),
            counter=1 if ballot is Ballot.VOTE else 2,
            answer=GapAnswer(label, 80),
        )
        room.put(Say(link=link, message=message, stamped_ms=now_ms))
