"""What a client may send: JSON objects told apart by ``type``.

Host commands are the game's own (server/game/commands.py), with ``ref``. Everything
else is here.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from scenarios.model import Label, Slug
from server.game import commands
from server.game.answers import Answer
from server.game.commands import (
    GiveTime,
    HostCommand,
    Kick,
    KickRecent,
    LetBack,
    Lock,
    Percent,
    Ref,
    Site,
    Unlock,
)
from server.game.ids import Challenger, ClientId, PlayerId, RoomCode
from server.game.phases import Ballot, Place
from server.game.settings import RoomSettings

PROTOCOL_VERSION = 1

Role = Literal["player", "screen", "cohost", "host", "admin"]

ClientName = Annotated[
    ClientId, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")
]
Counter = Annotated[int, Field(ge=0, le=2**53)]


class Message(BaseModel):
    """Base of all messages: frozen, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )


class Hello(Message):
    """The first message on every socket: the person, their role and the room.

    A player gives ``name`` (to join) or ``token`` (to come back). A host, a co-host, a
    screen or an admin receives a challenge and answers it with ``prove``.
    """

    type: Literal["hello"] = "hello"
    version: int
    """Protocol version the client speaks; this document describes version 1."""
    role: Role
    room: Annotated[RoomCode, Field(max_length=16)] | None = None
    """Room code, in either case; absent for an admin."""
    name: Annotated[str, Field(max_length=200)] | None = None
    token: Annotated[str, Field(max_length=100)] | None = None
    """Resume token from an earlier welcome."""
    team: Annotated[str, Field(max_length=100)] | None = None
    join_key: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    """Random, and chosen by the client for one visit. If no welcome comes and the
    client sends the hello again with the same key, it does not join twice."""
    is_practice: bool = False
    """Marks a practice player: left out of tallies unless the room is a rehearsal."""
    device: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    """Random, and kept by the device. After the host has removed a player, their device
    cannot join under another name. The room stores a mark derived from it, which is
    different in every room."""


class Prove(Message):
    """Answers a challenge: proves that the client has the key, without sending it.

    ``proof`` is the lower-case hex of HMAC-SHA256 over the UTF-8 text
    ``two-gaps 1 ROLE ROOM NONCE`` (ROOM in upper case, ``-`` for an admin), keyed with
    the 16 bytes of the key.
    """

    type: Literal["prove"] = "prove"
    proof: Annotated[str, Field(max_length=128)]


class Vote(Message):
    """Answer the open ballot; the answer can be changed until the ballot closes.

    Each running client chooses its ``client`` once. ``counter`` grows with each new
    answer. Resend with the same pair until ``recorded`` or ``refused`` comes.
    """

    type: Literal["vote"] = "vote"
    round: Annotated[int, Field(ge=0, le=999)]
    """Index of the round (0-based), as the view gives it."""
    ballot: Ballot
    """Which ballot is meant: a vote for a ballot that has closed is never counted."""
    client: ClientName
    counter: Counter
    answer: Answer
    reason: Annotated[str, Field(max_length=600)] = ""
    """One line: which fact decides it? Kept to 280 characters."""


class AskTime(Message):
    """A player asks privately for more time in every vote, in percent (0: no limit)."""

    type: Literal["ask_time"] = "ask_time"
    ref: Ref = None
    percent: Percent

    def command(self, player: PlayerId) -> commands.AskTime:
        """Return what it asks of the room, in the player's name."""
        return commands.AskTime(player, self.percent, self.ref)


class ChooseTeam(Message):
    """Move to another team."""

    type: Literal["choose_team"] = "choose_team"
    ref: Ref = None
    team: Annotated[str, Field(max_length=100)]

    def command(self, player: PlayerId) -> commands.ChooseTeam:
        """Return what it asks of the room, in the player's name."""
        return commands.ChooseTeam(player, self.team, self.ref)


