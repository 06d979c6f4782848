"""The research table: one row per person, case and phase, without names.

Practice players are left out, unless the room is a rehearsal. A pseudonym is a keyed
hash: the same person has the same pseudonym in every row of an export. It cannot be
reversed without the key, which is generated for each export and then discarded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from scenarios.model import Case
from server.game.answers import GapAnswer, LinksAnswer
from server.game.ids import PlayerId
from server.game.outcomes import is_judged, is_known
from server.game.phases import Ballot
from server.game.scoring import MISSED, is_right, option_of
from server.game.state import Poll, RoomState, Round, Vote
from server.report.sample import is_fix, verdict_of

KEY_BYTES = 16
"""The length of the key for an export; generate it with ``secrets``."""

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """One person's answer to one case in one phase. See :data:`DICTIONARY`."""

    room: str
    deck: str
    deck_version: int
    deck_seed: int
    person: str
    team: str | None
    site: str | None
    round: int
    played: str
    phase: str
    case: str
    case_version: int
    verdict: str
    scored: bool
    status: str
    vote: str | None
    confidence: int | None
    confidence_inner: int | None
    correct: bool | None
    points: float | None
    first_vote_ms: int | None
    resent: bool | None
    changed: bool | None
    reason: str


COLUMNS = tuple(field.name for field in fields(Row))

DICTIONARY: dict[str, str] = {
    "room": "Code of the room.",
    "deck": "ID of the deck.",
    "deck_version": "Version of the deck.",
    "deck_seed": "Seed of the order of the cases.",
    "person": "Pseudonym: the same person throughout this export, and only in it.",
    "team": "Team when the answer was given, else at the end; empty without teams.",
    "site": "Site at which the person joined; empty if all played at one site.",
    "round": "Number of the round, from 1.",
    "played": "revealed, skipped, or running: only revealed rounds are scored.",
    "phase": "vote (alone), revote (after discussion), fix, transfer (twin case), say "
    "(the person's own sentence, in the column reason), or challenge (their sentence "
    "against the label, in the same column).",
    "case": "ID of the case asked about; in transfer, of the twin.",
    "case_version": "Version of the case as it was played.",
    "verdict": "Truth of the case: outer, inner, both, neither, or contested.",
    "scored": "Whether the case enters scores and statistics; contested ones do not.",
    "status": "cast; carried (voted only in vote, counted again in revote); missed "
    "(was there, did not answer); late (came after the reveal: kept, never scored).",
    "vote": "outer or inner; with two links also both or neither; in fix the option, "
    "0 to 2. Empty if missed.",
    "confidence": "Confidence in the vote, percent (50 to 100); with two links, in the "
    "answer about the outer link. Empty if none was given.",
    "confidence_inner": "With two links: confidence in the answer on the inner link.",
    "correct": "Whether the vote is right; with two links, whether both are. Empty if "
    "missed, and for contested cases, in which no answer is right.",
    "points": "Points of this vote, in the units of the room's score mode. A missed "
    "vote counts as a coin flip; fix and transfer earn none.",
    "first_vote_ms": "Milliseconds from the opening of the phase to the first answer.",
    "resent": "Whether anything was sent again after the first answer: another option, "
    "a confidence, or a reason.",
    "changed": "In revote: whether the option differs from the one in vote.",
    "reason": "The reason as typed. It may name people: read it before you share it.",
}
"""The meaning of every column, with its units."""

Pseudonym = Callable[[RoomState, PlayerId], str]


def pseudonyms(key: bytes) -> Pseudonym:
    """Return a function for pseudonyms: ten characters, from HMAC-SHA256."""

    def name(state: RoomState, player: PlayerId) -> str:
        return keyed(key, f"{state.code}/{player}")

    return name


def keyed(key: bytes, who: str) -> str:
    """Return the pseudonym of the person called ``who``."""
    digest = hmac.new(key, who.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:10].lower()


def table(state: RoomState, pseudonym: Pseudonym, *, reasons: bool = True) -> list[Row]:
    """Return all rows of a room, by round, phase and pseudonym.

    The order does not reveal who joined first. People who were absent during a phase
    have no row for it.
    """
    return [
        row
        for index, round_ in enumerate(state.rounds)
        for ballot in Ballot
        if ballot in round_.polls
        for row in sorted(
            _Writer(state, pseudonym, reasons, index, round_, ballot).rows(),
            key=lambda row: row.person,
        )
    ] + (_sentences(state, pseudonym) if reasons else [])


def _sentences(state: RoomState, pseudonym: Pseudonym) -> list[Row]:
    """Return the rows for people's sentences about each case and against its label."""
    return [
        row
        for index, round_ in enumerate(state.rounds)
        for phase, typed in (("say", round_.said), ("challenge", _against(round_)))
        for row in sorted(
            (
                _said(state, pseudonym(state, player), index, phase, text)
                for player, text in typed.items()
                if text and state.counts(player)
            ),
            key=lambda row: row.person,
        )
    ]


