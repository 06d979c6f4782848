"""The prose linter: its rules, what it reads, what it finds, and its baseline."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.prose import plural
from tests.support.missing import SWITCH, need
from tools.prose import __main__ as check
from tools.prose import counts, passives, rules
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

NAME = "not-prose"


QUERY = "SELECT not prose FROM events"
WORDS = "amber brave calm clever copper coral cosy dapper eager early fern mild old"


def run(option: int = Option(help="How many to run.")) -> None:
    """Run it.

        print("code")
    """
    raise ValueError(f"{option} is too many to run")
'''


def test_a_page_holds_the_prose_of_python_on_its_own_lines() -> None:
    lines = page("server/run.py", MODULE).split("\n")
    assert lines[0:3] == ["A module.", "", "Of two paragraphs."]
    at = MODULE.split("\n").index('    """Run it.')
    assert lines[at - 1] == "- How many to run."
    assert lines[at : at + 3] == ["Run it.", "", '    print("code")']
    assert lines[at + 4] == "- x is too many to run"
    assert "not prose" not in "".join(lines)
    assert "amber" not in "".join(lines)


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
    expected = {"README.md", "server/app.py", "tests/tools/test_prose.py"}
    assert expected | {"client/web/src/i18n/en.ts"} <= set(files)
    assert "client/web/src/i18n/de.ts" not in files


def test_a_page_holds_the_docstrings_and_names_of_tests() -> None:
    source = (
        'def test_it_is_so() -> None:\n    """Because."""\n    assert "not this text"\n'
    )
    lines = page("tests/test_x.py", source).split("\n")
    assert [line for line in lines if line] == ["- test it is so", "Because."]


def test_a_page_holds_the_texts_of_a_case_on_their_own_lines() -> None:
    source = 'id = "x"\nstory = """\nIt ran \\\non.\n"""\n[truth]\nfix = "Stop it."\n'
    lines = page("scenarios/cases/x.toml", source).split("\n")
    assert [(i, line) for i, line in enumerate(lines) if line.strip()] == [
        (0, '"x"'),
        (2, "It ran "),
        (3, "on."),
        (6, '"Stop it."'),
    ]


def test_every_rule_catches_its_example_and_passes_the_other(tmp_path: Path) -> None:
    node = found_node()
    need(node, "Node.js 20.19 or later, with npm")
    need(TEXTLINT.is_file(), "textlint (python -m tools.prose --install)")
    assert node is not None
    listed = rules.load()
    assert len(listed) >= 60
    assert len({rule.pattern for rule in listed}) == len(listed)
    for number, rule in enumerate(listed):
        (tmp_path / f"catch{number}.md").write_text(f"{rule.catch}\n")
        (tmp_path / f"pass{number}.md").write_text(f"{rule.passes}\n")
    names = sorted(path.name for path in tmp_path.iterdir())
    found = findings(node, tmp_path, names)
    caught = {(each.path, each.what.partition(" => ")[2]) for each in found}
    for number, rule in enumerate(listed):
        assert (f"catch{number}.md", rule.instead) in caught, rule
        assert (f"pass{number}.md", rule.instead) not in caught, rule


def test_without_textlint_the_check_fails_if_every_part_is_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need(found_node(), "Node.js 20.19 or later, with npm")
    for switch, code in (("0", 0), ("1", 1)):
        monkeypatch.setenv(SWITCH, switch)
        assert check.main([], tmp_path / "absent.js") == code
        assert "The prose is not checked" in capsys.readouterr().out


def test_without_node_the_check_fails_if_every_part_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check, "found_node", lambda: None)
    for switch, code in (("0", 0), ("1", 1)):
        monkeypatch.setenv(SWITCH, switch)
        assert check.main([]) == code


def test_in_case_files_only_some_rules_apply(tmp_path: Path) -> None:
    node = found_node()
    need(node, "Node.js 20.19 or later, with npm")
    need(TEXTLINT.is_file(), "textlint (python -m tools.prose --install)")
    assert node is not None
    name = "scenarios/cases/x.toml"
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text('story = "She will mend it."\n')
    found = findings(node, tmp_path, [name])
    assert [each.what for each in found] == ["mend => fix"]


def test_all_text_but_old_cases_is_clean() -> None:
    """The baseline lists lines of case files alone."""
    node = found_node()
    need(node, "Node.js 20.19 or later, with npm")
    need(TEXTLINT.is_file(), "textlint (python -m tools.prose --install)")
    assert node is not None
    names = [name for name in checked_files(ROOT) if not name.endswith(".toml")]
    assert [str(each) for each in findings(node, ROOT, names)] == []


