"""Challenging a label: after its verdict, one sentence a person and case."""

from __future__ import annotations

import pytest

from server.game.commands import (
    BackToLobby,
    ChallengeLabel,
    CloseVotes,
    Finish,
    Kick,
    NextStep,
    OpenRound,
    OpenVote,
    PlayAgain,
    Rename,
    Reveal,
    ShowAgain,
)
from server.game.engine import effects_of, replay
from server.game.events import ChallengeWithdrawn, LabelChallenged, erased
from server.game.features.challenging import CHALLENGE_LENGTH
from server.game.ids import Challenger, PlayerId
from server.game.phases import VERDICT_STEP, Phase
from server.game.settings import RoomSettings
from server.game.views.host import CHALLENGES_SHOWN, cohost_panel, host_panel
from server.game.views.player import private_view
from server.game.views.role_types import ChallengeCard
from server.game.views.stage import player_view, screen_view
from server.journal.codec import decode, encode
from server.report.report import build_report, for_others
from server.report.table import pseudonyms, table
from server.report.workbook import xlsx_bytes
from tests.support.game import Game
from tests.support.presses import STAGE

ANN, BOB = PlayerId("p-ann"), PlayerId("p-bob")
OF_ANN, OF_BOB, HOST = Challenger(ANN), Challenger(BOB), Challenger()
LISBON = Challenger(site="lisbon")
SAID = "The reward was right: it never paid for the loop."


def revealed(settings: RoomSettings | None = None) -> Game:
    """Return a room of two in which the tallies of the first case are shown."""
    game = Game(settings)
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer")
    game.do(CloseVotes(), Reveal())
    return game


def told(settings: RoomSettings | None = None) -> Game:
    """Return a room of two in which the verdict has just been shown."""
    game = revealed(settings)
    game.do(*[NextStep()] * VERDICT_STEP)
    return game


def own(game: Game, player: PlayerId = ANN) -> str:
    return private_view(game.state, player, 0, game.present).challenge


def test_a_label_is_challenged_once_its_verdict_is_shown_and_never_before() -> None:
    game = Game()
    game.join("ann", "bob")
    challenge = ChallengeLabel(OF_ANN, 0, SAID)
    for command in (OpenRound(), OpenVote(), CloseVotes(), Reveal()):
        game.refuses(challenge, "bad_round")
        game.do(command)
    for _ in range(VERDICT_STEP):
        game.refuses(challenge, "bad_round")
        game.do(NextStep())
    (event,) = game.do(challenge)
    assert event == LabelChallenged(OF_ANN, 0, SAID, game.now_ms)
    assert effects_of([event]).persons == {ANN}
    assert not effects_of([event]).stage
    assert (own(game), own(game, BOB)) == (SAID, "")


def test_one_challenge_a_person_and_case_changed_repeated_and_taken_back() -> None:
    game = told()
    assert len(game.do(ChallengeLabel(OF_ANN, 0, f"  {SAID}\n"))) == 1
    assert game.do(ChallengeLabel(OF_ANN, 0, SAID)) == []
    game.do(ChallengeLabel(OF_ANN, 0, "Another."))
    assert game.state.rounds[0].challenges == {OF_ANN: "Another."}
    assert game.do(ChallengeLabel(OF_BOB, 0, " \n")) == []
    (event,) = game.do(ChallengeLabel(OF_ANN, 0, " "))
    assert event == ChallengeWithdrawn(OF_ANN, 0, game.now_ms)
    assert game.state.rounds[0].challenges == {}
    assert replay([decode(encode(one)) for one in game.journal]) == game.state


def test_it_keeps_280_characters_and_cuts_none_in_two() -> None:
    game = told()
    game.do(ChallengeLabel(OF_ANN, 0, "x" * 599))
    assert own(game) == "x" * CHALLENGE_LENGTH == "x" * 280
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    game.do(ChallengeLabel(OF_ANN, 0, "y" * 278 + family + "z\u202e"))
    assert own(game) == "y" * 278


@pytest.mark.parametrize("index", [1, 2, 3, 900, 999])
def test_no_other_round_than_a_told_one_is_challenged(index: int) -> None:
    told().refuses(ChallengeLabel(HOST, index, SAID), "bad_round")


def test_practice_allows_none_and_keeps_those_of_the_game() -> None:
    game = told()
    game.do(ChallengeLabel(OF_ANN, 0, SAID), PlayAgain())
    index = game.state.index
    game.do(OpenVote())
    game.vote("ann", "outer", round_index=index)
    game.do(CloseVotes(), Reveal(), NextStep(all=True))
    for by in (OF_ANN, HOST, LISBON):
        game.refuses(ChallengeLabel(by, index, SAID), "bad_round")
    assert own(game) == ""
    assert host_panel(game.state, 0, game.present).challenged == 1


def test_a_test_shows_no_verdict_and_takes_no_challenge() -> None:
    game = Game(RoomSettings(flow="test"))
    game.join("ann")
    for _ in range(3):
        game.do(OpenRound(), OpenVote())
        game.vote("ann", "outer")
        game.do(CloseVotes())
    game.do(Finish())
    assert all(round_.is_counted for round_ in game.state.rounds)
    for index in range(3):
        for by in (OF_ANN, HOST):
            game.refuses(ChallengeLabel(by, index, SAID), "bad_round")


def test_who_is_not_in_the_room_challenges_nothing() -> None:
    game = told()
    game.refuses(
        ChallengeLabel(Challenger(PlayerId("p-eve")), 0, SAID), "unknown_player"
    )
    game.do(Kick(player=BOB))
    game.refuses(ChallengeLabel(OF_BOB, 0, SAID), "kicked")


