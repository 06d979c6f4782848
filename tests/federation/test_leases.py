"""Leases on a real PostgreSQL: a room has one home, whatever pauses or is cut off."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.federation.fleet import NameTaken
from server.federation.leases import Lease
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.journal.memory import MemoryStore
from server.journal.store import (
    HeldElsewhere,
    StoreUnavailable,
    TenureLost,
    VersionConflict,
)
from server.rooms.loading import OwnRooms
from server.rooms.ports import Homes
from server.rooms.retention import erase
from tests.support.leases import TERMS, Fleet, FleetNode, first, joined
from tests.support.postgres import Postgres
from tests.support.tiers import scaled

ROOM = RoomCode("TESTAA")
LEASE_S, BEAT_S = TERMS.lease_s, TERMS.beat_s


@pytest.fixture
async def fleet(postgresql: str) -> AsyncIterator[Fleet]:
    made = Fleet(postgresql)
    yield made
    await made.close()


async def opened_at(fleet: Fleet, *names: str) -> list[FleetNode]:
    """Start nodes; the first is home of a room."""
    nodes = [await fleet.add(name) for name in names]
    await nodes[0].leases.open(ROOM, first(ROOM))
    return nodes


async def taken(node: FleetNode) -> Lease:
    lease = await node.leases.take(ROOM)
    assert lease is not None
    return lease


# --- what every Homes promises -------------------------------------------------------


@pytest.fixture(params=("own", "leases"))
async def homes(request: pytest.FixtureRequest) -> AsyncIterator[Homes]:
    if request.param == "own":
        yield OwnRooms(MemoryStore())
        return
    made = Fleet(request.getfixturevalue("postgresql"))
    yield (await made.add("ada")).leases
    await made.close()


async def test_a_room_that_was_opened_is_at_home_and_can_be_taken_again(
    homes: Homes,
) -> None:
    tenure = await homes.open(ROOM, first(ROOM))
    tenure.confirm()
    await tenure.append(ROOM, 1, [joined(1)])
    await homes.let_go(ROOM)
    again = await homes.take(ROOM)
    assert again is not None
    assert await again.load(ROOM) == [*first(ROOM), joined(1)]


async def test_a_code_is_given_once(homes: Homes) -> None:
    await homes.open(ROOM, first(ROOM))
    with pytest.raises(VersionConflict):
        await homes.open(ROOM, first(ROOM))


async def test_a_second_writer_of_a_version_is_refused(homes: Homes) -> None:
    tenure = await homes.open(ROOM, first(ROOM))
    with pytest.raises(VersionConflict):
        await tenure.append(ROOM, 0, [joined(1)])
    tenure.confirm()  # which does not mean that the room has another home


# --- one home ------------------------------------------------------------------------


async def test_a_room_of_a_node_that_lives_is_held_elsewhere(fleet: Fleet) -> None:
    ada, bob = await opened_at(fleet, "ada", "bob")
    await fleet.live(LEASE_S, "ada", "bob")
    with pytest.raises(HeldElsewhere) as held:
        await bob.leases.take(ROOM)
    assert (held.value.node, held.value.url) == ("ada", "http://ada")
    assert await bob.leases.take(RoomCode("ABSENT")) is None
    await fleet.live(2 * LEASE_S, "ada", "bob")
    assert list(ada.leases.held) == [ROOM]
    assert not ada.tenant.lost_rooms


async def test_a_dead_node_s_room_is_taken_once_and_in_a_later_epoch(
    fleet: Fleet,
) -> None:
    await opened_at(fleet, "ada", "bob", "eve")
    await fleet.live(LEASE_S, "ada", "bob", "eve")
    await fleet.live(LEASE_S + 2 * BEAT_S, "bob", "eve")
    holders = [name for name in ("bob", "eve") if fleet.nodes[name].leases.held]
    assert len(holders) == 1
    lease = await taken(fleet.nodes[holders[0]])
    assert lease.epoch > 1
    await lease.append(ROOM, 1, [joined(1)])


async def test_two_that_take_together_do_not_both_have_it(fleet: Fleet) -> None:
    _, bob, eve = await opened_at(fleet, "ada", "bob", "eve")
    await fleet.live(LEASE_S, "ada", "bob", "eve")
    await fleet.pass_s(LEASE_S + 1)
    for node in (bob, eve):  # as if they had renewed all the time
        await node.member.join()
    await fleet.live(LEASE_S, "bob", "eve")
    results = await asyncio.gather(
        *(node.leases.take(ROOM) for node in (bob, eve) for _ in range(3)),
        return_exceptions=True,
    )
    kinds = {bool(node.leases.held) for node in (bob, eve)}
    assert kinds == {True, False}, results


async def test_a_node_that_was_paused_stores_nothing_and_says_nothing(
    fleet: Fleet,
) -> None:
    ada, bob = await opened_at(fleet, "ada", "bob")
    lease = await taken(ada)
    await fleet.live(LEASE_S, "ada", "bob")
    lease.confirm()
    await fleet.live(LEASE_S, "bob")
    with pytest.raises(StoreUnavailable):
        lease.confirm()  # its own clock says so, before any other node has the room
    await fleet.live(2 * BEAT_S, "bob")
    await (await taken(bob)).append(ROOM, 1, [joined(1)])
    await ada.beat()
    with pytest.raises(TenureLost):
        lease.confirm()
    assert ada.tenant.lost_rooms == [ROOM]


async def test_a_node_that_stops_while_it_renews_does_not_keep_its_rooms(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection stays open, since its machine does not say that it stopped."""
    ada, bob = await opened_at(fleet, "ada", "bob")
    await fleet.live(LEASE_S, "ada", "bob")
    has_stopped = asyncio.Event()

    async def stop(*_: object) -> None:
        has_stopped.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(ada.member, "read_peers", stop)
    stopped = asyncio.create_task(ada.beat())
    await has_stopped.wait()
    await fleet.live(LEASE_S + 2 * BEAT_S, "bob")
    assert list(bob.leases.held) == [ROOM]
    stopped.cancel()
    await asyncio.wait([stopped])


