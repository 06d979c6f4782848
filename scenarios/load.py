"""Reads cases and decks from folders of TOML files into a library.

A folder holds ``cases/*.toml`` and ``decks/*.toml``. A file that cannot be used becomes
a problem and never stops the others. Checks of wording and balance live in ``lint``.

A ``Shelf`` is the library as it is now: own folders are looked at again each time it
is asked for. Only files that changed are read again, and the built-in ones never: a
look costs one stat a file of an author's own. A file that cannot be used is left out,
and so is its last good version: an author has to see what a class would see.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from pydantic import ValidationError

from scenarios.library import Library, Problem, close_to
from scenarios.model import Case, Deck
from scenarios.validate import Item, explain, validate

BUILTIN = Path(__file__).parent
"""The folder of the cases and decks that come with the game."""


def read_file(model: type[Item], file: Path) -> Item | tuple[Problem, ...]:
    """Return the case or deck in a file, or everything that is wrong with it."""
    raw = _parse(file)
    if isinstance(raw, Problem):
        return (raw,)
    item = validate(model, raw)
    if isinstance(item, ValidationError):
        return tuple(explain(file, model, item))
    if item.id != file.stem:
        message = f"is '{item.id}' but the file is called '{file.name}'"
        remedy = f"write id = \"{file.stem}\" or rename the file to '{item.id}.toml'"
        return (Problem(file, "id", message, remedy),)
    return item


class Read(Protocol):
    """Reads one file, as :func:`read_file` does."""

    def __call__(self, model: type[Item], file: Path, /) -> Item | tuple[Problem, ...]:
        """Return the case or deck in a file, or everything that is wrong with it."""
        ...


def load_library(
    *folders: Path, builtin: bool = True, read: Read = read_file
) -> Library:
    """Read the built-in folder and then the others; the first file of an id wins."""
    every = (BUILTIN, *folders) if builtin else folders
    problems: list[Problem] = []
    for folder in every:
        problems += _check_folder(folder)
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
    )


def _check_folder(folder: Path) -> list[Problem]:
    if (folder / "cases").is_dir() or (folder / "decks").is_dir():
        return []
    message = "there is no such folder"
    if folder.is_dir():
        message = "the folder holds neither 'cases' nor 'decks'"
    remedy = "name a folder with cases/*.toml or decks/*.toml in it"
    return [Problem(folder, "the whole folder", message, remedy)]


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
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        return Problem(file, "the whole file", message, "check the file's permissions")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start})"
        return Problem(file, "the whole file", message, "save the file as UTF-8")
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits
        message = f"is not valid TOML: {error}"
        remedy = "fix the line named; text needs quotation marks"
        return Problem(file, "the whole file", message, remedy)


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
    """The built-in cases and decks, and those of other folders.

    ``is_quiet`` keeps what changes and what is left out from the log.
    """

    def __init__(self, *folders: Path, is_quiet: bool = False) -> None:
        self._folders = folders
        self._is_quiet = is_quiet
        self._read: dict[Path, tuple[Stamp, object]] = {}
        self._stamps = self._look()
        self._library = load_library(*folders, read=self._read_file)
        self._tell(())

    def current(self) -> Library:
        """Return the library, read again where a file has come, changed or gone."""
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
            counts = len(self._library.cases), len(self._library.decks)
            log.info("%d cases and %d decks", *counts)
        for problem in self._library.problems:
            if problem not in before:
                log.warning("left out: %s", problem)


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
