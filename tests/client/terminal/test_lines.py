"""Lines come in order, one ahead at most, and a wait for one may be given up."""

from __future__ import annotations

import asyncio
import os
from io import StringIO

import pytest

from client.terminal.forms import Lines


async def test_lines_come_in_order_and_then_none() -> None:
    lines = Lines(StringIO("one\n\n  three  \nlast"))
    taken = [await lines.next() for _ in range(5)]
    assert taken == ["one", "", "three", "last", None]
    assert not lines.is_typed


async def test_the_loop_keeps_running_without_input() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as stream, os.fdopen(writer, "w") as keyboard:
        lines = Lines(stream)
        waiting = asyncio.create_task(lines.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        keyboard.write("typed\n")
        keyboard.flush()
        async with asyncio.timeout(5):
            assert await waiting == "typed"


async def test_a_line_that_was_waited_for_is_not_lost() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as stream, os.fdopen(writer, "w") as keyboard:
        lines = Lines(stream)
        waiting = asyncio.create_task(lines.next())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        keyboard.write("first\nsecond\n")
        keyboard.flush()
        async with asyncio.timeout(5):
            assert [await lines.next(), await lines.next()] == ["first", "second"]
