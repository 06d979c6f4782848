"""The journals of releases: played by a seed, kept, and replayed forever.

``python -m tests.journal.released`` plays the games below with the rules of this
version and writes ``fixtures/<version>/``: the journal as this version stores it,
packed, and what was known at its end. Run it once a release, and never again for that
one: what it wrote is what later versions have to understand.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import lzma
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

from scenarios.build import build_plan
from scenarios.library import Library
from scenarios.load import load_library
from scenarios.model import Label
from server import __version__
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.commands import (
    AskFix,
    AskSay,
    AskTime,
    BackToLobby,
    ChangeSettings,
    ChooseTeam,
    CloseVotes,
    Command,
    Contrast,
    Discuss,
    Finish,
    GiveTime,
    HideSentence,
    Join,
    Kick,
    Lock,
    NextStep,
    OpenRound,
    OpenVote,
    PinReason,
    PlayAgain,
    Rename,
    ReopenVote,
    Reveal,
    Revote,
    SayIt,
    SetTeam,
    ShowExample,
    ShowSentence,
    SkipRound,
    Tick,
    Transfer,
    Unlock,
    UnpinReason,
)
from server.game.engine import evolve, open_room
from server.game.errors import Refused
from server.game.events import RoomMoved, RoomOpened
from server.game.ids import PlayerId, RoomCode
from server.game.outcomes import standings
from server.game.phases import VERDICT_STEP, Ballot, Phase
from server.game.settings import RoomSettings, SettingsChange
from server.game.state import RoomState
from server.journal.sqlite import SqliteStore
from server.metrics import EVENTS
from tests.support.game import Game

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OPENED_MS = 1_790_000_000_000
NAMES = ("Ada", "Björn", "Chi", "Duygu", "Eva", "Femi", "Гена", "花子", "Ines", "Jo")
GAMES: dict[str, tuple[str, RoomSettings]] = {
    "GAPSAA": (
        "language-models",
        RoomSettings(teams=("red", "blue"), podium=True, simulated=True),
    ),
    "GAPSBB": ("first-class", RoomSettings(score_mode="certainty")),
    "LINKSA": ("hard", RoomSettings(two_link=True, time_factor=None)),
}


def table(state: RoomState) -> dict[str, Any]:
    """Return what is known of a room, as JSON: what a later version must find."""
    return {
        "version": state.version,
        "phase": state.phase.value,
        "joined": state.joined,
        "late": state.late.total(),
        "standings": [
            [line.rank, line.name, line.points, line.rounds]
            for line in standings(state)
        ],
        "rounds": [
            {
                "case": round_.case.id,
                "is_revealed": round_.is_revealed,
                "said": len(round_.said),
                "polls": {
                    ballot.value: poll.tally.options(
                        ballot, two_link=state.settings.two_link
                    )
                    for ballot, poll in round_.polls.items()
                },
            }
            for round_ in state.rounds
        ],
    }


def play(code: str, library: Library, seed: int) -> Game:
    """Play a room: two whole rounds and half of a third, with all that can happen."""
    deck, settings = GAMES[code]
    plan = build_plan(
        library.deck(deck),
        library,
        seed=seed,
        length=4,
        two_link=settings.two_link,
    )
    game = Game()
    game.journal = [RoomOpened(RoomCode(code), plan, settings, seed, SECRET, OPENED_MS)]
    game.state = open_room(game.journal[0])  # type: ignore[arg-type] # the line above
    game.now_ms = OPENED_MS + 1_000
    player = _Player(game, Random(seed))
    player.arrive()
    for _ in range(2):
        player.whole_round()
    player.again()
    player.rest(is_finished=code != "GAPSBB")
    return game


class _Player:
    """Plays a game as a class would: all players vote, and some do odd things."""

    def __init__(self, game: Game, chance: Random) -> None:
        self._game = game
        self._chance = chance

    def do(self, *commands: Command) -> None:
        """Carry out what the rules allow; a refusal is part of the game."""
        for command in commands:
            self._game.now_ms += self._chance.randrange(500, 4_000)
            with contextlib.suppress(Refused):
                self._game.do(command)

    def arrive(self) -> None:
        """All players join, from two sites; the host looks after names and teams."""
        for number, name in enumerate(NAMES):
            player = PlayerId(f"p-{name}")
            site = ("berlin", "lisbon")[number % 2]
            self.do(Join(player, name, is_practice=number == 9, site=site))
            self._game.present.add(player)
        someone, other = PlayerId("p-Ada"), PlayerId("p-Eva")
        self.do(
            ShowExample(), ShowExample(), Lock(), Unlock(),
            Lock(site="berlin"), Unlock(site="berlin"),
            Rename(player=other, name="Evi"), ChooseTeam(someone, "blue"),
            SetTeam(player=other, team="red"), AskTime(someone, 200),
            ChangeSettings(change=SettingsChange(auto_close=False, podium=True)),
        )  # fmt: skip

    def whole_round(self) -> None:
        """Play a round through all of its phases."""
        pinned = PlayerId("p-Chi")
        self.do(OpenRound(), OpenVote())
        self.votes()
        self.do(GiveTime(seconds=30), GiveTime(seconds=30, site="lisbon"))
        self.close()
        self.do(Contrast(), Discuss(), PinReason(player=pinned), Revote())
        self.votes()
        self.close()
        self.do(UnpinReason(player=pinned), Reveal(), NextStep())
        self.late()
        while self._game.state.step < VERDICT_STEP:
            self.do(NextStep())
        self.do(AskSay())
        self.say()
        self.do(ShowSentence(player=PlayerId("p-Ada")), HideSentence())
        self.do(NextStep(all=True), AskFix())
        self.votes()
        self.close()
        self.do(Transfer())
        self.votes()
        self.close()

    def again(self) -> None:
        """Practise the last case again, closing it too early and taking that back."""
        self.do(PlayAgain(), OpenVote(), CloseVotes(), ReopenVote())
        self.votes()
        self.close()
        self.do(Reveal(), NextStep(all=True))

    def rest(self, *, is_finished: bool) -> None:
        """Leave a round and come back to it, lose a player, and end (or do not)."""
        self.do(OpenRound(), OpenVote(), CloseVotes(override=True))
        self.close()
        self.do(Reveal(), OpenRound(), OpenVote())
        self.votes()
        self.do(BackToLobby(), OpenRound(), Kick(player=PlayerId("p-Jo")))
        if is_finished:
            self.do(SkipRound(), Finish())
            self.move()
        else:
            self.do(OpenVote())
            self.votes()

    def move(self) -> None:
        """Another node becomes the room's home."""
        event = RoomMoved("lisbon", self._game.state.epoch + 1, self._game.now_ms)
        evolve(self._game.state, event)
        self._game.journal.append(event)

    def close(self) -> None:
        """Close a ballot: ask, warn those with time of their own, and let it close."""
        self.do(CloseVotes(), CloseVotes(override=True))
        self._game.now_ms += 60_000
        self.do(Tick())

    def votes(self) -> None:
        """Let nearly all players vote, a few twice."""
        for name in NAMES:
            for _ in range(self._chance.choice((0, 1, 1, 1, 1, 2))):
                self.vote(name)

    def vote(self, name: str, **more: Any) -> None:
        """Let one player say something that fits the ballot."""
        self._game.now_ms += 300
        reason = self._chance.choice(("", "It was paid for.", "Die Daten fehlten."))
        with contextlib.suppress(Refused):
            self._game.vote(name, self._answer(), reason=reason, **more)

    def late(self) -> None:
        """A vote arrives after the reveal, stamped before the close."""
        state = self._game.state
        poll = state.round.polls[Ballot.VOTE]
        stamped = poll.opened_ms + 10
        more = {"ballot": Ballot.VOTE, "stamped_ms": stamped, "client": "slow"}
        if state.round_index is not None:
            for name in NAMES:
                self.vote(name, round_index=state.round_index, **more)

    def say(self) -> None:
        """Some say the case in their own words, and one thinks better of it."""
        index = self._game.state.round_index or 0
        for name in NAMES[::2]:
            self.do(SayIt(PlayerId(f"p-{name}"), index, f"{name}: it was paid for."))
        self.do(SayIt(PlayerId("p-Chi"), index, ""))

    def _answer(self) -> Answer:
        chance, state = self._chance, self._game.state
        if state.phase is Phase.FIX:
            return FixAnswer(chance.randrange(3))
        sure = chance.choice((50, 60, 75, 90, 100))
        if state.settings.two_link:
            return LinksAnswer(
                LinkAnswer(chance.random() < 0.5, sure),
                LinkAnswer(chance.random() < 0.5, 80),
            )
        return GapAnswer(chance.choice(list(Label)), sure)