def test_passive_sentences_are_counted_without_code_tables_and_headings() -> None:
    text = (
        "# What is stored\n\nA vote is stored. It was quickly sent to the room.\n"
        "Players see it.\n\n- The room decides.\n\n| is | read |\n\n"
        "```sh\nis read here\n```\n"
    )
    assert passives.share(text) == (0.5, 4)
    assert passives.too_many(ROOT) == []


def test_a_revision_is_counted_from_its_archive(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    (tmp_path / "a.md").write_text("Do it at " + "once.\n")
    (tmp_path / "b.txt").write_text("Do it at " + "once.\n")
    git("add", ".")
    git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "x")
    (tmp_path / "a.md").write_text("Do it immediately.\n")
    assert counts.count_revision(tmp_path, "HEAD")["at once"] == 1
    assert counts.count(tmp_path, counts.tracked(tmp_path))["at once"] == 0


def test_habits_are_counted_in_text_and_names_over_the_end_of_a_line() -> None:
    found = {
        habit: len(pattern.findall(TEXT)) for habit, pattern in counts.HABITS.items()
    }
    assert {habit: n for habit, n in found.items() if n} == {
        "-body": 1,
        "at once": 1,
        "headless who": 1,
        "is no": 1,
    }


TEXT = (
    "def test_no" + "body_waits():\n    # Send it at\n    # once.\n"
    '    """Who ' + "sends wins. There is no rule, and this is " + 'no rule."""\n'
)


def test_rejected_words_and_long_sentences_are_found(tmp_path: Path) -> None:
    node = found_node()
    need(node, "Node.js 20.19 or later, with npm")
    need(TEXTLINT.is_file(), "textlint (python -m tools.prose --install)")
    assert node is not None
    (tmp_path / "a.md").write_text("Fine.\n\nAnybody shall `anew` go.\n")
    (tmp_path / "b.py").write_text(f'"""{"Word, " * 50}end."""\n')
    (tmp_path / "c.py").write_text('"""Fine."""\n\nX = """Anew."""\n')
    found = findings(node, tmp_path, ["a.md", "b.py", "c.py"])
    assert [(each.path, each.line) for each in found] == [
        ("a.md", 3),
        ("a.md", 3),
        ("b.py", 1),
    ]
    assert found[0].what.startswith("Anybody => ")


OLD = Finding("a.md", 3, "anew => again", "Do it anew.")


def test_a_line_that_is_moved_stays_old_and_an_edited_one_does_not() -> None:
    old = Counter([OLD.digest])
    moved = Finding("b.md", 9, OLD.what, OLD.text)
    edited = Finding("a.md", 3, OLD.what, "Do this anew.")
    assert new([moved], old) == []
    assert new([edited], old) == [edited]
    assert new([OLD, moved], old) == [moved]  # a second copy is new


def test_the_baseline_only_shrinks(tmp_path: Path) -> None:
    other = Finding("a.md", 4, OLD.what, "And anew.")
    path = tmp_path / "baseline.txt"
    write(path, Counter([OLD.digest, OLD.digest, "gone"]))
    left = shrunk([OLD, other], read(path))
    assert left == Counter([OLD.digest])


def test_a_number_and_its_noun_agree() -> None:
    assert [plural(n, "room") for n in (0, 1, 2)] == ["0 rooms", "1 room", "2 rooms"]
    assert plural(1, "entry", "entries") == "1 entry"
    assert plural(2, "entry", "entries") == "2 entries"


NOUNS = re.compile(r" ([a-z]+ )?([a-z]+[a-rt-z]s|people|entries)\b")


def counts_before_nouns(source: str) -> Iterator[int]:
    """Yield the lines of texts that put a length before a plural noun."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for value, rest in itertools.pairwise(node.values):
                match value, rest:
                    case (
                        ast.FormattedValue(value=ast.Call(func=ast.Name(id="len"))),
                        ast.Constant(value=str(text)),
                    ) if NOUNS.match(text):
                        yield value.lineno


def test_no_message_puts_a_length_before_a_plural_noun() -> None:
    assert list(counts_before_nouns('f"{len(rooms)} open rooms"')) == [1]
    assert list(counts_before_nouns("f\"{plural(len(rooms), 'room')} are open\"")) == []
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in ("server", "client", "scenarios", "twogaps")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in counts_before_nouns(path.read_text(encoding="utf-8"))
    ]
    assert found == []
