"""Helpers for all commands: output, errors, findings, data folder, options, signals."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_type_hints

import segno
import typer
from rich.console import Console
from rich.markup import escape

from server.folder import CannotStart
from server.report.sentences import class_time

out = Console()
err = Console(stderr=True)


def complain(text: str) -> None:
    """Print an error, which should say what is wrong and what to do."""
    err.print(f"[bold red]twogaps:[/] {escape(text)}", highlight=False, soft_wrap=True)


def fail(text: str) -> typer.Exit:
    """Print an error; return the exit for the caller to raise."""
    complain(text)
    return typer.Exit(1)


Verdict = Literal["good", "note", "bad"]
"""``good``: works. ``note``: works, with a remark. ``bad``: a class would notice."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of checking one part."""

    part: str
    verdict: Verdict
    says: str
    remedy: str = ""
    """What to do, in plain words; empty if there is nothing to do."""


def good(part: str, says: str) -> Finding:
    """Return a finding for a part that works."""
    return Finding(part, "good", says)


def note(part: str, says: str, remedy: str) -> Finding:
    """Return a finding for a part that works, with a remark."""
    return Finding(part, "note", says, remedy)


def bad(part: str, says: str, remedy: str) -> Finding:
    """Return a finding for a part that will fail in class."""
    return Finding(part, "bad", says, remedy)


def default_data() -> Path:
    """Return the user's data folder, which contains the journal by default."""
    if base := os.environ.get("XDG_DATA_HOME"):
        return Path(base) / "twogaps"
    try:
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
            return Path(local) / "twogaps"
        return Path.home() / ".local" / "share" / "twogaps"
    except RuntimeError as exc:
        raise CannotStart(
            "This user has no home folder. Choose a folder for the journal with --data "
            "or TWOGAPS_DATA."
        ) from exc


def date_of(ms: int, zone: str | None) -> str:
    """Format UTC milliseconds in the class's local time, with the time zone."""
    return class_time(ms, zone).strftime("%Y-%m-%d %H:%M %Z")


def can_draw_qr() -> bool:
    """Whether the console can show a QR code.

    This needs half-block characters, which are missing from most encodings other than
    UTF-8 and from the console fonts before Windows 10.
    """
    if out.legacy_windows or out.is_dumb_terminal:
        return False
    try:
        "\u2580\u2584\u2588".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def print_qr(url: str) -> bool:
    """Print a QR code; return whether the console can show one."""
    if can_draw_qr():
        segno.make(url, error="l").terminal(compact=True, border=2)
        return True
    return False


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="TWOGAPS_DATA",
        help="Folder that contains the journal.  [default: ~/.local/share/twogaps; on "
        "Windows %LOCALAPPDATA%\\twogaps]",
        show_default=False,
    ),
]
JournalOption = Annotated[
    str | None,
    typer.Option(
        "--journal",
        envvar="TWOGAPS_JOURNAL",
        help="Address of the journal, if it is not in the data folder: sqlite:FILE, or "
        "postgresql://USER:PASSWORD@HOST/DATABASE.",
        show_default=False,
    ),
]
UrlOption = Annotated[
    str,
    typer.Option(
        "--url", envvar="TWOGAPS_URL", help="Address of the server, as in a browser."
    ),
]
CasesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--cases",
        envvar="TWOGAPS_CASES",
        help="A folder with your own cases/*.toml and decks/*.toml; repeatable.",
    ),
]
SemicolonsOption = Annotated[
    bool,
    typer.Option(
        "--semicolons",
        help="CSV with semicolons and decimal commas, for spreadsheets in German, "
        "French, Spanish and similar languages.",
    ),
]


def on_signal(
    loop: asyncio.AbstractEventLoop, number: int, action: Callable[[], None]
) -> None:
    """Call ``action`` in the event loop when a signal arrives, even on Windows."""
    try:
        loop.add_signal_handler(number, action)
    except NotImplementedError:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(action))


Options = TypeVar("Options")


def with_options(
    kind: Callable[..., Options],
) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Return a decorator for a command whose options are the fields of a dataclass.

    ``kind`` is the dataclass; its fields are written like the parameters of a command:
    ``port: Annotated[int, typer.Option(...)] = 8000``.
    """
    hints = get_type_hints(kind, include_extras=True)
    signature = inspect.signature(kind)
    signature = signature.replace(
        parameters=[
            each.replace(annotation=hints[each.name])
            for each in signature.parameters.values()
        ],
        return_annotation=None,
    )

    def decorated(run: Callable[[Options], None]) -> Callable[..., None]:
        def command(**given: object) -> None:
            run(kind(**given))

        command.__name__, command.__doc__ = run.__name__, run.__doc__
        command.__module__ = run.__module__
        command.__annotations__ = {}
        command.__signature__ = signature  # type: ignore[attr-defined] # typer reads it
        return command

    return decorated
