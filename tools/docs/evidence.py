"""docs/evidence.md: how sure the facts of each true story are, and what was read."""

from __future__ import annotations

from scenarios.load import load_library
from scenarios.model import Case, Source
from scenarios.stats import GRADES

TEXT = """# How sure are the facts?

Written from the case files by `python -m tools.docs`. Of {total} true stories, {told}.
"Confirmed in source" means that the words which decide were seen in the original's own
text, or in stored copies of it that agree, and are quoted here. "Secondary" means that
the story rests on the accounts of others. "Disputed" means that sources contradict each
other about the facts. A disputed label is another matter: such cases are *contested*.

What was read of each source, and what is from memory, is in the note of the source:
`twogaps case show ID`, or the file. Invented stories are not listed, as nothing is
evidence for them. Their notes name the real case that they are made after.

## Confirmed in source

| case | the words | where |
|---|---|---|
{confirmed}

## Disputed

| case | what was read |
|---|---|
{disputed}

## Secondary

One source, unless two are given.

| case | sources | what was read |
|---|---|---|
{secondary}
"""


def render() -> str:
    """Return the document for the cases as they are now."""
    cases = [case for _, case in sorted(load_library().cases.items()) if case.is_true]
    by_grade = {
        grade: [case for case in cases if case.evidence == grade] for grade in GRADES
    }
    told = ", ".join(f"{len(by_grade[g])} are {name}" for g, name in GRADES.items())
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
    )


def _quoted(case: Case) -> str:
    source = next(source for source in case.sources if source.words)
    words = f"“{_cell(source.words or '')}”"
    return f"| {_link(case)} | {words} | {_cell(_cited(source))} |"


def _cited(source: Source) -> str:
    return f"{source.authors} {source.year}, {source.place}"


def _notes(case: Case) -> str:
    return _cell(" ".join(source.note or "" for source in case.sources))


def _link(case: Case) -> str:
    return f"[{case.id}](../scenarios/cases/{case.id}.toml)"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("<", "&lt;")
