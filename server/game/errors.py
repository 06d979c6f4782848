"""The messages that people read: refusals and sentences.

Web pages show them in the user's language, looked up by code and by key. This module
does not import any other module of the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

Part = TypeVar("Part")

REFUSALS = {
    "bad_message": "The server does not recognize this message. The detail says why.",
    "too_large": "The frame is longer than this role may send.",
    "too_fast": (
        "Messages or connections are coming too fast. Wait a moment, then retry."
    ),
    "version_unsupported": (
        "The server does not speak this protocol version. Reload the page or update "
        "the client."
    ),
    "hello_expected": "The client must first say hello and wait for the welcome.",
    "not_allowed": "This client may not do this. The detail says why.",
    "wrong_proof": "The key is not valid here. Check the link.",
    "link_called_back": "The host has revoked this link. Ask the host for the new one.",
    "unknown_room": "No open room has this code. Check the code.",
    "room_moved": "The room has moved to another node. The detail says which.",
    "unknown_deck": "No deck or case has this ID, or none of its cases can be played.",
    "unknown_player": "The room has no such player.",
    "bad_token": (
        "The resume token does not belong to a player in this room. Join by name."
    ),
    "room_locked": "The host has locked the room. No new players can join.",
    "room_full": "The room has reached its limit of players.",
    "too_many_new": (
        "Too many people from one network have joined without answering yet. Ask the "
        "host."
    ),
    "rooms_full": "The limit of open rooms has been reached.",
    "room_finished": "The game is over.",
    "room_closed": (
        "The room is closed because of an error or a damaged journal. Its journal is "
        "kept."
    ),
    "kicked": "The host has removed this player from the room.",
    "removed_name": (
        "The host has removed a player with this name. Choose another name, or ask the "
        "host to let that player back in."
    ),
    "removed_device": (
        "The host has removed a player who joined on this device. Ask the host to let "
        "that player back in."
    ),
    "bad_name": (
        "The name is missing, or no letters are left in it after cleaning. Enter a "
        "name with at least one letter."
    ),
    "bad_word": "The text contains a word from the server's word list. Rephrase it.",
    "suggested_only": (
        "This room accepts only suggested names. Choose one of those offered."
    ),
    "bad_team": "The room has no team with this name. The detail lists its teams.",
    "wrong_phase": "This can't be done in the current phase of the room.",
    "stale": (
        "The room or its plan had already changed when the command arrived. Nothing "
        "was done."
    ),
    "phase_closed": "This ballot is not open. The answer was not counted.",
    "too_many_changes": (
        "The player has changed this too often. It stays as it is for now."
    ),
    "bad_answer": "The answer does not fit the question.",
    "bad_round": "This can't be done with this round or case. The detail says why.",
    "nothing_to_show": (
        "There is nothing to show, or it has already been shown. The detail says which."
    ),
    "already_shown": (
        "The class has seen more than the story since the vote. The vote stays closed."
    ),
    "overtaken": "Another command replaced this one while it waited for other sites.",
    "time_needed": (
        "Some players still have extra time. Wait, or override to give them a "
        "20-second warning."
    ),
    "cannot_report": "The report or file can't be made. The detail says why.",
    "no_timer": (
        "This clock can't be stopped, started or extended now. The detail says why."
    ),
    "no_reason": "This player has written nothing that could be shown here.",
    "bad_settings": (
        "A setting is unknown or contradicts another one. The detail says which."
    ),
    "storage_unavailable": (
        "The server can't read or write its journal now. Nothing was counted."
    ),
    "internal": "An internal error occurred and was logged. Nothing was changed.",
    "busy": "The server is too busy. Retry in a moment.",
    "shutting_down": "The server is shutting down. Reconnect in a moment.",
}
"""What each refusal code means, as the protocol documents it."""


class Broken(RuntimeError):  # noqa: N818 - reads as a sentence where it is raised
    """An invariant does not hold: a bug in the server, whatever the caller did."""


def required(part: Part | None, what: str) -> Part:
    """Return ``part``, which must be present; raises :class:`Broken` if it is None."""
    if part is None:
        raise Broken(f"{what} is missing")
    return part


class Refused(Exception):  # noqa: N818 - a refusal is not an internal error
    """A command was not accepted, and nothing changed."""

    def __init__(self, code: str, detail: str, retry_ms: int | None = None) -> None:
        """``retry_ms`` is how long to wait before retrying, in milliseconds."""
        if code not in REFUSALS:
            raise Broken(f"undocumented refusal {code!r}")
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.retry_ms = retry_ms


SENTENCES = frozenset(
    {
        "about_as_sure",
        "about_logits",
        "advise_contrast",
        "advise_discussion",
        "advise_nothing",
        "advise_reveal",
        "all_alike",
        "apart_unknown",
        "apart_well",
        "beginning",
        "but_one_misled",
        "but_one_split",
        "check_keys",
        "class_told",
        "common_cases",
        "covers_site",
        "enough_right",
        "experts_disagree",
        "few_cases",
        "few_people",
        "few_to_show",
        "few_votes",
        "fewer_answers",
        "fewer_people",
        "guessing",
        "last_dearest",
        "last_even",
        "last_flat",
        "last_knew",
        "last_next",
        "last_surer",
        "last_twins",
        "matched_by_name",
        "missed_with_conviction",
        "most_right",
        "needs_answers",
        "needs_answers_each",
        "needs_either_side",
        "needs_people_answers",
        "needs_people_cases",
        "needs_people_has",
        "no_answers",
        "no_common_cases",
        "not_apart",
        "not_scored",
        "nothing_answered",
        "nothing_varies",
        "other_gap",
        "practice_left_out",
        "pull_of_the_crowd",
        "rests_on_few",
        "right_both_links",
        "right_unsure",
        "righter_than_sure",
        "rounds_played",
        "speed_counted",
        "split",
        "surer_than_right",
        "swapping",
        "switching",
        "twins_better",
        "twins_same",
        "twins_worse",
        "two_cases",
        "unscored_cases",
        "was_rehearsal",
    }
)
"""The key of every sentence; each language of the web pages translates all of them."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence from the server: pages translate its key; others show its text."""

    key: str
    text: str
    """In English."""
    values: dict[str, str | int | Sentence]
    """The values in it, by name: numbers, names, and words that pages translate."""

    def __str__(self) -> str:
        """Return the text."""
        return self.text


def sentence(key: str, text: str, **values: str | int | Sentence) -> Sentence:
    """Return a sentence; ``text`` contains the names of its values in braces."""
    if key not in SENTENCES:
        raise Broken(f"unlisted sentence {key!r}")
    return Sentence(key, text.format(**values), values)
