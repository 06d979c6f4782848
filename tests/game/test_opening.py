"""The opening minute: its steps, its taps, its time, and that nothing of it counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.load import load_library
from scenarios.model import Label
from server.game.advice import advised_command
from server.game.commands import (
    AskTime,
    BackToLobby,
    CloseVotes,
    Finish,
    Join,
    OpenRound,
    OpenVote,
    Resume,
    Reveal,
    ShowOpening,
    TapOpening,
    Tick,
)
from server.game.engine import can, replay
from server.game.errors import Refused
from server.game.features.opening import CASES, LAST_STEP, LINE
from server.game.features.timing import next_due_ms
from server.game.ids import PlayerId
from server.game.phases import Phase
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.game.views.host import host_panel
from server.game.views.player import private_view
from server.game.views.stage import player_view
from server.game.views.stage_types import Bars, OpeningView
from server.report.report import build_report
from server.report.table import table
from tests.support.game import Game

ANN, BOB, CY = PlayerId("p-Ann"), PlayerId("p-Bob"), PlayerId("p-Cy")
WORDS = Path(__file__).parents[2] / "client/web/src/i18n/en.late.ts"


def begun(steps: int = 1, settings: RoomSettings | None = None) -> Game:
    """Return a game in the opening minute, after ``steps`` presses."""
    game = Game(settings, opening=True)
    game.join("Ann", "Bob")
    game.do(*[ShowOpening() for _ in range(steps)])
    return game


def view(game: Game) -> OpeningView:
    """Return what the class sees."""
    seen = player_view(game.state, game.now_ms)
    assert isinstance(seen, OpeningView)
    return seen


def wait(game: Game) -> int:
    """Let the time pass until something is due; return how long that was (ms)."""
    due_ms = next_due_ms(game.state, game.now_ms, game.present)
    assert due_ms is not None
    waited_ms, game.now_ms = due_ms - game.now_ms, due_ms
    return waited_ms


def test_it_draws_the_line_and_then_opens_and_shows_two_cases() -> None:
    game = begun()
    assert (view(game).case, view(game).gap, view(game).texts) == (None, None, LINE)
    for index, case in enumerate(CASES):
        game.do(ShowOpening())
        assert (view(game).case, view(game).gap, view(game).bars) == (index, None, None)
        assert view(game).texts == {"story": case.story}
        game.do(ShowOpening())
        assert (view(game).case, view(game).gap) == (index, case.gap)
        assert view(game).texts["why"] == case.why
    assert view(game).step == view(game).last_step == LAST_STEP
    with pytest.raises(Refused, match="over"):
        game.do(ShowOpening())
    game.do(OpenRound())
    assert game.state.phase is Phase.READ
    assert replay(game.journal) == game.state


def test_a_tap_is_kept_once_and_may_be_changed_while_its_case_is_open() -> None:
    game = begun(2)
    assert len(game.do(TapOpening(ANN, 0, Label.INNER))) == 1
    assert game.do(TapOpening(ANN, 0, Label.INNER)) == []
    game.do(TapOpening(ANN, 0, Label.OUTER), TapOpening(BOB, 0, Label.INNER))
    own = private_view(game.state, ANN, 0, game.present)
    assert (own.tap, own.tap_case) == (Label.OUTER, 0)
    with pytest.raises(Refused, match="not open"):
        game.do(TapOpening(ANN, 1, Label.INNER))
    game.do(ShowOpening())
    assert view(game).bars == Bars(2, {"outer": 1, "inner": 1})
    with pytest.raises(Refused, match="not open"):
        game.do(TapOpening(BOB, 0, Label.OUTER))
    assert replay(game.journal) == game.state


def test_it_advances_at_reading_pace_and_stops_at_its_end() -> None:
    game = begun()
    waited = []
    for step in range(1, LAST_STEP + 1):
        waited.append(wait(game))
        game.now_ms -= 1
        assert game.do(Tick()) == []
        game.now_ms += 1
        game.do(Tick())
        assert view(game).step == step
    words = [sum(len(t.split()) for t in texts) for texts in _texts()]
    assert waited == [8_000 + n * 400 for n in words]
    assert 50_000 < sum(waited) < 90_000
    assert next_due_ms(game.state, game.now_ms, game.present) is None
    assert game.do(Tick()) == []


def _texts() -> list[tuple[str, ...]]:
    first, second = CASES
    shown = tuple(first.texts.values())
    return [tuple(LINE.values()), (first.story,), shown, (second.story,)]


def test_a_case_is_shown_two_seconds_after_everyone_present_has_tapped() -> None:
    game = begun(2)
    game.do(TapOpening(ANN, 0, Label.OUTER))
    game.now_ms += 1_000
    game.do(TapOpening(BOB, 0, Label.OUTER))
    assert wait(game) == 2_000
    game.do(Tick())
    assert view(game).gap is Label.OUTER


def test_it_waits_for_the_host_where_timers_are_off_or_it_was_begun_so() -> None:
    for game in (begun(0, RoomSettings(time_factor=None)), begun(0)):
        game.do(ShowOpening(automatic=game.state.settings.time_factor is None))
        for _ in range(LAST_STEP):
            assert next_due_ms(game.state, game.now_ms, game.present) is None
            game.do(ShowOpening())
        assert view(game).step == LAST_STEP


def test_a_host_can_stop_it_from_advancing() -> None:
    game = begun()
    assert next_due_ms(game.state, game.now_ms, game.present) is not None
    game.do(ShowOpening(automatic=False))
    assert next_due_ms(game.state, game.now_ms, game.present) is None


@pytest.mark.parametrize(("percent", "times"), [(150, 1.5), (200, 2), (0, 10)])
def test_the_longest_allowance_of_anyone_present_counts_for_all(
    percent: int, times: float
) -> None:
    usual = wait(begun())
    game = begun(0)
    game.do(AskTime(BOB, percent), ShowOpening())  # type: ignore[arg-type] # one of four
    assert wait(game) == usual * times
    away = begun(0)
    away.do(AskTime(BOB, percent))  # type: ignore[arg-type] # as above
    away.present.discard(BOB)
    away.do(ShowOpening())
    assert wait(away) == usual


def test_after_a_restart_a_step_has_ten_seconds_at_least() -> None:
    game = begun()
    wait(game)
    game.do(Resume())
    assert game.do(Tick()) == []
    assert wait(game) == 10_000


def test_who_comes_late_sees_the_step_that_is_on_and_taps() -> None:
    game = begun(4)
    game.do(Join(CY, "Cy"))
    game.present.add(CY)
    game.do(TapOpening(CY, 1, Label.INNER))
    panel = host_panel(game.state, game.now_ms, game.present)
    assert (panel.answered, panel.expected, panel.is_ready) == (1, 3, False)
    game.do(TapOpening(ANN, 1, Label.INNER), TapOpening(BOB, 1, Label.OUTER))
    assert host_panel(game.state, game.now_ms, game.present).is_ready


def test_the_big_button_begins_it_once_and_the_host_may_skip_and_repeat_it() -> None:
    game = begun(0)
    assert advised_command(game.state) == "show_opening"
    game.do(ShowOpening(), ShowOpening(), TapOpening(ANN, 0, Label.INNER))
    assert advised_command(game.state) == "show_opening"
    assert can(game.state, OpenRound()), "it can be skipped at any step"
    game.do(BackToLobby())
    assert advised_command(game.state) != "show_opening"
    game.do(ShowOpening())
    assert view(game).step == 0
    game.do(ShowOpening(), ShowOpening())
    assert view(game).bars == Bars(0, {"outer": 0, "inner": 0}), "taps begin anew"


def test_a_room_may_have_it_or_not_whatever_its_deck_says() -> None:
    for wished in (True, False):
        game = Game(RoomSettings(minute=wished), opening=not wished)
        assert can(game.state, ShowOpening()) == wished


def test_a_deck_without_it_has_no_button() -> None:
    game = Game()
    game.join("Ann")
    assert not can(game.state, ShowOpening())
    assert advised_command(game.state) == "open_round"
    with pytest.raises(Refused, match="no opening minute"):
        game.do(ShowOpening())


def test_decks_for_newcomers_have_it_and_tests_do_not() -> None:
    decks = load_library().decks
    assert {name for name, deck in decks.items() if deck.minute} == {
        "first-class", "quick-five",
    }  # fmt: skip


def _who(_: RoomState, player: PlayerId) -> str:
    return player


def test_nothing_of_it_counts() -> None:
    """Points, tables and every statistic are the same with the minute and without."""

    def played(*first: ShowOpening | TapOpening) -> Game:
        game = Game(opening=True)
        game.join("Ann", "Bob")
        game.do(*first, OpenRound(), OpenVote())
        game.vote("Ann", "outer", 90, counter=1)
        game.vote("Bob", "inner", 60, counter=2)
        game.do(CloseVotes(), Reveal(), Finish())
        return game

    taps = TapOpening(ANN, 0, Label.INNER), TapOpening(BOB, 0, Label.OUTER)
    tapped, plain = played(ShowOpening(), ShowOpening(), *taps), played()
    assert tapped.state.players == plain.state.players
    assert tapped.state.rounds == plain.state.rounds
    assert build_report(tapped.state) == build_report(plain.state)
    assert table(tapped.state, _who) == table(plain.state, _who)
    for player in (ANN, BOB):
        seen, other = (
            private_view(game.state, player, 0, game.present)
            for game in (tapped, plain)
        )
        assert replace(seen, clock=None) == replace(other, clock=None)


def test_the_pages_say_in_english_what_the_server_says() -> None:
    page = WORDS.read_text()
    for text in (*LINE.values(), *(t for case in CASES for t in case.texts.values())):
        assert f'"{text}"' in page
