"""Draws what only one person sees: the host's figures, or a player's own results."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from client.terminal.draw import narrow, tally
from client.terminal.words import STYLES, answer_words, option_words, verdict_key
from scenarios.prose import plural
from server.game.commands import (
    HideSentence,
    HostCommand,
    PinReason,
    ShowSentence,
    UnpinReason,
)
from server.game.outcomes import percent
from server.game.phases import Ballot
from server.game.views.role_types import (
    CardItem,
    HostPanel,
    Measures,
    MyVote,
    PersonCard,
    PlanItem,
    PrivateView,
    ReasonCard,
    SentenceCard,
    SiteCard,
    SiteLink,
    Talk,
)
from server.protocol.server_messages import CaseSummary


def figures(panel: HostPanel, is_voting: bool) -> Text:
    """Say in one line who is here and, in a vote, who has answered."""
    practice = f", {panel.practice} of them practice" if panel.practice else ""
    said = f"{panel.joined} joined{practice}; {panel.connected} connected"
    if is_voting:
        said += f"; {panel.answered} of {panel.expected} answered"
    return Text(said, style="dim")


def advice(panel: HostPanel) -> RenderableType:
    """Draw the vote as the host sees it before the reveal, and the advice."""
    parts: list[RenderableType] = []
    if panel.tally_seen:
        said = "This vote was reopened, and you have already seen its tally."
        parts.append(Text(said, style="dim"))
    if panel.measures is not None:
        parts += [Text("For the host only:", style="dim"), _measures(panel.measures)]
    if panel.advice is not None:
        parts.append(
            Text.assemble(
                ("Advice: ", "dim"),
                (panel.advice.headline.text, "bold"),
                f" – {panel.advice.reason.text}",
            )
        )
    return narrow(Group(*parts))


def _measures(measures: Measures) -> RenderableType:
    said = _how_right(measures)
    if measures.mean_confidence is not None:
        said += f"; mean confidence {percent(measures.mean_confidence)}%"
    if measures.tell_confident_errors:
        said += f"; {measures.confident_errors} sure but wrong: name the error"
    name = "Repair" if measures.ballot is Ballot.FIX else f"The {measures.ballot}"
    return Group(tally(name.capitalize(), measures.bars), Text(said + "."))


def _how_right(measures: Measures) -> str:
    if measures.right is None:
        return f"{measures.n} answered; no answer is right or wrong here"
    low, high = measures.interval
    share = measures.right / measures.n if measures.n else 0.0
    about = " about both links" if measures.weaker else ""
    said = (
        f"{measures.right} of {measures.n} right{about} ({percent(share)}%, 95% "
        f"interval {percent(low)}% to {percent(high)}%)"
    )
    if measures.weaker:
        link, right = measures.weaker.link, measures.weaker.right
        said += f"; {right} about the {link} link"
    if measures.carried:
        said += f"; {plural(measures.carried, 'first vote')} counted again"
    return said


def waiting(panel: HostPanel) -> str:
    """Print the sites that a reveal waits for, and how to continue."""
    sites = panel.held.sites if panel.held else ()
    names = ", ".join(f"{site.name} ({_line(site)})" for site in sites)
    return f"Waiting for {names}. g: go on without"


def sites(panel: HostPanel) -> RenderableType:
    """Draw a table of the sites: connection, people, and how many are right."""
    if not panel.sites:
        return Text()
    table = Table("site", "line", "people", "answered", "right", "late", box=box.SIMPLE)
    for site in panel.sites:
        table.add_row(
            site.name,
            _line(site.link) if site.link else "no contact",
            f"{site.connected} of {site.people}",
            str(site.answered),
            _right(site),
            str(site.late),
        )
    return table


def _line(link: SiteLink) -> str:
    if link.is_here:
        return "this server"
    said = "up" if link.is_up else "cut"
    if link.silent_s is not None:
        said += f", silent for {link.silent_s} s"
    waits = plural(link.waiting, "vote on its way", "votes on their way")
    return f"{said}, {waits}" if link.waiting else said


def _right(site: SiteCard) -> str:
    if site.right is None or not site.answered:
        return "–"
    low, high = site.interval
    share = percent(site.right / site.answered)
    return f"{share}% ({percent(low)} to {percent(high)})"


def reasons(panel: HostPanel, names: bool = False) -> RenderableType:
    """Draw the reasons given, numbered for pinning; with their authors if ``names``."""
    lines = []
    for number, reason in enumerate(panel.reasons, start=1):
        line = Text(f"  {number} {option_words(reason.side)}: “{reason.text}”")
        line.stylize(STYLES.get(reason.side, ""))
        if names:
            line.append(f" – {reason.name}", style="dim")
        if reason.is_pinned:
            line.append(" (shown)", style="bold")
        lines.append(line)
    if not lines:
        return Text("No reasons were given.", style="dim")
    return narrow(Group(Text("Reasons", style="bold"), *lines))


def sentences(panel: HostPanel) -> RenderableType:
    """Draw the players' sentences, numbered for ``pin``, with their authors."""
    if not panel.sentences:
        return Text()
    lines = []
    for number, card in enumerate(panel.sentences, start=1):
        line = Text.assemble(f"  {number} “{card.text}”", (f" – {card.name}", "dim"))
        if card.is_shown:
            line.append(" (shown)", style="bold")
        lines.append(line)
    return narrow(Group(Text("Sentences", style="bold"), *lines))


