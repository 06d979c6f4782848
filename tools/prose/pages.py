"""Extracts the text that people read from each file, keeping its line numbers.

A page has as many lines as its file and holds its prose alone, as Markdown, so that
textlint names the right line.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

GENERATED = {
    f"docs/{name}.md"
    for name in ("protocol", "phases", "roles", "settings", "limits", "metrics")
}
"""Documents whose text comes from docstrings, which are checked where they are."""

PRINTING = {"echo", "secho", "print", "fail", "Exit", "BadParameter"}
"""Functions whose text the people at a terminal read."""

NOT_PROSE = re.compile(r"^[\w./:{}%@$<>=,*#\\-]*$")
"""A string without a space: a name, a path, a pattern."""

STRING = re.compile(
    r'"(?P<double>(?:[^"\\\n]|\\.)*)"|`(?P<template>(?:[^`\\]|\\.)*)`', re.DOTALL
)
_KEY = re.compile(r'^[\w"]+ = |^\[.*\]$|^"""$|"""\s*$|\\$')
"""What is not prose on a line of a case file."""

HOLE = re.compile(r"\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
LINE_COMMENT = re.compile(r"(^|[ \t])//.*$", re.MULTILINE)


def checked_files(root: Path) -> list[str]:
    """Return the files of a repository that hold prose, tracked or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(  # noqa: S603 - git, with arguments of our own
        command, cwd=root, check=True, text=True, capture_output=True
    )
    found = {name for name in done.stdout.splitlines() if _is_checked(name)}
    return sorted(name for name in found - GENERATED if (root / name).is_file())


def _is_checked(name: str) -> bool:
    if name.endswith(".py"):
        return not name.startswith("tests/")
    if is_case(name):
        return True
    is_catalogue = re.fullmatch(r"client/web/src/i18n/en(\.\w+)?\.ts", name)
    return name.endswith(".md") or is_catalogue is not None


def is_case(name: str) -> bool:
    """Whether a file is a case or a deck of the library."""
    return name.startswith("scenarios/") and name.endswith(".toml")


def page(name: str, source: str) -> str:
    """Return the prose of a file, on its own lines."""
    if is_case(name):
        return "\n".join(_KEY.sub("", line) for line in source.split("\n")) + "\n"
    if name.endswith(".py"):
        return _fill(source, _python(source))
    if name.endswith(".ts"):
        return _fill(source, _catalogue(source))
    return source


def _fill(source: str, prose: Iterator[tuple[int, str]]) -> str:
    lines = [""] * (source.count("\n") + 1)
    for number, text in prose:
        for offset, line in enumerate(text.splitlines()):
            at = number - 1 + offset
            lines[at] = f"{lines[at]} {line}" if lines[at] else line
    return "\n".join(lines) + "\n"


def _python(source: str) -> Iterator[tuple[int, str]]:
    """Yield docstrings, help texts, messages of errors, and what is printed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str):
                yield node.lineno, _dedented(node.value.value, node.col_offset)
        elif isinstance(node, ast.keyword) and node.arg in {"help", "epilog"}:
            yield from _sentence(node.value)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for argument in node.exc.args:
                yield from _sentence(argument)
        elif isinstance(node, ast.Call) and _called(node.func) in PRINTING:
            for argument in node.args:
                yield from _sentence(argument)


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _dedented(text: str, margin: int) -> str:
    first, *rest = text.split("\n")
    return "\n".join([first.strip(), *(line[margin:] for line in rest)])


def _sentence(node: ast.expr) -> Iterator[tuple[int, str]]:
    """Yield a string on one line, as an item of a list; values become "x"."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "x"
            for part in node.values
        )
    else:
        return
    yield from _item(node.lineno, text)


def _catalogue(source: str) -> Iterator[tuple[int, str]]:
    """Yield the strings of a TypeScript catalogue."""
    code = LINE_COMMENT.sub(lambda found: " " * len(found[0]), source)
    for found in STRING.finditer(code):
        text = found["double"] if found["template"] is None else found["template"]
        number = code.count("\n", 0, found.start()) + 1
        yield from _item(number, HOLE.sub("x", text))


def _item(number: int, text: str) -> Iterator[tuple[int, str]]:
    flat = " ".join(text.split())
    if not NOT_PROSE.match(flat):
        yield number, f"- {flat}"