def test_hosts_read_who_said_it_and_the_wall_and_others_read_nothing() -> None:
    game = told()
    game.do(Rename(player=ANN, name="Ann"))
    for by in (OF_ANN, LISBON, HOST):
        game.do(ChallengeLabel(by, 0, f"{SAID} {by.site} {by.player}"))
    panel = host_panel(game.state, 0, game.present)
    assert panel.challenged == 3
    assert [(one.by, one.name) for one in panel.challenges] == [
        ("host", ""),
        ("cohost", "lisbon"),
        ("player", "Ann"),
    ]
    assert cohost_panel(game.state, "lisbon", 0, set()).challenge.startswith(SAID)
    assert cohost_panel(game.state, "oslo", 0, set()).challenge == ""
    for view in (player_view, screen_view):
        assert SAID not in STAGE.dump_json(view(game.state, 0)).decode()
    assert own(game, BOB) == ""


def test_the_host_sees_the_challenges_of_the_case_that_is_shown() -> None:
    game = told()
    game.do(ChallengeLabel(OF_ANN, 0, SAID), OpenRound())
    assert host_panel(game.state, 0, game.present).challenged == 0
    game.do(ChallengeLabel(OF_BOB, 0, "Late, from a slow line."))
    game.do(ShowAgain(round=0))
    assert host_panel(game.state, 0, game.present).challenges[0] == ChallengeCard(
        "player", "bob", "Late, from a slow line."
    )
    assert own(game) == SAID
    game.do(BackToLobby())
    assert (game.state.phase, own(game)) == (Phase.LOBBY, "")


def test_of_many_the_host_sees_the_latest_and_how_many_there_are() -> None:
    game = Game()
    names = [f"n{number}" for number in range(CHALLENGES_SHOWN + 5)]
    people = game.join(*names)
    game.do(OpenRound(), OpenVote())
    game.vote("n0", "outer")
    game.do(CloseVotes(), Reveal(), *[NextStep()] * VERDICT_STEP)
    game.do(ChallengeLabel(HOST, 0, SAID))
    game.do(*(ChallengeLabel(Challenger(one), 0, SAID) for one in people))
    panel = host_panel(game.state, 0, game.present)
    assert panel.challenged == len(people) + 1
    assert len(panel.challenges) == CHALLENGES_SHOWN
    assert [one.name for one in panel.challenges][:2] == ["", names[-1]]


def test_the_card_has_it_and_takes_it() -> None:
    game = told()
    game.do(ChallengeLabel(OF_ANN, 0, SAID), Finish())
    (item,) = private_view(game.state, ANN, 0, game.present).card
    assert item.challenge == SAID
    game.do(ChallengeLabel(OF_BOB, 0, "At home I saw it."))
    (item,) = private_view(game.state, BOB, 0, game.present).card
    assert item.challenge == "At home I saw it."


def test_it_scores_nothing() -> None:
    game, plain = told(), told()
    game.do(ChallengeLabel(OF_ANN, 0, SAID))
    for one in (game, plain):
        one.do(Finish())
    assert game.state.players == plain.state.players


# --- the report, and erasure ---------------------------------------------------------


def challenged() -> Game:
    """Return a game in which ann, bob, a co-host and the host challenge a label."""
    game = told()
    for by, text in ((OF_ANN, SAID), (OF_BOB, "No idea."), (LISBON, "L"), (HOST, "H")):
        game.do(ChallengeLabel(by, 0, text))
    return game


def test_the_report_counts_them_and_holds_the_sentences_without_names() -> None:
    state = challenged().state
    (case,) = build_report(state, sentences=True).cases
    assert case.challenged == 4
    assert [(one.by, one.text) for one in case.challenges] == [
        ("host", "H"),
        ("cohost", "L"),
        ("player", "No idea."),
        ("player", SAID),
    ]
    assert build_report(state, is_private=True).cases == (case,)
    (counted,) = build_report(state).cases
    assert (counted.challenged, counted.challenges) == (4, ())
    (other,) = for_others(build_report(state, sentences=True), 5).cases
    assert (other.challenged, other.challenges) == (None, ())
    (shown,) = for_others(build_report(state, sentences=True), 4).cases
    assert (shown.challenged, shown.challenges) == (4, ())
    rows = [r for r in table(state, pseudonyms(b"k" * 16)) if r.phase == "challenge"]
    assert sorted(row.reason for row in rows) == sorted([SAID, "No idea."])
    assert not [
        row
        for row in table(state, pseudonyms(b"k" * 16), reasons=False)
        if row.phase == "challenge"
    ]


def test_practice_players_are_in_no_report() -> None:
    game = told()
    (bot,) = game.join("bot", practice=True)
    game.do(ChallengeLabel(Challenger(bot), 0, SAID))
    (case,) = build_report(game.state, sentences=True).cases
    assert (case.challenged, case.challenges) == (0, ())


def test_of_a_person_who_is_erased_it_is_counted_and_blank() -> None:
    game = challenged()
    game.do(ChallengeLabel(OF_ANN, 0, f"{SAID} Again."))
    kept = [erased(event, ANN, "erased") for event in game.journal]
    assert not any(SAID in encode(event) for event in kept)
    assert [decode(encode(event)) for event in kept] == kept
    (case,) = build_report(replay(kept), sentences=True).cases
    assert case.challenged == 4
    assert [one.text for one in case.challenges] == ["H", "L", "", "No idea."]
    assert SAID.encode() not in xlsx_bytes(build_report(replay(kept)), [])
    rows = table(replay(kept), pseudonyms(b"k" * 16))
    assert [r.reason for r in rows if r.phase == "challenge"] == ["No idea."]
