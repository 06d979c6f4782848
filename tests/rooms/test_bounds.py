"""How much one person may ask of a room: the journal keeps every change."""

from __future__ import annotations

import itertools

import pytest

from server.game.commands import (
    CloseVotes,
    KickRecent,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
)
from server.game.engine import replay
from server.game.ids import PlayerId
from server.game.settings import RoomSettings
from server.protocol.client_messages import (
    AskTime,
    ChallengeLabel,
    ChooseTeam,
    PlayerWish,
)
from server.rooms.ports import Enter, Return, Say
from server.rooms.requests import Bounds
from tests.support.room import ROOM, FailingStore, RecordingLink, Table, table

MOST = 5


NUMBERS = itertools.count(100)


async def stored(seat: Table, kind: str) -> int:
    """Return how many events of a type the journal holds."""
    return sum(event.type == kind for event in await seat.store.load(ROOM))


def names(n: int, about: str = "New") -> list[str]:
    return [f"{about} {number}" for number in range(n)]


async def enter(seat: Table, address: str, *people: str) -> list[RecordingLink]:
    """Let people in who come from one address; return the links of those let in."""
    links = [RecordingLink() for _ in people]
    for link, name in zip(links, people, strict=True):
        seat.room.put(Enter(link=link, hello=seat.hello(name), address=address))
    for link in links:
        await link.until(lambda link=link: bool(link.messages))  # type: ignore[misc]
    return [link for link in links if link.is_welcome]


async def change(seat: Table, link: RecordingLink, n: int, ballot: str = "vote") -> int:
    """Change a vote ``n`` times; return how many of them were recorded."""
    before = len(link.of("recorded"))
    done = before + len(link.of("refused")) + n
    for counter in itertools.islice(NUMBERS, n):
        seat.vote(link, counter=counter, ballot=ballot)
    await link.until(lambda: len(link.of("recorded")) + len(link.of("refused")) == done)
    return len(link.of("recorded")) - before


async def test_changes_of_a_vote_are_bounded_and_the_last_one_counts() -> None:
    hits: list[str] = []
    async with table(bounds=Bounds(MOST, hit=hits.append)) as seat:
        (_, ann), (_, bob) = await seat.join("ann"), await seat.join("bob")
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote())
        assert await change(seat, ann, 50) == 1 + MOST
        assert await stored(seat, "vote_cast") == 1 + MOST
        assert {m["code"] for m in ann.of("refused")} == {"too_many_changes"}
        assert len(hits) == 50 - 1 - MOST
        assert await change(seat, bob, 1) == 1  # other players are not bounded
        poll = seat.room.state.poll
        assert poll is not None
        assert poll.votes[PlayerId(ann.player or "")].stamps == {
            "c": ann.of("recorded")[-1]["counter"]
        }
        await seat.do(host, CloseVotes(), Revote())
        assert await change(seat, ann, 50, "revote") == 1 + MOST


async def test_a_vote_that_is_sent_again_does_not_count_as_a_change() -> None:
    async with table(bounds=Bounds(1)) as seat:
        _, ann = await seat.join("ann")
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote())
        for _ in range(20):
            seat.vote(ann, counter=1)
        await ann.until(lambda: len(ann.of("recorded")) == 20)
        assert await change(seat, ann, 2) == 1


async def test_changes_restart_after_the_storage_failed() -> None:
    async with table(bounds=Bounds(1)) as seat:
        assert isinstance(seat.store, FailingStore)
        _, ann = await seat.join("ann")
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote())
        seat.vote(ann, counter=1)
        await ann.get("recorded", counter=1)
        seat.store.is_away = True
        seat.vote(ann, counter=2)
        await ann.get("refused", counter=2)
        seat.store.is_away = False
        seat.vote(ann, "inner", counter=2)
        await ann.get("recorded", counter=2)


