"""The research table: its people, what counts, and the absence of names."""

from __future__ import annotations

import dataclasses

import pytest

from server.game.answers import GapAnswer
from server.game.commands import (
    AskFix,
    CloseVotes,
    Kick,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
    SkipRound,
    Transfer,
)
from server.game.ids import PlayerId
from server.game.settings import RoomSettings
from server.report.table import COLUMNS, DICTIONARY, Row, pseudonyms, table
from tests.support.game import Game, fix, links

KEY = b"k" * 16


def rows_of(game: Game, **wanted: object) -> list[Row]:
    rows = table(game.state, pseudonyms(KEY))
    return [r for r in rows if all(getattr(r, k) == v for k, v in wanted.items())]


def person(game: Game, name: str) -> str:
    return pseudonyms(KEY)(game.state, f"p-{name}")  # type: ignore[arg-type] # an id


def play(settings: RoomSettings | None = None) -> Game:
    """One round: Ann right twice, Bob turns, Cy votes once, Di misses, Pi practises."""
    game = Game(settings)
    game.join("Ann", "Bob", "Cy", "Di")
    game.join("Pi", practice=True)
    game.do(OpenRound(), OpenVote())
    game.now_ms += 1500
    game.vote("Ann", "outer", 90, reason="the reward")
    game.now_ms += 500
    game.vote("Ann", "outer", 80, reason="the reward")
    game.vote("Bob", "inner", 60)
    game.vote("Cy", "outer")
    game.vote("Pi", "outer", 50)
    game.do(CloseVotes(), Revote())
    game.vote("Ann", "outer", 100)
    game.vote("Bob", "outer", 70)
    game.do(CloseVotes(), Reveal())
    return game


def test_every_column_is_explained() -> None:
    assert tuple(DICTIONARY) == COLUMNS


def test_a_vote_is_a_row() -> None:
    game = play()
    (ann,) = rows_of(game, phase="vote", person=person(game, "Ann"))
    assert ann == Row(
        room="TESTAA", deck="test-deck", deck_version=1, deck_seed=7,
        person=person(game, "Ann"), team=None, site=None, round=1, played="revealed",
        phase="vote", case="case-0", case_version=1, verdict="outer", scored=True,
        status="cast", vote="outer", confidence=80, confidence_inner=None,
        correct=True, points=96, first_vote_ms=1500, resent=True, changed=None,
        reason="the reward",
    )  # fmt: skip


def test_each_player_counts_in_both_tallies_as_rule_b9_says() -> None:
    game = play()
    found = {
        (name, row.phase): (row.status, row.points, row.changed)
        for name in ("Ann", "Bob", "Cy", "Di")
        for row in rows_of(game, person=person(game, name))
    }
    assert found == {
        ("Ann", "vote"): ("cast", 96, None),
        ("Ann", "revote"): ("cast", 100, False),
        ("Bob", "vote"): ("cast", 64, None),
        ("Bob", "revote"): ("cast", 91, True),
        ("Cy", "vote"): ("cast", 75, None),
        ("Cy", "revote"): ("carried", 75, None),
        ("Di", "vote"): ("missed", 50, None),
        ("Di", "revote"): ("missed", None, None),
    }


def test_points_add_up_to_the_scores_of_the_room() -> None:
    game = play()
    for player, score in game.state.rounds[0].scores.items():
        if not game.state.counts(player):
            continue
        mine = rows_of(game, person=person(game, player.removeprefix("p-")))
        points = [row.points for row in mine if row.points is not None]
        assert sum(points) / len(points) == score


def test_practice_players_are_left_out_unless_it_is_a_rehearsal() -> None:
    game = play()
    assert not rows_of(game, person=person(game, "Pi"))
    game = play(RoomSettings(simulated=True))
    assert rows_of(game, person=person(game, "Pi"))


def test_rounds_not_seen_have_no_row_and_skipped_ones_no_points() -> None:
    game = play()
    game.do(OpenRound())
    game.join("Eve")
    game.do(OpenVote())
    game.vote("Eve", "inner", 80)
    game.do(CloseVotes(), SkipRound())
    assert [row.round for row in rows_of(game, person=person(game, "Eve"))] == [2]
    (eve,) = rows_of(game, person=person(game, "Eve"))
    assert (eve.played, eve.points, eve.correct) == ("skipped", None, True)


def test_a_contested_case_has_votes_and_nothing_else() -> None:
    game = play()
    case = game.state.rounds[1].case
    argued = case.model_copy(update={"contested": "argued"})
    game.state.rounds[1].planned = game.state.rounds[1].planned.model_copy(
        update={"case": argued}
    )
    game.do(OpenRound(), OpenVote())
    game.vote("Ann", "inner", 80)
    game.do(CloseVotes(), Reveal())
    (ann,) = rows_of(game, round=2, person=person(game, "Ann"))
    (di,) = rows_of(game, round=2, person=person(game, "Di"))
    assert (ann.vote, ann.verdict) == ("inner", "contested")
    assert not ann.scored
    assert ann.correct is ann.points is di.points is None


def test_fix_and_transfer_are_right_or_wrong_without_points() -> None:
    game = play()
    game.do(AskFix())
    game.vote("Ann", fix(1))
    game.do(CloseVotes(), Transfer())
    game.vote("Ann", "inner", 70)
    game.do(CloseVotes())
    mine = {row.phase: row for row in rows_of(game, person=person(game, "Ann"))}
    assert (mine["fix"].vote, mine["fix"].correct) == ("1", True)
    assert mine["transfer"].case == "transfer-0"
    assert mine["transfer"].correct is False
    assert mine["fix"].points is mine["transfer"].points is None


def test_two_links_have_two_confidences() -> None:
    game = Game(RoomSettings(two_link=True))
    game.join("Ann")
    game.do(OpenRound(), OpenVote())
    game.vote("Ann", links(True, True, 90, 60))
    game.do(CloseVotes(), Reveal())
    (ann,) = rows_of(game)
    assert (ann.vote, ann.correct) == ("both", False)
    assert (ann.confidence, ann.confidence_inner) == (90, 60)


def test_votes_of_those_sent_away_stay() -> None:
    game = play()
    game.do(Kick(player=PlayerId("p-Bob")))
    assert len(rows_of(game, person=person(game, "Bob"))) == 2


def test_late_votes_are_kept_unscored() -> None:
    game = play()
    game.join("Flo")
    poll = game.state.rounds[0].polls
    vote = next(iter(poll.values())).votes["p-Ann"]  # type: ignore[index] # an id
    late = dataclasses.replace(vote, answer=GapAnswer(vote.answer.label))  # type: ignore[union-attr] # a gap
    next(iter(poll.values())).late["p-Flo"] = late  # type: ignore[index] # an id
    (flo,) = rows_of(game, person=person(game, "Flo"), phase="vote")
    assert (flo.status, flo.points, flo.first_vote_ms) == ("late", None, None)


def test_pseudonyms_hold_within_an_export_and_only_there() -> None:
    game = play()
    rows = table(game.state, pseudonyms(KEY))
    assert len({row.person for row in rows}) == 4
    other = {row.person for row in table(game.state, pseudonyms(b"x" * 16))}
    assert not other & {row.person for row in rows}
    text = repr(table(game.state, pseudonyms(KEY), reasons=False))
    for secret in ("Ann", "Bob", "p-", "the reward", game.state.secret):
        assert secret not in text


@pytest.mark.parametrize("phase", ["vote", "revote"])
def test_the_order_tells_nothing(phase: str) -> None:
    people = [row.person for row in rows_of(play(), phase=phase)]
    assert people == sorted(people)
