"""Plain words for people: refusals and sentences. Imports nothing of ours.

Pages say refusals and sentences in their own language, by code and by key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

Part = TypeVar("Part")

REFUSALS = {
    "bad_message": "The frame is not a message this server knows; detail says why.",
    "too_large": "The frame is longer than this role may send.",
    "too_fast": "Too many messages a second on this socket; slow down and resend.",
    "version_unsupported": "The protocol version is not one this server speaks.",
    "hello_expected": "The first message must be a hello.",
    "not_allowed": "This role may not send this message.",
    "wrong_proof": "The key's proof does not match.",
    "link_called_back": "The host has revoked this link.",
    "unknown_room": "No open room has this code.",
    "room_moved": "The room is on another node now; detail says which.",
    "unknown_deck": "No deck or case has this ID, or nothing in it can be played.",
    "unknown_player": "No such player in this room.",
    "bad_token": "The resume token does not belong to a player of this room.",
    "room_locked": "The host has locked the room. No new players may join.",
    "room_full": "The room has reached its limit of players.",
    "too_many_new": "Too many people from one network have joined but not answered.",
    "rooms_full": "The server has reached its limit of open rooms.",
    "room_finished": "The game is over.",
    "room_closed": "The room was closed after an internal error. Its journal is kept.",
    "kicked": "The host has removed this player from the room.",
    "removed_name": "A player of this name was removed; the host can let them back in.",
    "removed_device": "A player who joined on this device was removed; as above.",
    "bad_name": "The name is empty after cleaning, or not allowed.",
    "bad_word": "The text contains a word that is on the list of forbidden words.",
    "suggested_only": "This room accepts only suggested names.",
    "bad_team": "The room has no team of this name.",
    "wrong_phase": "This cannot be done in the room's current phase.",
    "stale": "The room has moved on since this was decided; nothing changed.",
    "phase_closed": "The vote names a phase that is not open; it was not counted.",
    "too_many_changes": "The player has changed this too often; the last change stays.",
    "bad_answer": "The answer does not fit what is asked.",
    "bad_round": "No such round, or it has been played.",
    "nothing_to_show": "There is no such part: no contrast, twin or next lesson yet.",
    "already_shown": "Something about the case has been shown since; it stays closed.",
    "overtaken": "It was waiting for other sites when another command replaced it.",
    "time_needed": "A player's time allowance is running; override to warn first.",
    "cannot_report": "The report or file cannot be made; detail says why.",
    "no_timer": "No clock is running.",
    "no_reason": "That player gave no reason in this phase.",
    "bad_settings": "A setting is unknown or contradicts another; detail says which.",
    "storage_unavailable": "The journal cannot be written now; nothing was counted.",
    "internal": "Internal error. It has been logged; nothing was changed.",
    "busy": "The server has more work than it can queue; resend in a moment.",
    "shutting_down": "The server is shutting down; come back in a moment.",
}
"""Every refusal code, with what it means: the documented list."""


class Broken(RuntimeError):  # noqa: N818 - reads as a sentence where it is raised
    """An invariant does not hold: our fault, whatever the caller asked for."""


def required(part: Part | None, what: str) -> Part:
    """Return a part that is never missing here; raises :class:`Broken` if it is."""
    if part is None:
        raise Broken(f"{what} is missing")
    return part


class Refused(Exception):  # noqa: N818 - a refusal is not an error of ours
    """A command was not accepted, and nothing changed."""

    def __init__(self, code: str, detail: str, retry_ms: int | None = None) -> None:
        """``retry_ms``: how long to wait before the same is worth trying again."""
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
"""The key of every sentence: each other language of the pages says all of them."""


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
    """Return a sentence; ``text`` has the names of its values in braces."""
    if key not in SENTENCES:
        raise Broken(f"unlisted sentence {key!r}")
    return Sentence(key, text.format(**values), values)
