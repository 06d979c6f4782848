"""Who may take a room over: a chain of keys that only holders of its journal can go on.

The key of epoch ``e`` is a seed from the room's secret, hashed so many times that each
epoch's key is the hash of the next one's (Lamport 1981). Announcing an epoch shows its
key; whoever knows that of an earlier one can check it, and cannot make the next.
"""

from __future__ import annotations

import hashlib

from server.protocol.keys import derive

EPOCHS = 1_024
"""How often a room may move, at most."""


def epoch_key(secret: str, epoch: int) -> str:
    """Return the key (hex) of an epoch, 1 to 1,024, of the room with this secret."""
    if not 1 <= epoch <= EPOCHS:
        raise ValueError(f"no epoch {epoch}")
    return _hashed(derive(secret, "epochs"), EPOCHS - epoch)


def follows(key: str, epoch: int, known_key: str, known_epoch: int) -> bool:
    """Whether the key of a later epoch belongs to the room of an earlier one."""
    if not known_epoch < epoch <= EPOCHS:
        return False
    try:
        return _hashed(key, epoch - known_epoch) == known_key
    except ValueError:  # no hexadecimal digits
        return False


def _hashed(key: str, times: int) -> str:
    raw = bytes.fromhex(key)
    for _ in range(times):
        raw = hashlib.sha256(raw).digest()
    return raw.hex()
