"""The built-in stories are told as a good writer tells them; what is left is listed.

``to_retell.txt`` names the stories below the lowest reading grade. It may only shrink:
a story that is told again leaves it, and none may come.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from scenarios.lint import EASIEST_GRADE, MOST_OF_A_MOULD, lint, moulds_of
from scenarios.load import load_library
from scenarios.prose import grade, moulds_in
from tests.support.figures import Figure

LIBRARY = load_library()
LIST = Path(__file__).with_name("to_retell.txt")


def test_only_the_stories_on_the_list_read_too_easily(figure: Figure) -> None:
    listed = LIST.read_text(encoding="utf-8").split()
    easy = {c.id for c in LIBRARY.cases.values() if grade(c.story) < EASIEST_GRADE}
    figure(f"to tell again: {len(listed)} of {len(LIBRARY.cases)} stories")
    assert listed == sorted(listed)
    assert easy - set(listed) == set(), "let their sentences run"
    assert set(listed) - easy == set(), "take these off the list: they are told again"


def test_few_sentences_to_say_share_a_mould(figure: Figure) -> None:
    counts = Counter(
        mould for c in LIBRARY.cases.values() for mould in moulds_in(c.breakdown.say)
    )
    mould, most = counts.most_common(1)[0]
    figure(f"most used mould: {most} of {len(LIBRARY.cases)}: {mould}")
    assert most <= MOST_OF_A_MOULD * len(LIBRARY.cases)
    assert moulds_of(LIBRARY) == {}


def test_the_lint_notes_nothing_else() -> None:
    notes = [each for each in lint(LIBRARY) if each.severity == "note"]
    easy = [each for each in notes if "reads like school grade" in each.message]
    assert len(notes) == len(easy), notes


def test_every_kind_of_clause_leaves_its_mould() -> None:
    assert moulds_in("Speed was meant and points were paid, so") == {
        "· be · and · be", "be · and · be ·", "· and · be · ,", "and · be · , so",
    }  # fmt: skip
