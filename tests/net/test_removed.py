"""A removed player stays out, over a real socket, until the host lets them back in."""

from __future__ import annotations

from typing import Any

from tests.support.server import hall
from tests.support.wire import Wire, wire

TABLET, PHONE = "a" * 32, "b" * 32


async def _refusal(port: int, room: str, **hello: Any) -> str:
    async with wire(port) as found:
        await found.hello("player", room=room, **hello)
        return str((await found.until("refused"))["code"])


async def _roster(host: Wire, *, removed: bool) -> list[tuple[str, bool]]:
    await host.send("get_roster", ref=7, removed=removed)
    page = await host.until("roster", ref=7)
    return [(person["name"], person["is_kicked"]) for person in page["people"]]


async def test_a_removed_player_stays_out_and_comes_back_as_who_they_were() -> None:
    async with hall() as at, wire(at.port) as host, wire(at.port) as anna:
        await host.prove("host", at.room, at.key)
        welcome = await anna.join(at.room, "Anna", device=TABLET)
        await host.do("kick", player=welcome["player"])
        assert (await anna.until("bye"))["code"] == "kicked"

        port, room = at.port, at.room
        again = {"name": "Stranger", "device": TABLET}
        assert await _refusal(port, room, token=welcome["token"]) == "kicked"
        assert await _refusal(port, room, **again) == "removed_device"
        assert await _refusal(port, room, name="ANNA", device=PHONE) == "removed_name"
        assert await _roster(host, removed=True) == [("Anna", True)]
        assert await _roster(host, removed=False) == []

        await host.do("let_back", player=welcome["player"])
        async with wire(port) as back:
            await back.hello("player", room=room, token=welcome["token"])
            found = await back.until("welcome")
        assert (found["player"], found["name"]) == (welcome["player"], "Anna")
        assert await _roster(host, removed=False) == [("Anna", False)]


async def test_a_removal_outlives_a_restart(tmp_path: Any) -> None:
    async with hall(data=tmp_path) as at:
        async with wire(at.port) as host, wire(at.port) as anna:
            await host.prove("host", at.room, at.key)
            welcome = await anna.join(at.room, "Anna", device=TABLET)
            await host.do("kick", player=welcome["player"])
        room = at.room
    async with hall(data=tmp_path) as again:
        assert await _refusal(again.port, room, name="anna") == "removed_name"
        hello = {"name": "Ben", "device": TABLET}
        assert await _refusal(again.port, room, **hello) == "removed_device"
