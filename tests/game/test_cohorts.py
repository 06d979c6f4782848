"""Sites side by side: never summed, none too small, and none that can be worked out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.game.commands import (
    CloseVotes,
    Finish,
    Join,
    Kick,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
)
from server.game.ids import PlayerId
from server.game.intervals import Portion, t_quantile, wilson
from server.game.outcomes import group_means, hidden_groups
from server.game.settings import RoomSettings
from server.game.state import Player
from server.game.views.host import host_panel
from server.game.views.role_types import SiteLink
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import FinishedView, RevealView
from tests.support.game import Game


def played(sizes: dict[str, int], *, revote: bool = False, **settings: int) -> Game:
    """Return a game in which all of these voted, every third of them inner."""
    game = Game(RoomSettings(**settings), rounds=1)  # type: ignore[arg-type] # of settings
    names = [(site, f"{site}{i}") for site, n in sizes.items() for i in range(n)]
    for site, name in names:
        game.do(Join(PlayerId(f"p-{name}"), name, site=site))
        game.present.add(PlayerId(f"p-{name}"))
    game.do(OpenRound(), OpenVote())
    for i, (_, name) in enumerate(names):
        game.vote(name, "outer" if i % 3 else "inner", 80)
    game.do(CloseVotes())
    if revote:
        game.do(Revote())
        game.vote(names[0][1], "outer", 80)
        game.do(CloseVotes())
    game.do(Reveal())
    return game


def test_each_site_has_its_own_n_and_intervals() -> None:
    view = screen_view(played({"berlin": 6, "lisbon": 9}, revote=True).state, 0)
    assert isinstance(view, RevealView)
    berlin, lisbon = view.cohorts
    assert (berlin.name, berlin.n, lisbon.name, lisbon.n) == ("berlin", 6, "lisbon", 9)
    assert berlin.before is not None
    assert berlin.after is not None
    assert berlin.before.options["outer"] == Portion(4, *wilson(4, 6))
    assert berlin.after.options["outer"] == Portion(5, *wilson(5, 6))
    assert lisbon.after == lisbon.before


def test_players_see_what_the_screen_sees() -> None:
    state = played({"berlin": 6, "lisbon": 9}).state
    shown, own = screen_view(state, 0), player_view(state, 0)
    assert isinstance(shown, RevealView)
    assert isinstance(own, RevealView)
    assert shown.cohorts == own.cohorts != ()


def test_a_single_site_is_not_a_cohort() -> None:
    state = played({"berlin": 9}).state
    view = screen_view(state, 0)
    assert isinstance(view, RevealView)
    assert view.cohorts == ()
    assert host_panel(state, 0, frozenset()).sites == ()


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ({"a": 9, "b": 8}, {}),
        ({"a": 9, "b": 0}, {"b": "few"}),
        ({"a": 9, "b": 8, "c": 2}, {"c": "few", "b": "cover"}),
        ({"a": 300, "b": 2, "c": 0}, {"b": "few", "c": "few", "a": "cover"}),
        ({"a": 9, "b": 3, "c": 2}, {"b": "few", "c": "few"}),
        ({}, {}),
    ],
)
def test_a_small_group_is_hidden_and_cannot_be_worked_out(
    sizes: dict[str, int], hidden: dict[str, str]
) -> None:
    assert hidden_groups(sizes, 5) == hidden


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 40), max_size=6),
    st.integers(1, 20),
)
def test_hidden_groups_are_empty_or_large_enough(
    sizes: dict[str, int], least: int
) -> None:
    hidden = hidden_groups(sizes, least)
    together = sum(sizes[name] for name in hidden)
    assert together == 0 or together >= least or len(hidden) == len(sizes)
    assert all(sizes[name] >= least for name in sizes.keys() - hidden.keys())


def test_a_hidden_site_has_no_figures_for_others_and_all_for_the_host() -> None:
    game = played({"berlin": 8, "lisbon": 7, "oslo": 2})
    view = screen_view(game.state, 0)
    assert isinstance(view, RevealView)
    assert [(c.name, c.hidden, c.before is None) for c in view.cohorts] == [
        ("berlin", None, False),
        ("lisbon", "cover", True),
        ("oslo", "few", True),
    ]
    cards = host_panel(game.state, 0, game.present).sites
    assert [(c.name, c.people, c.connected, c.answered) for c in cards] == [
        ("berlin", 8, 8, 8),
        ("lisbon", 7, 7, 7),
        ("oslo", 2, 2, 2),
    ]
    assert cards[0].right is not None
    assert cards[0].interval == wilson(cards[0].right, 8)


def test_who_is_removed_is_no_longer_counted_as_being_there() -> None:
    game = played({"berlin": 6, "lisbon": 6})
    game.do(Kick(player=PlayerId("p-lisbon0")))
    cards = host_panel(game.state, 0, game.present).sites
    assert [card.people for card in cards] == [6, 5]


def test_a_site_that_is_only_heard_of_is_listed_too() -> None:
    link = SiteLink("oslo", False, True, 0, False, None, None)
    cards = host_panel(played({"berlin": 6}).state, 0, frozenset(), [link]).sites
    assert [(c.name, c.people, c.link) for c in cards] == [
        ("oslo", 0, link),
        ("berlin", 6, None),
    ]


def test_late_votes_are_counted_for_the_host_by_site() -> None:
    game = played({"berlin": 6, "lisbon": 6})
    game.do(Join(PlayerId("p-Late"), "Late", site="lisbon"))
    for counter in (1, 2):  # changed once: still one late vote
        game.vote("Late", "outer", 80, round_index=0, counter=counter)
    panel = host_panel(game.state, 0, game.present)
    assert panel.late == 1
    assert {card.name: card.late for card in panel.sites} == {"berlin": 0, "lisbon": 1}


def test_the_end_has_each_sites_mean_with_its_interval() -> None:
    game = played({"berlin": 6, "lisbon": 9})
    game.do(Finish())
    view = screen_view(game.state, 0)
    assert isinstance(view, FinishedView)
    for mean in view.cohorts:
        assert mean.low is not None
        assert mean.mean is not None
        assert mean.high is not None
        assert mean.low < mean.mean < mean.high


def test_a_mean_and_its_interval_by_hand() -> None:
    people = [
        Player(PlayerId(f"p{i}"), f"{i}", None, False, 0, points=p, rounds_scored=1)
        for i, p in enumerate((50, 60, 70, 80, 90))
    ]
    (found,) = group_means({"all": people}, 5)
    # s = 15.81, t(4) = 2.776: 70 +- 2.776 * 15.81 / sqrt(5)
    assert (found.n, found.mean, found.low, found.high) == (5, 70.0, 50.4, 89.6)
    (one,) = group_means({"one": people[:1]}, 1)
    assert (one.mean, one.low, one.high) == (50.0, None, None)
    (empty,) = group_means({"empty": []}, 1)
    assert empty.mean is None


@pytest.mark.parametrize(
    ("df", "table"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (299, 1.968)],
)
def test_students_quantile_is_that_of_the_tables(df: int, table: float) -> None:
    assert t_quantile(0.975, df) == pytest.approx(table, rel=2e-4)
