"""The built-in stories read as if a good writer had written them.

Their sentences run before they strike, and their sentences to say are not all cast in
one mold. What the lint only notes in cases of other people holds here.
"""

from __future__ import annotations

from collections import Counter

from scenarios.lint import EASIEST_GRADE, MOST_OF_A_MOULD, lint, moulds_of
from scenarios.prose import grade, moulds_in
from tests.support.figures import Figure
from tests.support.library import LIBRARY


def test_no_story_reads_too_easily(figure: Figure) -> None:
    grades = {case.id: grade(case.story) for case in LIBRARY.cases.values()}
    mean = sum(grades.values()) / len(grades)
    figure(f"school grade: {min(grades.values()):.1f} to {max(grades.values()):.1f}, ")
    figure(f"mean {mean:.1f}")
    assert [name for name, level in grades.items() if level < EASIEST_GRADE] == []
    assert 7 <= mean <= 9


def test_few_sentences_to_say_share_a_mould(figure: Figure) -> None:
    counts = Counter(
        mould for c in LIBRARY.cases.values() for mould in moulds_in(c.breakdown.say)
    )
    mould, most = counts.most_common(1)[0]
    figure(f"most used mould: {most} of {len(LIBRARY.cases)}: {mould}")
    assert most <= MOST_OF_A_MOULD * len(LIBRARY.cases)
    assert moulds_of(LIBRARY) == {}


def test_the_lint_notes_nothing() -> None:
    assert [str(each) for each in lint(LIBRARY) if each.severity == "note"] == []


def test_every_kind_of_clause_leaves_its_mould() -> None:
    assert moulds_in("Speed was meant and points were paid, so") == {
        "· be · and · be", "be · and · be ·", "· and · be · ,", "and · be · , so",
    }  # fmt: skip


def test_neither_place_nor_length_tells_the_right_repair(figure: Figure) -> None:
    asked = [c.fix_question.options for c in LIBRARY.cases.values() if c.fix_question]
    right = [[o.repairs for o in each].index("this gap") for each in asked]
    longest = [max(each, key=lambda option: len(option.text)).repairs for each in asked]
    places, lengths = Counter(right), Counter(longest)
    figure(f"right repair by place {sorted(places.items())}, longest {dict(lengths)}")
    assert len(asked) == len(LIBRARY.cases)
    for count in (*places.values(), *lengths.values()):
        assert 0.25 <= count / len(asked) <= 0.42
