"""What the build wrote: its weight, its purity, and the types it was made with."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.missing import need

WEB = Path(__file__).parents[2] / "client" / "web"
DIST = WEB / "dist"
BUDGET_KB = {"index": 40, "host": 60, "screen": 60, "report": 60, "preview": 70}
"""First load of each page, gzip: HTML, CSS and JS; fonts apart."""

SAVED_KB = 50
"""The report as one file, without its figures, gzip."""

EAGER = {"host": "src/host/console/Console.svelte"}
"""What a page fetches before it shows anything, though not by its own HTML."""


@pytest.fixture(scope="module")
def built() -> Path:
    """The folder of the built pages."""
    manifest = DIST / ".vite" / "manifest.json"
    need(manifest.is_file(), "the built pages (npm run build in client/web)")
    return DIST


def first_load(page: str) -> set[str]:
    """Return the files a page needs before it shows anything."""
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text())
    files = {f"{page}.html"}
    todo, seen = [f"{page}.html"], set()
    todo += [EAGER[page]] if page in EAGER else []
    while todo:
        key = todo.pop()
        if key not in seen:
            seen.add(key)
            files |= {manifest[key]["file"], *manifest[key].get("css", ())}
            todo += manifest[key].get("imports", ())
    return files


@pytest.mark.parametrize("page", BUDGET_KB)
def test_a_page_keeps_to_its_budget(built: Path, page: str) -> None:
    kb = {
        name: len(gzip.compress((built / name).read_bytes(), 9, mtime=0)) / 1024
        for name in first_load(page)
    }
    assert sum(kb.values()) <= BUDGET_KB[page], kb


@pytest.mark.parametrize("page", BUDGET_KB)
def test_a_page_holds_nothing_inline_or_foreign(built: Path, page: str) -> None:
    html = (built / f"{page}.html").read_text()
    for tag in re.findall(r"<script[^>]*>", html):
        assert "src=" in tag, tag
    assert "<style" not in html
    assert not re.search(r"\s(style|on\w+)=", html)
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", html)


def test_the_saved_report_is_one_file_that_asks_for_nothing(built: Path) -> None:
    page = (built / "saved-report.template").read_text()
    assert page.count('"HELD"') == 1
    assert "default-src 'none'" in page
    assert "<noscript>" in page
    for tag in re.findall(r"<(?:script|link|img|iframe)[^>]*>", page):
        assert not re.search(r"\b(src|href)=", tag), tag
    assert not re.search(r"url\((?!data:)|@import", page)
    assert len(gzip.compress(page.encode(), 9, mtime=0)) / 1024 <= SAVED_KB


def test_every_text_file_lies_there_compressed_too(built: Path) -> None:
    for path in (*built.glob("*.html"), *built.glob("assets/*.js")):
        packed = path.with_name(f"{path.name}.gz").read_bytes()
        assert gzip.decompress(packed) == path.read_bytes()
        assert path.with_name(f"{path.name}.br").is_file()


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    assert not [n for n, entry in lock["packages"].items() if "resolved" in entry]


def test_dependencies_are_pinned_exactly() -> None:
    package = json.loads((WEB / "package.json").read_text())
    pins = {**package.get("dependencies", {}), **package["devDependencies"]}
    assert not [n for n, pin in pins.items() if not re.fullmatch(r"\d+\.\d+\.\d+", pin)]


def test_the_types_are_those_of_the_server() -> None:
    need(shutil.which("node"), "Node")
    need((WEB / "node_modules").is_dir(), "npm ci in client/web")
    done = subprocess.run(
        ["node", "scripts/make-types.mjs", "--check"],
        cwd=WEB,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
