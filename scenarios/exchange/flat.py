"""Converts a case to one flat row and back, with a column for each key.

Columns are named as in the messages of the linter, such as ``breakdown.why``,
``reasons.outer[0]`` or ``sources[1].year``. An empty cell means that the key is absent,
so a row converts back to exactly the case it came from. Pure: text in, text out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, get_args, get_origin

from pydantic import BaseModel

from scenarios.model import Case
from scenarios.validate import dotted, type_at

Row = Mapping[str, str]
Table = dict[str | int, object]
_PART = re.compile(r"([^.\[\]]+)|\[(\d{1,2})\]")
_COLUMN = re.compile(r"[a-z_]+(?:\[\d{1,2}\])?(?:\.[a-z_]+(?:\[\d{1,2}\])?)*")


def to_row(case: Case) -> dict[str, str]:
    """Return the cells of a case by column, in the order of the model's fields."""
    return dict(_cells((), case))


def columns_of(rows: Iterable[Row]) -> list[str]:
    """Return every column used in at least one row, with list entries kept together."""
    seen = [column for row in rows for column in row]
    keys = {key: place for place, key in enumerate(Case.model_fields)}
    stems: dict[str, int] = {}
    for column in seen:
        stems.setdefault(_stem(column), len(stems))

    def place(column: str) -> tuple[int, int, list[int]]:
        first = re.split(r"[.\[]", column, maxsplit=1)[0]
        numbers = [int(number) for number in re.findall(r"\[(\d+)\]", column)]
        return keys.get(first, len(keys)), stems[_stem(column)], numbers

    return sorted(dict.fromkeys(seen), key=place)


def _stem(column: str) -> str:
    return column.partition("[")[0]


def _cells(loc: tuple[str | int, ...], value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        for name, each in value:
            yield from _cells((*loc, name), each)
    elif loc == ("tags",):
        if value:
            yield "tags", " ".join(map(str, value))  # type: ignore[call-overload] # strings
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _cells((*loc, index), each)
    elif isinstance(value, bool):
        yield dotted(loc), "true" if value else "false"
    elif value is not None:
        yield dotted(loc), str(value)


def from_row(row: Row) -> dict[str, object]:
    """Return the cells of a row as nested tables, ready to be validated as a case.

    A cell that cannot be read as the number or Boolean its column requires is kept as
    text, so that the validation error names the column.
    """
    tree: Table = {}
    for column, cell in row.items():
        if cell.strip():
            loc = _loc(column)
            _put(tree, loc, _value(loc, cell))
    return {str(key): _lists(value) for key, value in tree.items()}


def is_column(name: str) -> bool:
    """Return whether a heading could be the name of a column."""
    return bool(_COLUMN.fullmatch(name))


def kind_of(column: str) -> object:
    """Return the type of a column in the model, or None if it has no such column."""
    return type_at(Case, _loc(column))


def is_known(column: str) -> bool:
    """Return whether the model has this column."""
    if not is_column(column):
        return False
    loc = _loc(column)
    return type_at(Case, loc[:-1] if isinstance(loc[-1], int) else loc) is not None


def visible(text: str) -> str:
    """Return a text without its format characters (Unicode category Cf).

    They include zero-width spaces, direction marks and soft hyphens.
    """
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


QUOTES = "\"'“”„‟‘’‚‛«»‹›`´"
_DASHES = re.compile("[‐-―−]")
_SLUGS = ("id", "domain", "twin", "tags")
_YES = ("true", "yes", "wahr")
_NO = ("false", "no", "falsch")


def word(cell: str) -> str:
    """Return the word in a cell, without spaces, quotes or invisible characters.

    Converts full-width letters to plain ones and dashes to hyphens, and collapses runs
    of spaces into one.
    """
    text = " ".join(visible(unicodedata.normalize("NFKC", cell)).split())
    return _DASHES.sub("-", text.strip(QUOTES).strip())


def _loc(column: str) -> tuple[str | int, ...]:
    return tuple(
        int(number) if number else name for name, number in _PART.findall(column)
    )


def _value(loc: tuple[str | int, ...], cell: str) -> object:
    plain = word(cell)
    if loc == ("tags",):
        return [tag for tag in re.split(r"[\s,;]+", plain.lower()) if tag]
    if loc[0] in _SLUGS:
        return plain.lower()
    kind = type_at(Case, loc)
    if kind is int and re.fullmatch(r"-?\d{1,9}", plain):
        return int(plain)
    if kind is bool and plain.lower() in (*_YES, *_NO):
        return plain.lower() in _YES
    if get_origin(kind) is Literal and plain.lower() in get_args(kind):
        return plain.lower()
    return cell


def _put(tree: Table, loc: tuple[str | int, ...], value: object) -> None:
    for part in loc[:-1]:
        inside = tree.setdefault(part, {})
        if not isinstance(inside, dict):  # a cell and a table have the same name
            return
        tree = inside
    tree[loc[-1]] = value


def _lists(tree: object) -> object:
    """Turn tables whose keys are numbers into lists, skipping missing numbers."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(isinstance(key, int) for key in tree):
        return [_lists(tree[key]) for key in sorted(tree)]
    return {str(key): _lists(value) for key, value in tree.items()}
