"""A wall at another site: the host hears that it is silent; it shows the picture."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from scenarios.load import load_library
from tests.federation.test_sites import sites
from tests.net.test_walls import walls
from tests.support.arrive import arrive
from tests.support.broker import KINDS
from tests.support.wire import screen_key, wire


@pytest.mark.fault
async def test_a_wall_of_another_site_is_heard_of_and_shows_pictures(
    tmp_path: Path,
) -> None:
    async with (
        sites(tmp_path, KINDS[0]) as at,
        wire(at.home.port) as host,
        wire(at.edges[0].port) as there,
        contextlib.AsyncExitStack() as stack,
    ):
        await arrive(stack, at.edges[0].local_url, at.room, "Ann")  # the room is known
        await host.prove("host", at.room, at.key)
        await there.prove("screen", at.room, screen_key(at.key))
        await walls(host, (1, 1))
        await there.send("tell_sound", is_on=True)
        await walls(host, (1, 0))
        await host.send("open_round")
        story = (await there.phase("read"))["story"]
        case = load_library().case("coastrunners-lagoon")
        assert case.picture is not None
        assert story["title"] == case.title
        assert story["picture"] == case.picture.model_dump()
