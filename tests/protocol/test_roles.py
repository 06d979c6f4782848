"""The role table: every message, by every role, in every phase, against the server."""

from __future__ import annotations

import json
from collections import deque
from functools import cache, partial
from typing import Any

import pytest

from server.game.commands import BUTTONS
from server.game.engine import can, replay
from server.game.events import Event
from server.game.phases import OPEN_BALLOT, Ballot, Phase, Place
from server.game.settings import RoomSettings
from server.game.state import GRACE_MS
from server.net.limits import Limits
from server.protocol.client_messages import ALLOWED
from server.protocol.codec import decode_client
from server.rooms.ports import Attend, Say
from tests.support.callers import Caller, Venue, venue
from tests.support.game import Game
from tests.support.messages import are_all_sampled, kinds, minimal
from tests.support.roles import ROWS, SPEAKERS, Speaker, refusal_of
from tests.support.room import RecordingLink
from tests.support.server import hall
from tests.support.wire import screen_key, wire

pytestmark = pytest.mark.xdist_group("roles")  # the journals are made once

PLAYER = "p-Ann"


@cache
def journals() -> dict[Phase, list[Event]]:
    """Return a journal that ends in each phase, with two players in the room.

    Every button is pressed in each place, the shortest ways first, until all are found.
    """
    game = Game(RoomSettings(teams=("red", "blue")), opening=True)
    game.join("Ann", "Bob")
    found: dict[Phase, list[Event]] = {}
    seen: set[Place] = set()
    waiting = deque([game.journal])
    while waiting and set(found) != set(Phase):
        journal = waiting.popleft()
        state = replay(journal)
        if state.place in seen:
            continue
        seen.add(state.place)
        found.setdefault(state.phase, journal)
        for button in filter(partial(can, state), BUTTONS):
            game = Game.resumed(journal)
            if state.ballot is Ballot.VOTE:
                game.vote("Ann", "outer", 80, reason="because")
            game.now_ms += 100_000
            game.do(button)
            waiting.append(game.journal)
    return found


def message_for(kind: str, phase: Phase) -> dict[str, Any]:
    """Return a message of a type that fits the room as well as one can."""
    fields: dict[str, Any] = (
        {"ref": 7} if kind not in ("hello", "prove", "vote") else {}
    )
    message = minimal(kind, **fields)
    if "player" in message:
        message["player"] = PLAYER
    if "team" in message:
        message["team"] = "red"
    if kind == "vote":
        ballot = OPEN_BALLOT.get(phase, Ballot.VOTE)
        answer = {"kind": "gap", "label": "outer", "confidence": 80}
        fix = {"kind": "fix", "option": 1}
        message |= {"round": 0, "ballot": ballot, "counter": 99}
        message["answer"] = fix if ballot is Ballot.FIX else answer
    return message


ROLE_REFUSALS = {"hello_expected", "not_allowed", "wrong_phase", "room_finished"}


def test_every_message_has_a_row_and_every_row_a_message() -> None:
    assert set(ROWS) == set(kinds()), "give the new message a row in support/roles.py"


def test_what_the_server_lets_through_is_what_the_table_says() -> None:
    for role, types in ALLOWED.items():
        assert types == {kind for kind, row in ROWS.items() if role in row.who}
    assert {kind for kind, row in ROWS.items() if "stranger" in row.who} == {
        "hello", "prove",
    }  # fmt: skip


def test_the_journals_cover_every_phase_and_the_patterns_every_text() -> None:
    assert set(journals()) == set(Phase)
    assert are_all_sampled()


@pytest.mark.parametrize("phase", list(Phase))
async def test_every_message_by_every_role_over_sessions(phase: Phase) -> None:
    journal = journals()[phase]
    for speaker in SPEAKERS:
        refused = [kind for kind in kinds() if refusal_of(speaker, kind, phase)]
        async with at(journal) as place:
            caller = place.callers[speaker]
            for kind in refused:
                await _is_refused(place, caller, speaker, kind, phase)
        for kind in kinds():
            if kind not in refused:
                async with at(journal) as place:
                    await _is_let_through(place.callers[speaker], kind, phase)


def at(journal: list[Event]) -> Any:
    """Run the room of a journal, too late for votes of a ballot that has closed."""
    last_ms = max(getattr(event, "at_ms", 0) for event in journal)
    return venue(journal, now_ms=last_ms + GRACE_MS + 1)


