"""The Bus port: messages by topic, and where the broker is.

A bus promises little: what is published while there is no line is dropped, and what is
on its way may be lost with it. Everybody here sends again until acknowledged, and says
again what is retained whenever the line is back.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit


class BusSettingsError(Exception):
    """The broker's address cannot be understood."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are there."""

    host: str
    port: int
    user: str | None
    password: str | None
    is_secure: bool
    authority: Path | None = None
    """File of the authority that signed the broker's certificate (PEM)."""

    @classmethod
    def parse(cls, url: str, authority: Path | None = None) -> BrokerAddress:
        """Read ``mqtt[s]://user:password@host:port``; raises BusSettingsError."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise BusSettingsError(
                f"'{url}' is no broker: write mqtt://user:password@host[:1883] or "
                "mqtts://user:password@host[:8883]"
            )
        is_secure = parts.scheme == "mqtts"
        if authority is not None and not is_secure:
            raise BusSettingsError(
                "An authority for certificates is of use with mqtts:// only."
            )
        return cls(
            host=parts.hostname,
            port=parts.port or (8883 if is_secure else 1883),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            is_secure=is_secure,
            authority=authority,
        )

    def client_id(self, name: str) -> str:
        """Return the id of a node at the broker: its own, and nobody can guess it.

        A client throws out another of the same id. Where the broker does not take the
        user's name instead, only who knows the password may do so.
        """
        if self.password is None:
            return name
        return f"{name}-{hashlib.sha256(self.password.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we are gone without a word."""

    topic: str
    payload: bytes


class Bus(Protocol):
    """Publishes messages; the listener given to it hears what comes."""

    @property
    def is_up(self) -> bool:
        """Whether the broker is connected now."""
        ...

    @property
    def dropped(self) -> int:
        """How many messages were not sent: no line, too many, or too large."""
        ...

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Send a message, in order; dropped while there is no line, or if too large."""
        ...

    async def run(self, listener: Listener) -> None:
        """Keep the line up and tell the listener, until cancelled. Called once."""
        ...


class Listener(Protocol):
    """What a bus tells."""

    def bus_up(self) -> None:
        """The broker is connected, and everything subscribed to."""
        ...

    def bus_down(self) -> None:
        """The connection is lost."""
        ...

    def bus_message(self, topic: str, payload: bytes) -> None:
        """A message has come."""
        ...
