"""Messages between sites with one field or more changed, of every kind."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from server.federation import topics
from server.federation.messages import (
    Announce,
    Answer,
    DownBatch,
    NodeState,
    Probe,
    UpBatch,
    decode,
    decode_view,
)
from tests.support.attacked import EVE, NOW_MS, SITES, World

FORGED = "FORGED"


class Mutator:
    """Makes messages of every kind with one field or more changed."""

    def __init__(self, world: World, chance: random.Random) -> None:
        codes = list(world.codes.values())
        self._chance = chance
        self._pool: dict[type, list[Any]] = {
            str: [*codes, *world.links(), *SITES, EVE, "", "x" * 41, "p.t", FORGED],
            int: [0, 1, 2, 7, NOW_MS, NOW_MS + 1_000, 2**31, 1_023],
            bool: [True, False],
            float: [0.0, -1.5, float(NOW_MS)],
        }
        self._wild: list[Any] = [
            None, [], {}, -1, -(10**400), 10**400, 10**20, 2**53 + 1, 1.5, True, 12345,
            "x" * 5_000, "\x00", "\u202e" * 9, [[[[]]]], {"a": {"b": 1}}, "NaN",
        ]  # fmt: skip
        self._bases = self._templates(world)
        self.number = 0

    def _templates(self, world: World) -> list[tuple[str, str, Any]]:
        """Return kind, topic (with the target's name) and message, by hand."""
        room, link = world.codes["berlin"], world.links()[0]
        vote = {
            "type": "vote", "round": 0, "ballot": "vote", "client": "m", "counter": 1,
            "answer": {"kind": "gap", "label": "inner", "confidence": 80}, "reason": "",
        }  # fmt: skip
        hello = {"version": 1, "role": "player", "room": room, "name": "Mallory"}
        hello["join_key"] = "ab" * 16
        staff = {"nonce": "n", "proof": "0" * 64}
        bodies: list[dict[str, Any]] = [
            {"op": "enter", "hello": hello},
            {"op": "return", "token": f"p.{'0' * 32}"},
            {"op": "attend", "audience": "cohost", **staff},
            {"op": "leave"},
            {"op": "say", "token": None, "stamped_ms": NOW_MS, "message": vote},
            {"op": "say", "token": None, "stamped_ms": NOW_MS,
             "message": {"type": "kick", "player": "p"}},
            {"op": "say", "token": None, "stamped_ms": NOW_MS,
             "message": {"type": "challenge_label", "round": 0, "text": FORGED}},
            {"op": "flush", "version": 3, "waiting": 0},
        ]  # fmt: skip
        frames = [
            ("push", {"type": "view", "version": 10**6, "view": {"title": FORGED}}),
            ("push", {"type": "recorded", "counter": 77, "reason": FORGED}),
            ("greet", {"type": "welcome", "token": "eve.1", "name": FORGED}),
            ("part", {"type": "bye", "code": "kicked", "detail": FORGED}),
            ("turn_away", {"type": "refused", "detail": FORGED}),
        ]
        item = {"room": room, "link": link, "slot": "view", "player": "p", "code": ""}
        made: list[tuple[str, str, Any]] = [
            (f"up {body['op']}", f"tg/v1/up/@/{EVE}",
             {"boot": "e", "number": 1, "oldest": 1,
              "items": [{"seq": 1, "room": room, "link": link, "body": body}]})
            for body in bodies
        ]  # fmt: skip
        made += [
            (f"down {op}", f"tg/v1/down/@/{EVE}",
             {"boot": "e", "acks": [1], "marks": [{"room": room, "version": 5}],
              "items": [{**item, "op": op, "frame": json.dumps(frame)}]})
            for op, frame in frames
        ]  # fmt: skip
        shown = f"tg/v1/home/{EVE}/room/#"
        url = "http://evil.example"
        return [
            *made,
            ("state", topics.node_state(EVE), {"is_up": True, "boot": "e", "url": url}),
            ("announce", f"{shown}/announce", {"epoch": 2, "key": "ab" * 32}),
            ("view", f"{shown}/player", [3, 10**6, FORGED]),
            ("view", f"{shown}/screen", [3, 10**6, FORGED]),
            ("progress", f"{shown}/progress", {"type": "progress", "answered": FORGED}),
            ("probe", f"tg/v1/clk/up/@/{EVE}", {"sent_ms": 5.0}),
            ("answer", f"tg/v1/clk/down/@/{EVE}", {"sent_ms": 5.0, "home_ms": NOW_MS}),
        ]

    def next(self) -> tuple[str, str, bytes]:
        """Return kind, topic and payload of another message."""
        chance, self.number = self._chance, self.number + 1
        kind, topic, base = chance.choice(self._bases)
        message = copy.deepcopy(base)
        if kind.startswith("up"):
            message["number"] = message["oldest"] = self.number
            message["items"][0]["seq"] = self.number
        for _ in range(chance.choice((1, 1, 1, 2))):
            self._mutate(message)
        codes = self._pool[str][:2]
        topic = topic.replace("@", chance.choice(SITES))
        rooms = [*codes, "QQQQQQ", "bad!code", "x" * 99]
        topic = topic.replace("#", chance.choice(rooms))
        if kind == "view":
            epoch, version, frame = (*message, "", "", "")[:3]
            return kind, topic, f"{epoch} {version}\n{frame}".encode()
        return kind, topic, json.dumps(message).encode()

    def _mutate(self, message: Any) -> None:
        """Change, remove or add one field, anywhere in a message."""
        places = list(_places(message))
        if not places:
            return
        parent, key = self._chance.choice(places)
        roll = self._chance.random()
        if roll < 0.76:
            kind = type(parent[key])
            parent[key] = self._chance.choice(self._pool.get(kind, [parent[key]]))
        elif roll < 0.92:
            parent[key] = copy.deepcopy(self._chance.choice(self._wild))
        elif isinstance(parent, dict) and roll < 0.96:
            del parent[key]
        elif isinstance(parent, dict):
            parent["extra"] = copy.deepcopy(self._chance.choice(self._wild))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def decodes(kind: str, payload: bytes) -> bool:
    """Whether a node can read all of a message."""
    match kind.split():
        case ["up", _]:
            up = decode(UpBatch, payload)
            return up is not None and None not in up.items
        case ["down", _]:
            down = decode(DownBatch, payload)
            return down is not None and None not in down.items
        case ["view"]:
            return decode_view(payload) is not None
        case ["progress"]:
            return True
    kinds = {"state": NodeState, "announce": Announce, "probe": Probe, "answer": Answer}
    return decode(kinds[kind], payload) is not None