class SayIt(Message):
    """A player's own sentence on a case, as an expert would say it.

    Allowed in the phase ``say``, and on the card once the game is over. Can be sent
    again.
    """

    type: Literal["say_it"] = "say_it"
    ref: Ref = None
    round: Annotated[int, Field(ge=0, le=999)]
    text: Annotated[str, Field(max_length=800)]
    """One line, cut to 400 characters; empty text withdraws it."""

    def command(self, player: PlayerId) -> commands.SayIt:
        """Return what it asks of the room, in the player's name."""
        return commands.SayIt(player, self.round, self.text, self.ref)


class ChallengeLabel(Message):
    """Challenge the label of a case in a sentence, once the class has seen the verdict.

    Each player, each site's co-host and the host have one challenge per case; a new one
    replaces it. Hosts see challenges with names; the report counts them.
    """

    type: Literal["challenge_label"] = "challenge_label"
    ref: Ref = None
    round: Annotated[int, Field(ge=0, le=999)]
    """Index of the round (0-based), of the plan."""
    text: Annotated[str, Field(max_length=600)]
    """One line, cut to 280 characters; empty text withdraws it."""

    def command(self, by: Challenger) -> commands.ChallengeLabel:
        """Return what it asks of the room, in the name of who sent it."""
        return commands.ChallengeLabel(by, self.round, self.text, self.ref)


class TapOpening(Message):
    """Say which gap broke in a case of the opening minute; not scored."""

    type: Literal["tap_opening"] = "tap_opening"
    ref: Ref = None
    case: Annotated[int, Field(ge=0, le=1)]
    """Which of the two cases (0-based), as the view gives it."""
    gap: Label

    def command(self, player: PlayerId) -> commands.TapOpening:
        """Return what it asks of the room, in the player's name."""
        return commands.TapOpening(player, self.case, self.gap, self.ref)


class GetRoster(Message):
    """A host asks for a page of the roster, with at most 50 people.

    A co-host sees the people of their own site, without points.
    """

    type: Literal["get_roster"] = "get_roster"
    ref: Ref = None
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0
    search: Annotated[str, Field(max_length=100)] = ""
    """Return only names that contain this text."""
    removed: bool = False
    """People who were removed, instead of those in the room."""
    site: Site = None
    """Return only people at this site."""


class OpenNext(Message):
    """After a game, a host opens the next lesson, with twins of its hardest cases.

    The answer is ``room_opened``, with the new room's key. While that room runs, asking
    again returns it. It has the settings of this room.
    """

    type: Literal["open_next"] = "open_next"
    ref: Ref = None
    same: bool = False
    """For another class: the plan of this room again, in a room without a name."""


class ListCases(Message):
    """A host asks which cases from the library can be added to the plan."""

    type: Literal["list_cases"] = "list_cases"
    ref: Ref = None


class AddCase(Message):
    """Play one more case of the library, after those of the plan."""

    type: Literal["add_case"] = "add_case"
    ref: Ref = None
    seen: Place | None = None
    case: Slug


class GetReport(Message):
    """A host asks for the room's report, on what has been played so far.

    If ``form`` is page, the answer is ``report``, else ``file``. It takes a second or
    more. The report contains only what is stored, so it lacks votes that are still on
    their way.
    """

    type: Literal["get_report"] = "get_report"
    ref: Ref = None
    form: Literal["page", "html", "csv", "xlsx", "json"] = "page"
    reader: Literal["host", "others"] = "host"
    """For others, small counts are hidden; files only."""
    reasons: bool = True
    """Include typed reasons in the table of answers."""


class GetAcross(Message):
    """An admin asks for a file about several rooms: side by side and pooled."""

    type: Literal["get_across"] = "get_across"
    ref: Ref = None
    rooms: Annotated[
        tuple[Annotated[RoomCode, Field(max_length=16)], ...],
        Field(min_length=2, max_length=20),
    ]
    form: Literal["html", "csv", "json"] = "html"
    match_names: bool = False
    """Treat people with the same name as one person; the first room is before, the last
    after.
    """


