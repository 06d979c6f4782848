"""What the server may send: JSON objects told apart by ``type``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scenarios.model import Case, Deck, Flow, Kind
from server.game.answers import Answer
from server.game.commands import Ref
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.phases import Ballot, Phase
from server.game.rehearsal import Scene
from server.game.views.role_types import (
    CohostPanel,
    HostPanel,
    HostView,
    PersonCard,
    PrivateView,
)
from server.game.views.stage_types import StageView, Verdict
from server.protocol.client_messages import Message, Role
from server.protocol.report_types import Report


class Challenge(Message):
    """Asks a host, a co-host, a screen or an admin to prove that it has the key."""

    type: Literal["challenge"] = "challenge"
    nonce: str


class Welcome(Message):
    """The hello was accepted; the view follows immediately."""

    type: Literal["welcome"] = "welcome"
    role: Role
    room: RoomCode | None
    player: PlayerId | None = None
    name: str | None = None
    """The player's name after cleaning, with a number if it was already taken."""
    token: str | None = None
    """Resume token: send it in the next hello instead of a name."""
    server: str
    """Name and version of the server."""
    now_ms: int
    """The server's clock, UTC milliseconds."""
    site: str | None = None
    """The site of this socket; absent if all play at one site."""
    addresses: tuple[str, ...] = ()
    """Addresses of this server's sockets, if it has several. If one does not answer,
    the client continues at the next."""


class View(Message):
    """What the class sees now. A greater version replaces the previous view."""

    type: Literal["view"] = "view"
    version: int
    view: StageView


class HostViewMessage(Message):
    """The host's view of the phase."""

    type: Literal["host_view"] = "host_view"
    version: int
    view: HostView


class Panel(Message):
    """The host's live figures, at most five times a second."""

    type: Literal["panel"] = "panel"
    version: int
    """The room's version; at least that of the view to which these figures belong."""
    panel: HostPanel


class SitePanel(Message):
    """A co-host's live figures for their own site, at most five times a second."""

    type: Literal["site_panel"] = "site_panel"
    version: int
    panel: CohostPanel


class Progress(Message):
    """How many have answered; at most 5 a second to host and screen, 1 to players."""

    type: Literal["progress"] = "progress"
    answered: int
    expected: int
    """Number of people who answered, or are here and still could."""
    joined: int
    closes_in_ms: int | None = None
    """Time until a ballot that all have answered closes automatically; None if it
    doesn't."""


class You(Message):
    """A player's own part: votes, points, time."""

    type: Literal["you"] = "you"
    you: PrivateView


class Recorded(Message):
    """The vote is stored on disk; ``answer`` is the one that counts now."""

    type: Literal["recorded"] = "recorded"
    round: int
    ballot: Ballot
    client: ClientId
    counter: int
    answer: Answer
    is_late: bool = False
    """Stored, but not scored, because it came after the reveal."""


class Received(Message):
    """The vote is stored at this site, and on its way to the room's home."""

    type: Literal["received"] = "received"
    round: int
    ballot: Ballot
    client: ClientId
    counter: int


class Done(Message):
    """A command was executed and stored, and the resulting view has been sent."""

    type: Literal["done"] = "done"
    ref: Ref


class RefusedMessage(Message):
    """A message was not accepted, and nothing changed."""

    type: Literal["refused"] = "refused"
    code: str
    """One of the documented codes."""
    detail: str
    """What is wrong and what to do, in plain words."""
    retry_ms: int | None = None
    """How long to wait before trying again, if that helps."""
    ref: Ref = None
    round: int | None = None
    """With ballot, client and counter: which vote was refused."""
    ballot: Ballot | None = None
    client: ClientId | None = None
    counter: int | None = None


class Notice(Message):
    """Something that everyone in the room should know."""

    type: Literal["notice"] = "notice"
    code: Literal["storage_unavailable", "storage_back", "site_cut", "site_back"]
    detail: str


class Bye(Message):
    """The last message on a socket; it says whether to come back."""

    type: Literal["bye"] = "bye"
    code: Literal[
        "taken_over",
        "kicked",
        "room_closed",
        "room_deleted",
        "shutting_down",
        "too_slow",
        "refused",
        "idle",
        "full",
        "prove_again",
        "moved",
        "link_called_back",
    ]
    detail: str
    come_back: bool
    """Whether the client should reconnect automatically."""
    retry_ms: int | None = None
    """Minimum time to wait first."""


