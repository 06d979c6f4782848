"""Turns a deck into the plan of one room: its cases, their order, contrasts and twins.

Reads no files. All randomness comes from the seed, so the same call returns the same
plan.

The order of an interleaved deck depends only on the labels of its cases (None for a
case without a single label). No more than three cases with the same label may follow
one another, and if there are at least five clean cases, 40-60% of them are outer. This
keeps players from guessing the next answer from the previous ones (Brunmair & Richter
2019).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import product
from random import Random

from scenarios.library import Library, NothingToPlay
from scenarios.model import Case, Deck, DeckRound, Label, Plan, PlannedRound


def build_plan(
    deck: Deck, library: Library, *, seed: int, length: int | None, two_link: bool
) -> Plan:
    """Return the plan of a room.

    ``length`` is the maximum number of rounds; None means all of them. Two-button rooms
    (``two_link`` false) cannot ask about cases in which both links broke, or neither;
    ``Plan.left_out`` lists the cases that were left out. Raises ``NothingToPlay`` if no
    round remains, and ``UnknownCase`` if the deck belongs to another library.
    """
    return _Builder(deck, library, Random(seed), two_link).plan(length)  # noqa: S311 - an order


@dataclass(frozen=True, slots=True)
class _Builder:
    deck: Deck
    library: Library
    random: Random
    two_link: bool

    def plan(self, length: int | None) -> Plan:
        if length is not None and length < 1:
            raise NothingToPlay(self.deck.id, f"the requested length is {length}")
        playable = [item for item in self.deck.rounds if self._can_play(item.case)]
        if not playable:
            raise NothingToPlay(
                self.deck.id, "its cases need a room that asks about both links"
            )
        wanted = min(length or len(playable), len(playable))
        chosen = self._choose(playable, wanted)
        rounds = self._planned(chosen)
        opening = self._opening(rounds)
        return Plan(
            deck=self.deck.id,
            deck_version=self.deck.version,
            title=self.deck.title,
            minute=self.deck.minute,
            flow=self.deck.flow,
            opening=opening,
            rounds=rounds,
            closing=tuple(map(self.library.case, self.deck.closing)),
            reading=self.deck.reading,
            take_home=self._take_home(rounds, opening),
            left_out=self._left_out(chosen, all_wanted=wanted == len(playable)),
        )

    def _can_play(self, case_id: str | None) -> bool:
        if case_id is None:
            return False
        case = self.library.case(case_id)
        return self.two_link or case.is_clean or case.contested is not None

    def _choose(self, playable: list[DeckRound], wanted: int) -> list[DeckRound]:
        if self.deck.order == "fixed":
            return playable[:wanted]
        by_label: dict[Kind, list[DeckRound]] = {None: []}
        by_label |= {label: [] for label in Label}
        for item in playable:
            by_label[self.library.case(item.case).label].append(item)
        for group in by_label.values():
            self.random.shuffle(group)
        have = Counts(
            len(by_label[Label.OUTER]), len(by_label[Label.INNER]), len(by_label[None])
        )
        layout = sequence(choose_counts(have, wanted), self.random)
        return [by_label[label].pop() for label in layout]

    def _planned(self, chosen: list[DeckRound]) -> tuple[PlannedRound, ...]:
        used = {*self._named_opening(), *self.deck.closing}
        for item in chosen:
            used |= {item.case, item.contrast or "", item.transfer or ""}
        rounds: list[PlannedRound] = []
        for item in chosen:
            transfer = self._playable(item.transfer) or self._free_twin(item.case, used)
            if transfer is not None:
                used.add(transfer.id)
            contrast = self._playable(item.contrast)
            case = self.library.case(item.case)
            rounds.append(PlannedRound(case=case, contrast=contrast, transfer=transfer))
        return tuple(rounds)

    def _playable(self, case_id: str | None) -> Case | None:
        if case_id is None or not self._can_play(case_id):
            return None
        return self.library.case(case_id)

    def _free_twin(self, case_id: str, used: set[str]) -> Case | None:
        twin = self.library.case(case_id).twin
        if twin is None or twin in used or twin not in self.library.cases:
            return None
        return self._playable(twin)

    def _named_opening(self) -> tuple[str, ...]:
        names = self.deck.opening
        return names if all(self._can_play(name) for name in names) else ()

    def _opening(self, rounds: tuple[PlannedRound, ...]) -> tuple[Case, ...]:
        if self.deck.opening:
            return tuple(self.library.case(name) for name in self._named_opening())
        if self.deck.order == "fixed":
            return ()
        taken = set(self.deck.case_ids)
        taken |= {item.transfer.id for item in rounds if item.transfer is not None}
        pairs = sorted(_contrasting_pairs(self.library, taken))
        if not pairs:
            return ()
        return tuple(self.library.case(name) for name in self.random.choice(pairs))

    def _take_home(
        self, rounds: tuple[PlannedRound, ...], opening: tuple[Case, ...]
    ) -> tuple[Case, ...]:
        """Choose the take-home cases once all other cases have been drawn."""
        used = {*self.deck.case_ids, *(case.id for case in opening)}
        used |= {item.transfer.id for item in rounds if item.transfer is not None}
        return take_home(self.library.cases.values(), used, self.random)

    def _left_out(
        self, chosen: list[DeckRound], *, all_wanted: bool
    ) -> tuple[str, ...]:
        kept = {item.case for item in chosen}
        out = [name for name in self.deck.opening if not self._named_opening()]
        for item in self.deck.rounds:
            if item.case in kept:
                beside = (item.contrast, item.transfer)
                out += [name for name in beside if name and not self._can_play(name)]
            elif all_wanted or not self._can_play(item.case):
                out.append(item.case)
        return tuple(out)


def _contrasting_pairs(library: Library, taken: set[str]) -> Iterator[tuple[str, str]]:
    for case in library.cases.values():
        twin = library.cases.get(case.twin) if case.twin else None
        if twin is None or {case.id, twin.id} & taken:
            continue
        if case.label is Label.OUTER and twin.label is Label.INNER:
            yield case.id, twin.id
        elif case.label is Label.INNER and twin.label is Label.OUTER:
            yield twin.id, case.id


# --- the next lesson -----------------------------------------------------------------

AGAIN = 5
"""Number of rounds in a follow-up lesson on the hardest cases."""


def plan_again(
    played: Plan, hardest: Sequence[Case], library: Library, *, two_link: bool
) -> Plan:
    """Return a lesson with the twins of up to five cases just played, hardest first.

    It contains no case that the class has already seen. If the class has seen a twin,
    the most similar case with the same label is used instead. Raises ``NothingToPlay``
    if no case is left.
    """
    seen = {case.id for case in (*played.opening, *played.closing)}
    for item in played.rounds:
        beside = (item.case, item.contrast, item.transfer)
        seen |= {case.id for case in beside if case is not None}

    def is_free(case: Case) -> bool:
        return case.id not in seen and case.is_scored and (two_link or case.is_clean)

    rounds: list[PlannedRound] = []
    for case in hardest[:AGAIN]:
        free = [one for one in library.cases.values() if is_free(one)]
        found = _most_alike(case, free)
        if found is None:
            continue
        seen.add(found.id)
        twin = library.cases.get(found.twin) if found.twin else None
        transfer = twin if twin is not None and is_free(twin) else None
        if transfer is not None:
            seen.add(transfer.id)
        rounds.append(PlannedRound(case=found, transfer=transfer))
    if not rounds:
        raise NothingToPlay(played.deck, "the class has seen every similar case")
    return Plan(
        deck="again",
        deck_version=1,
        title=f"Once more: {played.title}"[:120],
        rounds=tuple(rounds),
        reading=played.reading,
    )


def plan_anew(plan: Plan, library: Library, *, two_link: bool) -> Plan:
    """Return the plan for another class, with the current text of its cases.

    A case keeps its old text if it is no longer in the library, or if a room with this
    ``two_link`` setting could not ask about its current version.
    """

    def now(case: Case) -> Case:
        found = library.cases.get(case.id, case)
        return found if two_link or found.is_clean or not found.is_scored else case

    def again(planned: PlannedRound) -> PlannedRound:
        return PlannedRound(
            case=now(planned.case),
            contrast=planned.contrast and now(planned.contrast),
            transfer=planned.transfer and now(planned.transfer),
        )

    return plan.model_copy(update={"rounds": tuple(map(again, plan.rounds))})


def _most_alike(case: Case, free: Sequence[Case]) -> Case | None:
    """Return the twin if it is free, else the most similar free case of its label."""
    for one in free:
        if one.id == case.twin:
            return one
    alike = [one for one in free if one.label is case.label]

    def distance(one: Case) -> tuple[int, int, str]:
        shared = len({*case.tags, case.domain} & {*one.tags, one.domain})
        return -shared, abs(one.level - case.level), one.id

    return min(alike, key=distance, default=None)


# --- one more case, while a lesson runs ----------------------------------------------


def addable(library: Library, used: Set[str], *, two_link: bool) -> list[Case]:
    """Return the cases that a room can ask about and has not used, sorted by title."""
    fit = (case for case in library.cases.values() if case.id not in used)
    able = (case for case in fit if two_link or case.is_clean or not case.is_scored)
    return sorted(able, key=lambda case: case.title.casefold())


def one_more(
    case_id: str, library: Library, used: Set[str], *, two_link: bool
) -> PlannedRound:
    """Return a round with one more case, and its twin unless another round uses it.

    Raises ``UnknownCase`` if the library does not have the case.
    """
    case = library.case(case_id)
    twin = library.cases.get(case.twin) if case.twin else None
    is_free = twin is not None and twin.id not in {*used, case_id}
    is_fit = twin is not None and (two_link or twin.is_clean or not twin.is_scored)
    return PlannedRound(case=case, transfer=twin if is_free and is_fit else None)


# --- new cases to come back to after the lesson --------------------------------------

TAKE_HOME = 6
"""Number of cases, one per day: spacing improves retention (Cepeda et al. 2008)."""


def take_home(
    cases: Iterable[Case], used: Set[str], chance: Random
) -> tuple[Case, ...]:
    """Return up to six clean cases that are not in ``used``, in random order.

    Half of them are outer and half inner if the library has enough of each.
    """
    free = [case for case in cases if case.is_clean and case.id not in used]
    chance.shuffle(free)
    sides = [[case for case in free if case.label is label] for label in Label]
    most = TAKE_HOME // 2
    chosen = [case for side in sides for case in side[:most]]
    spare = [case for side in sides for case in side[most:]]
    chosen += spare[: TAKE_HOME - len(chosen)]
    chance.shuffle(chosen)
    return tuple(chosen)


# --- the order of labels -------------------------------------------------------------

LONGEST_RUN = 3
BALANCE_FROM = 5

Kind = Label | None
KINDS: tuple[Kind, ...] = (Label.OUTER, Label.INNER, None)


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of cases with each label."""

    outer: int = 0
    inner: int = 0
    unlabelled: int = 0

    @property
    def total(self) -> int:
        """The number of cases with any label, or with none."""
        return self.outer + self.inner + self.unlabelled

    def of(self, kind: Kind) -> int:
        """Return the number of cases with a label."""
        if kind is None:
            return self.unlabelled
        return self.outer if kind is Label.OUTER else self.inner

    def less(self, kind: Kind) -> Counts:
        """Return the counts with one case of this label removed."""
        if kind is None:
            return replace(self, unlabelled=self.unlabelled - 1)
        if kind is Label.OUTER:
            return replace(self, outer=self.outer - 1)
        return replace(self, inner=self.inner - 1)


