"""Blind readings: pages of several origins, mixed, numbered, scored by their key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.prose import reading
from tools.prose.reading import KEY, Mark, Origin

PARAGRAPH = "The journal keeps every vote. " * 30


def sources(word: str) -> dict[str, str]:
    """Return a small project whose every page holds this word."""
    text = f"# {word}\n\n{PARAGRAPH}\n\n{word} is here.\n"
    return {
        "README.md": text,
        "docs/teaching.md": text,
        "client/web/src/i18n/en.ts": f'export const en = {{ a: "{word} it is" }};\n'
        + "".join(f'"Join the class {n} now",\n' for n in range(60)),
        "server/app.py": f'"""{word}.\n\n{PARAGRAPH}\n"""\n',
    }


def test_the_draw_is_seeded_and_mixes_all_kinds(tmp_path: Path) -> None:
    drawn = reading.draw(sources("new"), sources("old"), {"a.txt": "Native words."})
    again = reading.draw(sources("new"), sources("old"), {"a.txt": "Native words."})
    other = reading.draw(sources("new"), sources("old"), {"a.txt": "Native words."}, 1)
    assert drawn == again
    assert drawn != other
    kinds = {each.kind for each in drawn}
    assert kinds == {"today", "catalogue", "earlier", "others"}
    key = tmp_path / "key.json"
    reading.write(drawn, tmp_path / "into", key)
    origins = KEY.validate_json(key.read_bytes())
    assert list(origins) == list(range(1, len(drawn) + 1))
    text = "".join(p.read_text() for p in sorted((tmp_path / "into").glob("*.txt")))
    assert all(f"=== {number} ===" in text for number in origins)
    assert "README.md" not in text
    assert "earlier" not in text


def test_the_whole_catalogue_is_read() -> None:
    strings = "".join(f'"Sentence {n} of the pages.",\n' for n in range(400))
    drawn = reading.draw({"client/web/src/i18n/en.ts": strings}, {}, {})
    text = "\n".join(each.text for each in drawn)
    assert all(f"Sentence {n} of the pages." in text for n in range(400))


def test_a_page_has_about_three_hundred_words_even_in_a_long_list() -> None:
    items = "\n".join(f"- {'word ' * 40}" for _ in range(50))
    pages = reading.pages_of(f"# Changes\n\n{items}\n")
    assert len(pages) > 4
    assert max(len(each.split()) for each in pages) < 480


def test_code_and_comments_are_left_out() -> None:
    text = f"{PARAGRAPH}\n\n<!-- block: run -->\n\n```sh\ntwogaps play\n```\n"
    assert "twogaps" not in reading.prose(text)
    assert "block:" not in reading.prose(text)


def test_sentences_are_counted_in_prose_lists_and_tables() -> None:
    text = (
        "Two gaps exist. One is outer.\n\n- A first item here.\n- A second item here."
    )
    assert reading.sentences(text) == 4
    table = "| what | why |\n| a row of a table | has seven words in it |"
    assert reading.sentences(table) == 1


def test_marks_are_scored_by_kind_and_a_sentence_counts_once() -> None:
    key = {
        1: Origin(kind="today", path="README.md", sentences=60),
        2: Origin(kind="earlier", path="README.md", sentences=20),
    }
    marks = reading.read_marks(
        "1: It stands there. | stiff\n2: Say whom. | odd\n2: Say whom. | stiff\n"
        "not a mark\n2: That was it.\n"
    )
    assert marks[0] == Mark(1, "It stands there.", "stiff")
    lines = reading.score(key, marks)
    assert lines[0] == "today: 1 of 60 sentences marked, 1 in 60"
    assert lines[2] == "earlier: 2 of 20 sentences marked, 1 in 10"
    assert lines[3] == "others: 0 of 0 sentences marked, none"
    with pytest.raises(ValueError, match="No pages have these numbers"):
        reading.score(key, [Mark(9, "x", "y")])


def test_a_command_draws_and_another_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "files_of", lambda _, revision: sources(revision))
    key, into = tmp_path / "key.json", tmp_path / "into"
    assert reading.main(["draw", str(into), "--key", str(key)]) == 0
    number = next(
        n for n, o in KEY.validate_json(key.read_bytes()).items() if o.kind == "today"
    )
    marks = tmp_path / "marks.txt"
    marks.write_text(f"{number}: It is so. | stiff\n")
    assert reading.main(["score", str(key), str(marks)]) == 0
    assert "It is so. | stiff" in capsys.readouterr().out
