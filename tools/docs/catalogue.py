"""Lists every message of the protocol with its meaning, for generated documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.protocol.client_messages import ALLOWED
from tools.docs.schema import bundle


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: its type, its meaning, its definition, and who may send it."""

    type: str
    definition: str
    meaning: str
    details: str
    fields: dict[str, Any]
    required: frozenset[str]
    roles: tuple[str, ...]


def entries(union: str, whole: dict[str, Any] | None = None) -> list[Entry]:
    """Return the messages of ``ClientMessage`` or ``ServerMessage``, in order."""
    defs = (whole or bundle())["$defs"]
    mapping: dict[str, str] = defs[union]["discriminator"]["mapping"]
    return [
        _entry(kind, pointer.removeprefix("#/$defs/"), defs)
        for kind, pointer in mapping.items()
    ]


def _entry(kind: str, name: str, defs: dict[str, Any]) -> Entry:
    body = defs[name]
    meaning, _, details = body.get("description", "").partition("\n\n")
    roles = tuple(role for role, types in ALLOWED.items() if kind in types)
    return Entry(
        type=kind,
        definition=name,
        meaning=" ".join(meaning.split()),
        details=" ".join(details.split()),
        fields={key: v for key, v in body["properties"].items() if key != "type"},
        required=frozenset(body.get("required", ())),
        roles=roles,
    )
