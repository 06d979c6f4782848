"""Reads cases and decks from folders of TOML files into a library.

A folder contains ``cases/*.toml`` and ``decks/*.toml``. A file that cannot be used is
reported as a problem and does not affect other files. Files that operating systems and
programs leave behind are recognized by name. Wording and balance are checked in
``lint``.

A ``Shelf`` keeps the library up to date: it checks an author's own folders each time
the library is requested. This costs one ``stat`` per file of the author's own. Only
files that have changed are read again; built-in files never are. A file that cannot be
used is left out, even if an earlier version was valid: authors have to see what a class
would see.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from pydantic import ValidationError

from scenarios.library import Library, Problem, close_to
from scenarios.model import Case, Deck
from scenarios.prose import plural
from scenarios.validate import Item, explain, name_of, validate

BUILTIN = Path(__file__).parent
"""The folder of the cases and decks that come with the game."""


def read_file(model: type[Item], file: Path) -> Item | tuple[Problem, ...]:
    """Return the case or deck in a file, or all problems with it."""
    raw = _parse(file)
    if isinstance(raw, Problem):
        return (raw,)
    item = validate(model, raw)
    if isinstance(item, ValidationError):
        return tuple(explain(file, model, item))
    return item if item.id == file.stem else (_misnamed(file, item.id),)


def _misnamed(file: Path, name: str) -> Problem:
    """Return the problem of a file that is not named after its ID, often a copy."""
    own = f"{name}.toml"
    message = f"is '{name}' but the file is called '{file.name}'"
    may_be_id = re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", file.stem)
    if file.with_name(own).exists():
        message += f", like a copy of '{own}'"
        remedy = "compare the two and delete one, or rename it and give it another id"
    elif may_be_id:
        remedy = f"write id = \"{file.stem}\" or rename the file to '{own}'"
    else:
        remedy = f"rename the file to '{own}'"
    return Problem(file, "id", message, remedy)


class Read(Protocol):
    """Reads one file, as :func:`read_file` does."""

    def __call__(self, model: type[Item], file: Path, /) -> Item | tuple[Problem, ...]:
        """Return the case or deck in a file, or all problems with it."""
        ...


def load_library(
    *folders: Path, builtin: bool = True, read: Read = read_file
) -> Library:
    """Read the built-in folder and then the others; the first file with an ID wins."""
    every = (BUILTIN, *folders) if builtin else folders
    problems: list[Problem] = []
    notes: list[Problem] = []
    for folder in every:
        problems += _check_folder(folder)
        for problem, is_case in _leftovers(folder):
            (problems if is_case else notes).append(problem)
    cases, case_files = _read_all(Case, every, "cases", read, problems)
    decks, deck_files = _read_all(Deck, every, "decks", read, problems)
    problems += _dangling_twins(cases, case_files)
    for problem in _unknown_cases(decks, deck_files, cases):
        problems.append(problem)
        decks.pop(problem.file.stem, None)
    decks = dict(sorted(decks.items(), key=lambda item: (item[1].place, item[0])))
    return Library(
        MappingProxyType(cases),
        MappingProxyType(decks),
        tuple(problems),
        MappingProxyType(case_files),
        MappingProxyType(deck_files),
        tuple(notes),
    )


def _check_folder(folder: Path) -> list[Problem]:
    if (folder / "cases").is_dir() or (folder / "decks").is_dir():
        return []
    message = "there is no such folder"
    if folder.is_dir():
        message = "the folder holds neither 'cases' nor 'decks'"
    remedy = "name a folder with cases/*.toml or decks/*.toml in it"
    return [Problem(folder, "the whole folder", message, remedy)]


_SYSTEM = (
    ".DS_Store", ".localized", "__MACOSX", "Thumbs.db", "ehthumbs.db", "desktop.ini",
    ".directory",
)  # fmt: skip
_SHEETS = (".xlsx", ".xls", ".ods", ".numbers", ".csv", ".tsv")


def _leftovers(folder: Path) -> Iterator[tuple[Problem, bool]]:
    """Yield each file that is not a case, and whether an author may think it is one."""
    for kind in ("cases", "decks"):
        for file in sorted((folder / kind).glob("*")):
            if (told := _left(file, folder)) is not None:
                is_case, message, remedy = told
                yield Problem(file, "the whole file", message, remedy), is_case


def _left(file: Path, folder: Path) -> tuple[bool, str, str] | None:
    """Return what a file is, judging by its name; None for case and unknown files.

    The tuple says whether an author may think it is a case, what it is, and the remedy.
    """
    name = file.name
    before, dot_toml, after = name.partition(".toml")
    if name.startswith("._"):
        message = f"is a file in which macOS keeps attributes of '{name[2:]}'"
        remedy = "delete it; on a Mac, dot_clean removes all of them from a folder"
        return bool(dot_toml), message, remedy
    if name in _SYSTEM:
        return False, "was left by the operating system and is not a case", "delete it"
    if name.startswith(("~$", ".~lock.")):
        message = "is the lock file of a program that has a file open"
        return False, message, "close that file there, or delete the lock file"
    if dot_toml and after:
        return _renamed(before, after)
    if file.suffix != ".toml" and file.suffix.lower() == ".toml":
        return True, "is not read, as its name ends in capitals", _rename(file.stem)
    if file.suffix.lower() in _SHEETS:
        remedy = f"import it: twogaps case import {name} --into {folder}"
        return False, "is a spreadsheet, not a case file", remedy
    if file.suffix != ".toml" and file.is_dir() and any(file.glob("*.toml")):
        remedy = "move them up, beside the others"
        return True, "is a folder, and the files in it are not read", remedy
    return None


def _renamed(before: str, after: str) -> tuple[bool, str, str]:
    """Return what a file is if its name continues after ``.toml``."""
    if after == ".icloud":
        message = "is in iCloud, and not on this machine"
        return True, message, "download it: open its folder in the Finder"
    if after == ".txt":
        message = "is not read, as its name ends in .toml.txt (Windows hides the .txt)"
        return True, message, _rename(before)
    message = "is not read: it looks like a backup or an unfinished download"
    return False, message, f"delete it, or {_rename(before)}"


def _rename(stem: str) -> str:
    return f"rename it to '{stem}.toml'"


def _read_all(
    model: type[Item],
    folders: tuple[Path, ...],
    kind: str,
    read: Read,
    problems: list[Problem],
) -> tuple[dict[str, Item], dict[str, Path]]:
    items: dict[str, Item] = {}
    files: dict[str, Path] = {}
    for folder in folders:
        for file in sorted((folder / kind).glob("*.toml")):
            if file.name.startswith("._"):
                continue
            item = read(model, file)
            if isinstance(item, tuple):
                problems += item
                continue
            if item.id in items:
                problems.append(_duplicate(file, item.id, files[item.id]))
                continue
            items[item.id], files[item.id] = item, file
    return items, files


def _parse(file: Path) -> dict[str, object] | Problem:
    text = ""
    try:
        raw = file.read_bytes()
        if not raw.strip(b"\0 \t\r\n"):
            remedy = "copy the file again, or delete it"
            return Problem(file, "the whole file", "is empty", remedy)
        text = raw.decode("utf-8-sig")
        return tomllib.loads(text)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        return Problem(file, "the whole file", message, "check the file's permissions")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start})"
        return Problem(file, "the whole file", message, "save the file as UTF-8")
    except (ValueError, RecursionError) as error:  # also for a number of 5,000 digits
        message = f"is not valid TOML: {error}"
        return Problem(file, "the whole file", message, _syntax(text, str(error)))


_ODD = re.compile("[“”„‟‘’«»\u00a0\u200b-\u200f\u2060\ufeff]")


def _syntax(text: str, message: str) -> str:
    """Return what to do about a line that is not valid TOML."""
    found = re.search(r"at line (\d+)", message)
    line = text.split("\n")[int(found[1]) - 1] if found else ""
    if (odd := _ODD.search(line)) is None:
        return "fix the line named; text needs quotation marks"
    what = "a straight quotation mark" if odd[0] in "“”„‟‘’«»" else "a plain space"
    return f"replace {name_of(odd[0])} with {what} in that line"


def _duplicate(file: Path, name: str, first: Path) -> Problem:
    remedy = "give this one another id and file name"
    return Problem(file, "id", f"'{name}' is already defined in {first}", remedy)


def _dangling_twins(cases: dict[str, Case], files: dict[str, Path]) -> list[Problem]:
    return [
        Problem(
            files[case.id],
            "twin",
            f"names '{case.twin}', which is not a case here",
            _instead(case.twin, cases, "remove the key, or add that case"),
        )
        for case in cases.values()
        if case.twin is not None and case.twin not in cases
    ]


def _unknown_cases(
    decks: dict[str, Deck], files: dict[str, Path], cases: dict[str, Case]
) -> list[Problem]:
    return [
        Problem(
            files[deck.id],
            key,
            f"names '{name}', which is not a case here",
            _instead(name, cases, "name an existing case, or fix its file"),
        )
        for deck in decks.values()
        for key, name in _named(deck)
        if name not in cases
    ]


def _named(deck: Deck) -> Iterator[tuple[str, str]]:
    for index, name in enumerate(deck.opening):
        yield f"opening[{index}]", name
    for index, item in enumerate(deck.rounds):
        yield f"rounds[{index}].case", item.case
        if item.contrast is not None:
            yield f"rounds[{index}].contrast", item.contrast
        if item.transfer is not None:
            yield f"rounds[{index}].transfer", item.transfer


def _instead(name: str, cases: dict[str, Case], otherwise: str) -> str:
    close = close_to(name, cases)
    return f"did you mean '{close[0]}'?" if close else otherwise


log = logging.getLogger("twogaps.cases")

Stamp = tuple[int, int, int]


class Shelf:
    """The built-in cases and decks, and those in other folders.

    If ``is_quiet``, changes and problems are not logged.
    """

    def __init__(self, *folders: Path, is_quiet: bool = False) -> None:
        self._folders = folders
        self._is_quiet = is_quiet
        self._read: dict[Path, tuple[Stamp, object]] = {}
        self._stamps = self._look()
        self._library = load_library(*folders, read=self._read_file)
        self._tell(())

    def current(self) -> Library:
        """Return the library, read again if a file was added, changed or removed."""
        stamps = self._look()
        if stamps != self._stamps:
            before = self._library.problems
            self._stamps = stamps
            self._library = load_library(*self._folders, read=self._read_file)
            self._tell(before)
        return self._library

    def _look(self) -> dict[Path, Stamp | None]:
        return {
            file: _stamp(file)
            for folder in self._folders
            for kind in ("cases", "decks")
            for file in (folder / kind, *(folder / kind).glob("*.toml"))
        }

    def _read_file(
        self, model: type[Item], file: Path, /
    ) -> Item | tuple[Problem, ...]:
        stamp = (0, 0, 0) if file.is_relative_to(BUILTIN) else _stamp(file)
        known = self._read.get(file)
        if known is not None and stamp is not None and known[0] == stamp:
            return known[1]  # type: ignore[return-value] # it was read as this model
        found = read_file(model, file)
        if stamp is not None:
            self._read[file] = (stamp, found)
        return found

    def _tell(self, before: tuple[Problem, ...]) -> None:
        if self._is_quiet:
            return
        if self._folders:
            cases = plural(len(self._library.cases), "case")
            log.info("%s and %s", cases, plural(len(self._library.decks), "deck"))
        for problem in self._library.problems:
            if problem not in before:
                log.warning("left out: %s", problem)


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
