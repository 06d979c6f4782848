"""Two Gaps as the driver plays it: the players' frames, and the host."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from tests.bench.speed.server_process import Subject
from tests.bench.speed.swarm import UPGRADED, Swarm, masked

VIEW = b'{"type":"view"'
WELCOME = b'{"type":"welcome"'
RECORDED = b'{"type":"recorded"'
LABELS = ("outer", "inner")
CHIPS = (50, 60, 70, 80, 90, 100)


def hellos(room: str, n: int) -> list[bytes]:
    """Return the frame by which each player joins."""
    return [
        _frame("hello", version=1, role="player", room=room, name=f"Player {i}")
        for i in range(n)
    ]


def vote_texts(n: int, each: int) -> list[list[bytes]]:
    """Return every player's votes: the first, then changes of it."""
    return [
        [
            _message(
                "vote",
                round=0,
                ballot="vote",
                client=f"tab-{player:06d}",
                counter=turn + 1,
                answer={
                    "kind": "gap",
                    "label": LABELS[(player + turn) % 2],
                    "confidence": CHIPS[player % 6],
                },
                reason="It was paid for what was counted." if player % 3 == 0 else "",
            )
            for turn in range(each)
        ]
        for player in range(n)
    ]


def frames_of(texts: list[list[bytes]]) -> list[list[bytes]]:
    """Return votes as frames of a client."""
    return [[masked(text) for text in mine] for mine in texts]


def _message(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": kind, **fields}, separators=(",", ":")).encode()


def _frame(kind: str, **fields: Any) -> bytes:
    return masked(_message(kind, **fields))


class Host:
    """The host's socket: commands, each answered before the next."""

    def __init__(self, subject: Subject) -> None:
        self._swarm = Swarm(subject.port)
        self._ref = 0
        room, key = subject.ready["room"], subject.ready["key"]
        hello = _frame("hello", version=1, role="host", room=room)

        def heard(_: int, payload: bytes, __: int) -> bool:
            message = json.loads(payload)
            if message["type"] == "challenge":
                text = f"two-gaps 1 host {room} {message['nonce']}"
                proof = hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256)
                self._swarm.send(0, _frame("prove", proof=proof.hexdigest()))
            return bool(message["type"] == "welcome")

        self._swarm.enter([b""], UPGRADED, lambda _: None)
        self._swarm.send(0, hello)
        self._swarm.listen(heard)

    def say(self, kind: str, **fields: Any) -> None:
        """Send a command without waiting for its answer."""
        self._ref += 1
        self._swarm.send(0, _frame(kind, ref=self._ref, **fields))

    def hear(self) -> None:
        """Wait until the last command is done."""

        def heard(_: int, payload: bytes, __: int) -> bool:
            if payload.startswith((b'{"type":"done"', b'{"type":"refused"')):
                answer = json.loads(payload)
                if answer["type"] == "refused":
                    raise RuntimeError(f"the host was refused: {answer}")
                return bool(answer["ref"] == self._ref)
            return False

        self._swarm.listen(heard)

    def do(self, *kinds: str) -> None:
        """Give commands, each done before the next."""
        for kind in kinds:
            self.say(kind)
            self.hear()

    def close(self) -> None:
        """Hang up."""
        self._swarm.close()


def toggled(host: Host) -> Callable[[], None]:
    """Return an order that shows all players the same view again: the lock's."""
    is_locked = False

    def order() -> None:
        nonlocal is_locked
        is_locked = not is_locked
        host.say("lock" if is_locked else "unlock")

    return order