async def overtaken(fleet: Fleet) -> tuple[FleetNode, FleetNode, Lease]:
    """Return a node that lost its room, the node that took it, and the old lease.

    The first node's own clock is wrong, so only the database can tell.
    """
    ada, bob = await opened_at(fleet, "ada", "bob")
    lease = await taken(ada)
    await fleet.live(LEASE_S, "ada", "bob")
    await fleet.live(LEASE_S + 2 * BEAT_S, "bob")
    await taken(bob)
    ada.ahead_s -= 10 * LEASE_S
    lease.confirm()
    return ada, bob, lease


async def test_an_append_of_an_earlier_epoch_is_refused_and_counted(
    fleet: Fleet,
) -> None:
    ada, bob, lease = await overtaken(fleet)
    with pytest.raises(TenureLost):
        await lease.append(ROOM, 1, [joined(1)])
    figures = ada.leases.metrics.text().decode()
    assert "twogaps_appends_fenced_total 1.0" in figures
    assert await bob.store.load(ROOM) == first(ROOM)


async def test_a_room_is_deleted_by_its_home_alone(fleet: Fleet) -> None:
    ada, bob = await opened_at(fleet, "ada", "bob")
    await fleet.live(LEASE_S, "ada", "bob")
    with pytest.raises(HeldElsewhere):
        await erase(ROOM, bob.store, bob.leases)
    assert await bob.store.load(ROOM) == first(ROOM)
    lease = await taken(ada)
    assert await erase(ROOM, ada.store, ada.leases)
    assert await bob.store.rooms() == []
    assert not ada.leases.held
    with pytest.raises(TenureLost):
        await lease.append(ROOM, 1, [joined(1)])
    assert not await erase(ROOM, bob.store, bob.leases)
    await ada.beat()
    assert not ada.tenant.lost_rooms


