"""The server's Prometheus metrics: their names and what they count.

One object is created in app.py and passed to all parts that count something. Labels
come from lists that this project documents and never from client input, so metrics
contain no names of people or room codes, and the number of series is bounded. Every
series exists from the start with a value of zero, so that alerts on its rate work. See
net/operations.py for how they are served.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from server import __version__
from server.game.errors import REFUSALS
from server.game.events import Event
from server.protocol.client_messages import ALLOWED
from server.protocol.server_messages import Bye

GOODBYES: tuple[str, ...] = get_args(Bye.model_fields["code"].annotation)
MESSAGES = tuple(sorted(frozenset({"hello", "prove"}).union(*ALLOWED.values())))
UNREADABLE = "unreadable"
"""The message type under which frames without a valid message are counted."""

TURNED_AWAY = ("host", "origin", "full", "stopping", "too_fast")
ROLES = ("player", "screen", "host")
EVENTS = tuple(
    kind.__dataclass_fields__["type"].default for kind in get_args(get_args(Event)[0])
)
QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """All metrics of one server. Counting is cheap: a lock and an addition."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._count_sockets()
        self._count_messages()
        self._limits = Counter(
            "twogaps_limits_hit",
            "How often each limit in docs/limits.md was reached, by its name.",
            ("limit",),
            registry=self.registry,
        )
        self._count_rooms()
        self._count_storage()
        self._count_sites()
        info = self._gauge(
            "info", "1; the label is the version that is running.", "version"
        )
        info.labels(__version__).set(1)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    # --- what there is ---------------------------------------------------------------

    def _count_sockets(self) -> None:
        self._gauge("sockets", "WebSockets that are open now.")
        self._gauge(
            "connections_waiting", "Connections that have not become a WebSocket yet."
        )
        self._gauge(
            "sockets_relayed", "Sockets passed through to another node of the fleet."
        )
        self._gauge("sockets_held", "Sockets that are reading too slowly right now.")
        self.sockets_opened = self._counter("sockets_opened", "WebSockets accepted.")
        self.turned_away = self._counts(
            "sockets_turned_away",
            "WebSockets turned away, by reason.",
            "reason",
            TURNED_AWAY,
        )
        self.goodbyes = self._counts(
            "goodbyes", "Sockets closed by the server, by reason.", "code", GOODBYES
        )
        self.cut_loose = self._counter(
            "sockets_cut_loose", "Sockets dropped because they did not read."
        )

    def _count_messages(self) -> None:
        self.messages = self._counts(
            "messages", "Messages received.", "type", (*MESSAGES, UNREADABLE)
        )
        self.delayed = self._counter(
            "messages_delayed", "Messages delayed because one socket sent too many."
        )
        self.refusals = self._counts(
            "refusals", "Refusals sent.", "code", tuple(REFUSALS)
        )

    def _count_rooms(self) -> None:
        self._gauge("rooms", "Rooms that are running now.")
        people = "People connected to this server's rooms now."
        for role in ROLES:
            self._gauge("people", people, "role").labels(role)
        self._gauge("room_waiting", "Requests waiting now in the room with the most.")
        self.rooms_failed = self._counter(
            "rooms_failed", "Rooms closed by an internal error. Should stay 0."
        )
        self.steps_failed = self._counter(
            "steps_failed", "Steps of a room that failed because of an internal error."
        )
        self.vote_seconds = self._seconds(
            "vote_seconds",
            "From a vote's arrival until it is stored and its receipt is sent.",
        )

    def _count_storage(self) -> None:
        self.events = self._counts(
            "events", "Events stored in the journal.", "type", EVENTS
        )
        self.append_seconds = self._seconds(
            "append_seconds", "How long a room waited until its events were on disk."
        )
        self.appends_failed = self._counter(
            "appends_failed", "Steps that could not be stored, and did not count."
        )
        self.appends_fenced = self._counter(
            "appends_fenced",
            "Appends refused because another node of the fleet was the room's home.",
        )
        self.rooms_lost = self._counter(
            "rooms_lost", "Rooms released because another node of the fleet took them."
        )
        self._gauge("journal_bytes", "Size of the journal's files.")
        self._gauge("disk_free_bytes", "Free space on the journal's disk.")
        self.healthy = self._gauge(
            "healthy",
            "1 if a part passed its last check, else 0; only for parts that exist.",
            "part",
        )
        self.lag_seconds = self._seconds(
            "loop_lag_seconds", "How late the event loop was; rises when it is busy."
        )

    def _count_sites(self) -> None:
        self._gauge("broker_up", "1 while the broker is connected; 0 without one.")
        self._gauge(
            "outbox_waiting", "Requests that other homes have not answered yet."
        )
        self._gauge("broker_dropped", "Messages to the broker that were dropped.")
        self._gauge(
            "broker_rejected",
            "Messages from other nodes that were forged, unknown or too large.",
        )
        self._gauge("batches_resent", "Batches to homes that were sent again.")

    # --- counting --------------------------------------------------------------------

    def limits_hit(self, names: Iterable[str]) -> Mapping[str, Counter]:
        """Return a counter for each limit, starting at zero."""
        return {name: self._limits.labels(name) for name in names}

    def stored(self, events: Iterable[Event]) -> None:
        """Count events that have been stored."""
        for kind, n in Tally(event.type for event in events).items():
            self.events[kind].inc(n)

    def watch(self, name: str, read: Callable[[], float], *labels: str) -> None:
        """Register the function that reads a gauge whenever metrics are requested.

        Call this once for each gauge; ``name`` is without the prefix ``twogaps_``.
        """
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).set_function(read)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format 0.0.4."""
        return generate_latest(self.registry)

    # --- making ----------------------------------------------------------------------

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        if name not in self._gauges:
            self._gauges[name] = Gauge(
                f"twogaps_{name}", text, labels, registry=self.registry
            )
        return self._gauges[name]

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"twogaps_{name}", text, registry=self.registry)

    def _counts(
        self, name: str, text: str, label: str, values: Iterable[str]
    ) -> Mapping[str, Counter]:
        """Return a counter for each value of a label, starting at zero."""
        parent = Counter(f"twogaps_{name}", text, (label,), registry=self.registry)
        return {value: parent.labels(value) for value in values}

    def _seconds(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"twogaps_{name}", text, buckets=QUICK_S, registry=self.registry
        )
