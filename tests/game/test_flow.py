"""Flows: where the big button leads, what closes by itself, and what a test never says.

The button is followed over every deck of the library, by a host who presses nothing
else; the presses are printed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import pytest
from pydantic import TypeAdapter
from rich.console import Console

from client.terminal.teller import Teller
from scenarios.build import build_plan
from scenarios.load import load_library
from scenarios.model import FLOWS, Flow, Label, Plan, PlannedRound, Truth
from server.game.advice import advised_command
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.commands import (
    BUTTONS,
    BackToLobby,
    CastVote,
    ChangeSettings,
    CloseVotes,
    Discuss,
    Finish,
    Join,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    ShowExample,
    SkipRound,
    TapOpening,
    Tick,
    Transfer,
)
from server.game.engine import can, decide, evolve, open_room
from server.game.errors import Refused
from server.game.events import RoomOpened
from server.game.features.timing import next_due_ms
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.outcomes import taken_up
from server.game.phases import STEPS, Ballot, Phase
from server.game.settings import RoomSettings, SettingsChange
from server.game.state import RoomState
from server.game.views.host import host_panel, host_view
from server.game.views.player import private_view
from server.game.views.role_types import PrivateView
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import ExampleView, FinishedView, StageView
from server.report.sample import revealed
from tests.support.figures import Figure
from tests.support.game import Game

LIBRARY = load_library()
PEOPLE = [PlayerId(f"p-{number}") for number in range(10)]
MOST = 400
"""Presses after which a button that leads nowhere is given up."""

Class = Literal["all", "all but one", "by number"]
"""Who answers: seven of ten right; the same, and one person never; or half of them
outer, whatever is right."""


@dataclass
class Lesson:
    """A room whose host presses the big button, and nothing else, to the end."""

    plan: Plan
    settings: RoomSettings
    people: Class = "all"
    now_ms: int = 10_000
    presses: Counter[int | None] = field(default_factory=Counter)
    """By the round in which each was pressed, or that it opened; None before the first
    round and after the last."""
    names: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list, repr=False)
    """All that wall and phones were sent, as JSON."""

    def __post_init__(self) -> None:
        code = RoomCode("TESTAA")
        self.present: set[PlayerId] = set()
        self.state: RoomState = open_room(
            RoomOpened(code, self.plan, self.settings, 7, "00", self.now_ms)
        )
        self.terminal = Console(width=100, record=True, quiet=True)
        self.teller = Teller(self.terminal)
        for player in PEOPLE:
            self._do(Join(player, f"Name {player}"))
            self.present.add(player)

    def play(self) -> Lesson:
        """Follow the big button until the game is over."""
        while self.state.phase is not Phase.FINISHED:
            self._answer()
            self._look()
            if not self._has_advanced():
                self._press()
            assert sum(self.presses.values()) < MOST, self.names[-20:]
        self._look()
        return self

    @property
    def a_round(self) -> int:
        """The most presses that a round took, from the one that opened it."""
        return max(n for index, n in self.presses.items() if index is not None)

    def _press(self) -> None:
        name = advised_command(self.state)
        command = next(button for button in BUTTONS if button.type == name)
        self._do(command)
        is_end = self.state.phase in (Phase.FINISHED, Phase.EXAMPLE)
        self.presses[None if is_end else self.state.round_index] += 1
        self.names.append(name)

    def _has_advanced(self) -> bool:
        """Let time pass to what is due next; False where nothing is."""
        due_ms = next_due_ms(self.state, self.now_ms, self.present)
        if due_ms is None:
            return False
        self.now_ms = max(self.now_ms, due_ms)
        before = self.state.version
        self._do(Tick())
        return self.state.version > before

    def _answer(self) -> None:
        state, here = self.state, PEOPLE[: -1 if self.people == "all but one" else None]
        for number, player in enumerate(here):
            if state.ballot is not None:
                self._do(
                    CastVote(
                        player,
                        ClientId("c"),
                        1,
                        state.index,
                        state.ballot,
                        self._answer_of(number),
                        "",
                        self.now_ms,
                    )
                )
            elif state.phase is Phase.OPENING and state.opening.open_taps is not None:
                self._do(TapOpening(player, state.opening.case or 0, Label.OUTER))

    def _answer_of(self, number: int) -> Answer:
        """Give one that seven of ten get right: the class is advised to discuss."""
        ballot = self.state.ballot or Ballot.VOTE
        if ballot is Ballot.FIX:
            return FixAnswer(0)
        case = self.state.round.case_of(ballot)
        if self.people == "by number":
            return GapAnswer(Label.INNER if number % 2 else Label.OUTER, 80)
        is_right = number < 7
        if self.settings.two_link:
            truth = (case.truth.outer, case.truth.inner)
            outer, inner = (is_right is said for said in truth)
            return LinksAnswer(LinkAnswer(outer, 80), LinkAnswer(inner, 80))
        label = case.label or Label.OUTER
        return GapAnswer(label if is_right else label.other, 80)

    def _look(self) -> None:
        for view in (player_view, screen_view):
            self.seen.append(STAGE.dump_json(view(self.state, self.now_ms)).decode())
        mine = private_view(self.state, PEOPLE[0], self.now_ms, self.present)
        self.seen.append(PRIVATE.dump_json(mine).decode())
        self.teller.tell(player_view(self.state, self.now_ms))

    def _do(self, command: object) -> None:
        for event in decide(self.state, command, self.now_ms, self.present):  # type: ignore[arg-type] # any command
            evolve(self.state, event)


STAGE: TypeAdapter[StageView] = TypeAdapter(StageView)
PRIVATE: TypeAdapter[PrivateView] = TypeAdapter(PrivateView)


def lesson(
    deck: str, flow: Flow | None, people: Class = "all", *, by_hand: bool = False
) -> Lesson:
    """Return a lesson of a whole deck, played to its end."""
    found = LIBRARY.deck(deck)
    settings = RoomSettings(
        flow=flow, auto_close=False if by_hand else None, two_link=found.two_link
    )
    plan = build_plan(found, LIBRARY, seed=1, length=None, two_link=settings.two_link)
    return Lesson(plan, settings, people).play()


A_ROUND: dict[Flow, int] = {"quick": 6, "full": 12, "test": 3}
"""Presses a round by the flow, at most, also where one person never answers."""


@pytest.mark.parametrize("name", sorted(LIBRARY.decks))
def test_a_round_takes_few_presses(name: str, figure: Figure) -> None:
    deck = LIBRARY.deck(name)
    every = {
        "all answer": lesson(name, None),
        "one never answers": lesson(name, None, "all but one"),
        "the host closes": lesson(name, None, by_hand=True),
    }
    said = ", ".join(
        f"{who} {sum(played.presses.values())} in all, {played.a_round} a round"
        for who, played in every.items()
    )
    figure(f"presses, {name} ({len(deck.rounds)} cases, {deck.flow}): {said}")
    for who in ("all answer", "one never answers"):
        assert every[who].a_round <= A_ROUND[deck.flow]
        assert every[who].state.phase is Phase.FINISHED


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("name", ["first-class", "quick-five"])
def test_any_deck_goes_by_any_flow(name: str, flow: Flow) -> None:
    played = lesson(name, flow, "all but one")
    assert played.a_round <= A_ROUND[flow]
    assert all(round_.is_counted for round_ in played.state.rounds)


def test_quick_five_takes_40_presses_at_most_even_by_hand() -> None:
    played = lesson("quick-five", None, by_hand=True)
    assert sum(played.presses.values()) <= 40
    assert played.a_round <= 6
    assert "discuss" not in played.names


def test_first_class_opens_and_ends_in_six_presses() -> None:
    played = lesson("first-class", None, "all but one")
    before_and_after = played.presses[None]
    assert before_and_after <= 6
    assert played.names[:2] == ["show_opening", "open_round"]
    assert {"discuss", "revote", "ask_fix", "transfer"} <= set(played.names)
    assert played.names[-4:] == [*["show_example"] * 3, "finish"]


# --- the quick flow ------------------------------------------------------------------


def at_reveal(flow: Flow) -> Game:
    game = Game(RoomSettings(flow=flow))
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.do(CloseVotes(), Reveal())
    return game


@pytest.mark.parametrize(
    ("flow", "screens"),
    [
        ("quick", ["tallies", "verdict", "say"]),
        ("full", ["tallies", "learned", "verdict", "say"]),
    ],
)
def test_a_reveal_has_the_screens_of_its_flow(flow: Flow, screens: list[str]) -> None:
    game = at_reveal(flow)
    shown = [STEPS[game.state.step]]
    while can(game.state, NextStep(stop=True)):
        game.do(NextStep(stop=True))
        shown.append(STEPS[game.state.step])
    assert shown == screens
    assert advised_command(game.state) == (
        "ask_fix" if flow == "full" else "open_round"
    )


def test_a_host_may_leave_the_quick_flow_and_come_back_to_it() -> None:
    game = Game(RoomSettings(flow="quick"))
    game.join(*"abcdefg")
    game.do(OpenRound(), OpenVote())
    for number, name in enumerate("abcdefg"):
        game.vote(name, "outer" if number < 5 else "inner", 80)
    game.do(CloseVotes())
    panel = host_panel(game.state, game.now_ms, game.present)
    assert panel.advised == "reveal"
    assert panel.advice is not None
    assert panel.advice.action == "discuss"
    game.do(Discuss())
    assert advised_command(game.state) == "revote"


def test_a_room_goes_by_its_deck_unless_it_says_otherwise() -> None:
    game = Game(RoomSettings())
    assert host_view(game.state, 0).flow == "full"
    game.do(ChangeSettings(change=SettingsChange(flow="quick")))
    assert host_view(game.state, 0).flow == "quick"
    game.do(ChangeSettings(change=SettingsChange(auto_close="flow")))
    assert game.state.settings.auto_close is None
    assert game.state.settings.flow == "quick"


# --- what closes by itself -----------------------------------------------------------


def asked(flow: Flow, ballot: Ballot) -> Game:
    """Return a room in which two were asked, and one has answered."""
    game = Game(RoomSettings(flow=flow, auto_close=None))
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    if ballot is Ballot.TRANSFER:
        game.do(CloseVotes(), Reveal(), Transfer())
    game.vote("ann", "outer", 80)
    return game


@pytest.mark.parametrize(
    ("flow", "ballot", "closes"),
    [
        ("quick", Ballot.VOTE, True),
        ("full", Ballot.VOTE, False),
        ("full", Ballot.TRANSFER, True),
        ("test", Ballot.VOTE, False),
    ],
)
def test_time_closes_what_the_flow_says(
    flow: Flow, ballot: Ballot, closes: bool
) -> None:
    game = asked(flow, ballot)
    assert (next_due_ms(game.state, game.now_ms, game.present) is not None) is closes
    game.now_ms += 3_600_000
    assert bool(game.do(Tick())) is closes


@pytest.mark.parametrize("flow", FLOWS)
def test_any_flow_closes_what_all_have_answered(flow: Flow) -> None:
    game = asked(flow, Ballot.VOTE)
    assert not game.do(Tick())
    game.vote("bob", "inner", 80)
    game.now_ms = next_due_ms(game.state, game.now_ms, game.present) or game.now_ms
    game.do(Tick())
    assert game.state.phase is Phase.VOTE_CLOSED


def test_a_room_that_says_so_leaves_every_close_to_its_host() -> None:
    game = Game(RoomSettings(flow="quick"))
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.now_ms += 3_600_000
    assert next_due_ms(game.state, game.now_ms, game.present) is None
    assert not game.do(Tick())


# --- the test flow -------------------------------------------------------------------


def other(planned: PlannedRound) -> PlannedRound:
    """Return a round with another verdict, and another text where one tells of it."""
    case = planned.case
    told = {key: f"other {key}" for key in type(case.breakdown).model_fields}
    return PlannedRound(
        case=case.model_copy(
            update={
                "truth": Truth(outer=case.truth.inner, inner=case.truth.outer),
                "breakdown": type(case.breakdown)(**told),
                "tempting": "other tempting",
            }
        )
    )


def test_a_test_tells_no_verdict_to_its_end() -> None:
    """Wall, phones and terminal are the same whatever the verdicts are."""
    deck = LIBRARY.deck("pre-test")
    assert deck.flow == "test"
    plan = build_plan(deck, LIBRARY, seed=1, length=None, two_link=False)
    twin = plan.model_copy(update={"rounds": tuple(map(other, plan.rounds))})
    settings = RoomSettings(podium=True, teams=("Red", "Blue"), auto_close=None)
    one, two = (Lesson(each, settings, "by number").play() for each in (plan, twin))
    assert one.seen == two.seen
    assert one.terminal.export_text() == two.terminal.export_text()
    assert one.names == two.names
    assert {"reveal", "ask_fix", "transfer", "discuss"}.isdisjoint(one.names)
    texts = "".join(one.seen)
    for planned in plan.rounds:
        for key, text in planned.case.breakdown:
            assert text not in texts, (planned.case.id, key)


def test_the_end_of_a_test_has_no_figure_that_a_verdict_is_in() -> None:
    state = lesson("pre-test", None).state
    view = player_view(state, 0)
    assert isinstance(view, FinishedView)
    assert view.room.is_test
    assert view.class_mean is None
    assert not view.reached_goal
    assert (view.rounds, view.podium, view.teams, view.cohorts) == ((), (), (), ())
    assert (view.cases, view.take_home) == ((), ())
    mine = private_view(state, PEOPLE[0], 0, set())
    assert (mine.points, mine.rounds, mine.mean, mine.score) == (0, 0, None, None)
    assert mine.card == ()
    assert mine.figures is not None
    assert mine.figures.judged == 0


def test_the_teacher_of_a_test_has_its_scores_and_its_figures() -> None:
    state = lesson("pre-test", None).state
    assert len(list(revealed(state))) == 10
    assert len(taken_up(state)) == 10
    view = host_view(state, 0)
    assert {line.rounds for line in view.standings} == {10}
    assert {item.status for item in view.plan} == {"handed in"}


def in_test(*, rounds: int = 2) -> Game:
    game = Game(RoomSettings(flow="test"), rounds=rounds)
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.do(CloseVotes())
    return game


def test_the_next_round_of_a_test_opens_from_a_closed_vote() -> None:
    game = in_test()
    assert advised_command(game.state) == "open_round"
    game.do(OpenRound())
    assert game.state.round_index == 1
    game.do(OpenVote(), CloseVotes())
    assert advised_command(game.state) == "finish"
    with pytest.raises(Refused, match="Every round has been played"):
        game.do(OpenRound())


@pytest.mark.parametrize("flow", ["quick", "full"])
def test_no_other_flow_leaves_a_closed_vote_behind(flow: Flow) -> None:
    game = Game(RoomSettings(flow=flow))
    game.join("ann")
    game.do(OpenRound(), OpenVote(), CloseVotes())
    assert not can(game.state, OpenRound())
    with pytest.raises(Refused, match="Reveal this case first"):
        game.do(OpenRound())


def test_a_vote_counts_in_a_test_until_its_end() -> None:
    """A vote that was stamped in time may come from another site after the close."""
    game = in_test()
    stamped_ms = game.now_ms
    game.do(OpenRound())
    game.vote(
        "bob", "outer", 90, ballot=Ballot.VOTE, round_index=0, stamped_ms=stamped_ms
    )
    game.do(Finish())
    assert set(game.state.rounds[0].scores) == {"p-ann", "p-bob"}
    assert not game.state.rounds[1].is_counted
    late = game.vote("bob", "inner", 90, round_index=0, ballot=Ballot.VOTE, client="d")
    assert [event.type for event in late] == ["vote_kept_late"]


def test_a_round_that_was_skipped_in_a_test_has_no_scores() -> None:
    game = in_test(rounds=1)
    game.do(SkipRound())
    assert game.state.phase is Phase.FINISHED
    assert not game.state.rounds[0].is_counted
    assert game.state.rounds[0].scores == {}


def test_skipping_the_last_round_of_a_test_still_scores_the_others() -> None:
    game = in_test(rounds=2)
    game.do(OpenRound(), SkipRound())
    assert game.state.phase is Phase.FINISHED
    assert [round_.is_counted for round_ in game.state.rounds] == [True, False]


def test_a_test_that_became_a_lesson_reveals_what_it_has_kept() -> None:
    game = in_test()
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "inner", 80)
    game.do(CloseVotes(), ChangeSettings(change=SettingsChange(flow="quick")))
    game.do(Reveal(), NextStep(all=True), OpenRound())
    assert (game.state.round_index, game.state.phase) == (0, Phase.VOTE_CLOSED)
    game.do(Reveal(), Finish())
    assert all(round_.is_revealed for round_ in game.state.rounds)
    assert [event.type for event in game.journal].count("round_counted") == 0


# --- what closes a lesson ------------------------------------------------------------


def closing(flow: Flow = "quick") -> Game:
    """Return a room whose only round is played, with two cases to close with."""
    game = Game(RoomSettings(flow=flow), rounds=1, opening=True)
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.do(CloseVotes())
    return game


def example(game: Game) -> ExampleView:
    """Show the next example, and return what the wall shows."""
    game.do(ShowExample())
    view = screen_view(game.state, 0)
    assert isinstance(view, ExampleView)
    assert view == player_view(game.state, 0)
    return view


def test_the_lesson_closes_with_its_cases_and_the_four_kinds() -> None:
    game = closing()
    game.do(Reveal(), NextStep(all=True))
    assert advised_command(game.state) == "show_example"
    shown = [example(game) for _ in range(3)]
    assert [view.example.story.title for view in shown[:2]] == [
        "Title end-0",
        "Title end-1",
    ]
    assert [(view.index, view.of, view.is_closing) for view in shown] == [
        (0, 2, True),
        (1, 2, True),
        (2, 2, True),
    ]
    assert [view.square for view in shown[:2]] == [(), ()]
    assert {(one.outer, one.inner): one.title for one in shown[2].square} == {
        (True, False): "Title case-0",
        (False, True): "",  # no case of the lesson was inner
        (True, True): "Title end-0",
        (False, False): "Title end-1",
    }
    assert not can(game.state, ShowExample())
    assert advised_command(game.state) == "finish"


def test_closing_cases_wait_for_the_last_round() -> None:
    game = Game(rounds=2, opening=True)
    game.join("ann")
    game.do(OpenRound(), OpenVote(), CloseVotes(), Reveal(), NextStep(all=True))
    with pytest.raises(Refused, match="no further worked example"):
        game.do(ShowExample())


def test_a_deck_without_closing_cases_ends_after_its_last_round() -> None:
    game = at_reveal("quick")
    for index in (1, 2):
        game.do(NextStep(all=True), OpenRound(round=index), OpenVote(), CloseVotes())
        game.do(Reveal())
    game.do(NextStep(all=True))
    assert not can(game.state, ShowExample())
    assert advised_command(game.state) == "finish"


def test_the_four_kinds_name_no_case_of_a_test() -> None:
    """A host may show them all the same; the cases of the test stay hidden."""
    game = closing("test")
    assert advised_command(game.state) == "finish"
    game.do(BackToLobby())
    shown = [example(game) for _ in range(3)]
    titles = {one.title for one in shown[2].square}
    assert titles == {"", "Title end-0", "Title end-1"}
