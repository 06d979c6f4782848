"""Blind copy-editing: passages tell nothing of their origin; marks are counted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from scenarios.toml_text import case_text
from tests.support.library import LIBRARY
from tools.copyedit import (
    KINDS,
    NATIVE,
    NEW,
    OLD,
    choose,
    old_texts,
    present_texts,
    rates,
    read_marks,
    sentences,
    write_passages,
)
from tools.copyedit.__main__ import main

TODAY = present_texts(LIBRARY)
BEFORE = {name: f"Before. {text}" for name, text in TODAY.items()}
PROSE = {f"{number:02}": f"Prose {number}. It ends." for number in range(30)}


def test_a_draw_holds_each_kind_and_no_case_in_two_versions() -> None:
    passages = choose(TODAY, BEFORE, PROSE, seed=1)
    counts = {kind: sum(p.kind == kind for p in passages) for kind in KINDS}
    assert counts == {"new": NEW, "old": OLD, "native": NATIVE}
    assert len({each.name for each in passages}) == len(passages)
    assert passages == choose(TODAY, BEFORE, PROSE, seed=1)
    assert passages != choose(TODAY, BEFORE, PROSE, seed=2)
    with pytest.raises(ValueError, match="3 native texts are too few"):
        choose(TODAY, BEFORE, dict(list(PROSE.items())[:3]), seed=1)


def test_files_tell_nothing_but_numbers_and_text(tmp_path: Path) -> None:
    passages = choose(TODAY, BEFORE, PROSE, seed=1)
    key = tmp_path / "key.json"
    write_passages(passages, tmp_path / "read", key)
    files = sorted((tmp_path / "read").glob("passages*.txt"))
    text = "\n".join(each.read_text(encoding="utf-8") for each in files)
    assert len(files) == 4
    assert [text.count(f"## {n}\n") for n in range(1, 81)] == [1] * 80
    assert all(each.text in text for each in passages)
    told = json.loads(key.read_text(encoding="utf-8"))
    assert told["1"][:2] == [passages[0].kind, passages[0].name]
    assert all(n > 0 for _, _, n in told.values())


def test_sentences_end_with_a_stop_and_not_with_a_title() -> None:
    assert sentences('He left. "Why?" she asked. Dr. J. Doe of St. Paul knew.') == 4
    assert sentences("It cost 4.45 dollars, and 1,000 came") == 0


def test_old_versions_come_from_the_history(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    boat = LIBRARY.case("coastrunners-lagoon")
    folder = tmp_path / "scenarios" / "cases"
    folder.mkdir(parents=True)
    git("init", "-q")
    before = boat.model_copy(update={"story": "It sailed."})
    for case, name in ((before, "before"), (boat, "after")):
        text = case_text(case)
        (folder / f"{boat.id}.toml").write_text(text, encoding="utf-8")
        git("add", "-A")
        git("commit", "-q", "-m", name)
    assert old_texts(tmp_path, "HEAD")[boat.id] == TODAY[boat.id]
    assert old_texts(tmp_path, "HEAD^")[boat.id].startswith("It sailed.\n\n")
    with pytest.raises(ValueError, match="nowhere"):
        old_texts(tmp_path, "nowhere")


def test_marks_are_counted_by_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, marks = tmp_path / "key.json", tmp_path / "marks.txt"
    told = {"1": ["new", "a", 10], "2": ["old", "b", 5], "3": ["native", "c", 2]}
    key.write_text(json.dumps(told), encoding="utf-8")
    lines = ["# mine", '1: "It" - odd', "2: x", "2: y", "", "3 is fine"]
    marks.write_text("\n".join(lines), encoding="utf-8")
    assert read_marks(lines) == {1: 1, 2: 2}
    parsed = {1: ("new", "a", 10), 2: ("old", "b", 5)}
    assert rates(parsed, {1: 1, 2: 9}) == {
        "new": (1, 10), "old": (5, 5), "native": (0, 0)
    }  # fmt: skip
    assert main(["score", str(key), str(marks)]) == 0
    printed = capsys.readouterr().out
    assert "new: 1 of 10 sentences marked, one in 10.0" in printed
    assert "native: 0 of 2 sentences marked\n" in printed
    assert main(["score", str(tmp_path / "none.json"), str(marks)]) == 1
