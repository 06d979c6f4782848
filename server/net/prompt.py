"""Messages that are handled the moment they arrive, without waking a task for each.

The library puts every message into a queue and wakes the task that reads it, which
costs about as much as deciding a vote. Where nothing is queued before a message, its
order is kept also when it is handled at once. Whoever takes messages here may decline
any of them: it then goes the usual way, and so does all that comes until the queue has
been read to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.frames import DATA_OPCODES, Frame, Opcode

from server.net.direct import DirectConnection


class PromptConnection(DirectConnection):
    """A connection of the library whose messages may be taken at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.take: Callable[[str], bool] | None = None
        """Takes a message of text, or returns False where it has to be queued."""
        self.unread = 0
        """Messages that were queued and have not been dealt with: whoever reads the
        queue counts this down."""

    def process_event(self, event: Any) -> None:
        """Take a message, or let the library queue it."""
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES and event.fin:
            if not self.unread and event.opcode is Opcode.TEXT and self._taken(event):
                return
            self.unread += 1
        super().process_event(event)

    def _taken(self, frame: Frame) -> bool:
        if self.take is None:
            return False
        try:
            text = bytes(frame.data).decode()
        except UnicodeDecodeError:
            return False  # the library closes for that, with the right code
        return self.take(text)
