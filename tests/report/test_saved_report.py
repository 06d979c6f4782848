"""The HTML report: the figures that are written into the web page's template."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from server.report.across import across
from server.report.exports import html_text
from server.report.report import CannotReport, build_report, for_others
from tests.support.cases import make_plan, new_state
from tests.support.known_classes import ALL_OUTER, EXPERT, GUESSING, SPLIT
from tests.support.simulated_class import ClassModel, simulate

PLAYED = {"revote": (0.5, 0.1), "transfer_d": 2.0, "teams": ("A", "B")}
BEFORE = '<!doctype html><script type="application/json" id="held">'
AFTER = "</script>"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A page without its figures, as the web build writes one."""
    path = tmp_path / "saved-report.template"
    path.write_text(f'{BEFORE}"HELD"{AFTER}')
    return path


def held(page: str) -> dict[str, Any]:
    """Return what a page holds, read as a browser reads it: up to the first end tag."""
    data, end, rest = page.removeprefix(BEFORE).partition("</script")
    assert (end, rest) == ("</script", ">"), "something else ends the element"
    assert "<" not in data
    found: dict[str, Any] = json.loads(data)
    return found


@pytest.mark.parametrize("model", [ALL_OUTER, GUESSING, EXPERT, SPLIT])
@pytest.mark.parametrize("learners", [2, 5, 30])
def test_it_holds_the_whole_report(
    model: ClassModel, learners: int, template: Path
) -> None:
    model = dataclasses.replace(model, learners=learners, **PLAYED)
    report = build_report(simulate(model, 1))
    found = held(html_text(report, template))
    assert found == {"report": json.loads(json.dumps(dataclasses.asdict(report)))}


def test_titles_end_no_element_and_come_back_as_typed(template: Path) -> None:
    title = "</script><script>alert(1)</script><!-- &amp; \u2028 \"'"
    plan = make_plan(3)
    case = plan.rounds[0].case.model_copy(update={"title": title})
    rounds = (plan.rounds[0].model_copy(update={"case": case}), *plan.rounds[1:])
    plan = plan.model_copy(update={"rounds": rounds, "title": "<b>x"})
    report = build_report(simulate(ClassModel(plan=plan, **PLAYED), 1))
    found = held(html_text(report, template))["report"]
    assert title in {case["title"] for case in found["cases"]}
    assert found["room"]["title"] == "<b>x"
    assert "\u2028" not in html_text(report, template)


def test_an_empty_room_has_a_page(template: Path) -> None:
    found = held(html_text(build_report(new_state()), template))["report"]
    assert found["sentence"]["text"] == "No case has been answered and revealed yet."


def test_small_classes_get_no_figure_that_n_cannot_carry(template: Path) -> None:
    model = dataclasses.replace(SPLIT, learners=2, **PLAYED)
    report = build_report(simulate(model, 1))
    found = held(html_text(report, template))["report"]
    hidden = found["detections"][0]["d_prime"]
    assert hidden["why"]["text"] == "needs 10 people, has 2"
    assert (hidden["n"], hidden["count"]) == (32, None)
    assert all("value" not in case["right"] for case in found["cases"])


def test_a_page_for_others_holds_no_count_of_few_people(template: Path) -> None:
    report = build_report(simulate(dataclasses.replace(SPLIT, **PLAYED), 1))
    found = held(html_text(for_others(report, 5), template))["report"]
    assert found["audience"] == "others"
    counts = [cell["n"] for row in found["confusion"] for cell in row["cells"]]
    counts += [
        cell["n"]
        for case in found["cases"]
        if case["moves"]
        for cell in case["moves"]["cells"]
    ]
    assert None in counts
    assert all(n is None or n >= 5 for n in counts)
    assert all(dot["n"] >= 5 for dot in found["calibration"]["dots"])


def test_the_answers_of_single_people_are_not_in_the_page(template: Path) -> None:
    state = simulate(dataclasses.replace(SPLIT, **PLAYED), 1)
    page = html_text(build_report(state), template)
    assert not any(f'"{player.id}"' in page for player in state.players.values())
    assert "pseudonym" not in page


def test_several_rooms_have_a_page(template: Path) -> None:
    first, last = (simulate(SPLIT, seed) for seed in (1, 2))
    last = dataclasses.replace(last, code="OTHERS")
    found = held(html_text(across([first, last], match_names=True), template))
    assert [room["room"]["code"] for room in found["across"]["rooms"]][1] == "OTHERS"
    assert found["across"]["before_after"]["matched"] > 0


def test_a_copy_without_the_web_pages_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotReport, match=r"not built.*csv, xlsx or json"):
        html_text(build_report(new_state()), tmp_path / "missing.template")


def test_a_template_without_a_place_for_the_figures_is_refused(template: Path) -> None:
    template.write_text("<!doctype html>")
    with pytest.raises(CannotReport, match="rebuild them"):
        html_text(build_report(new_state()), template)


def test_without_the_web_pages_the_error_names_the_other_formats(
    tmp_path: Path,
) -> None:
    with pytest.raises(CannotReport, match="csv, xlsx or json"):
        html_text(build_report(new_state()), tmp_path / "missing")
