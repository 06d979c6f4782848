"""Fuzzing the wire over real sockets: a mutator of a recorded game, and hypothesis.

Which frames are sent depends on the seed of the run alone, how many on its tier or on
TWOGAPS_FUZZ_FRAMES (a million in `make fuzz` and in a campaign): six of seven are
mutated, the rest drawn by hypothesis.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.arena import PLAYERS, ROLES, Arena, Figures
from tests.fuzz.mutate import Mutator
from tests.fuzz.raw import raw
from tests.support.figures import Figure
from tests.support.messages import kinds, minimal
from tests.support.roles import ROWS
from tests.support.server import hall
from tests.support.tiers import scaled
from tests.support.tiers import seed as run_seed
from tests.support.wire import Wire, wire

SEED = run_seed()
VOLLEY = 250
SLICE = scaled(9_000, 36_000, 1_000_000)
DRAWN = 40
"""Frames in a volley of hypothesis, on average."""

SAY_S = 10.0


def frames_wanted() -> int:
    """Return how many frames to send in all."""
    return int(os.environ.get("TWOGAPS_FUZZ_FRAMES", SLICE))


async def recorded_game() -> list[bytes]:
    """Play a whole game by the book; return every frame that clients sent."""
    said: list[bytes] = []

    class Recorder(Wire):
        async def send(self, kind: str, **fields: Any) -> None:
            said.append(json.dumps({"type": kind, **fields}).encode())
            await super().send(kind, **fields)

    async with (
        hall(is_open=True) as at, wire(at.port) as h, wire(at.port) as a,
        wire(at.port) as d,
    ):  # fmt: skip
        host, ann, desk = Recorder(h.ws), Recorder(a.ws), Recorder(d.ws)
        await host.prove("host", at.room, at.key)
        me = await ann.join(at.room, join_key="ab" * 16)
        await ann.send(
            "hello", version=1, role="player", room=at.room, token=me["token"]
        )
        await desk.hello("admin")
        await desk.send("ping", ref=0)
        for kind in ("list_rooms", "list_decks"):
            await desk.send(kind, ref=1)
        await desk.send("open_room", ref=2, deck="first-class", length=1, seed=3)
        await desk.send("get_case", ref=3, case="coastrunners-lagoon")
        for percent in (150, 100):
            await ann.send("ask_time", ref=4, percent=percent)
        await ann.send("choose_team", ref=5, team="red")
        await host.do("open_round", "open_vote")
        await ann.vote("outer", 1, reason="It counts what it is paid for.")
        her = {"player": me["player"], "ref": 9}
        for kind in ("pin_reason", "unpin_reason"):
            await host.send(kind, **her)
        await host.send("rename", name="Anna", **her)
        await host.send("set_team", team="red", **her)
        await host.do("close_votes", override=True)
        await host.send("get_roster", ref=11, offset=0, search="a")
        for kind in ("contrast", "discuss", "revote"):
            await host.send(kind, ref=12)
        await ann.vote("inner", 2, ballot="revote")
        await host.send("give_time", ref=13, seconds=30)
        await host.do("close_votes", "reveal")
        await host.do("next_step", all=True)
        await host.do("ask_fix")
        await ann.vote(counter=3, ballot="fix", answer={"kind": "fix", "option": 1})
        await host.do("close_votes", "transfer")
        await ann.vote("inner", 4, ballot="transfer")
        await host.do("close_votes", "lock", "unlock", "back_to_lobby", "open_round")
        await host.send("change_settings", ref=14, change={"auto_close": True})
        await host.send("skip_round", ref=15)
        await host.send("kick", ref=16, player=me["player"])
    return said


@cache
def seeds() -> tuple[bytes, ...]:
    """Return the recorded frames, and one of each type that the game did not need."""
    said = asyncio.run(recorded_game())
    known = {json.loads(frame)["type"] for frame in said}
    rest = [json.dumps(minimal(kind)).encode() for kind in kinds() if kind not in known]
    return (*said, *rest)


@cache
def recorded_player() -> bytes:
    """Return the id by which the recorded frames name a player."""
    (kick,) = (frame for frame in seeds() if b'"kick"' in frame)
    return str(json.loads(kick)["player"]).encode()


@pytest.mark.sampled
@pytest.mark.timeout(3_600)
def test_mutated_frames_of_every_role(figure: Figure) -> None:
    figures, chance = Figures(), Random(SEED)
    recorded = seeds()
    asyncio.run(_bombard(figures, chance, Mutator(recorded, chance)))
    figure(f"fuzz, mutated (seed {SEED}): {figures.text()}")


async def _bombard(figures: Figures, chance: Random, mutator: Mutator) -> None:
    wanted, said_s = frames_wanted() * 6 // 7, time.monotonic()
    while figures.frames < wanted:
        async with Arena(figures, chance) as arena:
            goal = min(wanted, figures.frames + 50_000)
            while figures.frames < goal:
                n = min(VOLLEY, goal - figures.frames)
                await arena.volley([_shot(chance, mutator, arena) for _ in range(n)])
                if time.monotonic() - said_s > SAY_S:
                    said_s = time.monotonic()
                    share = 100 * figures.frames // wanted
                    print(f"  {share:3} %  {figures.frames:,}", file=sys.__stderr__)


def _shot(chance: Random, mutator: Mutator, arena: Arena) -> tuple[str, bytes, bool]:
    """Draw a frame and its sender, mostly one with the right to send it."""
    payload = arena.localised(mutator.next(), recorded_player())
    role = chance.choice(ROLES)
    found = re.search(rb'"type": ?"(\w+)"', payload)
    row = ROWS.get(found[1].decode()) if found else None
    if row is not None and chance.random() < 0.7:
        who = chance.choice(row.who)
        if who == "player":
            role = chance.choice(PLAYERS)
        elif who in ROLES:  # a co-host needs a site: here others send these messages
            role = who
    if b'"finish"' in payload and chance.random() < 0.9:
        payload = b'{"type":"lock"}'  # or no room would live for long
    is_text = chance.random() < 0.99 or len(payload) > 4_000
    return role, payload, is_text


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=8,
)
names = st.sampled_from(
    ["ref", "round", "ballot", "client", "counter", "answer", "reason", "player"]
) | st.text(max_size=8)
messages = st.builds(
    lambda kind, fields: json.dumps({**fields, "type": kind}).encode(),
    st.sampled_from(kinds()) | st.text(max_size=8),
    st.dictionaries(names, values | st.sampled_from(["vote", "fix", 0, 1]), max_size=5),
)
payloads = st.one_of(
    messages,
    messages,
    st.sampled_from(range(200)).map(lambda n: seeds()[n % len(seeds())]),
    values.map(lambda value: json.dumps(value).encode()),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=60),
)
shots = st.tuples(
    st.sampled_from(ROLES), payloads, st.sampled_from([True] * 9 + [False])
)


@pytest.mark.sampled
@pytest.mark.timeout(3_600)
def test_frames_drawn_by_hypothesis(figure: Figure) -> None:
    figures, chance = Figures(), Random(SEED)
    seeds()
    with asyncio.Runner() as runner:
        arena = Arena(figures, chance)
        runner.run(arena.__aenter__())

        @seed(SEED)
        @settings(
            max_examples=frames_wanted() // 7 // DRAWN,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(shots, min_size=20, max_size=60))
        def send(volley: list[tuple[str, bytes, bool]]) -> None:
            runner.run(arena.volley(volley))

        send()
        runner.run(arena.__aexit__())
    figure(f"fuzz, hypothesis (seed {SEED}): {figures.text()}")


async def test_invalid_frames_close_their_socket_and_no_other() -> None:
    """Headers and masks broken by chance: only that socket ends, with a reason."""
    figures, chance = Figures(), Random(SEED)
    async with Arena(figures, chance) as arena:
        for _ in range(150):
            socket = await raw(arena.server.port)
            socket.write(chance.randbytes(chance.randint(1, 60)))
            socket.write(b"\x88\x80\0\0\0\0" * 20)  # closes, if it is read so far
            socket.close()
        await arena.volley([(role, b'{"type":"ping"}', True) for role in ROLES])


def test_the_seeds_hold_every_message_type() -> None:
    assert {json.loads(frame)["type"] for frame in seeds()} == set(ROWS)
