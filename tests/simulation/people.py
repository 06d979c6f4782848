"""The people of a simulation: phones that vote, and a host who leads.

They do what the pages do: come back after a cut, send a vote again until it is recorded
or refused, and follow the view. Each frame that arrives is held against the rules.
"""

from __future__ import annotations

import asyncio
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from scenarios.model import Label
from server.game.answers import Answer, FixAnswer, GapAnswer
from server.game.commands import (
    AskFix,
    CloseVotes,
    Discuss,
    FromPlace,
    HostCommand,
    NextStep,
    OpenRound,
    OpenVote,
    ReopenVote,
    Reveal,
    Revote,
    Transfer,
)
from server.game.ids import ClientId, RoomCode
from server.game.phases import OPEN_BALLOT, Ballot, Phase, Place
from server.protocol.client_messages import Hello, Vote
from server.protocol.keys import prove
from server.rooms.ports import PASSING, Attend, Enter, Link, Request, Return
from tests.simulation.rules import Referee
from tests.simulation.site import Door, Line

SILENCE_S = 5.0
"""After so long without an answer a phone sends again, or comes again."""

Slot = tuple[int, Ballot]


@dataclass(slots=True)
class Person(ABC):
    """A person with a device: connects, and connects again."""

    name: str
    door: Door
    code: RoomCode
    chance: random.Random
    referee: Referee
    line: Line | None = None
    is_welcome: bool = False
    view: dict[str, Any] = field(default_factory=dict)
    version: int = -1
    """Of the view; -1 before the first on this line."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    is_done: bool = False

    @abstractmethod
    def request(self, link: Link) -> Request:
        """Return the hello of this person."""

    @abstractmethod
    def welcomed(self, message: dict[str, Any]) -> None:
        """Continue where the last connection ended."""

    @abstractmethod
    def answered(self, message: dict[str, Any]) -> None:
        """Take in an answer."""

    @abstractmethod
    async def act(self) -> None:
        """Do what the view asks for."""

    async def live(self) -> None:
        """Be there until the end of the run."""
        while not self.is_done:
            self.connect()
            try:
                async with asyncio.timeout(SILENCE_S):
                    await self.until(lambda: self.is_welcome)
                while self.line is not None and self.line.is_open:
                    await self.act()
            except TimeoutError:
                pass
            self.disconnect()
            await asyncio.sleep(self.chance.uniform(0.1, 1.5))

    def connect(self) -> None:
        """Open a line, if the node is there."""
        self.is_welcome, self.version = False, -1
        process = self.door.process
        if process is None:
            return
        self.line = Line(self.door, process, self.hear, self.audience)
        self.line.ask(self.code, self.request)

    @property
    def audience(self) -> Any:
        """The role."""
        return "player"

    def disconnect(self) -> None:
        """Lose the line, or leave."""
        if self.line is not None:
            self.line.cut()
        self.line = None

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait, message by message, until something is so."""
        while not is_so():
            self.news.clear()
            await self.news.wait()

    async def pause(self, least_s: float, most_s: float) -> bool:
        """Wait for news, or a while; return whether there are any."""
        self.news.clear()
        try:
            async with asyncio.timeout(self.chance.uniform(least_s, most_s)):
                await self.news.wait()
        except TimeoutError:
            return False
        return True

    def hear(self, frame: bytes) -> None:
        """Take in a frame."""
        self.referee.heard(self.name, frame)
        message = json.loads(frame)
        kind = message["type"]
        if kind == "welcome":
            self.is_welcome = True
            self.welcomed(message)
        elif kind in ("view", "host_view"):
            self._show(message)
        elif kind == "bye" or (kind == "refused" and not self.is_welcome):
            self.disconnect()
        elif kind in ("recorded", "received", "refused", "done"):
            self.answered(message)
        self.news.set()

    def _show(self, message: dict[str, Any]) -> None:
        self.referee.shown(self.name, message, self.version)
        self.version = message["version"]
        self.view = message["view"]

    @property
    def slot(self) -> Slot | None:
        """The ballot that is open, as far as this person sees."""
        stage = self.view.get("stage", self.view)
        ballot = OPEN_BALLOT.get(Phase(stage["phase"])) if stage else None
        return (stage["room"]["round"], ballot) if ballot else None


