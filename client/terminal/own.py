"""What only this player sees: the result of a round, and the card at the end."""

from __future__ import annotations

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from client.terminal.draw import narrow
from client.terminal.words import STYLES, answer_words, verdict_key
from server.game.phases import Ballot
from server.game.views.role_types import CardItem, MyVote, PrivateView, Talk

_BALLOTS = {
    Ballot.VOTE: "Your first vote",
    Ballot.REVOTE: "Your second vote",
    Ballot.FIX: "Your answer",
    Ballot.TRANSFER: "Your vote on the twin",
}


def results(you: PrivateView) -> tuple[str, ...]:
    """Print the discussion group, and how the round's votes did, as far as known."""
    lines = [_talk(you.talk)] if you.talk else []
    lines += [_judged(vote) for vote in you.votes if vote.is_right is not None]
    if you.missed:
        lines.append("You did not vote on this one.")
    if you.score is not None:
        lines.append(f"This case brings you {you.score:.1f} points.")
    return tuple(lines)


def _talk(talk: Talk) -> str:
    """Print the discussion group."""
    whom = ", ".join(talk.names) or f"find {talk.others} more with this number"
    return f"You are in group {talk.number}: {whom}."


def _judged(vote: MyVote) -> str:
    verdict = "right" if vote.is_right else "not this time"
    points = "" if vote.points is None else f", {vote.points:g} points"
    late = ", too late to score" if vote.is_late else ""
    return (
        f"{_BALLOTS[vote.ballot]}, {answer_words(vote.answer)}: {verdict}{points}{late}"
    )


def terms(you: PrivateView) -> str:
    """Say what was granted to this player alone."""
    time = {0: "no time limit", 100: "the time that all have"}
    own_time = time.get(you.percent, f"{you.percent} % of the time")
    team = f"; team {you.team}" if you.team else ""
    return f"For you: {own_time}{team}. Only the host knows."


def card(you: PrivateView) -> RenderableType:
    """Draw the player's own card: every case, own answers, the deciding fact."""
    table = Table(title=f"Your card, {you.name}", box=box.SIMPLE_HEAD, pad_edge=False)
    table.title_justify = "left"
    table.add_column("Case")
    table.add_column("Gap")
    table.add_column("You")
    table.add_column("The fact that decides")
    for item in you.card:
        key = verdict_key(item.verdict)
        table.add_row(
            Text(item.title),
            Text(key, style=STYLES[key]),
            Text(_own(item)),
            Text(item.deciding),
        )
    return narrow(table)


def _own(item: CardItem) -> str:
    gaps = [v for v in item.votes if v.ballot in (Ballot.VOTE, Ballot.REVOTE)]
    said = [answer_words(vote.answer) for vote in gaps] or ["no vote"]
    if item.score is not None:
        said.append(f"{item.score:.1f} points")
    return "\n".join(said)


def total(you: PrivateView) -> Text:
    """Say what the whole game brought."""
    cases = "case" if you.rounds == 1 else "cases"
    return Text(f"{you.points:.1f} points in {you.rounds} {cases}.", style="bold")
