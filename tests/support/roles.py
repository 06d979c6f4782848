"""Who may send what: the expected table, written by hand for the security tests.

The server derives what it lets through from its unions of messages
(:data:`server.protocol.client_messages.ALLOWED`). This table is independent of them, so
a message that lands in the wrong union fails a test. A new message needs a row here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from server.game.engine import TABLE
from server.game.phases import OPEN_BALLOT, Phase

Speaker = Literal["stranger", "player", "screen", "cohost", "host", "admin"]
"""The role at the other end of a socket; strangers are not authenticated yet."""

SPEAKERS: tuple[Speaker, ...] = (
    "stranger",
    "player",
    "screen",
    "cohost",
    "host",
    "admin",
)


@dataclass(frozen=True, slots=True)
class Row:
    """Who may send one type of message, and the game's command it stands for.

    Without a command it may be sent in every phase.
    """

    who: tuple[Speaker, ...]
    command: str | None = None


def _host(*commands: str) -> dict[str, Row]:
    """Return the rows of host commands, which have the same name on the wire."""
    return {command: Row(("host",), command) for command in commands}


def _cohost(*commands: str) -> dict[str, Row]:
    """Return the rows of commands that a co-host may also give, for their own site."""
    return {command: Row(("cohost", "host"), command) for command in commands}


ROWS: dict[str, Row] = {
    "hello": Row(("stranger",)),
    "prove": Row(("stranger",)),
    "ping": Row(("player", "screen", "cohost", "host", "admin")),
    "vote": Row(("player",), "cast_vote"),
    "ask_time": Row(("player",), "ask_time"),
    "choose_team": Row(("player",), "choose_team"),
    "say_it": Row(("player",), "say_it"),
    "challenge_label": Row(("player", "cohost", "host"), "challenge_label"),
    "tap_opening": Row(("player",), "tap_opening"),
    **_host("show_opening"),
    **_host("show_example", "open_round", "open_vote", "close_votes", "contrast"),
    **_host("discuss", "revote", "reveal", "next_step", "ask_say", "ask_fix"),
    **_host("transfer", "skip_round", "back_to_lobby", "finish"),
    **_host("reopen_vote", "play_again"),
    **_host("stop_clock", "start_clock", "show_again", "reorder_plan"),
    **_host("name_room"),
    **_cohost("give_time", "lock", "unlock", "kick", "kick_recent", "let_back"),
    **_host("rename", "set_team", "pin_reason", "unpin_reason"),
    **_host("show_sentence", "hide_sentence"),
    **_host("change_settings", "call_back_link"),
    "tell_sound": Row(("screen",)),
    "get_roster": Row(("cohost", "host")),
    "get_report": Row(("host",)),
    "open_next": Row(("host",)),
    "list_cases": Row(("host",)),
    "add_case": Row(("host",)),  # the session looks for the case first
    "open_room": Row(("admin",)),
    "list_rooms": Row(("admin",)),
    "get_link": Row(("admin",)),
    "delete_room": Row(("admin",)),
    "list_decks": Row(("admin",)),
    "get_case": Row(("admin",)),
    "get_across": Row(("admin",)),
    "preview_case": Row(("admin",)),
}
"""By ``type``: every message to the server."""


def refusal_of(speaker: Speaker, kind: str, phase: Phase) -> str | None:
    """Return the code with which a message is refused, or None if it may be sent.

    A message that may be sent can still be refused for what it says.
    """
    row = ROWS[kind]
    if speaker not in row.who:
        return "hello_expected" if speaker == "stranger" else "not_allowed"
    if row.command is None:
        return None
    if row.command == "cast_vote":
        return None if phase in OPEN_BALLOT else "phase_closed"
    if row.command in TABLE[phase]:
        return None
    return "room_finished" if phase is Phase.FINISHED else "wrong_phase"