def is_balanced(counts: Counts) -> bool:
    """Return whether 40-60% of the clean cases are outer, or there are under five."""
    clean = counts.outer + counts.inner
    return clean < BALANCE_FROM or 2 * clean <= 5 * counts.outer <= 3 * clean


def can_follow(counts: Counts, last: Kind = None, run: int = 0) -> bool:
    """Return whether these cases can be ordered without too long a run of one label.

    They follow ``run`` cases in a row that have the label ``last``.
    """
    for kind in Label:
        others = counts.total - counts.of(kind)
        head = LONGEST_RUN - run if kind is last else LONGEST_RUN
        if counts.of(kind) > head + LONGEST_RUN * others:
            return False
    return True


def choose_counts(have: Counts, length: int) -> Counts:
    """Return the largest playable choice of at most ``length`` cases.

    If several are equally large, return the one whose proportions are closest to those
    of ``have``.
    """
    choices = [
        Counts(*numbers)
        for numbers in product(
            range(have.outer + 1), range(have.inner + 1), range(have.unlabelled + 1)
        )
        if sum(numbers) <= length
    ]
    fitting = [each for each in choices if is_balanced(each) and can_follow(each)]
    return max(fitting, key=lambda each: (each.total, -_unlike(each, have)))


def _unlike(some: Counts, whole: Counts) -> int:
    return sum(
        abs(some.of(kind) * whole.total - whole.of(kind) * some.total) for kind in KINDS
    )


def sequence(counts: Counts, random: Random) -> list[Kind]:
    """Return these labels in random order, without too long a run of one label."""
    laid: list[Kind] = []
    left = counts
    while left.total:
        kind = _draw(left, laid, random)
        laid.append(kind)
        left = left.less(kind)
    return laid


def _draw(left: Counts, laid: list[Kind], random: Random) -> Kind:
    possible = [kind for kind in KINDS if left.of(kind) and _may(left, laid, kind)]
    return random.choices(possible, [left.of(kind) for kind in possible])[0]


def _may(left: Counts, laid: list[Kind], kind: Kind) -> bool:
    run = 1
    for before in reversed(laid):
        if before is not kind:
            break
        run += 1
    if kind is not None and run > LONGEST_RUN:
        return False
    return can_follow(left.less(kind), kind, run)
