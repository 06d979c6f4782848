"""A screen proves its key and follows the class's view to the closing page."""

from __future__ import annotations

import asyncio

from client import screen
from server.game.views.stage_types import FinishedView
from server.protocol.client_messages import Hello, Prove
from server.protocol.keys import prove
from server.protocol.server_messages import Challenge, Progress, View, Welcome
from tests.client.fake_server import CARD, KEY, ROOM, FakeServer, lobby

END = FinishedView(CARD, (), None, False, (), (), ())


async def test_a_screen_follows_to_the_end(fake: FakeServer) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        hello = await peer.take(Hello)
        await peer.send(Challenge(nonce="n"))
        assert (await peer.take(Prove)).proof == prove(KEY, "screen", ROOM, "n")
        assert hello.role == "screen"
        await peer.send(
            Welcome(role="screen", room=ROOM, server="fake", now_ms=0),
            Progress(answered=1, expected=2, joined=3),
            View(version=1, view=lobby()),
            View(version=2, view=END),
        )

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with screen(fake.url, ROOM, KEY) as projector:
            assert [view async for view in projector.views()][-1] == END
            assert projector.progress is not None
            assert projector.progress.answered == 1
