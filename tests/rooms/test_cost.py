"""What a vote and a view cost, counted and not timed: frames, bytes, commits.

Nothing here depends on a clock but the one that the test moves.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.game.commands import Lock, OpenRound, OpenVote, Unlock
from server.game.events import Event
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.rooms.ports import Enter, Slot
from tests.support.room import RecordingLink, Table, table

SIZES = (10, 400)
CROWD = RoomSettings(max_players=1_000)
RECEIPT = (
    b'{"type":"recorded","round":0,"ballot":"vote","client":"c","counter":1,'
    b'"answer":{"label":"outer","confidence":80,"kind":"gap"},"is_late":false}'
)


class CountingStore(MemoryStore):
    """Counts commits."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[int] = []

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        self.commits.append(len(events))
        await super().append(room, version, events)


class FrameLink(RecordingLink):
    """Keeps the very objects that it was given to send."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[bytes] = []

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        self.frames.append(frame)
        super().push(frame, slot)


async def crowd(seat: Table, n: int) -> list[FrameLink]:
    """Let ``n`` players in and give the figures of their coming time to go out."""
    links = []
    for number in range(n):
        link = FrameLink()
        seat.room.put(Enter(link=link, hello=seat.hello(f"Player {number}")))
        links.append(link)
    for link in links:
        await link.get("you")
    return links


async def a_second_later(seat: Table, link: RecordingLink) -> None:
    """Let everything go out that is due within a second."""
    seat.clock.ms += 1_001
    seat.room._inbox.wake()
    await seat.do(link, Unlock())


async def polled(seat: Table, n: int) -> tuple[RecordingLink, list[FrameLink]]:
    """Open a vote for ``n`` players, with all of them up to date."""
    links = await crowd(seat, n)
    host = await seat.attend("host")
    await seat.do(host, OpenRound(), OpenVote())
    await a_second_later(seat, host)
    for link in links:
        link.frames.clear()
    return host, links


@pytest.mark.parametrize("n", SIZES)
async def test_a_view_is_encoded_once_and_the_same_bytes_go_to_all(
    n: int,
) -> None:
    async with table(settings=CROWD) as seat:
        host, links = await polled(seat, n)
        await seat.do(host, Lock())
        (view,) = links[0].frames
        assert all(link.frames == [view] for link in links)
        assert all(link.frames[0] is view for link in links), "encoded once"


@pytest.mark.parametrize("n", SIZES)
async def test_a_vote_is_one_frame_to_its_player_and_none_to_the_others(
    n: int,
) -> None:
    async with table(settings=CROWD) as seat:
        _, links = await polled(seat, n)
        seat.vote(links[0])
        await links[0].get("recorded")
        assert links[0].frames == [RECEIPT], "whatever the number of players"
        assert not any(link.frames for link in links[1:])


@pytest.mark.parametrize("n", SIZES)
async def test_votes_of_a_second_are_one_progress_for_each_player(n: int) -> None:
    async with table(settings=CROWD) as seat:
        host, links = await polled(seat, n)
        for link in links:
            seat.vote(link)
        await links[-1].get("recorded")
        await a_second_later(seat, host)
        for link in links:
            receipt, progress = link.frames
            assert receipt == RECEIPT
            assert progress is links[0].frames[1], "encoded once"
        assert links[0].of("progress")[-1]["answered"] == n


async def test_votes_that_wait_together_share_one_commit() -> None:
    store = CountingStore()
    async with table(store=store, settings=CROWD) as seat:
        _, links = await polled(seat, 400)
        store.commits.clear()
        for link in links:
            seat.vote(link)
        await links[-1].get("recorded")
        assert store.commits == [400]


async def test_players_are_not_told_again_what_they_know() -> None:
    async with table(settings=CROWD) as seat:
        host, links = await polled(seat, 3)
        seat.vote(links[0])
        await links[0].get("recorded")
        await a_second_later(seat, host)
        told = len(links[1].of("progress"))
        for _ in range(3):
            await seat.do(host, Lock())
            await a_second_later(seat, host)
        assert len(links[1].of("progress")) == told


async def test_a_returning_player_has_all_figures_sent_again() -> None:
    """Figures reach people at other sites only when sent to all."""
    async with table(settings=CROWD) as seat:
        host, links = await polled(seat, 2)
        token, _ = await seat.join("ann")
        await a_second_later(seat, host)
        told = len(links[1].of("progress"))
        await seat.back(token)
        await a_second_later(seat, host)
        assert len(links[1].of("progress")) == told + 1
