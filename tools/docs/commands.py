"""Render docs/commands.md: every command of ``twogaps`` with its help and options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from server.cli import COMMANDS
from tools.docs.reference import MARK, table

LEAD = """\
This page lists the `--help` text of every command. Defaults are in brackets, followed
by the environment variable that sets the option, if there is one."""


def render() -> str:
    """Return the reference of the command line, as Markdown."""
    lines = ["# Commands", "", MARK, "", LEAD, ""]
    for entry in COMMANDS:
        loaded = entry.load()
        app = loaded if isinstance(loaded, typer.Typer) else _single(loaded)
        command = typer.main.get_command(app)
        if isinstance(command, TyperGroup):
            for verb, child in command.commands.items():
                lines += _command(child, f"twogaps {entry.name} {verb}")
        else:
            lines += _command(command, f"twogaps {entry.name}")
    return "\n".join(lines).rstrip() + "\n"


def _single(function: Callable[..., None]) -> typer.Typer:
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return app


def _command(command: object, name: str) -> Iterator[str]:
    """Yield the lines that document a command."""
    if not isinstance(command, TyperCommand):
        raise TypeError(f"{name} is not a command of Typer")
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    usage = " ".join([name, *(_metavar(each) for each in arguments)])
    yield from (f"## {name}", "", f"`{usage}`", "", _help(command), "")
    rows = [
        (_names(each), _explained(each))
        for each in command.params
        if isinstance(each, TyperOption) and each.name != "help" and not each.hidden
    ]
    if rows:
        yield from (*table(("option", "what it does"), rows), "")


def _metavar(argument: TyperArgument) -> str:
    shown = argument.metavar or (argument.name or "").upper()
    return shown if argument.required else f"[{shown.strip('[]')}]"


def _help(command: TyperCommand) -> str:
    text = inspect.cleandoc(command.help or "").replace("\b", "")
    return text.replace("[b]", "`").replace("[/]", "`").replace("[/b]", "`")


def _names(option: TyperOption) -> str:
    return ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))


def _explained(option: TyperOption) -> str:
    default = option.default
    parts = [option.help or ""]
    if option.show_default and default not in (None, False, (), []):
        parts.append(f"[`{default}`]")
    if option.envvar:
        names = [option.envvar] if isinstance(option.envvar, str) else option.envvar
        parts += [f"`{name}`" for name in names]
    return " ".join(part for part in parts if part)
