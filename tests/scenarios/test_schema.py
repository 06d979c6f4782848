"""The committed JSON Schemas are current, and every built-in file satisfies them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import (  # type: ignore[import-untyped]  # ships no types
    Draft202012Validator,
)

from scenarios.load import BUILTIN
from scenarios.schema import FILES, schema_text, write_schemas


@pytest.mark.parametrize("name", FILES)
def test_committed_schema_is_current(name: str) -> None:
    committed = (BUILTIN / name).read_text(encoding="utf-8")
    assert committed == schema_text(FILES[name]), "run python -m scenarios.schema"


@pytest.mark.parametrize("name", FILES)
def test_schema_is_valid_and_accepts_what_is_built_in(name: str) -> None:
    schema = json.loads(schema_text(FILES[name]))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    folder = BUILTIN / f"{name.split('.')[0]}s"
    files = sorted(folder.glob("*.toml"))
    assert files
    for file in files:
        validator.validate(tomllib.loads(file.read_text(encoding="utf-8")))


def test_schema_refuses_an_unknown_key() -> None:
    validator = Draft202012Validator(json.loads(schema_text(FILES["deck.schema.json"])))
    assert any(
        "colour" in each.message for each in validator.iter_errors({"colour": 1})
    )


def test_schemas_are_written_where_asked(tmp_path: Path) -> None:
    write_schemas(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == set(FILES)
