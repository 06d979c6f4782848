"""What nodes say to each other: batches up, batches down, states, probes, claims.

Any message may be lost or delivered twice: a batch is sent again until it is
acknowledged, and a home may process an item more than once.

Which node a room lives at is proven by a chain of keys that only holders of its journal
can continue. The key of epoch ``e`` is a seed from the room's secret, hashed repeatedly
that each epoch's key is the hash of the next one's (Lamport 1981). Announcing an epoch
shows its key; a node that knows an earlier key can check it and cannot make the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from json.encoder import encode_basestring as _quoted
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from server.game.ids import PlayerId, RoomCode
from server.protocol.client_messages import (
    CohostMessage,
    Hello,
    PlayerMessage,
    ScreenMessage,
)
from server.protocol.keys import derive
from server.rooms.ports import Slot

EPOCHS = 1_024
"""Maximum number of times that a room may move."""

SPAN = 1_024
"""The newest batch on its way is less than this many numbers after the oldest."""

MOST_BYTES = 64 * 1024
"""No message between nodes is larger."""

MOST_PROGRESS = 4_096
"""Maximum bytes of a frame of figures."""

LARGEST = 2**53
"""No number between nodes is larger: a greater one is forged."""

Counted = Annotated[int, Field(ge=0, le=LARGEST)]
UtcMs = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
LinkId = Annotated[str, Field(max_length=40)]
Boot = Annotated[str, Field(max_length=64)]
Code = Annotated[RoomCode, Field(max_length=16)]
Token = Annotated[str, Field(pattern=r"^[!-~]{1,100}$")]
"""A resume token: printable ASCII without spaces."""


class NodeMessage(BaseModel):
    """Base: frozen. Keys that only a later version knows are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class NodeState(NodeMessage):
    """A node is up, with its own boot id, or down."""

    is_up: bool
    boot: Boot
    url: Annotated[str, Field(max_length=200, pattern=r"^(https?://\S+)?$")] = ""
    """The address at which people reach the node; empty before it listens."""


class Announce(NodeMessage):
    """A node is home to this room; a greater epoch wins, if its key follows."""

    epoch: Annotated[int, Field(ge=1, le=EPOCHS)]
    key: Annotated[str, Field(pattern=r"^([0-9a-f]{32}|[0-9a-f]{64})?$")] = ""
    """Proves that the sender has the room's journal (see :func:`epoch_key`)."""


class UpEnter(NodeMessage):
    """A person joins by name."""

    op: Literal["enter"] = "enter"
    hello: Hello
    by: Annotated[str, Field(max_length=32)] = ""
    """A mark of their address, for this room and this run of the site alone."""


class UpReturn(NodeMessage):
    """A player is back, or the edge tells a new home who is there."""

    op: Literal["return"] = "return"
    token: Annotated[str, Field(max_length=100)]


class UpAttend(NodeMessage):
    """A screen or a co-host answers the edge's challenge."""

    op: Literal["attend"] = "attend"
    audience: Literal["screen", "cohost"]
    nonce: Annotated[str, Field(max_length=100)]
    proof: Annotated[str, Field(max_length=128)]


class UpLeave(NodeMessage):
    """A connection is gone."""

    op: Literal["leave"] = "leave"


class UpSay(NodeMessage):
    """A message of a player, a wall or a co-host, stamped in the home's time (UTC ms).

    Which of them may say it is for the room to check.
    """

    op: Literal["say"] = "say"
    token: Annotated[str, Field(max_length=100)] | None
    message: Annotated[
        PlayerMessage | ScreenMessage | CohostMessage, Field(discriminator="type")
    ]
    stamped_ms: UtcMs


class UpFlush(NodeMessage):
    """Everything the edge received under views before this version is on its way."""

    op: Literal["flush"] = "flush"
    version: Counted
    waiting: Counted = 0
    """Votes for the room that are not acknowledged yet."""


UpBody = Annotated[
    UpEnter | UpReturn | UpAttend | UpLeave | UpSay | UpFlush,
    Field(discriminator="op"),
]


class UpItem(NodeMessage):
    """One request, numbered by the edge in one sequence for each home."""

    seq: Counted
    room: Code
    link: LinkId
    body: UpBody


