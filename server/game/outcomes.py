"""The results of a round and of a game; each figure is computed only here.

The closing page, the reveal, the host's panel, the player's card, the terminal and the
report all get their figures from here, so that they never disagree.

Groups are shown side by side. Roles other than the host don't see a group with fewer
than ``min_cell`` people, or one that could be worked out from the figures of the whole
class. If fewer than ``min_cell`` people are hidden in total, the smallest group that
would be shown is also hidden.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from typing import Protocol

from scenarios.model import Case
from server.game.ids import PlayerId
from server.game.intervals import (
    Cohort,
    GroupMean,
    Portion,
    Portions,
    WhyHidden,
    t_quantile,
    wilson,
)
from server.game.phases import Ballot
from server.game.scoring import Tally
from server.game.state import Player, RoomState, Round
from server.game.views.stage_types import Standing

# --- rounding ------------------------------------------------------------------------


def percent(share: float) -> int:
    """Return a proportion (0-1) as a whole percentage, with halves rounded up.

    The web pages round in the same way (``client/web/src/parts/percent.ts``). The
    floating-point error from dividing two counts is removed first: 57 of 200 are 29%,
    not 28%.
    """
    return math.floor(round(share * 1e8) / 1e6 + 0.5)


NOISE_DIGITS = 9
"""Decimal places of points that are kept; later ones depend on the order of a sum."""


def tenth(value: float) -> float:
    """Return points rounded to one decimal, with halves away from zero, as pages do.

    Floating-point error is removed first: 14.549999999999999 is 14.55, and so 14.6.
    """
    exact = Decimal(repr(round(float(value), NOISE_DIGITS)))
    return float(exact.quantize(Decimal("0.1"), ROUND_HALF_UP))


# --- rounds --------------------------------------------------------------------------


def is_judged(state: RoomState, case: Case) -> bool:
    """Return whether answers to a case can be called right or wrong.

    Answers to contested cases cannot. With two buttons, answers can be judged only if
    the case has exactly one gap, since otherwise neither button is right.
    """
    return case.is_scored and (state.settings.two_link or case.is_clean)


def is_known(state: RoomState, round_: Round, ballot: Ballot) -> bool:
    """Return whether answers to a ballot can be called right or wrong.

    Contested cases also have a right repair.
    """
    return ballot is Ballot.FIX or is_judged(state, round_.case_of(ballot))


@dataclass(frozen=True, slots=True)
class Count:
    """How many answered one ballot, and how many of them were right."""

    tally: Tally
    right: int | None
    """None if answers cannot be called right or wrong."""
    carried: int = 0
    """Votes from the first ballot that are counted again in this one."""

    @property
    def n(self) -> int:
        """How many answers are counted."""
        return self.tally.n


def count_of(state: RoomState, round_: Round, ballot: Ballot) -> Count | None:
    """Return the count of a ballot so far; None if it was not held.

    Once the second vote is closed, it also includes the votes of people who voted only
    in the first one (rule A5).
    """
    poll = round_.polls.get(ballot)
    if poll is None:
        return None
    tally, carried = poll.tally, 0
    if ballot is Ballot.REVOTE and not poll.is_open:
        tally, carried = _carried(state, round_)
    right = tally.right(round_.case_of(ballot))
    return Count(tally, right if is_known(state, round_, ballot) else None, carried)


def _carried(state: RoomState, round_: Round) -> tuple[Tally, int]:
    """Return REVOTE's tally including carried votes, and the number of those."""
    if round_.is_counted:
        return round_.after, round_.carried
    first, second = round_.polls[Ballot.VOTE], round_.polls[Ballot.REVOTE]
    tally, carried = Tally(second.tally.cells.copy()), 0
    for player, vote in first.votes.items():
        if player not in second.votes and state.counts(player):
            tally.add(vote.answer)
            carried += 1
    return tally, carried


def taken_up(state: RoomState) -> list[int]:
    """Return the rounds (0-based) that are worth taking up again, hardest first.

    They are sorted by the share of right answers in the last vote on the case, and then
    by the number of people who were sure but wrong. Rounds in which no answer can be
    called right are left out.
    """
    found: list[tuple[float, int, int]] = []
    for index, round_ in enumerate(state.rounds):
        last = last_count(state, round_)
        if round_.is_counted and last is not None and last.right is not None:
            share = last.right / last.n if last.n else 0
            errors = last.tally.confident_errors(round_.case)
            found.append((share, -errors, index))
    return [index for _, _, index in sorted(found)]


def last_count(state: RoomState, round_: Round) -> Count | None:
    """Return the count of the last vote on a round's own case."""
    after = count_of(state, round_, Ballot.REVOTE)
    return after or count_of(state, round_, Ballot.VOTE)


def tells_errors(errors: int, n: int) -> bool:
    """Return whether enough of n people were sure but wrong to mention the error.

    These are at least three people and a tenth of those who answered (rule B16).
    """
    return errors >= max(3, n / 10)


# --- people --------------------------------------------------------------------------


class HasMean(Protocol):
    """A player, or their scores for one team."""

    @property
    def id(self) -> PlayerId:
        """The player's id."""

    @property
    def mean(self) -> float | None:
        """Mean round score, None before the first."""


@dataclass(frozen=True, slots=True)
class Member:
    """One player's scores for one team, by the index of the round."""

    id: PlayerId
    rounds: Mapping[int, float]

    @property
    def mean(self) -> float | None:
        """Mean score of these rounds."""
        return math.fsum(self.rounds.values()) / len(self.rounds)


