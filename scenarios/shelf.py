"""The library as it is now: own folders are looked at again each time it is asked for.

Only files that changed are read again, and the built-in ones never: a look costs one
stat a file of an author's own. A file that cannot be used is left out, and what the
library had of it before is gone: an author has to see what a class would see.
"""

from __future__ import annotations

import logging
from pathlib import Path

from scenarios.library import Library, Problem
from scenarios.load import BUILTIN, load_library, read_file
from scenarios.validate import Item

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
