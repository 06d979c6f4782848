"""Opens the journal at an address. Only this module knows all adapters.

An address is either a data folder, which contains the journal as an SQLite file, or
a string:

| address | journal |
|---|---|
| ``sqlite:FILE`` | that SQLite file |
| ``postgresql://USER:PASSWORD@HOST/DATABASE`` | the tables in that database |
| ``memory:`` | nothing is kept |
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from server.folder import JOURNAL, CannotStart, lock
from server.journal.memory import MemoryStore
from server.journal.sqlite import SqliteStore
from server.journal.store import (
    BadAddress,
    Journal,
    JournalDamaged,
    NoJournal,
    StoreUnavailable,
)

Address = Path | str


def _postgres(rest: str) -> Journal:
    """Return a journal in PostgreSQL; its library is an extra.

    The library does not support the Windows proactor loop, which the server needs.
    """
    if sys.platform == "win32":
        raise BadAddress(
            "A journal in PostgreSQL needs Linux or macOS; on Windows, use a folder "
            "with --data"
        )
    try:
        from server.journal.postgres import PostgresStore
    except ImportError as exc:
        raise BadAddress(
            "A journal in PostgreSQL needs another package: "
            'python -m pip install "two-gaps[postgres]"'
        ) from exc
    return PostgresStore(f"postgresql:{rest}")


ADAPTERS: dict[str, Callable[[str], Journal]] = {
    "sqlite": lambda path: SqliteStore(Path(path)),
    "postgresql": _postgres,
    "memory": lambda _: MemoryStore(),
}
"""By scheme: a function that gets the text after the colon, and opens nothing yet."""


def journal_at(where: Address) -> Journal:
    """Return the journal at an address; nothing is opened or created yet.

    Raises :class:`BadAddress`. Must be called on a running event loop.
    """
    if isinstance(where, Path):
        return SqliteStore(where / JOURNAL)
    scheme, colon, rest = where.partition(":")
    if not colon or scheme not in ADAPTERS:
        known = ", ".join(f"{name}:" for name in ADAPTERS)
        raise BadAddress(
            f"'{shown(where)}' is not a journal. An address begins with {known}"
        )
    return ADAPTERS[scheme](rest)


def address_of(text: str) -> Address:
    """Return the address that a person typed: a folder if it has no known scheme."""
    return text if text.partition(":")[0] in ADAPTERS else Path(text)


def shown(where: Address) -> str:
    """Return an address as text for messages, without its password."""
    hidden = re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:***@", str(where))
    return re.sub(r"(?<=[?&]password=)[^&]*", "***", hidden)


def is_shared(where: Address | None) -> bool:
    """Whether several servers may use the journal at an address at the same time."""
    return isinstance(where, str) and where.startswith("postgresql:")


def folder_of(where: Address) -> Path | None:
    """Return the folder whose lock guards a journal; None if it has none."""
    if isinstance(where, Path):
        return where
    scheme, _, rest = where.partition(":")
    return Path(rest).parent if scheme == "sqlite" else None


@contextlib.asynccontextmanager
async def open_store(
    where: Address, *, must_exist: bool = False
) -> AsyncIterator[Journal]:
    """Open a journal until the block ends, even while a server is using it.

    Raises :class:`BadAddress`, and :class:`NoJournal` if it must exist and does not.
    """
    store = journal_at(where)
    try:
        if must_exist and not await store.exists():
            raise NoJournal(f"There is no journal in {shown(where)}")
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def open_journal(
    where: Address, folder: Path | None = None, *, must_exist: bool = False
) -> AsyncIterator[Journal]:
    """Open a journal, and the data folder beside it, for this process alone.

    ``folder`` is the data folder, if the journal is elsewhere. Raises
    :class:`CannotStart` if another server is using either of them, or if the journal
    cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        places = {place for place in (folder, folder_of(where)) if place is not None}
        for place in sorted(places):
            stack.enter_context(lock(place))
        async with contextlib.AsyncExitStack() as opened:
            try:
                opening = open_store(where, must_exist=must_exist)
                store = await opened.enter_async_context(opening)
                await store.check()
                await store.rooms()  # it must be possible to list them at all
            except StoreUnavailable as exc:
                raise CannotStart(_why_not(where, exc)) from exc
            yield store


def _why_not(where: Address, exc: StoreUnavailable) -> str:
    """Explain why a journal cannot be opened, and what to do."""
    place = shown(where)
    match exc:
        case BadAddress() | NoJournal():
            return f"{exc}. Choose another with --journal or --data."
        case JournalDamaged():
            return (
                f"The journal in {place} is damaged: {exc}. To recover every room "
                f"that can be read: twogaps journal salvage --data {place}. Nothing "
                "is overwritten. To use a backup: twogaps journal restore."
            )
        case _:
            return (
                f"The journal in {place} cannot be opened: {exc}. Check that the "
                "folder is writable and the disk is not full, or choose another one "
                "with --data."
            )
