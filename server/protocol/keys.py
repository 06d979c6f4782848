"""Keys and proofs: everything secret of a room derives from one 128-bit key.

A key never crosses the wire: it travels in the fragment of a link, and is proven by
answering a challenge (HMAC, RFC 2104), so that an eavesdropper cannot copy it.
"""

from __future__ import annotations

import hashlib
import hmac

KEY_BYTES = 16


def derive(key: str, purpose: str) -> str:
    """Return the 128-bit key (hex) that ``key`` (hex) stands for in one purpose."""
    return _mac(key, purpose)[:KEY_BYTES].hex()


def host_key(admin_key: str, room: str) -> str:
    """Return the host key of a room that was opened with an admin key."""
    return derive(admin_key, f"host {room}")


def next_host_key(key: str, salt: str) -> str:
    """Return the host key that follows one that was called back with this salt."""
    return derive(key, f"host {salt}")


def screen_key(host_key: str) -> str:
    """Return the screen key of a room: the host can make it, never the reverse."""
    return derive(host_key, "screen")


def cohost_key(host_key: str, site: str) -> str:
    """Return the key of a site's co-host: good at that site only."""
    return derive(host_key, f"cohost {site}")


def player_token(host_key: str, player: str) -> str:
    """Return a player's resume token, ``PLAYER.MAC``: who it is, and its proof."""
    return f"{player}.{derive(host_key, f'player {player}')}"


def prove(key: str, role: str, room: str | None, nonce: str) -> str:
    """Return the proof (hex) that answers a challenge."""
    return _mac(key, f"two-gaps 1 {role} {room or '-'} {nonce}").hex()


def is_equal(one: str, other: str) -> bool:
    """Compare two secrets in constant time, whatever bytes a client has sent as one."""
    given = (text.encode("utf-8", "surrogateescape") for text in (one, other))
    return hmac.compare_digest(*given)


def _mac(key: str, text: str) -> bytes:
    return hmac.digest(bytes.fromhex(key), text.encode(), hashlib.sha256)
