"""``twogaps protocol``: the wire, for people and for programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from server.cli.console import out
from server.game import diagram
from server.protocol import asyncapi, markdown, roles, schema


class Format(StrEnum):
    """What to print."""

    MARKDOWN = "markdown"
    PHASES = "phases"
    ROLES = "roles"
    ASYNCAPI = "asyncapi"
    SCHEMA = "schema"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(rich_help_panel="For programs")(protocol)


def protocol(
    form: Annotated[
        Format,
        typer.Option(
            "--format", "-f", help="markdown, phases, roles, asyncapi, schema."
        ),
    ] = Format.MARKDOWN,
    write: Annotated[
        Path | None, typer.Option(help="Write all of them into this folder instead.")
    ] = None,
) -> None:
    """Print the protocol: enough to write a client without reading our code."""
    texts = {
        Format.MARKDOWN: ("protocol.md", markdown.render()),
        Format.PHASES: ("phases.md", diagram.render()),
        Format.ROLES: ("roles.md", roles.render()),
        Format.ASYNCAPI: ("asyncapi.json", asyncapi.render()),
        Format.SCHEMA: ("protocol.schema.json", schema.render()),
    }
    if write is None:
        typer.echo(texts[form][1], nl=False)
        return
    write.mkdir(parents=True, exist_ok=True)
    for name, text in texts.values():
        (write / name).write_text(text)
        out.print(f"wrote {write / name}", highlight=False)
