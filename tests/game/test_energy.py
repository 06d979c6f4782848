"""What a phone says of a group and of confidence, and how far a class has come."""

from __future__ import annotations

import pytest

from scenarios.model import Label
from server.game.commands import (
    ChangeSettings,
    CloseVotes,
    Command,
    Discuss,
    Kick,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
)
from server.game.features.discussion import DiscussionOpened
from server.game.ids import PlayerId
from server.game.phases import VERDICT_STEP
from server.game.settings import RoomSettings, SettingsChange
from server.game.views.player import LEAST_OF_A_GROUP, private_view
from server.game.views.role_types import PrivateView
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import RevealView
from tests.support.game import Game

NAMES = ("ann", "bob", "cem", "dia", "eve")


def mine(game: Game, name: str) -> PrivateView:
    return private_view(game.state, PlayerId(f"p-{name}"), game.now_ms, game.present)


def discussed(first: str, second: str, *, group: int | None = None) -> Game:
    """Return a round up to its reveal: a letter a person, Outer (right) or Inner.

    A dash did not vote. ``group`` people are of one group; all, if it is None.
    """
    game = Game()
    game.join(*NAMES[: len(first)])
    game.do(OpenRound(), OpenVote())
    _vote(game, first)
    game.do(CloseVotes(), Discuss())
    together = tuple(list(game.state.players)[:group])
    game.state.round.groups = (together,)
    game.state.round.group_of = dict.fromkeys(together, together)
    game.do(Revote())
    _vote(game, second)
    game.do(CloseVotes(), Reveal())
    return game


def _vote(game: Game, said: str) -> None:
    for name, letter in zip(NAMES, said, strict=False):
        if letter != "-":
            game.vote(name, "outer" if letter == "O" else "inner", 80)


def to_verdict(game: Game) -> Game:
    game.do(*(NextStep() for _ in range(VERDICT_STEP)))
    return game


@pytest.mark.parametrize(
    ("first", "second", "group", "gained"),
    [
        ("IIO", "OIO", None, True),
        ("IIO", "IIO", None, False),
        ("OOI", "OII", None, False),
        ("OI-", "OO-", None, False),  # two who voted: each would know the other's
        ("II", "OO", None, False),
        ("I", "O", None, False),
        ("III", "O--", None, True),  # who did not vote again is counted again
        ("IIIII", "OOOOO", 2, False),
        ("IIIII", "OOOOO", 3, True),
    ],
)
def test_a_group_of_three_or_more_hears_that_it_gained(
    first: str, second: str, group: int | None, gained: bool
) -> None:
    game = to_verdict(discussed(first, second, group=group))
    assert mine(game, "ann").group_gained is gained


def test_no_phone_of_a_smaller_group_hears_anything() -> None:
    """Every line on any phone; the bound is three voters."""
    for size in range(1, LEAST_OF_A_GROUP):
        for said in range(2 ** (2 * size)):
            letters = "".join("OI"[said >> i & 1] for i in range(2 * size))
            game = to_verdict(discussed(letters[:size], letters[size:]))
            for name in NAMES[:size]:
                assert not mine(game, name).group_gained


def test_who_is_outside_the_group_or_did_not_vote_hears_nothing_of_it() -> None:
    game = to_verdict(discussed("IIIII", "OOOII", group=3))
    assert [mine(game, name).group_gained for name in NAMES] == [True] * 3 + [False] * 2
    game = to_verdict(discussed("III-", "OOOO"))
    assert [mine(game, name).group_gained for name in NAMES[:4]] == [True] * 3 + [False]


def test_who_was_removed_does_not_fill_a_group() -> None:
    game = discussed("III", "OOO")
    game.do(Kick(player=PlayerId("p-cem")))
    to_verdict(game)
    assert not mine(game, "ann").group_gained


def test_no_line_appears_before_the_verdict_or_after_the_reveal() -> None:
    game = discussed("III", "OOO")
    for _ in range(VERDICT_STEP):
        assert not mine(game, "ann").group_gained
        assert mine(game, "ann").fit is None
        game.do(NextStep())
    assert mine(game, "ann").group_gained
    game.do(NextStep(all=True), OpenRound())
    assert not mine(game, "ann").group_gained


def test_the_groups_are_those_that_the_discussion_opened_with() -> None:
    game = Game()
    game.join(*NAMES[:3])
    game.do(OpenRound(), OpenVote())
    _vote(game, "IIO")
    found = game.do(CloseVotes(), Discuss())
    opened = next(event for event in found if isinstance(event, DiscussionOpened))
    assert [len(group) for group in opened.groups] == [3]
    together = opened.groups[0]
    assert game.state.round.group_of == dict.fromkeys(together, together)
    game.do(Revote())
    _vote(game, "OOO")
    game.do(CloseVotes(), Reveal())
    assert mine(to_verdict(game), "cem").group_gained


def played(confidence: int, rounds: int) -> Game:
    """Return a game of one player who always says outer, at the last verdict."""
    game = Game(rounds=rounds)
    game.join("ann")
    for index in range(rounds):
        game.do(OpenRound(), OpenVote())
        game.vote("ann", Label.OUTER.value, confidence)
        game.do(CloseVotes(), Reveal(), *(NextStep() for _ in range(VERDICT_STEP)))
        if index < rounds - 1:
            game.do(NextStep(all=True))
    return game


@pytest.mark.parametrize(
    ("confidence", "rounds", "bias"),
    [(90, 3, None), (90, 4, "over"), (50, 4, "none"), (50, 5, "none")],
)
def test_from_four_votes_a_phone_says_how_well_confidence_fits(
    confidence: int, rounds: int, bias: str | None
) -> None:
    fit = mine(played(confidence, rounds), "ann").fit
    assert (fit and fit.bias) == bias
    if fit is not None:
        assert fit.said == confidence / 100


@pytest.mark.parametrize(("people", "is_shown"), [(4, False), (5, True)])
def test_the_mean_of_few_people_is_not_shown_as_the_lesson_runs(
    people: int, is_shown: bool
) -> None:
    game = Game(RoomSettings(min_cell=5))
    game.join(*NAMES[:people])
    game.do(OpenRound(), OpenVote())
    _vote(game, "OOOOI"[-people:])
    game.do(CloseVotes(), Reveal())
    for _ in range(VERDICT_STEP):
        assert mean_on(game) == (None, None), "it tells how many were right"
        game.do(NextStep())
    shown = mean_on(game)
    assert shown[0] == shown[1]
    assert (shown[0] is not None) is is_shown
    if is_shown:
        assert shown[0] == 84.0  # (4 * 96 + 36) / 5


def mean_on(game: Game) -> tuple[float | None, float | None]:
    """Return the mean that phones and the wall show."""
    found = []
    for view in (player_view(game.state, 0), screen_view(game.state, 0)):
        assert isinstance(view, RevealView)
        found.append(view.class_mean)
    return found[0], found[1]


def test_the_host_switches_sounds_and_all_walls_hear_of_it() -> None:
    game = Game()
    assert screen_view(game.state, 0).room.sound
    change: Command = ChangeSettings(change=SettingsChange(sound=False))
    assert len(game.do(change)) == 1
    assert not screen_view(game.state, 0).room.sound
    assert not Game.resumed(game.journal).state.settings.sound
