"""Players describe a case in their own words, before they see the expert's sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, assert_never

from server.game.errors import Refused
from server.game.features import (
    STAGE,
    Asked,
    Effects,
    FromHost,
    FromPlace,
    Moment,
    Row,
    Rule,
    active,
    leads,
    stays,
)
from server.game.ids import PlayerId, Ref
from server.game.names import one_line
from server.game.phases import LAST_STEP, VERDICT_STEP, Phase
from server.game.state import RoomState

SENTENCE_LENGTH = 400
"""The maximum length of a sentence, in characters; longer ones are cut."""

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSay(FromPlace):
    """Ask all players for a sentence of their own, before the expert's."""

    type: Literal["ask_say"] = "ask_say"


@dataclass(frozen=True, slots=True)
class SayIt:
    """A player describes a case in their own words, as an expert would."""

    player: PlayerId
    round: int
    text: str
    ref: Ref = None
    type: Literal["say_it"] = "say_it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSentence(FromPlace):
    """Show a player's sentence to the class, without their name, until it is changed.

    One sentence is shown at a time; showing another replaces it.
    """

    player: PlayerId
    type: Literal["show_sentence"] = "show_sentence"


@dataclass(frozen=True, slots=True)
class HideSentence(FromHost):
    """Stop showing a sentence to the class."""

    type: Literal["hide_sentence"] = "hide_sentence"


Commands = AskSay | SayIt | ShowSentence | HideSentence

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SayOpened:
    """Players were asked to describe the case in their own words."""

    round: int
    at_ms: int
    type: Literal["say_opened"] = "say_opened"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class SentenceSaid:
    """A player described a case in a sentence, or changed that sentence."""

    player: PlayerId
    round: int
    text: str
    at_ms: int
    type: Literal["sentence_said"] = "sentence_said"

    @property
    def effects(self) -> Effects:
        """The player's phone shows the sentence."""
        return Effects(persons=frozenset({self.player}))


@dataclass(frozen=True, slots=True)
class SentenceShown:
    """A player's sentence is shown to the class."""

    player: PlayerId
    round: int
    type: Literal["sentence_shown"] = "sentence_shown"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class SentenceHidden:
    """No sentence is shown to the class any longer."""

    round: int
    type: Literal["sentence_hidden"] = "sentence_hidden"
    effects: ClassVar[Effects] = STAGE


Events = SayOpened | SentenceSaid | SentenceShown | SentenceHidden

# --- rules ---------------------------------------------------------------------------


def _is_between(state: RoomState, _: AskSay) -> Refused | None:
    if state.step < VERDICT_STEP:
        return Refused("nothing_to_show", "Show the verdict first.")
    if state.step >= LAST_STEP:
        return Refused(
            "nothing_to_show", "The expert's sentence has already been shown."
        )
    return None


def _ask_say(state: RoomState, _: AskSay, moment: Moment) -> list[Events]:
    return [SayOpened(state.index, moment.now_ms)]


def _say_it(state: RoomState, command: SayIt, moment: Moment) -> list[Events]:
    """Store a sentence; repeating it changes nothing, and an empty one withdraws it.

    In the SAY phase, it must be about the current round; after the game, it may be
    about any revealed round. A sentence that is being shown is hidden when it changes,
    because the host has read the old one.
    """
    active(state, command.player)
    is_open = state.phase is not Phase.SAY or command.round == state.round_index
    if (
        not is_open
        or not state.has_round(command.round)
        or not state.round_at(command.round).is_revealed
    ):
        raise Refused("bad_round", "You can't ask for a sentence on this case now.")
    round_ = state.round_at(command.round)
    text = one_line(command.text, SENTENCE_LENGTH)
    if text == round_.said.get(command.player, ""):
        return []
    said = SentenceSaid(command.player, command.round, text, moment.now_ms)
    if round_.quoted == command.player:
        return [said, SentenceHidden(command.round)]
    return [said]


def _show(state: RoomState, command: ShowSentence, _: Moment) -> list[Events]:
    """Show a sentence that was written in this round."""
    if not state.round.said.get(command.player):
        raise Refused("no_reason", "That player wrote no sentence here.")
    active(state, command.player)
    return [SentenceShown(command.player, state.index)]


def _hide(state: RoomState, _: HideSentence, __: Moment) -> list[Events]:
    return [] if state.round.quoted is None else [SentenceHidden(state.index)]


ASK_SAY = Rule(
    Row(
        "ask_say",
        leads([Phase.REVEAL], Phase.SAY),
        "between the verdict and the expert's sentence",
    ),
    _ask_say,
    _is_between,
)
SAY_IT = Rule(Row("say_it", stays((Phase.SAY, Phase.FINISHED))), _say_it)
SHOW_SENTENCE = Rule(Row("show_sentence", stays((Phase.SAY,))), _show)
HIDE_SENTENCE = Rule(Row("hide_sentence", stays((Phase.SAY,))), _hide)
ROWS = (ASK_SAY.row, SAY_IT.row, SHOW_SENTENCE.row, HIDE_SENTENCE.row)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case AskSay():
            return ASK_SAY.of(command)
        case SayIt():
            return SAY_IT.of(command)
        case ShowSentence():
            return SHOW_SENTENCE.of(command)
        case HideSentence():
            return HIDE_SENTENCE.of(command)
        case _:
            assert_never(command)


def shown(state: RoomState) -> str:
    """Return the sentence of this round that the class is shown; empty without one."""
    by = state.round.quoted
    return "" if by is None or by in state.kicked else state.round.said[by]


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case SayOpened():
            state.enter(Phase.SAY)
        case SentenceSaid(player=player, round=index, text=text):
            state.round_at(index).said[player] = text
        case SentenceShown(player=player, round=index):
            state.round_at(index).quoted = player
        case SentenceHidden(round=index):
            state.round_at(index).quoted = None
        case _:
            assert_never(event)


def erased(event: SentenceSaid) -> Events:
    """Return the event with an empty sentence."""
    return replace(event, text="")
