"""A host link is called back, and a new one given, while the class plays on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from client import host
from client.admin import admin
from client.connection import Link
from client.errors import ConnectionLost, LinkCalledBack
from server.game.commands import OpenRound
from tests.support.cli import twogaps
from tests.support.server import Hall, hall
from tests.support.wire import mac, screen_key, wire

SALT = "5a" * 16


def next_key(key: str, salt: str = SALT) -> str:
    """Return the next host key, as docs/protocol.md has it."""
    return mac(key, f"host {salt}")[:16].hex()


async def refusal_of(at: Hall, role: str, key: str) -> str:
    """Return the code with which a key is refused."""
    async with wire(at.port) as found:
        await found.hello(role, room=at.room)
        nonce = (await found.until("challenge"))["nonce"]
        proof = mac(key, f"two-gaps 1 {role} {at.room} {nonce}").hex()
        await found.send("prove", proof=proof)
        return str((await found.until("refused"))["code"])


async def test_the_old_link_is_named_as_called_back_and_the_new_one_works() -> None:
    async with hall() as at, wire(at.port) as first, wire(at.port) as other:
        await first.prove("host", at.room, at.key)
        await other.prove("host", at.room, at.key)
        await first.do("call_back_link", salt=SALT)
        bye = await other.until("bye")
        assert (bye["code"], bye["come_back"]) == ("link_called_back", False)
        await first.do("open_round")  # the host who called it back continues
        assert await refusal_of(at, "host", at.key) == "link_called_back"
        assert (
            await refusal_of(at, "host", next_key(at.key, "00" * 16)) == "wrong_proof"
        )
        async with wire(at.port) as again:
            await again.prove("host", at.room, next_key(at.key))
            await again.do("open_vote")


async def test_the_class_notices_nothing() -> None:
    async with hall() as at, wire(at.port) as host_, wire(at.port) as ann:
        await host_.prove("host", at.room, at.key)
        welcome = await ann.join(at.room)
        async with wire(at.port) as screen:
            await screen.prove("screen", at.room, screen_key(at.key))
            await host_.do("open_round", "open_vote")
            await host_.do("call_back_link", salt=SALT)
            await screen.phase("vote")
            assert (await ann.vote())["type"] == "recorded"
            await host_.do("close_votes")
            await screen.phase("vote_closed")
            assert "bye" not in {m["type"] for m in (*ann.seen, *screen.seen)}
        for key in (at.key, next_key(at.key)):
            async with wire(at.port) as screen:
                await screen.prove("screen", at.room, screen_key(key))
        async with wire(at.port) as back:
            await back.hello("player", room=at.room, token=welcome["token"])
            await back.until("welcome")


async def test_a_host_of_the_old_link_gives_no_command_more() -> None:
    async with hall() as at, wire(at.port) as first, wire(at.port) as other:
        await first.prove("host", at.room, at.key)
        await other.prove("host", at.room, at.key)

        async def press() -> None:
            for _ in range(200):
                await other.send("lock")
                await other.send("unlock")

        pressing = asyncio.create_task(press())
        await first.do("call_back_link", salt=SALT)
        live = at.server.directory.live[0].state
        called_back = live.version
        await other.closed()
        await asyncio.gather(pressing, return_exceptions=True)
        await first.send("ping", ref=5)
        await first.until("pong", ref=5)
        assert live.version == called_back


async def test_the_key_of_tokens_is_in_no_link() -> None:
    async with hall() as at:
        state = at.server.directory.live[0].state
        assert state.host_key == at.key
        assert state.secret != at.key
        assert len(state.secret) == len(at.key)


async def test_no_link_is_called_back_by_a_player_or_a_screen() -> None:
    async with hall() as at, wire(at.port) as ann, wire(at.port) as screen:
        await ann.join(at.room)
        await screen.prove("screen", at.room, screen_key(at.key))
        for who in (ann, screen):
            await who.send("call_back_link", salt=SALT)
            assert (await who.until("refused"))["code"] == "not_allowed"


async def test_an_admin_finds_the_room_after_its_link_was_called_back() -> None:
    async with hall() as at:
        url = at.server.local_url
        async with host(url, at.room, at.key) as one, host(url, at.room, at.key) as two:
            key = await one.call_back_link()
            with pytest.raises(LinkCalledBack):
                await two.until(lambda _: False)
        async with admin(url, at.server.admin_key) as desk:
            assert await desk.host_key(at.room) == key
        async with host(url, at.room, key) as leader:
            again = await leader.call_back_link()
        async with host(url, at.room, again):
            pass
        with pytest.raises(LinkCalledBack):
            async with host(url, at.room, key):
                pass


async def test_a_host_continues_with_the_new_key_if_the_answer_was_lost(
    tmp_path: Path,
) -> None:
    async with hall(data=tmp_path) as at:
        room = at.server.directory.live[0]

        async def cut() -> None:
            """Part from the host once it is decided, before it is stored."""
            while not room.state.link_salts:  # noqa: ASYNC110 - each turn of the loop
                await asyncio.sleep(0)
            (link,) = room._gateway.links(room.code, "host")
            link.part(b'{"type":"bye","code":"moved","detail":"","come_back":true}')

        async with host(at.server.local_url, at.room, at.key) as leader:
            cutting = asyncio.create_task(cut())
            with pytest.raises(ConnectionLost):
                await leader.call_back_link()
            await cutting
            async for state in leader.states():
                if state is Link.OPEN:
                    break
            await leader.send(OpenRound())


async def test_it_outlives_a_restart_and_the_command_line_calls_back_again(
    tmp_path: Path,
) -> None:
    async with hall(data=tmp_path) as at, wire(at.port) as one:
        await one.prove("host", at.room, at.key)
        await one.do("call_back_link", salt=SALT)
    again: dict[str, Any] = {"data": tmp_path, "port": at.port}
    async with hall(**again) as here, wire(here.port) as two:
        found = Hall(here.server, at.room, at.key)
        assert await refusal_of(found, "host", at.key) == "link_called_back"
        await two.prove("host", at.room, next_key(at.key))
        done = await asyncio.to_thread(
            twogaps, "room", "new-link", at.room.lower(), "--data", tmp_path,
            "--url", here.server.local_url,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        assert (await two.until("bye"))["code"] == "link_called_back"
        key = done.output.strip().rpartition("key=")[2]
        async with wire(here.port) as three:
            await three.prove("host", at.room, key)
