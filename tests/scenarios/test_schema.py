"""The committed JSON Schemas are valid, and every built-in file satisfies them."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from jsonschema import (  # type: ignore[import-untyped]  # ships no types
    Draft202012Validator,
)

from scenarios.load import BUILTIN

FILES = ("case.schema.json", "deck.schema.json")


def committed(name: str) -> Any:
    """Return one of the published schemas."""
    return json.loads((BUILTIN / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_schema_is_valid_and_accepts_what_is_built_in(name: str) -> None:
    schema = committed(name)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    folder = BUILTIN / f"{name.split('.')[0]}s"
    files = sorted(folder.glob("*.toml"))
    assert files
    for file in files:
        validator.validate(tomllib.loads(file.read_text(encoding="utf-8")))


def test_schema_refuses_an_unknown_key() -> None:
    validator = Draft202012Validator(committed("deck.schema.json"))
    assert any(
        "colour" in each.message for each in validator.iter_errors({"colour": 1})
    )
