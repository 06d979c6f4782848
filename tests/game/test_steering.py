"""The plan, an earlier reveal, the clock and the room's name, as a host steers them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.model import PlannedRound
from server.game.commands import (
    AddCase,
    AskFix,
    BackToLobby,
    CloseVotes,
    Command,
    Finish,
    HostCommand,
    NameRoom,
    NextStep,
    OpenRound,
    OpenVote,
    PlayAgain,
    ReopenVote,
    ReorderPlan,
    Reveal,
    ShowAgain,
    SkipRound,
    StartClock,
    StopClock,
    Transfer,
)
from server.game.engine import can, replay
from server.game.events import RevealShownAgain
from server.game.features.steering import MOST_ROUNDS, to_come
from server.game.ids import PlayerId
from server.game.outcomes import standings
from server.game.phases import LAST_STEP, VERDICT_STEP, Ballot, Phase, Place
from server.game.settings import RoomSettings
from server.game.views.host import advised_command, host_view
from server.game.views.player import private_view
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import RevealView, StoryView
from tests.support.cases import make_case, make_plan
from tests.support.game import Game

ANN, BOB = PlayerId("p-ann"), PlayerId("p-bob")
ROUND = (OpenRound(), OpenVote(), CloseVotes(), Reveal(), NextStep(all=True))


def played(settings: RoomSettings | None = None, rounds: int = 4) -> Game:
    """Return a game whose first case has been revealed: ann was right, bob wrong."""
    game = Game(settings, rounds)
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 90)
    game.vote("bob", "inner", 60)
    game.do(CloseVotes(), Reveal(), NextStep(all=True))
    return game


def titles(game: Game) -> list[str]:
    return [item.title for item in host_view(game.state, game.now_ms).plan]


def extra(name: str = "extra") -> PlannedRound:
    return PlannedRound(case=make_case(name), transfer=make_case(f"{name}-twin"))


# --- the plan --------------------------------------------------------------------


def test_what_is_to_come_is_played_in_another_order() -> None:
    game = played()
    game.do(ReorderPlan(order=(3, 1, 2)))
    assert titles(game) == [f"Title case-{i}" for i in (0, 3, 1, 2)]
    game.do(OpenRound())
    assert game.state.round.case.id == "case-3"
    assert game.state.round.planned.contrast is not None
    assert game.state.round.planned.contrast.id == "contrast-3", "all of it moves"
    assert [planned.case.id for planned in game.state.plan.rounds] == [
        f"case-{i}" for i in (0, 3, 1, 2)
    ]
    assert replay(game.journal) == game.state


def test_rounds_that_were_opened_keep_their_places() -> None:
    game = played()
    game.do(OpenRound(round=2), BackToLobby())
    assert to_come(game.state) == [1, 3]
    game.refuses(ReorderPlan(order=(2, 1, 3)), "bad_round")
    game.refuses(ReorderPlan(order=(3,)), "bad_round")
    game.refuses(ReorderPlan(order=(3, 3)), "bad_round")
    assert game.do(ReorderPlan(order=(1, 3))) == [], "nothing changes"
    game.do(ReorderPlan(order=(3, 1)))
    assert titles(game) == [f"Title case-{i}" for i in (0, 3, 2, 1)]


def test_a_case_is_opened_out_of_turn_and_the_others_are_still_to_come() -> None:
    game = played()
    assert [i.can_open for i in host_view(game.state, 0).plan] == [False, *[True] * 3]
    game.do(OpenRound(round=3))
    assert game.state.round.case.id == "case-3"
    plan = host_view(game.state, game.now_ms).plan
    assert [item.status for item in plan] == ["revealed", "to come", "to come", "open"]
    assert [item.can_open for item in plan] == [False, True, True, False]
    game.refuses(OpenRound(), "bad_round")
    game.refuses(OpenRound(round=3), "bad_round")
    game.do(OpenRound(round=1), OpenVote())
    game.refuses(OpenRound(round=2), "wrong_phase")
    game.do(CloseVotes(), Reveal(), NextStep(all=True), OpenRound())
    assert game.state.round.case.id == "case-3", "what was left comes first"


def test_a_case_is_added_and_its_twin_played() -> None:
    game = played(rounds=1)
    assert advised_command(game.state) == "ask_fix"
    game.do(AddCase(planned=extra()))
    assert titles(game)[-1] == "Title extra"
    game.do(*ROUND, Transfer())
    assert game.state.round.case_of(Ballot.TRANSFER).id == "extra-twin"
    game.vote("ann", "outer", 70)
    game.do(CloseVotes(), Finish())
    assert player_view(game.state, 0).room.rounds == 2
    assert replay(game.journal) == game.state


@pytest.mark.parametrize("name", ["case-2", "contrast-0", "transfer-1", "extra"])
def test_no_case_is_seen_twice(name: str) -> None:
    game = played()
    game.do(AddCase(planned=extra()))
    game.refuses(AddCase(planned=PlannedRound(case=make_case(name))), "bad_round")
    beside = PlannedRound(case=make_case("new"), transfer=make_case(name))
    game.refuses(AddCase(planned=beside), "bad_round")


def test_a_room_with_two_buttons_takes_no_case_of_two_gaps() -> None:
    both = PlannedRound(case=make_case("both", outer=True, inner=True))
    played().refuses(AddCase(planned=both), "bad_round")
    game = Game(RoomSettings(two_link=True))
    game.do(AddCase(planned=both))
    contested = PlannedRound(
        case=make_case("both", True, True, contested="They argue.")
    )
    played().do(AddCase(planned=contested))


def test_a_plan_has_a_longest_length() -> None:
    game = Game(rounds=MOST_ROUNDS - 1)
    game.do(AddCase(planned=extra("one")))
    game.refuses(AddCase(planned=extra("two")), "bad_round")


def test_an_added_case_is_not_for_home_as_well() -> None:
    game = Game()
    game.state.plan = game.state.plan.model_copy(
        update={"take_home": (make_case("extra"), make_case("other"))}
    )
    game.do(AddCase(planned=extra()))
    assert [case.id for case in game.state.plan.take_home] == ["other"]


def test_a_case_played_again_keeps_its_place_when_one_is_added() -> None:
    game = played(rounds=1)
    game.do(PlayAgain(), OpenVote())
    index = game.state.index
    game.do(AddCase(planned=extra()))
    game.vote("bob", "outer", 90)
    assert game.state.index == index
    assert game.state.round.polls[Ballot.VOTE].tally.n == 1
    game.do(CloseVotes(), Reveal(), NextStep(all=True), OpenRound())
    assert game.state.round.case.id == "extra"
    assert game.state.rounds[1].polls == {}


def test_a_room_of_before_with_practice_beside_the_plan_takes_no_case() -> None:
    game = played(rounds=1)
    (again,) = game.do(PlayAgain())
    game.journal[-1] = replace(again, round=1)  # type: ignore[call-arg]
    game = Game.resumed(game.journal)
    assert game.state.round.practice_of == 0
    game.refuses(AddCase(planned=extra()), "bad_round")
    game.do(OpenVote(), CloseVotes(), Reveal(), NextStep(all=True), PlayAgain())
    assert replay(game.journal) == game.state


def test_what_was_decided_on_another_plan_is_stale() -> None:
    game = played()
    seen = host_view(game.state, game.now_ms).place
    game.do(ReorderPlan(order=(2, 1, 3), seen=seen))
    for late in (
        ReorderPlan(order=(3, 2, 1), seen=seen),
        OpenRound(round=1, seen=seen),
        OpenRound(seen=seen),
        SkipRound(seen=seen),
        AddCase(planned=extra(), seen=seen),
    ):
        game.refuses(late, "stale")
    game.do(AskFix(seen=seen))
    assert game.state.phase is Phase.FIX, "the same whatever comes after it"


def test_a_place_without_a_plan_fits_any() -> None:
    game = played()
    game.do(ReorderPlan(order=(2, 1, 3)))
    now = game.state.place
    game.do(OpenRound(seen=Place(now.round, now.phase, now.step)))
    assert game.state.round.case.id == "case-2"


# --- an earlier reveal ----------------------------------------------------------


def test_an_earlier_reveal_is_shown_whole_and_nothing_is_scored() -> None:
    game = played()
    game.do(OpenRound())
    before = standings(game.state)
    game.do(ShowAgain(round=0))
    for view, step in (
        (screen_view(game.state, 0), VERDICT_STEP),
        (player_view(game.state, 0), LAST_STEP),
    ):
        assert isinstance(view, RevealView)
        assert (view.step, view.is_again, view.room.round) == (step, True, 0)
        assert view.verdict is not None
        assert view.before.options == {"outer": 1, "inner": 1}
    mine = private_view(game.state, BOB, 0, game.present)
    assert (mine.round, [vote.is_right for vote in mine.votes]) == (0, [False])
    assert game.state.phase is Phase.READ
    assert standings(game.state) == before
    assert advised_command(game.state) == "show_again"
    plan = host_view(game.state, 0).plan
    assert [item.is_shown for item in plan] == [True, False, False, False]
    game.do(ShowAgain())
    assert isinstance(screen_view(game.state, 0), StoryView)
    assert private_view(game.state, BOB, 0, game.present).votes == ()
    assert replay(game.journal) == game.state


@pytest.mark.parametrize(
    "command", [OpenVote(), BackToLobby(), SkipRound(), Finish()], ids=lambda c: c.type
)
def test_what_leads_on_also_goes_back(command: HostCommand) -> None:
    game = played()
    game.do(OpenRound(), ShowAgain(round=0), command)
    assert game.state.again is None
    assert not getattr(screen_view(game.state, 0), "is_again", False)


def test_the_next_step_of_a_reveal_goes_back_to_it() -> None:
    game = played()
    game.do(OpenRound(), OpenVote(), CloseVotes(), Reveal(), ShowAgain(round=0))
    game.do(NextStep())
    view = screen_view(game.state, 0)
    assert isinstance(view, RevealView)
    assert (view.room.round, view.step, view.is_again) == (1, 1, False)


def test_the_verdict_of_this_round_stays_hidden_beside_an_earlier_one() -> None:
    game = played()
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "inner", 100)
    game.do(CloseVotes(), Reveal())
    alone = private_view(game.state, ANN, 0, game.present)
    game.do(ShowAgain(round=0))
    beside = private_view(game.state, ANN, 0, game.present)
    assert (beside.points, beside.rounds) == (alone.points, alone.rounds)
    assert beside.score == alone.points, "that of the round on show"


def test_only_a_revealed_round_is_shown_again_and_not_in_a_vote() -> None:
    game = played()
    game.refuses(ShowAgain(), "nothing_to_show")
    game.refuses(ShowAgain(round=0), "bad_round")  # it is on show
    game.refuses(ShowAgain(round=1), "bad_round")
    game.refuses(ShowAgain(round=50), "bad_round")
    game.do(OpenRound(), OpenVote())
    game.refuses(ShowAgain(round=0), "wrong_phase")
    game.do(CloseVotes(), ShowAgain(round=0))
    assert game.do(ShowAgain(round=0)) == []
    game.do(ReopenVote())
    assert game.state.phase is Phase.VOTE, "an earlier case says nothing about this one"


def test_phones_know_that_a_reveal_is_shown_again() -> None:
    effects = RevealShownAgain(0, 0).effects
    assert effects.stage
    assert effects.results


# --- the room's name ------------------------------------------------------------


def test_a_room_has_a_name_as_clean_as_those_of_people() -> None:
    game = Game()
    game.do(NameRoom(name="  9b,\u200b Tuesday\n "))
    assert game.state.name == "9b, Tuesday"
    assert screen_view(game.state, 0).room.name == "9b, Tuesday"
    assert game.do(NameRoom(name="9b, Tuesday")) == []
    game.refuses(NameRoom(name="...\u200b"), "bad_name")
    game.do(NameRoom(name="e\u0301" * 90))
    assert game.state.name == "\u00e9" * 40
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    game.do(NameRoom(name="a" * 38 + family))
    assert game.state.name == "a" * 38, "an emoji is kept whole or not at all"
    game.do(NameRoom(name="  "))
    assert game.state.name == ""


# --- all of it together ----------------------------------------------------------

asides = st.lists(
    st.sampled_from(
        [
            StopClock(),
            StartClock(),
            ShowAgain(round=0),
            ShowAgain(),
            NameRoom(name="9b"),
            AddCase(planned=extra()),
            AddCase(planned=extra("more")),
            "shuffle",
            "wait",
        ]
    ),
    max_size=4,
)


@given(st.lists(asides, min_size=40, max_size=40))
def test_steering_changes_no_score_and_no_tally(
    steps: list[list[Command | str]],
) -> None:
    """The same answers to the same cases count alike, however the host steers."""
    plain, steered = Game(rounds=3), Game(rounds=3)
    todo = iter(steps)

    def aside() -> None:
        for step in next(todo, []):
            if step == "wait":
                steered.now_ms += 60_000
            elif step == "shuffle":
                order = tuple(reversed(to_come(steered.state)))
                steered.do(ReorderPlan(order=order))
            elif not isinstance(step, str) and can(steered.state, step):
                steered.do(step)

    both = (plain, steered)
    for game in both:
        game.join("ann", "bob")
    for _ in range(3):
        aside()
        steered.do(OpenRound())
        wanted = steered.state.round.case.id
        found = [r.case.id for r in plain.state.rounds]
        if wanted not in found:
            plain.do(AddCase(planned=extra(wanted)))
            found.append(wanted)
        plain.do(OpenRound(round=found.index(wanted)))
        for command in (
            OpenVote(),
            "votes",
            CloseVotes(),
            Reveal(),
            NextStep(all=True),
        ):
            aside()
            for game in both:
                if isinstance(command, str):
                    game.vote("ann", "outer", 90)
                    game.vote("bob", "inner", 60)
                else:
                    game.do(command)
    assert [p.points for p in plain.state.players.values()] == [
        p.points for p in steered.state.players.values()
    ]
    assert tallies(plain) == tallies(steered)
    assert replay(steered.journal) == steered.state
    assert make_plan(3).rounds[0].case.id in {r.case.id for r in steered.state.rounds}


def tallies(game: Game) -> dict[str, object]:
    return {
        round_.case.id: (round_.polls[Ballot.VOTE].tally, round_.scores)
        for round_ in game.state.rounds
        if round_.is_revealed
    }
