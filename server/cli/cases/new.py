"""``twogaps case new``: asks for a case, question by question, and writes its file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from scenarios.exchange.flat import from_row
from scenarios.lint import lint
from scenarios.load import load_library
from scenarios.model import Case
from scenarios.questions import Question, completed, fault_of, measure, questions
from scenarios.toml_text import case_text
from scenarios.validate import explain, validate
from server.cli.cases.exchange import write_text
from server.cli.console import complain, err, fail, out

INTERRUPTED = 130


def new_case(
    into: Annotated[
        Path, typer.Option(help="Your folder; the case is written to cases/ in it.")
    ],
    case_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Short name; asked for if absent."),
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
    """The answers so far, kept on disk after each."""

    def __init__(self, into: Path, answers: dict[str, str]) -> None:
        self._into = into
        self._answers = answers
        self._is_piped = not sys.stdin.isatty()
        if answers:
            self._open(answers["id"])

    def run(self) -> None:
        """Ask everything that is not answered yet."""
        for question in questions(self._answers):
            if question.column not in self._answers:
                self._answers[question.column] = self._ask(question)
                if question.column == "id":
                    self._open(self._answers["id"])
                self._save()

    def keep(self) -> None:
        """Say where the answers are, after an interruption."""
        if "id" not in self._answers:
            return
        err.print()
        name = self._answers["id"]
        again = f"twogaps case new {name} --into {self._into}"
        complain(f"Your answers are kept in {self._draft}. Go on with: {again}")

    def finish(self) -> None:
        """Write the file of the case, remove the draft, and report what to fix."""
        case = validate(Case, from_row(completed(self._answers)))
        if not isinstance(case, Case):
            for problem in explain(self._draft, Case, case):
                complain(str(problem))
            raise fail(f"No case yet. Fix the answers in {self._draft}, then retry.")
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
        """Take up the draft of that name; refuse the name of a finished case."""
        fault = fault_of("id", {"id": name})
        if fault is not None:
            raise fail(f"'{name}': {fault}")
        self._draft = self._into / "drafts" / f"{name}.json"
        self._file = self._into / "cases" / f"{name}.toml"
        if self._file.exists():
            raise fail(f"{self._file} is there already. Edit it, or choose another ID.")
        if not self._draft.exists():
            return
        try:
            kept = json.loads(self._draft.read_text(encoding="utf-8"))
        except ValueError as exc:
            raise fail(
                f"{self._draft} cannot be read: {exc}. Fix or remove it."
            ) from exc
        self._answers.update({str(key): str(value) for key, value in kept.items()})
        out.print(f"Going on with {len(kept)} answers from {self._draft}.")

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
