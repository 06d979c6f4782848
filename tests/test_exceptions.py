"""Every exception from a check is written where it is made, with its reason."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def python_files() -> list[Path]:
    """Return our own sources."""
    found = [ROOT / "hatch_build.py"]
    for part in ("server", "client", "scenarios"):
        found += [
            p for p in (ROOT / part).rglob("*.py") if "node_modules" not in p.parts
        ]
    return found


MARKS = re.compile(r"#\s*(noqa|nosec|type:\s*ignore)(.*)$")
REASONED = re.compile(r"^(: [A-Z]+\d+(, [A-Z]+\d+)* - \S.*|\[[\w, -]+\]\s+# \S.*)$")


def test_each_exception_names_its_rule_and_its_reason() -> None:
    bare = []
    for path in python_files():
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            mark = MARKS.search(line)
            if mark and not REASONED.match(mark[2]):
                bare.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert bare == []


def test_the_security_rules_hold_for_all_that_is_shipped() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert {"S", "BLE", "ASYNC"} <= set(lint["select"])
    assert [rule for rule in lint["ignore"] if rule.startswith("S")] == []
    loose = {
        where
        for where, rules in lint["per-file-ignores"].items()
        if any(rule.startswith("S") for rule in rules)
    }
    assert loose == {"tests/**"}


@pytest.mark.parametrize(
    "call", [r"\beval\(", r"\bexec\(", r"\bpickle\b", r"shell=True", r"yaml\.load"]
)
def test_nothing_that_runs_what_it_is_given(call: str) -> None:
    found = [p for p in python_files() if re.search(call, p.read_text())]
    assert found == []


def test_no_page_writes_markup_of_its_own() -> None:
    """Svelte escapes all text; these are the ways around it."""
    around = re.compile(
        r"\{@html|\.innerHTML\s*\+?=|insertAdjacentHTML|document\.write"
    )
    pages = [p for p in (ROOT / "client/web/src").rglob("*") if p.is_file()]
    assert len(pages) > 50
    assert [p for p in pages if around.search(p.read_text(errors="replace"))] == []


def test_every_test_that_the_security_page_names_exists() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 30
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"
