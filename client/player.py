"""The player's client: shows the class's view and private data, and answers ballots."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from client.connection import Backoff
from client.errors import ClientError, VoteRefused
from client.latest import Latest, Stage
from client.pending import PendingVotes
from client.session import Session, running
from scenarios.model import Label
from server.game.answers import Answer, GapAnswer
from server.game.commands import Percent
from server.game.ids import ClientId, PlayerId
from server.game.phases import OPEN_BALLOT, Phase
from server.game.views.role_types import PrivateView
from server.game.views.stage_types import StageView
from server.protocol.client_messages import (
    AskTime,
    ChallengeLabel,
    ChooseTeam,
    Hello,
    PlayerWish,
    SayIt,
    Vote,
)
from server.protocol.server_messages import (
    Done,
    Recorded,
    RefusedMessage,
    ServerMessage,
    View,
    Welcome,
    You,
)


class Player(Session):
    """One player in one room. Rejoins when the connection drops."""

    role = "player"

    def __init__(
        self,
        url: str,
        code: str,
        name: str,
        *,
        token: str | None = None,
        team: str | None = None,
        is_practice: bool = False,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(url, code, backoff=backoff)
        self.name = name
        self.token = token
        self._team = team
        self._is_practice = is_practice
        self._stage: Stage[StageView] = Stage()
        self._yous: Latest[PrivateView] = Latest()
        self._firsts = (self._stage.views, self._yous)
        self._client = ClientId(secrets.token_hex(8))
        self._join_key = secrets.token_hex(16)
        self._counter = 0
        self._pending = PendingVotes(self._connection.post, self._backoff)

    @property
    def id(self) -> PlayerId | None:
        """The stable ID that the server assigned."""
        return self.welcome.player if self.welcome else None

    @property
    def view(self) -> StageView:
        """The class's current view."""
        return self._stage.views.now()

    @property
    def you(self) -> PrivateView:
        """What only this player sees: their votes, points and time allowance."""
        return self._yous.now()

    @property
    def unrecorded(self) -> tuple[Vote, ...]:
        """Votes not yet confirmed as stored; the client resends them until they are."""
        return self._pending.votes

    def views(self) -> AsyncIterator[StageView]:
        """Iterate over what the class sees: the current view, then each new one.

        A slow reader may miss views in between, but never the newest. Ends after the
        closing page, or when the connection has ended for good (see ``cause``).
        """
        return self._stage.views.follow()

    async def vote(
        self,
        label: Label,
        confidence: int | None = None,
        reason: str = "",
        *,
        to: StageView,
    ) -> Recorded:
        """Say which gap broke (two-button rooms), and wait until the vote is stored.

        ``confidence`` is in percent, one of ``view.room.chips``; see :meth:`answer`.
        """
        return await self.answer(GapAnswer(Label(label), confidence), reason, to=to)

    async def answer(
        self, answer: Answer, reason: str = "", *, to: StageView
    ) -> Recorded:
        """Answer the ballot that a view shows, and wait until the answer is stored.

        ``to`` is the view that the answer is based on. If the class has moved on in the
        meantime, the server decides whether the answer is too late; it never counts in
        the next ballot. The answer is resent with the same stamp after every reconnect
        and every temporary refusal, even if the caller has stopped waiting.
        Raises :class:`VoteRefused` if the answer is refused for good. The code is
        ``phase_closed`` if it came too late, or ``too_many_changes`` if it was changed
        too often and an earlier answer stays. Raises :class:`VoteSuperseded` if a newer
        answer to the same ballot is given first, and the final cause if the connection
        has ended.
        """
        if self.cause is not None:
            raise self.cause
        ballot = OPEN_BALLOT.get(Phase(to.phase))
        if ballot is None or to.room.round is None:
            raise VoteRefused("phase_closed", "This view asks for no vote.")
        self._counter += 1
        vote = Vote(
            round=to.room.round,
            ballot=ballot,
            client=self._client,
            counter=self._counter,
            answer=answer,
            reason=reason,
        )
        return await asyncio.shield(self._pending.add(vote))

    async def ask_time(self, percent: Percent) -> None:
        """Ask privately for more time in every vote.

        ``percent`` is 150 or 200, or 0 for no limit.
        Behaves like :meth:`ask`.
        """
        await self.ask(AskTime(percent=percent))

    async def choose_team(self, team: str) -> None:
        """Move to another team. Behaves like :meth:`ask`."""
        await self.ask(ChooseTeam(team=team))

    async def say(self, text: str, round_index: int) -> None:
        """Explain a case in your own words: the current one, or one on the card.

        ``round_index`` (0-based) selects the case, for example ``view.room.round``. An
        empty text removes the sentence. Behaves like :meth:`ask`.
        """
        await self.ask(SayIt(round=round_index, text=text))

    async def challenge(self, text: str, round_index: int) -> None:
        """Say in a sentence (280 characters) why the label of a case is wrong.

        ``round_index`` (0-based) selects a case whose verdict has been shown. An empty
        text removes the sentence. Behaves like :meth:`ask`.
        """
        await self._ask(ChallengeLabel(round=round_index, text=text), Done)

    async def ask(self, wish: PlayerWish) -> None:
        """Send any request except a vote, and wait until it is stored.

        A new view or ``you`` follows. Raises CommandRefused, or
        :class:`ConnectionLost` if the connection drops before the answer.
        """
        await self._ask(wish, Done)

    # --- callbacks of the connection -------------------------------------------------

    def hello(self) -> Hello:
        """Rejoin with the token, or join with the name if there is none."""
        hello = super().hello()
        if self.token is not None:
            return hello.model_copy(update={"token": self.token})
        return hello.model_copy(
            update={
                "name": self.name,
                "join_key": self._join_key,
                "team": self._team,
                "is_practice": self._is_practice,
            }
        )

    def opened(self, welcome: Welcome) -> None:
        """Keep the cleaned name and the token; resend the votes not yet stored."""
        super().opened(welcome)
        self.name = welcome.name or self.name
        self.token = welcome.token or self.token
        self._stage.restart()
        self._pending.resend()

    def dropped(self) -> None:
        """Hold back the pending votes until the next socket is open."""
        super().dropped()
        self._pending.pause()

    def over(self, cause: ClientError) -> None:
        """End everything that callers are waiting for."""
        super().over(cause)
        self._pending.fail(cause)

    def _take(self, message: ServerMessage) -> None:
        match message:
            case View(version=version, view=view):
                self._stage.take(version, view, is_last=view.phase == "finished")
            case You(you=you):
                self._yous.put(you)
                self.name = you.name
            case Recorded():
                self._pending.recorded(message)
            case RefusedMessage():
                self._pending.refused(message)
            case _:
                pass


def connect(
    url: str,
    code: str,
    name: str,
    *,
    token: str | None = None,
    team: str | None = None,
    is_practice: bool = False,
    backoff: Backoff | None = None,
) -> AbstractAsyncContextManager[Player]:
    """Join a room as a player, or rejoin it with ``token``.

    ``async with connect("192.168.0.7:8000", "K7MQ2P", "Ada") as player: ...``. For
    a fleet, list its nodes: "http://10.0.0.11:8000,10.0.0.12:8000". If one does not
    answer, the next is tried. Raises a :class:`Rejected` (UnknownRoom, RoomLocked,
    BadName, …), CannotConnect if no server answers, or BadAddress.
    """
    return running(
        Player(
            url,
            code,
            name,
            token=token,
            team=team,
            is_practice=is_practice,
            backoff=backoff,
        )
    )