async def _is_refused(
    place: Venue, caller: Caller, speaker: Speaker, kind: str, phase: Phase
) -> None:
    caller.session._refusals = 0  # or a stranger would be shown out after ten
    before = len(await place.store.load(place.room.code))
    answer = await caller.answer_to(message_for(kind, phase))
    expected = refusal_of(speaker, kind, phase)
    assert answer["type"] == "refused", f"{speaker} {kind} in {phase}: {answer}"
    assert answer["code"] == expected, f"{speaker} {kind} in {phase}: {answer}"
    events = await place.store.load(place.room.code)
    assert len(events) == before
    assert replay(events) == place.room.state


async def _is_let_through(caller: Caller, kind: str, phase: Phase) -> None:
    answer = await caller.answer_to(message_for(kind, phase))
    if kind == "prove":  # allowed, but there is nothing to answer yet
        assert answer["code"] == "hello_expected"
        return
    is_refused = answer["type"] == "refused"
    assert not (is_refused and answer["code"] in ROLE_REFUSALS), f"{kind}: {answer}"
    if kind == "vote":
        assert answer["type"] == "recorded"


@pytest.mark.parametrize("phase", list(Phase))
async def test_the_room_believes_no_session(phase: Phase) -> None:
    """A session on another node could let anything through: the room checks again."""
    journal = journals()[phase]
    async with at(journal) as place:
        for role in ("player", "screen", "cohost", "host"):
            link = RecordingLink()
            link.audience = role  # type: ignore[assignment] # one of the four
            link.player = (
                next(iter(place.room.state.players)) if role == "player" else None
            )
            place.room._gateway.attach(place.room.code, link, link.player)
            for kind in ALLOWED["host"] | ALLOWED["player"]:
                expected = refusal_of(role, kind, phase)  # type: ignore[arg-type] # as above
                if expected is None:
                    continue
                message: Any = decode_client(json.dumps(message_for(kind, phase)))
                link.messages.clear()
                place.room.put(Say(link=link, message=message, stamped_ms=10**9))
                assert (await link.get("refused"))["code"] == expected


async def test_the_room_believes_no_role_that_has_not_proven_its_key() -> None:
    """A node's word that "a host is here" and "the host says" is not enough."""
    async with at(journals()[Phase.VOTE]) as place:
        before = len(await place.store.load(place.room.code))
        for role in ("cohost", "host"):
            link = RecordingLink()
            link.audience, link.site = role, "berlin"  # type: ignore[assignment] # a role
            proof = Attend(link=link, nonce="n", proof="0" * 64)
            place.room.put(proof)
            assert (await link.get("refused"))["code"] == "wrong_proof"
            for kind in ALLOWED[role]:  # type: ignore[index] # a role
                message: Any = decode_client(json.dumps(message_for(kind, Phase.VOTE)))
                link.messages.clear()
                place.room.put(Say(link=link, message=message, stamped_ms=10**9))
                assert (await link.get("refused"))["code"] == "hello_expected"
        assert len(await place.store.load(place.room.code)) == before


FAST = Limits(player_rate=10_000, staff_rate=10_000)


async def test_a_sample_over_real_sockets() -> None:
    """The same answers on the wire, in the lobby, at the story and at the end."""
    async with (
        hall(RoomSettings(teams=("red", "blue")), limits=FAST) as hall_,
        wire(hall_.port) as host,
        wire(hall_.port) as ann, wire(hall_.port) as screen, wire(hall_.port) as desk,
    ):  # fmt: skip
        await host.prove("host", hall_.room, hall_.key)
        await ann.join(hall_.room)
        await screen.prove("screen", hall_.room, screen_key(hall_.key))
        assert hall_.server.admin_key is not None
        await desk.prove("admin", None, hall_.server.admin_key)
        people: dict[Speaker, Any] = {
            "player": ann, "screen": screen, "host": host, "admin": desk,
        }  # fmt: skip
        steps: list[tuple[Phase, tuple[str, ...]]] = [
            (Phase.LOBBY, ()),
            (Phase.READ, ("open_round",)),
            (Phase.FINISHED, ("finish",)),
        ]
        for phase, commands in steps:
            await host.do(*commands)
            for speaker, party in people.items():
                for kind in kinds():
                    if code := refusal_of(speaker, kind, phase):
                        message = message_for(kind, phase)
                        await party.send(message.pop("type"), **message)
                        assert (await party.until("refused"))["code"] == code
