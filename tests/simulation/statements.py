"""What each statement of leases and members does in the simulated PostgreSQL.

Statements are known by their text: those of :mod:`server.journal.tables` and the few
that leases and members use beside them. test_database.py compares what they do with a
real PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from server.journal import tables
from tests.simulation.rows import Cursor, NodeRow, RoomRow, Row, Values

if TYPE_CHECKING:
    from tests.simulation.database import Session


def _renew(session: Session, values: Mapping[str, Any]) -> Cursor:
    node = _own(session, values)
    if node is None:
        return Cursor()
    session.lock("nodes", node.name)
    now_s = session.database.now_s
    has_gap = now_s - node.renewed > values["gap"]
    session.change(
        node,
        steady=now_s if has_gap else node.steady,
        renewed=now_s,
        until=now_s + values["lease"],
        url=values["url"],
        load=values["load"],
    )
    return Cursor([(node.is_draining,)], 1)


def _own(session: Session, values: Mapping[str, Any]) -> NodeRow | None:
    node = session.database.nodes.get(values["name"])
    return node if node is not None and node.boot == values["boot"] else None


def _join(session: Session, values: Mapping[str, Any]) -> Cursor:
    name, now_s = values["name"], session.database.now_s
    session.lock("nodes", name)
    nodes, old = session.database.nodes, session.database.nodes.get(name)
    until = now_s + values["lease"]
    reads = list(values["reads"])
    nodes[name] = NodeRow(name, values["boot"], reads, now_s, until, now_s)
    if session.undo is not None:
        session.undo.append(
            lambda: nodes.pop(name, None) and old and nodes.update({name: old})
        )
    return Cursor(rowcount=1)


def _may_take(session: Session, values: Mapping[str, Any]) -> Cursor:
    node, now_s = _own(session, values), session.database.now_s
    if node is None:
        return Cursor()
    is_steady = node.steady + values["lease"] <= now_s
    is_fresh = now_s - node.renewed <= values["gap"]
    may_take = is_steady and is_fresh and not node.is_draining
    return Cursor([(node.until > now_s, may_take)])


def _dead(session: Session, values: Sequence[Any]) -> Cursor:
    found, database = [], session.database
    for name in dict.fromkeys(values[0]):
        is_dead = name in database.nodes and not database.is_live(name)
        if is_dead and not session.is_locked("nodes", name):
            session.lock("nodes", name)
            found.append((name,))
    return Cursor(found)


def _home(session: Session, values: Sequence[Any]) -> Cursor:
    room = session.database.rooms.get(values[0])
    if room is None:
        return Cursor()
    node = session.database.nodes.get(room.node or "")
    url = node.url if node is not None else None
    is_live = session.database.is_live(room.node) if node is not None else None
    home = (room.node, room.is_held, room.epoch, room.reads, url, is_live)
    return Cursor([home])


def _take(session: Session, values: Sequence[Any]) -> Cursor:
    name, code, epoch, node = values
    room = session.database.rooms.get(code)
    if room is None:
        return Cursor()
    session.lock("rooms", code)
    if room.epoch != epoch or room.node != node:
        return Cursor()
    _move(session, room, name)
    return Cursor([(room.epoch,)], 1)


def _move(session: Session, room: RoomRow, node: str) -> None:
    more = 0 if session.database.keeps_epoch else 1
    session.change(room, node=node, is_held=True, epoch=room.epoch + more)


def _peers(session: Session, values: Values) -> Cursor:
    del values
    database, now_s = session.database, session.database.now_s
    return Cursor(
        [
            (
                node.name,
                node.load,
                node.reads,
                node.is_draining,
                node.until > now_s,
                now_s - node.until,
                bool(_held_by(session, [node.name])),
                node.url,
            )
            for node in database.nodes.values()
        ]
    )


def _held_by(session: Session, names: Sequence[str]) -> dict[str, RoomRow]:
    rooms = session.database.rooms.items()
    return {code: room for code, room in rooms if room.is_held and room.node in names}


def _adopt(session: Session, values: Mapping[str, Any]) -> Cursor:
    taken: list[Row] = []
    for code, room in _held_by(session, values["gone"]).items():
        is_free = not session.is_locked("rooms", code)
        if is_free and room.reads <= values["reads"] and len(taken) < values["most"]:
            session.lock("rooms", code)
            _move(session, room, values["name"])
            taken.append((code,))
    return Cursor(taken, len(taken))


def _give(session: Session, values: Sequence[Any]) -> Cursor:
    codes, nodes, epochs, own = values
    given: list[Row] = []
    for code, node, epoch in zip(codes, nodes, epochs, strict=True):
        room = session.database.rooms[code]
        session.lock("rooms", code)
        if room.node == own and room.is_held and room.epoch == epoch:
            _move(session, room, node)
            given.append((code,))
    return Cursor(given, len(given))


def _let_go(session: Session, values: Sequence[Any]) -> Cursor:
    code, node, epoch = values
    room = session.database.rooms.get(code)
    if room is None:
        return Cursor()
    session.lock("rooms", code)
    if room.node == node and room.epoch == epoch:
        session.change(room, is_held=False)
    return Cursor(rowcount=1)


def _resume(session: Session, values: Mapping[str, Any]) -> Cursor:
    held = _held_by(session, [values["name"]])
    for code in held:
        session.lock("rooms", code)
    for room in held.values():
        _move(session, room, values["name"])
        session.change(room, is_held=room.reads <= list(values["reads"]))
    return Cursor(rowcount=len(held))


def _leave(session: Session, values: Sequence[Any]) -> Cursor:
    node = session.database.nodes.get(values[0])
    if node is not None and node.boot == values[1]:
        session.lock("nodes", node.name)
        session.change(node, until=session.database.now_s)
    return Cursor()


def _until_of(session: Session, values: Sequence[Any]) -> Cursor:
    session.lock("nodes", values[0])
    return Cursor([(session.database.is_live(values[0]),)])


def _notify(session: Session, values: Sequence[Any]) -> Cursor:
    if session.undo is None:
        session.database.call(values[1])
    else:
        session.calls.append(values[1])
    return Cursor()


def _rooms_of(session: Session, values: Sequence[Any]) -> Cursor:
    return Cursor([(code,) for code in _held_by(session, [values[0]])])


def _epochs_of(session: Session, values: Sequence[Any]) -> Cursor:
    held = _held_by(session, [values[0]]).items()
    return Cursor([(code, room.epoch) for code, room in held])


def _count(session: Session, values: Sequence[Any]) -> Cursor:
    return Cursor([(len(_held_by(session, values[0])),)])


def _reads_of(session: Session, values: Sequence[Any]) -> Cursor:
    rooms = session.database.rooms
    return Cursor([(code, rooms[code].reads) for code in values[0]])


def _epoch_of(session: Session, values: Sequence[Any]) -> Cursor:
    room = session.database.rooms.get(values[0])
    return Cursor([(room.epoch,)] if room is not None else [])


def _boot_of(session: Session, values: Sequence[Any]) -> Cursor:
    node = session.database.nodes.get(values[0])
    return Cursor([(node.boot,)] if node is not None else [])


def _key(session: Session, values: Values) -> Cursor:
    del values
    return Cursor([("key",)])


def _nothing(session: Session, values: Values) -> Cursor:
    del values
    return Cursor()


STATEMENTS: dict[str, Callable[[Session, Any], Cursor]] = {
    " ".join(query.split()): statement
    for query, statement in {
        tables.RENEW: _renew,
        tables.JOIN: _join,
        tables.MAY_TAKE: _may_take,
        tables.FORGET: _nothing,  # a week is longer than any run
        tables.DEAD: _dead,
        tables.HOME: _home,
        tables.TAKE: _take,
        tables.PEERS: _peers,
        tables.ADOPT: _adopt,
        tables.GIVE: _give,
        "SELECT code FROM rooms WHERE node = %s AND is_held": _rooms_of,
        "SELECT code, epoch FROM rooms WHERE node = %s AND is_held": _epochs_of,
        "SELECT code, reads FROM rooms WHERE code = ANY(%s)": _reads_of,
        "SELECT epoch FROM rooms WHERE code = %s": _epoch_of,
        "SELECT count(*) FROM rooms WHERE is_held AND node = ANY(%s)": _count,
        "SELECT until > clock_timestamp() FROM nodes WHERE name = %s FOR UPDATE": (
            _until_of
        ),
        "SELECT boot FROM nodes WHERE name = %s": _boot_of,
        "SELECT key FROM twogaps": _key,
        tables.ADMIN_KEY: _key,
        "SELECT pg_notify(%s, %s)": _notify,
        tables.RESUME: _resume,
        (
            "UPDATE rooms SET is_held = false "
            "WHERE code = %s AND node = %s AND epoch = %s"
        ): _let_go,
        "UPDATE nodes SET until = clock_timestamp() WHERE name = %s AND boot = %s": (
            _leave
        ),
    }.items()
}
"""By its text, each on one line."""
