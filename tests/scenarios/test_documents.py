"""What the documents say about cases is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from scenarios.model import Deck, Rule
from scenarios.stats import count
from tests.support.cli import twogaps
from tests.support.library import LIBRARY

ROOT = Path(__file__).parents[2]
AUTHORING = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
LABELS = (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", AUTHORING, re.S)
FIGURES = next(block for block in BLOCKS if block.startswith("[[figures]]"))
DECK = next(block for block in BLOCKS if block.startswith("id = "))


def test_the_deck_shown_is_a_deck() -> None:
    deck = Deck.model_validate(tomllib.loads(DECK))
    known = set(LIBRARY.cases) | {"ambulances"}
    assert set(deck.case_ids) <= known
    assert [item.start_here for item in deck.reading] == [True]


def test_the_figure_and_the_stations_are_those_of_the_finished_file() -> None:
    case = LIBRARY.case("four-hours")
    shown = tomllib.loads(FIGURES)["figures"][0]
    assert shown in [figure.model_dump() for figure in case.figures]
    assert "Each hospital kept its own record" in case.story
    assert "within four hours" in case.breakdown.written


@pytest.mark.parametrize("text", [AUTHORING, LABELS], ids=["authoring", "labels"])
def test_every_command_and_option_named_is_there(text: str) -> None:
    commands = re.findall(r"twogaps ((?:case |room |journal )?[a-z]+)([^`\n|]*)", text)
    assert commands
    for command, rest in commands:
        words = command.split()
        helped = twogaps(*words, "--help")
        assert helped.exit_code == 0, command
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in helped.output, (command, option)


def test_every_rule_is_explained_in_order_with_a_case_that_it_decides() -> None:
    table = re.findall(r"^\| (\d) \| `(\w+)` \|", LABELS, re.M)
    assert table == [(str(place), rule) for place, rule in enumerate(get_args(Rule))]
    items = re.split(r"^\d\. \*\*", LABELS.split("## Where the repair")[0], flags=re.M)[
        1:
    ]
    assert len(items) == len(get_args(Rule))
    for rule, item in zip(get_args(Rule), items, strict=True):
        named = re.findall(r"`([a-z0-9-]+)`", item.split("*Example:*")[1])
        assert rule in {LIBRARY.case(name).rule for name in named}, rule


def test_every_case_named_in_labels_is_there_and_every_case_names_its_rule() -> None:
    named = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", LABELS))
    assert named - set(LIBRARY.cases) == set()
    assert [case.id for case in LIBRARY.cases.values() if case.rule is None] == []


def test_the_counts_in_the_readme_are_today_s() -> None:
    stats = count(LIBRARY)
    v = stats.verdicts
    told = " ".join(README.split())
    assert f"{stats.total} cases, each" in told
    kinds = {name: sum(row.values()) for name, row in stats.by["told as"].items()}
    assert f"{kinds['true story']} true stories from" in told
    assert f"{kinds['real case, one fact changed']} real cases with one fact" in told
    assert f"{kinds['invented variant of a real case']} invented variants" in told
    assert f"{kinds['thought experiment']} thought experiments" in told
    assert f"{v['outer']} are outer, {v['inner']} inner, {v['both']} both" in told
    assert f"{v['neither']} neither and {v['contested']} contested" in told
    years = [case.year for case in LIBRARY.cases.values() if case.is_true]
    assert f"from {min(years)} to {max(years)}" in told


def test_links_between_the_documents_lead_somewhere() -> None:
    for name in ("authoring.md", "labels.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#h][^)]*)\)", text):
            assert (ROOT / "docs" / target).exists(), target
