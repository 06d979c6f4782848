"""The gate alone, on a manual clock: each limit reached, and the clients it affects."""

from __future__ import annotations

import collections
import contextlib
import ipaddress
import random
import resource
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.game.errors import Refused
from server.game.ids import RoomCode
from server.metrics import Metrics
from server.net.addresses import HERE, Peers
from server.net.gate import Gate
from server.net.limits import NAMES, TOLD, BadLimit, Limits, fit, fitted

SCHOOL = "192.0.2.7"
MOST = 64
ELSEWHERE = "198.51.100.9"


class Watch:
    """A clock by hand, and the gate that reads it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.s = 0.0
        self.metrics = Metrics()
        self.gate = Gate(
            limits or Limits(), self.metrics, lambda: self.s, queue_s=5, most=MOST
        )

    def hits(self, limit: str) -> float:
        """Return how often a limit was reached, as /metrics tells it."""
        found = self.metrics.registry.get_sample_value(
            "twogaps_limits_hit_total", {"limit": limit}
        )
        assert found is not None
        return found

    def try_wrong(self, address: str, code: str) -> str | None:
        """Try a code that no room has; return the refusal before the look, if any."""
        try:
            self.gate.try_code(address, code)
        except Refused as refusal:
            return refusal.code
        self.gate.code_was(address, code, is_right=False)
        return None


def test_every_limit_has_a_counter_at_zero() -> None:
    at = Watch()
    assert [at.hits(name) for name in NAMES] == [0] * len(NAMES)


def test_who_guesses_codes_is_stopped_before_the_look_and_the_school_plays_on() -> None:
    at = Watch()
    at.gate.try_code(SCHOOL, "RIGHT2")
    at.gate.code_was(SCHOOL, "RIGHT2", is_right=True)
    answers = [at.try_wrong(SCHOOL, f"WRNG{n:03}") for n in range(150)]
    assert answers == [None] * 100 + ["too_fast"] * 50
    assert at.hits("wrong_codes") == 50
    at.gate.try_code(SCHOOL, "RIGHT2")  # known here: open to all at the school
    assert at.try_wrong(ELSEWHERE, "WRNG000") is None
    with pytest.raises(Refused) as refused:
        at.gate.try_code(SCHOOL, "RIGHT3")  # right or wrong, it is not looked up
    assert refused.value.retry_ms == 1_000
    at.s += 0.5
    at.gate.try_code(SCHOOL, "RIGHT3")


def test_a_class_whose_room_is_gone_counts_once() -> None:
    at = Watch()
    assert {at.try_wrong(SCHOOL, "GONE22") for _ in range(2_000)} == {None}
    assert at.try_wrong(SCHOOL, "NEXT22") is None
    assert at.hits("wrong_codes") == 0


def test_a_school_connects_within_a_second_and_a_flood_of_sockets_does_not() -> None:
    at = Watch()
    school = [at.gate.connect_wait_s(SCHOOL) for _ in range(300)]
    assert max(school[:100]) == 0
    assert max(school) <= 1
    for _ in range(800):  # those who wait for up to 5 s
        assert at.gate.connect_wait_s(SCHOOL) <= 5
    assert at.gate.is_crowded(SCHOOL)
    with pytest.raises(Refused) as refused:
        at.gate.connect_wait_s(SCHOOL)
    assert (refused.value.code, at.hits("connects_address")) == ("too_fast", 1)
    assert at.gate.connect_wait_s(ELSEWHERE) == 0
    assert at.gate.connect_wait_s(HERE) == 0
    at.s += 10
    assert not at.gate.is_crowded(SCHOOL)
    assert at.gate.connect_wait_s(SCHOOL) == 0


def test_a_school_joins_without_delay_and_a_flood_of_names_does_not() -> None:
    at = Watch()
    waits = [at.gate.join_wait_s(SCHOOL, "ROOM22") for _ in range(1_500)]
    assert max(waits) == 0
    left = 3_000 - 1_500 + 50 * 5
    for number in range(left):
        at.gate.join_wait_s(SCHOOL, f"ROOM{number % 9}")
    with pytest.raises(Refused) as refused:
        at.gate.join_wait_s(SCHOOL, "ROOM1")
    assert (refused.value.code, at.hits("joins_address")) == ("too_fast", 1)
    assert refused.value.retry_ms is not None
    assert at.gate.join_wait_s(ELSEWHERE, "ROOM22") == 0
    at.s += 10
    assert at.gate.join_wait_s(SCHOOL, "ROOM22") == 0


def test_a_room_takes_ten_thousand_in_turn() -> None:
    at = Watch()
    waits = [at.gate.join_wait_s(HERE, "ROOM22") for _ in range(7_000)]
    assert waits[1_999] == 0
    assert max(waits) == pytest.approx(5)
    with pytest.raises(Refused):
        at.gate.join_wait_s(HERE, "ROOM22")
    assert at.hits("joins_room") == 1


def test_an_overloaded_server_refuses_joins() -> None:
    at = Watch()
    at.gate.feel(2.1)
    assert at.gate.join_wait_s(SCHOOL, "ROOM22") == 0, "once does not count as load"
    at.gate.feel(2.1)
    with pytest.raises(Refused) as refused:
        at.gate.join_wait_s(SCHOOL, "ROOM22")
    assert (refused.value.code, refused.value.retry_ms) == ("busy", 5_000)
    assert at.hits("lag_ms") == 1
    at.gate.feel(1.1)
    assert at.gate.is_overloaded, "it recovers only when it is well below"
    at.gate.feel(0.1)
    assert at.gate.join_wait_s(SCHOOL, "ROOM22") == 0


def test_sockets_are_counted_by_address_and_in_all() -> None:
    at = Watch(Limits(sockets=5, sockets_address=2))
    assert [at.gate.enter(SCHOOL) for _ in range(3)] == [None, None, "sockets_address"]
    assert [at.gate.enter(HERE) for _ in range(3)] == [None, None, "sockets"]
    assert at.gate.sockets == 6
    for _ in range(3):
        at.gate.leave(SCHOOL)
    assert at.gate.enter(SCHOOL) is None
    for _ in range(TOLD + 1):
        assert not at.gate.is_overfull
        at.gate.enter(ELSEWHERE)
    assert at.gate.is_overfull


def test_pages_have_a_pace_for_each_address_but_this_machine() -> None:
    at = Watch(Limits(pages_address=1))
    assert sum(at.gate.page_wait_s(SCHOOL) > 0 for _ in range(120)) == 20
    assert at.hits("pages_address") == 20
    assert not any(at.gate.page_wait_s(HERE) for _ in range(1_000))
    at.s += 1
    assert at.gate.page_wait_s(SCHOOL) == 0


def test_rooms_opened_by_an_address_are_bounded_and_paced() -> None:
    at = Watch(Limits(rooms_address=25))
    running: set[RoomCode] = set()

    def open_one(number: int) -> str | None:
        code = RoomCode(f"ROOM{number}")
        try:
            with at.gate.opening(SCHOOL, running.__contains__) as note:
                running.add(code)
                note(code)
        except Refused as refusal:
            return refusal.code
        return None

    assert [open_one(n) for n in range(21)] == [None] * 20 + ["too_fast"]
    at.s += 60
    assert [open_one(n) for n in range(30, 36)] == [None] * 5 + ["rooms_full"]
    running.pop()
    assert open_one(40) is None
    assert (at.hits("opens_address"), at.hits("rooms_address")) == (1, 1)


def test_rooms_that_are_being_opened_count() -> None:
    at = Watch(Limits(rooms_address=2))
    running: set[RoomCode] = set()
    with contextlib.ExitStack() as opening:
        for _ in range(2):
            opening.enter_context(at.gate.opening(SCHOOL, running.__contains__))
        with pytest.raises(Refused, match=r"limit of open rooms \(2\)"):
            opening.enter_context(at.gate.opening(SCHOOL, running.__contains__))
    with at.gate.opening(SCHOOL, running.__contains__):
        """Neither of the two came to be: there is place again."""


ADDRESSES = st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n)))


@given(
    addresses=st.sets(ADDRESSES, min_size=2 * MOST, max_size=4 * MOST),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=20)
def test_everything_that_is_remembered_is_bounded_whatever_the_addresses(
    addresses: set[str], order: random.Random
) -> None:
    """Every map in the gate, found by walking it, also those added later."""
    at = Watch(Limits(rooms_address=3, sockets=MOST, sockets_address=5))
    inside: list[str] = []
    for n, address in enumerate(order.sample(sorted(addresses), len(addresses))):
        code = RoomCode(f"ROOM{n}")
        with contextlib.suppress(Refused):
            at.gate.try_code(address, code)
            at.gate.code_was(address, code, is_right=n % 2 == 0)
            at.gate.join_wait_s(address, code)
        at.gate.page_wait_s(address, 50)
        with at.gate.opening(address, lambda _: True) as note:
            note(code)
        at.gate.enter(address)
        inside.append(address)
        if len(inside) == MOST:
            at.gate.leave(inside.pop(order.randrange(MOST)))
    sizes = dict(containers(at.gate, "gate"))
    assert len(sizes) > 5
    assert max(sizes.values()) <= max(MOST, len(NAMES)), sizes


def containers(owner: object, path: str) -> Iterator[tuple[str, int]]:
    """Yield the path and the size of every container of an object of ours."""
    if isinstance(owner, (dict, set, list, collections.deque)):
        yield path, len(owner)
        children = owner.values() if isinstance(owner, dict) else owner
        parts = {f"[{n}]": child for n, child in enumerate(list(children)[:3])}
    elif type(owner).__module__.startswith("server.net"):
        slots = getattr(type(owner), "__slots__", ())
        names = (*getattr(owner, "__dict__", {}), *slots)
        parts = {f".{name}": getattr(owner, name) for name in names}
    else:
        return
    for name, child in parts.items():
        yield from containers(child, path + name)


@pytest.mark.parametrize(
    ("nearest", "forwarded", "counted"),
    [
        ("203.0.113.5", "", "203.0.113.5"),
        ("203.0.113.5", "1.2.3.4", "203.0.113.5"),
        ("127.0.0.1", "", HERE),
        ("127.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.2", "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", "203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("127.0.0.1", "127.0.0.1", HERE),
        ("127.0.0.1", "203.0.113.5:5000", "203.0.113.5"),
        ("127.0.0.1", "6.6.6.6:1, 203.0.113.5:5000", "203.0.113.5"),
        ("127.0.0.1", "203.0.113.5, 10.0.0.2:81", "203.0.113.5"),
        ("127.0.0.1", "[2001:db8:1:2::4]:443", "2001:db8:1:2::/64"),
        ("127.0.0.1", '"[2001:db8:1:2::4]"', "2001:db8:1:2::/64"),
        ("127.0.0.1", "2001:db8:1:2::4", "2001:db8:1:2::/64"),
        ("127.0.0.1", "nonsense", "nonsense"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.5", "", "203.0.113.5"),
        ("::1", "", HERE),
        ("fe80::1%eth0", "", "fe80::/64"),
    ],
)
def test_whose_address_counts(nearest: str, forwarded: str, counted: str) -> None:
    assert Peers(["10.0.0.0/8"]).counted(nearest, forwarded) == counted


def test_limits_are_set_by_name_and_nonsense_is_named() -> None:
    limits = Limits().with_settings(["player_rate=2.5", "sockets = 7"])
    assert (limits.player_rate, limits.sockets) == (2.5, 7)
    for setting, says in (
        ("player_rat=3", "names: player_frame"),
        ("sockets=many", "whole number"),
        ("sockets=0", "at least 1"),
        ("player_rate=nan", "at least"),
        ("hello_s", "needs a number"),
    ):
        with pytest.raises(BadLimit, match=says):
            Limits().with_settings([setting])


@pytest.mark.parametrize("files", [256, 1_024, 4_096, 20_000, 1_048_576])
def test_sockets_fit_the_files_that_may_be_open(files: int) -> None:
    found = fit(Limits(), files)
    assert 0 < found.sockets + 2 * found.waiting <= files
    if files >= 20_000:
        assert found == Limits()


@pytest.mark.posix
def test_the_server_starts_even_if_the_system_refuses_more_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As macOS does, if the hard limit is infinite."""
    infinite = resource.RLIM_INFINITY

    def refuse(_: int, __: tuple[int, int]) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (4_096, infinite))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert fitted(Limits()) == fit(Limits(), 4_096)
