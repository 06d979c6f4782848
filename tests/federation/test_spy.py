"""A spy at a site reads all it can through a whole game, and learns nothing early."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Iterable
from pathlib import Path

import aiomqtt
import pytest

from client import Host, host
from scenarios.model import Case, PlannedRound
from server.game.commands import (
    AskFix,
    CloseVotes,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
    Transfer,
)
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.protocol.client_messages import OpenRoom
from server.protocol.keys import screen_key
from tests.support.arrive import GUARD_S, arrive
from tests.support.broker import Kind
from tests.support.guarded import EDGE, EVE, HOME, guarded_broker, hear_all
from tests.support.sites import Pupil

NEVER = ('"host_view"', '"panel"', '"roster"', '"standings"')
"""In no message that a site can read, at any time."""

COUNTS = ("bars", "cohorts", "tally", "verdict", "truth", "breakdown", "moves")
"""Names of fields that hold a count or a verdict: none before the main reveal."""


class Spy:
    """What was read at a site, and what must not be read yet."""

    def __init__(self, always: Iterable[str]) -> None:
        """``always`` are secrets that no site may read at any time."""
        self.topics: set[str] = set()
        self._always = (*NEVER, *always)
        self._heard: list[tuple[str, str]] = []
        self._hidden: tuple[str, ...] = ()
        self._keys: tuple[str, ...] = ()
        self._news = asyncio.Event()

    async def listen(self, client: aiomqtt.Client) -> None:
        """Read until cancelled."""
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            self.topics.add(message.topic.value)
            plain = message.payload.decode().replace("\\", "")
            self._heard.append((message.topic.value, plain))
            self._news.set()

    def hide(self, *texts: str, keys: tuple[str, ...] = ()) -> None:
        """From now on these must not be read: begin with a clean sheet."""
        self._heard.clear()
        self._hidden, self._keys = texts, keys

    async def until(self, text: str) -> None:
        """Wait until something is read that has to be."""
        async with asyncio.timeout(GUARD_S):
            while not any(text in plain for _, plain in self._heard):
                self._news.clear()
                await self._news.wait()

    async def nothing_leaks(self, phase: str) -> None:
        """Wait for the view of a phase; nothing up to now may reveal what is hidden."""
        await self.until(f'"phase":"{phase}"')
        for topic, plain in self._heard:
            found = [text for text in (*self._always, *self._hidden) if text in plain]
            found += [key for key in self._keys if f'"{key}":' in plain]
            assert not found, f"{topic} tells {found}"


def told_by(case: Case) -> set[str]:
    """Return the texts of a case's breakdown, as written in JSON."""
    texts = [*case.breakdown.model_dump().values(), case.tempting]
    return {_in_json(text) for text in texts}


def comments(case: Case) -> set[str]:
    """Return the comment on each repair."""
    return {_in_json(option.comment) for option in case.fix_question.options}


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("\\", "")


@pytest.mark.parametrize(
    ("kind", "site"),
    [
        ("mosquitto", EDGE),
        ("nats", EVE),
        pytest.param("mosquitto", EVE, marks=pytest.mark.campaign),
        pytest.param("nats", EDGE, marks=pytest.mark.campaign),
    ],
)
async def test_a_spy_learns_nothing_before_its_time(
    tmp_path: Path, kind: Kind, site: str
) -> None:
    async with (
        guarded_broker(kind, tmp_path) as guarded,
        guarded.node(HOME, tmp_path) as home,
        guarded.node(EDGE, tmp_path) as edge,
        guarded.client(site) as client,
        contextlib.AsyncExitStack() as stack,
    ):
        settings = RoomSettings(time_factor=10)
        order = OpenRoom(deck="first-class", seed=1, settings=settings)
        room, key = await home.admin.open_room(order)
        spy = Spy((key, screen_key(key)))
        await hear_all(client)
        listening = asyncio.create_task(spy.listen(client))
        teacher = await stack.enter_async_context(host(home.local_url, room, key))
        everyone = [
            Pupil(await arrive(stack, url, room, f"P{n}"), random.Random(n))
            for n, url in enumerate([home.local_url, *[edge.local_url] * 4])
        ]
        plan = home.directory.live[0].state.plan
        for number in range(2):
            await _round(spy, teacher, everyone, plan.rounds[number], number)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    private = {t for t in spy.topics if t.startswith(("tg/v1/down/", "tg/v1/up/"))}
    assert private == ({f"tg/v1/down/{EDGE}/{HOME}"} if site == EDGE else set())


async def _round(
    spy: Spy, teacher: Host, everyone: list[Pupil], planned: PlannedRound, number: int
) -> None:
    """Play one round; look at all that was read before each of its reveals."""
    case, twin = planned.case, planned.transfer
    assert twin is not None

    async def ask(ballot: Ballot) -> None:
        async with asyncio.timeout(GUARD_S):
            await asyncio.gather(*(one.answer((number, ballot)) for one in everyone))

    await teacher.send(OpenRound())
    await spy.until(_in_json(case.story)[:60])
    spy.hide(*told_by(case), *comments(case), *told_by(twin), keys=COUNTS)
    for command, ballot in ((OpenVote(), Ballot.VOTE), (Revote(), Ballot.REVOTE)):
        await teacher.send(command)
        await ask(ballot)
        await teacher.send(CloseVotes())
        await spy.nothing_leaks(f"{ballot}_closed")
    spy.hide(*comments(case), *told_by(twin))
    await teacher.send(Reveal())
    await teacher.send(NextStep(all=True))
    await spy.until(_in_json(case.breakdown.why))
    await teacher.send(AskFix())
    await ask(Ballot.FIX)
    await spy.nothing_leaks("fix")
    spy.hide(*told_by(twin))
    await teacher.send(CloseVotes())
    await spy.until(next(iter(comments(case))))
    await teacher.send(Transfer())
    await ask(Ballot.TRANSFER)
    await spy.nothing_leaks("transfer")
    await teacher.send(CloseVotes())
    await spy.until(_in_json(twin.breakdown.why))