@pytest.mark.parametrize(
    "wish", [ChooseTeam(team="red"), AskTime(percent=150)], ids=["team", "time"]
)
async def test_other_wishes_are_bounded_as_well(wish: PlayerWish) -> None:
    settings = RoomSettings(teams=("red", "blue"))
    async with table(settings, bounds=Bounds(MOST)) as seat:
        _, ann = await seat.join("ann")
        for ref in range(50):
            message = wish.model_copy(update={"ref": ref})
            seat.room.put(Say(link=ann, message=message, stamped_ms=seat.clock.ms))
        await ann.until(lambda: len(ann.of("done")) + len(ann.of("refused")) == 50)
        assert len(ann.of("done")) == MOST
        assert {m["code"] for m in ann.of("refused")} == {"too_many_changes"}


async def test_challenges_of_players_and_of_hosts_are_bounded_each() -> None:
    async with table(bounds=Bounds(MOST)) as seat:
        _, ann = await seat.join("ann")
        _, bob = await seat.join("bob")
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote(), CloseVotes(), Reveal())
        await seat.do(host, NextStep(all=True))

        def challenge(link: RecordingLink, ref: int) -> None:
            message = ChallengeLabel(ref=ref, round=0, text=f"Wrong {ref}")
            seat.room.put(Say(link=link, message=message, stamped_ms=seat.clock.ms))

        refs = range(100, 150)
        for link in (ann, host):
            for ref in refs:
                challenge(link, ref)
            await link.get("refused", ref=refs[-1])
            mine = [m for m in link.messages if m.get("ref") in refs]
            assert [m["type"] for m in mine].count("done") == MOST
            assert {m["code"] for m in mine if m["type"] == "refused"} == {
                "too_many_changes"
            }
        challenge(bob, 1)
        await bob.get("done", ref=1)
        assert await stored(seat, "label_challenged") == 2 * MOST + 1


SMALL = RoomSettings(max_players=40)  # three quarters of it are 30


async def test_people_of_one_address_who_never_answer_do_not_fill_a_room() -> None:
    hits: list[str] = []
    async with table(SMALL, bounds=Bounds(newcomers=20, hit=hits.append)) as seat:
        ghosts = await enter(seat, "192.0.2.7", *names(100))
        assert len(ghosts) == 30
        assert set(hits) == {"newcomers_address"}
        assert len(await enter(seat, "192.0.2.8", "Ann")) == 1
        assert len(await enter(seat, "", "Bob")) == 1  # this machine itself
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote())
        for link in ghosts[:3]:
            seat.vote(link)
            await link.get("recorded")
        late = await enter(seat, "192.0.2.7", *names(10, "Late"))
        assert len(late) == 3  # as many as have answered
        (again,) = await enter(seat, "192.0.2.7", "New 0")  # the same hello again
        assert again.player == ghosts[0].player


async def test_a_school_of_500_behind_one_address_joins() -> None:
    async with table(RoomSettings(max_players=500)) as seat:
        assert len(await enter(seat, "192.0.2.7", *names(500))) == 500


async def test_a_host_removes_everyone_who_has_just_joined() -> None:
    async with table() as seat:
        (ann,) = await enter(seat, "192.0.2.8", "Ann")
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote())
        seat.vote(ann)
        await ann.get("recorded")
        seat.clock.ms += 120_000
        ghosts = await enter(seat, "192.0.2.7", *names(700))
        assert len(ghosts) == 700
        tokens = [ghost.of("welcome")[0]["token"] for ghost in ghosts]
        await seat.do(host, KickRecent())
        assert all(ghost.is_parted for ghost in ghosts)
        assert {ghost.of("bye")[-1]["code"] for ghost in ghosts} == {"kicked"}
        assert not ann.is_parted
        assert await stored(seat, "player_kicked") == 700
        assert (seat.room.state.joined, seat.room.state.looks.total()) == (1, 2)
        back = RecordingLink()
        seat.room.put(Return(link=back, token=tokens[0]))
        assert (await back.get("refused"))["code"] == "kicked"
        assert len(await enter(seat, "192.0.2.7", *names(9, "Late"))) == 9  # room again
        pupil = RecordingLink()  # whose name a script had taken
        hello = seat.hello("New 0").model_copy(update={"join_key": "ab" * 16})
        seat.room.put(Enter(link=pupil, hello=hello))
        assert (await pupil.get("welcome"))["name"] == "New 0"
        again = replay(await seat.store.load(ROOM))
        assert again.joined == 11
        assert again.kicked == seat.room.state.kicked
