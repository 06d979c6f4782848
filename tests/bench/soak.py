"""``python -m tests.bench.soak``: ten minutes of games, one after another.

Three hundred players join, vote, all lose their connection together, come back, vote
again; the game is finished, and the next one begins. Between games, when no one is
connected, the server's memory and open files are noted. They must stay flat: over the
run, but for its first fifth, memory may grow by no more than 8 MiB and files by 3.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression

from tests.fuzz.raw import RawSocket
from tests.support.process import open_files, rss_mb
from tests.support.wire import Wire, wire

DURATION_S = 600.0
PEOPLE = 300
ROUNDS = 2
WARM = 0.2
"""The share of the run in which the server may still grow."""

MOST_MB, MOST_FILES = 8.0, 3.0
SAY_S = 20.0


@dataclass(slots=True)
class Soaked:
    """What was noted between games: seconds, MiB and open files."""

    at_s: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)
    games: int = 0
    votes: int = 0
    returns: int = 0

    def note(self, at_s: float, pid: int) -> None:
        """Note how the server stands."""
        self.at_s.append(at_s)
        self.rss.append(rss_mb(pid))
        self.files.append(open_files(pid))

    def growth(self, values: list[float]) -> tuple[float, float]:
        """Return the slope (an hour) and the growth over the run after its warm-up."""
        start_s = self.at_s[-1] * WARM
        kept = [(s, v) for s, v in zip(self.at_s, values, strict=True) if s >= start_s]
        seconds, levels = [s for s, _ in kept], [v for _, v in kept]
        slope = linear_regression(seconds, levels).slope
        return slope * 3_600, slope * (seconds[-1] - seconds[0])

    def text(self) -> str:
        """Return the figures as a few lines."""
        memory, files = self.growth(self.rss), self.growth(self.files)
        return (
            f"{self.games} games in {self.at_s[-1]:.0f} s: {self.votes:,} votes "
            f"recorded, {self.returns:,} came back after losing their connection\n"
            f"memory {self.rss[0]:.0f} to {self.rss[-1]:.0f} MiB, slope "
            f"{memory[0]:+.1f} MiB an hour ({memory[1]:+.1f} over the run)\n"
            f"open files {self.files[0]:.0f} to {self.files[-1]:.0f}, slope "
            f"{files[0]:+.1f} an hour ({files[1]:+.1f} over the run)"
        )


class Player(RawSocket):
    """A player identified by the token, and waits for each receipt."""

    def __init__(self) -> None:
        super().__init__()
        self._recorded = asyncio.Event()

    def _receive(self, opcode: int, payload: bytes) -> None:
        super()._receive(opcode, payload)
        if payload.startswith(b'{"type":"recorded"'):
            self._recorded.set()

    async def vote(self, round_index: int, counter: int, label: str) -> None:
        """Vote, and wait until it is recorded."""
        self._recorded.clear()
        self.tell(
            "vote", round=round_index, ballot="vote", client="tab", counter=counter,
            answer={"kind": "gap", "label": label, "confidence": 80},
        )  # fmt: skip
        async with asyncio.timeout(60):
            await self._recorded.wait()


async def enter(port: int, room: str, **who: str) -> Player:
    """Let a player in, by name or by token."""
    loop = asyncio.get_running_loop()
    _, player = await loop.create_connection(Player, "127.0.0.1", port)
    await player.opened
    player.tell("hello", version=1, role="player", room=room, **who)
    assert await player.until("welcome") is not None, player.codes
    return player


async def play(port: int, people: int, soaked: Soaked) -> None:
    """Play one game, with a storm of reconnections in each round."""
    async with wire(port) as desk, wire(port) as host:
        await desk.hello("admin")
        await desk.until("welcome")
        await desk.send("open_room", ref=1, deck="first-class", length=ROUNDS)
        opened = await desk.until("room_opened")
        room = opened["room"]
        await host.prove("host", room, opened["host_key"])
        names = [{"name": f"Player {number}"} for number in range(people)]
        players = await asyncio.gather(*(enter(port, room, **who) for who in names))
        for round_index in range(ROUNDS):
            await _do(host, "open_round", "open_vote")
            await _all_vote(players, round_index, 1, soaked)
            players = await _storm(port, room, players)
            soaked.returns += people
            await _all_vote(players, round_index, 2, soaked)
            await _do(host, "close_votes", "reveal")
            await _do(host, "next_step", all=True)
        await _do(host, "finish")
        for player in players:
            player.close()
    soaked.games += 1


async def _do(host: Wire, *kinds: str, **fields: object) -> None:
    await host.do(*kinds, **fields)
    host.seen.clear()


async def _all_vote(
    players: list[Player], round_index: int, counter: int, soaked: Soaked
) -> None:
    labels = ("outer", "inner")
    await asyncio.gather(
        *(
            player.vote(round_index, counter, labels[(number + counter) % 2])
            for number, player in enumerate(players)
        )
    )
    soaked.votes += len(players)


async def _storm(port: int, room: str, players: list[Player]) -> list[Player]:
    """Cut every connection in the same moment; all come back together."""
    tokens = [str(player.last["welcome"]["token"]) for player in players]
    for player in players:
        player.close()
    back = (enter(port, room, token=token) for token in tokens)
    return list(await asyncio.gather(*back))


async def soak(folder: Path, duration_s: float, people: int) -> Soaked:
    """Play games on a server of its own for so long; return what was noted."""
    port = _free_port()
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "twogaps", "serve", "--host", "127.0.0.1",
        "--port", str(port), "--open", "--data", str(folder), "--log-level", "warning",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    soaked = Soaked()
    try:
        await _until_it_listens(port)
        start = time.monotonic()
        said_s = -SAY_S
        while (now_s := time.monotonic() - start) < duration_s:
            await play(port, people, soaked)
            await _until_all_are_gone(port)
            soaked.note(time.monotonic() - start, server.pid)
            if now_s - said_s > SAY_S:
                said_s = now_s
                print(
                    f"  {now_s:4.0f} s  {soaked.games} games  {soaked.rss[-1]:.0f} MiB "
                    f"{soaked.files[-1]:.0f} files",
                    flush=True,
                )
    finally:
        server.terminate()
        await server.wait()
    assert server.returncode == 0, "the server did not stop in good order"
    return soaked


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)


async def _until_all_are_gone(port: int) -> None:
    """Wait until the server has let go of the last game's connections."""
    await asyncio.sleep(0.3)
    async with wire(port) as probe:  # the loop has had its turn when this is answered
        await probe.hello("admin")
        await probe.until("welcome")


def judge(soaked: Soaked) -> list[str]:
    """Return what is not flat."""
    faults = []
    if soaked.growth(soaked.rss)[1] > MOST_MB:
        faults.append("memory is not flat")
    if soaked.growth(soaked.files)[1] > MOST_FILES:
        faults.append("open files are not flat")
    return faults


async def main(duration_s: float) -> int:
    """Soak, print, and judge; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        soaked = await soak(Path(folder), duration_s, PEOPLE)
    print(soaked.text())
    faults = judge(soaked)
    print("\n".join(faults) or "memory and open files are flat")
    return 1 if faults else 0


if __name__ == "__main__":
    given = float(sys.argv[1]) if len(sys.argv) > 1 else DURATION_S
    sys.exit(asyncio.run(main(given)))
