"""Say it: the player's sentence after the verdict, and the expert's beside it."""

from __future__ import annotations

import pytest

from server.game.advice import advised_command
from server.game.commands import (
    AskSay,
    CloseVotes,
    Finish,
    HideSentence,
    Kick,
    LetBack,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    SayIt,
    ShowSentence,
)
from server.game.engine import replay
from server.game.errors import Refused
from server.game.events import erased
from server.game.ids import PlayerId
from server.game.phases import LAST_STEP, VERDICT_STEP, Phase
from server.game.views.host import SENTENCES_SHOWN, host_panel, host_view
from server.game.views.player import private_view
from server.game.views.role_types import SentenceCard
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import SayView
from server.journal.codec import decode, encode
from server.report.table import pseudonyms, table
from tests.support.game import Game

ANN, BOB = PlayerId("p-ann"), PlayerId("p-bob")
SAID = "The score paid for targets; its author has to change it."


def told() -> Game:
    """Return a room of two in which the verdict has just been shown."""
    game = Game()
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer")
    game.do(CloseVotes(), Reveal(), *[NextStep()] * VERDICT_STEP)
    return game


def test_the_class_says_it_before_the_expert_does() -> None:
    game = told()
    game.do(AskSay(), SayIt(ANN, 0, f"  {SAID}\n"))
    assert player_view(game.state, game.now_ms).phase == "say"
    assert advised_command(game.state) == "next_step"
    assert private_view(game.state, ANN, 0, game.present).said == SAID
    assert private_view(game.state, BOB, 0, game.present).said == ""
    panel = host_panel(game.state, game.now_ms, game.present)
    assert (panel.answered, panel.expected, panel.is_ready) == (1, 2, True)
    game.do(SayIt(BOB, 0, "Mine."), SayIt(BOB, 0, ""))
    panel = host_panel(game.state, game.now_ms, game.present)
    assert (panel.answered, panel.expected) == (1, 2)
    game.do(NextStep())
    assert (game.state.phase, game.state.step) == (Phase.REVEAL, LAST_STEP)
    assert private_view(game.state, ANN, 0, game.present).said == SAID


def test_it_is_asked_between_the_verdict_and_the_experts_sentence() -> None:
    game = told()
    game.state.step = VERDICT_STEP - 1
    with pytest.raises(Refused, match="verdict first"):
        game.do(AskSay())
    assert "ask_say" not in host_view(game.state, 0).commands
    game.state.step = VERDICT_STEP
    assert "ask_say" in host_view(game.state, 0).commands
    game.state.step = LAST_STEP
    with pytest.raises(Refused, match="already been shown"):
        game.do(AskSay())


def test_a_sentence_may_be_changed_and_taken_back_and_repeats_do_nothing() -> None:
    game = told()
    game.do(AskSay())
    assert len(game.do(SayIt(ANN, 0, SAID))) == 1
    assert game.do(SayIt(ANN, 0, SAID)) == []
    game.do(SayIt(ANN, 0, "x" * 900))
    assert len(game.state.round.said[ANN]) == 400
    game.do(SayIt(ANN, 0, " "))
    assert game.state.round.said[ANN] == ""


def test_on_the_card_every_revealed_case_takes_a_sentence() -> None:
    game = told()
    with pytest.raises(Refused):
        game.do(SayIt(ANN, 0, SAID))
    game.do(Finish(), SayIt(ANN, 0, SAID))
    (item,) = private_view(game.state, ANN, 0, game.present).card
    assert (item.round, item.said) == (0, SAID)
    assert item.say == game.state.rounds[0].case.breakdown.say
    for round_ in (1, 99):
        with pytest.raises(Refused, match="ask for a sentence"):
            game.do(SayIt(ANN, round_, SAID))


def test_a_sentence_is_in_the_table_and_is_erased_with_its_player() -> None:
    game = told()
    game.do(AskSay(), SayIt(ANN, 0, SAID), SayIt(BOB, 0, "No idea."))
    rows = [r for r in table(game.state, pseudonyms(b"k" * 16)) if r.phase == "say"]
    assert sorted(row.reason for row in rows) == sorted([SAID, "No idea."])
    assert not any(
        row.phase == "say"
        for row in table(game.state, pseudonyms(b"k" * 16), reasons=False)
    )
    kept = [encode(erased(event, ANN, "erased")) for event in game.journal]
    assert not any(SAID in line for line in kept)
    assert any("No idea." in line for line in kept)
    assert [decode(encode(event)) for event in game.journal] == game.journal


