"""Own folders are read again when they change, and the good ones stay."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios import load as module
from scenarios.load import BUILTIN, Shelf, read_file

Write = Callable[..., Path]


def later(file: Path) -> None:
    """Let a change show in the file's time, however fast the test is."""
    found = file.stat()
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000_000))


def test_a_new_a_changed_and_a_removed_case_are_seen(
    folder: Path, write_case: Write
) -> None:
    shelf = Shelf(folder)
    before = shelf.current()
    assert before is shelf.current()
    file = write_case("fresh")
    assert shelf.current().case("fresh").title == "A small tale"
    later(write_case("fresh", ("A small tale", "A greater tale")))
    assert shelf.current().case("fresh").title == "A greater tale"
    file.unlink()
    assert "fresh" not in shelf.current().cases
    assert "good" in shelf.current().cases
    assert len(shelf.current().cases) == len(before.cases)


def test_a_broken_case_is_left_out_and_comes_back_when_fixed(
    folder: Path, write_case: Write, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf(folder)
    with caplog.at_level(logging.WARNING):
        later(write_case("good", ("level = 1", "level = 9")))
        broken = shelf.current()
        shelf.current()
    assert "good" not in broken.cases
    assert {problem.key for problem in broken.problems} == {"level", "rounds[0].case"}
    assert "fine" not in broken.decks
    told = [record.message for record in caplog.records]
    assert len(told) == 2
    assert "good.toml: level" in told[0]
    later(write_case("good", ("level = 1", "level = 2")))
    assert shelf.current().case("good").level == 2
    assert shelf.current().problems == ()
    assert "fine" in shelf.current().decks


def test_a_folder_may_come_later(tmp_path: Path, folder: Path) -> None:
    late = tmp_path / "late"
    shelf = Shelf(late)
    assert shelf.current().problems[0].message == "there is no such folder"
    (late / "cases").mkdir(parents=True)
    good = (folder / "cases" / "good.toml").read_bytes()
    (late / "cases" / "good.toml").write_bytes(good)
    assert "good" in shelf.current().cases


def test_only_what_changed_is_read_again(
    folder: Path, write_case: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(folder)
    seen: list[Path] = []

    def counting(model: type, file: Path) -> object:
        seen.append(file)
        return read_file(model, file)

    monkeypatch.setattr(module, "read_file", counting)
    file = write_case("fresh")
    shelf.current()
    assert seen == [file]
    assert not any(each.is_relative_to(BUILTIN) for each in seen)
