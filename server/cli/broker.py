"""``twogaps broker``: the users and rights of the sites, as files for Mosquitto."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Annotated

import typer

from server.cli.console import fail, out
from server.relay.access import CONFIGURATION, password_line, rights

broker_app = typer.Typer(
    no_args_is_help=True,
    help="Set up a broker for one game across sites (Mosquitto).",
)

FolderOption = Annotated[
    Path, typer.Option("--folder", help="Where the broker's files are.")
]
DEFAULT_FOLDER = Path("broker")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.add_typer(broker_app, name="broker", rich_help_panel="Across sites")


@broker_app.command("init")
def init(
    folder: FolderOption = DEFAULT_FOLDER,
    address: Annotated[str, typer.Option(help="Interface to listen on.")] = "0.0.0.0",  # noqa: S104 - the sites are elsewhere; every user has a password
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 1883,
) -> None:
    """Write a configuration that lets in only the sites that are added."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mosquitto.conf"
    if path.exists():
        raise fail(f"{path} exists already. Remove it first to start anew.")
    path.write_text(
        CONFIGURATION.format(port=port, address=address, folder=folder.resolve())
    )
    for name in ("passwords", "rights"):
        (folder / name).touch(mode=0o600)
    out.print(f"Wrote {path}. Add the sites, then: mosquitto -c {path}")


@broker_app.command("add-site")
def add_site(
    name: Annotated[str, typer.Argument(help="Small letters, digits and hyphens.")],
    home: Annotated[
        bool, typer.Option("--home", help="The site may also open rooms for others.")
    ] = False,
    folder: FolderOption = DEFAULT_FOLDER,
    address: Annotated[
        str, typer.Option(help="The broker's address as the site reaches it.")
    ] = "BROKER",
) -> None:
    """Give a site a user, a random password, and its rights; print its command."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
        raise fail(f"'{name}' is no name for a site: small letters, digits, hyphens.")
    users, acl = folder / "passwords", folder / "rights"
    if not users.exists() or not acl.exists():
        raise fail(f"There is no broker in {folder}: run twogaps broker init first.")
    if f"user {name}\n" in acl.read_text():
        raise fail(f"There is a site '{name}' already.")
    password = secrets.token_urlsafe(18)
    line = password_line(name, password, secrets.token_bytes(12))
    users.write_text(users.read_text() + line + "\n")
    acl.write_text(acl.read_text() + rights(name, is_home=home) + "\n")
    out.print(f"Site {name} may connect once the broker has read its files again.")
    command = f"twogaps serve --site {name} --broker mqtt://{name}:{password}@{address}"
    out.print(f"  {command}", highlight=False, soft_wrap=True)
