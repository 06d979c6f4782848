"""Logs: what they contain, and above all what they do not."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from server import __version__
from server.cli.logs import JsonFormatter, PeopleFormatter, Repeats, Writer
from tests.support.http import get
from tests.support.program import GUARD_S, ROOT, Program
from tests.support.wire import wire

NAMES = ("Annegret", "Bartholomäus", "Чеслава", "Dagobert")
REASONS = (
    "the turbocharger",
    "weil der Fahrplan",
    "reason-zebra",
    "reason-yak",
    "sentence-zulu",
)
TELLING = (*NAMES, *REASONS, "Renamed-Xaver", "Stranger-Zoe", "outer", "inner")


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    made = Program(tmp_path, "--data", str(tmp_path / "data"), "--room", "first-class")
    yield made
    await made.kill()


async def test_a_whole_game_leaves_no_name_no_reason_and_no_label(
    program: Program,
) -> None:
    await program.start("--log-format", "json", "--log-level", "info")
    room, key = program.room
    port = program.port
    async with wire(port) as host, wire(port) as stranger:
        await host.prove("host", room, key)
        await _misbehave(stranger, room)
        await _play(port, room, host)
    ended = await program.stop()
    assert ended.code == 0
    for word in TELLING:
        assert word.casefold() not in ended.log.casefold()
    assert room in ended.log
    assert re.search("opened: deck first-class, [0-9]+ rounds", ended.log)
    entries = [json.loads(line) for line in ended.log.splitlines()]
    assert all(entry["version"] == __version__ for entry in entries)
    assert any(entry.get("room") == room for entry in entries)
    assert {"at", "level", "logger", "message"} <= entries[0].keys()


async def _misbehave(stranger, room: str) -> None:  # type: ignore[no-untyped-def] # Wire
    """Send what is refused, with a name in it."""
    await stranger.ws.send('{"type": "hello", "name": "Stranger-Zoe", "rubbish": 1}')
    await stranger.until("refused")
    await stranger.hello("player", room="NOSUCH", name="Stranger-Zoe")
    await stranger.until("refused", code="unknown_room")
    await stranger.hello("player", room=room, token="Stranger-Zoe.00")
    await stranger.until("refused", code="bad_token")


async def _play(port: int, room: str, host) -> None:  # type: ignore[no-untyped-def] # Wire
    """Play one round with everything a host may do about people."""
    async with wire(port) as a, wire(port) as b, wire(port) as c, wire(port) as d:
        players = {}
        for speaker, name in zip((a, b, c, d), NAMES, strict=True):
            players[name] = (await speaker.join(room, name))["player"]
        await host.do("change_settings", change={"auto_close": False})
        await host.do("open_round", "open_vote")
        for number, speaker in enumerate((a, b, c, d)):
            label = ("outer", "inner")[number % 2]
            await speaker.vote(label, reason=REASONS[number])
        await host.send("get_roster", ref=1, search="Annegret")
        await host.until("roster", ref=1)
        await host.do("rename", player=players["Dagobert"], name="Renamed-Xaver")
        await host.do("kick", player=players["Bartholomäus"])
        await host.do("close_votes", "reveal")
        await host.do("next_step", all=True)
        await host.do("pin_reason", player=players["Annegret"])
        await host.do("finish")
        await a.send("say_it", ref=7, round=0, text="sentence-zulu")
        await a.until("done", ref=7)


def written(formatter: logging.Formatter, quoted: str, **extra: object) -> str:
    """Return what is logged of a fault whose words quote a player."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    log = logging.Logger("twogaps.test")
    log.addHandler(handler)
    try:
        try:
            raise KeyError(quoted)
        except KeyError as exc:
            raise ValueError(quoted) from exc
    except ValueError:
        log.exception("a step failed", extra=extra)
    return out.getvalue()


@pytest.mark.parametrize("kind", [JsonFormatter, PeopleFormatter])
def test_an_error_is_logged_without_its_quotations(
    kind: type[JsonFormatter] | type[PeopleFormatter],
) -> None:
    discreet = written(kind("%(about)s%(message)s"), "Annegret", room="K7MQ2P")
    assert "Annegret" not in discreet
    for word in ("KeyError", "ValueError", "test_logs.py", "which led to", "K7MQ2P"):
        assert word in discreet
    frank = written(kind("%(about)s%(message)s", is_frank=True), "Annegret")
    assert "ValueError: Annegret" in frank


def test_messages_of_the_operating_system_are_logged() -> None:
    record = logging.LogRecord("x", logging.ERROR, "x", 1, "no", (), None)
    try:
        raise OSError(28, "No space left on device")
    except OSError as exc:
        record.exc_info = (type(exc), exc, exc.__traceback__)
    entry = json.loads(JsonFormatter().format(record))
    assert entry["exception"].endswith("OSError: [Errno 28] No space left on device")


def _piped(most_lines: int) -> tuple[logging.Logger, Writer, int]:
    """Return a logger that writes into a pipe, and the pipe's end to read from."""
    reading, writing = os.pipe()
    handler = Writer(os.fdopen(writing, "w"), most_lines, last_s=5)
    logger = logging.Logger("piped")
    logger.addHandler(handler)
    return logger, handler, reading


def test_a_pipe_that_is_not_read_drops_lines_and_holds_up_nothing() -> None:
    logger, handler, reading = _piped(most_lines=100)
    for number in range(5_000):  # 64 KB fill the pipe
        logger.info("line %d %s", number, "x" * 100)
    text, dropped, written = "", 0, [""]
    while len(written) + dropped < 5_000:
        text += os.read(reading, 1 << 16).decode()
        written = re.findall("^line .*\n", text, re.MULTILINE)
        counts = re.findall(r"(\d+) log lines were dropped.*\n", text)
        dropped = sum(map(int, counts))
    assert len(written) + dropped == 5_000
    assert dropped > 0
    assert written[0].startswith("line 0 ")
    handler.flush()
    logger.info("afterwards")
    assert os.read(reading, 100) == b"afterwards\n"
    os.close(reading)
    logger.info("a closed pipe raises nothing")
    handler.flush()


def test_many_records_of_one_kind_are_a_few_lines_a_minute() -> None:
    now_s = 0.0
    limit = Repeats(most=3, period_s=60, now_s=lambda: now_s)
    logger = logging.Logger("asyncio")
    logger.addFilter(limit)
    kept = _Kept()
    logger.addHandler(kept)
    for _ in range(1_000):
        logger.warning("socket.send() raised exception.")
    logger.warning("something else")
    now_s = 61.0
    logger.warning("socket.send() raised exception.")
    assert kept.lines == [
        *["socket.send() raised exception."] * 3,
        "something else",
        "socket.send() raised exception. (and 997 more like this before)",
    ]


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


async def test_a_server_answers_while_its_log_is_not_read(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twogaps", "serve", "--host", "127.0.0.1"),
        *("--port", "0", "--memory", "--log-level", "debug"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 10,  # what is read ahead of a reader that never comes
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        said = b""
        async with asyncio.timeout(GUARD_S):
            while b"Stop with Ctrl-C" not in said:
                said += await process.stdout.readline()
            found = re.search(rb"127\.0\.0\.1:(\d+)/host", said)
            assert found is not None
            port = int(found[1])
            for _ in range(30):
                with contextlib.suppress(ConnectionClosed):
                    async with wire(port) as stranger:
                        for _ in range(100):  # each is a few lines at level debug
                            await stranger.ws.send("x" * 200)
                        stranger.ws.transport.abort()
                assert (await get(port, "/livez")).status == 200
    finally:
        process.terminate()
        await process.communicate()
