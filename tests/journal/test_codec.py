"""Stored events of every version: read, brought up to date, or refused by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import Field, TypeAdapter

from server import __version__
from server.game.events import Event, PlayerRenamed, RoomLocked
from server.game.ids import PlayerId
from server.journal.codec import EventCodec, Stored, classes_of, decode, encode
from server.journal.store import UnreadableEvent
from tests.journal.test_contract import played


@dataclass(frozen=True, slots=True)
class BellRung:
    """Its shape has changed twice: ``who`` was ``name``, and ``times`` came later."""

    who: str
    times: int
    type: Literal["bell_rung"] = "bell_rung"
    v: Literal[3] = 3
    needs: Literal["0.5.0"] = "0.5.0"

    @staticmethod
    def upcast_v1(stored: Stored) -> Stored:
        return {"who": stored["name"], **stored}

    @staticmethod
    def upcast_v2(stored: Stored) -> Stored:
        return {**stored, "times": 1}


@dataclass(frozen=True, slots=True)
class DoorShut:
    """Its shape never changed."""

    by: str
    type: Literal["door_shut"] = "door_shut"


Changed = Annotated[BellRung | DoorShut, Field(discriminator="type")]


@pytest.fixture
def codec() -> EventCodec[Changed]:
    many = TypeAdapter(tuple[Changed, ...])
    return EventCodec[Changed](TypeAdapter(Changed), many, classes_of(Changed))


def test_an_event_that_never_changed_is_stored_as_ever(
    codec: EventCodec[Changed],
) -> None:
    body = '{"by":"Ann","type":"door_shut"}'
    assert codec.encode(DoorShut("Ann")) == body
    assert codec.decode(body) == DoorShut("Ann")


def test_a_changed_event_is_stored_with_its_version(
    codec: EventCodec[Changed],
) -> None:
    body = '{"who":"Ann","times":2,"type":"bell_rung","v":3,"needs":"0.5.0"}'
    assert codec.encode(BellRung("Ann", 2)) == body
    assert codec.decode(body) == BellRung("Ann", 2)
    assert codec.encode_all((BellRung("Ann", 2),)) == f"[{body}]"


@pytest.mark.parametrize(
    "body",
    [
        '{"name":"Ann","type":"bell_rung"}',
        '{"type":"bell_rung","name":"Ann","v":1}',
        '{"who":"Ann","type":"bell_rung","v":2,"needs":"0.4.0"}',
    ],
)
def test_every_old_shape_is_brought_up_to_date(
    codec: EventCodec[Changed], body: str
) -> None:
    assert codec.decode(body) == BellRung("Ann", 1)


@pytest.mark.parametrize("kind", ["bell_rung", "door_shut"])
def test_a_newer_shape_says_which_program_reads_it(
    codec: EventCodec[Changed], kind: str
) -> None:
    body = f'{{"who":"Ann","by":"Ann","type":"{kind}","v":4,"needs":"0.9.0"}}'
    with pytest.raises(UnreadableEvent) as refused:
        codec.decode(body)
    assert f"it needs Two Gaps 0.9.0, and this is {__version__}" in str(refused.value)


def test_no_event_of_a_newer_shape_passes_for_one_of_ours() -> None:
    body = encode(RoomLocked()).replace("}", ',"v":2,"needs":"0.9.0"}')
    with pytest.raises(UnreadableEvent, match=r"needs Two Gaps 0\.9\.0"):
        decode(body)


def test_words_that_look_like_a_version_are_words() -> None:
    said = PlayerRenamed(PlayerId("p"), 'my "v":2 and "needs":"1"')
    assert decode(encode(said)) == said


@pytest.mark.parametrize(
    "body",
    [
        '{"type":',
        "[]",
        "null",
        '{"type":"bell_rung"}',
        '{"type":"bell_rung","v":"x"}',
        '{"type":"bell_rung","v":-5,"name":"Ann"}',
        '{"type":"door_opened","v":1}',
        '{"by":7,"type":"door_shut"}',
        "\udcff",
    ],
)
def test_what_cannot_be_read_is_refused_whatever_it_is(
    codec: EventCodec[Changed], body: str
) -> None:
    with pytest.raises(UnreadableEvent):
        codec.decode(body)


def test_a_refusal_quotes_nothing_that_people_typed() -> None:
    """It goes to the log, which names no people."""
    for body in (
        '{"player":3,"name":"Rumpel","type":"player_renamed"}',
        '{"player":"p","name":["Rumpel"],"type":"player_renamed"}',
        '{"type":"Rumpel"}',
        '{"name":"Rumpel"',
    ):
        with pytest.raises(UnreadableEvent) as refused:
            decode(body)
        assert "Rumpel" not in str(refused.value)


def test_a_changed_class_without_its_upcaster_is_refused_at_the_start() -> None:
    @dataclass(frozen=True, slots=True)
    class Forgotten:
        type: Literal["forgotten"] = "forgotten"
        v: Literal[2] = 2
        needs: Literal["0.5.0"] = "0.5.0"

    with pytest.raises(TypeError, match="Forgotten lacks upcast_v1"):
        EventCodec(
            TypeAdapter(Forgotten), TypeAdapter(tuple[Forgotten, ...]), [Forgotten]
        )


CHANGED = {"player_joined": 2, "room_opened": 2, "settings_changed": 2}
"""The events whose stored shape has changed, and the version of today."""


def test_events_whose_shape_never_changed_say_nothing_of_a_version() -> None:
    assert len(list(classes_of(Event))) == len(set(classes_of(Event))) > 25
    for event in played():
        stored = json.loads(encode(event))
        assert stored.get("v", 1) == CHANGED.get(event.type, 1)
        assert ("needs" in stored) is (event.type in CHANGED)
        assert decode(encode(event)) == event
