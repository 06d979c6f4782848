"""``python -m tools.prose.reading``: have the project's prose judged in a blind test.

    python -m tools.prose.reading draw /tmp/reading --key /tmp/key.json --others FOLDER
    python -m tools.prose.reading score /tmp/key.json marks.*.txt

`draw` mixes current pages with pages from an earlier revision and with well-written
passages by others (text files in a folder). It numbers them and does not say where each
one is from. Readers write one line for each sentence that a native writer would not
have published: `NUMBER: the sentence | why`. `score` prints how many sentences of each
kind they marked. They should mark few in the current pages, few in those by others, and
many in the earlier pages; otherwise, the readers do not notice anything.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from scenarios.prose import plural
from tools.prose.counts import REVIEWED
from tools.prose.pages import QUOTING, page

ROOT = Path(__file__).parents[2]
SEED = 20
FILES = 6
WORDS = 300
"""Approximate number of words on a page."""

FEWEST = 120
"""Minimum number of words on a page; shorter ones make no sense on their own."""

QUOTAS = {
    "front": 5,
    "changelog": 3,
    "docs": 15,
    "reference": 3,
    "help": 3,
    "decision": 8,
    "program": 8,
}
"""How many current pages of each sort are drawn. The catalog is read in full."""

EARLIER_QUOTAS = {
    "front": 2,
    "changelog": 1,
    "docs": 4,
    "decision": 2,
    "program": 3,
    "catalogue": 3,
}

SORTS = (
    ("front", r"(README|SECURITY|CONTRIBUTING)\.md"),
    ("changelog", r"CHANGELOG\.md"),
    ("decision", r"docs/decisions/.*\.md"),
    ("help", r"docs/commands\.md"),
    ("reference", r"docs/(protocol|limits|settings|metrics|phases|roles)\.md"),
    ("docs", r"docs/.*\.md"),
    ("catalogue", r"client/web/src/i18n/en(\.\w+)?\.ts"),
    ("program", r"(server|client|scenarios|tools)/.*\.py"),
)
"""Sorts of pages, with a pattern for their paths; the first match counts."""

HEAD = """\
Numbered passages of technical documentation, program messages and interface texts, from
several projects and years, in random order. "x" is a value that is filled in, [code] a
block that was left out. Copy each sentence that a native writer would not publish as it
stands: it is not idiomatic, uses a wrong word, or must be read twice. If you hesitate,
leave it alone, and matters of taste as well. One line for each:
NUMBER: sentence | why
"""

_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4,}.*\n?)+", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_RULE = re.compile(r"^\|[-| :]+\|$", re.MULTILINE)
_END = re.compile(r"(?<=[.!?:])[\"')*_]*\s+")
_ITEM = re.compile(r"^ *(?:[-*]|\d+\.) ", re.MULTILINE)
_LIST = re.compile(r"\n(?=(?:[-*]|\d+\.) )")
_MARK = re.compile(r"\s*(\d+)\s*:\s*(.*\S)\s*")


class Origin(BaseModel):
    """The origin of a page, and its number of sentences."""

    kind: str
    """`today`, `catalogue`, `earlier` or `others`."""
    path: str
    sentences: int


KEY: TypeAdapter[dict[int, Origin]] = TypeAdapter(dict[int, Origin])


@dataclass(frozen=True, slots=True)
class Passage:
    """One page to read."""

    kind: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A sentence that a reader would not have published."""

    number: int
    sentence: str
    why: str


def pages_of(text: str) -> list[str]:
    """Split a text into pages of about `WORDS` words, at paragraph breaks."""
    found: list[str] = []
    held: list[str] = []
    for block in _blocks(prose(text)):
        is_next = block.startswith("#") and _words(held) >= FEWEST * 2
        if held and (is_next or _words(held) + _words([block]) > WORDS * 1.2):
            found.append("\n\n".join(held))
            held = []
        held.append(block.strip("\n"))
    if held and found and _words(held) < FEWEST:
        found[-1] = "\n\n".join([found[-1], *held])
    elif held:
        found.append("\n\n".join(held))
    return [each for each in found if _words([each]) >= FEWEST]


