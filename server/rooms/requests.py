"""Requests to a room: their queue, commands, permissions and limits."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Set
from dataclasses import dataclass, field, replace

from scenarios.prose import plural
from server.game import commands
from server.game.commands import (
    CastVote,
    Change,
    Command,
    Join,
    SayIt,
)
from server.game.engine import decide
from server.game.errors import Refused
from server.game.events import Event
from server.game.ids import Challenger, PlayerId
from server.game.names import WordList
from server.game.phases import Phase
from server.game.state import RoomState
from server.protocol.client_messages import (
    ALLOWED,
    ChallengeLabel,
    GetReport,
    GetRoster,
    Hello,
    HostQuestion,
    Ping,
    PlayerWish,
    SiteCommand,
    TellSound,
    Vote,
)
from server.protocol.client_messages import AddCase as NamedCase
from server.protocol.keys import (
    cohost_key,
    derive,
    is_equal,
    next_host_key,
    player_token,
    prove,
    screen_key,
)
from server.rooms.ports import (
    Attend,
    Audience,
    Leave,
    Link,
    Request,
    RoomMessage,
    Say,
)

CAPACITY = 32_768
BATCH = 1_024
"""The most requests that share a step and thus a commit."""


QUESTIONS = frozenset({"get_roster", "ping", "tell_sound"})
"""Messages that are answered but change nothing."""


class Inbox:
    """A bounded queue that wakes its only reader for requests and alarms."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """``capacity`` is the most requests that may be queued."""
        self._queue: deque[Request] = deque()
        self._capacity = capacity
        self._signal = asyncio.Event()
        self._is_ending = False
        self._closed: Refused | None = None

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, request: Request) -> None:
        """Queue a request.

        Raises :class:`Refused`: "busy" if the queue is full, or why it is closed. A
        Leave is never refused, because a closed connection must always be forgotten.
        """
        is_leave = isinstance(request, Leave)
        if self._closed is not None:
            if not is_leave:
                raise Refused(self._closed.code, self._closed.detail)
            if request.ack is not None:
                request.ack()
            return
        if len(self._queue) >= self._capacity and not is_leave:
            raise Refused("busy", "Too many requests are waiting; resend shortly.")
        self._queue.append(request)
        self._signal.set()

    def end(self) -> None:
        """Give the reader the requests already queued, and no more after that."""
        self._is_ending = True
        self._signal.set()

    def close(self, refusal: Refused) -> list[Request]:
        """Refuse every request from now on; return those that were queued."""
        self._closed = refusal
        left = list(self._queue)
        self._queue.clear()
        return left

    @property
    def is_over(self) -> bool:
        """Whether :meth:`end` was called and the queue is empty."""
        return self._is_ending and not self._queue

    @property
    def is_idle(self) -> bool:
        """Whether the queue is empty."""
        return not self._queue

    def wake(self) -> None:
        """Wake the reader without a request, because something is due."""
        self._signal.set()

    async def batch(self) -> list[Request]:
        """Wait for requests or an alarm; return the queued requests, oldest first."""
        await self._signal.wait()
        taken = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        if not self._queue:
            self._signal.clear()
        return taken


def player_for(state: RoomState, hello: Hello) -> PlayerId:
    """Return the ID of a hello's sender, which depends only on its join key."""
    return PlayerId(derive(state.secret, f"join {hello.join_key}")[:12])


def join(state: RoomState, hello: Hello, site: str | None) -> Join:
    """Translate a hello by name into a command."""
    player = player_for(state, hello)
    device = None
    if hello.device is not None:  # differs per room, so that rooms cannot be linked
        device = derive(state.secret, f"device {hello.device}")[:12]
    name = hello.name or ""
    return Join(player, name, hello.team, hello.is_practice, site, device)


def limited(message: RoomMessage, link: Link) -> RoomMessage:
    """Return a message restricted to its sender's rights: a co-host has one site."""
    if link.audience == "cohost" and isinstance(message, SiteCommand):
        return replace(message, site=link.site)
    return message


def command(request: Say, player: PlayerId | None) -> Command:
    """Translate a message into a command on behalf of its sender.

    A player's message needs ``player``; raises :class:`Refused` without one.
    """
    message = limited(request.message, request.link)
    if isinstance(
        message, GetRoster | GetReport | HostQuestion | NamedCase | Ping | TellSound
    ):
        raise TypeError(f"{message.type} is a question, not a command")
    is_players = request.link.audience == "player"
    if isinstance(message, ChallengeLabel) and not is_players:
        is_cohost = request.link.audience == "cohost"
        return message.command(
            Challenger(site=request.link.site if is_cohost else None)
        )
    if not isinstance(message, Vote | PlayerWish | ChallengeLabel):
        return message
    if player is None:
        raise Refused("hello_expected", "Say hello first; wait for welcome.")
    if isinstance(message, Vote):
        return _cast(message, player, request.stamped_ms)
    if isinstance(message, ChallengeLabel):
        return message.command(Challenger(player))
    return message.command(player)


def _cast(message: Vote, player: PlayerId, stamped_ms: int) -> CastVote:
    return CastVote(
        player=player,
        client=message.client,
        counter=message.counter,
        round=message.round,
        ballot=message.ballot,
        answer=message.answer,
        reason=message.reason,
        stamped_ms=stamped_ms,
    )


# --- who may do what ---------------------------------------------------------------


def key_of(state: RoomState, audience: Audience, site: str | None = None) -> str:
    """Return the key (hex) that a host, a site's co-host or a screen must prove.

    Raises :class:`Refused` for a co-host if there are no sites.
    """
    if audience == "cohost" and site is None:
        raise Refused("wrong_proof", "This server has no sites to co-host.")
    return _keys(state, audience, site)[-1]


