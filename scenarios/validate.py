"""Validates cases and decks, and explains validation errors in plain words.

Turns pydantic's errors into problems with a key, a message and a remedy. Reads no
files.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from scenarios.library import Problem, close_to
from scenarios.model import Case, Deck

Item = TypeVar("Item", Case, Deck)


def validate(model: type[Item], raw: object) -> Item | ValidationError:
    """Return the case or deck in these tables, or the validation error."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        return error


Loc = tuple[int | str, ...]

REMEDIES = {
    "string_type": "put the value in quotation marks",
    "int_type": "write a whole number without quotation marks",
    "int_parsing": "write a whole number without quotation marks",
    "int_from_float": "write a whole number without a decimal point",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "model_type": "make it a table with its own keys",
    "tuple_type": "make it a list in square brackets",
    "literal_error": "choose one of the values listed",
    "enum": "choose one of the values listed",
    "string_pattern_mismatch": "use lower-case letters, digits and single hyphens",
    "string_too_short": "write something here, or remove the key if it is optional",
    "string_too_long": "make it shorter",
    "too_short": "add more entries to the list",
    "too_long": "remove entries from the list",
}


def explain(
    file: Path, model: type[BaseModel], error: ValidationError
) -> list[Problem]:
    """Return one problem for each error, in the order of the model's fields."""
    return [_problem(file, model, each) for each in error.errors(include_url=False)]


def _problem(file: Path, model: type[BaseModel], error: ErrorDetails) -> Problem:
    message, remedy = explain_one(model, error)
    return Problem(file, dotted(error["loc"]) or "the whole file", message, remedy)


def explain_one(model: type[BaseModel], error: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong in plain words, and what to do about it."""
    return _words(model, error["loc"], error)


def _words(model: type[BaseModel], loc: Loc, error: ErrorDetails) -> tuple[str, str]:
    kind = error["type"]
    if kind == "missing" and isinstance(loc[-1], int):
        return "is missing", "add more entries to the list"
    if kind == "missing":
        return "is missing", f"add '{loc[-1]}'{_meaning(model, loc)}"
    if kind == "extra_forbidden":
        return "is not a known key", _instead(model, loc)
    if kind == "value_error":
        said = error["msg"].removeprefix("Value error, ")
        return said, "change the entries it names"
    if kind == "picture":
        return error["msg"], str(
            error.get("ctx", {}).get("remedy", "change the drawing")
        )
    said = _lower(error["msg"])
    if kind == "string_pattern_mismatch" and isinstance(error["input"], str):
        said += _odd(error["input"])
    return said, REMEDIES.get(kind, "correct the value")


def _odd(text: str) -> str:
    """Name the first character of an ID that is not a visible ASCII character."""
    found = re.search(r"[^\x21-\x7e]", text)
    return f"; it contains {name_of(found[0])}" if found else ""


def name_of(char: str) -> str:
    """Return a character as its code point and Unicode name."""
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip()


def _instead(model: type[BaseModel], loc: Loc) -> str:
    known = list(fields_beside(model, loc))
    close = close_to(str(loc[-1]), known)
    if close:
        return f"did you mean '{close[0]}'?"
    return "remove it; the keys here are " + ", ".join(known)


def _meaning(model: type[BaseModel], loc: Loc) -> str:
    said = fields_beside(model, loc).get(str(loc[-1]))
    return f": {said}" if said else ""


def fields_beside(model: type[BaseModel], loc: Loc) -> dict[str, str]:
    """Return the names and descriptions of the keys allowed next to the end of loc."""
    here = _holding(model, loc)
    if here is None:
        return {}
    return {name: field.description or "" for name, field in here.model_fields.items()}


def type_at(model: type[BaseModel], loc: Loc) -> object:
    """Return the annotation of the field at loc, or None if there is none."""
    here = _holding(model, loc)
    field = here.model_fields.get(str(loc[-1])) if here is not None else None
    return field.annotation if field else None


def _holding(model: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    here: type[BaseModel] | None = model
    for part in loc[:-1]:
        if isinstance(part, str) and here is not None:
            field = here.model_fields.get(part)
            here = _model_in(field.annotation) if field else None
    return here


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(each) for each in get_args(annotation))
    return next((found for found in inner if found is not None), None)


def dotted(loc: Loc) -> str:
    """Return a location as authors write it, for example ``sources[0].year``."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
