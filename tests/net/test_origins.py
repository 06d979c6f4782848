"""Pages that may open a live connection: by their Origin, and by the Host they ask."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import InvalidStatus

from server.net.server import Origins
from tests.support.http import get
from tests.support.server import hall
from tests.support.wire import wire


async def test_foreign_pages_may_not_connect() -> None:
    async with hall() as at:
        with pytest.raises(InvalidStatus) as refused:
            async with wire(at.port, origin="http://evil.example"):
                pass
        assert refused.value.response.status_code == 403
        async with wire(at.port, origin=f"http://127.0.0.1:{at.port}") as ann:
            await ann.join(at.room)


REBOUND = "evil.example"
"""A name that its owner has pointed at this machine (DNS rebinding)."""


async def test_a_page_whose_name_points_here_may_not_connect() -> None:
    async with hall(is_open=True) as at:
        url = f"ws://{REBOUND}:{at.port}/ws"
        origin = f"http://{REBOUND}:{at.port}"
        with pytest.raises(InvalidStatus) as refused:
            async with wire(at.port, url, host="127.0.0.1", origin=origin):
                pass
        response = refused.value.response
        assert response.status_code == 421
        assert b"--public-url" in response.body
        assert (await get(at.port, "/where.json", Host=REBOUND)).status == 421
        why = await get(at.port, f"/why.json?origin={origin}", Host=REBOUND)
        assert json.loads(why.body) == {"reason": "origin", "host": REBOUND}
        for host in (REBOUND, "10.1.2.3", "two-gaps.default.svc"):
            assert (await get(at.port, "/healthz", Host=host)).status == 200
        assert (await get(at.port, "/", Host=REBOUND)).status == 200  # a public page


async def test_the_address_that_people_use_is_known() -> None:
    async with hall(public_url="https://gaps.school.example") as at:
        url = f"ws://gaps.school.example:{at.port}/ws"
        async with wire(at.port, url, host="127.0.0.1") as ann:
            await ann.join(at.room)


async def test_a_client_hears_of_all_public_addresses_and_may_come_by_each() -> None:
    one, other = "https://a.school.example", "https://b.school.example"
    both = ["wss://a.school.example/ws", "wss://b.school.example/ws"]
    async with hall(public_url=f"{one},{other}") as at:
        for origin in (one, other):
            url = f"ws://{origin.partition('//')[2]}:{at.port}/ws"
            async with wire(at.port, url, host="127.0.0.1", origin=origin) as ann:
                assert (await ann.join(at.room))["addresses"] == both
            async with wire(at.port) as teacher:
                welcome = await teacher.prove("host", at.room, at.key)
                assert welcome["addresses"] == both
    async with hall(public_url=one) as at, wire(at.port) as ann:
        assert (await ann.join(at.room))["addresses"] == []


async def test_the_log_names_a_refused_origin_once_with_the_remedy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with hall() as at:
        for _ in range(3):
            with pytest.raises(InvalidStatus):
                async with wire(at.port, origin="https://gaps.tunnel.example"):
                    pass
    said = [one for one in caplog.messages if "gaps.tunnel.example" in one]
    assert len(said) == 1
    assert "--public-url" in said[0]
    assert f"127.0.0.1:{at.port}" in said[0]


async def test_refused_origins_in_the_log_are_bounded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    origins = Origins((), logged=2)
    assert not any(origins.admits(f"http://{n}.example", "here") for n in range(9))
    assert len(caplog.messages) == 2


@pytest.mark.parametrize(
    ("given", "origin", "host", "is_let_in"),
    [
        ((), "https://gaps.example", "gaps.example:443", True),  # some proxies add it
        ((), "http://gaps.example", "GAPS.example:80", True),
        ((), "https://gaps.example", "gaps.example:80", False),
        ((), "http://gaps.example:8000", "gaps.example", False),
        ((), "null", "", False),
        ((), "http://[", "[", False),
        (("https://gaps.example:443",), "https://gaps.example", "10.0.0.2", True),
        (("https://münchen.example/",), "https://xn--mnchen-3ya.example", "x", True),
        (("https://gaps.example",), "http://gaps.example", "x", False),
        (("https://gaps.example",), "https://evil.gaps.example", "x", False),
    ],
)
def test_an_origin_is_compared_as_browsers_write_it(
    given: tuple[str, ...], origin: str, host: str, is_let_in: bool
) -> None:
    assert Origins(given).admits(origin, host) is is_let_in
