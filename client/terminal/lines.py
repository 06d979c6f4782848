"""Lines from the keyboard or a pipe, read beside the loop, never in it.

A daemon thread waits for them, because no event loop can wait for a terminal, a pipe
and a file on every system. A thread of the loop's own pool would delay the end of the
program until a person presses Enter.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import suppress
from typing import TextIO


class Lines:
    """The lines of a stream, in order; one is read ahead at most."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdin
        self._wanted = threading.Semaphore(0)
        self._came: asyncio.Queue[str | None] = asyncio.Queue(1)
        self._is_asked = False
        self._thread: threading.Thread | None = None

    @property
    def is_typed(self) -> bool:
        """Whether the lines are typed at a keyboard."""
        return self._stream.isatty()

    async def next(self) -> str | None:
        """Return the next line, stripped; None when there will be no more.

        May be cancelled: the line that was waited for goes to the next call.
        """
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(
                target=self._read, args=(loop,), name="lines", daemon=True
            )
            self._thread.start()
        if not self._is_asked:
            self._is_asked = True
            self._wanted.release()
        line = await self._came.get()
        self._is_asked = False
        return line

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            self._wanted.acquire()
            line = self._stream.readline()
            said = line.strip() if line else None
            with suppress(RuntimeError):  # the loop is closed: nothing reads any more
                loop.call_soon_threadsafe(self._came.put_nowait, said)
            if said is None:
                return