def _one_alone(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """Return None for an item that cannot be read: it spoils no other."""
    try:
        return read(value)
    except ValidationError:
        return None


_ALONE = WrapValidator(_one_alone)


class UpBatch(NodeMessage):
    """Requests of one edge, in a batch with its own number."""

    boot: Boot
    number: Counted
    oldest: Counted
    """The oldest batch that is not done: whatever is older has been dealt with."""
    items: Annotated[
        tuple[Annotated[UpItem | None, _ALONE], ...], Field(max_length=1000)
    ]
    """None for each that cannot be read."""

    @model_validator(mode="after")
    def _is_on_its_way(self) -> Self:
        if not self.oldest <= self.number < self.oldest + SPAN:
            raise ValueError(f"a batch must be less than {SPAN} after the oldest")
        return self


DownOp = Literal["push", "greet", "turn_away", "part"]


class DownItem(NodeMessage):
    """Something for one link: a frame, the welcome, a refused hello, or the end."""

    link: LinkId
    room: Code
    op: DownOp
    frame: str = ""
    slot: Slot | None = None
    player: Annotated[PlayerId, Field(max_length=64)] | None = None
    code: Annotated[str, Field(max_length=64)] = ""


class Mark(NodeMessage):
    """Asks an edge to say when all it received for a room so far is on its way."""

    room: Code
    version: Counted


class DownBatch(NodeMessage):
    """Acknowledged numbers and frames for one edge, together or not at all."""

    boot: Boot
    """Of the edge the numbers belong to."""
    acks: tuple[Counted, ...]
    items: tuple[Annotated[DownItem | None, _ALONE], ...]
    """None for each that cannot be read."""
    marks: tuple[Mark, ...] = ()
    """What the edge is asked to send a flush mark for."""


class Welcome(BaseModel):
    """What an edge reads of a player's welcome."""

    token: Token | None = None


ProbeMs = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]


class Probe(NodeMessage):
    """A clock probe: the edge's time when it was sent."""

    sent_ms: ProbeMs


class Answer(NodeMessage):
    """The home's time when a probe was answered (UTC ms)."""

    sent_ms: ProbeMs
    home_ms: UtcMs


def encode_up_batch(
    boot: str, number: int, oldest: int, items: Iterable[bytes]
) -> bytes:
    """Return a batch of requests that are encoded already: each only once."""
    return b'{"boot":"%s","number":%d,"oldest":%d,"items":[%s]}' % (
        boot.encode(),
        number,
        oldest,
        b",".join(items),
    )


def encode_down_item(
    link: str,
    room: RoomCode,
    op: DownOp,
    frame: str,
    slot: Slot | None = None,
    player: PlayerId | None = None,
    code: str = "",
) -> bytes:
    """Return a DownItem as it is sent: by hand, since there is one for every vote."""
    text = f'{{"link":{_quoted(link)},"room":{_quoted(room)},"op":"{op}"'
    text += f',"frame":{_quoted(frame)}'
    if slot is not None:
        text += f',"slot":"{slot}"'
    if player is not None:
        text += f',"player":{_quoted(player)}'
    if code:
        text += f',"code":{_quoted(code)}'
    return (text + "}").encode()


def encode_down_batch(
    boot: str, acks: Iterable[int], items: Iterable[bytes], marks: Iterable[Mark] = ()
) -> bytes:
    """Return acknowledgements and frames for an edge; the frames are encoded."""
    return b'{"boot":"%s","acks":[%s],"items":[%s],"marks":[%s]}' % (
        boot.encode(),
        ",".join(map(str, acks)).encode(),
        b",".join(items),
        b",".join(encode(mark) for mark in marks),
    )


M = TypeVar("M", bound=BaseModel)


def encode(message: NodeMessage) -> bytes:
    """Return a message as it is published."""
    return message.model_dump_json().encode()


def decode(kind: type[M], payload: bytes) -> M | None:
    """Return the message in a payload; None if it is forged or too large."""
    if len(payload) > MOST_BYTES:
        return None
    try:
        return kind.model_validate_json(payload)
    except ValidationError:
        return None


def encode_view(epoch: int, version: int, frame: bytes) -> bytes:
    """Return a view as it is retained: epoch and version, a newline, the frame."""
    return b"%d %d\n" % (epoch, version) + frame


def decode_view(payload: bytes) -> tuple[int, int, bytes] | None:
    """Return epoch, version and frame of a retained view; None if it is none."""
    head, newline, frame = payload.partition(b"\n")
    if not newline or len(head) > 40 or len(payload) > MOST_BYTES:
        return None
    try:
        epoch, version = (int(part) for part in head.split(b" "))
    except ValueError:
        return None
    is_bounded = 1 <= epoch <= EPOCHS and 0 <= version <= LARGEST
    return (epoch, version, frame) if is_bounded else None


def epoch_key(secret: str, epoch: int) -> str:
    """Return the key (hex) of an epoch, 1 to 1,024, of the room with this secret."""
    if not 1 <= epoch <= EPOCHS:
        raise ValueError(f"no epoch {epoch}")
    return _hashed(derive(secret, "epochs"), EPOCHS - epoch)


def follows(key: str, epoch: int, known_key: str, known_epoch: int) -> bool:
    """Whether the key of a later epoch belongs to the room of an earlier one."""
    if not known_epoch < epoch <= EPOCHS:
        return False
    try:
        return _hashed(key, epoch - known_epoch) == known_key
    except ValueError:  # no hexadecimal digits
        return False


def _hashed(key: str, times: int) -> str:
    raw = bytes.fromhex(key)
    for _ in range(times):
        raw = hashlib.sha256(raw).digest()
    return raw.hex()
