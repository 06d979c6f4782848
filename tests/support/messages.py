"""Messages to the server made from its published schema: the least of each, or any.

Nothing here knows a message by name, so a new one is covered on the day it is added.
"""

from __future__ import annotations

import json
import re
from functools import cache
from random import Random
from typing import Any

from tools.docs.schema import bundle

Json = Any


@cache
def definitions() -> dict[str, Json]:
    """Return the schema's definitions by name."""
    return bundle()["$defs"]  # type: ignore[no-any-return] # JSON


@cache
def kinds() -> tuple[str, ...]:
    """Return the ``type`` of every message to the server."""
    return tuple(definitions()["ClientMessage"]["discriminator"]["mapping"])


def _schema(kind: str) -> Json:
    name = definitions()["ClientMessage"]["discriminator"]["mapping"][kind]
    return definitions()[name.rpartition("/")[2]]


def minimal(kind: str, **fields: Json) -> dict[str, Json]:
    """Return a valid message with nothing but what it needs, and these fields."""
    body = _schema(kind)
    chance = Random(0)
    made = {name: drawn(body["properties"][name], chance) for name in _needs(body)}
    return {**made, "type": kind, **fields}


def any_message(chance: Random) -> dict[str, Json]:
    """Return a message of any type that the schema allows."""
    kind = chance.choice(kinds())
    return {**drawn(_schema(kind), chance), "type": kind}


def _needs(body: Json) -> list[str]:
    return [name for name in body.get("required", ()) if name != "type"]


def drawn(body: Json, chance: Random) -> Json:
    """Return a value of a schema, drawn at random."""
    if "$ref" in body:
        return drawn(definitions()[body["$ref"].rpartition("/")[2]], chance)
    for several in ("anyOf", "oneOf"):
        if several in body:
            return drawn(chance.choice(body[several]), chance)
    if "const" in body:
        return body["const"]
    if "enum" in body:
        return chance.choice(body["enum"])
    return _DRAW[body.get("type", "object")](body, chance)


def _object(body: Json, chance: Random) -> Json:
    properties = body.get("properties", {})
    needs = set(body.get("required", ()))
    return {
        name: drawn(inner, chance)
        for name, inner in properties.items()
        if name in needs or "const" in inner or chance.random() < 0.5
    }


def _string(body: Json, chance: Random) -> str:
    if "pattern" in body:
        return sample(body["pattern"])
    least, most = body.get("minLength", 0), body.get("maxLength", 20)
    return "".join(
        chance.choice("abcXYZ 019-_.é漢\u202e\U0001f600")
        for _ in range(chance.randint(least, min(most, least + 12)))
    )


def _number(body: Json, chance: Random) -> int:
    low, high = int(body.get("minimum", 0)), int(body.get("maximum", 200))
    return chance.choice((low, high, min(high, low + 1), chance.randint(low, high)))


def _array(body: Json, chance: Random) -> list[Json]:
    most = min(int(body.get("maxItems", 3)), 3)
    return [drawn(body["items"], chance) for _ in range(chance.randint(0, most))]


_DRAW = {
    "object": _object,
    "string": _string,
    "integer": _number,
    "number": _number,
    "array": _array,
    "boolean": lambda _, chance: chance.random() < 0.5,
    "null": lambda _, __: None,
}

_SAMPLES = (
    "tab-1", "0123456789abcdef" * 2, "first-class", "K7MQ2P", "a", "1", "AIID 639",
)  # fmt: skip
"""Texts of which one fits each pattern of the schema."""


@cache
def sample(pattern: str) -> str:
    """Return a text that fits a pattern."""
    for text in _SAMPLES:
        if re.search(pattern, text):
            return text
    raise LookupError(f"no sample fits {pattern}: add one here")


def are_all_sampled() -> bool:
    """Whether there is a text for every pattern of the schema; LookupError if not."""
    found = re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(definitions()))
    return all(sample(json.loads(pattern)) for pattern in found)