def toggled(card: ReasonCard | SentenceCard) -> HostCommand:
    """Return the command that shows a card's words to the class, or hides them."""
    if isinstance(card, SentenceCard):
        return HideSentence() if card.is_shown else ShowSentence(player=card.player)
    if card.is_pinned:
        return UnpinReason(player=card.player)
    return PinReason(player=card.player, ballot=card.ballot)


def challenges(panel: HostPanel) -> RenderableType:
    """Draw the challenges to the label that is shown, with their authors."""
    if not panel.challenged:
        return Text()
    lines = [
        Text(f"  “{one.text}” – {_CHALLENGERS[one.by].format(name=one.name)}")
        for one in panel.challenges
    ]
    if more := panel.challenged - len(panel.challenges):
        lines.append(Text(f"  and {more} more, in the report", style="dim"))
    title = f"Challenges to this label: {panel.challenged}"
    return narrow(Group(Text(title, style="bold"), *lines))


_CHALLENGERS = {"player": "{name}", "cohost": "co-host at {name}", "host": "host"}


def people(cards: Sequence[PersonCard], total: int) -> RenderableType:
    """Draw a page of the roster."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Name", "Team", "Here", "Answered", "Own time", "Points"):
        table.add_column(name)
    for card in cards:
        own_time = {100: "", 0: "no limit"}.get(card.percent, f"{card.percent}%")
        table.add_row(
            Text(card.name),
            Text(card.team or ""),
            "yes" if card.is_connected else "away",
            "yes" if card.has_answered else "",
            own_time,
            f"{card.points:.1f}" if card.rounds else "",
        )
    shown = Text(f"{len(cards)} of {plural(total, 'person', 'people')}", style="dim")
    return Group(table, shown)


# --- a player ------------------------------------------------------------------------

_BALLOTS = {
    Ballot.VOTE: "Your first vote",
    Ballot.REVOTE: "Your second vote",
    Ballot.FIX: "Your answer",
    Ballot.TRANSFER: "Your vote on the twin",
}


def results(you: PrivateView) -> tuple[str, ...]:
    """Return the discussion group and the results of this round, as far as known."""
    lines = [_talk(you.talk)] if you.talk else []
    lines += [_judged(vote) for vote in you.votes if vote.is_right is not None]
    if you.missed:
        lines.append("You did not vote on this one.")
    if you.score is not None:
        lines.append(f"You get {you.score:.1f} points for this case.")
    return tuple(lines)


def _talk(talk: Talk) -> str:
    """Describe the discussion group."""
    names = ", ".join(talk.names) or f"find {talk.others} more with this number"
    return f"You are in group {talk.number}: {names}."


def _judged(vote: MyVote) -> str:
    verdict = "right" if vote.is_right else "not this time"
    unit = "point" if vote.points == 1 else "points"
    points = "" if vote.points is None else f", {vote.points:g} {unit}"
    late = ", too late to score" if vote.is_late else ""
    return (
        f"{_BALLOTS[vote.ballot]}, {answer_words(vote.answer)}: {verdict}{points}{late}"
    )


def terms(you: PrivateView) -> str:
    """Say which time allowance and team this player has."""
    time = {0: "no time limit", 100: "the same time as everyone"}
    own_time = time.get(you.percent, f"{you.percent}% of the time")
    team = f"; team {you.team}" if you.team else ""
    return f"For you: {own_time}{team}. Only the host knows."


def card(you: PrivateView) -> RenderableType:
    """Draw the player's card: each case, the player's answers, the deciding fact."""
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


def points(you: PrivateView) -> Text:
    """Say how many points the player has earned in the game."""
    cases = plural(you.rounds, "case")
    return Text(f"{you.points:.1f} points in {cases}.", style="bold")


# --- the plan ------------------------------------------------------------------------


def plan(items: Sequence[PlanItem]) -> RenderableType:
    """Draw the plan: number, title, and how far each case is."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("case", "title", "is"):
        table.add_column(heading)
    for item in items:
        status = "shown again" if item.is_shown else item.status
        table.add_row(str(item.index + 1), Text(item.title), status)
    return table


def cases(found: Sequence[CaseSummary]) -> RenderableType:
    """Draw the cases that can be added, sorted by title."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("id", "title", "gap", "level"):
        table.add_column(heading)
    for case in found:
        key = verdict_key(case.verdict)
        table.add_row(
            case.id, case.title, Text(key, style=STYLES[key]), str(case.level)
        )
    return table
