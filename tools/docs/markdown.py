"""Render docs/protocol.md: the prose from here, the tables from the messages."""

from __future__ import annotations

import json
from typing import Any

from server.game.errors import REFUSALS
from tools.docs.catalogue import Entry, entries
from tools.docs.prose import PROSE
from tools.docs.schema import bundle


def render() -> str:
    """Return the document."""
    whole = bundle()
    client, server = entries("ClientMessage", whole), entries("ServerMessage", whole)
    used = _used(whole)
    parts = [
        PROSE,
        "## Messages to the server\n",
        *(_section(entry) for entry in client),
        "## Messages from the server\n",
        *(_section(entry) for entry in server),
        "## Types\n",
        *(_type(name, body) for name, body in used),
        "## Refusals\n",
        _refusals(),
    ]
    return "\n".join(parts)


def _section(entry: Entry) -> str:
    lines = [f"### `{entry.type}`\n", f"{entry.meaning}\n"]
    if entry.details:
        lines.append(f"{entry.details}\n")
    if entry.roles:
        lines.append(f"May be sent by: {', '.join(entry.roles)}.\n")
    lines.append(_table(entry.fields, entry.required))
    return "\n".join(lines)


def _table(fields: dict[str, Any], required: frozenset[str]) -> str:
    if not fields:
        return "No further fields.\n"
    lines = ["| field | type | | |", "|---|---|---|---|"]
    for name, body in fields.items():
        need = "required" if name in required else _default(body)
        note = " ".join(body.get("description", "").split())
        lines.append(f"| `{name}` | {_kind(body)} | {need} | {note} |")
    return "\n".join(lines) + "\n"


def _default(body: dict[str, Any]) -> str:
    if "default" not in body:
        return ""
    return f"default `{json.dumps(body['default'])}`"


def _kind(body: Any) -> str:
    """Describe a type in a few words, with links to types defined in the document."""
    if not isinstance(body, dict):
        return "anything"
    if "$ref" in body:
        name = body["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf"):
        if key in body:
            return " or ".join(_kind(option) for option in body[key])
    if "const" in body:
        return f"`{json.dumps(body['const'])}`"
    if "enum" in body:
        return ", ".join(f"`{json.dumps(value)}`" for value in body["enum"])
    kind = body.get("type", "anything")
    if kind == "array":
        items = body.get("items") or (body.get("prefixItems") or [None])[0]
        return f"list of {_kind(items)}"
    if kind == "object" and isinstance(body.get("additionalProperties"), dict):
        return f"object of {_kind(body['additionalProperties'])}"
    return f"{kind}{_range(body)}{_pattern(body)}"


def _pattern(body: dict[str, Any]) -> str:
    if "pattern" not in body:
        return ""
    return f" matching `{body['pattern'].replace('|', chr(92) + '|')}`"


def _range(body: dict[str, Any]) -> str:
    low = body.get("minimum", body.get("minLength"))
    high = body.get("maximum", body.get("maxLength"))
    if low is None and high is None:
        return ""
    if low is None:
        return f" (at most {high})"
    return f" (from {low})" if high is None else f" ({low} to {high})"


def _used(whole: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the definitions that messages use and that are not messages themselves."""
    messages = {
        entry.definition
        for union in ("ClientMessage", "ServerMessage")
        for entry in entries(union, whole)
    }
    skip = messages | {"ClientMessage", "ServerMessage"}
    return [(name, body) for name, body in whole["$defs"].items() if name not in skip]


def _type(name: str, body: dict[str, Any]) -> str:
    about = " ".join(body.get("description", "").split())
    head = f"### {name}\n\n{about}\n"
    if "properties" in body:
        required = frozenset(body.get("required", ()))
        return f"{head}\n{_table(body['properties'], required)}"
    return f"{head}\n{_kind(body)}\n"


def _refusals() -> str:
    lines = ["| code | meaning |", "|---|---|"]
    lines += [f"| `{code}` | {meaning} |" for code, meaning in REFUSALS.items()]
    return "\n".join(lines) + "\n"
