"""What all roles share: a connection, its welcome, and requests with answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import TypeVar

from pydantic import BaseModel

from client.connection import Backoff, Connection, Link, socket_urls
from client.errors import ClientError, ConnectionLost
from client.latest import Awaited, Latest
from client.pending import Replies
from server.game.commands import HostCommand
from server.game.ids import RoomCode
from server.protocol.client_messages import (
    PROTOCOL_VERSION,
    AddCase,
    AdminQuestion,
    ChallengeLabel,
    GetRoster,
    Hello,
    HostQuestion,
    Ping,
    PlayerWish,
    Role,
)
from server.protocol.server_messages import (
    Notice,
    Pong,
    Progress,
    ServerMessage,
    Welcome,
)

HostAsk = HostCommand | AddCase | GetRoster | HostQuestion
Question = HostAsk | AdminQuestion | PlayerWish | ChallengeLabel | Ping


@dataclass(frozen=True, slots=True)
class Echo:
    """The result of a ping: round-trip time (s) and the server's clock (UTC ms)."""

    round_trip_s: float
    server_ms: int


class Session:
    """Base of player, host, screen and admin; created by their functions."""

    role: Role

    def __init__(
        self,
        url: str,
        code: str | None,
        *,
        key: str | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.progress: Progress | None = None
        self.notice: Notice | None = None
        self.welcome: Welcome | None = None
        self.news: Latest[ServerMessage] = Latest()
        self._code = RoomCode(code.strip().upper()) if code is not None else None
        self._backoff = backoff or Backoff(SystemRandom())
        self._connection = Connection(socket_urls(url), self, self._backoff, key)
        self._replies = Replies()

        self._firsts: tuple[Awaited, ...] = ()
        """Series that need a first value before the ``async with`` block is entered."""

    # --- for callers -----------------------------------------------------------------

    @property
    def code(self) -> RoomCode | None:
        """The room's code."""
        return self._code

    @property
    def state(self) -> Link:
        """The state of the connection."""
        return self._connection.link

    @property
    def cause(self) -> ClientError | None:
        """Why the connection has ended for good, or None if it has not."""
        return self._connection.cause

    def states(self) -> AsyncIterator[Link]:
        """Iterate over the states of the connection, starting with the current one."""
        return self._connection.links.follow()

    async def ping(self) -> Echo:
        """Measure the round-trip time to the server. Raises :class:`ConnectionLost`."""
        started = time.perf_counter()
        pong = await self._ask(Ping(), Pong)
        return Echo(time.perf_counter() - started, pong.now_ms)

    async def _ask(self, question: Question, expected: type[AnswerT]) -> AnswerT:
        """Send a request and return its answer.

        Raises CommandRefused, :class:`ConnectionLost` if the socket drops before the
        answer, TooMuchWaiting, or the final cause if the connection has ended.
        """
        ref, future = self._replies.expect()
        try:
            self._connection.post(_numbered(question, ref))
            answer = await future
        finally:
            self._replies.forget(ref)
        if not isinstance(answer, expected):
            raise ClientError(f"The server answered with {answer.type!r}.")
        return answer

    async def ready(self) -> None:
        """Wait for the welcome and first view; raise the cause if they never come."""
        await self._connection.wait_open()
        for first in self._firsts:
            await first.arrived()
        if self.cause is not None:
            raise self.cause

    # --- callbacks of the connection -------------------------------------------------

    def hello(self) -> Hello:
        """Return the hello of this role."""
        return Hello(version=PROTOCOL_VERSION, role=self.role, room=self._code)

    def opened(self, welcome: Welcome) -> None:
        """Store the identity that the server has assigned to this client."""
        self.welcome = welcome

    def received(self, message: ServerMessage) -> None:
        """Dispatch a message: an answer, a figure, or a message for this role."""
        if self._replies.settle(message):
            return
        match message:
            case Progress():
                self.progress = message
            case Notice():
                self.notice = message
            case _:
                self._take(message)
        self.news.put(message)

    def dropped(self) -> None:
        """Fail the requests in flight, since their socket is gone."""
        self._replies.fail(ConnectionLost("The connection dropped before the answer."))

    def over(self, cause: ClientError) -> None:
        """Store the cause for which the connection has ended, and end all series."""
        self._replies.fail(cause)
        self.news.close()
        for first in self._firsts:
            first.close()

    def _take(self, message: ServerMessage) -> None:
        """Handle a message that only this role gets."""


AnswerT = TypeVar("AnswerT")
SessionT = TypeVar("SessionT", bound=Session)


def _numbered(question: Question, ref: int) -> Question:
    if isinstance(question, BaseModel):
        return question.model_copy(update={"ref": ref})
    return replace(question, ref=ref)


@asynccontextmanager
async def running(session: SessionT) -> AsyncIterator[SessionT]:
    """Keep a session connected inside the block, which is entered after the first view.

    An exception raised in the block propagates unchanged. An internal error in the
    session's task cancels the block and is raised as an exception group.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        name = f"client {session.role} {session.code or ''}".strip()
        task = group.create_task(session._connection.run(), name=name)
        try:
            await session.ready()
            yield session
        except Exception as exc:  # noqa: BLE001 - raised again, outside the group
            failure = exc
        finally:
            task.cancel()
    if failure is not None:
        raise failure
