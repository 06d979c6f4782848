"""Every view that a room of a deck shows, made by the server's own view functions.

A room is played from the lobby to the closing page through ``decide`` and ``evolve``.
After each command the frames that players, the screen and hosts would get are kept.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from scenarios.build import build_plan
from scenarios.library import Library
from scenarios.model import Deck, Label
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.commands import (
    AskFix,
    AskSay,
    AskTime,
    BackToLobby,
    CastVote,
    ChooseTeam,
    CloseVotes,
    Command,
    Contrast,
    Discuss,
    Finish,
    Join,
    NameRoom,
    NextStep,
    OpenRound,
    OpenVote,
    PinReason,
    Reveal,
    Revote,
    SayIt,
    ShowAgain,
    ShowExample,
    ShowOpening,
    ShowSentence,
    StopClock,
    TapOpening,
    Transfer,
)
from server.game.engine import can, decide, evolve, open_room
from server.game.events import RoomOpened
from server.game.features.discussion import talks
from server.game.features.opening import LAST_STEP as LAST_OPENING_STEP
from server.game.features.saying import SENTENCE_LENGTH
from server.game.features.timing import answered_and_expected, settles_in_ms
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.phases import LAST_STEP, Ballot, Phase
from server.game.settings import RoomSettings
from server.game.views.host import host_panel, host_view
from server.game.views.player import private_view
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import RevealView
from server.protocol.codec import encode_server
from server.protocol.server_messages import (
    HostViewMessage,
    Panel,
    Progress,
    ServerMessage,
    View,
    You,
)
from tests.support.longest import drawn

CODE = RoomCode("WMQ4W7")
LONG_NAMES = tuple(
    f"{first}{last}"[:24]
    for first in ("Wilhelmine-Maximiliane ", "Bartholomew-Alexander ")
    for last in ("Weidenmüller", "Zimmermann", "Mühlhausen", "Oberkofler")
)
SHORT_NAMES = ("Al", "Bo", "Cy", "Di", "Ed", "Fi", "Gus", "Ha")
LONG_TEAMS = ("Weltraumforschung Wiesen", "Maschinenbau Mühlhausen.")
LONG_ROOM = "Weltraumforschung Wiesenmühlen, Dienstag"
"""As long as the name of a room may be."""
REASON = (
    "The score in the game counted targets along the lagoon and never the place in the "
    "race, so going round in circles was exactly what it had been paid for; anyone who "
    "reads that objective cannot call it a mistake of the learner, however odd the "
    "boat looks to us while it burns again."
)
REASONS = tuple(f"{REASON[:278]} {n}"[-280:] for n in range(3))
"""As long as a reason may be."""
SENTENCE = (REASON + " " + REASON)[:SENTENCE_LENGTH]
"""As long as a sentence may be."""
LONG_SITES = tuple(
    f"{name}-{number}"
    for number, name in enumerate(
        ("gesamtschule-weltraumforschung", "grundschule-wiesen-muehlenberg") * 4
    )
)
"""As long as the name of a site may be."""


@dataclass(frozen=True)
class Look:
    """What differs from one room to another beside its deck."""

    is_long: bool = True
    """Long names, teams, and a podium; otherwise short names and nothing else."""
    pins: int = 3
    two_link: bool = False
    has_people: bool = True
    is_drawn: bool = False
    """Every case has a picture; otherwise those that have one."""
    sites: int = 1
    min_cell: int = 1
    """Figures of fewer people are hidden."""


@dataclass(frozen=True)
class Shown:
    """One moment of a room: the messages to each role's page."""

    name: str
    """The deck, whether both links are asked about, and the unit."""
    unit: str
    """The stories shown, the phase, and which of these moments it is: equal for one
    moment under several looks, and for a case in several decks."""
    phase: str
    """The phase, and in a reveal its step: ``reveal.verdict``."""
    told: Mapping[str, str]
    """The frames that each role's page gets, as a JSON array."""

    @cached_property
    def screen(self) -> tuple[dict[str, Any], ...]:
        """The frames that the wall gets."""
        return tuple(json.loads(self.told["screen"]))

    @cached_property
    def player(self) -> tuple[dict[str, Any], ...]:
        """The frames that the first player's phone gets."""
        return tuple(json.loads(self.told["player"]))

    @cached_property
    def host(self) -> tuple[dict[str, Any], ...]:
        """The frames that the console gets."""
        return tuple(json.loads(self.told["host"]))

    @property
    def key(self) -> str:
        """Equal for two moments that look the same on a wall, whatever their deck.

        Numbers count by their length, but for none at all.
        """
        view = json.loads(self.told["screen"])[0]["view"]
        room = view.pop("room")
        if self.phase not in ("lobby", "finished"):  # alone they say whose room it is
            room = room["two_link"]
        if self.phase.startswith("reveal"):  # there, reasons are on phones alone
            view.pop("pinned")
        text = json.dumps([view, room], sort_keys=True)
        return re.sub(r"(?<=[:\[] )[1-9][0-9.]*|(?<=\[)[1-9][0-9.]*", _digits, text)

    @property
    def length(self) -> int:
        """The length of the text on the screen, in characters."""
        return len(re.sub("<svg.*?</svg>", "", self.told["screen"]))


