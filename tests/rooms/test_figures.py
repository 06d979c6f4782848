"""Figures that take long to count are counted rarely."""

from __future__ import annotations

from itertools import pairwise

import pytest

from server.game.engine import evolve, replay
from server.game.events import (
    BallotClosed,
    BallotOpened,
    DiscussionOpened,
    Event,
    PlayerJoined,
    RoundOpened,
)
from server.game.ids import PlayerId, RoomCode
from server.game.phases import Ballot, Phase
from server.game.settings import RoomSettings
from server.rooms.audience import LocalGateway, NoBarrier
from server.rooms.ports import Audience, Slot
from server.rooms.presence import Presence
from server.rooms.publisher import FAST_MS, REST, SLOW_MS, Publisher
from tests.support.cases import opened
from tests.support.room import ManualClock

ANN, BOB = PlayerId("ann"), PlayerId("bob")


class LongWay(LocalGateway):
    """A gateway during whose sending time passes; notes when figures went where."""

    def __init__(self, clock: ManualClock, takes_ms: int) -> None:
        super().__init__()
        self._clock = clock
        self._takes_ms = takes_ms
        self.sent: dict[Audience, list[int]] = {"screen": [], "player": []}

    def broadcast(
        self, room: RoomCode, audience: Audience, frame: bytes, slot: Slot | None = None
    ) -> None:
        if slot == "progress" and audience in self.sent:
            self.sent[audience].append(self._clock.ms)
            self._clock.ms += self._takes_ms


@pytest.mark.parametrize(
    ("takes_ms", "fast_ms", "slow_ms"),
    [
        (0, FAST_MS, SLOW_MS),
        (10, FAST_MS, SLOW_MS),
        (60, REST * 60, SLOW_MS),
        (700, REST * 700, REST * 700),
    ],
)
def test_counting_takes_a_tenth_of_the_time_at_most(
    takes_ms: int, fast_ms: int, slow_ms: int
) -> None:
    clock = ManualClock()
    gateway, state = LongWay(clock, takes_ms), replay([opened()])
    publisher = Publisher(gateway, clock, Presence(), NoBarrier())
    for _ in range(30_000):
        publisher.mark(for_newcomers=True)  # so that players are also sent them again
        publisher.flush(state)
        clock.ms += 1
    for audience, gap_ms in (("screen", fast_ms), ("player", slow_ms)):
        sent = gateway.sent[audience]  # type: ignore[index] # one of the two
        gaps = [later - earlier for earlier, later in pairwise(sent)]
        assert len(gaps) > 2
        assert min(gaps) >= gap_ms, "never more often"
        assert max(gaps) <= gap_ms + 2 * takes_ms + 1, "and never left out"


def test_groups_are_worked_out_only_where_the_state_or_who_is_here_has_changed() -> (
    None
):
    state = replay([opened(RoomSettings(pairs=True)), *_two_in_a_discussion()])
    clock, presence = ManualClock(), Presence()
    publisher = Publisher(LocalGateway(), clock, presence, NoBarrier())
    for player in state.players:
        presence.arrive(player)
    assert len(publisher.meet(state)) == 2
    before = publisher._talks
    presence.leave(ANN, clock.ms)  # a phone that lingers, as after a ping or a leave
    assert publisher.meet(state) == []
    assert publisher._talks is before
    evolve(state, PlayerJoined(PlayerId("cem"), "Cem", None, False, 3))
    publisher.meet(state)
    assert publisher._talks is not before


def _two_in_a_discussion() -> list[Event]:
    journal: list[Event] = [
        PlayerJoined(player, player.title(), None, False, 2) for player in (ANN, BOB)
    ]
    journal += [RoundOpened(0, Phase.READ, 3), BallotOpened(0, Ballot.VOTE, 3, None)]
    journal += [BallotClosed(0, Ballot.VOTE, 4, ()), DiscussionOpened(0, 5, None, ())]
    return journal
