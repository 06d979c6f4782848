"""What nodes say to each other: encoded, bounded, and refused if it is forged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.federation import topics
from server.federation.messages import (
    MOST_BYTES,
    DownBatch,
    DownItem,
    Mark,
    NodeState,
    UpBatch,
    UpItem,
    UpReturn,
    decode,
    decode_view,
    encode,
    encode_down_batch,
    encode_down_item,
    encode_up_batch,
    encode_view,
)
from server.federation.sender import SPAN, ClockOffset
from server.federation.topics import BrokerAddress, BusSettingsError
from server.game.errors import Broken
from server.game.ids import RoomCode
from server.protocol.codec import decode_server
from server.protocol.server_messages import Challenge


def test_batches_survive_the_way() -> None:
    up = UpBatch(
        boot="b",
        number=7,
        oldest=3,
        items=(UpItem(seq=1, room=RoomCode("R"), link="l", body=UpReturn(token="t")),),
    )
    assert decode(UpBatch, encode(up)) == up
    assert encode_up_batch("b", 7, 3, map(encode, up.items)) == encode(up)
    down = DownBatch(
        boot="b",
        acks=(1, 2),
        items=(DownItem(link="l", room=RoomCode("R"), op="push", frame="{}"),),
        marks=(Mark(room=RoomCode("R"), version=9),),
    )
    items = [encode(item) for item in down.items]
    assert encode_down_batch("b", down.acks, items, down.marks) == encode(down)
    assert decode(DownBatch, encode(down)) == down


@given(
    link=st.text(max_size=40),
    op=st.sampled_from(["push", "greet", "turn_away", "part"]),
    frame=st.text(),
    slot=st.sampled_from([None, "view", "panel", "progress", "you"]),
    player=st.none() | st.text(),
    code=st.text(),
)
def test_an_item_encoded_by_hand_is_what_its_model_says(**fields: Any) -> None:
    by_hand = encode_down_item(room=RoomCode("R"), **fields)
    assert DownItem.model_validate_json(by_hand) == DownItem(room="R", **fields)


@given(st.binary(max_size=200))
def test_rubbish_is_nothing(payload: bytes) -> None:
    assert decode(UpBatch, payload) is None
    assert decode(DownBatch, payload) is None


def test_what_is_too_large_is_nothing() -> None:
    batch = encode(UpBatch(boot="b", number=1, oldest=1, items=()))
    assert decode(UpBatch, batch) is not None
    assert decode(UpBatch, batch + b" " * MOST_BYTES) is None


@pytest.mark.parametrize(("number", "oldest"), [(1, 2), (SPAN, 0), (10**12, 0)])
def test_a_batch_that_cannot_be_on_its_way_is_nothing(number: int, oldest: int) -> None:
    assert decode(UpBatch, encode_up_batch("b", number, oldest, [])) is None


def test_views_carry_epoch_and_version() -> None:
    payload = encode_view(2, 17, b'{"type":"view"}\n')
    assert decode_view(payload) == (2, 17, b'{"type":"view"}\n')
    for forged in (b"", b"x", b"1\n{}", b"1 x\n{}", b"1 2"):
        assert decode_view(forged) is None


def test_a_hosts_view_has_no_topic() -> None:
    with pytest.raises(Broken, match="shared topic"):
        topics.view("berlin", "K7MQ2P", "host")


def test_subscriptions_do_not_overlap() -> None:
    names = [topic for topic, _ in topics.subscriptions("oslo")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("url", "places", "user", "is_secure"),
    [
        ("mqtt://broker", [("broker", 1883)], None, False),
        ("mqtts://oslo:p%40ss@b.example", [("b.example", 8883)], "oslo", True),
        ("mqtt://oslo:x@b:2000", [("b", 2000)], "oslo", False),
        (
            "mqtt://oslo:x@a,b:2000,[::1]:3",
            [("a", 1883), ("b", 2000), ("::1", 3)],
            "oslo",
            False,
        ),
        ("mqtts://a:1,b", [("a", 1), ("b", 8883)], None, True),
    ],
)
def test_broker_addresses(
    url: str, places: list[tuple[str, int]], user: str | None, is_secure: bool
) -> None:
    address = BrokerAddress.parse(url)
    assert list(address.places) == places
    assert (address.user, address.is_secure) == (user, is_secure)


def test_client_names_at_the_broker_cannot_be_guessed() -> None:
    first, second = (
        BrokerAddress.parse(f"mqtt://oslo:{word}@b").client_id("oslo") for word in "ab"
    )
    assert first != second
    assert first.startswith("oslo-")
    assert BrokerAddress.parse("mqtt://b").client_id("oslo") == "oslo"


@pytest.mark.parametrize(
    "url", ["", "broker", "http://b", "mqtt://", "mqtt://a,", "mqtt://a,b:x"]
)
def test_an_invalid_broker_url_says_what_to_write(url: str) -> None:
    with pytest.raises(BusSettingsError, match="mqtt://user:password@host"):
        BrokerAddress.parse(url)


def test_a_field_that_only_the_next_version_knows_is_left_out() -> None:
    """A fleet and its sites are upgraded node by node, and clients after that."""
    state = decode(NodeState, b'{"is_up": true, "boot": "a", "mood": [1]}')
    assert state == NodeState(is_up=True, boot="a")
    frame = b'{"type": "challenge", "nonce": "n", "mood": {"of": 1}}'
    assert decode_server(frame) == Challenge(nonce="n")


def test_the_offset_is_that_of_the_quickest_probe() -> None:
    offset = ClockOffset()
    assert offset.offset_ms == 0
    offset.add(sent_ms=100, home_ms=1_150, heard_ms=200)  # 100 ms round trip
    offset.add(sent_ms=300, home_ms=1_305, heard_ms=310)  # 10 ms round trip
    assert offset.offset_ms == 1_000
    assert offset.round_trip_ms == 10


def test_after_a_sleep_the_first_answer_replaces_what_was_known() -> None:
    offset = ClockOffset()
    offset.add(sent_ms=300, home_ms=1_305, heard_ms=310)
    offset.doubt()
    assert offset.offset_ms == 1_000  # better than none
    offset.add(sent_ms=900_000, home_ms=301_050, heard_ms=900_100)  # slow, but now
    assert offset.offset_ms == -599_000
    offset.add(sent_ms=900_300, home_ms=301_305, heard_ms=900_310)
    assert offset.round_trip_ms == 10


def test_a_site_cannot_send_what_a_host_may() -> None:
    forged = (
        b'{"boot":"b","number":1,"oldest":1,"items":[{"seq":1,"room":"R","link":"l","body":{"op":"say",'
        b'"token":null,"message":{"type":"%s"},"stamped_ms":1}}]}'
    )
    finish = decode(UpBatch, forged % b"finish")
    ping = decode(UpBatch, forged % b"ping")
    assert finish is not None
    assert ping is not None
    assert finish.items == (None,)
    assert ping.items[0] is not None