async def store(path: Path, games: Iterable[Game]) -> None:
    """Write games into a journal file, a few events a commit."""
    journal = await SqliteStore.open(path)
    for game in games:
        for at in range(0, len(game.journal), 7):
            await journal.append(game.state.code, at, game.journal[at : at + 7])
    await journal.close()


def write(folder: Path, say: Callable[[str], object]) -> None:
    """Play, and write a release's folder, which must not exist yet."""
    folder.mkdir(parents=True)
    library = load_library()
    games = [play(code, library, seed) for seed, code in enumerate(GAMES)]
    seen = {event.type for game in games for event in game.journal}
    missing = set(EVENTS) - seen
    assert not missing, f"no game here has: {', '.join(sorted(missing))}"
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "journal.sqlite"
        asyncio.run(store(path, games))
        packed = lzma.compress(path.read_bytes(), preset=9)
    (folder / "journal.sqlite.xz").write_bytes(packed)
    known = {game.state.code: table(game.state) for game in games}
    text = json.dumps(known, ensure_ascii=False, indent=1)
    (folder / "expected.json").write_text(text + "\n")
    events = sum(len(game.journal) for game in games)
    say(f"{folder.name}: {events} events, {len(packed)} bytes packed")


if __name__ == "__main__":
    target = FIXTURES / __version__
    if target.exists():
        sys.exit(f"{target} exists: a released journal is never written again.")
    write(target, print)
