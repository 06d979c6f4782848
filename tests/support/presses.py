"""A host who presses the big button and nothing else, and the class that answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from pydantic import TypeAdapter
from rich.console import Console

from client.terminal.teller import Teller
from scenarios.build import build_plan
from scenarios.model import Flow, Label, Plan
from server.game.advice import advised_command
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.commands import (
    BUTTONS,
    CastVote,
    CloseVotes,
    Join,
    OpenRound,
    OpenVote,
    Reveal,
    TapOpening,
    Tick,
)
from server.game.engine import decide, evolve, open_room
from server.game.events import RoomOpened
from server.game.features.timing import next_due_ms
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.phases import Ballot, Phase
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.game.views.player import private_view
from server.game.views.role_types import PrivateView
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import StageView
from tests.support.game import Game
from tests.support.library import LIBRARY

PEOPLE = [PlayerId(f"p-{number}") for number in range(10)]
MOST = 400
"""Presses after which a button that leads nowhere is given up."""

Class = Literal["all", "all but one", "by number"]
"""The answers: seven of ten right; the same, and one person never; or half of them
outer, whatever is right."""


@dataclass
class Lesson:
    """A room whose host presses the big button, and nothing else, to the end."""

    plan: Plan
    settings: RoomSettings
    people: Class = "all"
    now_ms: int = 10_000
    presses: Counter[int | None] = field(default_factory=Counter)
    """By the round in which each was pressed, or that it opened; None before the first
    round and after the last."""
    names: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list, repr=False)
    """All that wall and phones were sent, as JSON."""

    def __post_init__(self) -> None:
        code = RoomCode("TESTAA")
        self.present: set[PlayerId] = set()
        self.state: RoomState = open_room(
            RoomOpened(code, self.plan, self.settings, 7, "00", self.now_ms)
        )
        self.terminal = Console(width=100, record=True, quiet=True)
        self.teller = Teller(self.terminal)
        for player in PEOPLE:
            self._do(Join(player, f"Name {player}"))
            self.present.add(player)

    def play(self) -> Lesson:
        """Follow the big button until the game is over."""
        while self.state.phase is not Phase.FINISHED:
            self._answer()
            self._look()
            if not self._has_advanced():
                self._press()
            assert sum(self.presses.values()) < MOST, self.names[-20:]
        self._look()
        return self

    @property
    def a_round(self) -> int:
        """The most presses that a round took, from the one that opened it."""
        return max(n for index, n in self.presses.items() if index is not None)

    def _press(self) -> None:
        name = advised_command(self.state)
        command = next(button for button in BUTTONS if button.type == name)
        self._do(command)
        is_end = self.state.phase in (Phase.FINISHED, Phase.EXAMPLE)
        self.presses[None if is_end else self.state.round_index] += 1
        self.names.append(name)

    def _has_advanced(self) -> bool:
        """Let time pass to what is due next; False if nothing is."""
        due_ms = next_due_ms(self.state, self.now_ms, self.present)
        if due_ms is None:
            return False
        self.now_ms = max(self.now_ms, due_ms)
        before = self.state.version
        self._do(Tick())
        return self.state.version > before

    def _answer(self) -> None:
        state, here = self.state, PEOPLE[: -1 if self.people == "all but one" else None]
        for number, player in enumerate(here):
            if state.ballot is not None:
                self._do(
                    CastVote(
                        player,
                        ClientId("c"),
                        1,
                        state.index,
                        state.ballot,
                        self._answer_of(number),
                        "",
                        self.now_ms,
                    )
                )
            elif state.phase is Phase.OPENING and state.opening.open_taps is not None:
                self._do(TapOpening(player, state.opening.case or 0, Label.OUTER))

    def _answer_of(self, number: int) -> Answer:
        """Give one that seven of ten get right: the class is advised to discuss."""
        ballot = self.state.ballot or Ballot.VOTE
        if ballot is Ballot.FIX:
            return FixAnswer(0)
        case = self.state.round.case_of(ballot)
        if self.people == "by number":
            return GapAnswer(Label.INNER if number % 2 else Label.OUTER, 80)
        is_right = number < 7
        if self.settings.two_link:
            truth = (case.truth.outer, case.truth.inner)
            outer, inner = (is_right is broke for broke in truth)
            return LinksAnswer(LinkAnswer(outer, 80), LinkAnswer(inner, 80))
        label = case.label or Label.OUTER
        return GapAnswer(label if is_right else label.other, 80)

    def _look(self) -> None:
        for view in (player_view, screen_view):
            self.seen.append(STAGE.dump_json(view(self.state, self.now_ms)).decode())
        mine = private_view(self.state, PEOPLE[0], self.now_ms, self.present)
        self.seen.append(PRIVATE.dump_json(mine).decode())
        self.teller.tell(player_view(self.state, self.now_ms))

    def _do(self, command: object) -> None:
        for event in decide(self.state, command, self.now_ms, self.present):  # type: ignore[arg-type] # any command
            evolve(self.state, event)


STAGE: TypeAdapter[StageView] = TypeAdapter(StageView)
PRIVATE: TypeAdapter[PrivateView] = TypeAdapter(PrivateView)


def lesson(
    deck: str, flow: Flow | None, people: Class = "all", *, by_hand: bool = False
) -> Lesson:
    """Return a lesson of a whole deck, played to its end."""
    found = LIBRARY.deck(deck)
    settings = RoomSettings(
        flow=flow, auto_close=False if by_hand else None, two_link=found.two_link
    )
    plan = build_plan(found, LIBRARY, seed=1, length=None, two_link=settings.two_link)
    return Lesson(plan, settings, people).play()


def at_reveal(flow: Flow) -> Game:
    """Return a game at the first screen of its first reveal."""
    game = Game(RoomSettings(flow=flow))
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.do(CloseVotes(), Reveal())
    return game
