"""Tests pass their own times and sizes as arguments, and patch no constant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PATCHING = {"setattr", "patch", "object"}
CONSTANT = re.compile(r"(^|\.)_?[A-Z][A-Z0-9_]+$")


def patched_constants(source: str) -> Iterator[int]:
    """Yield the lines on which a module's constant is patched."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in PATCHING and any(
            isinstance(argument, ast.Constant) and CONSTANT.search(str(argument.value))
            for argument in node.args[:2]
        ):
            yield node.lineno


def test_no_test_patches_a_constant() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line}"
        for path in sorted(TESTS.rglob("*.py"))
        for line in patched_constants(path.read_text(encoding="utf-8"))
    ]
    assert found == [], "give it an argument with a default instead"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('monkeypatch.setattr(health, "FRESH_S", 0.0)', [1]),
        ('\nmonkeypatch.setattr("server.net.operations._FRESH_S", 0.0)', [2]),
        ('with mock.patch.object(health, "FRESH_S", 0.0): pass', [1]),
        ('monkeypatch.setattr(room, "publish", refuse)', []),
        ('setattr(view, "A", 1)', []),
    ],
)
def test_a_patched_constant_is_found(source: str, lines: list[int]) -> None:
    assert list(patched_constants(source)) == lines
