"""``twogaps doctor``: check everything a class will need before it starts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import typer

from scenarios.prose import plural
from server.app import WEB
from server.cli.console import (
    CasesOption,
    DataOption,
    Finding,
    JournalOption,
    default_data,
    good,
    note,
    out,
    print_qr,
)
from server.cli.doctor import machine, network
from server.folder import is_served
from server.net.addresses import Addresses

MARKS = {"good": "[green]✓[/]", "note": "[yellow]![/]", "bad": "[bold red]✗[/]"}


def doctor(
    host: Annotated[
        str, typer.Option(envvar="TWOGAPS_HOST", help="Interface to listen on.")
    ] = "0.0.0.0",  # noqa: S104 - looked at as the server would use it
    port: Annotated[int, typer.Option(envvar="TWOGAPS_PORT")] = 8000,
    data: DataOption = None,
    journal: JournalOption = None,
    cases: CasesOption = None,
    broker: Annotated[
        str | None,
        typer.Option(envvar="TWOGAPS_BROKER", help="Also test this MQTT broker."),
    ] = None,
    broker_ca: Annotated[
        Path | None,
        typer.Option(
            envvar="TWOGAPS_BROKER_CA",
            help="CA certificate of the broker (PEM).",
        ),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(envvar="TWOGAPS_SITE", help="This site's name at the broker."),
    ] = None,
    phone: Annotated[
        bool,
        typer.Option("--phone", help="Also wait until a phone opens a page here."),
    ] = False,
) -> None:
    """Check ports, disk, limits, clock, pages, cases and the broker, and say what
    to fix.

    Use the same options as twogaps serve. Exit code: 0 if everything is ready for
    class, 1 if there are problems to fix first.
    """
    folder = data or default_data()
    findings = [
        *_show(machine.look(WEB, tuple(cases or ()))),
        *_show(machine.look_at_folder(folder, journal)),
        *_show(network.look(host, port)),
    ]
    if broker is not None:
        findings += _show(iter([_broker(broker, site, broker_ca, folder, port)]))
    if phone:
        findings += _show(iter([_phone(host, port)]))
    failed = [finding for finding in findings if finding.verdict == "bad"]
    if failed:
        out.print(f"\n{plural(len(failed), 'problem')} to fix before class.")
        raise typer.Exit(1)
    out.print("\nReady for class.")


def _show(found: Iterator[Finding]) -> list[Finding]:
    """Print each finding as it arrives; return them all."""
    shown = []
    for finding in found:
        shown.append(finding)
        mark, part = MARKS[finding.verdict], finding.part.ljust(12)
        out.print(f"{mark} {part} {finding.says}", highlight=False, soft_wrap=True)
        if finding.remedy:
            out.print(f"  → {finding.remedy}", highlight=False, soft_wrap=True)
    return shown


def _broker(
    url: str, site: str | None, authority: Path | None, folder: Path, port: int
) -> Finding:
    """Test the broker, or ask a running server that is already connected to it."""
    if not is_served(folder):
        return asyncio.run(network.look_at_broker(url, site, authority))
    if network.ask(port, "/healthz") == HTTPStatus.OK:
        return good("broker", "connected: the running server is healthy")
    return note(
        "broker",
        "a server is running, but part of it is unhealthy",
        f"See http://127.0.0.1:{port}/healthz; stop the server to test the broker "
        "from here.",
    )


def _phone(host: str, port: int) -> Finding:
    """Show a URL and wait for a phone to open it."""
    url = Addresses(host, port).url + "/"
    if network.is_ours(port):
        return note(
            "phone",
            "a server is running on this port",
            f"Open {url} on a phone: if the page loads, phones get through.",
        )
    out.print(f"\nOpen this on a phone within 90 seconds: {url}")
    print_qr(url)
    return asyncio.run(network.phone(host, port, url))
