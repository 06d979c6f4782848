"""Discussion groups: in any class, each person is in one group and none is alone."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.game import groups
from server.game.commands import (
    ChangeSettings,
    CloseVotes,
    Discuss,
    Join,
    Kick,
    OpenRound,
    OpenVote,
    Revote,
)
from server.game.events import DiscussionOpened
from server.game.features.discussion import talks
from server.game.groups import MOST, ONE_MIND_FROM, Group, Person, form, settle
from server.game.ids import PlayerId
from server.game.settings import RoomSettings, SettingsChange
from tests.support.game import Game

SITES = st.sampled_from([None, "lisbon", "porto"])
TEAMS = st.sampled_from([None, "red", "blue", "green"])
OPTIONS = st.sampled_from([None, "outer", "inner"])


@st.composite
def classes(draw: st.DrawFn, least: int = 0) -> list[Person]:
    """Draw a class of up to 40 people."""
    n = draw(st.integers(least, 40))
    return [
        Person(PlayerId(f"p{i}"), draw(SITES), draw(TEAMS), draw(OPTIONS))
        for i in range(n)
    ]


def plain(outer: int, inner: int, silent: int = 0) -> list[Person]:
    """Return a class at one place, without teams."""
    votes = ["outer"] * outer + ["inner"] * inner + [None] * silent
    return [Person(PlayerId(f"p{i}"), option=vote) for i, vote in enumerate(votes)]


def check(groups: tuple[Group, ...], people: list[Person]) -> None:
    """Each person once, none alone, none with people of another site."""
    known = {person.id: person for person in people}
    filled = [group for group in groups if group]
    assert sorted(p for group in filled for p in group) == sorted(known)
    at_site = Counter(person.site for person in people)
    for group in filled:
        assert len({known[p].site for p in group}) == 1
        assert len(group) <= MOST
        assert len(group) >= 2 or at_site[known[group[0]].site] == 1


@given(classes(), st.text(max_size=5))
def test_each_person_is_in_one_group_of_two_to_four(
    people: list[Person], seed: str
) -> None:
    check(form(people, seed), people)


@given(classes(), st.randoms(use_true_random=False))
def test_the_same_people_and_seed_give_the_same_groups(
    people: list[Person], random: object
) -> None:
    shuffled = list(people)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # a Random
    assert form(shuffled, "7") == form(people, "7")


def test_another_seed_gives_other_groups() -> None:
    people = plain(15, 15)
    assert form(people, "1/0") != form(people, "1/1")


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 6))
def test_both_answers_are_in_a_group_where_that_can_be(
    outer: int, inner: int, silent: int
) -> None:
    people = plain(outer, inner, silent)
    said = {person.id: person.option for person in people}
    groups = form(people, "s")
    agreeing = [g for g in groups if len({said[p] for p in g} - {None}) < 2]
    n = outer + inner + silent
    on_purpose = max(1, n // 10) if n >= ONE_MIND_FROM else 0
    few, many = sorted((outer, inner))
    # What one side has beyond three for each of the other can only be alone.
    over = max(0, many - 2 * on_purpose - 3 * max(0, few - 2 * on_purpose))
    assert len(agreeing) <= on_purpose + (over + silent + 1) // 2 + 1


@given(st.integers(4, 30), st.integers(4, 30))
def test_some_groups_are_of_one_mind(outer: int, inner: int) -> None:
    people = plain(outer, inner)
    said = {person.id: person.option for person in people}
    minds = [{said[p] for p in group} for group in form(people, "s")]
    assert any(len(mind) == 1 for mind in minds)
    assert any(len(mind) == 2 for mind in minds)


def test_neither_number_nor_size_of_a_group_says_how_it_was_formed() -> None:
    """A phone guesses from what it is shown, over many classes with one majority."""
    by_number: Counter[int] = Counter()
    sizes: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
    classes_played = 400
    for seed in range(classes_played):
        people = plain(11, 5)
        said = {person.id: person.option for person in people}
        for number, group in enumerate(form(people, str(seed)), start=1):
            is_agreed = len({said[p] for p in group}) == 1
            sizes[is_agreed][len(group)] += 1
            by_number[number] += is_agreed
    numbers = [by_number[number] for number in sorted(by_number)]
    assert max(numbers) < 2 * classes_played / len(numbers)
    assert set(sizes[True]) == set(sizes[False])


@given(classes(), st.integers(0, 3))
def test_teams_stay_together_where_they_can(people: list[Person], seed: int) -> None:
    known = {person.id: person for person in people}
    sizes = Counter((person.site, person.team) for person in people)
    for group in form(people, str(seed)):
        teams = Counter(known[p].team for p in group)
        if len(teams) > 1:  # then one of them is the only one of that team here
            site = known[group[0]].site
            assert min(sizes[site, team] for team in teams) == 1


@given(classes(), st.sets(st.integers(0, 39)), classes())
def test_who_comes_late_or_is_left_alone_joins_a_group(
    people: list[Person], gone: set[int], late: list[Person]
) -> None:
    formed = form(people, "s")
    stay = [person for i, person in enumerate(people) if i not in gone]
    new = [Person(PlayerId(f"late-{p.id}"), p.site, p.team) for p in late]
    now = settle(formed, [*stay, *new])
    check(now, [*stay, *new])
    assert now == settle(formed, [*stay, *new])


@given(classes())
def test_where_nothing_changes_groups_stay(people: list[Person]) -> None:
    formed = form(people, "s")
    assert settle(formed, people) == formed


def settled_slowly(
    formed: tuple[Group, ...], people: list[Person]
) -> tuple[Group, ...]:
    """Settle by the same rule, looking at every group for each person."""
    known = {person.id: person for person in people}
    groups = [[known[p] for p in group if p in known] for group in formed]
    grouped = {person.id for group in groups for person in group}
    groups += [[person] for person in people if person.id not in grouped]
    for at, group in enumerate(groups):
        if len(group) != 1:
            continue
        (lone,) = group
        others = [
            other
            for place, other in enumerate(groups)
            if place != at and other and other[0].site == lone.site
        ]

        def far(
            group: list[Person], lone: Person = lone
        ) -> tuple[bool, bool, bool, int]:
            is_other_team = all(one.team != lone.team for one in group)
            return len(group) >= MOST, len(group) > 1, is_other_team, len(group)

        best = min(others, key=far, default=None)
        if best is None:
            continue
        if len(best) < MOST:
            best.append(lone)
            groups[at] = []
        else:
            group.append(best.pop())
    return tuple(tuple(person.id for person in group) for group in groups)


@given(classes(), st.sets(st.integers(0, 39)), classes())
def test_people_join_the_group_that_a_look_at_every_group_would_find(
    people: list[Person], gone: set[int], late: list[Person]
) -> None:
    formed = form(people, "s")
    now = [person for i, person in enumerate(people) if i not in gone]
    now += [Person(PlayerId(f"late-{p.id}"), p.site, p.team) for p in late]
    assert settle(formed, now) == settled_slowly(formed, now)


def looked_at(n: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many groups are looked at while a twentieth of a class comes late."""
    people = plain(n // 2, n // 2)
    late = [Person(PlayerId(f"late{i}")) for i in range(n // 20)]
    formed = form(people, "s")
    looks, keys = 0, groups._Places._keys

    def counted(self: groups._Places, at: int) -> set[groups._Key]:
        nonlocal looks
        looks += 1
        return keys(self, at)

    monkeypatch.setattr(groups._Places, "_keys", counted)
    settle(formed, [*people, *late])
    monkeypatch.undo()
    return looks


def test_twice_as_many_people_are_grouped_by_twice_as_many_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small, large = (looked_at(n, monkeypatch) for n in (1_000, 8_000))
    assert large <= 8.2 * small
    assert large < 2 * 8_000


def test_a_late_comer_moves_no_one_where_there_is_room() -> None:
    people = plain(6, 4)
    formed = form(people, "s")
    late = Person(PlayerId("late"))
    now = settle(formed, [*people, late])
    assert [set(a) - {"late"} for a in now if set(a) != {"late"}][: len(formed)] == [
        set(group) for group in formed
    ]


def discussing(settings: RoomSettings | None = None) -> Game:
    """Return a room of five who have voted and now discuss."""
    game = Game(settings)
    game.join("ann", "bob", "cyd", "dan", "eve")
    game.do(OpenRound(), OpenVote())
    for name, label in (("ann", "outer"), ("bob", "outer"), ("cyd", "inner")):
        game.vote(name, label)
    game.do(CloseVotes(), Discuss())
    return game


def test_each_phone_gets_its_group_and_never_the_reason() -> None:
    game = discussing()
    told = talks(game.state, game.present)
    assert set(told) == set(game.state.players)
    for player, talk in told.items():
        assert 1 <= talk.others <= 3
        assert len(talk.names) == talk.others
        assert game.state.players[player].name not in talk.names
    assert set(type(talk).__slots__) == {"number", "others", "names"}


def test_arrivals_and_departures_are_seen_immediately() -> None:
    game = discussing()
    (opened,) = [e for e in game.journal if isinstance(e, DiscussionOpened)]
    assert sorted(len(group) for group in opened.groups) == [2, 3]
    pair = next(group for group in opened.groups if len(group) == 2)
    game.do(Kick(player=pair[0]))
    told = talks(game.state, game.present)
    assert set(told) == set(game.state.players) - {pair[0]}
    assert told[pair[1]].others == 3
    game.do(Join(PlayerId("p-fay"), "fay"))
    game.present.add(PlayerId("p-fay"))
    assert PlayerId("p-fay") in talks(game.state, game.present)


def test_a_sleeping_phone_stays_in_its_group() -> None:
    game = discussing()
    before = talks(game.state, game.present)
    assert talks(game.state, frozenset()) == before


def test_without_names_there_is_a_number() -> None:
    told = talks(discussing(RoomSettings(show_names=False)).state, frozenset())
    assert all(talk.names == () and talk.number for talk in told.values())


def test_the_host_can_switch_it_off() -> None:
    game = discussing(RoomSettings(pairs=False))
    (opened,) = [e for e in game.journal if isinstance(e, DiscussionOpened)]
    assert opened.groups == ()
    assert talks(game.state, game.present) == {}
    other = discussing()
    other.do(ChangeSettings(change=SettingsChange(pairs=False)))
    assert talks(other.state, other.present) == {}


def test_groups_are_shown_only_in_a_discussion() -> None:
    game = discussing()
    game.do(Revote())
    assert talks(game.state, game.present) == {}


def test_practice_players_are_left_out() -> None:
    game = Game()
    game.join("ann", "bob")
    game.join("bot", practice=True)
    game.do(OpenRound(), OpenVote(), CloseVotes(), Discuss())
    assert set(talks(game.state, game.present)) == {"p-ann", "p-bob"}
