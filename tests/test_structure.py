"""The structure of the house, as numbers: what a reader has to hold in their head.

Files are found as git would: everything under the three packages that are shipped.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("server", "client", "scenarios", "twogaps")
MOST_FILES = 190
MOST_IN_NET = 14
MOST_LINES = 400
MOST_FUNCTION_LINES = 50
FEW_LINES = 40
MOST_README_LINES, FIRST_SCREEN = 120, 30
"""A teacher on Windows is playing after the first screen."""

CODECS = {
    "server/journal/codec.py",
    "server/protocol/codec.py",
    "server/federation/messages.py",
}
"""Where JSON becomes objects: values of any type exist here alone."""


def sources() -> list[Path]:
    """Return the Python files of the shipped packages."""
    found = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    return sorted(path for path in found if "web" not in path.parts)


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources()}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield every module that a file may import, at its top or in a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_are_few_files() -> None:
    print(f"\n  {len(TREES)} Python files")
    assert len(TREES) <= MOST_FILES
    net = [path for path in TREES if path.parent == ROOT / "server" / "net"]
    assert len(net) <= MOST_IN_NET


def test_no_file_is_long() -> None:
    lines = {name_of(path): len(path.read_text().splitlines()) for path in TREES}
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}


def test_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_README_LINES
    first = "\n".join(text.splitlines()[:FIRST_SCREEN])
    assert "Windows" in first
    assert "uvx two-gaps play" in first


def test_no_function_is_long() -> None:
    found = {}
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MOST_FUNCTION_LINES:
                    found[f"{name_of(path)}:{node.name}"] = length
    assert found == {}


def test_no_small_file_serves_one_other_alone() -> None:
    users: dict[str, set[str]] = defaultdict(set)
    for path, tree in TREES.items():
        for module in imported(tree):
            users[module].add(module_of(path))
    found = {}
    for path in TREES:
        lines = len(path.read_text().splitlines())
        users_of = users[module_of(path)] - {module_of(path)}
        if path.name != "__init__.py" and lines < FEW_LINES and len(users_of) == 1:
            found[name_of(path)] = lines
    assert found == {}


@pytest.mark.parametrize("name", ["Any", "cast"])
def test_types_are_checked_outside_codecs(name: str) -> None:
    found = []
    for path, tree in TREES.items():
        if name_of(path) in CODECS and name == "Any":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "typing":
                names = [alias.name for alias in node.names]
                if name in names:
                    found.append(name_of(path))
    assert found == []


def test_packages_have_no_circle() -> None:
    """Strongly connected modules of server/, by Tarjan's algorithm."""
    graph: dict[str, set[str]] = {}
    modules = {module_of(path) for path in TREES}
    for path, tree in TREES.items():
        name = module_of(path)
        if name.startswith("server"):
            graph[name] = {one for one in imported(tree) if one in modules} - {name}
    packages = {name for name in graph if (ROOT / name.replace(".", "/")).is_dir()}
    for name, others in graph.items():  # importing a name runs its package, too
        graph[name] = {one for one in others if one not in packages}
    assert [sorted(group) for group in connected(graph) if len(group) > 1] == []


def connected(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the strongly connected components of a graph (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in graph:
                continue
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            groups.append(set(stack[at:]))
            del stack[at:]

    for node in graph:
        if node not in index:
            visit(node)
    return groups


def test_what_a_browser_waits_for_is_a_function() -> None:
    """The pages forbid ``eval``, which anything else needs at its second poll."""
    waits = [
        (path.name, node.args[0].value)
        for path in (ROOT / "tests" / "browser").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "wait_for_function"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert waits
    assert [(name, code) for name, code in waits if "=>" not in str(code)] == []
