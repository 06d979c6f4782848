"""Abuse over real sockets: what is refused, how, and that the others do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator

import pytest
from websockets.exceptions import InvalidStatus

from client import connect as join
from server.game.settings import RoomSettings
from server.net.limits import Limits
from server.protocol.client_messages import OpenRoom
from tests.support.http import get
from tests.support.server import Hall, hall
from tests.support.until import until
from tests.support.wire import Wire, wire

SCHOOL = {"X-Forwarded-For": "192.0.2.7"}
"""As a proxy on this machine says it; else a test's sockets count by no address."""


def hits(at: Hall, limit: str) -> float:
    """Return how often a limit was reached."""
    registry = at.server.metrics.registry
    found = registry.get_sample_value("twogaps_limits_hit_total", {"limit": limit})
    assert found is not None
    return found


@contextlib.contextmanager
def counted(at: Hall, limit: str) -> Iterator[None]:
    """Hold that the block reaches a limit."""
    before = hits(at, limit)
    yield
    assert hits(at, limit) > before, f"{limit} was not counted"


async def test_1500_behind_one_address_play_with_the_defaults() -> None:
    n = 1_500
    room = RoomSettings(max_players=2_000, time_factor=10)
    async with (
        hall(room) as at,
        wire(at.port) as host,
        contextlib.AsyncExitStack() as s,
    ):
        await host.prove("host", at.room, at.key)
        gate = asyncio.Semaphore(200)

        async def enter(number: int) -> Wire:
            async with gate:
                link = wire(at.port, additional_headers=SCHOOL)
                player = await s.enter_async_context(link)
                await player.join(at.room, f"Player {number}")
                return player

        players = await asyncio.gather(*(enter(number) for number in range(n)))
        await host.do("open_round", "open_vote")
        answers = await asyncio.gather(
            *(player.vote(client=f"p{number}") for number, player in enumerate(players))
        )
        assert [answer["type"] for answer in answers] == ["recorded"] * n
        registry = at.server.metrics.registry
        reached = {
            sample.labels["limit"]: sample.value
            for metric in registry.collect()
            if metric.name == "twogaps_limits_hit"
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.value
        }
        assert reached == {}


async def test_new_sockets_of_an_address_are_paced_and_its_neighbors_are_not() -> None:
    neighbor = {"X-Forwarded-For": "203.0.113.9"}
    limits = Limits(connects_address=0.2, lag_ms=10**9)  # one, then each after 5 s
    async with (
        hall(limits=limits) as at,
        wire(at.port, additional_headers=SCHOOL) as ann,
    ):
        await ann.join(at.room)
        waits = asyncio.create_task(_connects(at, SCHOOL))
        gauge = "twogaps_connections_waiting"
        value = at.server.metrics.registry.get_sample_value
        await until(lambda: value(gauge) == 1)
        with (
            counted(at, "connects_address"),
            pytest.raises(InvalidStatus) as refused,
        ):
            await _connects(at, SCHOOL)
        answer = refused.value.response
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
        page = await get(at.port, "/why.json", **SCHOOL)
        assert json.loads(page.body)["reason"] == "full"
        async with wire(at.port, additional_headers=neighbor) as bob:
            await bob.join(at.room, "Bob")
        await ann.send("ping", ref=1)
        await ann.until("pong", ref=1)
        waits.cancel()


async def _connects(at: Hall, headers: dict[str, str]) -> None:
    async with wire(at.port, additional_headers=headers):
        pass


async def test_a_frame_too_long_is_refused_and_one_far_too_long_is_not_read() -> None:
    async with hall() as at:
        async with wire(at.port) as ann:
            await ann.join(at.room)
            with counted(at, "player_frame"):
                await ann.ws.send(json.dumps({"type": "ping", "x": "x" * 5_000}))
                assert (await ann.until("refused"))["code"] == "too_large"
            await ann.ws.send("x" * 20_000)
            assert await ann.closed() == 1009
            await until(lambda: hits(at, "stranger_frame") == 1)
        async with wire(at.port) as host:
            await host.prove("host", at.room, at.key)
            await host.ws.send(json.dumps({"type": "ping", "x": "x" * 100_000}))
            assert (await host.until("refused"))["code"] == "bad_message"
            await host.ws.send("x" * 300_000)
            assert await host.closed() == 1009
            await until(lambda: hits(at, "staff_frame") == 1)


