"""People present: connected, or gone for no more than 20 s."""

from __future__ import annotations

from server.game.ids import PlayerId
from server.rooms.presence import LINGER_MS, Presence


def test_who_leaves_lingers_and_who_comes_back_stays() -> None:
    presence = Presence()
    ann, bob = PlayerId("ann"), PlayerId("bob")
    presence.arrive(ann)
    presence.arrive(bob)
    presence.leave(ann, 1_000)
    presence.leave(bob, 2_000)
    assert presence.present(1_000 + LINGER_MS) == {ann, bob}
    assert presence.next_expiry_ms() == 1_000 + LINGER_MS + 1
    presence.arrive(ann)
    assert presence.present(2_000 + LINGER_MS + 1) == {ann}