@dataclass(slots=True)
class Pupil(Person):
    """Votes in every ballot, and sometimes changes the answer."""

    changes: float = 0.03
    """How likely an answer is changed whenever there is news."""
    token: str | None = None
    counter: int = 0
    waiting: dict[Slot, Vote] = field(default_factory=dict)
    """The vote of each ballot that is neither recorded nor refused."""
    answers: dict[Slot, int] = field(default_factory=dict)
    """How often each ballot was answered."""

    def request(self, link: Link) -> Request:
        """Come back with the token, or join by name."""
        if self.token is not None:
            return Return(link=link, token=self.token)
        key = self.name.encode().hex().rjust(32, "0")
        hello = Hello(
            version=1, role="player", room=self.code, name=self.name, join_key=key
        )
        site = link.site if link.site != self.referee.home else None
        return Enter(link=link, hello=hello, site=site)

    def welcomed(self, message: dict[str, Any]) -> None:
        """Keep the token; send what is not recorded."""
        self.token = message["token"]
        self._send_again()

    def _send_again(self) -> None:
        for vote in self.waiting.values():
            self._send(vote)

    def _send(self, vote: Vote) -> None:
        if self.line is not None:
            self.referee.sent += 1
            self.line.say(vote)

    def answered(self, message: dict[str, Any]) -> None:
        """Stop sending what was recorded or refused for good."""
        if message.get("counter") is None:
            return
        kind, slot = message["type"], (message["round"], Ballot(message["ballot"]))
        stamp = (message["client"], message["counter"])
        if kind == "recorded":
            self.referee.recorded(self.name, slot, stamp)
        elif kind == "received":
            self.referee.received(self.name, slot, stamp)
            return
        elif message["code"] in PASSING:
            return
        else:
            self.referee.refused(self.name, slot, stamp, message["code"])
        vote = self.waiting.get(slot)
        if vote is not None and vote.counter <= message["counter"]:
            del self.waiting[slot]

    async def act(self) -> None:
        """Answer what is open, now and then twice."""
        slot = self.slot
        wants = slot is not None and slot not in self.answers
        again = slot is not None and self.chance.random() < self.changes
        if slot is not None and (wants or again) and self.is_welcome:
            await asyncio.sleep(self.chance.uniform(0.05, 2.5))
            if self.line is not None and self.line.is_open and self.slot == slot:
                self._answer(slot)
        if not await self.pause(SILENCE_S, SILENCE_S + 1):
            self._send_again()

    def _answer(self, slot: Slot) -> None:
        self.counter += 1
        self.answers[slot] = self.answers.get(slot, 0) + 1
        vote = Vote(
            round=slot[0],
            ballot=slot[1],
            client=ClientId(self.name),
            counter=self.counter,
            answer=self._draw(slot[1]),
        )
        self.waiting[slot] = vote
        self._send(vote)

    def _draw(self, ballot: Ballot) -> Answer:
        if ballot is Ballot.FIX:
            return FixAnswer(self.chance.randrange(3))
        return GapAnswer(self.chance.choice(list(Label)), self.chance.choice([60, 80]))


NEXT: dict[Phase, tuple[HostCommand, ...]] = {
    Phase.LOBBY: (OpenRound(),),
    Phase.READ: (OpenVote(),),
    Phase.VOTE: (CloseVotes(),),
    Phase.VOTE_CLOSED: (Discuss(), Reveal(), ReopenVote()),
    Phase.DISCUSS: (Revote(),),
    Phase.REVOTE: (CloseVotes(),),
    Phase.REVOTE_CLOSED: (Reveal(),),
    Phase.REVEAL: (NextStep(all=True), AskFix(), Transfer(), OpenRound()),
    Phase.FIX: (CloseVotes(),),
    Phase.FIX_REVEAL: (Transfer(), OpenRound()),
    Phase.TRANSFER: (CloseVotes(),),
    Phase.TRANSFER_REVEAL: (OpenRound(),),
}
"""What a host may do in each phase."""


@dataclass(slots=True)
class Teacher(Person):
    """Leads the class through its rounds, at the room's home."""

    key: str = ""
    ref: int = 0
    is_waiting: bool = False
    patience: int = 0
    is_resting: bool = False
    """Whether the class is left where it is: the run ends."""

    @property
    def audience(self) -> Any:
        """The role."""
        return "host"

    def request(self, link: Link) -> Request:
        """Prove the key."""
        proof = prove(self.key, "host", self.code, "nonce")
        return Attend(link=link, nonce="nonce", proof=proof)

    def welcomed(self, message: dict[str, Any]) -> None:
        """Continue with nothing: a command that got no answer is not sent again."""

    def answered(self, message: dict[str, Any]) -> None:
        """Go on after an answer."""
        if message.get("ref") == self.ref:
            self.is_waiting = False

    @property
    def phase(self) -> Phase | None:
        """Where the class is, as the console shows it."""
        return Phase(self.view["stage"]["phase"]) if self.view else None

    async def act(self) -> None:
        """Give the next command, and wait for its answer."""
        phase = self.phase
        if phase is None or self.is_resting or phase not in NEXT:
            await self.pause(0.5, 2.0)
            return
        await asyncio.sleep(self.chance.uniform(0.2, 6.0 if self.slot else 1.0))
        if self.phase is not phase or self.line is None or self.is_resting:
            return
        await self._give(self._choose(phase))

    def _choose(self, phase: Phase) -> HostCommand:
        command = self.chance.choice(NEXT[phase])
        if isinstance(command, Reveal | CloseVotes) and self.patience > 2:
            self.patience = 0
            self.referee.waived(phase)
            return type(command)(without=True)
        return command

    async def _give(self, command: HostCommand) -> None:
        self.ref += 1
        self.is_waiting = True
        command = replace(command, ref=self.ref)
        if isinstance(command, FromPlace):
            command = replace(command, seen=Place(**self.view["place"]))
        if isinstance(command, CloseVotes) and self.slot is not None:
            self.referee.closing(self.slot)
        if self.line is not None:
            self.line.say(command)
        try:
            async with asyncio.timeout(SILENCE_S):
                await self.until(lambda: not self.is_waiting)
            self.patience = 0
        except TimeoutError:
            self.patience += 1
