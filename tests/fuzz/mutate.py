"""A byte-level mutator: from real frames to ones no client would send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from tests.support.messages import any_message

ODD = (
    "", "0", "-1", "1e999", "NaN", "null", "true", "[]", "{}", '""', "9" * 400,
    "\\u0000", "\\ud800", "\u202e", "é", "\U0001f600", '"type"', "__proto__", "}{",
    "[" * 300, '{"a":' * 200, "'; DROP TABLE events; --", "../../etc/passwd",
)  # fmt: skip
"""Texts that have broken parsers elsewhere."""


LENGTHS, LENGTHS_ODDS = (0, 5_000, 20_000), (0.998, 0.0015, 0.0005)
"""Frames are filled up with spaces: mostly not, or too long to be let through, or to be
read at all."""


class Mutator:
    """Makes frames out of frames. All chance comes from ``chance``."""

    def __init__(self, seeds: Sequence[bytes], chance: Random) -> None:
        self._seeds = [bytes(seed) for seed in seeds]
        self._chance = chance

    def next(self) -> bytes:
        """Return one more payload; not always text, and not always JSON."""
        chance = self._chance
        roll = chance.random()
        if roll < 0.15:
            return chance.choice(self._seeds)
        if roll < 0.40:
            return _dumped(any_message(chance))
        if roll < 0.55:
            return _dumped(self._reworked(json.loads(chance.choice(self._seeds))))
        payload = chance.choice(self._seeds)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            payload = chance.choice(self._changes)(self, payload)
        return payload.ljust(chance.choices(LENGTHS, LENGTHS_ODDS)[0])

    def _reworked(self, message: dict[str, Any]) -> dict[str, Any]:
        """Change a message as JSON: other values, other keys, other types."""
        chance = self._chance
        other = json.loads(chance.choice(self._seeds))
        keys = list(message)
        for _ in range(chance.randint(1, 3)):
            key = chance.choice([*keys, *other])
            match chance.randrange(4):
                case 0:
                    message.pop(key, None)
                case 1:
                    message[key] = other.get(chance.choice(list(other)))
                case 2:
                    message[key] = chance.choice((0, -1, 2**63, "", [], {}, None, 1.5))
                case _:
                    message[chance.choice(ODD)] = message.get(key)
        return message

    # --- on bytes ----------------------------------------------------------------

    def _flip(self, payload: bytes) -> bytes:
        """Change one character into another printable one."""
        at = self._at(payload)
        return (
            payload[:at] + bytes([self._chance.randrange(32, 127)]) + payload[at + 1 :]
        )

    def _break(self, payload: bytes) -> bytes:
        """Change one byte into any other: the text may be none any more."""
        if self._chance.random() < 0.9:
            return self._flip(payload)
        at = self._at(payload)
        return payload[:at] + bytes([self._chance.randrange(256)]) + payload[at + 1 :]

    def _cut(self, payload: bytes) -> bytes:
        return payload[: self._at(payload)]

    def _drop(self, payload: bytes) -> bytes:
        start = self._at(payload)
        return payload[:start] + payload[start + self._chance.randint(1, 9) :]

    def _twice(self, payload: bytes) -> bytes:
        start = self._at(payload)
        piece = payload[start : start + self._chance.randint(1, 40)]
        return payload[:start] + piece * self._chance.randint(2, 5) + payload[start:]

    def _odd(self, payload: bytes) -> bytes:
        at = self._at(payload)
        return payload[:at] + self._chance.choice(ODD).encode() + payload[at:]

    def _splice(self, payload: bytes) -> bytes:
        other = self._chance.choice(self._seeds)
        return payload[: self._at(payload)] + other[self._at(other) :]

    def _number(self, payload: bytes) -> bytes:
        digits = [at for at, byte in enumerate(payload) if 48 <= byte <= 57]
        if not digits:
            return payload
        at = self._chance.choice(digits)
        number = str(self._chance.choice((0, -1, 1, 7, 2**31, 2**63, 10**40)))
        return payload[:at] + number.encode() + payload[at + 1 :]

    def _at(self, payload: bytes) -> int:
        return self._chance.randrange(len(payload)) if payload else 0

    _changes = (_flip, _flip, _break, _cut, _drop, _twice, _odd, _splice, _number)


def _dumped(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode("utf-8", "surrogatepass")
