"""What an edge tells its people of the line, in frames that are encoded once."""

from __future__ import annotations

from server.protocol.client_messages import Vote
from server.protocol.codec import encode_server
from server.protocol.server_messages import Bye, Notice, Received

CUT = encode_server(
    Notice(
        code="site_cut",
        detail="The line to the game is down. Go on voting: your votes are kept here "
        "and travel as soon as it is back.",
    )
)
BACK = encode_server(
    Notice(code="site_back", detail="The line is back; your votes are on their way.")
)
PROVE_AGAIN = encode_server(
    Bye(
        code="prove_again",
        detail="The line to the game was cut; the key has to be shown again.",
        come_back=True,
    )
)
MOVED = encode_server(
    Bye(
        code="moved",
        detail="The game has moved to another server; it goes on there.",
        come_back=True,
    )
)


def received(vote: Vote) -> bytes:
    """Return the frame that says of a vote that it is safe at this site."""
    return encode_server(
        Received(
            round=vote.round,
            ballot=vote.ballot,
            client=vote.client,
            counter=vote.counter,
        )
    )


def shown_out(detail: str) -> bytes:
    """Return the last frame for somebody whom the home does not let in again."""
    return encode_server(Bye(code="refused", detail=detail[:500], come_back=False))
