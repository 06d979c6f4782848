"""One run: every subject at every size, and the few things measured only once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from websockets.frames import Frame, Opcode

from server.game.events import VoteCast
from server.journal.sqlite import SqliteStore
from tests.bench.speed import measure, room
from tests.bench.speed.measure import Fan, Joins, Votes
from tests.bench.speed.server_process import Subject, subject
from tests.bench.speed.swarm import UPGRADED, Swarm, masked

Tell = Callable[[str], None]

FANS = 11
MOST_VOTES, MOST_EACH = 20_000, 30
"""Votes of a size together, and of one player: below a socket's burst limit."""

PACED, WITHIN_S, PACED_TIMES = 300, 3.0, 5
ROUND = ("close_votes", "reveal")
STEPS = 4


@dataclass(frozen=True, slots=True)
class Game:
    """Two Gaps at one size."""

    joins: Joins
    fan: Fan
    votes: Votes
    round_bytes_each: float
    """Bytes to each player in one whole round, own answers included."""
    voters_stored: int
    """Players whose vote is in the journal, read after the server had stopped."""


@dataclass(frozen=True, slots=True)
class Library:
    """``websockets`` alone: an echo that stores nothing, and its own broadcast."""

    joins: Joins
    fan: Fan
    votes: Votes


@dataclass(frozen=True, slots=True)
class Size:
    """Everything at one number of players."""

    n: int
    game: Game
    library: Library
    floor: Fan


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of what is measured, and the core of what measures."""

    server: int
    driver: int


def size(n: int, cores: Cores, tell: Tell) -> Size:
    """Measure all three subjects with ``n`` players."""
    with tempfile.TemporaryDirectory(prefix="twogaps-bench-") as name:
        folder = Path(name)
        texts = room.vote_texts(n, max(1, min(MOST_EACH, MOST_VOTES // n)))
        game, view = _game(n, texts, cores, folder, tell)
        (folder / "view").write_bytes(view)
        library = _library(n, texts, cores, folder, tell)
        (folder / "frame").write_bytes(as_server_sends(view))
        floor = _floor(n, cores, folder, tell)
    return Size(n, game, library, floor)


def _game(
    n: int, texts: list[list[bytes]], cores: Cores, folder: Path, tell: Tell
) -> tuple[Game, bytes]:
    with subject("two-gaps", cores.server, data=folder / "data") as server:
        host, players = room.Host(server), Swarm(server.port)
        joins = measure.joins(
            players,
            server,
            room.hellos(server.ready["room"], n),
            room.WELCOME,
            lambda done: tell(f"two-gaps: {done:,} of {n:,} have joined"),
        )
        tell("two-gaps: the view to all players")
        had = players.received
        measure.rest(players, 1.2)
        view = shown(host, players, "open_round")
        to_open = players.received - had
        fan = measure.fan(players, server, room.toggled(host), room.VIEW, FANS)
        host.hear()
        measure.rest(players, 1.2)
        tell(f"two-gaps: {sum(map(len, texts)):,} votes")
        had = players.received
        shown(host, players, "open_vote")
        measure.rest(players, 1.2)
        votes = measure.votes(players, server, room.frames_of(texts), room.RECORDED)
        host.close()  # its pings went unanswered meanwhile
        host = room.Host(server)
        host.do(*ROUND, *["next_step"] * STEPS)
        measure.rest(players, 1.2)
        in_round = to_open + players.received - had
        host.close()
        players.close()
    changes = votes.answer_bytes * (votes.votes - n)
    stored = _stored(folder / "data", server.ready["room"])
    return Game(joins, fan, votes, (in_round - changes) / n, stored), view


def shown(host: room.Host, players: Swarm, command: str) -> bytes:
    """Give a command; return the view that it shows, once all players have it."""
    seen: dict[int, bytes] = {}

    def heard(index: int, payload: bytes, _: int) -> bool:
        if payload.startswith(room.VIEW):
            seen[index] = payload
        return len(seen) == len(players.seats)

    host.do(command)
    players.listen(heard)
    return seen[0]


def _stored(data: Path, code: str) -> int:
    """Count the voters in the journal of a server that has stopped."""

    async def count() -> int:
        store = await SqliteStore.open(data / "journal.sqlite")
        events = await store.load(code)  # type: ignore[arg-type]
        await store.close()
        return len({event.player for event in events if isinstance(event, VoteCast)})

    return asyncio.run(count())


def _library(
    n: int, texts: list[list[bytes]], cores: Cores, folder: Path, tell: Tell
) -> Library:
    with subject("websockets", cores.server, message=folder / "view") as server:
        players = Swarm(server.port)
        joins = measure.joins(
            players,
            server,
            [b""] * n,
            UPGRADED,
            lambda done: tell(f"websockets: {done:,} of {n:,} are connected"),
        )
        tell("websockets: broadcast")
        fan = measure.fan(players, server, order(server), room.VIEW, FANS)
        tell("websockets: echo")
        votes = measure.votes(players, server, room.frames_of(texts), b'{"type":"vote"')
        players.close()
    return Library(joins, fan, votes)


def _floor(n: int, cores: Cores, folder: Path, tell: Tell) -> Fan:
    with subject("floor", cores.server, message=folder / "frame") as server:
        players = Swarm(server.port)
        players.connect(n)
        tell("floor: a bare loop of writes")
        measure.rest(players, 0.3)
        fan = measure.fan(players, server, order(server), room.VIEW, FANS)
        players.close()
    return fan


def order(server: Subject) -> Callable[[], None]:
    """Return a function that has a subject send its message to all sockets."""
    return lambda: server.tell("fan")


def as_server_sends(payload: bytes) -> bytes:
    """Return a text frame as a server sends it, by the library's own framing."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


@dataclass(frozen=True, slots=True)
class Paced:
    """A class of 300 that votes within three seconds: ms until recorded."""

    p50_ms: float
    p99_ms: float
    worst_ms: float
    p99_of_each_ms: tuple[float, ...]


def paced(cores: Cores, tell: Tell) -> Paced:
    """Measure a class of 300, several times over."""
    with (
        tempfile.TemporaryDirectory(prefix="twogaps-bench-") as name,
        subject("two-gaps", cores.server, data=Path(name)) as server,
    ):
        host, players = room.Host(server), Swarm(server.port)
        hellos = room.hellos(server.ready["room"], PACED)
        players.enter(hellos, room.WELCOME, lambda _: None)
        host.do("open_round", "open_vote")
        texts = room.vote_texts(PACED, PACED_TIMES)
        runs = []
        for turn in range(PACED_TIMES):
            tell(f"{PACED} votes within {WITHIN_S:.0f} s, {turn + 1}")
            frames = [masked(mine[turn]) for mine in texts]
            runs.append(measure.paced(players, frames, WITHIN_S, room.RECORDED))
        host.close()
        players.close()
    together = sorted(ms for run in runs for ms in run)
    return Paced(
        p50_ms=measure.percentile(together, 0.5),
        p99_ms=measure.percentile(together, 0.99),
        worst_ms=together[-1],
        p99_of_each_ms=tuple(measure.percentile(run, 0.99) for run in runs),
    )
