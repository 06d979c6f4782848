"""The frame of ``recorded``, written out by hand: it is made once for every vote.

Nothing else is sent so often. The text is exactly what encoding the model gives, which
a test holds for every answer; the model stays the one description of the message.
"""

from __future__ import annotations

from functools import lru_cache

from pydantic import TypeAdapter

from server.game.answers import Answer
from server.protocol.client_messages import Vote

_ANSWERS: TypeAdapter[Answer] = TypeAdapter(Answer)
_FRAME = (
    b'{"type":"recorded","round":%d,"ballot":"%s","client":"%s",'
    b'"counter":%d,"answer":%s,"is_late":%s}'
)


def encode_recorded(vote: Vote, answer: Answer, *, is_late: bool) -> bytes:
    """Return the frame that says what stands after a vote."""
    return _FRAME % (
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
