"""The Python client: play, host, show or administer a game from a program.

``connect``, ``host``, ``cohost``, ``screen`` and ``admin`` each open a connection that
reconnects automatically, for one ``async with`` block.
"""

from client.admin import Admin, OpenedRoom, admin
from client.connection import Link
from client.errors import (
    BadAddress,
    CannotConnect,
    ClientError,
    CommandRefused,
    ConnectionLost,
    Refusal,
    Rejected,
    TooMuchWaiting,
    VoteRefused,
    VoteSuperseded,
)
from client.player import Player, connect
from client.staff import Cohost, Host, Screen, cohost, host, screen
from scenarios.model import Label

__all__ = [
    "Admin",
    "BadAddress",
    "CannotConnect",
    "ClientError",
    "Cohost",
    "CommandRefused",
    "ConnectionLost",
    "Host",
    "Label",
    "Link",
    "OpenedRoom",
    "Player",
    "Refusal",
    "Rejected",
    "Screen",
    "TooMuchWaiting",
    "VoteRefused",
    "VoteSuperseded",
    "admin",
    "cohost",
    "connect",
    "host",
    "screen",
]
