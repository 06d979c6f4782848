"""Render docs/evidence.md: how certain each true story is, and what we have read."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from scenarios.load import load_library
from scenarios.model import Case, Source
from scenarios.stats import GRADES

TEXT = """# How sure are the facts?

`python -m tools.docs` generates this page from the case files. Of {total} true stories,
{told}.

- **Confirmed in source** means that we have seen the deciding words in the original
  text, or in stored copies of it that agree. This page quotes these words. In November
  2026, we looked for each quotation again in public copies; if we did not find it, the
  last column says so.
- **Secondary** means that the story is based on what others have written about it.
- **Disputed** means that sources contradict each other about the facts. If experts
  disagree about the *label* of a case, the case is *contested*, which is a different
  matter.

The note of each source says how much of it we have read, and what we wrote from memory.
To see the notes, run `twogaps case show ID` or open the case's file. Invented stories
are not listed here, because they need no evidence. Their notes name the real case on
which they are based.

## Confirmed in source

| case | the words | where |
|---|---|---|
{confirmed}

## Disputed

| case | what was read |
|---|---|
{disputed}

## Secondary

Each of these stories has one source, unless the table says two.

| case | sources | what was read |
|---|---|---|
{secondary}

## Thirty cases checked again

In November 2026, we drew thirty cases at random and checked them fact by fact against
public copies of the sources. The result: {checked}.
"Not seen again" means that we found no public copy of the passage that day. The note of
the source says how it was read before.

| case | fact | source | seen | verdict |
|---|---|---|---|---|
{checks}
"""
CHECKS = Path(__file__).with_name("checks.tsv")


class Check(NamedTuple):
    """One fact in a story that was checked against its source after it was written."""

    case: str
    fact: str
    source: str
    seen: str
    verdict: str
    """One of VERDICTS, followed by a colon and the correction if there was one."""


VERDICTS = ("right", "corrected", "not seen again", "disputed")


def read_checks() -> list[Check]:
    """Return the facts that were checked, in the order of the file."""
    with CHECKS.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Check(*row) for row in rows]


def verdict_of(check: Check) -> str:
    """Return the kind of a check's verdict; raise ValueError if it has none."""
    for kind in VERDICTS:
        if check.verdict.startswith(kind):
            return kind
    raise ValueError(f"{check.case}: '{check.verdict}' is not one of {VERDICTS}")


def render() -> str:
    """Return the document for the current cases."""
    cases = [case for _, case in sorted(load_library().cases.items()) if case.is_true]
    by_grade = {
        grade: [case for case in cases if case.evidence == grade] for grade in GRADES
    }
    told = ", ".join(f"{len(by_grade[g])} are {name}" for g, name in GRADES.items())
    checks = read_checks()
    verdicts = Counter(map(verdict_of, checks))
    checked = ", ".join(f"{verdicts[kind]} {kind}" for kind in VERDICTS)
    return TEXT.format(
        total=len(cases),
        told=told,
        confirmed="\n".join(_quoted(case) for case in by_grade["confirmed"]),
        disputed="\n".join(
            f"| {_link(c)} | {_notes(c)} |" for c in by_grade["disputed"]
        ),
        secondary="\n".join(
            f"| {_link(case)} | {len(case.sources)} | {_notes(case)} |"
            for case in by_grade["secondary"]
        ),
        checked=f"{len(checks)} facts, {checked}",
        checks="\n".join(
            f"| {' | '.join(_cell(value) for value in check)} |" for check in checks
        ),
    )


def _quoted(case: Case) -> str:
    source = next(source for source in case.sources if source.words)
    words = f"“{_cell(source.words or '')}”"
    return f"| {_link(case)} | {words} | {_cell(_cited(source))} |"


def _cited(source: Source) -> str:
    place = source.place or "place not seen"
    return f"{source.authors} {source.year}, {place}"


def _notes(case: Case) -> str:
    return _cell(" ".join(source.note or "" for source in case.sources))


def _link(case: Case) -> str:
    return f"[{case.id}](../scenarios/cases/{case.id}.toml)"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("<", "&lt;")
