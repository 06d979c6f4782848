"""The ``twogaps`` command line: its commands are a noun followed by a verb.

:data:`COMMANDS` lists every command. A command's module is imported only when that
command is run, so that ``--version`` and ``--help`` respond quickly.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from server import __version__

PLAY = "Play"
ROOMS = "Rooms and journal"
LIBRARY = "Cases"
SITES = "Across sites"

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Command:
    """The first word after ``twogaps``: a command, or a noun that has verbs."""

    name: str
    panel: str
    about: str
    """The first paragraph of its help, so that it can be shown without an import. A
    test checks that they are the same."""

    load: Callable[[], Callable[..., None] | typer.Typer]


# --- commands of one word ------------------------------------------------------------


def _play() -> Callable[..., None]:
    from server.cli.play import play

    return play


def _serve() -> Callable[..., None]:
    from server.cli.serve import serve

    return serve


def _demo() -> Callable[..., None]:
    from server.cli.play import demo

    return demo


def _doctor() -> Callable[..., None]:
    from server.cli.doctor import doctor

    return doctor


def _host() -> Callable[..., None]:
    from server.cli.terminal import host

    return host


def _join() -> Callable[..., None]:
    from server.cli.terminal import join

    return join


# --- nouns ---------------------------------------------------------------------------


def _room() -> typer.Typer:
    from server.cli.journal import forget, rooms
    from server.cli.move import move_room, take_room
    from server.cli.report import report, rescore
    from server.cli.terminal import new_link, players

    room = _noun("List rooms, write reports, and move rooms between sites.")
    room.command("list")(rooms)
    room.command("practice")(players)
    room.command("report")(report)
    room.command("rescore")(rescore)
    room.command("new-link")(new_link)
    room.command("move")(move_room)
    room.command("take")(take_room)
    room.command("forget")(forget)
    return room


def _journal() -> typer.Typer:
    from server.cli.journal import purge
    from server.cli.maintenance import backup, check, copy, restore, salvage

    journal = _noun("Back up, restore, check and clean up the stored rooms.")
    journal.command("backup")(backup)
    journal.command("restore")(restore)
    journal.command("check")(check)
    journal.command("copy")(copy)
    journal.command("purge")(purge)
    journal.command("salvage")(salvage)
    return journal


def _fleet() -> typer.Typer:
    from server.cli.fleet import up
    from server.cli.move import drain, list_nodes, share_cases

    fleet = _noun("Try a fleet on this machine, list and drain nodes, and share cases.")
    fleet.command("up")(up)
    fleet.command("list")(list_nodes)
    fleet.command("drain")(drain)
    fleet.command("cases")(share_cases)
    return fleet


def _case() -> typer.Typer:
    from server.cli import cases

    case = _noun("Browse the cases; write and check your own.")
    case.command("list")(cases.list_cases)
    case.command("show")(cases.show_case)
    case.command("stats")(cases.show_stats)
    case.command("new")(cases.new_case)
    case.command("preview")(cases.preview_case)
    case.command("lint")(cases.lint_cases)
    case.command("export")(cases.export_cases)
    case.command("import")(cases.import_cases)
    return case


def _deck() -> typer.Typer:
    from server.cli.cases import list_decks, show_deck

    deck = _noun("Browse the decks.")
    deck.command("list")(list_decks)
    deck.command("show")(show_deck)
    return deck


def _broker() -> typer.Typer:
    from server.cli import broker

    noun = typer.Typer(no_args_is_help=True, help=broker.HELP, rich_markup_mode="rich")
    noun.command("run")(broker.run)
    noun.command("configure")(broker.configure)
    noun.command("add-site")(broker.add_site)
    noun.command("remove-site")(broker.remove_site)
    noun.command("list-sites")(broker.list_sites)
    return noun


def _noun(about: str) -> typer.Typer:
    return typer.Typer(no_args_is_help=True, help=about)


COMMANDS: tuple[Command, ...] = (
    Command(
        "play",
        PLAY,
        "Play with a class: start the server, open the console, show the QR code.",
        _play,
    ),
    Command(
        "serve",
        PLAY,
        "Run the server: phones join over the network; you open rooms with the admin "
        "link.",
        _serve,
    ),
    Command(
        "demo",
        PLAY,
        "Watch a whole game in this terminal: a server, a room and practice players.",
        _demo,
    ),
    Command(
        "doctor",
        PLAY,
        "Check ports, disk, limits, clock, pages, cases and the broker, and say what "
        "to fix.",
        _doctor,
    ),
    Command("host", PLAY, "Run a room from this terminal.", _host),
    Command("join", PLAY, "Play in this terminal.", _join),
    Command(
        "room",
        ROOMS,
        "List rooms, write reports, and move rooms between sites.",
        _room,
    ),
    Command(
        "journal",
        ROOMS,
        "Back up, restore, check and clean up the stored rooms.",
        _journal,
    ),
    Command("case", LIBRARY, "Browse the cases; write and check your own.", _case),
    Command("deck", LIBRARY, "Browse the decks.", _deck),
    Command(
        "broker",
        SITES,
        "Run the broker that connects sites, and manage who may use it.",
        _broker,
    ),
    Command(
        "fleet",
        SITES,
        "Try a fleet on this machine, list and drain nodes, and share cases.",
        _fleet,
    ),
)

RENAMED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("rooms",): ("room", "list"),
    ("players",): ("room", "practice"),
    ("report",): ("room", "report"),
    ("rescore",): ("room", "rescore"),
    ("move-room",): ("room", "move"),
    ("take-room",): ("room", "take"),
    ("backup",): ("journal", "backup"),
    ("restore",): ("journal", "restore"),
    ("purge", "--room"): ("room", "forget"),
    ("purge",): ("journal", "purge"),
    ("salvage", "--check"): ("journal", "check"),
    ("salvage",): ("journal", "salvage"),
    ("cases",): ("case",),
    ("decks",): ("deck",),
    ("broker", "mosquitto"): ("broker", "configure"),
    ("broker", "sites"): ("broker", "list-sites"),
}
"""Command names until version 0.1: a word, a noun and its verb, or a word with an
option. They are accepted until 0.2. Longer names come first."""


def renamed(words: Sequence[str]) -> list[str]:
    """Translate earlier command names into current ones, with a notice on stderr."""
    for old, new in RENAMED.items():
        rest = _after(old, words)
        if rest is not None:
            return _told(old, new, rest)
    if words[:1] == ["broker"] and words[1:2] != ["--help"]:
        is_bare = len(words) == 1 or words[1].startswith("--")
        if is_bare:
            return _told(("broker",), ("broker", "run"), words[1:])
    return list(words)


def _after(old: tuple[str, ...], words: Sequence[str]) -> list[str] | None:
    """Return the arguments after an earlier name; None if the line does not use it.

    An option that is part of the name may be anywhere in the line.
    """
    name, *option = old
    rest = list(words[1:])
    if list(words[:1]) != [name]:
        return None
    for word in option:
        is_there = word in rest if word.startswith("-") else rest[:1] == [word]
        if not is_there:
            return None
        rest.remove(word)
    return rest


def _told(old: tuple[str, ...], new: tuple[str, ...], rest: Sequence[str]) -> list[str]:
    typer.echo(
        f"'twogaps {' '.join(old)}' is now 'twogaps {' '.join(new)}'; the old name "
        "will be removed in version 0.2.",
        err=True,
    )
    return [*new, *rest]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"twogaps {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Hold the options of the program itself."""


