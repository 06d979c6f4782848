"""Print the JSON Schema of the wire and of saved reports, for the TypeScript types.

Run by make-types.mjs, from any folder, with the Python that has the server installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from server.protocol.client_messages import ClientMessage
from server.protocol.server_messages import ServerMessage
from server.report.across import Across

_WRITTEN: dict[str, Any] = {
    "ClientMessage": ClientMessage,
    "ServerMessage": ServerMessage,
    "Across": Across,
}


def without_titles(node: Any) -> Any:
    """Return a schema without titles: names then come from the definitions alone."""
    if isinstance(node, list):
        return [without_titles(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: without_titles(value)
        for key, value in node.items()
        if not (key in ("title", "discriminator") and not _is_property(value))
    }


def _is_property(value: Any) -> bool:
    return isinstance(value, dict) and "propertyName" not in value


def schema() -> dict[str, Any]:
    """Return one schema whose definitions are all messages and what they hold."""
    definitions: dict[str, Any] = {}
    for name, kind in _WRITTEN.items():
        part = TypeAdapter(kind).json_schema(mode="serialization")
        # The wire comes first: it describes more of what both hold.
        definitions = part.pop("$defs") | definitions
        definitions[name] = part
    for definition in definitions.values():
        # Fields with a default are always sent, dataclasses' too.
        if "properties" in definition:
            definition["required"] = list(definition["properties"])
    return {
        "$defs": without_titles(definitions),
        "type": "object",
        "properties": {name: {"$ref": f"#/$defs/{name}"} for name in _WRITTEN},
        "required": list(_WRITTEN),
    }


if __name__ == "__main__":
    json.dump(schema(), sys.stdout)