async def test_a_room_is_deleted_in_the_epoch_of_the_one_that_deletes_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another node may take it just before; see the next test."""
    (ada,) = await opened_at(fleet, "ada")
    lease, epochs = await taken(ada), []

    async def delete(_: RoomCode, *, epoch: int | None = None) -> bool:
        epochs.append(epoch)
        return True

    monkeypatch.setattr(ada.store, "delete", delete)
    assert await erase(ROOM, ada.store, ada.leases)
    assert epochs == [lease.epoch + 1]


async def test_a_node_whose_lease_is_over_deletes_nothing(fleet: Fleet) -> None:
    ada, bob, lease = await overtaken(fleet)
    with pytest.raises(TenureLost):
        await ada.store.delete(ROOM, epoch=lease.epoch)
    assert await bob.store.load(ROOM) == first(ROOM)


async def test_an_outage_of_several_leases_moves_no_room(fleet: Fleet) -> None:
    ada, bob, eve = await opened_at(fleet, "ada", "bob", "eve")
    lease = await taken(ada)
    await fleet.live(LEASE_S, "ada", "bob", "eve")
    await fleet.pass_s(3 * LEASE_S)  # no one can renew
    for node in (bob, eve):  # they are back first
        await node.beat()
        with pytest.raises(HeldElsewhere):
            await node.leases.take(ROOM)
    await fleet.live(LEASE_S / 2, "bob", "eve")
    with pytest.raises(HeldElsewhere):
        await bob.leases.take(ROOM)
    await ada.beat()
    lease.confirm()
    await lease.append(ROOM, 1, [joined(1)])
    await fleet.live(2 * LEASE_S, "ada", "bob", "eve")
    lease.confirm()


@pytest.mark.parametrize("outage_s", [0.6 * LEASE_S, 0.8 * LEASE_S, 1.1 * LEASE_S])
async def test_a_short_outage_moves_no_room_either(
    fleet: Fleet, outage_s: float
) -> None:
    """One lease may be over while another is not: the latest renewals differ."""
    ada, bob = await opened_at(fleet, "ada", "bob")
    lease = await taken(ada)
    await fleet.live(2 * LEASE_S, "ada", "bob")
    await fleet.pass_s(BEAT_S)
    await bob.beat()  # ada's renewal is a beat older
    await fleet.pass_s(outage_s)
    await bob.beat()
    with pytest.raises(HeldElsewhere):
        await bob.leases.take(ROOM)
    await ada.beat()
    lease.confirm()


async def test_a_node_that_starts_again_has_its_rooms_immediately(
    fleet: Fleet,
) -> None:
    await opened_at(fleet, "ada", "bob")
    again = await fleet.add("ada")
    assert await again.leases.assigned() == {ROOM}
    await again.beat()
    assert list(again.leases.held) == [ROOM]


async def test_a_second_server_of_the_same_name_ends_the_first(fleet: Fleet) -> None:
    (ada,) = await opened_at(fleet, "ada")
    other = FleetNode(fleet.url, "ada")
    await other.join()
    with pytest.raises(ExceptionGroup) as raised:
        await ada.beat()
    assert raised.group_contains(NameTaken)
    await other.close()


# --- letting go ----------------------------------------------------------------------


async def test_a_room_that_was_let_go_is_taken_by_the_first_node_that_is_asked(
    fleet: Fleet,
) -> None:
    ada, bob = await opened_at(fleet, "ada", "bob")
    lease = await taken(ada)
    await ada.leases.let_go(ROOM)
    with pytest.raises(TenureLost):
        lease.confirm()
    assert (await taken(bob)).epoch > 1
    await ada.beat()
    assert not ada.leases.held


async def test_rooms_are_handed_over_by_load(fleet: Fleet) -> None:
    ada, bob, eve = await opened_at(fleet, "ada", "bob", "eve")
    codes = [ROOM, *(RoomCode(f"ROOM{n:02d}") for n in range(5))]
    for code in codes[1:]:
        await ada.leases.open(code, first(code))
    bob.tenant.load, eve.tenant.load = 0, 3
    for node in (bob, eve, ada):
        await node.beat()
    assert set(await ada.leases.hand_over(codes)) == set(codes)
    assert not ada.leases.held
    for node in (bob, eve):
        await node.beat()
    assert (len(bob.leases.held), len(eve.leases.held)) == (5, 1)
    await ada.beat()
    assert not ada.tenant.lost_rooms, "what was given was not lost"


async def test_with_no_other_node_rooms_stay(fleet: Fleet) -> None:
    (ada,) = await opened_at(fleet, "ada")
    assert not ada.leases.can_hand_over
    assert await ada.leases.hand_over([ROOM]) == set()
    assert list(ada.leases.held) == [ROOM]
    await ada.member.leave()
    bob = await fleet.add("bob")
    await fleet.live(LEASE_S + BEAT_S, "bob")
    assert list(bob.leases.held) == [ROOM]


async def test_a_node_that_drains_gives_its_rooms_and_takes_no_more(
    fleet: Fleet,
) -> None:
    ada, bob = await opened_at(fleet, "ada", "bob")
    await ada.leases.open(RoomCode("SECOND"), first(RoomCode("SECOND")))
    async with bob.store.connection() as db:
        await db.execute("UPDATE nodes SET is_draining = true WHERE name = 'ada'")
    await ada.beat()
    assert set(ada.tenant.given) == {ROOM, "SECOND"}
    await bob.beat()
    await bob.leases.let_go(ROOM)
    with pytest.raises(HeldElsewhere):
        await ada.leases.take(ROOM)


async def test_a_node_takes_only_rooms_that_it_can_read(fleet: Fleet) -> None:
    new = await fleet.add("new", reads=[9, 0])
    old = await fleet.add("old", reads=[0, 1])
    await new.leases.open(ROOM, first(ROOM))
    lease = await taken(new)
    await lease.append(ROOM, 1, [joined(1)])  # which version 0.1 cannot read
    await new.beat()
    await old.beat()
    assert await new.leases.hand_over([ROOM]) == set()
    await new.leases.let_go(ROOM)
    with pytest.raises(HeldElsewhere) as elsewhere:
        await old.leases.take(ROOM)
    assert (elsewhere.value.node, elsewhere.value.url) == ("new", "http://new")
    await taken(new)
    await fleet.live(LEASE_S, "old")
    await fleet.live(LEASE_S + 2 * BEAT_S, "old")
    assert not old.leases.held
    with pytest.raises(Refused, match=r"Two Gaps 0\.2\.0"):
        await old.leases.take(ROOM)


async def test_a_node_that_went_back_lets_rooms_go_that_it_cannot_read(
    fleet: Fleet,
) -> None:
    """They stayed with it, closed, although a node that reads them came later."""
    ada = await fleet.add("ada", reads=[9, 0])
    await ada.leases.open(ROOM, first(ROOM))
    await (await taken(ada)).append(ROOM, 1, [joined(1)])
    ada = await fleet.add("ada", reads=[0, 1])
    await ada.beat()
    assert not ada.tenant.lost_rooms
    bob = await fleet.add("bob", reads=[9, 0])
    await taken(bob)


# --- whatever happens ----------------------------------------------------------------

NAMES = ("ada", "bob", "eve")
moves = st.one_of(
    st.tuples(st.just("beat"), st.sampled_from(NAMES)),
    st.tuples(st.just("take"), st.sampled_from(NAMES)),
    st.tuples(st.just("append"), st.sampled_from(NAMES)),
    st.tuples(st.just("restart"), st.sampled_from(NAMES)),
    st.tuples(st.just("let_go"), st.sampled_from(NAMES)),
    st.tuples(st.just("hand_over"), st.sampled_from(NAMES)),
    st.tuples(st.just("pass"), st.sampled_from((0.5, BEAT_S, LEASE_S / 2, LEASE_S))),
    st.tuples(st.just("all_live"), st.sampled_from((BEAT_S, LEASE_S))),
)


@settings(max_examples=scaled(4, 60, 1_500))
@given(st.lists(moves, min_size=5, max_size=40))
def test_no_two_homes_store_or_speak(
    database_server: Postgres, story: list[tuple[str, object]]
) -> None:
    url = database_server.create(f"t{secrets.token_hex(6)}")
    asyncio.run(_lived(url, story))


async def _lived(url: str, story: list[tuple[str, object]]) -> None:
    fleet = Fleet(url)
    epochs: list[int] = []
    """Of each append that was stored, in the order of the journal."""
    homes: dict[int, str] = {}
    leases: list[tuple[str, Lease]] = []
    for name in NAMES:
        await fleet.add(name)
    await fleet.nodes["ada"].leases.open(ROOM, first(ROOM))
    for kind, what in story:
        match kind, what:
            case "pass", float(seconds):
                await fleet.pass_s(seconds)
            case "all_live", float(seconds):
                await fleet.live(seconds, *NAMES)
            case "restart", str(name):
                leases = [pair for pair in leases if pair[0] != name]
                await fleet.add(name)
            case _, str(name):
                await _moved(fleet.nodes[name], kind, leases)
                if kind == "append":
                    await _all_append(leases, epochs, homes)
        speaking = {lease.epoch for _, lease in leases if _speaks(lease)}
        assert len(speaking) <= 1, f"two homes speak: {speaking}"
    journal = await fleet.nodes["ada"].store.load(ROOM)
    assert len(journal) == 1 + len(epochs)
    assert epochs == sorted(epochs)
    await fleet.close()


async def _moved(node: FleetNode, kind: str, leases: list[tuple[str, Lease]]) -> None:
    try:
        match kind:
            case "beat":
                await node.beat()
            case "take":
                if (lease := await node.leases.take(ROOM)) is not None:
                    leases.append((node.name, lease))
            case "let_go":
                await node.leases.let_go(ROOM)
            case "hand_over":
                await node.leases.hand_over([ROOM])
    except (Refused, StoreUnavailable):
        pass


async def _all_append(
    leases: list[tuple[str, Lease]], epochs: list[int], homes: dict[int, str]
) -> None:
    """Let every lease that there ever was try to append."""
    for name, lease in leases:
        try:
            await lease.append(ROOM, 1 + len(epochs), [joined(len(epochs))])
        except (TenureLost, StoreUnavailable):
            continue
        epochs.append(lease.epoch)
        assert homes.setdefault(lease.epoch, name) == name


def _speaks(lease: Lease) -> bool:
    try:
        lease.confirm()
    except (TenureLost, StoreUnavailable):
        return False
    return True
