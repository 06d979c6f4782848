"""A plain console of 80 columns, and the keyboard in front of it."""

from __future__ import annotations

import asyncio
from io import StringIO

from rich.console import Console

from client.terminal.forms import Lines


class _Watched(StringIO):
    """A file that tells when it is written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, text: str) -> int:
        """Write, and tell."""
        self.written.set()
        return super().write(text)


class Sheet:
    """A console without color whose text can be read."""

    def __init__(self) -> None:
        self._file = _Watched()
        self.console = Console(file=self._file, width=80, color_system=None)

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return self._file.getvalue()

    async def shows(self, text: str) -> None:
        """Wait until a text has been printed."""
        while text not in self.text:
            self._file.written.clear()
            await self._file.written.wait()


class Typed(Lines):
    """A keyboard on which a test types when it wants to."""

    def __init__(self) -> None:
        super().__init__(StringIO())
        self._keys: asyncio.Queue[str] = asyncio.Queue(1)

    @property
    def is_typed(self) -> bool:
        """A person sits here."""
        return True

    async def next(self) -> str | None:
        """Return what was typed."""
        return await self._keys.get()

    async def type(self, line: str) -> None:
        """Type a line."""
        await self._keys.put(line)