def scored(state: RoomState) -> list[Player]:
    """Return the players with a score; practice players only in rehearsals."""
    return [p for p in state.players.values() if p.rounds_scored and state.counts(p.id)]


def mean_score(players: Iterable[Player]) -> float | None:
    """Return the mean of the players' mean round scores, so that each counts once."""
    means = [player.mean for player in players if player.mean is not None]
    return round(math.fsum(means) / len(means), NOISE_DIGITS) if means else None


def teams_of(state: RoomState) -> dict[str, list[Member]]:
    """Return the members who have scored for each team, in the order of the settings.

    A score counts for the team that the player was in when they answered. A player who
    changes teams has a mean in each team, based on the rounds played for that team.
    """
    scores: dict[str, dict[PlayerId, dict[int, float]]]
    scores = {name: {} for name in state.settings.teams}
    for index, round_ in enumerate(state.rounds):
        for player, team in round_.teams.items():
            if state.counts(player):
                of_team = scores.setdefault(team, {})
                of_team.setdefault(player, {})[index] = round_.scores[player]
    return {
        team: [Member(player, rounds) for player, rounds in of_team.items()]
        for team, of_team in scores.items()
    }


def sites_of(state: RoomState) -> dict[str, list[Player]]:
    """Return the scored players of each site; empty if all play at one site."""
    if len(state.sites) < 2:
        return {}
    groups: dict[str, list[Player]] = {name: [] for name in state.sites}
    for player in scored(state):
        if player.site is not None:
            groups[player.site].append(player)
    return groups


def standings(state: RoomState) -> tuple[Standing, ...]:
    """Return the final table, by points and then by name, without removed players."""
    ranked = sorted(
        ((p, p.mean) for p in scored(state) if p.mean is not None and not p.is_kicked),
        key=lambda pair: (-tenth(pair[0].points), pair[0].name),
    )
    table: list[Standing] = []
    for place, (player, mean) in enumerate(ranked, start=1):
        points = tenth(player.points)
        is_tied = bool(table) and table[-1].points == points
        rank = table[-1].rank if is_tied else place
        table.append(
            Standing(rank, player.name, points, tenth(mean), player.rounds_scored)
        )
    return tuple(table)


# --- groups side by side -------------------------------------------------------------


def hidden_groups(sizes: Mapping[str, int], least: int) -> dict[str, WhyHidden]:
    """Return which groups are not shown, and why; ``sizes`` counts people by name."""
    hidden: dict[str, WhyHidden] = {
        name: "few" for name, n in sizes.items() if n < least
    }
    covered = sum(sizes[name] for name in hidden)
    shown = sorted((n, name) for name, n in sizes.items() if name not in hidden)
    for n, name in shown:
        if not 0 < covered < least:
            break
        hidden[name] = "cover"
        covered += n
    return hidden


def _portions(tally: Tally, *, two_link: bool) -> Portions:
    """Return each option's share of a tally of votes, with Wilson's interval."""
    n, options = tally.n, tally.options(Ballot.VOTE, two_link=two_link)
    return Portions(n, {key: Portion(k, *wilson(k, n)) for key, k in options.items()})


def cohorts_of(state: RoomState, round_: Round) -> tuple[Cohort, ...]:
    """Return how each site voted in a revealed round; empty if all play at one site."""
    counted = round_.cohorts
    has_revote = Ballot.REVOTE in round_.polls
    sizes = {name: cohort.before.n for name, cohort in counted.items()}
    hidden = hidden_groups(sizes, state.settings.min_cell)

    def shown(name: str, tally: Tally) -> Portions | None:
        two_link = state.settings.two_link
        return None if name in hidden else _portions(tally, two_link=two_link)

    return tuple(
        Cohort(
            name=name,
            n=sizes[name],
            before=shown(name, cohort.before),
            after=shown(name, cohort.after) if has_revote else None,
            hidden=hidden.get(name),
        )
        for name, cohort in counted.items()
    )


def group_means(
    groups: Mapping[str, Sequence[HasMean]], least: int
) -> tuple[GroupMean, ...]:
    """Return the mean of each group of people who have been scored."""
    hidden = hidden_groups({name: len(group) for name, group in groups.items()}, least)
    return tuple(
        _hidden(name, len(group), hidden[name])
        if name in hidden
        else _mean(name, [player.mean for player in group if player.mean is not None])
        for name, group in groups.items()
    )


def _hidden(name: str, n: int, why: WhyHidden) -> GroupMean:
    return GroupMean(name, n, None, None, None, why)


def _mean(name: str, means: Sequence[float]) -> GroupMean:
    n = len(means)
    if not n:
        return GroupMean(name, 0, None, None, None, None)
    mean = math.fsum(means) / n
    if n < 2:
        return GroupMean(name, n, tenth(mean), None, None, None)
    variance = math.fsum((value - mean) ** 2 for value in means) / (n - 1)
    half = t_quantile(0.975, n - 1) * math.sqrt(variance / n)
    return GroupMean(name, n, tenth(mean), tenth(mean - half), tenth(mean + half), None)


def mean_so_far(state: RoomState) -> float | None:
    """Return the class's mean score so far; None if it is based on too few people."""
    people = scored(state)
    mean = mean_score(people) if len(people) >= state.settings.min_cell else None
    return None if mean is None else tenth(mean)


def latest_names(state: RoomState, most: int) -> tuple[str, ...]:
    """Return up to ``most`` names of players in the room, latest first."""
    here = (p.name for p in reversed(state.players.values()) if not p.is_kicked)
    return tuple(islice(here, most))
