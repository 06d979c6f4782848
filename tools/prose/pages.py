"""Extracts the text that people read from each file, preserving line numbers.

A page has the same number of lines as its file and contains only the prose, as
Markdown, so that textlint reports the right line.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

FEWEST_WORDS = 3
"""Minimum number of words for a string in a program to count as prose."""

LONGEST_PHRASE = 12
"""Longest string without small words, in words; longer ones are lists or CSS."""

SMALL_WORDS = re.compile(r"\b(?:the|of|to|is|are|and|in|it|for)\b")

SQL = re.compile(
    r"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|WITH|VACUUM|ALTER)\b"
)

NOT_PROSE = re.compile(r"^[\w./:{}%@$<>=,*#\\-]*$")
"""Matches strings that are not prose, such as names, paths and patterns."""

STRING = re.compile(
    r'"(?P<double>(?:[^"\\\n]|\\.)*)"|`(?P<template>(?:[^`\\]|\\.)*)`', re.DOTALL
)
_KEY = re.compile(r'^[\w"]+ = |^\[.*\]$|^"""$|"""\s*$|\\$')
"""Matches the parts of a line in a case file that are not prose."""

QUOTING = "docs/evidence.md"
"""A page whose tables contain quotes from originals, and notes from case files."""

HOLE = re.compile(r"\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
LINE_COMMENT = re.compile(r"(^|[ \t])//.*$", re.MULTILINE)


def checked_files(root: Path) -> list[str]:
    """Return the files in a repository that contain prose and are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(  # noqa: S603 - git, with arguments of our own
        command, cwd=root, check=True, text=True, capture_output=True
    )
    found = {name for name in done.stdout.splitlines() if _is_checked(name)}
    return sorted(name for name in found if (root / name).is_file())


def _is_checked(name: str) -> bool:
    if name.endswith(".py") or is_case(name):
        return True
    is_catalogue = re.fullmatch(r"client/web/src/i18n/en(\.\w+)?\.ts", name)
    return name.endswith(".md") or is_catalogue is not None


def is_case(name: str) -> bool:
    """Return whether a file is a case or a deck of the library."""
    return name.startswith("scenarios/") and name.endswith(".toml")


def page(name: str, source: str) -> str:
    """Return the prose of a file, with each line at its original line number."""
    if is_case(name):
        return "\n".join(_KEY.sub("", line) for line in source.split("\n")) + "\n"
    if name == QUOTING:
        return "\n".join("" if s.startswith("|") else s for s in source.split("\n"))
    if name.startswith("tests/"):
        return _fill(source, _test(source))
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
    """Yield docstrings and all strings of several words: help, errors, log messages."""
    tree = ast.parse(source)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if id(node) in docstrings and isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.lineno, _dedented(node.value, node.col_offset)
        elif isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in parts:
            yield from _sentence(node)


def _test(source: str) -> Iterator[tuple[int, str]]:
    """Yield docstrings, and the names of tests as sentences, with spaces."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, _dedented(text, node.col_offset)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name.startswith("test_"):
                    yield from _item(node.lineno, name.replace("_", " "))


def _dedented(text: str, margin: int) -> str:
    first, *rest = text.split("\n")
    return "\n".join([first.strip(), *(line[margin:] for line in rest)])


def _sentence(node: ast.expr) -> Iterator[tuple[int, str]]:
    """Yield a string on one line, as a list item, with each inserted value as "x"."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "x"
            for part in node.values
        )
    else:
        return
    if len(text.split()) >= FEWEST_WORDS and not _is_code(text):
        yield from _item(node.lineno, text)


def _is_code(text: str) -> bool:
    """Return whether a string is SQL, CSS, a code template, or a list."""
    is_list = len(text.split()) > LONGEST_PHRASE and not SMALL_WORDS.search(text)
    is_style = re.search(r"\{[\w-]+:[^}]*\}", text) is not None
    return is_list or is_style or '"""' in text or SQL.match(text) is not None


def _catalogue(source: str) -> Iterator[tuple[int, str]]:
    """Yield the strings in a translation catalog (TypeScript)."""
    code = LINE_COMMENT.sub(lambda found: " " * len(found[0]), source)
    for found in STRING.finditer(code):
        text = found["double"] if found["template"] is None else found["template"]
        number = code.count("\n", 0, found.start()) + 1
        yield from _item(number, HOLE.sub("x", text))


def _item(number: int, text: str) -> Iterator[tuple[int, str]]:
    flat = " ".join(text.split())
    if not NOT_PROSE.match(flat):
        yield number, f"- {flat}"
