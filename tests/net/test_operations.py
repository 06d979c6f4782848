"""Health, readiness and figures, as an operator's programs read them."""

from __future__ import annotations

import asyncio
import functools
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from server.journal.sqlite import SqliteStore
from server.metrics import Metrics
from server.net.operations import Check, Health, check_space
from server.net.pages import CSP
from tests.support.broker import open_broker
from tests.support.http import Answer, get
from tests.support.server import hall as open_hall
from tests.support.wire import wire

GUARD_S = 30


hall = functools.partial(open_hall, health_fresh_s=0.0)
"""A server where every question looks again: no test waits for a second to pass."""


def parts(answer: Answer) -> dict[str, Any]:
    """Return what an answer says of each part."""
    return json.loads(answer.body)["parts"]  # type: ignore[no-any-return] # JSON


async def until(port: int, path: str, status: int) -> Answer:
    """Ask until the answer has a status."""
    async with asyncio.timeout(GUARD_S):
        while True:
            answer = await get(port, path)
            if answer.status == status:
                return answer


async def test_a_sound_server_is_well_and_ready(tmp_path: Path) -> None:
    async with hall(data=tmp_path) as at:
        well = await get(at.port, "/healthz")
        assert (well.status, parts(well)) == (
            200,
            {"journal": "ok", "tasks": "ok", "disk": "ok"},
        )
        ready = await get(at.port, "/readyz")
        assert (ready.status, parts(ready)["doors"]) == (200, "ok")
        assert (await get(at.port, "/livez")).status == 200


@pytest.mark.fault
async def test_a_locked_journal_makes_it_unwell_until_it_is_free(
    tmp_path: Path,
) -> None:
    async def impatient() -> SqliteStore:
        return SqliteStore(tmp_path / "journal.sqlite", busy_ms=20)

    async with hall(data=tmp_path, store=impatient) as at:
        other = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        sick = await get(at.port, "/healthz")
        assert (sick.status, parts(sick)["journal"]) == (503, "cannot be written")
        assert (await get(at.port, "/readyz")).status == 503
        assert (await get(at.port, "/livez")).status == 200
        figures = (await get(at.port, "/metrics")).status
        assert figures == 404  # they were not requested on this port
        other.execute("ROLLBACK")
        other.close()
        assert (await get(at.port, "/healthz")).status == 200
        assert (await get(at.port, "/readyz")).status == 200


async def test_low_disk_space_is_reported_before_it_runs_out(tmp_path: Path) -> None:
    """A really full disk is in tests/faults/test_full_disk.py."""
    assert await check_space(tmp_path, low_bytes=2**62)() == "is nearly full"
    assert await check_space(tmp_path, low_bytes=1)() is None
    assert await check_space(tmp_path / "none")() == "cannot be read"


@pytest.mark.fault
async def test_a_stopped_broker_makes_it_unwell_until_it_is_back(
    tmp_path: Path,
) -> None:
    broker = open_broker("mosquitto", tmp_path)
    await broker.start()
    folder = tmp_path / "data"
    async with hall(data=folder, broker=broker.url(), site="berlin") as at:
        well = await until(at.port, "/healthz", 200)
        assert parts(well) == dict.fromkeys(
            ("journal", "tasks", "disk", "broker", "outbox"), "ok"
        )
        await broker.kill()
        sick = await until(at.port, "/healthz", 503)
        assert parts(sick)["broker"] == "is not connected"
        assert (await get(at.port, "/readyz")).status == 503
        await broker.start()
        await until(at.port, "/readyz", 200)
    await broker.kill()


async def test_a_part_that_never_answers_is_unwell() -> None:
    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    found = await Health({"disk": hangs}, Metrics(), patience_s=0.01).look()
    assert found == {"disk": "does not answer"}


