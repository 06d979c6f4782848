"""A ballot as a conversation: what is asked, what stands, what is misread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from client.terminal.forms import Form, Misread, Question
from client.terminal.teller import Teller
from client.terminal.teller import asked as asked_by
from scenarios.model import Label
from server.game.answers import FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.features.opening import CASES, LINE
from server.game.phases import Phase
from server.game.views.stage_types import (
    FixView,
    OpeningView,
    SayView,
    StoryView,
    TransferView,
    Verdict,
)
from server.protocol.client_messages import SayIt, TapOpening
from tests.client.fake_server import CARD, STORY, lobby, voting
from tests.client.terminal.sheet import Sheet

_STORY_PHASES = (
    Phase.READ,
    Phase.VOTE,
    Phase.VOTE_CLOSED,
    Phase.DISCUSS,
    Phase.REVOTE,
    Phase.REVOTE_CLOSED,
)


def form(two_link: bool = False, chips: bool = True) -> Form:
    """Return the form of a vote."""
    room = replace(CARD, two_link=two_link, chips=CARD.chips if chips else ())
    found = asked_by(TransferView(room, STORY, None))
    assert isinstance(found, Form)
    return found


def test_a_label_alone_can_be_sent() -> None:
    asked = form()
    asked.take("o")
    assert asked.answer == GapAnswer(Label.OUTER)
    assert not asked.is_complete


def test_confidence_and_reason_follow() -> None:
    asked = form()
    for line in ("Inner", "80%", "It changed when the level changed."):
        asked.take(line)
    assert asked.answer == GapAnswer(Label.INNER, 80)
    assert asked.reason == "It changed when the level changed."
    assert asked.is_complete


def test_enter_leaves_confidence_and_reason_open() -> None:
    asked = form()
    for line in ("i", "", ""):
        asked.take(line)
    assert asked.answer == GapAnswer(Label.INNER)
    assert asked.reason == ""


def test_a_finished_form_begins_again() -> None:
    asked = form()
    for line in ("i", "90", "Because."):
        asked.take(line)
    asked.take("o")
    assert asked.answer == GapAnswer(Label.OUTER)
    assert asked.part == "sure"


def test_a_finished_form_keeps_its_answer_when_misread() -> None:
    asked = form()
    for line in ("i", "90", ""):
        asked.take(line)
    for line in ("", "what?"):
        with pytest.raises(Misread):
            asked.take(line)
    assert asked.answer == GapAnswer(Label.INNER, 90)
    assert asked.is_complete


@pytest.mark.parametrize("line", ["", "x", "outer gap", "²"])
def test_other_text_than_a_label_is_misread(line: str) -> None:
    with pytest.raises(Misread, match="o or i"):
        form().take(line)


@pytest.mark.parametrize("line", ["55", "eighty", "-60", "0.8", "²"])
def test_other_text_than_a_chip_is_misread(line: str) -> None:
    asked = form()
    asked.take("o")
    with pytest.raises(Misread, match="50, 60, 70, 80, 90, 100"):
        asked.take(line)
    assert asked.answer == GapAnswer(Label.OUTER)


def test_without_chips_no_confidence_is_asked() -> None:
    asked = form(chips=False)
    asked.take("o")
    assert asked.part == "reason"


def test_two_links_are_sent_once_both_are_known() -> None:
    asked = form(two_link=True)
    for line in ("y", "90", "n"):
        assert asked.answer is None
        asked.take(line)
    asked.take("60")
    assert asked.answer == LinksAnswer(LinkAnswer(True, 90), LinkAnswer(False, 60))
    assert asked.part == "reason"


def test_a_repair_is_chosen_by_its_number() -> None:
    verdict = Verdict(outer=True, inner=False, is_contested=False)
    view = FixView(CARD, STORY, verdict, "Which?", ("A", "B", "C"), None)
    asked = asked_by(view)
    assert isinstance(asked, Form)
    for line in ("0", "4", "b", "²"):
        with pytest.raises(Misread, match="1 to 3"):
            asked.take(line)
    asked.take("2")
    assert asked.answer == FixAnswer(1)
    assert asked.is_complete


@pytest.mark.parametrize("phase", _STORY_PHASES)
def test_only_open_ballots_have_a_form(phase: Phase) -> None:
    view = voting(phase=phase)
    assert isinstance(view, StoryView)
    is_open = phase in (Phase.VOTE, Phase.REVOTE)
    assert (asked_by(view) is not None) == is_open


def test_a_sentence_of_ones_own_is_asked_for_and_may_be_given_again() -> None:
    verdict = Verdict(outer=True, inner=False, is_contested=False)
    asked = asked_by(SayView(replace(CARD, round=3), STORY, verdict))
    assert isinstance(asked, Question)
    with pytest.raises(Misread, match="One sentence"):
        asked.take("")
    assert not asked.is_complete
    for line in ("It was paid for.", "It was paid for turning."):
        asked.take(line)
        assert asked.wish == SayIt(round=3, text=line)
    assert asked.is_complete


def opening(step: int, gap: Label | None = None) -> OpeningView:
    """Return a step of the opening minute."""
    case = (step - 1) // 2 if step else None
    texts = LINE if case is None else {"story": CASES[case].story}
    if case is not None and gap is not None:
        texts = CASES[case].texts
    return OpeningView(CARD, step, 4, case, gap, None, texts)


def test_a_short_case_is_tapped_by_a_letter_or_a_word() -> None:
    assert asked_by(opening(0)) is None
    assert asked_by(opening(2, Label.OUTER)) is None
    asked = asked_by(opening(3))
    assert isinstance(asked, Question)
    for line in ("", "x", "y"):
        with pytest.raises(Misread, match="o or i"):
            asked.take(line)
    for line, gap in (("o", Label.OUTER), ("Inner", Label.INNER)):
        asked.take(line)
        assert asked.wish == TapOpening(case=1, gap=gap)


def test_the_minute_is_shown_step_by_step() -> None:
    sheet = Sheet()
    teller = Teller(sheet.console)
    assert teller.tell(opening(0))
    assert LINE["learned"] in sheet.text
    assert teller.tell(opening(1))
    assert CASES[0].story in sheet.text
    assert CASES[0].why not in sheet.text, "not while it is open"
    assert teller.tell(opening(2, Label.OUTER))
    assert CASES[0].why in sheet.text
    assert "The outer gap" in sheet.text
    assert not teller.tell(opening(2, Label.OUTER)), "nothing twice"


def test_the_lobby_asks_nothing() -> None:
    assert asked_by(lobby()) is None


def test_each_question_says_how_to_answer() -> None:
    asked = form()
    assert "o  ◯" in asked.question
    asked.take("o")
    assert "80 (96/36)" in asked.question
    asked.take("80")
    assert "Which fact decides it?" in asked.question