@pytest.mark.alone
async def test_a_flood_is_throttled_and_refused_once() -> None:
    async with hall(limits=Limits(player_rate=50)) as at, wire(at.port) as ann:
        await ann.join(at.room)
        with counted(at, "player_rate"):
            for ref in range(120):
                await ann.send("ping", ref=ref)
            await ann.until("pong", ref=119)
        told = [m for m in ann.seen if m["type"] == "refused"]
        assert [m["code"] for m in told] == ["too_fast"]
        assert [m["ref"] for m in ann.seen if m["type"] == "pong"] == list(range(120))


async def test_guessing_codes_is_throttled_and_the_class_next_door_joins() -> None:
    limits = Limits(wrong_codes=0.1, hellos=1_000, player_rate=1_000)
    async with (
        hall(limits=limits) as at,
        wire(at.port, additional_headers=SCHOOL) as ann,
        wire(at.port, additional_headers=SCHOOL) as eve,
    ):
        await ann.join(at.room)
        codes = [f"AAAA{a}{b}" for a in "BCDEFGH" for b in "BCDEFGH"]
        answers = [await _try(eve, code) for code in codes]
        assert answers == ["unknown_room"] * 5 + ["too_fast"] * (len(codes) - 5)
        assert hits(at, "wrong_codes") == len(codes) - 5
        async with wire(at.port, additional_headers=SCHOOL) as bob:
            await bob.join(at.room, "Bob")
        other, _ = await at.server.admin.open_room(OpenRoom(deck="first-class"))
        assert await _try(eve, other) == "too_fast", "a right code told itself"
        async with wire(at.port) as host:
            assert (await host.prove("host", at.room, at.key))["role"] == "host"


async def _try(eve: Wire, code: str) -> str:
    await eve.hello("player", room=code, name="x")
    refused = await eve.until("refused")
    return str(refused["code"])


async def test_a_class_with_tokens_of_a_lost_journal_is_not_slowed() -> None:
    async with hall() as at:
        for number in range(150):
            async with wire(at.port, additional_headers=SCHOOL) as ann:
                token = f"{number:012x}.{'0' * 32}"
                await ann.hello("player", room=at.room, token=token)
                assert (await ann.until("refused"))["code"] == "bad_token"
                await ann.join(at.room, f"Player {number}")


async def test_one_socket_more_than_allowed_hears_why_and_the_others_play() -> None:
    limits = Limits(sockets=4, sockets_address=2)
    async with hall(limits=limits) as at, contextlib.AsyncExitStack() as stack:
        first, _ = [await _school(stack, at) for _ in range(2)]
        with counted(at, "sockets_address"):
            third = await _school(stack, at)
            bye = await third.until("bye")
            assert (bye["code"], bye["come_back"]) == ("full", True)
            assert bye["retry_ms"] == 5_000
            assert "network" in bye["detail"]
            assert await third.closed() == 1000
        for _ in range(2):
            await stack.enter_async_context(wire(at.port))
        with counted(at, "sockets"):
            extra = await stack.enter_async_context(wire(at.port))
            assert (await extra.until("bye"))["code"] == "full"
        await first.join(at.room)


async def _school(stack: contextlib.AsyncExitStack, at: Hall) -> Wire:
    link = wire(at.port, additional_headers=SCHOOL)
    return await stack.enter_async_context(link)


async def test_our_client_comes_in_when_a_full_server_has_a_place_again() -> None:
    async with hall(limits=Limits(sockets=1)) as at, contextlib.AsyncExitStack() as s:
        held = await s.enter_async_context(wire(at.port))
        url = f"http://127.0.0.1:{at.port}"
        coming = asyncio.create_task(s.enter_async_context(join(url, at.room, "Ann")))
        await until(lambda: hits(at, "sockets") > 0)
        await held.ws.close()
        async with asyncio.timeout(30):
            await coming


