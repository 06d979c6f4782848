"""Rules about saying it: the case in one's own words, beside the expert's sentence."""

from __future__ import annotations

from server.game.commands import AskSay, SayIt
from server.game.errors import Refused
from server.game.events import Event, SayOpened, SentenceSaid
from server.game.phases import LAST_STEP, VERDICT_STEP, Phase
from server.game.rules.moment import Moment, active
from server.game.rules.voting import one_line
from server.game.state import RoomState

SENTENCE_LENGTH = 400
"""Characters of a sentence that are kept."""


def ask_say(state: RoomState, _: AskSay, moment: Moment) -> list[Event]:
    """Ask for it once the verdict is known, and before the expert has said it."""
    if state.step < VERDICT_STEP:
        raise Refused("nothing_to_show", "Show the verdict first.")
    if state.step >= LAST_STEP:
        raise Refused("nothing_to_show", "The expert's sentence has been shown.")
    assert state.round_index is not None
    return [SayOpened(state.round_index, moment.now_ms)]


def say_it(state: RoomState, command: SayIt, moment: Moment) -> list[Event]:
    """Keep a sentence; the same one again changes nothing, an empty one takes it back.

    In the phase, of the round that is open; on the card, of every revealed one.
    """
    active(state, command.player)
    is_open = state.phase is not Phase.SAY or command.round == state.round_index
    if (
        not is_open
        or command.round >= len(state.rounds)
        or not state.rounds[command.round].is_revealed
    ):
        raise Refused("bad_round", "This case cannot be said now.")
    text = one_line(command.text, SENTENCE_LENGTH)
    if text == state.rounds[command.round].said.get(command.player, ""):
        return []
    return [SentenceSaid(command.player, command.round, text, moment.now_ms)]
