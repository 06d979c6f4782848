"""Logs on stderr: one line an event, for people, or as JSON for programs.

A line about a room carries its code (``extra={"room": ...}``). At level info and above,
a log contains no names and no votes. The words of an exception may quote what a player
sent, so they are written at level debug only; its type and traceback always are.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import traceback
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType

import typer

from server import __version__
from server.disk import DiskError
from server.journal.store import StoreUnavailable

SPEAKABLE = (OSError, sqlite3.Error, StoreUnavailable, DiskError)
"""Exceptions that speak of the machine, not of people: their words may be logged."""


Fault = (
    tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
)
"""What :func:`sys.exc_info` returns."""


class LogFormat(StrEnum):
    """How the log is written."""

    TEXT = "text"
    JSON = "json"


class Discreet(logging.Formatter):
    """Writes tracebacks without the words of exceptions, unless told to speak."""

    def __init__(self, fmt: str | None = None, *, is_frank: bool = False) -> None:
        super().__init__(fmt)
        self._is_frank = is_frank

    def formatException(self, ei: Fault) -> str:  # noqa: N802 - as logging has it
        """Return the traceback of an ``exc_info``."""
        if self._is_frank or ei[1] is None:
            return super().formatException(ei)
        return "\n".join(_told(traceback.TracebackException(*ei), ei[1]))


class PeopleFormatter(Discreet):
    """A line for people; what concerns a room begins with its code."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and a traceback below it."""
        room = getattr(record, "room", None)
        record.about = f"room {room}: " if room else ""
        return super().format(record)


class JsonFormatter(Discreet):
    """An object a line: at, level, logger, message, version, and room or exception."""

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


def _told(exc: traceback.TracebackException, raised: BaseException) -> list[str]:
    """Return the lines of a traceback, causes first, without what was said."""
    lines: list[str] = []
    if exc.__cause__ is not None and raised.__cause__ is not None:
        lines += [*_told(exc.__cause__, raised.__cause__), "which led to:"]
    elif exc.__context__ is not None and not exc.__suppress_context__:
        assert raised.__context__ is not None
        lines += [*_told(exc.__context__, raised.__context__), "and while handling it:"]
    lines += [line.rstrip("\n") for line in exc.stack.format()]
    words = f": {raised}" if isinstance(raised, SPEAKABLE) else ""
    return [*lines, f"{type(raised).__name__}{words}"]


def set_up_logging(level: str, form: LogFormat = LogFormat.TEXT) -> None:
    """Log to stderr; the sockets' own chatter only when it matters."""
    names = logging.getLevelNamesMapping()
    if level.upper() not in names:
        raise typer.BadParameter(f"no such level: {level}", param_hint="--log-level")
    is_frank = names[level.upper()] <= logging.DEBUG
    handler = logging.StreamHandler()
    if form is LogFormat.JSON:
        handler.setFormatter(JsonFormatter(is_frank=is_frank))
    else:
        text = "%(asctime)s %(levelname)-7s %(name)s: %(about)s%(message)s"
        handler.setFormatter(PeopleFormatter(text, is_frank=is_frank))
    logging.basicConfig(level=names[level.upper()], handlers=[handler])
    chatter = logging.DEBUG if is_frank else logging.ERROR
    logging.getLogger("twogaps.websockets").setLevel(chatter)


def log_task_faults(loop: asyncio.AbstractEventLoop) -> None:
    """Log faults that no task waits for; asyncio's own words would quote them."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        raised = context.get("exception")
        logging.getLogger("twogaps").error(
            context["message"],
            exc_info=raised if isinstance(raised, BaseException) else None,
        )

    loop.set_exception_handler(handle)