def _blocks(text: str) -> Iterator[str]:
    """Yield the paragraphs of a text, with long lists split into items."""
    for block in re.split(r"\n\s*\n", text):
        is_long = _words([block]) > WORDS / 2
        parts = _LIST.split(block) if is_long else [block]
        yield from (part for part in parts if part.strip())


def prose(text: str) -> str:
    """Return a Markdown text without its code blocks and comments."""
    plain = _RULE.sub("", _COMMENT.sub("", _FENCE.sub("[code]", text)))
    return _INDENTED.sub("[code]\n", plain)


def sentences(text: str) -> int:
    """Count sentences of at least three words on a page; a table row counts as one."""
    total = 0
    for block in re.split(r"\n\s*\n", _ITEM.sub("\n\n", text)):
        rows = [line for line in block.split("\n") if line.startswith("|")]
        rest = [line for line in block.split("\n") if not line.startswith(("|", "#"))]
        total += sum(len(row.replace("|", " ").split()) > 5 for row in rows)
        parts = _END.split(" ".join(rest))
        total += sum(len(part.split()) > 2 for part in parts)
    return total


def _words(blocks: Iterable[str]) -> int:
    return sum(len(block.split()) for block in blocks)


def passages(kind: str, files: dict[str, str]) -> dict[str, list[Passage]]:
    """Return the pages made from these files, grouped by sort."""
    found: dict[str, list[Passage]] = {sort: [] for sort, _ in SORTS}
    for path, source in sorted(files.items()):
        sort = _sort(path)
        if sort is None or path == QUOTING:
            continue
        text = _unreleased(source) if sort == "changelog" else page(path, source)
        if sort in {"catalogue", "program"}:
            lines = [line for line in text.split("\n") if line.strip()]
            text = "\n\n".join(_chunks(lines))
        of_file = kind if sort != "catalogue" or kind != "today" else sort
        found[sort] += [Passage(of_file, path, each) for each in pages_of(text)]
    return found


def _sort(path: str) -> str | None:
    return next((sort for sort, form in SORTS if re.fullmatch(form, path)), None)


def _unreleased(changes: str) -> str:
    return "\n## ".join(re.split(r"^## ", changes, flags=re.MULTILINE)[:2])


