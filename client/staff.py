"""The clients of a room's staff: its screen, the co-host of a site, and the host."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from client.connection import Backoff
from client.errors import ClientError
from client.latest import Latest, Stage
from client.session import Session, running
from server.game.commands import (
    CallBackLink,
    FromPlace,
    GiveTime,
    HostCommand,
    Kick,
    KickRecent,
    LetBack,
    Lock,
    Unlock,
)
from server.game.ids import PlayerId, RoomCode
from server.game.phases import Phase, Place
from server.game.views.role_types import CohostPanel, HostPanel, HostView
from server.game.views.stage_types import StageView
from server.protocol.client_messages import (
    AddCase,
    ChallengeLabel,
    GetRoster,
    ListCases,
    OpenNext,
    Role,
)
from server.protocol.keys import KEY_BYTES
from server.protocol.server_messages import (
    CaseList,
    CaseSummary,
    Done,
    HostViewMessage,
    Panel,
    RoomOpenedMessage,
    Roster,
    ServerMessage,
    SitePanel,
    View,
    Welcome,
)


class Screen(Session):
    """One projector of one room."""

    role: Role = "screen"

    def __init__(
        self, url: str, code: str, key: str, *, backoff: Backoff | None = None
    ) -> None:
        super().__init__(url, code, key=key, backoff=backoff)
        self._stage: Stage[StageView] = Stage()
        self._firsts = (self._stage.views,)

    @property
    def view(self) -> StageView:
        """The class's current view."""
        return self._stage.views.now()

    def views(self) -> AsyncIterator[StageView]:
        """Iterate over the views: the current one, then each new one."""
        return self._stage.views.follow()

    def opened(self, welcome: Welcome) -> None:
        """Accept the next view, whatever its version is."""
        super().opened(welcome)
        self._stage.restart()

    def _take(self, message: ServerMessage) -> None:
        if isinstance(message, View):
            is_last = message.view.phase == "finished"
            self._stage.take(message.version, message.view, is_last=is_last)


def screen(
    url: str, code: str, key: str, *, backoff: Backoff | None = None
) -> AbstractAsyncContextManager[Screen]:
    """Follow a room as its projector, with the room's screen key (32 hex digits)."""
    return running(Screen(url, code, key, backoff=backoff))


def _place(view: StageView) -> Place:
    """Return the place of the game that a view with an open ballot shows."""
    return Place(view.room.round, Phase(view.phase))


class Cohost(Screen):
    """One co-host, connected to their own site's server."""

    role = "cohost"

    def __init__(
        self, url: str, code: str, key: str, *, backoff: Backoff | None = None
    ) -> None:
        super().__init__(url, code, key, backoff=backoff)
        self._panels: Latest[CohostPanel] = Latest()
        self._firsts = (self._stage.views, self._panels)

    @property
    def panel(self) -> CohostPanel:
        """The live figures of this site."""
        return self._panels.now()

    def panels(self) -> AsyncIterator[CohostPanel]:
        """Iterate over the figures: the current ones, then each new set."""
        return self._panels.follow()

    async def until(self, is_wanted: Callable[[CohostPanel], bool]) -> CohostPanel:
        """Wait for figures that match; raise the cause if the connection ends first."""
        found = await self._panels.until(is_wanted)
        if found is not None:
            return found
        raise self.cause or ClientError("The figures have ended.")

    async def give_time(self, seconds: int = 30) -> None:
        """Give the people at this site more time (5 to 600 s) in the open vote.

        This and the other commands raise :class:`CommandRefused`, or
        :class:`ConnectionLost` if the connection drops before the answer.
        """
        await self._ask(GiveTime(seconds=seconds, seen=_place(self.view)), Done)

    async def lock(self) -> None:
        """Stop new players from joining at this site."""
        await self._ask(Lock(), Done)

    async def unlock(self) -> None:
        """Let new players join again at this site."""
        await self._ask(Unlock(), Done)

    async def kick(self, player: PlayerId) -> None:
        """Remove a person at this site; votes already cast still count.

        Their device and their name cannot rejoin until :meth:`let_back` is called.
        """
        await self._ask(Kick(player=player), Done)

    async def let_back(self, player: PlayerId) -> None:
        """Let a person who was removed from this site back in."""
        await self._ask(LetBack(player=player), Done)

    async def roster(
        self, offset: int = 0, search: str = "", *, removed: bool = False
    ) -> Roster:
        """Return a page of the people at this site, at most 50, without their points.

        If ``removed``, return the people who were removed instead.
        """
        ask = GetRoster(offset=offset, search=search, removed=removed)
        return await self._ask(ask, Roster)

    async def kick_recent(self, seconds: int = 60) -> None:
        """Remove everyone here who joined in the last ``seconds`` (1 to 3,600)."""
        await self._ask(KickRecent(seconds=seconds), Done)

    async def challenge(self, text: str, round_index: int) -> None:
        """Say why the label of a case is wrong, as the co-host of this site.

        Like :meth:`Player.challenge`; ``panel.challenge`` is the current sentence.
        """
        await self._ask(ChallengeLabel(round=round_index, text=text), Done)

    def _take(self, message: ServerMessage) -> None:
        if isinstance(message, SitePanel):
            self._panels.put(message.panel)
        else:
            super()._take(message)


