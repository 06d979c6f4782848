"""Does topic or style give a label away? Logistic models that see only one of the two.

``python -m tests.scenarios.giveaway`` writes docs/giveaway.md again. The models see the
clean cases; cases that are linked as twins are held out together, so that no fold
learns a story from its counterpart. Grouped, stratified, seeded cross-validation.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import comb, hypot, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import (  # type: ignore[import-untyped] # no types
    ENGLISH_STOP_WORDS,
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
from scenarios.load import load_library
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
MOST_BY_TOPIC, MOST_BY_WORDS, MOST_BY_PHRASE = 0.60, 0.65, 0.60
FACT = "belongs to the facts: stays"
PLAIN = "common word in many different sentences: stays"
VERDICTS = {
    "robot": "fact: more robots had odd rewards than narrow training",
    "models": FACT,
    "patients": FACT,
    "count": FACT,
    "program": "the usual name for what learned",
    "networks": FACT,
    "paper": "fact: labs publish papers about their own mistakes",
    "three": FACT,
    "openai": "fact: a lab that published its own mistakes",
    "horse": FACT,
    "far": FACT,
    "network": FACT,
    "press": FACT,
    "judge": "fact: what gets judged is the written objective",
    "people": FACT,
    "nail": FACT,
    "box": FACT,
    "game": "fact: games keep score",
    "percent": FACT,
    "numbers": FACT,
    "photos": "fact: photos are often confounded with something else",
    "photo": "fact: photos are often confounded with something else",
    "red": FACT,
    "skin": FACT,
    "yellow": FACT,
    **dict.fromkeys(ENGLISH_STOP_WORDS, PLAIN),
    **dict.fromkeys(
        (
            "let",
            "looked",
            "asked",
            "told",
            "came",
            "took",
            "got",
            "opened",
            "didn",
            "isn",
        ),
        PLAIN,
    ),
    "same": "fact: two things went together, or a test resembled training",
    "always": "fact: what always went together in training",
    "mostly": "fact: what mostly went together in training",
}
"""What was made of a telling word. Habits were fixed in the stories themselves."""
PHRASES = {
    "reassurance": re.compile(
        r"\b(truthful\w*|true (?:name|label)s?|faithful\w*|honest\w*|nothing else"
        r"|right(?:ly)? (?:name|answer|label|thing|finding|mark)\w*|correct\w*"
        r"|with care|careful\w*|with(?:out| no) (?:a )?(?:slip|mistake)s?|fair(?:ly)?"
        r"|in good order|sound|reliabl\w*|accurate\w*|checked"
        r"|had (?:named|noted|marked|written))\b",
        re.IGNORECASE,
    ),
    "measurement": re.compile(
        r"\b(measur\w*|count(?:ed|s|ing)?|scor(?:e|es|ed|ing)|points?|paid|pays?"
        r"|reward\w*|targets?|judged|graded?|rated|ratings?|bonus\w*|fined?|percent)\b",
        re.IGNORECASE,
    ),
}
"""What a class may learn to read instead of the case: "the labels were right" for
inner, "it was paid by the point" for outer."""
TEXT = """# Does a story give its label away?

`python -m tests.scenarios.giveaway` writes this page. Two logistic models guess whether
a case is outer or inner. One sees only what the case is about, the other only the words
of its title and story. They see the {n} clean cases. Cases that are linked as twins are
held out together (10-fold, grouped and stratified, 3 seeded repeats). A balanced
accuracy of 0.50 is chance. Intervals are 95%, by bootstrap over families of twins.

| guessed from | balanced accuracy | 95% | at most |
|---|---|---|---|
{table}

Two kinds of phrase are counted separately, because a class might learn to rely on them
instead of reading the case. One kind is reassurance ("with the right name",
"correctly", "and for nothing else"), and the other is measurement ("score", "paid",
"target"). Stories of one label use such phrases more often. The guess is that a story
with the phrase has that label.

| phrase | in outer stories | in inner stories | balanced accuracy | at most |
|---|---|---|---|---|
{phrases}

A test enforces all limits. The accuracy from title and story was 0.66 before we went
through the stories and reworded about forty phrases. "Agent" occurred only in inner
stories, "hard" only in outer ones, and inner stories said twice as often what something
had "learned". We changed and measured the same stories, so the figure describes this
library and doesn't predict the accuracy for new stories.

We also hold out the newest cases and their twins, to see how well a class that knows
the older stories could guess the new ones. The last column is the probability of
guessing at least as well if we shuffled the labels of these cases (exact).

| held out | guessed from | balanced accuracy | 95% | by chance |
|---|---|---|---|---|
{held_out}

