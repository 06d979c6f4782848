"""The topics of the relay, in one place. ``tg/v1`` is the version of this layout."""

from __future__ import annotations

from server.rooms.ports import SHARED, Audience

ROOT = "tg/v1"


def node_state(node: str) -> str:
    """Whether a node is up, retained and its last will."""
    return f"{ROOT}/node/{node}/state"


def announce(node: str, room: str) -> str:
    """That a node is home to a room, retained."""
    return f"{ROOT}/home/{node}/room/{room}/announce"


def view(node: str, room: str, audience: Audience) -> str:
    """The view of players or screens, retained. Never a host's or a co-host's."""
    assert audience in SHARED, f"a {audience}'s view never leaves by a shared topic"
    return f"{ROOT}/home/{node}/room/{room}/{audience}"


def progress(node: str, room: str) -> str:
    """How many have answered; not retained."""
    return f"{ROOT}/home/{node}/room/{room}/progress"


def up(home: str, edge: str) -> str:
    """Batches from an edge to a home."""
    return f"{ROOT}/up/{home}/{edge}"


def down(edge: str, home: str) -> str:
    """Acknowledgements and private frames from a home to an edge."""
    return f"{ROOT}/down/{edge}/{home}"


def clock_up(home: str, edge: str) -> str:
    """Clock probes to a home."""
    return f"{ROOT}/clk/up/{home}/{edge}"


def clock_down(edge: str, home: str) -> str:
    """Answers to clock probes."""
    return f"{ROOT}/clk/down/{edge}/{home}"


def subscriptions(node: str) -> tuple[tuple[str, int], ...]:
    """What a node listens to, each with its quality of service; none overlap."""
    return (
        (f"{ROOT}/node/+/state", 1),
        (f"{ROOT}/home/+/room/+/announce", 1),
        (f"{ROOT}/home/+/room/+/player", 1),
        (f"{ROOT}/home/+/room/+/screen", 1),
        (f"{ROOT}/home/+/room/+/progress", 0),
        (f"{ROOT}/up/{node}/+", 0),
        (f"{ROOT}/down/{node}/+", 0),
        (f"{ROOT}/clk/up/{node}/+", 0),
        (f"{ROOT}/clk/down/{node}/+", 0),
    )


def parts(topic: str) -> tuple[str, ...]:
    """Return a topic's levels behind the root; empty for a foreign topic."""
    if not topic.startswith(f"{ROOT}/"):
        return ()
    return tuple(topic.removeprefix(f"{ROOT}/").split("/"))
