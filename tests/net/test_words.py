"""A school's own word list, and rooms of suggested names, over a real socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from client.practice import PracticeSettings, run_practice
from server.app import Config, running
from server.folder import CannotStart
from server.game.settings import RoomSettings
from server.protocol.client_messages import OpenRoom
from tests.support.server import hall
from tests.support.wire import wire


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A file as a Windows editor writes it."""
    file = tmp_path / "words.txt"
    file.write_bytes("\ufeff# ours\r\ndumbo\r\n*fiend*\r\n".encode())
    return file


async def test_a_listed_word_is_refused_in_names_reasons_and_sentences(
    words: Path,
) -> None:
    async with hall(words=words) as at, wire(at.port) as ann, wire(at.port) as host:
        for name in ("Dumbo", "d u m b o", "Dumb0", "Archfiend"):
            await ann.hello("player", room=at.room, name=name)
            refused = await ann.until("refused")
            assert refused["code"] == "bad_word"
            assert "another name" in refused["detail"]
        await ann.join(at.room, "Columbo")
        await host.prove("host", at.room, at.key)
        await host.do("open_round", "open_vote")
        assert (await ann.vote(reason="Paid by points."))["type"] == "recorded"
        refused = await ann.vote("inner", 2, reason="You DÜMBO!")
        assert (refused["code"], refused["counter"]) == ("bad_word", 2)
        poll = next(iter(at.server.directory.live[0].state.round.polls.values()))
        assert [v.reason for v in poll.votes.values()] == ["Paid by points."]
        await host.do("close_votes", "reveal", "finish")
        await ann.send("say_it", ref=9, round=0, text="a fiendish reward")
        assert (await ann.until("refused", ref=9))["code"] == "bad_word"
        await ann.send("say_it", ref=10, round=0, text="a clever reward")
        await ann.until("done", ref=10)
        for of, sender in enumerate((ann, host), 11):
            challenge = {"round": 0, "text": "Only Dumb0 says so"}
            await sender.send("challenge_label", ref=of, **challenge)
            assert (await sender.until("refused", ref=of))["code"] == "bad_word"
        assert not at.server.directory.live[0].state.rounds[0].challenges


async def test_without_a_list_every_word_is_taken() -> None:
    async with hall() as at, wire(at.port) as ann:
        await ann.join(at.room, "Dumbo")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00d"])
async def test_a_list_that_cannot_be_read_stops_the_start(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "words.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CannotStart, match="word list"):
        async with running(Config(port=0, words=file)):
            pass


async def test_a_room_of_suggested_names_takes_those_alone() -> None:
    settings = RoomSettings(suggested_names=True)
    async with hall(settings) as at, wire(at.port) as ann, wire(at.port) as host:
        await ann.hello("player", room=at.room, name="Ada")
        refused = await ann.until("refused")
        assert refused["code"] == "suggested_only"
        assert (await ann.join(at.room, "Quiet Otter"))["name"] == "Quiet Otter"
        async with wire(at.port) as twin:
            assert (await twin.join(at.room, "Quiet Otter"))["name"] == "Quiet Otter 2"
        await host.prove("host", at.room, at.key)
        await host.do("change_settings", change={"suggested_names": False})
        async with wire(at.port) as ada:
            assert (await ada.join(at.room, "Ada"))["name"] == "Ada"


async def test_practice_players_come_to_a_room_of_suggested_names() -> None:
    settings = RoomSettings(suggested_names=True)
    async with running(Config(port=0)) as server:
        order = OpenRoom(deck="first-class", length=1, settings=settings)
        code, _ = await server.admin.open_room(order)
        room = server.directory.live[0]

        crowd = PracticeSettings(n=3, seed=1, delay_s=(0, 0))
        playing = asyncio.create_task(run_practice(server.local_url, code, crowd, {}))
        while room.state.joined < 3:  # noqa: ASYNC110 - three sockets on their way
            await asyncio.sleep(0.01)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
