"""``python -m tools.prose``: check the project's prose with textlint.

    python -m tools.prose            # fails on findings in text that is not old
    python -m tools.prose --all      # shows the findings in old text too
    python -m tools.prose --shrink   # forgets old findings that are gone
    python -m tools.prose --install  # fetches the pinned packages with npm

Findings in old text of case files are listed in baseline.txt, as a digest of the rule
and the line. A line that is moved remains old, but an edited line does not. The list
can only become shorter. No findings are allowed in other text.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

import hatch_build
from scenarios.prose import plural
from tools.prose import passives
from tools.prose.pages import checked_files, is_case, page
from tools.prose.rules import LIST, SENTENCE_LENGTH, configure, load, reads_cases

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BASELINE = HERE / "baseline.txt"
TEXTLINT = HERE / "node_modules" / "textlint" / "bin" / "textlint.js"
REQUIRE_ALL = "TWOGAPS_REQUIRE_ALL"


class Message(BaseModel):
    """One finding, as textlint prints it."""

    ruleId: str  # noqa: N815 - textlint's name
    message: str
    line: int


class Checked(BaseModel):
    """The findings of one file, as textlint prints them."""

    filePath: str  # noqa: N815 - textlint's name
    messages: list[Message]


RESULTS: TypeAdapter[list[Checked]] = TypeAdapter(list[Checked])


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem with one line."""

    path: str
    line: int
    what: str
    text: str

    @property
    def digest(self) -> str:
        """Identifies a finding by its rule and the text of its line, not its place."""
        rule = SENTENCE_LENGTH if "sentence length" in self.what else self.what
        return hashlib.sha256(f"{rule}\0{self.text}".encode()).hexdigest()[:12]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def main(argv: Sequence[str] | None = None, textlint: Path = TEXTLINT) -> int:
    """Run the command given by the options; return the exit code.

    ``textlint`` is the program that must be installed.
    """
    options = _arguments(argv)
    if options.install:
        return install()
    node = found_node()
    if node is None:
        return _missing("Node.js 20.19 or later, with npm")
    if not textlint.is_file():
        return _missing("textlint (python -m tools.prose --install)")
    found = findings(node, ROOT, options.files or checked_files(ROOT))
    old = read(BASELINE)
    if options.shrink:
        return _shrink(found, old)
    shown = found if options.all else new(found, old)
    for finding in shown:
        print(finding)
    passive = [] if options.files else passives.too_many(ROOT)
    print(*passive, sep="\n", end="\n" if passive else "")
    if shown and not options.all:
        print(f"{plural(len(shown), 'finding')} in new or edited text: see {_rules()}")
    return 1 if (shown or passive) and not options.all else 0


def found_node() -> hatch_build.Node | None:
    """Return the system's Node or the one installed by pip, or None without either."""
    try:
        return hatch_build.installed_node() or hatch_build.wheel_node()
    except hatch_build.WebBuildError:
        return None


def install() -> int:
    """Install the packages pinned in package-lock.json, and Node if it is missing.

    Returns the exit code.
    """
    node = found_node()
    if node is None:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            hatch_build.NODE_WHEEL,
        ]
        subprocess.run(pip, check=False)  # noqa: S603 - pip, for a pinned package
        importlib.invalidate_caches()
        node = found_node()
    if node is None:
        return _missing("Node.js 20.19 or later, with npm")
    command = [*node.npm, "ci", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(  # noqa: S603 - npm, with arguments of our own
        command, cwd=HERE, check=False, env=environment(node), capture_output=True
    )
    if done.returncode:
        return _missing(
            "textlint, which npm could not fetch: is the registry reachable?"
        )
    return 0


def environment(node: hatch_build.Node) -> dict[str, str]:
    """Return the environment variables with which scripts find this Node."""
    path = os.pathsep.join([node.folder, os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path}


def findings(node: hatch_build.Node, root: Path, names: Iterable[str]) -> list[Finding]:
    """Return textlint's findings in the prose of these files, in their order."""
    sources = {name: (root / name).read_text(encoding="utf-8") for name in names}
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder).resolve()
        for name, source in sources.items():
            target = pages / f"{name}.md"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(page(name, source), encoding="utf-8")
        results = _lint(node, pages)
    rules = load()
    return sorted(
        Finding(
            name, message.line, _short(message.message), _line(sources[name], message)
        )
        for checked in results
        for name in [_name(checked.filePath, pages)]
        for message in checked.messages
        if not is_case(name) or reads_cases(_short(message.message), rules)
    )


def _lint(node: hatch_build.Node, pages: Path) -> list[Checked]:
    with tempfile.TemporaryDirectory() as folder:
        config = ["--config", str(configure(Path(folder), load()))]
        base = ["--rules-base-directory", str(HERE / "node_modules")]
        wanted = ["--format", "json", f"{pages}/**/*.md"]
        done = subprocess.run(  # noqa: S603 - textlint, with arguments of our own
            [node.node, str(TEXTLINT), *config, *base, *wanted],
            cwd=HERE,
            check=False,
            text=True,
            capture_output=True,
        )
    if done.returncode not in (0, 1):
        raise SystemExit(f"textlint failed:\n{done.stdout}{done.stderr}")
    return RESULTS.validate_json(done.stdout or "[]")


def _name(path: str, pages: Path) -> str:
    return Path(path).resolve().relative_to(pages).as_posix().removesuffix(".md")


def _short(message: str) -> str:
    return message.split("\n", 1)[0].partition(". Over ")[0]


def _line(source: str, message: Message) -> str:
    return source.split("\n")[message.line - 1].strip()


def new(found: Iterable[Finding], old: Counter[str]) -> list[Finding]:
    """Return the findings that exceed the number listed for them in the baseline."""
    left = old.copy()
    fresh = []
    for finding in found:
        if left[finding.digest] > 0:
            left[finding.digest] -= 1
        else:
            fresh.append(finding)
    return fresh


def shrunk(found: Iterable[Finding], old: Counter[str]) -> Counter[str]:
    """Return the baseline without findings that no longer occur. It never grows."""
    return old & Counter(finding.digest for finding in found)


def read(path: Path) -> Counter[str]:
    """Return the digests in a baseline, with the number of times each is listed."""
    return Counter(path.read_text(encoding="utf-8").split())


def write(path: Path, digests: Counter[str]) -> None:
    """Write a baseline, sorted, with one digest per line."""
    path.write_text("".join(f"{digest}\n" for digest in sorted(digests.elements())))


def _shrink(found: Sequence[Finding], old: Counter[str]) -> int:
    left = shrunk(found, old)
    write(BASELINE, left)
    print(f"{plural(old.total(), 'old finding')}, still there: {left.total()}")
    return 0


def _rules() -> str:
    return f"{LIST.relative_to(ROOT)}"


def _missing(what: str) -> int:
    print(f"The prose is not checked: that needs {what}.")
    return 1 if os.environ.get(REQUIRE_ALL) == "1" else 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.prose")
    parser.add_argument("--all", action="store_true", help="Show old findings too.")
    parser.add_argument("--shrink", action="store_true", help="Forget what is gone.")
    parser.add_argument("--install", action="store_true", help="Run npm ci.")
    parser.add_argument("files", nargs="*", help="Files, from the repository's root.")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
