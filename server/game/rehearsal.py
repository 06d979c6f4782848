"""Play one case through all its phases, to preview what three people would see.

A preview needs no room, host or socket. The rules of the game play one round, with
votes for both answers, and each moment is recorded as the pages would show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scenarios.model import Case, Label, Plan, PlannedRound
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.commands import (
    AskFix,
    CastVote,
    CloseVotes,
    Command,
    Discuss,
    Join,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
)
from server.game.engine import decide, evolve, open_room
from server.game.events import RoomOpened
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.phases import STEPS, Ballot
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.game.views.player import private_view
from server.game.views.role_types import PrivateView
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import StageView

CODE = RoomCode("CASE22")
NAMES = ("You", "Ada", "Ben")
NOW_MS = 0
"""No timer is running, so the time does not matter."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a phone and the projector show at one moment."""

    name: str
    """The phase, and in the reveal the step: ``reveal.why_not``."""
    player: StageView
    you: PrivateView
    screen: StageView


def scenes_of(case: Case) -> tuple[Scene, ...]:
    """Return the scenes of one round with a case, from reading to the repair's reveal.

    If both links are broken, or neither is, the room asks about both links. The first
    player votes for the tempting label.
    """
    return tuple(_scenes(_Rehearsal(case)))


def _scenes(game: _Rehearsal) -> Iterator[Scene]:
    for command in (OpenRound(), OpenVote()):
        yield game.after(command)
    game.vote(Ballot.VOTE)
    yield game.after(CloseVotes())
    yield game.after(Discuss())
    yield game.after(Reveal())
    for _ in STEPS[1:]:
        yield game.after(NextStep())
    yield game.after(AskFix())
    game.vote(Ballot.FIX)
    yield game.after(CloseVotes())


class _Rehearsal:
    """A room with three people and one case, played by decide and evolve."""

    def __init__(self, case: Case) -> None:
        self._case = case
        is_two_link = case.verdict in ("both", "neither")
        plan = Plan(
            deck=case.id,
            deck_version=1,
            title=case.title,
            rounds=(PlannedRound(case=case),),
        )
        settings = RoomSettings(time_factor=None, two_link=is_two_link)
        opened = RoomOpened(CODE, plan, settings, 0, "", NOW_MS)
        self._state: RoomState = open_room(opened)
        self._people = [PlayerId(name.lower()) for name in NAMES]
        for player, name in zip(self._people, NAMES, strict=True):
            self._do(Join(player, name))

    def after(self, command: Command) -> Scene:
        """Execute a command and return what is shown afterward."""
        self._do(command)
        state = self._state
        at = f".{STEPS[state.step]}" if state.phase == "reveal" else ""
        return Scene(
            name=f"{state.phase}{at}",
            player=player_view(state, NOW_MS),
            you=private_view(state, self._people[0], NOW_MS, set(self._people)),
            screen=screen_view(state, NOW_MS),
        )

    def vote(self, ballot: Ballot) -> None:
        """Answer for all players: the first is wrong, the others are right."""
        for number, player in enumerate(self._people):
            answer = self._answer(ballot, is_right=number > 0)
            client = ClientId(player)
            self._do(CastVote(player, client, 1, 0, ballot, answer, "", NOW_MS))

    def _answer(self, ballot: Ballot, *, is_right: bool) -> Answer:
        case = self._case
        if ballot is Ballot.FIX:
            right = case.fix_question.right
            return FixAnswer(right if is_right else (right + 1) % 3)
        if self._state.settings.two_link:
            said = (case.truth.outer, case.truth.inner)
            outer, inner = (link is is_right for link in said)
            return LinksAnswer(LinkAnswer(outer, 80), LinkAnswer(inner, 80))
        label = case.label or Label.OUTER
        return GapAnswer(label if is_right else label.other, 80)

    def _do(self, command: Command) -> None:
        for event in decide(self._state, command, NOW_MS, set(self._people)):
            evolve(self._state, event)
