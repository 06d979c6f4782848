"""Whom to talk to: groups of two to four for a discussion, from the votes. Pure.

Both answers in a group where that can be had (Crouch & Mazur 2001), by team where
there are teams, never across sites. Some groups are of one mind on purpose: if all
were mixed, everybody could tell how their neighbour voted. Nothing that is shown says
which are.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.game.ids import PlayerId

Group = tuple[PlayerId, ...]

MOST = 4
"""People in a group, at most."""

ONE_MIND_FROM = 8
"""From so many people on, some groups are of one mind."""

ONE_MIND_EVERY = 10
"""One such group for so many people."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be grouped: where, in which team, and with which answer."""

    id: PlayerId
    site: str | None = None
    team: str | None = None
    option: str | None = None
    """What they voted for; None where they did not."""


def form(people: Iterable[Person], seed: str) -> tuple[Group, ...]:
    """Return groups of two to four: everybody in one, nobody alone.

    Only who is alone at a site stays alone. The same people and seed give the same
    groups, whatever order the people come in.
    """
    by_site: dict[str | None, list[Person]] = defaultdict(list)
    for person in sorted(people, key=lambda one: _chance(seed, one.id)):
        by_site[person.site].append(person)
    sites = sorted(by_site, key=lambda name: name or "")
    return tuple(
        tuple(person.id for person in group)
        for site in sites
        for group in _at_site(by_site[site])
    )


def _chance(seed: str, player: PlayerId) -> bytes:
    return hashlib.sha256(f"{seed}/{player}".encode()).digest()


def _at_site(people: Sequence[Person]) -> list[list[Person]]:
    by_team: dict[str | None, list[Person]] = defaultdict(list)
    for person in people:
        by_team[person.team].append(person)
    groups: list[list[Person]] = []
    alone: list[Person] = []
    for team in sorted(by_team, key=lambda name: name or ""):
        if len(by_team[team]) == 1:
            alone += by_team[team]
        else:
            groups += _in_team(by_team[team])
    return _with_rest(groups, alone)


def _in_team(people: Sequence[Person]) -> list[list[Person]]:
    """Group two or more: some of one mind, then mixed, then the rest."""
    sides: dict[str | None, list[Person]] = defaultdict(list)
    for person in people:
        sides[person.option].append(person)
    silent = sides.pop(None, [])
    groups = _of_one_mind(sides, len(people))
    mixed = _mixed(sides)
    left = [person for side in sides.values() for person in side]
    return _with_rest([*groups, *_filled(mixed, left)], [*left, *silent])


def _of_one_mind(
    sides: dict[str | None, list[Person]], people: int
) -> list[list[Person]]:
    """Take a few pairs who agree, from the sides that have most."""
    if people < ONE_MIND_FROM:
        return []
    pairs = []
    for _ in range(max(1, people // ONE_MIND_EVERY)):
        most = max(sides.values(), key=len, default=[])
        if len(most) >= MOST:
            pairs.append([most.pop(), most.pop()])
    return pairs


def _mixed(sides: dict[str | None, list[Person]]) -> list[list[Person]]:
    """Pair people of different answers for as long as there are any."""
    pairs: list[list[Person]] = []
    while True:
        first, *others = sorted(sides.values(), key=len, reverse=True) or [[]]
        if not others or not others[0]:
            return pairs
        pairs.append([first.pop(), others[0].pop()])


def _filled(groups: list[list[Person]], left: list[Person]) -> list[list[Person]]:
    """Let who is left over join mixed groups, the smallest first."""
    for size in range(2, MOST):
        for group in groups:
            if left and len(group) == size:
                group.append(left.pop())
    return groups


def _with_rest(groups: list[list[Person]], rest: list[Person]) -> list[list[Person]]:
    """Pair the rest among themselves; one over joins the smallest group."""
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
    """Return the groups as they are now, with as little changed as can be.

    ``people`` are all who are there now, in the order in which they came. Who is alone
    since the others have gone, and who came late, join the smallest group of their
    site, of their own team if they can. Groups keep their places; emptied ones stay,
    empty.
    """
    known = {person.id: person for person in people}
    groups = [[known[p] for p in group if p in known] for group in formed]
    grouped = {person.id for group in groups for person in group}
    groups += [[person] for person in people if person.id not in grouped]
    for at, group in enumerate(groups):
        if len(group) == 1:
            _join(groups, at)
    return tuple(tuple(person.id for person in group) for group in groups)


def _join(groups: list[list[Person]], at: int) -> None:
    """Let who is alone join a group; where all are full, let one of four come over."""
    (lone,) = groups[at]
    others = [
        group
        for place, group in enumerate(groups)
        if place != at and group and group[0].site == lone.site
    ]
    if not others:
        return
    best = min(others, key=lambda group: (len(group) >= MOST, _is_far(group, lone)))
    if len(best) < MOST:
        best.append(lone)
        groups[at] = []
    else:
        groups[at].append(best.pop())


def _is_far(group: Sequence[Person], lone: Person) -> tuple[bool, bool, int]:
    """Order groups: others who are alone, then of one's own team, then small ones."""
    return len(group) > 1, all(one.team != lone.team for one in group), len(group)
