"""Commands are a noun and a verb; earlier names are translated and said on stderr."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from server.cli import COMMANDS, RENAMED, Command, renamed
from tests.support.cli import twogaps

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *(path for path in sorted((ROOT / "deploy").rglob("*")) if path.is_file()),
    ROOT / "Makefile",
]
NAMED = re.compile(
    r"(?<![-/.\w])(?<!replication )(?:\S*bin/)?"
    r"twogaps ([a-z]+)(?: ([a-z]+(?:-[a-z]+)*))?"
)


def verbs(command: Command) -> set[str]:
    """Return the verbs of a noun; empty for a command of one word."""
    loaded = command.load()
    if not isinstance(loaded, typer.Typer):
        return set()
    return {str(info.name) for info in loaded.registered_commands}


VERBS = {command.name: verbs(command) for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_lists_a_command_in_its_own_words(command: Command) -> None:
    loaded = command.load()
    own = loaded.info.help if isinstance(loaded, typer.Typer) else loaded.__doc__
    first = " ".join(str(own).split("\n\n")[0].split())
    assert command.about == first


@pytest.mark.parametrize("old", RENAMED, ids=" ".join)
def test_an_earlier_name_runs_and_says_its_new_name(
    old: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    words = renamed([*old, "--data", "x"])
    new = " ".join(RENAMED[old])
    assert words == [*RENAMED[old], "--data", "x"]
    assert f"is now 'twogaps {new}'" in capsys.readouterr().err
    assert twogaps(*RENAMED[old], "--help").exit_code == 0


def test_an_option_that_became_a_verb_may_be_anywhere_in_the_line() -> None:
    words = ["purge", "--yes", "--room", "ABCDEF", "--player", "Ann"]
    forget = ["room", "forget", "--yes", "ABCDEF", "--player", "Ann"]
    assert renamed(words) == forget
    assert renamed(["salvage", "--data", "x", "--check"]) == [
        "journal", "check", "--data", "x",
    ]  # fmt: skip
    assert renamed(["purge", "--yes"]) == ["journal", "purge", "--yes"]


def test_the_broker_without_a_verb_still_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert renamed(["broker", "--port", "1"]) == ["broker", "run", "--port", "1"]
    assert "is now 'twogaps broker run'" in capsys.readouterr().err
    assert renamed(["broker", "--help"]) == ["broker", "--help"]
    assert renamed(["broker", "add-site", "x"]) == ["broker", "add-site", "x"]
    assert capsys.readouterr().err == ""


def test_the_earlier_name_works_from_a_shell(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "twogaps", "rooms", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "'twogaps rooms' is now 'twogaps room list'" in done.stderr
    assert "There is no journal" in done.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_commands_of_today(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for noun, verb in NAMED.findall(text):
        if noun not in VERBS:
            pytest.fail(f"{path.name}: twogaps {noun} {verb}")
        if VERBS[noun] and verb and verb not in VERBS[noun]:
            pytest.fail(f"{path.name}: twogaps {noun} {verb}")
