"""Models that guess a case's label from its topic or its words, seeing one of the two.

The models see the clean cases; cases that are linked as twins are held out together, so
that no fold learns a story from its counterpart. Grouped, stratified, seeded
cross-validation, and the newest cases held out.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb, hypot, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import (  # type: ignore[import-untyped] # no types
    CountVectorizer,
    TfidfVectorizer,
)
from sklearn.linear_model import (  # type: ignore[import-untyped] # likewise
    LogisticRegression,
)
from sklearn.metrics import (  # type: ignore[import-untyped] # likewise
    balanced_accuracy_score,
)
from sklearn.model_selection import (  # type: ignore[import-untyped] # likewise
    StratifiedGroupKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped] # likewise

from scenarios.library import Library
from scenarios.model import Case, Label

FOLDS, REPEATS, DRAWS = 10, 3, 2000
TOLD = 20
RECENT = 2025
"""From this year on, a true story is one of the newest."""
ADDED_LAST = {
    "a-colon-will-do", "an-answer-of-the-right-shape", "beer-in-the-knee",
    "five-small-kiwis", "flags-by-search", "len-means-print", "on-no-surgeon-s-list",
    "one-word-per-photo", "the-answer-in-the-history", "the-book-of-permitted-answers",
    "the-boy-and-the-surgeon", "the-call-that-never-worked",
    "the-detector-that-went-quiet", "the-fourth-stripe", "the-list-in-rotterdam",
    "the-owl-in-the-numbers", "the-reason-and-the-answer", "the-shut-hand",
}  # fmt: skip
"""The clean cases among the 46 that were added last, in November 2026."""


@dataclass(frozen=True, slots=True)
class Guess:
    """How well a model guesses outer or inner: balanced accuracy, 95% interval."""

    accuracy: float
    low: float
    high: float
    n: int
    outer_words: tuple[str, ...]
    """What points to outer the most, strongest first."""
    inner_words: tuple[str, ...]


def topics(case: Case) -> str:
    """Return what a case is about, without its story: domain and tags."""
    hidden = {"thought-experiment", "before-the-failure", "legend"}
    return " ".join([f"domain={case.domain}", *(set(case.tags) - hidden)])


def words(case: Case) -> str:
    """Return what a class reads before it votes."""
    return f"{case.title} {case.story}"


def bag_of_topics() -> Any:
    return CountVectorizer(token_pattern=r"\S+", binary=True)


def bag_of_words() -> Any:
    return TfidfVectorizer(sublinear_tf=True, min_df=2)


def by_topic(library: Library, repeats: int = REPEATS) -> Guess:
    """Guess labels from domain and tags alone."""
    return _guess(library, topics, bag_of_topics(), repeats)


def by_words(library: Library, repeats: int = REPEATS) -> Guess:
    """Guess labels from the bag of words of title and story."""
    return _guess(library, words, bag_of_words(), repeats)


def _regression() -> Any:
    return LogisticRegression(class_weight="balanced", max_iter=1000)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How well cases are guessed by a model that has seen neither them nor twins."""

    n: int
    accuracy: float
    low: float
    high: float
    chance: float
    """Probability of guessing at least as well if their labels were shuffled."""


def is_recent(case: Case) -> bool:
    """Return whether a case is a true story from RECENT or later."""
    return case.is_true and case.year >= RECENT


def is_added_last(case: Case) -> bool:
    """Return whether a case is one of those added last."""
    return case.id in ADDED_LAST


def held_out(
    library: Library,
    is_held: Callable[[Case], bool],
    text_of: Callable[[Case], str] = topics,
    vectorizer: Callable[[], Any] = bag_of_topics,
) -> HeldOut:
    """Guess some clean cases from all others that are not their twins."""
    cases = [case for _, case in sorted(library.cases.items()) if case.is_clean]
    held = np.array([is_held(case) for case in cases])
    groups = np.array(families(library, cases))
    known = ~np.isin(groups, groups[held])
    is_outer = np.array([case.label is Label.OUTER for case in cases])
    texts = np.array([text_of(case) for case in cases])
    model = make_pipeline(vectorizer(), _regression())
    model.fit(texts[known], is_outer[known])
    guess, truth = model.predict(texts[held]), is_outer[held]
    sides = [
        (int((guess == truth)[side].sum()), int(side.sum())) for side in (truth, ~truth)
    ]
    low, high = _mean_of_shares(sides)
    return HeldOut(
        n=len(truth),
        accuracy=float(balanced_accuracy_score(truth, guess)),
        low=low,
        high=high,
        chance=_by_chance(guess, truth),
    )


