"""``twogaps case new``, ``lint`` and ``preview``: write a case and check it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from scenarios.exchange.flat import from_row
from scenarios.library import Library, ScenarioError
from scenarios.lint import EASIEST_GRADE, HARDEST_GRADE, LONGEST, SHORTEST, lint
from scenarios.load import BUILTIN, load_library
from scenarios.model import Case
from scenarios.prose import grade, plural
from scenarios.questions import Question, completed, fault_of, measure, questions
from scenarios.toml_text import case_text
from scenarios.validate import explain, validate
from server.app import Config, Running, running
from server.cli.cases.exchange import write_text
from server.cli.console import CasesOption, complain, err, fail, on_signal, out
from server.cli.logs import set_up_logging

INTERRUPTED = 130


def lint_cases(
    file: Annotated[
        Path | None,
        typer.Argument(help="Show only the findings for this case or deck file."),
    ] = None,
    cases: CasesOption = None,
    measures: Annotated[
        bool,
        typer.Option(
            "--measures", help="Show each story's word count and reading level."
        ),
    ] = False,
) -> None:
    """Check every case and deck; each problem comes with its file, key and fix.

    With --cases, your own cases are checked as well; --measures then shows only those.
    With FILE, only problems in that file are shown.
    """
    library = load_library(*_folders(file, cases or []))
    findings = [each for each in lint(library) if _concerns(file, each.file)]
    errors = [str(each) for each in library.problems if _concerns(file, each.file)]
    errors += [str(each) for each in findings if each.severity == "error"]
    for text in errors:
        complain(text)
    notes = [str(each) for each in findings if each.severity == "note"]
    notes += [str(each) for each in library.notes if _concerns(file, each.file)]
    for note in notes:
        _tell_note(note)
    if measures:
        _show_measures(library, file, own_only=bool(cases))
    if errors:
        raise typer.Exit(1)
    clean = "all clean" if not notes else f"no errors, notes: {len(notes)}"
    if file is not None:
        out.print(f"{file}: {clean}.", highlight=False, soft_wrap=True)
        return
    decks = plural(len(library.decks), "deck")
    out.print(f"{plural(len(library.cases), 'case')} and {decks}: {clean}.")


def _folders(file: Path | None, folders: list[Path]) -> list[Path]:
    """Return the folders to read, including the folder that contains a file."""
    if file is None:
        return folders
    home = file.resolve().parent.parent
    if not file.is_file() or file.resolve().parent.name not in ("cases", "decks"):
        raise fail(f"{file} is not a file in a folder 'cases' or 'decks'")
    return folders if home == BUILTIN else [*folders, home]


def _concerns(file: Path | None, about: Path | None) -> bool:
    return file is None or (about is not None and about.resolve() == file.resolve())


def _tell_note(note: str) -> None:
    err.print(f"[bold yellow]note:[/] {escape(note)}", highlight=False, soft_wrap=True)


def _show_measures(library: Library, file: Path | None, *, own_only: bool) -> None:
    table = Table(
        "case",
        f"words ({SHORTEST}-{LONGEST})",
        f"school grade ({EASIEST_GRADE:.0f}-{HARDEST_GRADE:.0f})",
    )
    for name, case in sorted(library.cases.items()):
        where = library.case_files[name]
        if (own_only and _is_built_in(where)) or not _concerns(file, where):
            continue
        table.add_row(name, str(len(case.story.split())), f"{grade(case.story):.1f}")
    out.print(table)


def _is_built_in(file: Path) -> bool:
    return file.is_relative_to(BUILTIN)


# --- preview -------------------------------------------------------------------------


def preview_case(
    case_id: Annotated[str, typer.Argument(metavar="ID")],
    cases: CasesOption = None,
    host: Annotated[
        str,
        typer.Option(
            help="Interface to listen on; 0.0.0.0 lets phones open the preview."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 picks a free one.")] = 0,
    is_opened: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the browser.")
    ] = True,
) -> None:
    """See a case as the class will, step by step, on a phone and the projector.

    This does not play or store anything. When you save the file, the page updates, or
    says what is wrong with the file.
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
        _must_be_there(server.library, case_id)
        if not server.is_web_built:
            raise fail("The browser pages are not built; see the README.")
        link = link_of(server, case_id)
        out.print(f"  Preview  [cyan]{link}[/]", highlight=False, soft_wrap=True)
        out.print("  Edit and save: the page updates. Stop with Ctrl-C.")
        if is_opened:
            await asyncio.to_thread(webbrowser.open, link)
        await stop.wait()


def link_of(server: Running, case_id: str) -> str:
    """Return the URL of a case's preview, including the key that opens it."""
    return f"{server.local_url}/preview#admin={server.admin_key}&case={case_id}"


