"""The admin's client, which opens rooms and reads the library."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from client.connection import Backoff
from client.errors import ClientError
from client.session import Session, running
from scenarios.model import Case
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.protocol.client_messages import (
    DeleteRoom,
    GetCase,
    GetLink,
    ListDecks,
    ListRooms,
    OpenRoom,
)
from server.protocol.keys import host_key, next_host_key, screen_key
from server.protocol.server_messages import (
    CaseMessage,
    DeckList,
    HostLink,
    RoomDeletedMessage,
    RoomList,
    RoomOpenedMessage,
    RoomSummary,
)


@dataclass(frozen=True, slots=True)
class OpenedRoom:
    """An open room and its keys (32 hex digits each)."""

    room: RoomCode
    host_key: str
    screen_key: str


class Admin(Session):
    """One admin connected to one server."""

    role = "admin"

    def __init__(
        self, url: str, key: str | None, *, backoff: Backoff | None = None
    ) -> None:
        super().__init__(url, None, key=key, backoff=backoff)
        self._key = key

    async def open_room(
        self,
        deck: str,
        *,
        settings: RoomSettings | None = None,
        seed: int | None = None,
        length: int | None = None,
        practice: int = 0,
        name: str = "",
    ) -> OpenedRoom:
        """Open a room with a deck.

        Without ``settings``, the defaults apply, and the room asks about both links if
        the deck needs it.
        ``length`` is the number of rounds (1 to 60, None for all), ``seed`` the seed of
        every shuffle (0 to 2³¹-1, None for a random one), and ``practice`` the number
        of practice players that the server adds (0 to 100). ``name`` is the room's name
        in lists and on the projector, up to 40 characters. Raises CommandRefused.
        """
        question = OpenRoom(
            deck=deck,
            settings=settings,
            seed=seed,
            length=length,
            practice=practice,
            name=name,
        )
        opened = await self._ask(question, RoomOpenedMessage)
        key = self._host_key(opened)
        return OpenedRoom(opened.room, key, screen_key(key))

    async def list_rooms(self) -> tuple[RoomSummary, ...]:
        """Return the rooms of this server, newest first (at most 200)."""
        return (await self._ask(ListRooms(), RoomList)).rooms

    async def delete_room(self, room: str) -> None:
        """Delete a room for good, with its votes, sentences and report.

        A game that is running in it ends. Raises CommandRefused ("unknown_room",
        "room_moved" if another server has the room, "storage_unavailable").
        """
        await self._ask(DeleteRoom(room=RoomCode(room)), RoomDeletedMessage)

    async def host_key(self, room: str) -> str:
        """Return the host key of a room that was opened with this admin's key."""
        if self._key is None:
            raise ClientError("Without an admin key, no host key can be made.")
        link = await self._ask(GetLink(room=RoomCode(room)), HostLink)
        key = host_key(self._key, link.room)
        for salt in link.salts:
            key = next_host_key(key, salt)
        return key

    async def list_decks(self) -> DeckList:
        """Return the decks and the cases of the library."""
        return await self._ask(ListDecks(), DeckList)

    async def get_case(self, case: str) -> Case:
        """Return the complete case with this ID."""
        return (await self._ask(GetCase(case=case), CaseMessage)).case

    def _host_key(self, opened: RoomOpenedMessage) -> str:
        if opened.host_key is not None:
            return opened.host_key
        if self._key is None:
            raise ClientError("The server sent no host key, and no admin key is known.")
        return host_key(self._key, opened.room)


def admin(
    url: str, key: str | None = None, *, backoff: Backoff | None = None
) -> AbstractAsyncContextManager[Admin]:
    """Connect to a server as its admin; ``key`` is None if the server needs none."""
    return running(Admin(url, key, backoff=backoff))
