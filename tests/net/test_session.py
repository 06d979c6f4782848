"""The wire from outside: who may do what, and what rubbish is answered with."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.game.errors import REFUSALS, Refused
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.net.limits import Limits
from server.protocol.client_messages import ALLOWED, OpenRoom, Role
from server.protocol.codec import decode_client
from server.protocol.keys import prove
from server.rooms.directory import Directory
from server.rooms.ports import RoomPort
from tests.support.messages import minimal
from tests.support.server import Hall, hall
from tests.support.tiers import scaled
from tests.support.until import until
from tests.support.wire import mac, screen_key, wire


async def test_a_small_game_over_real_sockets() -> None:
    async with hall() as at, wire(at.port) as host, wire(at.port) as ann:
        await host.prove("host", at.room, at.key)
        welcome = await ann.join(at.room.lower(), "  Ann \u202e ")
        assert welcome["name"] == "Ann"
        await host.do("open_round", "open_vote")
        await ann.phase("vote")
        assert (await ann.vote("outer"))["type"] == "recorded"
        await host.do("close_votes", "reveal")
        await ann.phase("reveal")
        await host.do("next_step", all=True)
        mine = await ann.until("you")
        assert mine["you"]["votes"][0]["is_right"] in (True, False)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "null",
        '"hello"',
        "{}",
        '{"type": 5}',
        '{"type": "no-such"}',
        '{"type": "hello"}',
        '{"type": "hello", "version": "x", "role": "player"}',
        '{"type": "hello", "version": 1, "role": "king"}',
        '{"type": "hello", "version": 1, "role": "player", "extra": 1}',
        b"\x00\xff",
        "x" * 5_000,
        '{"type":"ping"}' + " " * 5_000,
    ],
)
async def test_rubbish_is_refused_and_the_socket_stays(frame: str | bytes) -> None:
    async with hall() as at, wire(at.port) as ann:
        await ann.ws.send(frame)
        refused = await ann.next()
        assert refused["type"] == "refused"
        assert refused["code"] in ("bad_message", "too_large")
        assert (await ann.join(at.room))["name"] == "Ann"


async def test_a_wrong_version_is_answered_with_the_right_one() -> None:
    async with hall() as at, wire(at.port) as ann:
        await ann.send("hello", version=99, role="player", room=at.room, name="Ann")
        refused = await ann.until("refused")
        assert refused["code"] == "version_unsupported"
        assert "version 1" in refused["detail"]


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ({"role": "player", "name": "A"}, "unknown_room"),
        ({"role": "player", "room": "NOSUCH", "name": "A"}, "unknown_room"),
        ({"role": "player", "room": "ROOM"}, "bad_name"),
        ({"role": "player", "room": "ROOM", "name": "..."}, "bad_name"),
        ({"role": "player", "room": "ROOM", "token": "x.y"}, "bad_token"),
        ({"role": "player", "room": "ROOM", "name": "A", "team": "t"}, "bad_team"),
    ],
)
async def test_hellos_that_do_not_fit(hello: dict[str, str], code: str) -> None:
    async with hall() as at, wire(at.port) as ann:
        if hello.get("room") == "ROOM":
            hello = {**hello, "room": at.room}
        await ann.send("hello", version=1, **hello)
        assert (await ann.until("refused"))["code"] == code
        assert (await ann.join(at.room))["name"] == "Ann"


@pytest.mark.parametrize("role", ["host", "screen", "admin"])
async def test_staff_roles_need_their_key(role: str) -> None:
    async with hall() as at, wire(at.port) as eve:
        await eve.hello(role, room=None if role == "admin" else at.room)
        await eve.until("challenge")
        await eve.send("prove", proof="00" * 32)
        assert (await eve.until("refused"))["code"] == "wrong_proof"
        await eve.send("prove", proof="00" * 32)
        assert (await eve.until("refused"))["code"] == "hello_expected"


async def test_a_proof_cannot_be_used_again() -> None:
    async with hall() as at, wire(at.port) as host, wire(at.port) as eve:
        await host.hello("host", room=at.room)
        nonce = (await host.until("challenge"))["nonce"]
        proof = mac(at.key, f"two-gaps 1 host {at.room} {nonce}").hex()
        await host.send("prove", proof=proof)
        await host.until("welcome")
        await eve.hello("host", room=at.room)
        await eve.until("challenge")
        await eve.send("prove", proof=proof)
        assert (await eve.until("refused"))["code"] == "wrong_proof"


async def test_the_screen_key_does_not_make_a_host() -> None:
    async with hall() as at, wire(at.port) as eve, wire(at.port) as screen:
        key = screen_key(at.key)
        assert (await screen.prove("screen", at.room, key))["role"] == "screen"
        await eve.hello("host", room=at.room)
        nonce = (await eve.until("challenge"))["nonce"]
        text = f"two-gaps 1 host {at.room} {nonce}"
        await eve.send("prove", proof=mac(key, text).hex())
        assert (await eve.until("refused"))["code"] == "wrong_proof"


async def test_the_screen_key_does_not_make_an_admin_on_the_same_socket() -> None:
    async with hall() as at, wire(at.port) as eve:
        key = screen_key(at.key)
        await eve.send("hello", version=1, role="screen", room=at.room)
        await eve.until("challenge")
        await eve.send("hello", version=1, role="admin")
        nonce = (await eve.until("challenge"))["nonce"]
        roles: tuple[Role, ...] = ("admin", "screen")
        for proof in (prove(key, role, None, nonce) for role in roles):
            await eve.send("prove", proof=proof)
            answer = await eve.until("refused")
            assert answer["code"] in ("wrong_proof", "hello_expected")


async def test_players_and_screens_may_not_command() -> None:
    quick = Limits(player_rate=1_000)
    async with (
        hall(limits=quick) as at,
        wire(at.port) as ann,
        wire(at.port) as screen,
    ):
        await ann.join(at.room)
        await screen.prove("screen", at.room, screen_key(at.key))
        for kind in ALLOWED["host"] - ALLOWED["player"]:
            for who in (ann, screen):
                await who.ws.send(json.dumps(minimal(kind)))
                assert (await who.until("refused"))["code"] == "not_allowed"
        for kind in ALLOWED["admin"] - ALLOWED["player"]:
            await ann.ws.send(json.dumps(minimal(kind)))
            assert (await ann.until("refused"))["code"] == "not_allowed"


async def test_before_welcome_only_a_hello_is_heard() -> None:
    async with hall() as at, wire(at.port) as ann:
        await ann.send("ping")
        assert (await ann.until("refused"))["code"] == "hello_expected"
        await ann.send("open_vote")
        assert (await ann.until("refused"))["code"] == "hello_expected"


async def test_one_socket_is_one_player() -> None:
    async with hall() as at, wire(at.port) as ann:
        await ann.join(at.room)
        await ann.hello("player", room=at.room, name="Bob")
        assert (await ann.until("refused"))["code"] == "not_allowed"


async def test_after_too_many_refused_hellos_the_socket_is_closed_with_a_word() -> None:
    async with hall(limits=Limits(hellos=3)) as at, wire(at.port) as eve:
        for _ in range(3):
            await eve.hello("player", room="WRONG1", name="x")
        bye = await eve.until("bye")
        assert (bye["code"], bye["come_back"]) == ("refused", False)
        assert await eve.closed() == 1000


async def test_a_silent_socket_is_closed_with_a_word() -> None:
    async with hall(limits=Limits(hello_s=0.05)) as at, wire(at.port) as eve:
        assert (await eve.until("bye"))["code"] == "idle"


async def test_two_rooms_never_see_a_frame_of_each_other() -> None:
    async with hall() as at:
        other, other_key = await at.server.admin.open_room(OpenRoom(deck="first-class"))
        async with (
            wire(at.port) as host_a, wire(at.port) as ann,
            wire(at.port) as host_b, wire(at.port) as bob,
        ):  # fmt: skip
            await host_a.prove("host", at.room, at.key)
            await host_b.prove("host", other, other_key)
            await ann.join(at.room, "Ann")
            await bob.join(other, "Bob")
            await host_a.do("open_round", "open_vote")
            await host_b.do("open_round")
            assert (await ann.vote())["type"] == "recorded"
            assert (await bob.vote())["code"] == "phase_closed"
            await host_a.do("close_votes", "reveal", "finish")
            await ann.phase("finished")
            await bob.send("ping", ref=1)
            await bob.until("pong")
            await host_b.send("get_roster", ref=5)
            roster = await host_b.until("roster")
            assert [person["name"] for person in roster["people"]] == ["Bob"]
            for party, code in ((ann, at.room), (bob, other)):
                rooms = {
                    m["view"]["room"]["code"] for m in party.seen if m["type"] == "view"
                }
                assert rooms == {code}


async def test_a_resume_token_is_of_one_room_only() -> None:
    async with hall() as at, wire(at.port) as ann, wire(at.port) as eve:
        other, _ = await at.server.admin.open_room(OpenRoom(deck="first-class"))
        token = (await ann.join(at.room))["token"]
        await eve.hello("player", room=other, token=token)
        assert (await eve.until("refused"))["code"] == "bad_token"


async def test_a_stopping_server_says_so_and_asks_to_come_back() -> None:
    async with contextlib.AsyncExitStack() as later:
        async with hall() as at:
            ann = await later.enter_async_context(wire(at.port))
            await ann.join(at.room)
        bye = await ann.until("bye")
    assert (bye["code"], bye["come_back"]) == ("shutting_down", True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
fields = st.dictionaries(
    st.sampled_from(["type", "round", "ballot", "answer", "client", "ref", "player"]),
    json_values | st.sampled_from([*ALLOWED["host"], *ALLOWED["player"]]),
)


@settings(
    max_examples=scaled(20, 60, 500),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(st.text() | st.binary() | fields.map(json.dumps), max_size=12))
def test_any_bytes_get_a_documented_answer(frames: list[str | bytes]) -> None:
    async def talk() -> None:
        async with hall(RoomSettings()) as at, wire(at.port) as ann:
            await ann.join(at.room)
            for frame in frames:
                await ann.ws.send(frame)
            await ann.send("ping", ref=77)
            await ann.until("pong", ref=77)
            refused = [m for m in ann.seen if m["type"] == "refused"]
            assert all(m["code"] in REFUSALS and m["detail"] for m in refused)
            kinds = {m["type"] for m in ann.seen}
            assert "bye" not in kinds

    asyncio.run(talk())


async def test_a_hello_sent_again_with_its_join_key_joins_no_second_time() -> None:
    async with hall() as at, wire(at.port) as first, wire(at.port) as second:
        key = "0123456789abcdef" * 2
        one = await first.join(at.room, join_key=key)
        two = await second.join(at.room, join_key=key)
        assert (one["player"], one["name"]) == (two["player"], two["name"])
        assert (await first.until("bye"))["code"] == "taken_over"
        assert len(at.server.directory.live[0].state.players) == 1


async def test_a_hello_that_had_to_wait_does_not_take_over_from_a_later_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first line was slow, and the phone has given it up for another."""
    found, may_go = Directory.find, asyncio.Event()
    waits = iter([True])

    async def find(directory: Directory, code: RoomCode) -> RoomPort:
        if next(waits, False):
            await may_go.wait()
        return await found(directory, code)

    async with hall() as at, wire(at.port) as first, wire(at.port) as second:
        token = {"token": await token_of_someone(at)}
        monkeypatch.setattr(Directory, "find", find)
        await first.hello("player", room=at.room, **token)
        await asyncio.sleep(0.05)  # or they arrive together
        await second.hello("player", room=at.room, **token)
        await second.until("welcome")
        may_go.set()
        await second.takes_over_from(first)


