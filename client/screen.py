"""A screen: what the projector shows, and nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from client.backoff import Backoff
from client.session import Session, running
from client.stage import Stage
from server.game.views.stage_types import StageView
from server.protocol.client_messages import Role
from server.protocol.server_messages import ServerMessage, View, Welcome


class Screen(Session):
    """One projector page of one room."""

    role: Role = "screen"

    def __init__(
        self, url: str, code: str, key: str, *, backoff: Backoff | None = None
    ) -> None:
        super().__init__(url, code, key=key, backoff=backoff)
        self._stage: Stage[StageView] = Stage()
        self._firsts = (self._stage.views,)

    @property
    def view(self) -> StageView:
        """What the class sees now."""
        return self._stage.views.now()

    def views(self) -> AsyncIterator[StageView]:
        """Iterate over the views: the present one, then each newest one."""
        return self._stage.views.follow()

    def opened(self, welcome: Welcome) -> None:
        """Take whatever view comes first."""
        super().opened(welcome)
        self._stage.restart()

    def _take(self, message: ServerMessage) -> None:
        if isinstance(message, View):
            is_last = message.view.phase == "finished"
            self._stage.take(message.version, message.view, is_last=is_last)


def screen(
    url: str, code: str, key: str, *, backoff: Backoff | None = None
) -> AbstractAsyncContextManager[Screen]:
    """Follow a room as its projector, with its screen key (32 hex digits)."""
    return running(Screen(url, code, key, backoff=backoff))