def _digits(number: re.Match[str]) -> str:
    return "9" * len(number[0])


def moments(deck: Deck, library: Library, look: Look) -> Iterator[Shown]:
    """Play a deck, and yield what is shown after every command."""
    played = _Played(deck, library, look)
    yield played.shown()
    yield from played.opening()
    yield played.after(BackToLobby())
    for _ in played.state.plan.opening:
        yield played.after(ShowExample())
    for index in range(len(played.state.rounds)):
        yield from played.round(index)
    while can(played.state, ShowExample()):
        yield played.after(ShowExample())
    yield played.after(BackToLobby())
    yield played.after(Finish())


class _Played:
    def __init__(self, deck: Deck, library: Library, look: Look) -> None:
        self.look = look
        self.deck = deck
        teams = LONG_TEAMS if look.is_long else ()
        settings = RoomSettings(
            two_link=look.two_link,
            podium=look.is_long,
            teams=teams,
            min_cell=look.min_cell,
            minute=True,
        )
        if look.is_drawn:
            library = drawn(library)
        plan = build_plan(deck, library, seed=7, length=None, two_link=look.two_link)
        self.state = open_room(RoomOpened(CODE, plan, settings, 7, "0" * 32, 1_000))
        self.now_ms = 10_000
        self.version = 0
        self.counter = 0
        self.times_shown: Counter[str] = Counter()
        names = LONG_NAMES if look.is_long else SHORT_NAMES
        self.people = [PlayerId(f"p-{i}") for i in range(len(names))]
        if not look.has_people:
            self.people = []
        if look.is_long:
            self.do(NameRoom(name=LONG_ROOM))
        for i, (player, name) in enumerate(zip(self.people, names, strict=False)):
            site = LONG_SITES[i % look.sites] if look.sites > 1 else None
            self.do(Join(player, name, site=site))
            if teams:
                self.do(ChooseTeam(player, teams[i % 2]))
        if look.is_long and self.people:
            self.do(AskTime(self.people[0], 200))

    def opening(self) -> Iterator[Shown]:
        """Show the opening minute, and let all but the last tap in both cases."""
        for step in range(LAST_OPENING_STEP + 1):
            yield self.after(ShowOpening(automatic=False))
            if step % 2:
                for number, player in enumerate(self.people[:-1]):
                    gap = Label.INNER if number % 3 else Label.OUTER
                    self.do(TapOpening(player, step // 2, gap))
                yield self.shown()

    def round(self, index: int) -> Iterator[Shown]:
        """Play a round through every phase it has."""
        yield self.after(OpenRound(round=index))
        if index:
            yield self.after(ShowAgain(round=index - 1))
        yield self.after(OpenVote())
        if self.look.is_long:
            self.do(StopClock())
        self.vote(Ballot.VOTE)
        yield self.shown()
        yield self.after(CloseVotes(override=True))
        for player in self.people[: self.look.pins]:
            self.do(PinReason(player=player))
        if self.look.pins:
            yield self.shown()
        if self.state.round.planned.contrast:
            yield self.after(Contrast())
        yield self.after(Discuss())
        yield self.after(Revote())
        self.vote(Ballot.REVOTE)
        yield self.after(CloseVotes(override=True))
        yield self.after(Reveal())
        while self.state.step < LAST_STEP:
            if can(self.state, AskSay()) and self.state.step == LAST_STEP - 1:
                yield self.after(AskSay())
                yield from self.saying()
            yield self.after(NextStep())
        yield self.after(AskFix())
        self.vote(Ballot.FIX)
        yield self.after(CloseVotes(override=True))
        if self.state.round.planned.transfer:
            yield self.after(Transfer())
            self.vote(Ballot.TRANSFER)
            yield self.after(CloseVotes(override=True))

    def saying(self) -> Iterator[Shown]:
        """Let all but the last write a sentence, and show the first to the class."""
        for player in self.people[:-1]:
            self.do(SayIt(player, self.state.index, SENTENCE))
        for player in self.people[:1]:
            yield self.after(ShowSentence(player=player))

    def vote(self, ballot: Ballot) -> None:
        """Let all but the last answer; most change their minds in the second vote."""
        for number, player in enumerate(self.people[:-1]):
            self.counter += 1
            is_outer = (number + (ballot is Ballot.REVOTE)) % 3 > 0
            reason = REASONS[number] if number < self.look.pins else ""
            self.do(
                CastVote(
                    player,
                    ClientId("c"),
                    self.counter,
                    self.state.index,
                    ballot,
                    self._answer(ballot, is_outer, number),
                    "" if ballot is Ballot.FIX else reason,
                    self.now_ms,
                )
            )

    def _answer(self, ballot: Ballot, is_outer: bool, number: int) -> Answer:
        if ballot is Ballot.FIX:
            return FixAnswer(number % 3)
        if self.look.two_link:
            inner = LinkAnswer(number % 2 == 0, 70)
            return LinksAnswer(LinkAnswer(is_outer, 80), inner)
        return GapAnswer(Label.OUTER if is_outer else Label.INNER, 80)

    def do(self, command: Command) -> None:
        present = set(self.people)
        for event in decide(self.state, command, self.now_ms, present):
            evolve(self.state, event)

    def after(self, command: Command) -> Shown:
        self.do(command)
        return self.shown()

    def shown(self) -> Shown:
        """Return the messages to every role's page now."""
        state, now_ms = self.state, self.now_ms
        present = set(self.people)
        self.version += 1
        version = self.version
        answered, expected = answered_and_expected(state, present)
        progress = Progress(
            answered=answered,
            expected=expected,
            joined=state.joined,
            closes_in_ms=settles_in_ms(state, now_ms, present),
        )
        screen = View(version=version, view=screen_view(state, now_ms))
        player = View(version=version, view=player_view(state, now_ms))
        host = HostViewMessage(version=version, view=host_view(state, now_ms))
        panel = Panel(
            version=version, panel=host_panel(state, now_ms, present, walls=(1, 1))
        )
        meetings = talks(state, present) if state.phase is Phase.DISCUSS else {}
        own = [
            You(you=private_view(state, who, now_ms, present, meetings.get(who)))
            for who in self.people[:1]
        ]
        phase = str(screen.view.phase)
        if isinstance(screen.view, RevealView):
            phase = f"reveal.{screen.view.shown[-1].key}"
        unit = self._unit(screen, phase)
        told = {
            "screen": _frames(screen, progress),
            "player": _frames(player, *own, progress),
            "host": _frames(host, panel, progress),
        }
        return Shown(f"{self.deck.id}: {unit}", unit, phase, told)

    def _unit(self, screen: View, phase: str) -> str:
        """Return what is shown, in words that no other moment of the deck has."""
        stories = [
            getattr(getattr(screen.view, "example", None), "story", None),
            getattr(screen.view, "story", None),
        ]
        titles = [story.title for story in stories if story is not None]
        if phase in ("lobby", "finished") or (phase == "example" and not titles):
            titles = [self.deck.title]
        if getattr(screen.view, "is_again", False):
            titles.append("shown again")
        if self.look.two_link:
            titles.append("two links")
        if self.look.sites > 1:
            titles.append(f"{self.look.sites} sites")
        unit = f"{phase} ({', '.join(titles)})" if titles else phase
        self.times_shown[unit] += 1
        times = self.times_shown[unit]
        return unit if times == 1 else f"{unit}, {times}"


def _frames(*messages: ServerMessage) -> str:
    return f"[{','.join(encode_server(message).decode() for message in messages)}]"


def replaced(shown: Shown, old: str, new: str) -> Shown:
    """Return a moment with one text exchanged for another, for every role."""
    before, after = (json.dumps(text, ensure_ascii=False)[1:-1] for text in (old, new))
    assert all(before in told for told in shown.told.values())
    told = {role: text.replace(before, after) for role, text in shown.told.items()}
    return replace(shown, told=told)
