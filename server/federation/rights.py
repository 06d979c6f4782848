"""Who may say and hear what at the broker: the rights of a site, by topic.

Data only, in MQTT's own filters; how a broker writes them down is the business of
:mod:`server.federation.mosquitto` and :mod:`server.federation.nats`.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.federation.topics import ROOT

SHARED = ("announce", "player", "screen", "progress")
"""What a home says of a room to every site."""


@dataclass(frozen=True, slots=True)
class Site:
    """One user of the broker. Each broker keeps its own hash of the password."""

    name: str
    is_home: bool
    mosquitto: str
    nats: str | None
    """None where the site was added without the parts that hash for NATS."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Topic filters that a site may write to and read from."""

    write: tuple[str, ...]
    read: tuple[str, ...]


def rights_of(site: str, *, is_home: bool) -> Rights:
    """Return what a site may do.

    Every site may relay for rooms of others; only one with home rights may have rooms
    that others join.
    """
    write = [
        f"{ROOT}/node/{site}/state",
        f"{ROOT}/up/+/{site}",
        f"{ROOT}/clk/up/+/{site}",
    ]
    read = [
        f"{ROOT}/node/+/state",
        *(f"{ROOT}/home/+/room/+/{kind}" for kind in SHARED),
        f"{ROOT}/down/{site}/+",
        f"{ROOT}/clk/down/{site}/+",
    ]
    if is_home:
        write += [
            f"{ROOT}/home/{site}/#",
            f"{ROOT}/down/+/{site}",
            f"{ROOT}/clk/down/+/{site}",
        ]
        read += [f"{ROOT}/up/{site}/+", f"{ROOT}/clk/up/{site}/+"]
    return Rights(tuple(write), tuple(read))