def cohost(
    url: str, code: str, key: str, *, backoff: Backoff | None = None
) -> AbstractAsyncContextManager[Cohost]:
    """Co-host a site at its own server, with the site's key (32 hex digits)."""
    return running(Cohost(url, code, key, backoff=backoff))


class Host(Session):
    """One host of one room. Several may be connected at the same time."""

    role = "host"

    def __init__(
        self, url: str, code: str, key: str, *, backoff: Backoff | None = None
    ) -> None:
        super().__init__(url, code, key=key, backoff=backoff)
        self._stage: Stage[HostView] = Stage()
        self._panels: Latest[HostPanel] = Latest()
        self._firsts = (self._stage.views, self._panels)

    @property
    def view(self) -> HostView:
        """The host's current view."""
        return self._stage.views.now()

    @property
    def panel(self) -> HostPanel:
        """The live figures."""
        return self._panels.now()

    def views(self) -> AsyncIterator[HostView]:
        """Iterate over the host's views: the current one, then each new one.

        Ends after the closing page, or when the connection has ended for good.
        """
        return self._stage.views.follow()

    def panels(self) -> AsyncIterator[HostPanel]:
        """Iterate over the live figures: the current ones, then each new set."""
        return self._panels.follow()

    async def until(self, is_wanted: Callable[[HostPanel], bool]) -> HostPanel:
        """Wait for figures that match; raise the cause if the connection ends first."""
        found = await self._panels.until(is_wanted)
        if found is not None:
            return found
        raise self.cause or ClientError("The figures have ended.")

    async def send(self, command: HostCommand) -> None:
        """Send a command, and wait until it is carried out and stored.

        A command that moves the game forward includes the place of ``view``, unless it
        names another place. It is refused as ``stale`` if the game has moved on since.

        The resulting view arrives right after, and the figures up to 0.2 s later; until
        then, ``panel`` still describes the previous state. Raises
        :class:`CommandRefused`, or :class:`ConnectionLost` if the connection drops
        first. In that case the command may have been carried out; the next view shows
        whether it was.
        """
        if isinstance(command, FromPlace) and command.seen is None:
            command = replace(command, seen=self.view.place)
        await self._ask(command, Done)

    async def roster(
        self, offset: int = 0, search: str = "", *, removed: bool = False
    ) -> Roster:
        """Return a page of the people in the room, at most 50.

        If ``removed``, return the people who were removed instead.
        """
        ask = GetRoster(offset=offset, search=search, removed=removed)
        return await self._ask(ask, Roster)

    async def challenge(self, text: str, round_index: int) -> None:
        """Say why the label of a case is wrong, as the host.

        Like :meth:`Player.challenge`; ``panel.challenges`` has all challenges to the
        current case, with their authors.
        """
        await self._ask(ChallengeLabel(round=round_index, text=text), Done)

    async def cases(self) -> tuple[CaseSummary, ...]:
        """Return the cases of the library that can be added to the plan."""
        return (await self._ask(ListCases(), CaseList)).cases

    async def add_case(self, case: str) -> None:
        """Add a case (by its ID) to the end of the plan.

        Raises the same exceptions as :meth:`send`.
        """
        await self._ask(AddCase(case=case, seen=self.view.place), Done)

    async def open_next(self, *, same: bool = False) -> tuple[RoomCode, str]:
        """Open the next lesson after the game; return its room and host key.

        If ``same``, open the same lesson for another class. While that room is open,
        further calls return the same room. Raises :class:`CommandRefused`.
        """
        opened = await self._ask(OpenNext(same=same), RoomOpenedMessage)
        return opened.room, opened.host_key or ""

    async def call_back_link(self, *, cohosts: bool = False) -> str:
        """Revoke the host link; return the key of the new one (32 hex digits).

        This host continues with the new key, even if the connection drops before the
        answer. Other hosts need the new link. If ``cohosts``, also revoke the co-hosts'
        links. Raises the same exceptions as :meth:`send`.
        """
        salt = secrets.token_hex(KEY_BYTES)
        new = self._connection.expect_key(salt)
        await self.send(CallBackLink(salt=salt, cohosts=cohosts))
        self._connection.use_next_key()
        return new

    # --- callbacks of the connection -------------------------------------------------

    def opened(self, welcome: Welcome) -> None:
        """Accept the next view, whatever its version is."""
        super().opened(welcome)
        self._stage.restart()

    def _take(self, message: ServerMessage) -> None:
        match message:
            case HostViewMessage(version=version, view=view):
                is_last = view.stage.phase == "finished"
                self._stage.take(version, view, is_last=is_last)
            case Panel(panel=panel):
                self._panels.put(panel)
            case _:
                pass


def host(
    url: str, code: str, key: str, *, backoff: Backoff | None = None
) -> AbstractAsyncContextManager[Host]:
    """Host a room, with its host key (32 hex digits), which never crosses the wire.

    ``async with host("localhost:8000", "K7MQ2P", key) as host: ...``. Raises WrongKey,
    UnknownRoom, CannotConnect, BadAddress.
    """
    return running(Host(url, code, key, backoff=backoff))
