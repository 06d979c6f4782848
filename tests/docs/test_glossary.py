"""One word, one meaning: the glossary has the terms of wire and pages."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs" / "protocol.schema.json").read_text("utf-8"))[
    "$defs"
]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in GLOSSARY.splitlines()
    if line.startswith("| ") and not line.startswith("| word ")
]


def types(union: str) -> list[str]:
    """Return the ``type`` of every message of a union."""
    names = [each["$ref"].rpartition("/")[2] for each in SCHEMA[union]["oneOf"]]
    return [SCHEMA[name]["properties"]["type"]["const"] for name in names]


def enum(name: str, field: str = "") -> list[str]:
    """Return the values of an enumeration, or of a model's field."""
    found: dict[str, Any] = SCHEMA[name]
    values: list[str] = (found["properties"][field] if field else found)["enum"]
    return values


def terms() -> set[str]:
    """Return every term of the protocol that a reader meets."""
    return {
        *types("ClientMessage"),
        *types("ServerMessage"),
        *enum("Phase"),
        *enum("Ballot"),
        *enum("Label"),
        *enum("Hello", "role"),
        *enum("Case", "kind"),
    }


def test_every_term_of_the_wire_is_in_exactly_one_row() -> None:
    known = Counter(
        term for row in ROWS if len(row) > 2 for term in re.findall("`([^`]+)`", row[2])
    )
    assert {term for term in terms() if known[term] != 1} == set()
    assert set(known) - terms() == set()


def test_every_word_has_one_row_and_a_meaning() -> None:
    words = Counter(row[0] for row in ROWS)
    assert [word for word, n in words.items() if n > 1] == []
    assert all(row[1] for row in ROWS)


def test_the_words_of_the_pages_are_on_a_page() -> None:
    folder = ROOT / "client" / "web" / "src" / "i18n"
    catalogues = "".join(
        path.read_text(encoding="utf-8") for path in sorted(folder.glob("en*.ts"))
    )
    shown = [
        text for row in ROWS for cell in row[3:] for text in re.findall('"(.+?)"', cell)
    ]
    assert len(shown) > 20
    assert [text for text in shown if f'"{text}"' not in catalogues] == []
