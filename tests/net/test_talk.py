"""Discussion groups over the wire: all players, also late ones, hear immediately."""

from __future__ import annotations

import json

from server.game.settings import RoomSettings
from tests.support.server import hall
from tests.support.wire import Wire, wire


async def talk(player: Wire) -> dict[str, object]:
    """Wait until this player gets a group."""
    while True:
        told = (await player.until("you"))["you"]["talk"]
        if told is not None:
            return told  # type: ignore[no-any-return] # JSON


async def test_phones_show_groups_and_the_screen_does_not() -> None:
    async with (
        hall() as at,
        wire(at.port) as host, wire(at.port) as ann, wire(at.port) as bob,
        wire(at.port) as late,
    ):  # fmt: skip
        await host.prove("host", at.room, at.key)
        await ann.join(at.room, "Ann")
        await bob.join(at.room, "Bob")
        await host.do("open_round", "open_vote")
        await ann.phase("vote")
        await ann.vote("outer")
        await host.do("close_votes", "discuss")
        assert (await talk(ann)) == {"number": 1, "others": 1, "names": ["Bob"]}
        assert (await talk(bob))["names"] == ["Ann"]
        await late.join(at.room, "Cyd")
        assert sorted((await talk(late))["names"]) == ["Ann", "Bob"]  # type: ignore[call-overload] # names
        assert (await talk(ann))["others"] == 2
        views = [m for m in ann.seen if m["type"] == "view"]
        assert not any("Bob" in json.dumps(view) for view in views)


async def test_switched_off_no_groups_are_shown() -> None:
    async with (
        hall(RoomSettings(pairs=False)) as at,
        wire(at.port) as host, wire(at.port) as ann, wire(at.port) as bob,
    ):  # fmt: skip
        await host.prove("host", at.room, at.key)
        await ann.join(at.room, "Ann")
        await bob.join(at.room, "Bob")
        await host.do("open_round", "open_vote", "close_votes", "discuss", "reveal")
        await host.do("next_step", all=True)
        await ann.phase("reveal")
        assert all(m["you"]["talk"] is None for m in ann.seen if m["type"] == "you")
