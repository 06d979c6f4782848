"""``python -m tools.docs.site``: build the documentation as a site, offline.

The pages remain where readers of the repository look for them: in docs/ and at the
root. They are copied to a temporary folder, with links rewritten to lead from page to
page, and Sphinx (MyST, Furo) builds the site from there. The order of the pages is that
of the lists in docs/README.md: tutorials, how-to guides, reference, explanation.

The build fails on any warning, such as a link to a page or heading that does not exist,
or a page missing from all lists. It also fails if a code block has no mark (see
tools/docs/blocks.py), or if a built page would request anything from another host.
"""

from __future__ import annotations

import argparse
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

from tools.docs import PROJECT
from tools.docs.blocks import blocks_of, summary, unmarked

CONFIGURATION = Path(__file__).parent / "site_configuration"
INDEX = "docs/README.md"
ROOT_PAGES = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
DECISIONS = "docs/decisions"

LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
SECTION = re.compile(r"^## (?P<title>.+?)$(?P<body>.*?)(?=^## |\Z)", re.M | re.S)
CODE = re.compile(r"^( *)```.*?^\1```|`[^`\n]+`", re.M | re.S)
FOREIGN = re.compile(r"(?:@import|url\()\s*['\"(]?\s*(?:https?:)?//")


class BrokenLinkError(Exception):
    """A page links to a file that does not exist."""


def sources(project: Path) -> dict[str, str]:
    """Map each page's path in the project to its path in the site, with slashes."""
    found = {name: name.lower() for name in ROOT_PAGES}
    for path in sorted((project / "docs").rglob("*.md")):
        name = path.relative_to(project).as_posix()
        found[name] = name.removeprefix("docs/")
    found[INDEX] = "index.md"
    return found


def stage(project: Path, folder: Path) -> list[str]:
    """Copy the pages into a folder, with their links rewritten; return their paths."""
    pages = sources(project)
    for name, target in pages.items():
        text = (project / name).read_text(encoding="utf-8")
        text = linked(project, folder, name, text, pages)
        if name == INDEX:
            text += _toctrees(text)
        _write(folder / target, text.replace("```mermaid", "```text"))
    _write(folder / "decisions" / "index.md", _decisions(project))
    shutil.copytree(project / "docs" / "pictures", folder / "pictures")
    return sorted(pages.values())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def linked(
    project: Path, folder: Path, name: str, text: str, pages: dict[str, str]
) -> str:
    """Return a page with its links rewritten; copy the other files it links to."""
    codes: list[str] = []

    def hide(found: re.Match[str]) -> str:
        codes.append(found[0])
        return f"\0{len(codes) - 1}\0"

    def link(found: re.Match[str]) -> str:
        target, _, anchor = found[0].partition("#")
        if not target or re.match(r"[a-z]+:", found[0]):
            return found[0]
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        here = posixpath.dirname(pages[name])
        if wanted in pages:
            to = pages[wanted]
        elif wanted == DECISIONS:
            to = "decisions/index.md"
        elif wanted.startswith("docs/pictures/") and (project / wanted).is_file():
            to = wanted.removeprefix("docs/")
        elif (project / wanted).is_file():
            to = f"files/{wanted}"
            (folder / to).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project / wanted, folder / to)
        else:
            raise BrokenLinkError(f"{name} links to {target}, which does not exist")
        return posixpath.relpath(to, here or ".") + (f"#{anchor}" if anchor else "")

    plain = LINK.sub(link, CODE.sub(hide, text))
    return re.sub("\0(\\d+)\0", lambda found: codes[int(found[1])], plain)


def _toctrees(text: str) -> str:
    """Return a table of contents for each section, in the order of the links in it."""
    trees = []
    for section in SECTION.finditer(text):
        names = [link for link in LINK.findall(section["body"]) if _is_page(link)]
        listed = "\n".join(dict.fromkeys(name.removesuffix(".md") for name in names))
        trees.append(
            "\n```{toctree}\n:hidden:\n"
            f":caption: {section['title']}\n\n{listed}\n```\n"
        )
    return "".join(trees)


def _is_page(link: str) -> bool:
    return link.endswith(".md") and "://" not in link


def _decisions(project: Path) -> str:
    names = sorted(path.stem for path in (project / DECISIONS).glob("*.md"))
    listed = "\n".join(names)
    return (
        "# Decisions\n\nEach says what was chosen, why, and what instead.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"
    )


def build(project: Path, out: Path) -> None:
    """Build the site in a folder, which must be empty or contain an earlier build.

    Raises :class:`BrokenLinkError`, or ``subprocess.CalledProcessError`` after Sphinx
    has printed its warnings.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pages"
        stage(project, folder)
        command = [sys.executable, "-m", "sphinx", "--builder", "html", "--quiet"]
        options = ["--fail-on-warning", "--keep-going", "--fresh-env"]
        subprocess.run(  # noqa: S603 - sphinx, with arguments of our own
            [*command, *options, "--conf-dir", str(CONFIGURATION), str(folder), out],
            check=True,
        )


class _Requests(HTMLParser):
    """Collects the addresses that a browser fetches when it loads a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            is_fetched = key in {"src", "srcset", "data", "poster"} or (
                tag == "link" and key == "href"
            )
            if is_fetched and value:
                self.found.append(value)


def foreign(out: Path) -> Iterator[str]:
    """Yield each address of another host that a page or style sheet would fetch."""
    for path in sorted(out.rglob("*.html")):
        parser = _Requests()
        parser.feed(path.read_text(encoding="utf-8"))
        for address in parser.found:
            if re.match(r"(?:[a-z]+:)?//", address):
                yield f"{path.relative_to(out)}: {address}"
    for path in sorted(out.rglob("*.css")):
        if FOREIGN.search(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(out)}: a style from another host"


def main(argv: Sequence[str] | None = None) -> int:
    """Build and check the site, and print a summary; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs.site")
    parser.add_argument("--out", type=Path, default=PROJECT / "build" / "docs")
    options = parser.parse_args(argv)
    blocks = blocks_of(PROJECT)
    if bare := unmarked(blocks):
        print(
            *(f"{block.place}: a code block without a mark" for block in bare), sep="\n"
        )
        return 1
    try:
        build(PROJECT, options.out)
    except BrokenLinkError as error:
        print(error)
        return 1
    except subprocess.CalledProcessError:
        return 1
    asked = list(foreign(options.out))
    print(*asked, sep="\n", end="\n" if asked else "")
    print(summary(blocks))
    print(f"built {options.out / 'index.html'}")
    return 1 if asked else 0


if __name__ == "__main__":
    sys.exit(main())
