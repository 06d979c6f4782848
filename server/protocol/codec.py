"""Text frames to messages and back: all that knows that messages are JSON.

Two kinds of frame are not encoded from a model, and tests hold that they read as if
they were: ``recorded``, which is made for every vote, and reports, which another
process has encoded already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from server.game.answers import Answer
from server.game.errors import Refused
from server.protocol.client_messages import ClientMessage, Vote
from server.protocol.server_messages import ServerMessage

MEDIA_TYPES: Mapping[str, str] = {
    "html": "text/html;charset=utf-8",
    "csv": "text/csv;charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
"""The media type of each form of a report."""

_CLIENT: TypeAdapter[Any] = TypeAdapter(ClientMessage)
_SERVER: TypeAdapter[Any] = TypeAdapter(ServerMessage)
_ANSWERS: TypeAdapter[Answer] = TypeAdapter(Answer)

_RECORDED = (
    b'{"type":"recorded","round":%d,"ballot":"%s","client":"%s",'
    b'"counter":%d,"answer":%s,"is_late":%s}'
)


def decode_client(frame: str | bytes) -> ClientMessage:
    """Return the message in a frame from a client.

    Raises :class:`Refused` ("bad_message") that names the key and the fault.
    """
    try:
        read = _CLIENT.validate_json
        return read(frame, strict=True)  # type: ignore[no-any-return] # Any: a union
    except ValidationError as exc:
        raise Refused("bad_message", _explain(exc)) from exc


def encode_client(message: ClientMessage) -> bytes:
    """Return the frame of a message to the server."""
    return _CLIENT.dump_json(message)


def decode_server(frame: str | bytes) -> ServerMessage:
    """Return the message in a frame from the server; ValueError if it is none.

    Fields that only a later server knows are left out.
    """
    read = _SERVER.validate_json
    return read(frame, extra="ignore")  # type: ignore[no-any-return] # Any: a union


def encode_server(message: ServerMessage) -> bytes:
    """Return the frame of a message to a client, as UTF-8 JSON."""
    return _SERVER.dump_json(message)


def _explain(exc: ValidationError) -> str:
    """Say in one line what is wrong with a frame, without echoing it."""
    first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"]) or "message"
    return f"{path}: {first['msg']}"[:300]


def encode_recorded(vote: Vote, answer: Answer, *, is_late: bool) -> bytes:
    """Return the frame that says what stands after a vote."""
    return _RECORDED % (
        vote.round,
        vote.ballot.encode(),
        vote.client.encode(),  # letters, digits, - and _: nothing to be escaped
        vote.counter,
        _json(answer),
        b"true" if is_late else b"false",
    )


@lru_cache(maxsize=256)
def _json(answer: Answer) -> bytes:
    """Return an answer as JSON: a class gives the same few again and again."""
    return _ANSWERS.dump_json(answer)


def with_addresses(welcome: bytes, addresses: Sequence[str]) -> bytes:
    """Return the frame of a ``Welcome`` that also names a server's addresses."""
    if not addresses:
        return welcome
    return json.dumps({**json.loads(welcome), "addresses": addresses}).encode()


def report_frame(ref: int | None, report: bytes) -> bytes:
    """Return the frame of a ``ReportMessage`` around a report that is JSON already."""
    head = json.dumps({"type": "report", "ref": ref})
    return head[:-1].encode() + b',"report":' + report + b"}"


def file_frame(ref: int | None, name: str, media_type: str, content: bytes) -> bytes:
    """Return the frame of a ``FileMessage`` around a content that is base64 already."""
    head = json.dumps({"type": "file", "ref": ref, "name": name, "media": media_type})
    return head[:-1].encode() + b',"content":"' + content + b'"}'
