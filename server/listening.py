"""Opens ports: the main one, with TLS if configured, and the operators' port."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from server.config import Config
from server.folder import CannotStart
from server.net.addresses import ANY, Addresses, url_of
from server.net.operations import Operations, listen_privately
from server.net.server import Door, listen

log = logging.getLogger("twogaps")

CLOSE_S = 2.0
"""Seconds that sockets have to close before they are aborted."""

LOOPBACK = "127.0.0.1"


class Certificate:
    """A certificate and its key in files, which may be renewed while in use."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        """Raises :class:`CannotStart` if the files cannot be used."""
        self._files = certificate, key
        try:
            self.context = self._loaded()
        except OSError as exc:  # ssl.SSLError is one
            raise CannotStart(
                f"The certificate cannot be used: {_why(exc)}. --tls-cert names the "
                "file with the certificate and those above it, --tls-key the file "
                "with its key (PEM)."
            ) from exc

    def reload(self) -> None:
        """Reload the files and use them for new connections.

        If they cannot be used, this is logged, and the old certificate stays in use.
        """
        try:
            self._loaded()  # try a separate context first, so it is all or nothing
            self.context.load_cert_chain(*self._files, password=_no_password)
        except OSError as exc:
            log.error("the certificate was not reloaded: %s", _why(exc))
        else:
            log.info("the certificate was reloaded")

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self._files, password=_no_password)
        return context


def _no_password() -> str:
    """Reject an encrypted key; OpenSSL would otherwise prompt for its password."""
    raise OSError(
        errno.EACCES,
        "the private key is encrypted. Write one without a password for the server: "
        "openssl pkey -in KEY -out PLAIN_KEY",
    )


def certificate_of(config: Config) -> Certificate | None:
    """Return the certificate of the main port, or None if it does not use TLS."""
    if config.tls_cert is None:
        if config.tls_key is not None:
            raise CannotStart("--tls-key needs --tls-cert.")
        return None
    return Certificate(config.tls_cert, config.tls_key)


@dataclass(frozen=True, slots=True)
class Bound:
    """Sockets that are bound but not listening yet, and their addresses."""

    main: socket.socket
    inner: socket.socket | None
    """If the main port uses TLS, a socket without TLS for this machine only. The
    server's own practice players use it, as the certificate is not for 127.0.0.1."""
    port: int
    addresses: Addresses
    """The addresses for players."""
    local_url: str
    """The URL at which this machine reaches the server."""
    staff_url: str
    """The URL for hosts and the admin: this machine's own or the public one."""
    inner_url: str
    """The URL for this server's practice players."""
    node_url: str
    """The URL at which other nodes in a fleet reach this machine."""


def bind_all(stack: AsyncExitStack, config: Config) -> Bound:
    """Bind the main port, so that its number is known before anything is served.

    Raises :class:`CannotStart`.
    """
    try:
        main = stack.enter_context(_bind(config.host, config.port))
    except socket.gaierror as exc:
        raise CannotStart(
            f"'{config.host}' is not an address of this machine ({exc.strerror}). "
            "Omit --host to listen on all of them."
        ) from exc
    except OSError as exc:
        raise CannotStart(
            f"Port {config.port} on {config.host} cannot be opened: "
            f"{exc.strerror or exc}. Choose another one with --port."
        ) from exc
    port = _number(main)
    tls = config.tls_cert is not None
    addresses = Addresses(config.host, port, config.public_urls, is_tls=tls)
    local_url = url_of("https" if tls else "http", reachable_here(config.host), port)
    inner = None
    if tls and config.bring_practice is not None:
        inner = stack.enter_context(_bind(LOOPBACK, 0))
    return Bound(
        main=main,
        inner=inner,
        port=port,
        addresses=addresses,
        local_url=local_url,
        staff_url=addresses.url if config.public_url else local_url,
        inner_url=f"http://{LOOPBACK}:{_number(inner)}" if inner else local_url,
        node_url=Addresses(config.host, port, is_tls=tls).url,
    )


async def open_main(
    stack: AsyncExitStack, bound: Bound, door: Door, certificate: Certificate | None
) -> None:
    """Start serving on the bound sockets."""
    context = certificate.context if certificate else None
    for sock, tls in ((bound.main, context), (bound.inner, None)):
        if sock is not None:
            opened = await listen(door, sock, tls)
            stack.push_async_callback(opened.close, CLOSE_S)


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to this address; on ``::`` it accepts IPv4 as well."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None,
        port,
        type=socket.SOCK_STREAM,
        flags=socket.AI_PASSIVE,
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "win32":  # otherwise, two programs could share the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6():
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def is_free(host: str, port: int) -> bool:
    """Whether a port can be opened, on this machine's own address as well.

    macOS can open a port on all addresses while another program uses it on 127.0.0.1.
    Links to this machine would then lead to that program.
    """
    try:
        for each in {host, reachable_here(host)}:
            _bind(each, port).close()
    except OSError:
        return False
    return True


def _number(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


async def open_private(
    stack: AsyncExitStack, config: Config, operations: Operations
) -> int | None:
    """Open the operators' port if one is configured; return its number."""
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
    """Return the address at which this machine reaches a socket bound to ``host``."""
    return LOOPBACK if host in ANY else host


def _why(exc: OSError) -> str:
    return exc.strerror or str(exc)