# --- a sentence that the host shows --------------------------------------------------


def saying() -> Game:
    """Return a room in which Ann and Bob have written their sentences."""
    game = told()
    game.do(AskSay(), SayIt(ANN, 0, SAID), SayIt(BOB, 0, "No idea."))
    return game


def shown(game: Game) -> str:
    """Return the sentence that both the phones and the wall show."""
    views = [view(game.state, game.now_ms) for view in (player_view, screen_view)]
    found = {view.sentence for view in views if isinstance(view, SayView)}
    (sentence,) = found
    return sentence


def cards(game: Game) -> tuple[SentenceCard, ...]:
    return host_panel(game.state, game.now_ms, game.present).sentences


def test_only_the_host_sees_the_sentences_until_one_is_shown_without_its_author() -> (
    None
):
    game = saying()
    assert [(card.name, card.text, card.is_shown) for card in cards(game)] == [
        ("ann", SAID, False),
        ("bob", "No idea.", False),
    ]
    assert shown(game) == ""
    (event,) = game.do(ShowSentence(player=ANN))
    assert event.effects.stage
    assert shown(game) == SAID
    assert ANN not in repr(screen_view(game.state, game.now_ms))
    assert [card.is_shown for card in cards(game)] == [True, False]
    assert replay(game.journal) == game.state


def test_one_sentence_is_shown_at_a_time_and_can_be_hidden() -> None:
    game = saying()
    game.do(ShowSentence(player=ANN), ShowSentence(player=BOB))
    assert shown(game) == "No idea."
    assert [card.is_shown for card in cards(game)] == [False, True]
    assert len(game.do(HideSentence())) == 1
    assert shown(game) == ""
    assert game.do(HideSentence()) == []


@pytest.mark.parametrize("text", ["Something else.", ""])
def test_a_shown_sentence_that_changes_is_hidden_because_the_host_read_another(
    text: str,
) -> None:
    game = saying()
    game.do(ShowSentence(player=ANN))
    events = game.do(SayIt(ANN, 0, text))
    assert any(event.effects.stage for event in events)
    assert shown(game) == ""
    game.do(ShowSentence(player=BOB), SayIt(ANN, 0, "Once more."))
    assert shown(game) == "No idea."
    assert replay(game.journal) == game.state


def test_what_was_not_written_or_by_someone_removed_is_not_shown() -> None:
    game = saying()
    game.do(SayIt(BOB, 0, ""))
    with pytest.raises(Refused, match="no_reason"):
        game.do(ShowSentence(player=BOB))
    game.do(ShowSentence(player=ANN))
    (removed,) = game.do(Kick(player=ANN))
    assert removed.effects.stage
    assert shown(game) == ""
    assert cards(game) == ()
    with pytest.raises(Refused, match="kicked"):
        game.do(ShowSentence(player=ANN))
    game.do(LetBack(player=ANN))
    assert shown(game) == SAID


def test_sentences_are_shown_only_while_they_are_written() -> None:
    game = saying()
    game.do(ShowSentence(player=ANN), NextStep())
    assert cards(game) == ()
    for command in (ShowSentence(player=ANN), HideSentence()):
        with pytest.raises(Refused):
            game.do(command)


def test_a_shown_sentence_is_erased_with_its_player() -> None:
    game = saying()
    game.do(ShowSentence(player=ANN))
    game.state = replay([erased(event, ANN, "erased") for event in game.journal])
    assert shown(game) == ""


def test_of_many_sentences_the_first_are_listed_and_the_one_that_is_shown() -> None:
    game = Game()
    names = [f"player {n}" for n in range(SENTENCES_SHOWN + 5)]
    game.join(*names)
    game.do(OpenRound(), OpenVote())
    game.vote(names[0], "outer")
    game.do(CloseVotes(), Reveal(), *[NextStep()] * VERDICT_STEP)
    game.do(AskSay(), *[SayIt(PlayerId(f"p-{name}"), 0, name) for name in names])
    assert [card.text for card in cards(game)] == names[:SENTENCES_SHOWN]
    game.do(ShowSentence(player=PlayerId(f"p-{names[-1]}")))
    assert [card.text for card in cards(game)] == [*names[:SENTENCES_SHOWN], names[-1]]