def _must_be_there(library: Library, case_id: str) -> None:
    """Exit if a case does not exist; if its file is invalid, the page shows that."""
    mine = [each for each in library.problems if each.file.stem == case_id]
    for problem in mine:
        complain(str(problem))
    if mine:
        return
    try:
        library.case(case_id)
    except ScenarioError as exc:
        raise fail(str(exc)) from exc


# --- asking for a case ----------------------------------------------------------------


def new_case(
    into: Annotated[
        Path, typer.Option(help="Your folder; the case is written to cases/ in it.")
    ],
    case_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Short name; asked for if omitted."),
    ] = None,
) -> None:
    """Ask for a case and write its file; your answers are kept if you stop.

    You can also pipe answers in, one per line, with an empty line for no answer. To
    continue an interrupted interview, run the same command with the same ID.
    """
    asked = _Interview(into, {"id": case_id} if case_id else {})
    try:
        asked.run()
    except (typer.Abort, KeyboardInterrupt, EOFError) as exc:
        asked.keep()
        raise typer.Exit(INTERRUPTED) from exc
    asked.finish()


class _Interview:
    """The answers so far, saved to disk after each one."""

    def __init__(self, into: Path, answers: dict[str, str]) -> None:
        self._into = into
        self._answers = answers
        self._is_piped = not sys.stdin.isatty()
        if answers:
            self._open(answers["id"])

    def run(self) -> None:
        """Ask all questions that have not been answered yet."""
        for question in questions(self._answers):
            if question.column not in self._answers:
                self._answers[question.column] = self._ask(question)
                if question.column == "id":
                    self._open(self._answers["id"])
                self._save()

    def keep(self) -> None:
        """Print where the answers are saved, after an interruption."""
        if "id" not in self._answers:
            return
        err.print()
        name = self._answers["id"]
        again = f"twogaps case new {name} --into {self._into}"
        complain(f"Your answers are saved in {self._draft}. To continue: {again}")

    def finish(self) -> None:
        """Write the case file, remove the draft, and report what to fix."""
        case = validate(Case, from_row(completed(self._answers)))
        if not isinstance(case, Case):
            for problem in explain(self._draft, Case, case):
                complain(str(problem))
            raise fail(
                f"No case was written. Fix the answers in {self._draft}, then try "
                "again."
            )
        write_text(self._file, case_text(case))
        self._draft.unlink(missing_ok=True)
        out.print(f"Wrote {self._file}.", highlight=False)
        findings = lint(load_library(self._into))
        for finding in findings:
            if finding.file == self._file:
                complain(str(finding))
        tail = f"--cases {self._into}"
        out.print(f"See it: twogaps case preview {case.id} {tail}", highlight=False)
        out.print(f"Check it: twogaps case lint {tail}", highlight=False)

    def _open(self, name: str) -> None:
        """Load the draft with that name; refuse the name of a finished case."""
        fault = fault_of("id", {"id": name})
        if fault is not None:
            raise fail(f"'{name}': {fault}")
        self._draft = self._into / "drafts" / f"{name}.json"
        self._file = self._into / "cases" / f"{name}.toml"
        if self._file.exists():
            raise fail(f"{self._file} already exists. Edit it, or choose another ID.")
        if not self._draft.exists():
            return
        try:
            kept = json.loads(self._draft.read_text(encoding="utf-8"))
        except ValueError as exc:
            raise fail(
                f"{self._draft} cannot be read: {exc}. Fix or remove it."
            ) from exc
        self._answers.update({str(key): str(value) for key, value in kept.items()})
        answers = plural(len(kept), "answer")
        out.print(f"Continuing with {answers} from {self._draft}.")

    def _ask(self, question: Question) -> str:
        while True:
            answer = self._prompt(question)
            fault = "an answer is needed" if not answer else None
            if question.is_optional and not answer:
                return ""
            fault = fault or fault_of(
                question.column, {**self._answers, question.column: answer}
            )
            if fault is None:
                if question.column == "story":
                    out.print(f"  {measure(answer)}", style="dim")
                return answer
            complain(f"{question.column}: {fault}")
            if self._is_piped:
                raise typer.Abort

    def _prompt(self, question: Question) -> str:
        optional = " (may be empty)" if question.is_optional else ""
        default = question.default or ""
        return str(
            typer.prompt(
                f"{question.words}{optional}",
                default=default,
                show_default=bool(default),
            )
        ).strip()

    def _save(self) -> None:
        text = json.dumps(self._answers, indent=2, ensure_ascii=False)
        write_text(self._draft, text + "\n")