def _keys(state: RoomState, audience: Audience, site: str | None) -> list[str]:
    """Return all keys that a role has had, one for each host link, newest last."""
    keys = [state.host_key]
    for salt in state.link_salts:
        keys.append(next_host_key(keys[-1], salt))
    if audience == "screen":
        return [screen_key(key) for key in keys]
    if audience == "cohost" and site is not None:
        return [cohost_key(key, site) for key in keys]
    return keys


def check_proof(state: RoomState, request: Attend) -> None:
    """Raise :class:`Refused` if the answer to a challenge is wrong.

    The refusal says so if the link was called back. Links to projector pages stay
    valid, and so do those of co-hosts unless they were called back as well.
    """
    audience, site = request.link.audience, request.link.site
    key_of(state, audience, site)  # a co-host needs a site
    keys = _keys(state, audience, site)
    first = {"host": len(keys) - 1, "cohost": state.cohosts_from}.get(audience, 0)
    for number, key in enumerate(keys):
        right = prove(key, audience, state.code, request.nonce)
        if is_equal(request.proof, right):
            if number >= first:
                return
            detail = "The host has revoked this link. Ask for the new one."
            raise Refused("link_called_back", detail)
    raise Refused("wrong_proof", "This key is not valid here; check the link.")


def check_role(request: Say, by: Link | None, *, is_proven: bool) -> None:
    """Raise :class:`Refused` if a role may not send this message.

    A session on this node has already checked that; sessions on other nodes are not
    trusted. ``by`` is the host that has just called the host link back, if any; no
    other host may send commands. ``is_proven`` says whether the link has been accepted
    as a host, co-host or screen.
    """
    role, kind = request.link.audience, request.message.type
    if not request.is_permitted and kind not in ALLOWED[role]:
        raise Refused("not_allowed", f"The {role} role may not send '{kind}'.")
    is_out = role == "host" and by not in (None, request.link)
    if role != "player" and (is_out or not is_proven):
        raise Refused("hello_expected", f"This {role} has not proven its key.")


def bearer(token: str) -> PlayerId:
    """Return the player that a token names, without checking that it is genuine."""
    return PlayerId(token.partition(".")[0])


class Tokens:
    """Checks the resume tokens of one room."""

    def __init__(self) -> None:
        self._genuine: set[str] = set()
        """Tokens that have been checked and are genuine, at most one per player."""

    def player_of(self, state: RoomState, token: str) -> PlayerId:
        """Return the player that a token belongs to; raises :class:`Refused`."""
        player = bearer(token)
        found = state.players.get(player)
        if found is None or not self._is_genuine(state, token, player):
            raise Refused("bad_token", "This token is not for this room; join by name.")
        if found.is_kicked:
            raise Refused("kicked", "The host removed you from this room.")
        return player

    def _is_genuine(self, state: RoomState, token: str, player: PlayerId) -> bool:
        """Check a token only once, because a site sends it with every vote."""
        if token not in self._genuine:
            if not is_equal(token, player_token(state.secret, player)):
                return False
            self._genuine.add(token)
        return True


# --- how much one person may ask ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits on how much one person may change, and the words that are blocked."""

    changes: int = 100
    """Changes that one person may make in one phase."""
    newcomers: int = 500
    """People from one address, or from one other site, who have not answered yet. If
    three quarters of the room's places are more, that number applies, except to a
    single address at another site."""
    hit: Callable[[str], None] = lambda _: None
    """Called with the name of a limit that was reached."""
    words: WordList = field(default_factory=WordList)
    """Words that names, reasons, sentences and challenges may not contain."""


class Changes:
    """Limits how much one person changes while the room stays in a phase.

    Every change is kept in the journal, so a device that keeps changing its answer
    would fill the disk. First answers are not counted, and neither are changes made
    before a restart.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._made: Counter[tuple[PlayerId | Challenger, str]] = Counter()
        self._state: RoomState | None = None
        self._in: tuple[int | None, Phase] = (None, Phase.LOBBY)

    def decide(
        self, state: RoomState, command: Command, now_ms: int, present: Set[PlayerId]
    ) -> list[Event]:
        """Decide a command with the engine, within the limits.

        Raises :class:`Refused`: the engine's refusals, "too_many_changes" and
        "bad_word".
        """
        self._check_words(command)
        events = decide(state, command, now_ms, present)
        if events and isinstance(command, Change):
            self._count(state, command)
        return events

    def _check_words(self, command: Command) -> None:
        words = self._bounds.words
        match command:
            case Join(name=name) if words.holds(name):
                detail = "A word in this name is not allowed here. Choose another name."
                raise Refused("bad_word", detail)
            case (
                CastVote(reason=text)
                | SayIt(text=text)
                | commands.ChallengeLabel(text=text)
            ) if words.holds(text):
                detail = "A word in this text is not allowed here. Rephrase it."
                raise Refused("bad_word", detail)
            case _:
                pass

    def _count(self, state: RoomState, command: Change) -> None:
        phase = (state.round_index, state.phase)
        if state is not self._state or phase != self._in:  # another phase, or rebuilt
            self._made.clear()
            self._state, self._in = state, phase
        if isinstance(command, CastVote) and _is_first(state, command):
            return
        who = (
            command.by
            if isinstance(command, commands.ChallengeLabel)
            else command.player
        )
        key, most = (who, command.type), self._bounds.changes
        if self._made[key] >= most:
            self._bounds.hit("changes")
            raise Refused(
                "too_many_changes",
                f"You have changed this {plural(most, 'time')}. It stays as it is for "
                "now.",
            )
        self._made[key] += 1


def _is_first(state: RoomState, command: CastVote) -> bool:
    poll = state.round_at(command.round).polls[command.ballot]
    return command.player not in poll.votes and command.player not in poll.late
