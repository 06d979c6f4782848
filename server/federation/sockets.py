"""How sockets to the broker are made and watched, on every system."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

WATCHING = ("add_reader", "remove_reader", "add_writer", "remove_writer")
"""What a loop needs for aiomqtt, which leaves sockets to the MQTT library."""


def watch_sockets(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop watch sockets by a thread if it cannot itself. Idempotent.

    The proactor loop is the default on Windows, and the only one there that starts
    programs and waits for more than 512 sockets. It watches no socket for its user, so
    Tornado's thread does, and calls back on the loop.
    """
    if type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader:
        return
    if "add_reader" in vars(loop):
        return
    from tornado.platform.asyncio import SelectorThread

    thread = SelectorThread(loop)  # ends with the loop's asynchronous generators
    for name in WATCHING:
        setattr(loop, name, getattr(thread, name))


def options(unanswered_s: int) -> list[tuple[int, int, int]]:
    """Return socket options: send without delay, and notice unanswered packets.

    Sending without delay saves 40 ms. ``unanswered_s`` is how long, in seconds, a
    packet may stay unanswered.
    """
    found = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        found.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unanswered_s * 1000))
    return found


def trusting(authority: Path | None) -> ssl.SSLContext:
    """Return TLS that trusts an authority (PEM), or those that the system trusts.

    Raises OSError, of which ssl.SSLError is one, if the file cannot be used.
    """
    return ssl.create_default_context(cafile=authority)
