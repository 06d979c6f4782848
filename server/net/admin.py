"""Requests from an admin: open rooms, list them, and browse the library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import assert_never

from scenarios.build import addable, build_plan, one_more, plan_again, plan_anew
from scenarios.flow import minutes_of
from scenarios.library import Library, NothingToPlay, Problem, ScenarioError
from scenarios.model import FLOWS, Case, Flow
from server.game import commands
from server.game.errors import Refused
from server.game.features.room import room_name
from server.game.features.steering import used_cases
from server.game.goal import FirstVotes, learned
from server.game.ids import RoomCode
from server.game.outcomes import taken_up
from server.game.phases import Phase
from server.game.rehearsal import scenes_of
from server.game.settings import RoomSettings, require_zone
from server.game.state import RoomState
from server.game.views.stage import verdict_of
from server.journal.store import StoreUnavailable
from server.protocol.client_messages import (
    AddCase,
    AdminQuestion,
    DeleteRoom,
    GetCase,
    GetLink,
    HostMessage,
    ListCases,
    ListDecks,
    ListRooms,
    OpenNext,
    OpenRoom,
    PlayerMessage,
    PreviewCase,
    ScreenMessage,
)
from server.protocol.codec import encode_server
from server.protocol.keys import host_key
from server.protocol.server_messages import (
    CaseList,
    CaseMessage,
    CaseSummary,
    DeckList,
    HostLink,
    LeftOut,
    PreviewMessage,
    RoomDeletedMessage,
    RoomList,
    RoomOpenedMessage,
)
from server.rooms.directory import Directory
from server.rooms.loading import NewRoom
from server.rooms.ports import RoomMessage, RoomPort
from server.rooms.room import Room

BringPractice = Callable[[RoomCode, int], Awaitable[None]]


async def _nothing() -> FirstVotes:
    return {}


class AdminDesk:
    """Answers requests from admins. Without a key, anyone may open rooms.

    ``library`` returns the current cases and decks each time it is called.
    """

    def __init__(
        self,
        directory: Directory,
        library: Callable[[], Library],
        key: str | None,
        new_id: Callable[[], str],
        new_seed: Callable[[], int],
        bring_practice: BringPractice | None = None,
        known: Callable[[], Awaitable[FirstVotes]] = _nothing,
    ) -> None:
        """``known`` returns the first votes of all classes, on which goals depend."""
        self._directory = directory
        self._library = library
        self.key = key
        self._new_id = new_id
        self._new_seed = new_seed
        self._bring_practice = bring_practice
        self._known = known
        self._next: dict[tuple[RoomCode, bool], RoomCode] = {}
        """Rooms opened from each finished room: for the same lesson or the next."""

    async def answer(
        self,
        message: AdminQuestion,
        on_open: Callable[[RoomCode], None] = lambda _: None,
    ) -> bytes:
        """Return the frame that answers a message; raises :class:`Refused`.

        ``on_open`` is called with the code of each room that is opened.
        """
        match message:
            case OpenRoom():
                return await self._open(message, on_open)
            case ListRooms():
                return await self._rooms(message)
            case GetLink():
                return await self._link(message)
            case DeleteRoom():
                return await self._delete(message)
            case ListDecks():
                return self._decks(message)
            case GetCase():
                return self._case(message)
            case PreviewCase():
                return self._preview(message)
        assert_never(message)

    async def open_room(self, message: OpenRoom) -> tuple[RoomCode, str]:
        """Open a room; return its code and its host key (hex)."""
        seed = message.seed if message.seed is not None else self._new_seed()
        try:
            library = self._library()
            deck = library.deck(message.deck)
            settings = message.settings or RoomSettings(two_link=deck.two_link)
            require_zone(settings.time_zone)
            if message.practice and self._bring_practice is not None:
                settings = settings.model_copy(update={"simulated": True})
            plan = build_plan(
                deck,
                library,
                seed=seed,
                length=message.length,
                two_link=settings.two_link,
            )
        except ScenarioError as exc:
            raise Refused("unknown_deck", str(exc)) from exc
        name = room_name(message.name)
        known = await self._known()
        new = NewRoom(plan, settings, seed, self._new_id(), name, known=known)
        room = await self._directory.open(new, self._host_key)
        if message.practice and self._bring_practice is not None:
            await self._bring_practice(room.code, message.practice)
        return room.code, room.key_of("host")

    async def open_next(
        self,
        message: OpenNext,
        room: RoomPort | None,
        on_open: Callable[[RoomCode], None],
    ) -> bytes:
        """Open a room for the next lesson, or return the one already opened.

        Raises :class:`Refused` if the game is not over or another node has the room.
        """
        played = self._home_of(room)
        if played.state.phase is not Phase.FINISHED:
            detail = "Finish this game before the next lesson."
            raise Refused("nothing_to_show", detail)
        running = self._directory.running
        asked = played.code, message.same
        after = self._next.get(asked)
        next_room = running(after) if after else None
        if next_room is None:
            make = self._same if message.same else self._lesson
            lesson = make(played.state, await self._known())
            next_room = await self._directory.open(lesson, self._host_key)
            kept = {key: code for key, code in self._next.items() if running(code)}
            self._next = {**kept, asked: next_room.code}
            on_open(next_room.code)
        key = next_room.key_of("host")
        return encode_server(
            RoomOpenedMessage(ref=message.ref, room=next_room.code, host_key=key)
        )

    def _lesson(self, state: RoomState, known: FirstVotes) -> NewRoom:
        """Return a lesson with twins of the cases that the class found hardest."""
        hardest = [state.rounds[index].case for index in taken_up(state)]
        two_link = state.settings.two_link
        try:
            plan = plan_again(state.plan, hardest, self._library(), two_link=two_link)
        except ScenarioError as exc:
            raise Refused("unknown_deck", str(exc)) from exc
        seed, secret = self._new_seed(), self._new_id()
        earlier = learned(state, known)
        return NewRoom(plan, state.settings, seed, secret, state.name, earlier, known)

    def _same(self, state: RoomState, known: FirstVotes) -> NewRoom:
        """Return the same lesson as in a room, for another class."""
        plan = plan_anew(state.plan, self._library(), two_link=state.settings.two_link)
        seed, secret = self._new_seed(), self._new_id()
        return NewRoom(plan, state.settings, seed, secret, known=known)

    def _home_of(self, room: RoomPort | None) -> Room:
        """Return a host's room; raises :class:`Refused` if its home is another node."""
        found = self._directory.running(room.code) if room else None
        if found is None:
            raise Refused("not_allowed", "Ask the server that is the room's home.")
        return found

    def cases_for(self, message: ListCases, room: RoomPort | None) -> bytes:
        """Return the cases that can be added to the plan of a host's room."""
        state = self._home_of(room).state
        used = set(used_cases(state.plan))
        found = addable(self._library(), used, two_link=state.settings.two_link)
        cases = tuple(_summary(case) for case in found)
        return encode_server(CaseList(ref=message.ref, cases=cases))

    def whole(
        self,
        message: PlayerMessage | ScreenMessage | HostMessage,
        room: RoomPort | None,
    ) -> RoomMessage:
        """Return a message for a room, including the text of a case that it names.

        Raises :class:`Refused` for a case that the library does not have.
        """
        if not isinstance(message, AddCase):
            return message
        state = self._home_of(room).state
        used, two_link = set(used_cases(state.plan)), state.settings.two_link
        try:
            planned = one_more(message.case, self._library(), used, two_link=two_link)
        except ScenarioError as exc:
            raise Refused("unknown_deck", str(exc)) from exc
        return commands.AddCase(planned=planned, ref=message.ref, seen=message.seen)

    def _host_key(self, code: RoomCode) -> str:
        return host_key(self.key, code) if self.key else self._new_id()

    async def _open(
        self, message: OpenRoom, on_open: Callable[[RoomCode], None]
    ) -> bytes:
        code, key = await self.open_room(message)
        on_open(code)
        given = None if self.key else key
        return encode_server(
            RoomOpenedMessage(ref=message.ref, room=code, host_key=given)
        )

    async def _rooms(self, message: ListRooms) -> bytes:
        self._check_key("lists no rooms")
        try:
            rooms = await self._directory.summaries()
        except StoreUnavailable as exc:
            raise Refused("storage_unavailable", "Cannot read the journal.") from exc
        return encode_server(RoomList(ref=message.ref, rooms=rooms))

    async def _link(self, message: GetLink) -> bytes:
        self._check_key("makes no links")
        state = await self._directory.look_at(_code(message.room))
        salts = tuple(state.link_salts)
        return encode_server(HostLink(ref=message.ref, room=state.code, salts=salts))

    async def _delete(self, message: DeleteRoom) -> bytes:
        self._check_key("deletes no rooms")
        code = _code(message.room)
        await self._directory.delete(code)
        self._next = {
            asked: opened
            for asked, opened in self._next.items()
            if code not in (asked[0], opened)
        }
        return encode_server(RoomDeletedMessage(ref=message.ref, room=code))

    def _check_key(self, so: str) -> None:
        """Refuse what an admin without a key may not do, as anyone is one there."""
        if self.key is None:
            raise Refused("not_allowed", f"This server has no admin key, so it {so}.")

    def _decks(self, message: ListDecks) -> bytes:
        library = self._library()
        return encode_server(
            DeckList(
                ref=message.ref,
                decks=tuple(library.decks.values()),
                cases=tuple(_summary(case) for case in library.cases.values()),
                left_out=tuple(_left_out(problem) for problem in library.problems),
                minutes=dict(_minutes(library)),
            )
        )

    def _case(self, message: GetCase) -> bytes:
        try:
            case = self._library().case(message.case)
        except ScenarioError as exc:
            raise Refused("unknown_deck", str(exc)) from exc
        return encode_server(CaseMessage(ref=message.ref, case=case))

    def _preview(self, message: PreviewCase) -> bytes:
        library = self._library()
        mine = [each for each in library.problems if each.file.stem == message.case]
        case = library.cases.get(message.case)
        if case is None and not mine:
            return self._case(GetCase(ref=message.ref, case=message.case))
        return encode_server(
            PreviewMessage(
                ref=message.ref,
                title=case.title if case else message.case,
                scenes=scenes_of(case) if case else (),
                left_out=tuple(_left_out(problem) for problem in mine),
            )
        )


def _code(typed: str) -> RoomCode:
    return RoomCode(typed.strip().upper())


def _minutes(library: Library) -> Iterator[tuple[str, dict[Flow, tuple[int, ...]]]]:
    """Yield the minutes that each playable deck takes with each flow."""
    for deck in library.decks.values():
        with suppress(NothingToPlay):
            plan = build_plan(
                deck, library, seed=0, length=None, two_link=deck.two_link
            )
            yield deck.id, {flow: minutes_of(plan, flow) for flow in FLOWS}


def _left_out(problem: Problem) -> LeftOut:
    """Describe a problem, with only the last two parts of the path of its file.

    This avoids revealing where the server's folders are.
    """
    file = Path(*problem.file.parts[-2:])
    return LeftOut(
        file=str(file),
        key=problem.key,
        message=problem.message,
        remedy=problem.remedy,
    )


def _summary(case: Case) -> CaseSummary:
    return CaseSummary(
        id=case.id,
        title=case.title,
        year=case.year,
        kind=case.kind,
        domain=case.domain,
        level=case.level,
        verdict=verdict_of(case),
    )
