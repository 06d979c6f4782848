"""The receipt of a vote, written out by hand, is what its model encodes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.model import Label
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.errors import Refused
from server.game.phases import Ballot
from server.protocol.client_messages import Vote
from server.protocol.codec import (
    decode_client,
    decode_server,
    encode_recorded,
    encode_server,
    with_addresses,
)
from server.protocol.server_messages import Recorded, Welcome

sure = st.none() | st.integers(50, 100)
links = st.builds(LinkAnswer, broke=st.booleans(), confidence=sure)
answers: st.SearchStrategy[Answer] = st.one_of(
    st.builds(GapAnswer, label=st.sampled_from(Label), confidence=sure),
    st.builds(LinksAnswer, outer=links, inner=links),
    st.builds(FixAnswer, option=st.integers(0, 2)),
)
votes = st.builds(
    Vote,
    round=st.integers(0, 999),
    ballot=st.sampled_from(Ballot),
    client=st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True),
    counter=st.integers(0, 2**53),
    answer=answers,
)


@given(votes, answers, st.booleans())
def test_the_receipt_is_byte_for_byte_its_models(
    vote: Vote, stored: Answer, is_late: bool
) -> None:
    message = Recorded(
        round=vote.round,
        ballot=vote.ballot,
        client=vote.client,
        counter=vote.counter,
        answer=stored,
        is_late=is_late,
    )
    frame = encode_recorded(vote, stored, is_late=is_late)
    assert frame == encode_server(message)
    assert decode_server(frame) == message


@given(st.lists(st.text()), st.text())
def test_addresses_are_added_to_a_welcome_as_its_model_has_them(
    addresses: list[str], name: str
) -> None:
    welcome = Welcome(role="player", room=None, name=name, server="s", now_ms=1)
    frame = with_addresses(encode_server(welcome), addresses)
    there = welcome.model_copy(update={"addresses": tuple(addresses)})
    assert decode_server(frame) == there


def test_a_client_name_cannot_break_out_of_the_receipt() -> None:
    """The wire takes no name that JSON would have to escape."""
    for name in ('a"b', "a\\b", "a\nb", "ä", "tab-1\n"):
        frame = Vote.model_construct(
            round=0,
            ballot=Ballot.VOTE,
            client=name,
            counter=1,
            answer=FixAnswer(0),
            reason="",
            type="vote",
        ).model_dump_json()
        with pytest.raises(Refused, match="client"):
            decode_client(frame)
