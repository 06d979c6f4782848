"""The clock that a host stops and starts: nothing closes, and no time is lost."""

from __future__ import annotations

from server.game.commands import (
    AskTime,
    CloseVotes,
    Discuss,
    GiveTime,
    NextStep,
    OpenRound,
    OpenVote,
    ReopenVote,
    Resume,
    Reveal,
    StartClock,
    StopClock,
    Tick,
)
from server.game.engine import can, replay
from server.game.events import BallotClosed
from server.game.features.timing import holders, is_due, next_due_ms, own_deadline_ms
from server.game.ids import PlayerId
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.game.views.host import host_panel
from server.game.views.stage import screen_view
from server.game.views.stage_types import StoryView
from tests.support.game import Game

ANN, BOB = PlayerId("p-ann"), PlayerId("p-bob")


def voting(settings: RoomSettings | None = None) -> Game:
    game = Game(settings or RoomSettings(auto_close=True))
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    return game


def left_ms(game: Game) -> int:
    view = screen_view(game.state, game.now_ms)
    assert isinstance(view, StoryView)
    assert view.clock is not None
    return view.clock.remaining_ms


def test_a_stopped_clock_keeps_its_time_and_continues_with_it() -> None:
    game = voting()
    game.now_ms += 4_000
    left = left_ms(game)
    game.do(StopClock())
    game.now_ms += 3_600_000
    assert left_ms(game) == left
    view = screen_view(game.state, game.now_ms)
    assert isinstance(view, StoryView)
    assert view.clock is not None
    assert view.clock.is_stopped
    assert view.clock.deadline_ms == game.now_ms + left
    assert not host_panel(game.state, game.now_ms, game.present).is_ready
    game.do(StartClock())
    assert left_ms(game) == left
    game.now_ms += 1_000
    assert left_ms(game) == left - 1_000
    assert replay(game.journal) == game.state


def test_nothing_closes_automatically_while_the_clock_stands() -> None:
    game = voting()
    game.do(StopClock())
    game.vote("ann", "outer", 80)
    game.vote("bob", "outer", 80)
    game.now_ms += 3_600_000
    assert next_due_ms(game.state, game.now_ms, game.present) is None
    assert not is_due(game.state, game.now_ms, game.present)
    assert game.do(Tick()) == []
    assert host_panel(game.state, game.now_ms, game.present).closes_in_ms is None
    game.do(StartClock())
    assert isinstance(game.do(Tick())[0], BallotClosed), "all have answered"


def test_a_host_closes_a_vote_while_its_clock_stands() -> None:
    game = voting()
    game.do(StopClock(), CloseVotes())
    assert game.state.stopped_ms is None
    assert not can(game.state, StartClock())
    game.do(ReopenVote())
    assert can(game.state, StopClock())
    assert replay(game.journal) == game.state


def test_a_restart_leaves_a_stopped_clock_as_it_is() -> None:
    game = voting()
    game.now_ms += 3_000
    game.do(StopClock())
    left = left_ms(game)
    game.now_ms += 8 * 3_600_000  # the laptop slept
    assert game.do(Resume()) == []
    assert left_ms(game) == left
    game.do(StartClock())
    assert left_ms(game) == left


def test_own_time_and_the_time_of_a_site_stand_as_well() -> None:
    game = voting()
    ann = game.state.players[ANN]
    game.do(AskTime(ANN, 200), AskTime(BOB, 0))
    poll = game.state.round.polls[Ballot.VOTE]
    game.do(GiveTime(seconds=60, site="east"))
    site_ms, own_ms = poll.site_until_ms["east"], own_deadline_ms(ann, poll)
    assert own_ms is not None
    game.now_ms += 2_000
    game.do(StopClock())
    game.now_ms += 500_000
    assert holders(game.state, game.now_ms, game.present) == [ANN, BOB]
    game.do(StartClock())
    assert own_deadline_ms(ann, poll) == own_ms + 500_000
    assert poll.site_until_ms["east"] == site_ms + 500_000
    assert own_deadline_ms(game.state.players[BOB], poll) is None


def test_a_warned_close_waits_for_the_clock() -> None:
    game = voting()
    game.do(AskTime(ANN, 0), CloseVotes(override=True))
    until_ms = game.state.warned_until_ms
    assert until_ms is not None
    game.do(StopClock())
    game.now_ms = until_ms + 60_000
    assert game.do(Tick()) == []
    assert host_panel(game.state, game.now_ms, game.present).warned_ms is None
    game.do(StartClock())
    assert host_panel(game.state, game.now_ms, game.present).warned_ms == 20_000


def test_time_given_while_it_stands_is_added_to_what_is_left() -> None:
    game = voting()
    game.do(StopClock())
    left = left_ms(game)
    game.now_ms += 900_000
    game.do(GiveTime(seconds=30))
    assert left_ms(game) == left + 30_000


def test_the_clock_of_a_discussion_stops_and_one_that_runs_not_at_all_is_refused() -> (
    None
):
    game = voting(RoomSettings())
    game.vote("ann", "outer", 80)
    game.do(CloseVotes(), Discuss(), StopClock())
    game.refuses(StopClock(), "no_timer")
    game.do(StartClock())
    game.refuses(StartClock(), "no_timer")
    without = Game(RoomSettings(time_factor=None))
    without.do(OpenRound(), OpenVote())
    without.refuses(StopClock(), "no_timer")
    revealed = voting(RoomSettings())
    revealed.do(CloseVotes(), Reveal(), NextStep(all=True))
    revealed.refuses(StopClock(), "wrong_phase")


def test_where_speed_counts_standing_still_costs_nothing() -> None:
    quick, slow = (voting(RoomSettings(score_mode="speed")) for _ in range(2))
    slow.do(StopClock())
    slow.now_ms += 600_000
    slow.do(StartClock())
    for game in (quick, slow):
        game.now_ms += 5_000
        game.vote("ann", "outer")
        game.do(CloseVotes(), Reveal(), NextStep(all=True))
    assert quick.state.players[ANN].points == slow.state.players[ANN].points > 0
