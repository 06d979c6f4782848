"""Write the generated documents: ``python -m tools.docs``, or ``make docs``.

:data:`DOCUMENTS` lists every generated file and the function that returns its text.
Tests compare each file with that text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from scenarios.model import Case, Deck
from tools.docs import (
    architecture,
    asyncapi,
    commands,
    evidence,
    markdown,
    phases,
    reference,
    roles,
    schema,
)

PROJECT = Path(__file__).resolve().parents[2]

DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/protocol.md": markdown.render,
    "docs/phases.md": phases.render,
    "docs/roles.md": roles.render,
    "docs/asyncapi.json": asyncapi.render,
    "docs/protocol.schema.json": schema.render,
    "docs/commands.md": commands.render,
    "docs/settings.md": reference.settings,
    "docs/limits.md": reference.limits,
    "docs/metrics.md": reference.metrics,
    "docs/evidence.md": evidence.render,
    "docs/pictures/architecture.svg": architecture.drawing,
    "scenarios/case.schema.json": partial(schema.model_text, Case),
    "scenarios/deck.schema.json": partial(schema.model_text, Deck),
}
"""Path of each generated file in the project, and the function that renders it."""


def write(project: Path = PROJECT) -> list[Path]:
    """Write every generated document into a checkout; return the paths written."""
    written = []
    for name, render in DOCUMENTS.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(), encoding="utf-8")
        written.append(path)
    return written
