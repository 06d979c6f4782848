"""Generates the AsyncAPI 3 document of the protocol from its messages."""

from __future__ import annotations

import json
from typing import Any

from server.game.errors import REFUSALS
from tools.docs.catalogue import Entry, entries
from tools.docs.schema import bundle


def document() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document."""
    whole = bundle()
    client, server = entries("ClientMessage", whole), entries("ServerMessage", whole)
    schemas = {
        name: body
        for name, body in whole["$defs"].items()
        if name not in ("ClientMessage", "ServerMessage")
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Two Gaps",
            "version": "1",
            "description": "A live classroom game: one WebSocket endpoint, JSON text "
            "frames, each with a type. See protocol.md for the course of a game.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "node": {
                "host": "{host}",
                "protocol": "ws",
                "variables": {"host": {"default": "127.0.0.1:8000"}},
            }
        },
        "channels": {
            "game": {
                "address": "/ws",
                "messages": {
                    entry.type: {"$ref": f"#/components/messages/{entry.type}"}
                    for entry in (*client, *server)
                },
            }
        },
        "operations": {
            "fromClient": _operation("receive", client),
            "fromServer": _operation("send", server),
        },
        "components": {
            "messages": {entry.type: _message(entry) for entry in (*client, *server)},
            "schemas": _repoint(schemas),
        },
        "x-refusals": REFUSALS,
    }


def render() -> str:
    """Return the document as text."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _operation(action: str, messages: list[Entry]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/game"},
        "messages": [{"$ref": f"#/channels/game/messages/{m.type}"} for m in messages],
    }


def _message(entry: Entry) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": entry.type,
        "summary": entry.meaning,
        "payload": {"$ref": f"#/components/schemas/{entry.definition}"},
    }
    if entry.roles:
        message["x-roles"] = list(entry.roles)
    return message


def _repoint(body: Any) -> Any:
    """Make references point to components/schemas, as AsyncAPI requires."""
    if isinstance(body, dict):
        return {key: _repoint(value) for key, value in body.items()}
    if isinstance(body, list):
        return [_repoint(item) for item in body]
    if isinstance(body, str) and body.startswith("#/$defs/"):
        return "#/components/schemas/" + body.removeprefix("#/$defs/")
    return body
