"""Playing the rules by hand: given a room, when commands, then events and views."""

from __future__ import annotations

import pytest

from scenarios.model import Label
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.commands import CastVote, Command, Join, OpenRound, OpenVote
from server.game.engine import decide, evolve, open_room, replay
from server.game.errors import Refused
from server.game.events import Event
from server.game.ids import ClientId, PlayerId
from server.game.outcomes import standings
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.report.sample import revealed
from tests.support.cases import opened


class Game:
    """A room played through decide and evolve, with a clock of its own."""

    def __init__(
        self,
        settings: RoomSettings | None = None,
        rounds: int = 3,
        opening: bool = False,
    ) -> None:
        first = opened(settings, rounds, opening)
        self.state: RoomState = open_room(first)
        self.journal: list[Event] = [first]
        self.now_ms = 10_000
        self.present: set[PlayerId] = set()
        self._counter = 0

    @classmethod
    def resumed(cls, journal: list[Event]) -> Game:
        """Return a game that continues from a journal, with all players present."""
        game = cls()
        game.state, game.journal = replay(journal), list(journal)
        game.now_ms = max(getattr(event, "at_ms", game.now_ms) for event in journal)
        game.present = set(game.state.players)
        game._counter = len(journal)
        return game

    def do(self, *commands: Command) -> list[Event]:
        """Carry out commands one after another; return the events of all."""
        done: list[Event] = []
        for command in commands:
            for event in decide(self.state, command, self.now_ms, self.present):
                evolve(self.state, event)
                self.journal.append(event)
                done.append(event)
        return done

    def refuses(self, command: Command, code: str) -> None:
        """See a command refused with a code, and nothing journaled."""
        before = len(self.journal)
        with pytest.raises(Refused) as refusal:
            self.do(command)
        assert refusal.value.code == code
        assert len(self.journal) == before

    def join(self, *names: str, practice: bool = False) -> list[PlayerId]:
        """Let players in, and be present."""
        ids = [PlayerId(f"p-{name}") for name in names]
        for player, name in zip(ids, names, strict=True):
            self.do(Join(player, name, is_practice=practice))
            self.present.add(player)
        return ids

    def vote(
        self,
        player: str,
        answer: Answer | str,
        confidence: int | None = None,
        *,
        ballot: Ballot | None = None,
        round_index: int | None = None,
        counter: int | None = None,
        client: str = "c",
        reason: str = "",
        stamped_ms: int | None = None,
    ) -> list[Event]:
        """Cast a vote in the open ballot (or another), by player name."""
        if isinstance(answer, str):
            answer = GapAnswer(Label(answer), confidence)
        self._counter += 1
        chosen = ballot or self.state.ballot or Ballot.VOTE
        index = self.state.round_index if round_index is None else round_index
        return self.do(
            CastVote(
                player=PlayerId(f"p-{player}"),
                client=ClientId(client),
                counter=self._counter if counter is None else counter,
                round=index or 0,
                ballot=chosen,
                answer=answer,
                reason=reason,
                stamped_ms=self.now_ms if stamped_ms is None else stamped_ms,
            )
        )


def voting(settings: RoomSettings | None = None, *names: str) -> Game:
    """Return a game with players, in the VOTE of its first round (an outer case)."""
    game = Game(settings)
    game.join(*(names or ("ann", "bob", "cy")))
    game.do(OpenRound(), OpenVote())
    return game


def links(
    outer: bool, inner: bool, sure: int = 80, sure_inner: int = 80
) -> LinksAnswer:
    """Return a two-link answer."""
    return LinksAnswer(LinkAnswer(outer, sure), LinkAnswer(inner, sure_inner))


def fix(option: int) -> FixAnswer:
    """Return a repair."""
    return FixAnswer(option)


def totals(journal: list[Event]) -> object:
    """Return every figure that a game ends with."""
    state = replay(journal)
    return (
        standings(state),
        sorted((p.id, p.points, p.rounds_scored) for p in state.players.values()),
        [index for index, _ in revealed(state)],
        state.late.total(),
        [round_.scores for round_ in state.rounds],
        [round_.moves for round_ in state.rounds],
        [
            {ballot: poll.tally.cells for ballot, poll in round_.polls.items()}
            for round_ in state.rounds
        ],
    )