def _chunks(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines in blocks of about a quarter of a page."""
    held: list[str] = []
    for line in lines:
        held.append(line)
        if _words(held) >= WORDS / 4:
            yield "\n".join(held)
            held = []
    if held:
        yield "\n".join(held)


def draw(
    today: dict[str, str],
    earlier: dict[str, str],
    others: dict[str, str],
    seed: int = SEED,
) -> list[Passage]:
    """Return a random sample of pages to read, shuffled."""
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    now = passages("today", today)
    chosen = list(now["catalogue"])
    for kind, quotas in ((now, QUOTAS), (passages("earlier", earlier), EARLIER_QUOTAS)):
        for sort, many in quotas.items():
            chosen += chance.sample(kind[sort], min(many, len(kind[sort])))
    for path, text in sorted(others.items()):
        chosen.append(Passage("others", path, text.strip()))
    chance.shuffle(chosen)
    return chosen


def write(drawn: Sequence[Passage], folder: Path, key: Path) -> None:
    """Write the pages to files of similar length, and the key to a separate file."""
    folder.mkdir(parents=True, exist_ok=True)
    share = _words(each.text for each in drawn) / FILES
    texts: list[list[str]] = [[HEAD] for _ in range(FILES)]
    so_far = 0
    for number, each in enumerate(drawn, 1):
        into = min(FILES - 1, int(so_far / share))
        texts[into].append(f"=== {number} ===\n\n{each.text}\n")
        so_far += _words([each.text])
    for number, parts in enumerate(texts, 1):
        path = folder / f"pages.{number}.txt"
        path.write_text("\n".join(parts), encoding="utf-8")
    origins = {
        number: Origin(kind=each.kind, path=each.path, sentences=sentences(each.text))
        for number, each in enumerate(drawn, 1)
    }
    key.write_bytes(KEY.dump_json(origins, indent=1))


def read_marks(text: str) -> list[Mark]:
    """Return a reader's marks from lines such as `NUMBER: sentence | why`."""
    marks = []
    for line in text.splitlines():
        if found := _MARK.fullmatch(line):
            sentence, _, why = found[2].partition(" | ")
            marks.append(Mark(int(found[1]), sentence.strip(), why.strip()))
    return marks


def score(key: dict[int, Origin], marks: Sequence[Mark]) -> list[str]:
    """Return one line per kind, with the number of its sentences that are marked."""
    unknown = sorted({mark.number for mark in marks} - key.keys())
    if unknown:
        raise ValueError(f"No pages have these numbers: {unknown}")
    lines = []
    for kind in ("today", "catalogue", "earlier", "others"):
        total = sum(each.sentences for each in key.values() if each.kind == kind)
        marked = {(m.number, m.sentence) for m in marks if key[m.number].kind == kind}
        rate = f"1 in {total / len(marked):.0f}" if marked else "none"
        lines.append(
            f"{kind}: {len(marked)} of {plural(total, 'sentence')} marked, {rate}"
        )
    return lines


def files_of(root: Path, revision: str) -> dict[str, str]:
    """Return the text files of a revision, or of the working tree if it is ''."""
    listing = ["ls-tree", "-r", "--name-only", revision] if revision else ["ls-files"]
    names = [name for name in _git(root, *listing).split("\n") if _sort(name)]
    if revision:
        return {name: _git(root, "show", f"{revision}:{name}") for name in names}
    paths = {name: root / name for name in names}
    return {n: p.read_text(encoding="utf-8") for n, p in paths.items() if p.is_file()}


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - git, with arguments of our own
        ["git", *arguments],  # noqa: S607
        cwd=root,
        check=True,
        text=True,
        capture_output=True,
        encoding="utf-8",
    )
    return done.stdout


def main(argv: Sequence[str] | None = None) -> int:
    """Draw pages, or score the readers' marks; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.prose.reading")
    actions = parser.add_subparsers(dest="action", required=True)
    drawing = actions.add_parser("draw", help="write numbered pages, and a key apart")
    drawing.add_argument("into", type=Path)
    drawing.add_argument("--key", type=Path, required=True)
    drawing.add_argument("--others", type=Path, help="folder of texts by others")
    drawing.add_argument("--before", default=REVIEWED, help="the earlier revision")
    drawing.add_argument("--seed", type=int, default=SEED)
    scoring = actions.add_parser("score", help="how many sentences of each kind")
    scoring.add_argument("key", type=Path)
    scoring.add_argument("marks", type=Path, nargs="+")
    chosen = parser.parse_args(argv)
    if chosen.action == "draw":
        folder: Path | None = chosen.others
        texts = sorted(folder.glob("*.txt")) if folder else []
        others = {path.name: path.read_text(encoding="utf-8") for path in texts}
        today, earlier = files_of(ROOT, ""), files_of(ROOT, chosen.before)
        drawn = draw(today, earlier, others, chosen.seed)
        write(drawn, chosen.into, chosen.key)
        print(f"{plural(len(drawn), 'page')} in {chosen.into}, the key in {chosen.key}")
        return 0
    key = KEY.validate_json(chosen.key.read_bytes())
    every: list[Mark] = []
    for path in chosen.marks:
        marks = read_marks(path.read_text(encoding="utf-8"))
        every += marks
        print(path.name, *score(key, marks), sep="\n  ")
    print("all readers", *score(key, every), sep="\n  ")
    for mark in sorted(every, key=lambda each: each.number):
        if key[mark.number].kind in {"today", "catalogue"}:
            print(f"{key[mark.number].path}: {mark.sentence} | {mark.why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
