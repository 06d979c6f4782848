"""What has to hold in every simulation, whatever fails.

Some rules are held against each frame that a phone hears, the others against the
journal once all faults are over.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from server.game.answers import Answer
from server.game.engine import replay
from server.game.events import Event, VoteCast, VoteKeptLate
from server.game.ids import RoomCode
from server.game.phases import Ballot, Phase
from tests.simulation.disks import Platter

Slot = tuple[int, Ballot]
Stamp = tuple[str, int]

BEFORE_VERDICT = (
    Phase.READ,
    Phase.VOTE,
    Phase.VOTE_CLOSED,
    Phase.DISCUSS,
    Phase.REVOTE,
    Phase.REVOTE_CLOSED,
)
"""Phases in which nothing of the expert's answer may leave the server."""

SECRET = re.compile(rb"SECRET-[a-z]+-(\d+)-")
"""A text of the answer to a round's case; tests.support.cases marks them."""


@dataclass(slots=True)
class Referee:
    """Notes what is against the rules."""

    home: str
    code: RoomCode
    platter: Platter
    """The disk of the room's home."""
    problems: list[str] = field(default_factory=list)
    sent: int = 0
    """Messages that phones have sent."""
    recorded_votes: int = 0
    pledges: dict[tuple[Slot, Stamp], float] = field(default_factory=dict)
    """Votes that a phone knows to be safe, and since when."""
    waived_s: list[float] = field(default_factory=list)
    """When the host went on without waiting."""
    closing_s: dict[Slot, float] = field(default_factory=dict)
    """When the host first asked for a ballot to be closed."""
    _trace: Any = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        """Return a digest of every frame that was heard, and when."""
        return str(self._trace.hexdigest())[:16]

    def problem(self, text: str) -> None:
        """Note that a rule does not hold."""
        self.problems.append(f"{_now_s():.3f} s: {text}")

    # --- held against each frame ------------------------------------------------------

    def heard(self, name: str, frame: bytes) -> None:
        """A frame has reached a person."""
        self._trace.update(b"%d %s " % (int(_now_s() * 1e6), name.encode()) + frame)
        if name == "teacher" or b'"type":"view"' not in frame[:40]:
            return
        stage = json.loads(frame)["view"]
        phase, number = Phase(stage["phase"]), stage["room"]["round"]
        early = {int(found) for found in SECRET.findall(frame)}
        if phase in BEFORE_VERDICT and number in early:
            self.problem(f"{name} sees the answer of round {number} in {phase}")

    def shown(self, name: str, message: dict[str, Any], last: int) -> None:
        """A view has come: versions of a line only grow, and are stored."""
        version, stored = message["version"], self.platter.version.get(self.code, 0)
        if version < last:
            self.problem(f"{name} is shown version {version} after {last}")
        if version > stored:
            self.problem(f"{name} is shown version {version}; {stored} is stored")

    def recorded(self, name: str, slot: Slot, stamp: Stamp) -> None:
        """A phone hears that a vote is stored."""
        self.recorded_votes += 1
        if self._latest(slot, stamp[0]) < stamp[1]:
            self.problem(f"{name} hears that {slot} {stamp} is stored, and it is not")
        self.pledges.setdefault((slot, stamp), _now_s())

    def received(self, name: str, slot: Slot, stamp: Stamp) -> None:
        """A phone hears that a vote is safe at its site."""
        del name
        self.pledges.setdefault((slot, stamp), _now_s())

    def refused(self, name: str, slot: Slot, stamp: Stamp, code: str) -> None:
        """A phone hears that a vote is not counted: it came too late."""
        self.pledges.pop((slot, stamp), None)
        if code != "phase_closed":
            self.problem(f"{name}'s vote for {slot} is refused as {code}")

    def closing(self, slot: Slot) -> None:
        """The host asks for a ballot to be closed."""
        self.closing_s.setdefault(slot, _now_s())

    def waived(self, phase: Phase) -> None:
        """The host went on without waiting for every site."""
        del phase
        self.waived_s.append(_now_s())

    def _latest(self, slot: Slot, client: str) -> int:
        return self.platter.votes.get((client, *slot), 0)

    # --- held against the journal -----------------------------------------------------

    def finish(self, events: list[Event]) -> None:
        """Compare what was acknowledged with what is stored."""
        stored = [e for e in events if isinstance(e, VoteCast | VoteKeptLate)]
        seen = Counter((e.round, e.ballot, e.client, e.counter) for e in stored)
        for vote, times in seen.items():
            if times > 1:
                self.problem(f"{vote} is stored {times} times")
        for (slot, stamp), heard_s in self.pledges.items():
            is_in_time = heard_s < self.closing_s.get(slot, math.inf)
            if is_in_time and self._latest(slot, stamp[0]) < stamp[1]:
                self.problem(f"{slot} {stamp} was acknowledged in time, and is lost")
        self._compare_tallies(events)
        self._check_late(events)

    def _compare_tallies(self, events: list[Event]) -> None:
        state = replay(events)
        for slot, answers in _standing(events).items():
            poll = state.rounds[slot[0]].polls[slot[1]]
            counted, expected = poll.tally.cells, Counter(answers.values())
            if counted != expected or poll.tally.n != len(answers):
                self.problem(f"{slot} counts {counted}, and its votes are {expected}")

    def _check_late(self, events: list[Event]) -> None:
        """A vote that was safe before the host closed is late only if waived."""
        for event in events:
            if not isinstance(event, VoteKeptLate) or self.waived_s:
                continue
            slot, stamp = (event.round, event.ballot), (event.client, event.counter)
            heard_s = self.pledges.get((slot, stamp), math.inf)
            if heard_s < self.closing_s.get(slot, 0.0):
                self.problem(f"{slot} {stamp} was safe in time, and is not counted")


def _standing(events: Iterable[Event]) -> dict[Slot, dict[str, Answer]]:
    """Return the answer of each player that stands, by ballot, by plain counting."""
    latest: dict[Slot, dict[str, VoteCast]] = {}
    for event in events:
        if isinstance(event, VoteCast):
            of = latest.setdefault((event.round, event.ballot), {})
            old = of.get(event.player)
            if old is None or event.counter > old.counter:
                of[event.player] = event
    return {
        slot: {player: vote.answer for player, vote in of.items()}
        for slot, of in latest.items()
    }


def _now_s() -> float:
    return asyncio.get_running_loop().time()