def _unloaded() -> None:
    """Stand for a command that ``--help`` lists but does not import."""


def program(words: Sequence[str] | None = None) -> typer.Typer:
    """Return the program, ready to run a command line.

    Only the command that ``words`` starts with is imported; without words, all are.
    """
    app = typer.Typer(
        name="twogaps",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="A live classroom game: where did the AI system fail, at the [b]outer[/b] "
        "gap (we wrote the wrong thing) or at the [b]inner[/b] gap (it learned the "
        "wrong thing)?",
        epilog="To try it: twogaps demo. To play with a class: twogaps play. Exit "
        "codes: 0 success, 1 failure (the message says why), 2 invalid option, 130 "
        "interrupted.",
        rich_markup_mode="rich",
    )
    app.callback()(_root)
    wanted = None
    if words is not None:
        wanted = next((word for word in words if not word.startswith("-")), "")
    for command in COMMANDS:
        if wanted is None or command.name == wanted:
            _attach(app, command)
        else:
            listed = app.command(
                command.name, help=command.about, rich_help_panel=command.panel
            )
            listed(_unloaded)
    return app


def _attach(app: typer.Typer, command: Command) -> None:
    loaded = command.load()
    if isinstance(loaded, typer.Typer):
        app.add_typer(loaded, name=command.name, rich_help_panel=command.panel)
    else:
        app.command(command.name, rich_help_panel=command.panel)(loaded)


def _prepare_streams() -> None:
    """Make output replace characters that the console cannot show with "?"."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _drop_foreign_settings() -> None:
    """Remove variables that Kubernetes sets for a Service with the name ``twogaps``."""
    for name in ("TWOGAPS_PORT", "TWOGAPS_METRICS_PORT"):
        if "://" in os.environ.get(name, ""):
            del os.environ[name]


def main() -> None:
    """Run the command line. This is the entry point ``twogaps``."""
    _prepare_streams()
    _drop_foreign_settings()
    words = renamed(sys.argv[1:])
    is_completing = "_TWOGAPS_COMPLETE" in os.environ
    try:
        program(None if is_completing else words)(words, prog_name="twogaps")
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as exc:
        from server.cli.console import complain
        from server.folder import CannotStart

        if not isinstance(exc, CannotStart):
            raise
        complain(str(exc))
        sys.exit(EXIT_FAILED)