The intervals here are Newcombe's (1998), and they are wide: no figure differs from
chance at the 5% level. A test holds this for the cases added last, and keeps the
stories from {recent} and later below the limits above. If the cases added last have a
cue, it is in their tags, because their domains alone give {domain:.2f}: older cases
about images, medical imaging, fine-tuning and reading are more often inner. The honest
remedy is to write outer cases about these subjects. We changed tags while measuring the
figures from domain and tags, so they are not predictions.

We did make one real prediction. In November 2026, 42 cases were added to the library.
Before we tuned any of their words for this test, the models learned from the 106 clean
cases already there and guessed the 14 clean new ones. Their balanced accuracy was 0.36
from title and story. From domain and tags it was 0.79: as in the older library, most
new outer cases were about coding agents and companies, and most new inner ones about
pictures and medicine. We therefore added four cases that break the pattern: two inner
cases about language models, an outer case about photos, and an outer case about
surgeons. A few labels changed. Some tags, such as "company", had occurred on one side
only. All tags now follow one rule: use what a reader would search for.

## The twenty most telling words

Words that belong to the facts stay. Words that are only a writer's habit are reworded.

| word | points to | what it is |
|---|---|---|
{kept}
"""
DOC = Path(__file__).parents[2] / "docs" / "giveaway.md"


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


@dataclass(frozen=True, slots=True)
class Phrase:
    """How often the stories of each label have a kind of phrase, as shares."""

    outer: float
    inner: float

    @property
    def accuracy(self) -> float:
        """Balanced accuracy of a guess by the phrase alone."""
        return 0.5 + abs(self.outer - self.inner) / 2


def by_phrase(library: Library) -> dict[str, Phrase]:
    """Return for each kind of phrase how often the stories of each label have it."""
    return {
        name: Phrase(*(_share(library, label, pattern) for label in Label))
        for name, pattern in PHRASES.items()
    }


def _share(library: Library, label: Label, pattern: re.Pattern[str]) -> float:
    stories = [case.story for case in library.cases.values() if case.label is label]
    return sum(bool(pattern.search(story)) for story in stories) / len(stories)


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


def told(name: str, guess: Guess) -> str:
    """Return a guess in one paragraph."""
    return (
        f"{name}: balanced accuracy {guess.accuracy:.2f} "
        f"(95% {guess.low:.2f} to {guess.high:.2f}, n = {guess.n}; 0.50 is chance). "
        f"Outer: {', '.join(guess.outer_words)}. Inner: {', '.join(guess.inner_words)}."
    )


def document(library: Library) -> str:
    """Return docs/giveaway.md: both guesses, their words, and what was made of them."""
    topic, style = by_topic(library), by_words(library)
    rows = [
        ("domain and tags", topic, MOST_BY_TOPIC),
        ("title and story", style, MOST_BY_WORDS),
    ]
    table = "\n".join(
        f"| {name} | {guess.accuracy:.2f} | {guess.low:.2f} to {guess.high:.2f} | "
        f"{most:.2f} |"
        for name, guess, most in rows
    )
    kept = "\n".join(
        f"| `{word}` | {side} | {VERDICTS.get(word, 'not looked at yet')} |"
        for side, told in (("outer", style.outer_words), ("inner", style.inner_words))
        for word in told
    )
    phrases = "\n".join(
        f"| {name} | {each.outer:.2f} | {each.inner:.2f} | {each.accuracy:.2f} | "
        f"{MOST_BY_PHRASE:.2f} |"
        for name, each in by_phrase(library).items()
    )
    return TEXT.format(
        n=style.n, table=table, kept=kept, phrases=phrases, recent=RECENT,
        held_out="\n".join(newest_rows(library)),
        domain=held_out(library, is_added_last, lambda case: case.domain).accuracy,
    )  # fmt: skip


def newest_rows(library: Library) -> Iterator[str]:
    """Yield a row of the document's table for each set of cases held out."""
    for name, is_held in (
        (f"true stories from {RECENT} and later", is_recent),
        ("cases added last", is_added_last),
    ):
        for seen, text_of, vectorizer in (
            ("domain and tags", topics, bag_of_topics),
            ("title and story", words, bag_of_words),
        ):
            each = held_out(library, is_held, text_of, vectorizer)
            yield (
                f"| {each.n} {name} | {seen} | {each.accuracy:.2f} | "
                f"{each.low:.2f} to {each.high:.2f} | {each.chance:.2f} |"
            )


if __name__ == "__main__":
    DOC.write_text(document(load_library()), encoding="utf-8")
    print(DOC.read_text(encoding="utf-8"))