class Pong(Message):
    """Answers a ping with the server's clock, UTC milliseconds."""

    type: Literal["pong"] = "pong"
    ref: Ref
    now_ms: int


class HostLink(Message):
    """How to derive a room's current host key from the first one.

    With each salt, derive the next key from the previous one (see ``call_back_link``).
    """

    type: Literal["host_link"] = "host_link"
    ref: Ref
    room: RoomCode
    salts: tuple[str, ...]


class Roster(Message):
    """A page of the roster."""

    type: Literal["roster"] = "roster"
    ref: Ref
    offset: int
    total: int
    """How many people match the search."""
    people: tuple[PersonCard, ...]


class ReportMessage(Message):
    """What a room has learned so far."""

    type: Literal["report"] = "report"
    ref: Ref
    report: Report


class FileMessage(Message):
    """A file to save."""

    type: Literal["file"] = "file"
    ref: Ref
    name: str
    media: str
    """Its media type."""
    content: str
    """The bytes in base64."""


class RoomOpenedMessage(Message):
    """A room is open, and these are its keys.

    The host key is the first 16 bytes of HMAC-SHA256(admin key, ``host CODE``); the
    screen key the first 16 bytes of HMAC-SHA256(host key, ``screen``). ``host_key`` is
    sent only if rooms may be opened without an admin key.
    """

    type: Literal["room_opened"] = "room_opened"
    ref: Ref
    room: RoomCode
    host_key: str | None = None


class RoomSummary(Message):
    """One room of this server."""

    room: RoomCode
    title: str
    opened_ms: int
    updated_ms: int
    phase: Phase
    joined: int
    round: int | None
    rounds: int
    time_zone: str | None = None
    """The class's time zone, in which dates are shown; null for UTC."""
    name: str = ""
    """What its host calls it; empty if it has no name."""


class RoomList(Message):
    """The rooms of this server, newest first (at most 200)."""

    type: Literal["room_list"] = "room_list"
    ref: Ref
    rooms: tuple[RoomSummary, ...]


class RoomDeletedMessage(Message):
    """A room has been deleted; its code is unknown from now on."""

    type: Literal["room_deleted"] = "room_deleted"
    ref: Ref
    room: RoomCode


class CaseSummary(Message):
    """One line of the library."""

    id: str
    title: str
    year: int
    kind: Kind
    domain: str
    level: int
    verdict: Verdict


class CaseList(Message):
    """The cases that can be added to a room's plan."""

    type: Literal["case_list"] = "case_list"
    ref: Ref
    cases: tuple[CaseSummary, ...]


class LeftOut(Message):
    """One reason why a file of cases or decks is not in the library."""

    file: str
    key: str
    message: str
    remedy: str


class DeckList(Message):
    """The decks and the cases of the library."""

    type: Literal["deck_list"] = "deck_list"
    ref: Ref
    decks: tuple[Deck, ...]
    cases: tuple[CaseSummary, ...]
    left_out: tuple[LeftOut, ...] = ()
    """What is wrong with files that could not be used."""
    minutes: dict[str, dict[Flow, tuple[int, ...]]] = Field(default_factory=dict)
    """By deck and flow: how many minutes the first round takes, the first two, ..."""


class PreviewMessage(Message):
    """A case as it would be played; without scenes if its file has an error."""

    type: Literal["preview"] = "preview"
    ref: Ref
    title: str
    scenes: tuple[Scene, ...]
    left_out: tuple[LeftOut, ...] = ()


class CaseMessage(Message):
    """A complete case."""

    type: Literal["case"] = "case"
    ref: Ref
    case: Case


ServerMessage = Annotated[
    Challenge
    | Welcome
    | View
    | HostViewMessage
    | Panel
    | SitePanel
    | Progress
    | You
    | Received
    | Recorded
    | Done
    | RefusedMessage
    | Notice
    | Bye
    | Pong
    | Roster
    | HostLink
    | ReportMessage
    | FileMessage
    | RoomOpenedMessage
    | RoomList
    | RoomDeletedMessage
    | DeckList
    | CaseMessage
    | CaseList
    | PreviewMessage,
    Field(discriminator="type"),
]