def _mean_of_shares(sides: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return the 95% interval of the mean of two shares, each (right, of n).

    From Wilson's intervals of the shares (Newcombe 1998): a bootstrap of so few cases
    is too narrow.
    """
    z = NormalDist().inv_cdf(0.975)
    below, above = [], []
    for right, n in sides:
        share = right / n
        center = (share + z * z / (2 * n)) / (1 + z * z / n)
        spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        half = spread / (1 + z * z / n)
        below.append(share - (center - half))
        above.append(center + half - share)
    mean = sum(right / n for right, n in sides) / 2
    return mean - hypot(*below) / 2, mean + hypot(*above) / 2


def _by_chance(guess: Any, is_outer: Any) -> float:
    """Return the probability of as many hits or more (Fisher's exact test, 1935)."""
    n, outer, said = len(guess), int(is_outer.sum()), int(guess.sum())
    hits = range(int((guess & is_outer).sum()), min(outer, said) + 1)
    ways = sum(comb(outer, k) * comb(n - outer, said - k) for k in hits)
    return ways / comb(n, said)


def by_kind(library: Library, kind_of: Callable[[Case], str]) -> float:
    """Return the balanced accuracy of a guess by the kind of a story."""
    shares = []
    for label in Label:
        kinds = Counter(
            kind_of(case) for case in library.cases.values() if case.label is label
        )
        shares.append({kind: n / kinds.total() for kind, n in kinds.items()})
    every = set().union(*shares)
    apart = sum(abs(shares[0].get(k, 0) - shares[1].get(k, 0)) for k in every)
    return 0.5 + apart / 4


def families(library: Library, cases: Sequence[Case]) -> list[int]:
    """Return a number for each case; cases that twins link share theirs."""
    root = {case.id: case.id for case in library.cases.values()}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for case in library.cases.values():
        if case.twin in root:
            root[find(case.id)] = find(str(case.twin))
    numbers = {name: place for place, name in enumerate(sorted(root))}
    return [numbers[find(case.id)] for case in cases]


def _guess(
    library: Library,
    text_of: Callable[[Case], str],
    vectorizer: Any,
    repeats: int,
) -> Guess:
    cases = [case for _, case in sorted(library.cases.items()) if case.is_clean]
    texts = [text_of(case) for case in cases]
    is_outer = np.array([case.label is Label.OUTER for case in cases])
    groups = np.array(families(library, cases))
    model = make_pipeline(vectorizer, _regression())
    guesses = [
        _held_out(model, texts, is_outer, groups, seed) for seed in range(repeats)
    ]
    low, high = _interval(guesses, is_outer, groups)
    model.fit(texts, is_outer)
    weights = model[-1].coef_[0]
    names = model[0].get_feature_names_out()
    order = np.argsort(weights)
    return Guess(
        accuracy=_mean_accuracy(guesses, is_outer),
        low=low,
        high=high,
        n=len(cases),
        outer_words=tuple(names[order[::-1][: TOLD // 2]]),
        inner_words=tuple(names[order[: TOLD // 2]]),
    )


def _held_out(
    model: Any, texts: list[str], is_outer: Any, groups: Any, seed: int
) -> Any:
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return cross_val_predict(model, texts, is_outer, groups=groups, cv=folds)


def _mean_accuracy(guesses: list[Any], is_outer: Any) -> float:
    each = [balanced_accuracy_score(is_outer, guess) for guess in guesses]
    return float(np.mean(each))


def _interval(guesses: list[Any], is_outer: Any, groups: Any) -> tuple[float, float]:
    """Return a 95% interval by bootstrap over families of twins."""
    random = np.random.default_rng(0)
    every = np.unique(groups)
    is_member = (groups[None, :] == every[:, None]).astype(float)
    draws = random.multinomial(len(every), np.full(len(every), 1 / len(every)), DRAWS)
    weights = draws @ is_member
    is_right = np.mean([guess == is_outer for guess in guesses], axis=0)
    sides = [
        (weights[:, side] @ is_right[side]) / weights[:, side].sum(axis=1)
        for side in (is_outer, ~is_outer)
    ]
    low, high = np.quantile((sides[0] + sides[1]) / 2, (0.025, 0.975))
    return float(low), float(high)
