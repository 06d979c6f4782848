"""Practice players: simulated people who join a room and answer, for rehearsals.

``practice_mind`` decides who they are and what they answer. This module makes them
join, answer each ballot, and stay until the game is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

from client.errors import (
    BadName,
    ClientError,
    CommandRefused,
    Rejected,
    VoteRefused,
)
from client.player import Player, connect
from client.practice_mind import (
    Asked,
    Knowledge,
    PracticeSettings,
    decide,
    knowledge_of,
    names,
)
from scenarios.model import Label
from scenarios.prose import plural
from server.game.names import suggestions
from server.game.phases import Ballot
from server.game.views.stage_types import (
    FixView,
    OpeningView,
    StageView,
    StoryView,
    TransferView,
)
from server.protocol.client_messages import TapOpening

__all__ = ["Knowledge", "PracticeSettings", "knowledge_of", "run_practice"]

JOINS_TOGETHER = 25
"""How many join at the same time."""

OnEvent = Callable[[str], None]


async def run_practice(
    url: str,
    code: str,
    settings: PracticeSettings,
    knowledge: Knowledge | None = None,
    on_event: OnEvent | None = None,
) -> None:
    """Connect practice players to a room, and return when the game is over for them.

    With ``knowledge``, they answer according to their skill; without it, they guess
    according to their lean. ``on_event`` is called with one line about each event.
    Players that are removed or not admitted are skipped; if none is admitted, the first
    error is raised.
    """
    crowd = _Crowd(url, code, settings, knowledge or Knowledge(), on_event)
    async with asyncio.TaskGroup() as group:
        for index, name in enumerate(names(settings.n, settings.seed)):
            group.create_task(crowd.play(index, name), name=f"practice {index} {code}")
    if crowd.failure is not None and not crowd.joined:
        raise crowd.failure


class _Crowd:
    """The state that the practice players in one room share."""

    def __init__(
        self,
        url: str,
        code: str,
        settings: PracticeSettings,
        knowledge: Knowledge,
        on_event: OnEvent | None,
    ) -> None:
        self.joined = 0
        self.answers = 0
        self.failure: ClientError | None = None
        self._url = url
        self._code = code
        self._settings = settings
        self._knowledge = knowledge
        self._on_event = on_event
        self._door = asyncio.Semaphore(JOINS_TOGETHER)

    async def play(self, index: int, name: str) -> None:
        """Play one player's whole game."""
        try:
            await self._play(index, name)
        except ClientError as exc:
            self.failure = self.failure or exc
            self._tell(f"{name} could not stay: {exc}")

    async def _play(self, index: int, name: str) -> None:
        try:
            await self._play_as(index, name)
        except BadName:  # the room accepts only suggested names
            await self._play_as(index, suggestions()[index % len(suggestions())])

    async def _play_as(self, index: int, name: str) -> None:
        joining = connect(self._url, self._code, name, is_practice=True)
        async with AsyncExitStack() as stack:
            async with self._door:
                player = await stack.enter_async_context(joining)
            self.joined += 1
            self._tell(f"{self.joined} of {self._settings.n} have joined")
            await self._answer_all(index, player)

    async def _answer_all(self, index: int, player: Player) -> None:
        """Answer each ballot once while the game is running."""
        answered: set[tuple[int | None, Ballot]] = set()
        async for view in player.views():
            if isinstance(view, OpeningView):
                await self._tap(index, player, view)
            asked = question(index, view)
            if asked is None or (view.room.round, asked.ballot) in answered:
                continue
            answered.add((view.room.round, asked.ballot))
            await self._answer(player, asked, view)
        if isinstance(player.cause, Rejected):
            raise player.cause

    async def _tap(self, index: int, player: Player, view: OpeningView) -> None:
        """Tap a gap for a short case that is open; half of the players choose each."""
        if view.case is not None and view.gap is None:
            gap = list(Label)[(index + view.case) % 2]
            with suppress(CommandRefused):  # the class has moved on
                await player.ask(TapOpening(case=view.case, gap=gap))

    async def _answer(self, player: Player, asked: Asked, view: StageView) -> None:
        """Think, then answer the question, even if the class has moved on."""
        decision = decide(self._settings, asked, self._knowledge)
        if decision.delay_s:
            await asyncio.sleep(decision.delay_s)
        try:
            await player.answer(decision.answer, decision.reason, to=view)
        except VoteRefused as refusal:
            self._tell(f"{player.name} was too late: {refusal.detail}")
        else:
            self.answers += 1
            self._tell(plural(self.answers, "answer") + " stored")

    def _tell(self, text: str) -> None:
        if self._on_event is not None:
            self._on_event(text)


def question(index: int, view: StageView) -> Asked | None:
    """Return the question that a view asks a player, or None."""
    match view:
        case StoryView(phase="vote"):
            ballot = Ballot.VOTE
        case StoryView(phase="revote"):
            ballot = Ballot.REVOTE
        case FixView():
            ballot = Ballot.FIX
        case TransferView():
            ballot = Ballot.TRANSFER
        case _:
            return None
    return Asked(
        player=index,
        title=view.story.title,
        ballot=ballot,
        chips=tuple(chip.confidence for chip in view.room.chips),
        two_link=view.room.two_link,
    )
