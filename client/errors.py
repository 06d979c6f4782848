"""The exceptions of the client. Imports nothing."""

from __future__ import annotations


class ClientError(Exception):
    """Base of all exceptions that this package raises on purpose."""


class BadAddress(ClientError):  # noqa: N818 - reads as a sentence where it is caught
    """The address of the server is not valid."""


class CannotConnect(ClientError):  # noqa: N818 - read as a sentence
    """The server could not be reached at all."""


class ConnectionLost(ClientError):  # noqa: N818 - read as a sentence
    """The connection dropped before the answer arrived.

    The command may or may not have been carried out; the next view shows whether it
    was.
    """


class TooMuchWaiting(ClientError):  # noqa: N818 - read as a sentence
    """Too many requests are in flight on this connection; wait for answers first."""


class VoteSuperseded(ClientError):  # noqa: N818 - read as a sentence
    """A newer answer to the same ballot replaced this one before it was stored."""


class Refusal(ClientError):  # noqa: N818 - read as a sentence
    """The server refused a request. ``code`` is one of its documented codes."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class CommandRefused(Refusal):
    """A command was not carried out, and nothing changed."""


class VoteRefused(Refusal):
    """A vote was refused for good: it is not counted, and will not be resent."""


class Rejected(Refusal):
    """The server does not admit this client, or does not let it reconnect. Final."""


class UnknownRoom(Rejected):
    """No open room has this code."""


class RoomLocked(Rejected):
    """The host has locked the room."""


class RoomFull(Rejected):
    """The room has reached its limit of players."""


class RoomFinished(Rejected):
    """The game is over."""


class RoomClosed(Rejected):
    """The room was closed after a server error."""


class RoomDeleted(Rejected):
    """The room was deleted, with everything in it."""


class WrongKey(Rejected):
    """The key is wrong, or a key is required and none was given."""


class LinkCalledBack(Rejected):
    """The host has revoked this link; there is a new one."""


class BadToken(Rejected):
    """The resume token does not belong to a player of this room."""


class BadName(Rejected):
    """The name has no readable characters, or the room does not accept it."""


class BadTeam(Rejected):
    """The room has no team with this name."""


class Kicked(Rejected):
    """The host removed this player, or one with this name or device."""


class TakenOver(Rejected):
    """The same player is now connected from elsewhere."""


class VersionUnsupported(Rejected):
    """Server and client speak different versions of the protocol."""


class LeftByUs(Rejected):
    """This client closed the connection itself."""

    def __init__(self) -> None:
        super().__init__("closed", "This connection was closed on this side.")


_BY_CODE: dict[str, type[Rejected]] = {
    "unknown_room": UnknownRoom,
    "room_locked": RoomLocked,
    "room_full": RoomFull,
    "room_finished": RoomFinished,
    "room_closed": RoomClosed,
    "room_deleted": RoomDeleted,
    "wrong_proof": WrongKey,
    "link_called_back": LinkCalledBack,
    "bad_token": BadToken,
    "bad_name": BadName,
    "bad_word": BadName,
    "suggested_only": BadName,
    "bad_team": BadTeam,
    "kicked": Kicked,
    "removed_name": Kicked,
    "removed_device": Kicked,
    "taken_over": TakenOver,
    "version_unsupported": VersionUnsupported,
}

PASSING = frozenset(
    {"storage_unavailable", "busy", "too_fast", "shutting_down", "internal"}
)
"""Codes of temporary refusals: the client should resend the request in a moment."""


def rejected(code: str, detail: str) -> Rejected:
    """Return the exception for a final refusal or a final goodbye."""
    return _BY_CODE.get(code, Rejected)(code, detail)
