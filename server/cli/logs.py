"""Logs to stderr, one line per event: text for people or JSON for programs.

A line about a room includes its code (``extra={"room": ...}``). At level info and
above, logs contain no names and no votes. The message of an exception may quote input
from a player, so it is logged only at level debug; its type and traceback always are.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import queue
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import TextIO

import typer

from server import __version__
from server.disk import DiskError
from server.journal.store import StoreUnavailable

SPEAKABLE = (OSError, sqlite3.Error, StoreUnavailable, DiskError)
"""Exceptions about the machine and not about people, whose messages may be logged."""


Fault = (
    tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
)
"""The type of the result of :func:`sys.exc_info`."""


class LogFormat(StrEnum):
    """The format of the log."""

    TEXT = "text"
    JSON = "json"


class Discreet(logging.Formatter):
    """Formats tracebacks without exception messages, unless ``is_frank`` is set."""

    def __init__(self, fmt: str | None = None, *, is_frank: bool = False) -> None:
        super().__init__(fmt)
        self._is_frank = is_frank

    def formatException(self, ei: Fault) -> str:  # noqa: N802 - as logging has it
        """Return the traceback for an ``exc_info``."""
        if self._is_frank or ei[1] is None:
            return super().formatException(ei)
        return "\n".join(_messages_left_out(traceback.TracebackException(*ei), ei[1]))


class PeopleFormatter(Discreet):
    """Formats a line for people; lines about a room start with its code."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, followed by the traceback if there is one."""
        room = getattr(record, "room", None)
        record.about = f"room {room}: " if room else ""
        return super().format(record)


class JsonFormatter(Discreet):
    """Formats one JSON object per line.

    Its keys are at, level, logger, message and version, plus room and exception.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the object as one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, object] = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "version": __version__,
        }
        if (room := getattr(record, "room", None)) is not None:
            entry["room"] = room
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class Writer(logging.Handler):
    """Writes lines in a separate thread, so that a full pipe does not block the server.

    Lines that do not fit into the queue are dropped and counted. A line reports their
    number when the stream accepts lines again.
    """

    def __init__(
        self, stream: TextIO | None, most_lines: int = 2_000, last_s: float = 0.5
    ) -> None:
        """At most ``most_lines`` are queued; :meth:`flush` waits up to ``last_s``."""
        super().__init__()
        self._stream = stream
        self._last_s = last_s
        self._lines: queue.Queue[str] = queue.Queue(most_lines)
        self._dropped = 0
        threading.Thread(target=self._run, name="log-writer", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line, or count it as dropped if the queue is full."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._dropped += 1
        except Exception:  # noqa: BLE001 - like every logging handler
            self.handleError(record)

    def flush(self) -> None:
        """Wait a short time for the queued lines to be written."""
        until = time.monotonic() + self._last_s
        while self._lines.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)

    def _run(self) -> None:
        while True:
            self._write(self._lines.get())
            if self._dropped and self._lines.empty():
                self.acquire()
                dropped, self._dropped = self._dropped, 0
                self.release()
                text = "%d log lines were dropped because the log was not read in time"
                about = ("twogaps", logging.WARNING, "", 0, text, (dropped,), None)
                self._write(self.format(logging.LogRecord(*about)))
            self._lines.task_done()

    def _write(self, line: str) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError, ValueError):  # closed by the other end
                self._stream.write(f"{line}\n")
                self._stream.flush()


class Repeats(logging.Filter):
    """Limits the records of each kind per period and reports how many it suppressed.

    asyncio logs a line for each write to a closed connection, and for each connection
    that it has no file descriptor for, so a stranger could flood the log.
    """

    def __init__(
        self,
        most: int = 5,
        period_s: float = 60.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """At most ``most`` records of one kind pass in ``period_s`` seconds."""
        super().__init__()
        self._most = most
        self._period_s = period_s
        self._now_s = now_s
        self._seen: dict[str, tuple[float, int]] = {}
        """When each kind's period began, and how many records came since then."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record passes; its kind is its text without arguments."""
        kind, now_s = str(record.msg), self._now_s()
        began_s, n = self._seen.get(kind, (now_s, 0))
        if now_s - began_s >= self._period_s:
            if n > self._most:
                record.msg = f"{kind} (and {n - self._most} more like this before)"
            began_s, n = now_s, 0
        if len(self._seen) > 100:
            self._seen.clear()
        self._seen[kind] = began_s, n + 1
        return n < self._most


def _messages_left_out(
    exc: traceback.TracebackException, raised: BaseException
) -> list[str]:
    """Return the lines of a traceback, causes first, without the messages."""
    lines: list[str] = []
    if exc.__cause__ is not None and raised.__cause__ is not None:
        lines += [*_messages_left_out(exc.__cause__, raised.__cause__), "which led to:"]
    elif (
        exc.__context__ is not None
        and raised.__context__ is not None
        and not exc.__suppress_context__
    ):
        lines += [
            *_messages_left_out(exc.__context__, raised.__context__),
            "and while handling it:",
        ]
    lines += [line.rstrip("\n") for line in exc.stack.format()]
    words = f": {raised}" if isinstance(raised, SPEAKABLE) else ""
    return [*lines, f"{type(raised).__name__}{words}"]


def set_up_logging(level: str, form: LogFormat = LogFormat.TEXT) -> None:
    """Log to stderr, with only the important messages from the websockets library."""
    names = logging.getLevelNamesMapping()
    if level.upper() not in names:
        raise typer.BadParameter(f"no such level: {level}", param_hint="--log-level")
    is_frank = names[level.upper()] <= logging.DEBUG
    handler = Writer(sys.stderr)
    if form is LogFormat.JSON:
        handler.setFormatter(JsonFormatter(is_frank=is_frank))
    else:
        text = "%(asctime)s %(levelname)-7s %(name)s: %(about)s%(message)s"
        handler.setFormatter(PeopleFormatter(text, is_frank=is_frank))
    logging.basicConfig(level=names[level.upper()], handlers=[handler])
    chatter = logging.DEBUG if is_frank else logging.ERROR
    logging.getLogger("twogaps.websockets").setLevel(chatter)
    for name in ("asyncio", "twogaps.loop"):
        logging.getLogger(name).addFilter(Repeats())


def log_task_faults(loop: asyncio.AbstractEventLoop) -> None:
    """Log exceptions in unawaited tasks; asyncio's own message would quote them."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        raised = context.get("exception")
        logging.getLogger("twogaps.loop").error(
            str(context["message"]).replace("%", "%%"),
            exc_info=raised if isinstance(raised, BaseException) else None,
        )

    loop.set_exception_handler(handle)
