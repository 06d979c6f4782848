"""A co-host: acts for the people of one site, and sees what the projector shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from client.backoff import Backoff
from client.errors import ClientError
from client.latest import Latest
from client.screen import Screen
from client.session import running
from server.game.commands import GiveTime, Kick, Lock, Unlock
from server.game.ids import PlayerId
from server.game.views.role_types import CohostPanel
from server.protocol.client_messages import GetRoster
from server.protocol.server_messages import Done, Roster, ServerMessage, SitePanel


class Cohost(Screen):
    """One co-host at the server of the own site."""

    role = "cohost"

    def __init__(
        self, url: str, code: str, key: str, *, backoff: Backoff | None = None
    ) -> None:
        super().__init__(url, code, key, backoff=backoff)
        self._panels: Latest[CohostPanel] = Latest()
        self._firsts = (self._stage.views, self._panels)

    @property
    def panel(self) -> CohostPanel:
        """The live figures of the own site."""
        return self._panels.now()

    def panels(self) -> AsyncIterator[CohostPanel]:
        """Iterate over the figures: the present ones, then the newest."""
        return self._panels.follow()

    async def until(self, is_wanted: Callable[[CohostPanel], bool]) -> CohostPanel:
        """Wait for figures that are wanted; raises the cause where none can come."""
        found = await self._panels.until(is_wanted)
        if found is not None:
            return found
        raise self.cause or ClientError("The figures have ended.")

    async def give_time(self, seconds: int = 30) -> None:
        """Give the own people more time (5 to 600 s) in the open vote.

        This and the other commands raise :class:`CommandRefused`, and
        :class:`ConnectionLost` where the connection drops before the answer.
        """
        await self._ask(GiveTime(seconds=seconds), Done)

    async def lock(self) -> None:
        """Let nobody new join at the own site."""
        await self._ask(Lock(), Done)

    async def unlock(self) -> None:
        """Let new players join again at the own site."""
        await self._ask(Unlock(), Done)

    async def kick(self, player: PlayerId) -> None:
        """Remove one of the own people for good; votes already cast stay counted."""
        await self._ask(Kick(player=player), Done)

    async def roster(self, offset: int = 0, search: str = "") -> Roster:
        """Return a page of the own people, 50 at most, without their points."""
        return await self._ask(GetRoster(offset=offset, search=search), Roster)

    def _take(self, message: ServerMessage) -> None:
        if isinstance(message, SitePanel):
            self._panels.put(message.panel)
        else:
            super()._take(message)


def cohost(
    url: str, code: str, key: str, *, backoff: Backoff | None = None
) -> AbstractAsyncContextManager[Cohost]:
    """Be the co-host of a site, at its own server, with its key (32 hex digits)."""
    return running(Cohost(url, code, key, backoff=backoff))
