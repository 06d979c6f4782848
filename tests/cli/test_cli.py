"""The command line: help, errors that say what to do, exit codes."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

import server
from server.cli import COMMANDS
from server.cli.play import play_demo
from server.game.engine import replay
from server.game.ids import RoomCode
from server.game.outcomes import standings
from server.journal.sqlite import SqliteStore
from tests.support.cli import twogaps

ROOT = Path(__file__).parent.parent.parent
NAMES = [command.name for command in COMMANDS]


def run(*words: str) -> tuple[int, str]:
    """Run a command in this process; return exit code and all it wrote."""
    result = twogaps(*words, env={"COLUMNS": "100"})
    return result.exit_code, re.sub(r"\x1b\[[0-9;]*m", "", result.output)


def test_the_package_under_test_is_this_one() -> None:
    assert Path(server.__file__).is_relative_to(ROOT)


@pytest.mark.parametrize("command", NAMES)
def test_every_command_explains_itself(command: str) -> None:
    code, text = run(command, "--help")
    assert code == 0
    assert "Usage:" in text
    assert len(text) > 200


def test_the_program_lists_its_commands() -> None:
    code, text = run("--help")
    assert code == 0
    assert all(command in text for command in NAMES)


def test_the_version_is_printed() -> None:
    assert run("--version") == (0, f"twogaps {server.__version__}\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("case", "show", "no-such-case"), "there is no case"),
        (("deck", "show", "first-clas"), "did you mean 'first-class'"),
        (("room", "list", "--data", "/nonexistent/x"), "There is no journal"),
        (
            ("join", "K7MQ2P", "--name", "A", "--url", "http://127.0.0.1:1"),
            "127.0.0.1:1",
        ),
        (("host", "http://127.0.0.1:1/host"), "not a host link"),
        (("demo", "--deck", "no-such"), "no-such"),
    ],
)
def test_errors_say_what_is_wrong(words: tuple[str, ...], says: str) -> None:
    code, text = run(*words)
    assert code == 1
    assert says in " ".join(text.split())
    assert "Traceback" not in text


def test_a_wrong_option_is_another_exit_code() -> None:
    assert run("demo", "--players", "none")[0] == 2
    assert run("room", "forget", "--player", "x")[0] == 2


def test_cases_and_decks_are_shown() -> None:
    assert "coinrun" in run("case", "list")[1]
    assert "verdict" not in run("case", "list")[1]
    assert "inner" in run("case", "show", "coinrun-runs-past-coin")[1]
    assert run("case", "lint")[0] == 0
    assert "start here" in run("deck", "show", "first-class")[1]


async def test_the_demo_ends_alike_and_its_journal_replays_to_the_same_table(
    tmp_path: Path,
) -> None:
    ended = [
        await play_demo(30, 7, fast=True, deck="first-class", data=tmp_path / str(i))
        for i in range(2)
    ]
    (_, first), (room, second) = ended
    assert first == second
    assert len(first) == 30
    store = await SqliteStore.open(tmp_path / "1" / "journal.sqlite")
    state = replay(await store.load(RoomCode(room)))
    await store.close()
    assert standings(state) == second
    assert all(round_.is_revealed for round_ in state.rounds)


def test_rooms_are_listed_and_purged(tmp_path: Path) -> None:
    room, _ = asyncio.run(
        play_demo(5, 1, fast=True, deck="first-class", length=1, data=tmp_path)
    )
    data = ("--data", str(tmp_path))
    code, text = run("room", "list", *data)
    assert code == 0
    assert room in text
    assert "finished" in text
    assert "UTC" in text  # its journal names no time zone
    assert run("journal", "purge", *data)[0] == 1  # nothing is old
    code, text = run("room", "forget", room, "--player", "Zacharias", *data)
    assert code == 1
    assert "has no player 'Zacharias'" in " ".join(text.split())
    assert run("room", "forget", room, "--yes", *data)[0] == 0
    assert room not in run("room", "list", *data)[1]


async def test_serve_prints_links_and_a_qr_code_and_stops_on_request(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "twogaps", "serve", "--host", "127.0.0.1", "--port",
        "0", "--data", str(tmp_path), "--room", "first-class",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    text = ""
    async with asyncio.timeout(30):
        while "Ctrl-C" not in text:
            text += (await process.stdout.readline()).decode()
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "twogaps", "serve", "--port", "0",
            "--data", str(tmp_path), cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert second.stderr is not None
        complaint = (await second.stderr.read()).decode()
        assert await second.wait() == 1
    assert "Another Two Gaps server" in complaint
    assert "/host#room=" in text
    assert "/screen#room=" in text
    assert "/j/" in text
    assert "█" in text or "▄" in text
    process.terminate()
    async with asyncio.timeout(10):
        assert await process.wait() == 0
