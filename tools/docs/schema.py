"""Generates JSON Schemas of the protocol (two unions of messages), cases and decks."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from server.protocol.client_messages import ClientMessage
from server.protocol.server_messages import ServerMessage

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Untitled(GenerateJsonSchema):
    """Leaves out titles that merely repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - theirs
        """Return False: no field needs a title."""
        return False


def bundle() -> dict[str, Any]:
    """Return both unions and all their definitions as one JSON Schema document.

    ``$defs/ClientMessage`` describes what a client may send (fields with defaults may
    be left out), and ``$defs/ServerMessage`` what the server sends (with all fields).
    """
    client, client_defs = _union(ClientMessage, "validation")
    server, server_defs = _union(ServerMessage, "serialization")
    shared = client_defs.keys() & server_defs.keys()
    renamed = {name for name in shared if client_defs[name] != server_defs[name]}
    client = _rename(client, renamed)
    client_defs = {
        f"{name}Input" if name in renamed else name: _rename(body, renamed)
        for name, body in client_defs.items()
    }
    defs = {**client_defs, **server_defs}
    return {
        "$schema": DIALECT,
        "title": "The Two Gaps protocol, version 1",
        "$defs": {
            "ClientMessage": client,
            "ServerMessage": server,
            **dict(sorted(defs.items())),
        },
    }


def render() -> str:
    """Return the schema as text, which is always the same for the same models."""
    return json.dumps(bundle(), indent=1, ensure_ascii=False) + "\n"


def model_text(model: type[BaseModel]) -> str:
    """Return the JSON Schema of one model as text, for editors of cases and decks."""
    whole = {"$schema": DIALECT, **model.model_json_schema()}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _union(union: Any, mode: JsonSchemaMode) -> tuple[dict[str, Any], dict[str, Any]]:
    whole = TypeAdapter(union).json_schema(mode=mode, schema_generator=_Untitled)
    defs = whole.pop("$defs")
    return whole, defs


def _rename(body: Any, renamed: set[str]) -> Any:
    """Rename references to definitions that differ between the two directions."""
    if isinstance(body, dict):
        return {key: _rename(value, renamed) for key, value in body.items()}
    if isinstance(body, list):
        return [_rename(item, renamed) for item in body]
    if isinstance(body, str) and body.startswith("#/$defs/"):
        name = body.removeprefix("#/$defs/")
        return f"{body}Input" if name in renamed else body
    return body
