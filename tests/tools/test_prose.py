"""The prose linter: what it reads, what it finds, and that its baseline shrinks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.support.missing import need
from tools.prose.__main__ import (
    TEXTLINT,
    Finding,
    findings,
    found_node,
    new,
    read,
    shrunk,
    write,
)
from tools.prose.pages import checked_files, page

ROOT = Path(__file__).parents[2]

MODULE = '''"""A module.

Of two paragraphs.
"""

NAME = "not prose at all"


def run(option: int = Option(help="How many to run.")) -> None:
    """Run it.

        print("code")
    """
    raise ValueError(f"{option} is too many to run")
'''


def test_a_page_holds_the_prose_of_python_on_its_own_lines() -> None:
    lines = page("server/run.py", MODULE).split("\n")
    assert lines[0:3] == ["A module.", "", "Of two paragraphs."]
    assert lines[8] == "- How many to run."
    assert lines[9:12] == ["Run it.", "", '    print("code")']
    assert lines[13] == "- x is too many to run"
    assert "not prose" not in "".join(lines)


def test_a_page_holds_the_strings_of_a_catalogue_on_their_own_lines() -> None:
    source = """// Not this comment.
export const en = {
  join: "Join the class",
  key: "name",
// Nor this one.
  left: (n: number) => `${n === 1 ? "One" : n} of them
    left early`,
};
"""
    lines = page("client/web/src/i18n/en.ts", source).split("\n")
    assert [line for line in lines if line] == [
        "- Join the class",
        "- x of them left early",
    ]
    assert lines[2] == "- Join the class"
    assert lines[5] == "- x of them left early"


def test_documents_docstrings_and_catalogues_are_checked() -> None:
    files = checked_files(ROOT)
    assert {"README.md", "server/app.py", "client/web/src/i18n/en.ts"} <= set(files)
    assert not {"docs/protocol.md", "client/web/src/i18n/de.ts"} & set(files)


def test_rejected_words_and_long_sentences_are_found(tmp_path: Path) -> None:
    node = found_node()
    need(node, "Node.js 20.19 or later, with npm")
    need(TEXTLINT.is_file(), "textlint (python -m tools.prose --install)")
    assert node is not None
    (tmp_path / "a.md").write_text("Fine.\n\nNobody mends `at once` it.\n")
    (tmp_path / "b.py").write_text(f'"""{"Word, " * 50}end."""\n')
    (tmp_path / "c.py").write_text('"""Fine."""\n\nX = """At once."""\n')
    found = findings(node, tmp_path, ["a.md", "b.py", "c.py"])
    assert [(each.path, each.line) for each in found] == [
        ("a.md", 3),
        ("a.md", 3),
        ("b.py", 1),
    ]
    assert found[0].what.startswith("Nobody => ")


OLD = Finding("a.md", 3, "at once => immediately", "Do it at once.")


def test_a_line_that_is_moved_stays_old_and_an_edited_one_does_not() -> None:
    old = Counter([OLD.digest])
    moved = Finding("b.md", 9, OLD.what, OLD.text)
    edited = Finding("a.md", 3, OLD.what, "Do this at once.")
    assert new([moved], old) == []
    assert new([edited], old) == [edited]
    assert new([OLD, moved], old) == [moved]  # a second copy is new


def test_the_baseline_only_shrinks(tmp_path: Path) -> None:
    other = Finding("a.md", 4, OLD.what, "And at once.")
    path = tmp_path / "baseline.txt"
    write(path, Counter([OLD.digest, OLD.digest, "gone"]))
    left = shrunk([OLD, other], read(path))
    assert left == Counter([OLD.digest])