@contextlib.asynccontextmanager
async def line(port: int, first: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """Open a plain connection, say something, and no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(first)
        await writer.drain()
        yield reader
    finally:
        writer.close()


async def test_half_open_connections_are_evicted_and_keep_no_player_out() -> None:
    async with hall(limits=Limits(waiting=10)) as at, contextlib.AsyncExitStack() as s:
        half = b"GET /ws HTTP/1.1\r\nHost: x\r\n"
        lines = [await s.enter_async_context(line(at.port, half)) for _ in range(60)]
        assert await lines[0].read() == b""  # dropped, to make place
        assert hits(at, "waiting") >= 30
        async with wire(at.port) as ann:
            assert (await ann.join(at.room))["name"] == "Ann"


async def test_a_slow_request_is_dropped_in_time() -> None:
    async with hall(limits=Limits(request_s=0.1)) as at:
        async with line(at.port, b"GET / HT") as reader:
            assert await reader.read() == b""
        assert hits(at, "request_s") == 1


async def test_a_flood_of_pages_has_to_wait() -> None:
    async with hall(limits=Limits(pages_address=0.1)) as at:
        ask = (
            b"GET /where.json HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"
        )
        answers = []
        for _ in range(12):
            async with line(at.port, ask) as reader:
                answers.append((await reader.read()).decode())
        assert [a.split()[1] for a in answers] == ["200"] * 10 + ["429"] * 2
        assert "Retry-After: " in answers[-1]
        assert "wait a moment" in answers[-1]


async def test_a_flood_of_names_is_queued_then_refused_with_a_hint() -> None:
    async with hall(limits=Limits(joins_address=0.05)) as at:
        for number in range(3):
            async with wire(at.port, additional_headers=SCHOOL) as bot:
                await bot.join(at.room, f"Bot {number}")
        async with wire(at.port, additional_headers=SCHOOL) as bot:
            await bot.hello("player", room=at.room, name="Bot")
            refused = await bot.until("refused")
            assert refused["code"] == "too_fast"
            assert refused["retry_ms"] >= 5_000
            assert hits(at, "joins_address") == 1
        async with wire(at.port) as ann:
            await ann.join(at.room)


@pytest.mark.alone
async def test_an_overloaded_server_refuses_joins_and_admits_returns() -> None:
    async with hall() as at, wire(at.port) as host, wire(at.port) as ann:
        await host.prove("host", at.room, at.key)
        token = (await ann.join(at.room))["token"]
        await host.do("open_round", "open_vote")
        for _ in range(2):
            at.server.gate.feel(1e9)
        async with wire(at.port) as bob, wire(at.port) as again:
            await bob.hello("player", room=at.room, name="Bob")
            refused = await bob.until("refused")
            assert (refused["code"], refused["retry_ms"]) == ("busy", 5_000)
            assert "go first" in refused["detail"]
            assert (await ann.vote())["type"] == "recorded"
            await again.hello("player", room=at.room, token=token)
            await again.until("welcome")
        assert hits(at, "lag_ms") == 1


@pytest.mark.parametrize("is_open", [True, False])
async def test_rooms_are_opened_at_a_pace_by_each_address(is_open: bool) -> None:
    limits = Limits(opens_address=0.1, rooms_address=3)
    async with (
        hall(limits=limits, is_open=is_open) as at,
        wire(at.port, additional_headers=SCHOOL) as desk,
    ):
        await _be_admin(desk, at)
        codes = []
        for ref in range(5):
            await desk.send("open_room", ref=ref, deck="first-class", length=1)
            codes.append((await desk.next()).get("code"))
        assert codes == [None] * 3 + ["rooms_full"] * 2
        assert hits(at, "rooms_address") == 2


async def _be_admin(desk: Wire, at: Hall) -> None:
    if at.server.admin_key is None:
        await desk.hello("admin")
        await desk.until("welcome")
    else:
        await desk.prove("admin", None, at.server.admin_key)


async def test_an_empty_room_is_evicted_and_found_again() -> None:
    async with hall(limits=Limits(rooms=2)) as at, wire(at.port) as ann:
        await ann.join(at.room)
        order = OpenRoom(deck="first-class", length=1)
        empty, _ = await at.server.admin.open_room(order)
        await at.server.admin.open_room(order)
        assert at.server.directory.running(empty) is None
        async with wire(at.port) as bob:
            await bob.join(empty, "Bob")
            await ann.send("ping", ref=1)
            await ann.until("pong")
