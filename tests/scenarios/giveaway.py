"""Does topic or style give a label away? Logistic models that see only one of the two.

``python -m tests.scenarios.giveaway`` writes docs/giveaway.md again. The models see the
clean cases; cases that are linked as twins are held out together, so that no fold
learns a story from its counterpart. Grouped, stratified, seeded cross-validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sklearn.feature_extraction.text import (  # type: ignore[import-untyped] # no types
    ENGLISH_STOP_WORDS,
)

from scenarios.library import Library
from scenarios.load import load_library
from tests.scenarios.guesses import (
    RECENT,
    Guess,
    bag_of_topics,
    bag_of_words,
    by_topic,
    by_words,
    held_out,
    is_added_last,
    is_recent,
    topics,
    words,
)  # fmt: skip
from tests.scenarios.phrases import by_phrase

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