async def token_of_someone(at: Hall) -> str:
    """Let someone join and go; return the token."""
    async with wire(at.port) as ann:
        token = (await ann.join(at.room))["token"]
    assert isinstance(token, str)
    await until(lambda: not at.server.directory.live[0].is_attended)
    return token


async def test_a_players_wishes_are_answered_by_ref() -> None:
    async with hall(RoomSettings(teams=("red", "blue"))) as at, wire(at.port) as ann:
        await ann.join(at.room)
        await ann.send("ask_time", ref=1, percent=150)
        await ann.until("done", ref=1)
        await ann.send("choose_team", ref=2, team="green")
        assert (await ann.until("refused", ref=2))["code"] == "bad_team"


async def test_done_comes_after_the_view_and_the_figures_it_led_to() -> None:
    async with hall() as at, wire(at.port) as host:
        await host.prove("host", at.room, at.key)
        for kind, phase in (("open_round", "read"), ("open_vote", "vote")):
            await host.do(kind)
            views = [m for m in host.seen if m["type"] == "host_view"]
            panels = [m for m in host.seen if m["type"] == "panel"]
            assert views[-1]["view"]["stage"]["phase"] == phase
            assert panels[-1]["version"] >= views[-1]["version"]


@pytest.mark.parametrize("number", ['"1"', "1.0", "1e0", "true", "[1]", "null"])
@pytest.mark.parametrize("field", ["round", "counter", "confidence"])
def test_a_number_is_a_number_as_the_protocol_says(field: str, number: str) -> None:
    fields = {"round": "0", "counter": "1", "confidence": "80"} | {field: number}
    frame = (
        '{"type":"vote","ballot":"vote","client":"c","round":%(round)s,'
        '"counter":%(counter)s,"answer":{"kind":"gap","label":"outer",'
        '"confidence":%(confidence)s}}'
    )
    if (field, number) == ("confidence", "null"):
        return  # not said
    with pytest.raises(Refused, match="bad_message"):
        decode_client(frame % fields)
