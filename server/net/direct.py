"""Connections that know at any moment whether their socket may be written to directly.

To ask a connection before each message whether it is open, idle and not backed up costs
more than it sounds: with thousands of them, every question is for memory that is in no
cache. The answer changes seldom, and only when one of a few things happens; here it is
worked out then, and told to whoever wants to know.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

NO_FILE = -1


class DirectConnection(ServerConnection):
    """A connection of the library that tells when its socket is free."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file = NO_FILE
        """The socket's descriptor, if what is written there goes out as it is: not
        through TLS, and not on an event loop that keeps its own account of it. It is
        valid until the connection is lost."""
        self.is_free = False
        """A whole frame may be written now: the connection is open, nothing is unsent,
        no message is going out in fragments, and no extension changes messages."""
        self.on_free: Callable[[], None] | None = None
        """Called whenever :attr:`is_free` has changed."""
        self._is_backed_up = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be told from now on of every byte that has to wait."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)
        self.file = _file_of(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The descriptor will be somebody else's: let go of it first."""
        self.file = NO_FILE
        self._set_free(False)
        self.on_free = None  # whoever was told holds this: no circle is left behind
        super().connection_lost(exc)

    def send_data(self) -> None:
        """Send what the library has to send; its state changes with that."""
        super().send_data()
        self._look()

    def pause_writing(self) -> None:
        """Something has to wait in the transport.

        The library is not told: it would hold back its pings, by which it notices that
        a client is gone, and sends nothing else here that could pile up.
        """
        self._is_backed_up = True
        self._look()

    def resume_writing(self) -> None:
        """Everything has gone out."""
        self._is_backed_up = False
        self._look()

    def _look(self) -> None:
        protocol = self.protocol
        self._set_free(
            protocol.state is State.OPEN
            and not self._is_backed_up
            and not protocol.expect_continuation_frame
            and not protocol.extensions
        )

    def _set_free(self, is_free: bool) -> None:
        if is_free is not self.is_free:
            self.is_free = is_free
            if self.on_free is not None:
                self.on_free()


def _file_of(transport: asyncio.Transport) -> int:
    """Return the descriptor of a plain socket, else ``NO_FILE``."""
    is_plain = (
        os.name == "posix"
        and isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop)
        and transport.get_extra_info("sslcontext") is None
    )
    socket = transport.get_extra_info("socket") if is_plain else None
    return NO_FILE if socket is None else socket.fileno()
