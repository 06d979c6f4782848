"""The commands on stored rooms: reports in every format, and re-keying."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from pathlib import Path

import openpyxl
import pytest

from scenarios.load import load_library
from server.cli.play import play_demo
from server.journal.sqlite import SqliteStore
from server.report.exports import TEMPLATE
from tests.cli.test_cli import run
from tests.support.missing import need


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A journal with two rehearsals of one deck."""
    folder = tmp_path_factory.mktemp("journal")
    rooms = [
        asyncio.run(
            play_demo(12, seed, fast=True, deck="first-class", length=3, data=folder)
        )[0]
        for seed in (1, 2)
    ]
    return folder, rooms


def written(stored: tuple[Path, list[str]], *words: str) -> bytes:
    folder, _ = stored
    file = folder / "out"
    code, text = run(
        "room", "report", *words, "--data", str(folder), "--out", str(file)
    )
    assert code == 0, text
    return file.read_bytes()


def answers(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_every_format_is_written(stored: tuple[Path, list[str]]) -> None:
    need(TEMPLATE.is_file(), "the built pages (npm run build in client/web)")
    room = stored[1][0]
    page = written(stored, room).decode()
    assert page.startswith("<!doctype html>")
    assert room in page
    rows = list(
        csv.DictReader(io.StringIO(written(stored, room, "-f", "csv").decode()))
    )
    assert len({row["person"] for row in rows}) == 12
    data = json.loads(written(stored, room.lower(), "-f", "json"))
    assert data["report"]["room"]["code"] == room
    assert len(data["answers"]) == len(rows)
    book = openpyxl.load_workbook(io.BytesIO(written(stored, room, "-f", "xlsx")))
    assert len(list(book["Answers"].values)) == len(rows) + 1


def test_exports_cannot_be_joined_by_pseudonym(stored: tuple[Path, list[str]]) -> None:
    words = (stored[1][0], "-f", "json", "--no-reasons")
    people = [
        {row["person"] for row in json.loads(written(stored, *words))["answers"]}
        for _ in range(2)
    ]
    assert not people[0] & people[1]


def test_rooms_are_compared(stored: tuple[Path, list[str]]) -> None:
    found = json.loads(written(stored, *stored[1], "--match-names", "-f", "json"))
    assert len(found["across"]["rooms"]) == 2
    assert found["across"]["before_after"]["only_before"] == 12
    rows = csv.DictReader(
        io.StringIO(written(stored, *stored[1], "-f", "csv").decode())
    )
    assert {row["person"] for row in rows}


def test_for_others_has_no_answers(stored: tuple[Path, list[str]]) -> None:
    words = (stored[1][0], "-f", "json", "--for", "others")
    found = json.loads(written(stored, *words))
    assert found["answers"] == []
    assert found["report"]["audience"] == "others"


def test_a_running_server_is_not_disturbed(stored: tuple[Path, list[str]]) -> None:
    folder, (room, _) = stored

    async def read_beside() -> bytes:
        store = await SqliteStore.open(folder / "journal.sqlite")
        try:
            return await asyncio.to_thread(written, stored, room, "-f", "json")
        finally:
            await store.close()

    assert room.encode() in asyncio.run(read_beside())


def test_a_corrected_case_is_rescored(
    stored: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, (room, _) = stored
    journal = asyncio.run(_bodies(folder, room))
    data = ("--data", str(folder))
    code, text = run("room", "rescore", room, *data)
    assert code == 0
    assert "Nothing changes" in text
    cases = _turned(tmp_path, "coastrunners-lagoon")
    code, text = run("room", "rescore", room, *data, "--cases", str(cases))
    assert code == 0
    assert "outer → inner" in text
    assert "The points of" in text
    assert asyncio.run(_bodies(folder, room)) == journal
    words = (room, "-f", "json", "--rescored", "--cases", str(cases))
    found = json.loads(written(stored, *words))
    assert found["report"]["cases"][0]["verdict"] == "inner"


def _turned(folder: Path, case: str) -> Path:
    """Return a folder whose only case is one of ours with its verdict turned."""
    source = Path(load_library.__code__.co_filename).parent / "cases" / f"{case}.toml"
    text = source.read_text("utf-8")
    text, n = re.subn(
        r"\[truth\]\s*\nouter = true\s*\ninner = false",
        "[truth]\nouter = false\ninner = true",
        text,
    )
    assert n == 1
    (folder / "cases").mkdir()
    (folder / "cases" / source.name).write_text(text, "utf-8")
    return folder


async def _bodies(folder: Path, room: str) -> list[object]:
    store = await SqliteStore.open(folder / "journal.sqlite")
    try:
        return list(await store.load(room))  # type: ignore[arg-type] # a room code
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("room", "report", "AAAAAA"), 1, "There is no room AAAAAA"),
        (("room", "rescore", "AAAAAA"), 1, "There is no room AAAAAA"),
        (("room", "report", "AAAAAA", "--match-names"), 2, "two or more"),
        (("room", "report", "AAAAAA", "-f", "csv", "--for", "others"), 2, "others"),
    ],
)
def test_errors_say_what_is_wrong(
    stored: tuple[Path, list[str]], words: tuple[str, ...], code: int, says: str
) -> None:
    found, text = run(*words, "--data", str(stored[0]))
    assert found == code
    assert says in text


def test_no_journal_no_report(tmp_path: Path) -> None:
    code, text = run("room", "report", "AAAAAA", "--data", str(tmp_path))
    assert code == 1
    assert "There is no journal" in text


def test_several_rooms_do_not_fit_a_workbook(stored: tuple[Path, list[str]]) -> None:
    code, text = run(
        "room", "report", *stored[1], "-f", "xlsx", "--data", str(stored[0])
    )
    assert code == 1
    assert "one room" in text


@pytest.mark.parametrize("command", ["report", "rescore"])
def test_the_commands_explain_themselves(command: str) -> None:
    code, text = run("room", command, "--help")
    assert code == 0
    assert "journal" in text
