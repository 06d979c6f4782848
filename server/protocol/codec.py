"""Text frames to messages and back: with receipt.py, all that knows they are JSON."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from server.game.errors import Refused
from server.protocol.client_messages import ClientMessage
from server.protocol.server_messages import ServerMessage

_CLIENT: TypeAdapter[Any] = TypeAdapter(ClientMessage)
_SERVER: TypeAdapter[Any] = TypeAdapter(ServerMessage)


def decode_client(frame: str | bytes) -> ClientMessage:
    """Return the message in a frame from a client.

    Raises :class:`Refused` ("bad_message") that names the key and the fault.
    """
    try:
        return _CLIENT.validate_json(frame)  # type: ignore[no-any-return] # Any: a union
    except ValidationError as exc:
        raise Refused("bad_message", _explain(exc)) from exc


def encode_client(message: ClientMessage) -> bytes:
    """Return the frame of a message to the server."""
    return _CLIENT.dump_json(message)


def decode_server(frame: str | bytes) -> ServerMessage:
    """Return the message in a frame from the server; ValueError if it is none."""
    return _SERVER.validate_json(frame)  # type: ignore[no-any-return] # Any: a union


def encode_server(message: ServerMessage) -> bytes:
    """Return the frame of a message to a client, as UTF-8 JSON."""
    return _SERVER.dump_json(message)


def _explain(exc: ValidationError) -> str:
    """Say in one line what is wrong with a frame, without echoing it."""
    first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"]) or "message"
    return f"{path}: {first['msg']}"[:300]
