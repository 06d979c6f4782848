"""Draw docs/pictures/architecture.svg: the packages of the server in their layers.

The layers are those that import-linter enforces (pyproject.toml). The descriptions are
the first sentences of the packages' docstrings.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
WIDTH, MARGIN, GAP = 860, 20, 10
LINE, PAD = 17, 12
NAME_WIDTH = 150
CHARACTERS_PX = 6.4
"""Average width of a character, in pixels."""

BESIDE = ("scenarios", "client", "twogaps")
"""Packages outside the server's layers."""


@dataclass(frozen=True, slots=True)
class Part:
    """A package or module in the drawing."""

    name: str
    says: str


def layers(project: Path = PROJECT) -> list[list[Part]]:
    """Return the server's layers from top to bottom, each with its parts."""
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    names = next(each["layers"] for each in contracts if each["type"] == "layers")
    return [[_part(project, name.strip()) for name in row.split("|")] for row in names]


def _part(project: Path, name: str) -> Part:
    path = project.joinpath(*name.split("."))
    first = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    says = ast.get_docstring(ast.parse(first.read_text(encoding="utf-8"))) or ""
    return Part(name, _first_sentence(says))


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.partition("\n\n")[0].replace("``", "").split())
    return paragraph.partition(". ")[0].rstrip(".") + "."


def drawing(project: Path = PROJECT) -> str:
    """Return the drawing as SVG."""
    y: float = MARGIN
    shapes: list[str] = []
    for row in layers(project):
        each = (WIDTH - 2 * MARGIN - GAP * (len(row) - 1)) / len(row)
        height = max(_height(part, each) for part in row)
        for column, part in enumerate(row):
            shapes += _box(part, MARGIN + column * (each + GAP), y, each, height)
        y += height + GAP
    y += GAP
    for name in BESIDE:
        part = _part(project, name)
        width = WIDTH - 2 * MARGIN
        shapes += _box(part, MARGIN, y, width, _height(part, width), "beside")
        y += _height(part, width) + GAP
    return _svg(shapes, y + MARGIN - GAP)


def _wrapped(part: Part, width: float) -> list[str]:
    room = int((width - NAME_WIDTH - 2 * PAD) / CHARACTERS_PX)
    return textwrap.wrap(part.says, max(20, room)) or [""]


def _height(part: Part, width: float) -> float:
    return 2 * PAD + LINE * max(1, len(_wrapped(part, width)))


def _box(
    part: Part, x: float, y: float, width: float, height: float, kind: str = "layer"
) -> Iterator[str]:
    """Yield a box with the part's name on the left and its description on the right."""
    yield (
        f'<rect class="{kind}" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" rx="6"/>'
    )
    top = y + PAD + LINE * 0.75
    short = part.name.removeprefix("server.")
    yield f'<text class="name" x="{x + PAD:.0f}" y="{top:.0f}">{escape(short)}</text>'
    for number, line in enumerate(_wrapped(part, width)):
        at = top + number * LINE
        yield f'<text x="{x + NAME_WIDTH:.0f}" y="{at:.0f}">{escape(line)}</text>'


def _svg(shapes: list[str], height: float) -> str:
    style = (
        "text{font:13px system-ui,sans-serif;fill:#1a1a1a}"
        ".name{font-weight:600;font-size:15px}"
        "rect{fill:#fff;stroke:#8a8a8a}.layer{fill:#eef3f8}.beside{fill:#f6f2ea}"
    )
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'role="img">\n<title>The packages of Two Gaps in their layers</title>\n'
        f"<style>{style}</style>\n"
        f'<rect x="0" y="0" width="{WIDTH}" height="{height:.0f}" '
        f'style="stroke:none"/>\n{body}\n</svg>\n'
    )
