"""Form discussion groups of two to four people, based on their votes.

If possible, a group contains both answers (Crouch & Mazur 2001). Groups are formed
within teams, if there are any, and never across sites. Some groups agree on purpose: if
all were mixed, people could tell how their neighbors voted. A phone shows the number
and size of its group, so neither depends on whether a group agrees. These functions
have no side effects.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.game.ids import PlayerId

Group = tuple[PlayerId, ...]

MOST = 4
"""The maximum number of people in a group."""

ONE_MIND_FROM = 8
"""With at least this many people, some groups are made to agree."""

ONE_MIND_EVERY = 10
"""One group is made to agree for each of this many people."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person to be grouped: their site, team and answer."""

    id: PlayerId
    site: str | None = None
    team: str | None = None
    option: str | None = None
    """What they voted for; None if they did not."""


def form(people: Iterable[Person], seed: str) -> tuple[Group, ...]:
    """Return groups of two to four, with each person in exactly one group.

    A person is alone only if they are the only one at their site. The groups depend on
    the people and the seed, but not on the order of ``people``.
    """
    by_site: dict[str | None, list[Person]] = defaultdict(list)
    for person in sorted(people, key=lambda one: _chance(seed, one.id)):
        by_site[person.site].append(person)
    sites = sorted(by_site, key=lambda name: name or "")
    return tuple(
        tuple(person.id for person in group)
        for site in sites
        for group in _shuffled(_at_site(by_site[site], seed), seed)
    )


def _chance(seed: str, what: str) -> bytes:
    return hashlib.sha256(f"{seed}/{what}".encode()).digest()


def _shuffled(groups: list[list[Person]], seed: str) -> list[list[Person]]:
    """Return groups in an order that does not reveal how they were formed."""

    def key(group: list[Person]) -> bytes:
        return _chance(seed, f"group/{min(person.id for person in group)}")

    return sorted(groups, key=key)


def _at_site(people: Sequence[Person], seed: str) -> list[list[Person]]:
    by_team: dict[str | None, list[Person]] = defaultdict(list)
    for person in people:
        by_team[person.team].append(person)
    groups: list[list[Person]] = []
    alone: list[Person] = []
    for team in sorted(by_team, key=lambda name: name or ""):
        if len(by_team[team]) == 1:
            alone += by_team[team]
        else:
            groups += _in_team(by_team[team], seed)
    return _with_rest(groups, alone)


def _in_team(people: Sequence[Person], seed: str) -> list[list[Person]]:
    """Group two or more people: some who agree, then mixed groups, then the rest."""
    sides: dict[str | None, list[Person]] = defaultdict(list)
    for person in people:
        sides[person.option].append(person)
    silent = sides.pop(None, [])
    agreed, mixed = _of_one_mind(sides, len(people)), _mixed(sides)
    left = [person for side in sides.values() for person in side]
    option = left[0].option if left else None
    open_to_them = [pair for pair in agreed if pair[0].option == option]
    _fill(_shuffled([*open_to_them, *mixed], f"{seed}/size"), left)
    return _with_rest([*agreed, *mixed], [*left, *silent])


