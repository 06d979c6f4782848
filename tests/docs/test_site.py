"""The documentation builds as a site: offline, without a warning, with all links."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.missing import need
from tools.docs import site

ROOT = Path(__file__).parents[2]
HAS_SPHINX = all(map(importlib.util.find_spec, ("sphinx", "myst_parser", "furo")))


@pytest.mark.full
def test_the_site_builds_without_a_warning_and_asks_no_other_host(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    need(HAS_SPHINX, "Sphinx, MyST and furo (pip install 'two-gaps[docs]')")
    site.build(ROOT, tmp_path)
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""
    for name in ("index", "tutorials/first-lesson", "security", "decisions/index"):
        assert (tmp_path / f"{name}.html").is_file()
    assert list(site.foreign(tmp_path)) == []


def test_an_address_of_another_host_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://fine.example">a link</a><img src="//host.example/a.png">'
        '<script src="local.js"></script><link href="https://host.example/a.css">'
    )
    (tmp_path / "a.css").write_text("@import url(https://host.example/font.css);")
    assert list(site.foreign(tmp_path)) == [
        "a.html: //host.example/a.png",
        "a.html: https://host.example/a.css",
        "a.css: a style from another host",
    ]


def test_every_link_of_the_readme_and_the_pages_leads_to_a_file(tmp_path: Path) -> None:
    pages = site.sources(ROOT)
    for name in (*pages, "README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        site.linked(ROOT, tmp_path, name, text, pages | {"README.md": "readme.md"})


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    pages = {"docs/a.md": "a.md"}
    with pytest.raises(site.BrokenLinkError, match="links to gone"):
        site.linked(ROOT, tmp_path, "docs/a.md", "[x](gone.md)", pages)
    code = "`[x](gone.md)` [y](https://host.example) [z](#here)"
    assert site.linked(ROOT, tmp_path, "docs/a.md", code, pages) == code


@pytest.mark.posix
def test_make_docs_installs_what_it_needs_only_once(tmp_path: Path) -> None:
    """So the second run needs no network."""
    make = shutil.which("make")
    need(make, "make")
    assert make is not None
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("pyproject.toml", "hatch_build.py"):
        (tmp_path / name).touch()
    program = tmp_path / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$@" >> calls\n')
    program.chmod(0o755)

    def calls() -> list[str]:
        (tmp_path / "calls").write_text("")
        subprocess.run([make, "docs"], cwd=tmp_path, check=True, capture_output=True)
        return (tmp_path / "calls").read_text().splitlines()

    builds = ["-m tools.docs", "-m tools.docs.site"]
    first = calls()
    assert [call for call in first if call.endswith("--editable .[docs]")]
    assert first[-2:] == builds
    assert calls() == builds