class OpenRoom(Message):
    """An admin opens a room."""

    type: Literal["open_room"] = "open_room"
    ref: Ref = None
    deck: Slug
    length: Annotated[int, Field(ge=1, le=60)] | None = None
    """Number of rounds; absent for the whole deck."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """Seed of every shuffle; absent for a random one."""
    settings: RoomSettings | None = None
    """If absent: the defaults, and questions about both links if the deck needs
    them."""
    practice: Annotated[int, Field(ge=0, le=100)] = 0
    """Number of practice players that the server adds; makes the room a rehearsal."""
    name: Annotated[str, Field(max_length=200)] = ""
    """What the host calls the room, cut to 40 characters; may be empty."""


class ListRooms(Message):
    """An admin asks for the rooms of this server, newest first."""

    type: Literal["list_rooms"] = "list_rooms"
    ref: Ref = None


class ListDecks(Message):
    """An admin asks for the decks and cases of the library."""

    type: Literal["list_decks"] = "list_decks"
    ref: Ref = None


class GetCase(Message):
    """An admin asks for a complete case, to preview it."""

    type: Literal["get_case"] = "get_case"
    ref: Ref = None
    case: Annotated[str, Field(max_length=100)]


class GetLink(Message):
    """An admin asks how to derive a room's current host key from the admin key."""

    type: Literal["get_link"] = "get_link"
    ref: Ref = None
    room: Annotated[RoomCode, Field(max_length=16)]


class DeleteRoom(Message):
    """An admin deletes a room for good, with everything that is stored about it.

    A game that is running in it is ended: its clients get ``bye`` (``room_deleted``). A
    room that another node is home to is refused (``room_moved``).
    """

    type: Literal["delete_room"] = "delete_room"
    ref: Ref = None
    room: Annotated[RoomCode, Field(max_length=16)]


class PreviewCase(Message):
    """An admin asks for a preview of a case, moment by moment."""

    type: Literal["preview_case"] = "preview_case"
    ref: Ref = None
    case: Annotated[str, Field(max_length=100)]


class TellSound(Message):
    """Report whether a projector page can play sounds; hosts see how many can't.

    Browsers allow sound only after a click on the page. Not stored.
    """

    type: Literal["tell_sound"] = "tell_sound"
    ref: Ref = None
    is_on: bool


class Ping(Message):
    """Asks for a pong, to measure the round trip and the server's clock."""

    type: Literal["ping"] = "ping"
    ref: Ref = None


PlayerWish = AskTime | ChooseTeam | SayIt | TapOpening
"""What a player may ask beside voting; each knows its command."""
PlayerMessage = Vote | PlayerWish | ChallengeLabel | Ping
ScreenMessage = TellSound | Ping
Removal = Kick | KickRecent | LetBack
SiteCommand = Lock | Unlock | Removal | GiveTime
"""What a co-host may command; the room makes each about the own site's people only."""
CohostMessage = SiteCommand | ChallengeLabel | GetRoster | Ping
AdminQuestion = (
    OpenRoom | ListRooms | GetLink | DeleteRoom | ListDecks | GetCase | PreviewCase
)
AdminMessage = AdminQuestion | GetAcross | Ping
HostQuestion = OpenNext | ListCases
"""What a host asks of the server, not of the room."""
HostMessage = (
    HostCommand | AddCase | ChallengeLabel | GetRoster | GetReport | HostQuestion | Ping
)
PublicMessage = Hello | Prove
ClientMessage = Annotated[
    PublicMessage | PlayerMessage | ScreenMessage | AdminMessage | HostMessage,
    Field(discriminator="type"),
]


def _types(union: object) -> frozenset[str]:
    """Return the ``type`` of every member of a union of messages."""
    return frozenset(
        TypeAdapter(kind).json_schema()["properties"]["type"]["const"]
        for kind in get_args(union)
    )


ALLOWED: dict[Role, frozenset[str]] = {
    "player": _types(PlayerMessage),
    "screen": _types(ScreenMessage),
    "cohost": _types(CohostMessage),
    "host": _types(HostMessage),
    "admin": _types(AdminMessage),
}
"""Which message types each role may send once it is welcome."""
