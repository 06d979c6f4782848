"""What the sessions of a server share: its rooms, its doorkeepers, its clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from server.metrics import Metrics
from server.net.addresses import Peers
from server.net.admin import AdminDesk
from server.net.gate import Gate
from server.net.limits import Limits
from server.net.links import Keeper
from server.report.reporting import Reports
from server.rooms.clock import Clock
from server.rooms.directory import Directory


@dataclass(frozen=True, slots=True)
class Desk:
    """What every session works with."""

    directory: Directory
    admin: AdminDesk
    clock: Clock
    keeper: Keeper
    gate: Gate
    peers: Peers
    reports: Reports
    new_id: Callable[[], str]
    """Returns a fresh random id (hex, 128 bits)."""
    site: str | None
    """This node's name among others; None where it is alone."""
    metrics: Metrics = field(default_factory=Metrics)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Once set, nothing that comes in is read: its sender comes back, and repeats."""

    @property
    def limits(self) -> Limits:
        """What one client may ask."""
        return self.gate.limits

    @property
    def why_closed(self) -> str | None:
        """Why new clients should not be sent here; None while they may come."""
        if self.stopping.is_set():
            return "stopping"
        return "full" if self.gate.is_full else None