async def test_a_check_that_fails_is_of_its_part_alone() -> None:
    async def breaks() -> str | None:
        raise RuntimeError("a fault of ours")

    async def works() -> str | None:
        return None

    found = await Health({"disk": breaks, "journal": works}, Metrics()).look()
    assert found == {"disk": "cannot be checked", "journal": None}


async def test_a_node_stays_ready_while_what_all_nodes_share_is_away() -> None:
    now, wrong = [100.0], dict[str, str | None]()

    def check(part: str) -> Check:
        async def check() -> str | None:
            return wrong.get(part)

        return check

    checks = {part: check(part) for part in ("journal", "disk")}
    health = Health(
        checks, Metrics(), lambda: now[0], fresh_s=0, shared=["journal"], shared_s=15
    )
    wrong["journal"] = "cannot be written"  # and it never could: a wrong address
    assert not health.is_enough(await health.look())
    wrong["journal"] = None
    assert health.is_enough(await health.look())
    wrong["journal"] = "cannot be written"
    now[0] += 14.9
    assert (await health.look())["journal"] == "cannot be written"
    assert health.is_enough(await health.look())
    wrong["disk"] = "is nearly full"
    assert not health.is_enough(await health.look())
    wrong["disk"] = None
    now[0] += 0.1
    assert not health.is_enough(await health.look())


async def test_many_questions_are_one_look() -> None:
    now, looks = [100.0], []

    async def check() -> str | None:
        looks.append(1)
        return None

    asked = Health({"journal": check}, Metrics(), lambda: now[0], fresh_s=1)
    await asyncio.gather(*(asked.look() for _ in range(50)))
    assert len(looks) == 1
    now[0] += 1
    await asked.look()
    assert len(looks) == 2


async def test_a_full_house_is_well_but_not_ready() -> None:
    from server.net.limits import Limits

    async with hall(limits=Limits(sockets=1)) as at, wire(at.port):
        assert (await get(at.port, "/healthz")).status == 200
        full = await get(at.port, "/readyz")
        assert (full.status, parts(full)["doors"]) == (503, "full")


async def test_figures_on_a_port_of_their_own() -> None:
    async with hall(metrics_port=0) as at:
        port = at.server.metrics_port
        assert port is not None
        answer = await get(port, "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert b"twogaps_rooms 1.0" in answer.body
        assert b'twogaps_healthy{part="journal"} 1.0' in answer.body
        assert b'part="broker"' not in answer.body  # there is none that could fail
        assert (await get(port, "/healthz")).status == 200
        assert (await get(port, "/")).status == 404
        assert (await get(port, "/ws")).status == 404
        assert (await get(at.port, "/metrics")).status == 404


async def test_figures_on_the_main_port_need_their_key() -> None:
    async with hall(metrics_key="open sesame") as at:
        assert (await get(at.port, "/metrics")).status == 404
        wrong = {"Authorization": "Bearer open"}
        assert (await get(at.port, "/metrics", **wrong)).status == 404
        right = {"Authorization": "Bearer open sesame"}
        assert b"twogaps_rooms 1.0" in (await get(at.port, "/metrics", **right)).body


async def test_every_answer_carries_the_strict_policy() -> None:
    async with hall(metrics_port=0, metrics_key="k") as at:
        pages = ["/", "/host", "/screen", "/report", "/j/K7MQ2P", "/qr/K7MQ2P.svg"]
        made = ["/no", "/livez", "/healthz", "/readyz", "/metrics", "/where.json"]
        paths = [*pages, *made, "/assets/no.js"]
        answers = [await get(at.port, path) for path in paths]
        assert at.server.metrics_port is not None
        answers.append(await get(at.server.metrics_port, "/metrics"))
        upgrade = {
            "Upgrade": "websocket", "Connection": "Upgrade", "Origin": "http://evil",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version": "13",
        }  # fmt: skip
        refused = await get(at.port, "/ws", **upgrade)
        assert refused.status == 403
        for answer in (*answers, refused):
            assert answer.headers["content-security-policy"] == CSP
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "server" not in answer.headers
