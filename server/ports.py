"""Opening ports: the one for everybody, with TLS where wanted, and the operators'."""

from __future__ import annotations

import contextlib
import logging
import ssl
from pathlib import Path

from server.config import Config
from server.folder import CannotStart
from server.net.operations import Operations, listen_privately
from server.net.server import Door, listen

log = logging.getLogger("twogaps")

CLOSE_S = 2.0
"""How long sockets may take to close before they are cut."""

LOOPBACK = "127.0.0.1"


class Certificate:
    """A certificate and its key in files, which may be renewed while it serves."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        """Raises :class:`CannotStart` where the files cannot be used."""
        self._files = certificate, key
        try:
            self.context = self._loaded()
        except OSError as exc:  # ssl.SSLError is one
            raise CannotStart(
                f"The certificate cannot be used: {_why(exc)}. --tls-cert is the file "
                "of the certificate and those above it, --tls-key of its key (PEM)."
            ) from exc

    def reload(self) -> None:
        """Use the files as they are now for connections to come.

        Files that cannot be used are logged, and the old ones stay in use.
        """
        try:
            self._loaded()  # first into a context of its own: all or nothing
            self.context.load_cert_chain(*self._files)
        except OSError as exc:
            log.error("the certificate stays as it was: %s", _why(exc))
        else:
            log.info("the certificate was read again")

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self._files)
        return context


def certificate_of(config: Config) -> Certificate | None:
    """Return the certificate of the main port, where it speaks TLS."""
    if config.tls_cert is None:
        if config.tls_key is not None:
            raise CannotStart("--tls-key goes with --tls-cert.")
        return None
    return Certificate(config.tls_cert, config.tls_key)


async def open_main(
    stack: contextlib.AsyncExitStack,
    config: Config,
    door: Door,
    certificate: Certificate | None,
) -> int:
    """Open the main port; return its number. Raises :class:`CannotStart`."""
    context = certificate.context if certificate else None
    try:
        opened = await listen(door, config.host, config.port, context)
    except OSError as exc:
        raise CannotStart(
            f"Port {config.port} on {config.host} cannot be opened: "
            f"{exc.strerror or exc}. Choose another one with --port."
        ) from exc
    stack.push_async_callback(opened.close, CLOSE_S)
    return opened.number


async def open_inner(stack: contextlib.AsyncExitStack, door: Door) -> str:
    """Open a port without TLS for this machine alone; return its address.

    Practice players of the server itself come in by it: they have no reason to trust
    the certificate, which is not for 127.0.0.1.
    """
    opened = await listen(door, LOOPBACK, 0)
    stack.push_async_callback(opened.close, CLOSE_S)
    return f"http://{LOOPBACK}:{opened.number}"


async def open_private(
    stack: contextlib.AsyncExitStack, config: Config, operations: Operations
) -> int | None:
    """Open the operators' port, if one is wanted; return its number."""
    if config.metrics_port is None:
        return None
    host, port = config.metrics_host, config.metrics_port
    try:
        server = await listen_privately(operations, host, port)
    except OSError as exc:
        raise CannotStart(
            f"Port {port} on {host} cannot be opened: {exc.strerror or exc}. "
            "Choose another one with --metrics-port."
        ) from exc
    stack.callback(server.close)
    return int(next(iter(server.sockets)).getsockname()[1])


def reachable_here(host: str) -> str:
    """Return the address by which this machine reaches what listens on ``host``."""
    return LOOPBACK if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared


def _why(exc: OSError) -> str:
    return exc.strerror or str(exc)
