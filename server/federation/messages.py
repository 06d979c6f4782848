"""The messages between nodes: batches up and down, node states, probes and claims.

Any message may be lost or delivered twice: a batch is sent again until it is
acknowledged, and a home may process an item more than once.

A node proves that it is home to a room with a chain of keys that only holders of the
room's journal can continue. The key of epoch ``e`` is a seed derived from the room's
secret, hashed ``EPOCHS - e`` times, so each epoch's key is the hash of the next one's
(Lamport 1981). Announcing an epoch reveals its key; a node that knows an earlier key
can verify it, but cannot compute the next one.
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
"""The newest batch in flight must be numbered less than this far above the oldest."""

MOST_BYTES = 64 * 1024
"""Maximum size of a message between nodes, in bytes."""

MOST_PROGRESS = 4_096
"""Maximum size of a frame with progress figures, in bytes."""

LARGEST = 2**53
"""Maximum number in a message between nodes; a larger one must be forged."""

Counted = Annotated[int, Field(ge=0, le=LARGEST)]
UtcMs = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
LinkId = Annotated[str, Field(max_length=40)]
Boot = Annotated[str, Field(max_length=64)]
Code = Annotated[RoomCode, Field(max_length=16)]
Token = Annotated[str, Field(pattern=r"^[!-~]{1,100}$")]
"""A resume token: printable ASCII without spaces."""


class NodeMessage(BaseModel):
    """Base class of messages: frozen. Ignores keys that only later versions know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class NodeState(NodeMessage):
    """Whether a node is up, and the ID of its current run."""

    is_up: bool
    boot: Boot
    url: Annotated[str, Field(max_length=200, pattern=r"^(https?://\S+)?$")] = ""
    """The node's address for clients; empty until it listens."""


class Announce(NodeMessage):
    """Announces a room's home; a later epoch wins if its key follows."""

    epoch: Annotated[int, Field(ge=1, le=EPOCHS)]
    key: Annotated[str, Field(pattern=r"^([0-9a-f]{32}|[0-9a-f]{64})?$")] = ""
    """Proves that the sender has the room's journal (see :func:`epoch_key`)."""


class UpEnter(NodeMessage):
    """A player joins by name."""

    op: Literal["enter"] = "enter"
    hello: Hello
    by: Annotated[str, Field(max_length=32)] = ""
    """A keyed hash of their address, for this room and this run of the site only."""


class UpReturn(NodeMessage):
    """A player has reconnected, or the edge lists its players for a new home."""

    op: Literal["return"] = "return"
    token: Annotated[str, Field(max_length=100)]


class UpAttend(NodeMessage):
    """A screen or a co-host answers the edge's challenge."""

    op: Literal["attend"] = "attend"
    audience: Literal["screen", "cohost"]
    nonce: Annotated[str, Field(max_length=100)]
    proof: Annotated[str, Field(max_length=128)]


class UpLeave(NodeMessage):
    """A client has disconnected."""

    op: Literal["leave"] = "leave"


class UpSay(NodeMessage):
    """A message from a player, a screen or a co-host.

    Its timestamp is in the home's time (UTC ms). The room checks which role may send
    it.
    """

    op: Literal["say"] = "say"
    token: Annotated[str, Field(max_length=100)] | None
    message: Annotated[
        PlayerMessage | ScreenMessage | CohostMessage, Field(discriminator="type")
    ]
    stamped_ms: UtcMs


class UpFlush(NodeMessage):
    """The edge has sent everything it received for views before this version."""

    op: Literal["flush"] = "flush"
    version: Counted
    waiting: Counted = 0
    """Number of votes for the room that are not acknowledged yet."""


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
    """Return None for an item that cannot be read, so that others can still be used."""
    try:
        return read(value)
    except ValidationError:
        return None


_ALONE = WrapValidator(_one_alone)


class UpBatch(NodeMessage):
    """A numbered batch of requests from one edge."""

    boot: Boot
    number: Counted
    oldest: Counted
    """The oldest unfinished batch: all older ones are done."""
    items: Annotated[
        tuple[Annotated[UpItem | None, _ALONE], ...], Field(max_length=1000)
    ]
    """None for each item that cannot be read."""

    @model_validator(mode="after")
    def _is_on_its_way(self) -> Self:
        if not self.oldest <= self.number < self.oldest + SPAN:
            raise ValueError(f"a batch must be less than {SPAN} after the oldest")
        return self


DownOp = Literal["push", "greet", "turn_away", "part"]


class DownItem(NodeMessage):
    """An item for one link: a frame, the welcome, a refused hello, or the end."""

    link: LinkId
    room: Code
    op: DownOp
    frame: str = ""
    slot: Slot | None = None
    player: Annotated[PlayerId, Field(max_length=64)] | None = None
    code: Annotated[str, Field(max_length=64)] = ""


class Mark(NodeMessage):
    """Asks an edge to report when it has sent everything it received for a room."""

    room: Code
    version: Counted


class DownBatch(NodeMessage):
    """Acknowledgements and frames for one edge, delivered together or not at all."""

    boot: Boot
    """The run of the edge that the acknowledged numbers belong to."""
    acks: tuple[Counted, ...]
    items: tuple[Annotated[DownItem | None, _ALONE], ...]
    """None for each item that cannot be read."""
    marks: tuple[Mark, ...] = ()
    """Rooms for which the edge is asked to send a flush mark."""


class Welcome(BaseModel):
    """The part of a player's welcome that an edge reads."""

    token: Token | None = None


ProbeMs = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]


class Probe(NodeMessage):
    """A clock probe, with the edge's time when it was sent."""

    sent_ms: ProbeMs


class Answer(NodeMessage):
    """The answer to a clock probe, with the home's time (UTC ms)."""

    sent_ms: ProbeMs
    home_ms: UtcMs


def encode_up_batch(
    boot: str, number: int, oldest: int, items: Iterable[bytes]
) -> bytes:
    """Return an encoded batch; ``items`` are already encoded, each only once."""
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
    """Return a DownItem as JSON, written by hand because every vote needs one."""
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
    """Return an encoded batch for an edge; ``items`` are already encoded."""
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
    """Return the message in a payload; None if it is invalid or too large."""
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
    """Return epoch, version and frame of a retained view; None if it is invalid."""
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
    except ValueError:  # not hexadecimal
        return False


def _hashed(key: str, times: int) -> str:
    raw = bytes.fromhex(key)
    for _ in range(times):
        raw = hashlib.sha256(raw).digest()
    return raw.hex()
