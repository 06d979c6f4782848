"""The report of a game across sites: each site separately, and none summed."""

from __future__ import annotations

from server.game.commands import CloseVotes, Join, OpenRound, OpenVote, Reveal
from server.game.ids import PlayerId
from server.game.state import RoomState
from server.protocol.report_types import Estimate, Hidden
from server.report.report import build_report, for_others
from server.report.table import pseudonyms, table
from tests.support.game import Game

SIZES = {"berlin": 14, "lisbon": 12, "oslo": 2}


def played() -> RoomState:
    """Return a round in which the people of Lisbon were all right."""
    game = Game(rounds=1)
    people = [(site, f"{site}{i}") for site, n in SIZES.items() for i in range(n)]
    for site, name in people:
        game.do(Join(PlayerId(f"p-{name}"), name, site=site))
    game.do(OpenRound(), OpenVote())
    for i, (site, name) in enumerate(people):
        is_outer = site == "lisbon" or i % 2
        game.vote(name, "outer" if is_outer else "inner", 80)
    game.do(CloseVotes(), Reveal())
    return game.state


def test_each_site_has_its_n_its_share_and_its_mean() -> None:
    berlin, lisbon, oslo = build_report(played()).cohorts
    assert (berlin.name, berlin.n, lisbon.n, oslo.n) == ("berlin", 14, 12, 2)
    assert isinstance(berlin.accuracy, Estimate)
    assert isinstance(lisbon.accuracy, Estimate)
    assert (berlin.accuracy.value, lisbon.accuracy.value) == (0.5, 1.0)
    assert isinstance(lisbon.score, Estimate)
    assert lisbon.score.n == 12


def test_others_see_no_small_site_and_none_that_could_be_worked_out() -> None:
    berlin, lisbon, oslo = for_others(build_report(played()), 5).cohorts
    assert isinstance(berlin.accuracy, Estimate)
    assert isinstance(lisbon.accuracy, Hidden)
    assert isinstance(oslo.score, Hidden)
    assert (lisbon.n, oslo.n) == (12, 2)


def test_the_report_and_the_table_name_the_sites() -> None:
    state = played()
    report = build_report(state)
    assert {cohort.name for cohort in report.cohorts} == set(SIZES)
    assert {row.site for row in table(state, pseudonyms(b"k"))} == set(SIZES)


def test_a_game_at_one_place_has_no_sites() -> None:
    game = Game(rounds=1)
    game.join("Ann")
    assert build_report(game.state).cohorts == ()
