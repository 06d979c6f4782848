"""``twogaps case preview``: the pages on one case, while its author edits it."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from scenarios.library import Library, ScenarioError
from server.app import Config, Running, running
from server.cli.console import CasesOption, complain, fail, on_signal, out
from server.cli.logs import set_up_logging


def preview_case(
    case_id: Annotated[str, typer.Argument(metavar="ID")],
    cases: CasesOption = None,
    host: Annotated[
        str, typer.Option(help="Interface to listen on; 0.0.0.0 lets a phone look.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 0,
    is_opened: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the browser.")
    ] = True,
) -> None:
    """See a case as the class will, moment by moment, on a phone and the projector.

    Nothing is played and nothing stored. Edit the file and save: the page follows, and
    says what is wrong where it cannot.
    """
    set_up_logging("warning")
    asyncio.run(_preview(case_id, tuple(cases or ()), host, port, is_opened))


async def _preview(
    case_id: str, folders: tuple[Path, ...], host: str, port: int, is_opened: bool
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        on_signal(loop, number, stop.set)
    async with running(Config(host=host, port=port, cases=folders)) as server:
        _check(server.library, case_id)
        if not server.is_web_built:
            raise fail("The browser pages are not built; see the README.")
        link = link_of(server, case_id)
        out.print(f"  Preview  [cyan]{link}[/]", highlight=False, soft_wrap=True)
        out.print("  Edit and save: the page follows. Stop with Ctrl-C.")
        if is_opened:
            await asyncio.to_thread(webbrowser.open, link)
        await stop.wait()


def link_of(server: Running, case_id: str) -> str:
    """Return the address of the preview of a case, with the key that opens it."""
    return f"{server.local_url}/preview#admin={server.admin_key}&case={case_id}"


def _check(library: Library, case_id: str) -> None:
    """Refuse a case that is nowhere; one whose file is left out is for the page."""
    mine = [each for each in library.problems if each.file.stem == case_id]
    for problem in mine:
        complain(str(problem))
    if mine:
        return
    try:
        library.case(case_id)
    except ScenarioError as exc:
        raise fail(str(exc)) from exc
