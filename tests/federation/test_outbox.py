"""The outbox: nothing owed is forgotten, votes not even by a restart."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from scenarios.model import Label
from server.federation.messages import UpBody, UpReturn, UpSay
from server.federation.outbox import Outbox
from server.game.answers import GapAnswer
from server.game.ids import ClientId, RoomCode
from server.game.phases import Ballot
from server.protocol.client_messages import Vote

ROOM = RoomCode("K7MQ2P")


def vote(counter: int) -> UpBody:
    message = Vote(
        round=0,
        ballot=Ballot.VOTE,
        client=ClientId("c"),
        counter=counter,
        answer=GapAnswer(Label.OUTER, 80),
    )
    return UpSay(token="p.t", message=message, stamped_ms=1)


async def test_what_is_owed_stays_in_order_until_acknowledged() -> None:
    outbox = Outbox(None)
    items = [outbox.put("home", ROOM, "l", vote(i)) for i in range(5)]
    assert outbox.waiting("home") == items
    assert outbox.homes() == ["home"]
    done = outbox.acknowledged("home", (items[1].seq, items[3].seq, 99))
    assert done == [items[1], items[3]]
    assert outbox.waiting("home") == [items[0], items[2], items[4]]
    assert outbox.acknowledged("elsewhere", (items[0].seq,)) == []
    assert outbox.size == 3


async def test_votes_outlive_a_restart_and_nothing_else_does(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    first = Outbox(path)
    bodies = [vote(1), UpReturn(token="p.t"), vote(2), vote(3)]
    items = [first.put("home", ROOM, "l", body) for body in bodies]
    await first.secure("home", items)
    await first.forget(first.acknowledged("home", (items[2].seq,)))
    await first.close()

    second = Outbox(path)
    await second.restore()
    waiting = second.waiting("home")
    assert [item.body for item in waiting] == [vote(1), vote(3)]
    assert all(item.link == "" for item in waiting)
    fresh = second.put("home", ROOM, "l", vote(4))
    assert fresh.seq > max(item.seq for item in waiting)
    await second.close()


async def test_a_stored_vote_that_cannot_be_read_is_kept_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "outbox.sqlite"
    first = Outbox(path)
    items = [first.put("home", ROOM, "l", vote(i)) for i in range(3)]
    await first.secure("home", items)
    await first.close()
    with sqlite3.connect(path) as db:
        db.execute('UPDATE outbox SET body = \'{"op":"later"}\' WHERE seq = 3')
    db.close()

    second = Outbox(path)
    await second.restore()
    assert [item.seq for item in second.waiting("home")] == [1, 2]
    assert "vote 3 for home cannot be read" in caplog.text
    assert second.put("home", ROOM, "l", vote(4)).seq == 4
    await second.close()

    purged = Outbox(path)
    await purged.restore()
    assert await purged.remove(lambda room, said: False) == 1
    await purged.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT seq FROM outbox").fetchall() == [(1,), (2,)]
    db.close()