def _of_one_mind(
    sides: dict[str | None, list[Person]], people: int
) -> list[list[Person]]:
    """Take a few pairs who agree from the sides with the most people."""
    if people < ONE_MIND_FROM:
        return []
    pairs = []
    for _ in range(max(1, people // ONE_MIND_EVERY)):
        most = max(sides.values(), key=len, default=[])
        if len(most) >= MOST:
            pairs.append([most.pop(), most.pop()])
    return pairs


def _mixed(sides: dict[str | None, list[Person]]) -> list[list[Person]]:
    """Pair people with different answers for as long as there are any."""
    pairs: list[list[Person]] = []
    while True:
        first, *others = sorted(sides.values(), key=len, reverse=True) or [[]]
        if not others or not others[0]:
            return pairs
        pairs.append([first.pop(), others[0].pop()])


def _fill(groups: list[list[Person]], left: list[Person]) -> None:
    """Add the people who are left over to groups, the smallest groups first.

    They all gave the same answer. Groups that agree on that answer grow in the same way
    as mixed groups, and still agree.
    """
    for size in range(2, MOST):
        for group in groups:
            if left and len(group) == size:
                group.append(left.pop())


def _with_rest(groups: list[list[Person]], rest: list[Person]) -> list[list[Person]]:
    """Pair the remaining people; if one is left over, they join the smallest group."""
    pairs = [list(rest[at : at + 2]) for at in range(0, len(rest) - 1, 2)]
    groups = [*groups, *pairs]
    if len(rest) % 2 == 0:
        return groups
    last = rest[-1]
    smallest = min(groups, key=len, default=None)
    if smallest is None:
        return [[last]]
    if len(smallest) < MOST:
        smallest.append(last)
        return groups
    return [*groups, [smallest.pop(), last]]


def settle(formed: Sequence[Group], people: Sequence[Person]) -> tuple[Group, ...]:
    """Return the current groups, with as few changes as possible.

    ``people`` are all who are here now, in the order in which they joined. People who
    are alone because the others have left, and people who joined late, are added to the
    smallest group at their site, of their own team if possible. Groups keep their
    indices, so a group that everyone has left stays in the list. Takes a fixed number
    of lookups per person.
    """
    known = {person.id: person for person in people}
    groups = [[known[p] for p in group if p in known] for group in formed]
    grouped = {person.id for group in groups for person in group}
    groups += [[person] for person in people if person.id not in grouped]
    alone = [at for at, group in enumerate(groups) if len(group) == 1]
    if alone:
        places = _Places(groups)
        for at in alone:
            if len(groups[at]) == 1:
                _join(groups, at, places)
    return tuple(tuple(person.id for person in group) for group in groups)


_Key = tuple[str | None, str | None, bool, int]
"""A site, a team at that site, whether the team matters, and a group size."""


class _Places:
    """Finds the first group by site and size, and by team if that matters.

    There is a heap of indices for each kind of group. A group that changes is entered
    again, and its outdated entries are dropped when they reach the top of a heap, so
    that groups are never searched.
    """

    def __init__(self, groups: list[list[Person]]) -> None:
        self._groups = groups
        self._heaps: dict[_Key, list[int]] = defaultdict(list)
        for at in range(len(groups)):
            self.enter(at)

    def enter(self, at: int) -> None:
        """Enter a group under what it is now, unless it is empty."""
        for key in self._keys(at):
            heapq.heappush(self._heaps[key], at)

    def _keys(self, at: int) -> set[_Key]:
        group = self._groups[at]
        if not group:
            return set()
        site, size = group[0].site, len(group)
        own: set[_Key] = {(site, person.team, True, size) for person in group}
        return own | {(site, None, False, size)}

    def first(self, lone: Person, at: int) -> int | None:
        """Return the best group for a person who is alone in group ``at``.

        Others who are alone come first, then groups of the person's own team, small
        before large, then groups of other teams. A full group is the last resort.
        """
        for sizes in ((1,), range(2, MOST), (MOST,)):
            for is_own in (True, False):
                team = lone.team if is_own else None
                for size in sizes:
                    found = self._first((lone.site, team, is_own, size), at)
                    if found is not None:
                        return found
        return None

    def _first(self, key: _Key, besides: int) -> int | None:
        """Return the first group of a kind, and keep its entry to be found again.

        The entry of ``besides`` is dropped, since that group either becomes empty now
        or is entered again.
        """
        heap = self._heaps[key]
        while heap:
            at = heap[0]
            if at != besides and key in self._keys(at):
                return at
            heapq.heappop(heap)
        return None


def _join(groups: list[list[Person]], at: int, places: _Places) -> None:
    """Move a person who is alone to a group, or someone from a full group to them."""
    (lone,) = groups[at]
    best = places.first(lone, at)
    if best is None:
        places.enter(at)
    elif len(groups[best]) < MOST:
        groups[best].append(lone)
        groups[at] = []
        places.enter(best)
    else:
        groups[at].append(groups[best].pop())
        places.enter(best)
        places.enter(at)
