"""The HTML report: whole, self-contained, well formed, and of one mind with itself."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from server.report.html_page import html_page
from server.report.report import build_report
from server.report.suppress import for_others
from tests.support.cases import make_plan, new_state
from tests.support.known_classes import ALL_OUTER, EXPERT, GUESSING, SPLIT
from tests.support.simulated_class import ClassModel, simulate

VOID = {"meta", "line", "circle", "br"}
PLAYED = {"revote": (0.5, 0.1), "transfer_d": 2.0, "teams": ("A", "B")}


class Checker(HTMLParser):
    """Notes every tag, and insists that each is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return checker


@pytest.mark.parametrize("model", [ALL_OUTER, GUESSING, EXPERT, SPLIT])
@pytest.mark.parametrize("learners", [2, 5, 30])
def test_it_is_whole_and_refers_to_nothing_outside(
    model: ClassModel, learners: int
) -> None:
    model = dataclasses.replace(model, learners=learners, **PLAYED)
    report = build_report(simulate(model, 1))
    page = html_page(report)
    found = checked(page)
    assert {tag for tag, _ in found.tags} & {"script", "link", "img", "iframe"} == set()
    assert not any(
        name in ("src", "href") or name.startswith("on")
        for _, attributes in found.tags
        for name in attributes
    )
    assert not re.search(r"https?:|url\(|@import|//", page)
    text = " ".join(found.text)
    assert report.sentence in text
    assert "nan" not in text.lower().replace("finance", "")
    assert "None" not in text


def test_titles_are_text() -> None:
    plan = make_plan(3)
    case = plan.rounds[0].case.model_copy(update={"title": "<script>&\"'"})
    rounds = (plan.rounds[0].model_copy(update={"case": case}), *plan.rounds[1:])
    plan = plan.model_copy(update={"rounds": rounds, "title": "<b>x"})
    page = html_page(build_report(simulate(ClassModel(plan=plan, **PLAYED), 1)))
    checked(page)
    assert "<script" not in page
    assert "<b>x" not in page


def test_an_empty_room_has_a_page() -> None:
    page = html_page(build_report(new_state()))
    checked(page)
    assert "Nothing has been answered" in page


def test_every_chart_has_a_name_and_a_table() -> None:
    page = html_page(build_report(simulate(dataclasses.replace(SPLIT, **PLAYED), 1)))
    charts = [attrs for tag, attrs in checked(page).tags if tag == "svg"]
    assert len(charts) == 16 + 3
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in charts)
    for part in page.split("<section>")[1:]:
        if "<svg" in part:
            assert "<table" in part


def test_small_classes_get_no_chart_that_n_cannot_carry() -> None:
    model = dataclasses.replace(SPLIT, learners=2, **PLAYED)
    page = html_page(build_report(simulate(model, 1)))
    assert "<svg" not in page
    assert "needs 10 people, has 2" in page


def test_what_others_may_not_see_is_said_to_be_few() -> None:
    model = dataclasses.replace(SPLIT, **PLAYED)
    report = for_others(build_report(simulate(model, 1)), 5)
    page = html_page(report)
    checked(page)
    assert '<span class="why">few</span>' in page
    assert "counts of few people are hidden" in page
