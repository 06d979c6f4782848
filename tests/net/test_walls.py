"""A projector page says whether it can be heard, and the host sees how many cannot."""

from __future__ import annotations

from typing import Any

from tests.support.server import hall
from tests.support.wire import Wire, screen_key, wire


async def walls(host: Wire, wanted: tuple[int, int]) -> dict[str, Any]:
    """Wait until the host's panel counts these walls, and these silent ones."""
    while True:
        panel: dict[str, Any] = (await host.until("panel"))["panel"]
        if (panel["walls"], panel["silent_walls"]) == wanted:
            return panel


async def test_the_host_sees_how_many_walls_are_silent() -> None:
    async with (
        hall() as at,
        wire(at.port) as host,
        wire(at.port) as first,
    ):
        await host.prove("host", at.room, at.key)
        await walls(host, (0, 0))
        await first.prove("screen", at.room, screen_key(at.key))
        await walls(host, (1, 1))
        async with wire(at.port) as second:
            await second.prove("screen", at.room, screen_key(at.key))
            await walls(host, (2, 2))
            await second.send("tell_sound", is_on=True)
            await walls(host, (2, 1))
        await walls(host, (1, 1))
        await first.send("tell_sound", is_on=True)
        await walls(host, (1, 0))
        await first.send("tell_sound", is_on=False)
        await walls(host, (1, 1))


async def test_a_player_does_not_count_as_a_wall() -> None:
    async with hall() as at, wire(at.port) as ann:
        await ann.join(at.room)
        await ann.send("tell_sound", is_on=True)
        assert (await ann.until("refused"))["code"] == "not_allowed"
