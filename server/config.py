"""The settings of a server, independent of the objects built from them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from server.folder import CannotStart
from server.game.names import WordList
from server.journal.store import Journal
from server.net.addresses import web_origin
from server.net.admin import BringPractice
from server.net.limits import Limits
from server.net.operations import LOW_BYTES
from server.supervision import Restarts

MAX_PORT = 65535
SITE_NAME = r"[a-z0-9][a-z0-9-]{0,31}"
LEASE_LEAST_S, LEASE_MOST_S = 1.0, 300.0
"""The shortest and longest lease. A shorter one could expire while a busy machine
pauses."""


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of a server, filled in from the command line."""

    host: str = "127.0.0.1"
    port: int = 8000
    """The main port; 0 lets the system choose one."""
    data: Path | None = None
    """The folder that contains the journal; None keeps everything in memory."""
    journal: str | None = None
    """The URL of the journal, if it is not in ``data``."""
    cases: tuple[Path, ...] = ()
    """Folders with cases and decks in addition to the built-in ones."""
    public_url: str | None = None
    """The URL for players, if it is not this machine's own. May be several, separated
    by commas, that all lead to this server or its fleet."""
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    """Addresses or networks of trusted proxies on other machines."""
    tls_cert: Path | None = None
    """The file with the certificate and its intermediate certificates (PEM). If given,
    the main port uses TLS."""
    tls_key: Path | None = None
    """The file with the private key (PEM); None if the key is in ``tls_cert``."""
    is_open: bool = False
    """Whether anyone may open rooms without the admin key."""
    broker: str | None = None
    """The URL of an MQTT broker, or of several in one cluster. If given, this node
    shares its games with other nodes."""
    broker_ca: Path | None = None
    """The file with the certificate of the broker's CA (PEM)."""
    site: str | None = None
    """This node's name among the others."""
    node_url: str | None = None
    """The URL at which other nodes in the fleet reach this one, if not its own."""
    lease_s: float = 3.0
    """In a fleet, seconds for which an unresponsive node keeps its rooms."""
    keep_days: int = 90
    """Rooms that have not changed for this many days are removed; 0 keeps all."""
    idle_s: float = 60.0
    """Seconds between two cleanups, which stop or remove rooms that are over."""
    words: Path | None = None
    """The file of words blocked in names, reasons and sentences, one per line."""
    limits: Limits = field(default_factory=Limits)
    metrics_port: int | None = None
    """The port of metrics and health checks; 0 lets the system choose one."""
    metrics_host: str = "127.0.0.1"
    metrics_key: str | None = None
    """The key that gives access to /metrics on the main port as well."""
    bring_practice: Callable[[str, tuple[Path, ...]], BringPractice] | None = None
    """Called with the server's own URL and the folders of additional cases; returns
    the function that runs practice players."""
    store: Callable[[], Awaitable[Journal]] | None = None
    """Opens the store to use instead of the one in ``data``."""
    health_fresh_s: float = 1.0
    """Seconds for which the result of a health check is reused."""
    low_disk_bytes: int = LOW_BYTES
    """Free disk space below which the server reports that it is not healthy."""
    restarts: Restarts = field(default_factory=Restarts)
    """How often a failed background task is restarted."""
    drain_s: float = 1.5
    """Seconds that queued requests have to be stored when the server stops."""

    @property
    def public_urls(self) -> tuple[str, ...]:
        """The URLs in ``public_url``, as a tuple."""
        given = self.public_url
        return () if given is None else tuple(one.strip() for one in given.split(","))

    def word_list(self) -> WordList:
        """Return the words in the file ``words``, or an empty list without one.

        Raises :class:`CannotStart` if the file cannot be read.
        """
        if self.words is None:
            return WordList()
        try:
            return WordList(self.words.read_text(encoding="utf-8-sig").splitlines())
        except OSError as exc:
            detail = f"The word list {self.words} cannot be read: {exc.strerror}."
            raise CannotStart(f"{detail} Correct --words.") from exc
        except UnicodeDecodeError as exc:
            raise CannotStart(
                f"The word list {self.words} is not UTF-8 text. Save it as UTF-8, one "
                "word per line."
            ) from exc

    def check(self) -> None:
        """Raise :class:`CannotStart` for a setting that cannot work."""
        for option, port in (("port", self.port), ("metrics-port", self.metrics_port)):
            if port is not None and not 0 <= port <= MAX_PORT:
                raise CannotStart(
                    f"--{option} {port} is not a port. Use a number from 1 to "
                    f"{MAX_PORT}, or 0 for a free one."
                )
        for url in self.public_urls:
            _check_url("--public-url", url)
        if self.node_url is not None:
            _check_url("--node-url", self.node_url)
        if self.site is not None and not re.fullmatch(SITE_NAME, self.site):
            raise CannotStart(
                f"'{self.site}' is not a valid site name. Give --site up to 32 "
                "lowercase letters, digits and hyphens."
            )
        if not LEASE_LEAST_S <= self.lease_s <= LEASE_MOST_S:
            raise CannotStart(
                f"--lease {self.lease_s:g} is not a valid time. Use "
                f"{LEASE_LEAST_S:g} to {LEASE_MOST_S:g} seconds."
            )
        for origin in self.origins:
            _check_origin(origin)


def _check_url(option: str, url: str) -> None:
    """Raise :class:`CannotStart` unless ``url`` is only a scheme, host and port."""
    if web_origin(url) is None:
        raise CannotStart(
            f"{option} '{url}' is not an address that a browser on another device "
            "can open. Write it with its scheme, for example https://gaps.example.org."
        )
    parts = urlsplit(url.strip())
    if _is_more_than_origin(url):
        raise CannotStart(
            f"{option} '{url}' may contain a scheme, a host and a port, and nothing "
            "else: the pages need their own host name. Give them one, for example "
            f"{parts.scheme}://gaps.{parts.hostname}, and forward all of its requests "
            "to this server."
        )


def _check_origin(url: str) -> None:
    """Raise :class:`CannotStart` unless ``url`` is a web origin."""
    if web_origin(url) is None or _is_more_than_origin(url):
        raise CannotStart(
            f"--origin '{url}' is not an origin. Write a scheme, a host and, if "
            "needed, a port: for example https://school.example.org."
        )


def _is_more_than_origin(url: str) -> bool:
    parts = urlsplit(url.strip())
    rest = parts.path.rstrip("/") or parts.query or parts.fragment
    return bool(rest) or "@" in parts.netloc