def _against(round_: Round) -> dict[PlayerId, str]:
    """Return players' challenges to the label; hosts are not part of the class."""
    found = round_.challenges.items()
    return {by.player: text for by, text in found if by.player is not None}


def _said(state: RoomState, person: str, index: int, phase: str, text: str) -> Row:
    case = state.rounds[index].case
    known = {
        "room": state.code,
        "deck": state.plan.deck,
        "deck_version": state.plan.deck_version,
        "deck_seed": state.seed,
        "person": person,
        "round": index + 1,
        "played": "revealed",
        "phase": phase,
        "case": case.id,
        "case_version": case.version,
        "verdict": verdict_of(case),
        "scored": False,
        "status": "cast",
        "reason": text,
    }
    return Row(**{**dict.fromkeys(COLUMNS), **known})  # type: ignore[arg-type] # by name


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the rows of one ballot."""

    state: RoomState
    pseudonym: Pseudonym
    reasons: bool
    index: int
    round: Round
    ballot: Ballot

    @property
    def poll(self) -> Poll:
        return self.round.polls[self.ballot]

    def rows(self) -> Iterator[Row]:
        for player in self.state.players:
            if not self.state.counts(player):
                continue
            if vote := self.poll.votes.get(player):
                yield self._row(player, vote, "cast")
            elif vote := self._carried(player):
                yield self._row(player, vote, "carried")
            elif vote := self.poll.late.get(player):
                yield self._row(player, vote, "late")
            elif player in self.poll.missed:
                yield self._row(player, None, "missed")

    def _carried(self, player: PlayerId) -> Vote | None:
        if self.ballot is not Ballot.REVOTE or not self.round.is_counted:
            return None
        poll = self.round.polls.get(Ballot.VOTE)
        return poll.votes.get(player) if poll else None

    def _row(self, player: PlayerId, vote: Vote | None, status: str) -> Row:
        case = self.round.case_of(self.ballot)
        scored = is_judged(self.state, case)
        sure, sure_inner = _sure(vote)
        is_cast = status == "cast"
        return Row(
            room=self.state.code,
            deck=self.state.plan.deck,
            deck_version=self.state.plan.deck_version,
            deck_seed=self.state.seed,
            person=self.pseudonym(self.state, player),
            team=vote.team if vote else self.state.players[player].team,
            site=self.state.players[player].site,
            round=self.index + 1,
            played=self._played(),
            phase=self.ballot.value,
            case=case.id,
            case_version=case.version,
            verdict=verdict_of(case),
            scored=scored,
            status=status,
            vote=option_of(vote.answer) if vote else None,
            confidence=sure,
            confidence_inner=sure_inner,
            correct=self._is_right(vote, case) if vote else None,
            points=self._points(player, status) if self.round.is_counted else None,
            first_vote_ms=self._first(vote) if vote and is_cast else None,
            resent=vote.at_ms != vote.first_ms if vote and is_cast else None,
            changed=self._changed(player, vote) if vote and is_cast else None,
            reason=vote.reason if vote and self.reasons and status != "carried" else "",
        )

    def _is_right(self, vote: Vote, case: Case) -> bool | None:
        is_judged = is_known(self.state, self.round, self.ballot)
        return is_right(vote.answer, case) if is_judged else None

    def _played(self) -> str:
        if self.round.is_revealed:
            return "revealed"
        if self.round.is_counted:
            return "counted"
        return "skipped" if self.round.is_skipped else "running"

    def _points(self, player: PlayerId, status: str) -> float | None:
        if self.ballot not in (Ballot.VOTE, Ballot.REVOTE):
            return None
        if not is_judged(self.state, self.round.case) or status == "late":
            return None
        if status == "missed":
            is_vote = self.ballot is Ballot.VOTE
            return MISSED[self.state.settings.score_mode] if is_vote else None
        source = Ballot.VOTE if status == "carried" else self.ballot
        return self.state.vote_points(self.round, source, player)

    def _first(self, vote: Vote) -> int | None:
        """Return the time to the first answer; None if that opening is not known."""
        taken = self.poll.run_at(vote.first_ms).elapsed_ms(vote.first_ms)
        return taken if taken >= 0 else None

    def _changed(self, player: PlayerId, vote: Vote) -> bool | None:
        poll = self.round.polls.get(Ballot.VOTE)
        before = poll.votes.get(player) if poll else None
        if self.ballot is not Ballot.REVOTE or before is None or is_fix(vote):
            return None
        return option_of(before.answer) != option_of(vote.answer)


def _sure(vote: Vote | None) -> tuple[int | None, int | None]:
    answer = vote.answer if vote else None
    if isinstance(answer, LinksAnswer):
        return answer.outer.confidence, answer.inner.confidence
    return (answer.confidence if isinstance(answer, GapAnswer) else None), None
