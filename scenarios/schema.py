"""JSON Schema of cases and decks, so that an editor can complete and check them.

``python -m scenarios.schema`` writes the two files beside this one. They are committed,
and a test holds them current.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from scenarios.model import Case, Deck

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES: dict[str, type[BaseModel]] = {
    "case.schema.json": Case,
    "deck.schema.json": Deck,
}


def schema_text(model: type[BaseModel]) -> str:
    """Return the JSON Schema of a model as indented text, the same every time."""
    schema = {"$schema": DIALECT, **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Write every schema file into a folder, over what is there."""
    for name, model in FILES.items():
        (folder / name).write_text(schema_text(model), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(__file__).parent)
