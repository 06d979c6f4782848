"""Reports over the wire: permission, content, and no delay for other people."""

from __future__ import annotations

import base64
import json

import pytest

from server.app import Config, running
from server.protocol.codec import decode_server
from server.protocol.server_messages import FileMessage, ReportMessage
from server.report.exports import TEMPLATE
from server.report.report import build_report
from tests.support.missing import need
from tests.support.server import Hall, hall
from tests.support.wire import Wire, wire


async def play_a_round(at: Hall, host: Wire, *players: Wire) -> None:
    """Let all players call the first case outer."""
    await host.prove("host", at.room, at.key)
    for number, player in enumerate(players):
        await player.join(at.room, f"P{number}")
    await host.do("open_round", "open_vote")
    for player in players:
        await player.phase("vote")
        await player.vote("outer")
    await host.do("close_votes", "reveal")


async def test_the_page_gets_what_the_command_line_would_write() -> None:
    async with hall() as at, wire(at.port) as host, wire(at.port) as ann:
        await play_a_round(at, host, ann)
        await host.send("get_report", ref=77)
        answer = await host.until("report", ref=77)
        (room,) = at.server.directory.live
        expected = ReportMessage(ref=77, report=build_report(room.state))
        assert decode_server(json.dumps(answer)) == expected
        assert answer["report"]["room"]["people"] == 1


@pytest.mark.parametrize(
    ("form", "begins"),
    [("html", b"<!doctype"), ("csv", b"\xef\xbb\xbfroom,"), ("xlsx", b"PK"),
     ("json", b"{")],
)  # fmt: skip
async def test_files_come_over_the_socket(form: str, begins: bytes) -> None:
    if form == "html":
        need(TEMPLATE.is_file(), "the built pages (npm run build in client/web)")
    async with hall() as at, wire(at.port) as host, wire(at.port) as ann:
        await play_a_round(at, host, ann)
        await host.send("get_report", ref=5, form=form)
        answer = decode_server(json.dumps(await host.until("file", ref=5)))
        assert isinstance(answer, FileMessage)
        assert answer.name == f"two-gaps-{at.room}.{form}"
        assert base64.b64decode(answer.content).startswith(begins)


async def test_only_the_host_gets_one() -> None:
    async with hall() as at, wire(at.port) as ann:
        await ann.join(at.room)
        await ann.send("get_report", ref=1)
        assert (await ann.until("refused"))["code"] == "not_allowed"
        await ann.send("get_across", ref=2, rooms=[at.room, "OTHERS"])
        assert (await ann.until("refused"))["code"] == "not_allowed"


async def test_an_admin_compares_rooms() -> None:
    async with running(Config(port=0)) as server, wire(server.port) as admin:
        assert server.admin_key is not None
        await admin.prove("admin", None, server.admin_key)
        rooms = []
        for ref in (1, 2):
            await admin.send("open_room", ref=ref, deck="first-class", length=2)
            rooms.append((await admin.until("room_opened", ref=ref))["room"])
        await admin.send(
            "get_across", ref=3, rooms=rooms, match_names=True, form="json"
        )
        answer = await admin.until("file", ref=3)
        page = base64.b64decode(answer["content"]).decode()
        assert all(room in page for room in rooms)
        await admin.send("get_across", ref=4, rooms=[rooms[0], rooms[0]])
        refused = await admin.until("refused", ref=4)
        assert refused["detail"] == "Name two or more different rooms."
        await admin.send("get_across", ref=5, rooms=[rooms[0], "NOSUCH"])
        assert (await admin.until("refused", ref=5))["code"] == "unknown_room"


async def test_an_open_server_compares_nothing() -> None:
    async with running(Config(port=0, is_open=True)) as server, wire(server.port) as it:
        await it.hello("admin")
        await it.until("welcome")
        await it.send("get_across", ref=1, rooms=["AAAAAA", "BBBBBB"])
        assert (await it.until("refused", ref=1))["code"] == "not_allowed"
