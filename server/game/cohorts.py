"""Groups side by side: how each site voted, and how each site or team scored.

Roles other than the host see no group of fewer than ``min_cell`` people, and none that
could be worked out. If all that is hidden is fewer than that, the smallest group that
would be shown is also hidden, since the figures of the whole class are known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from server.game.intervals import t_quantile, wilson
from server.game.phases import Ballot
from server.game.scoring import Tally
from server.game.state import Player, RoomState, Round
from server.game.views.stage_types import (
    Cohort,
    GroupMean,
    Portion,
    Portions,
    WhyHidden,
)


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
    """Return a tally of votes as parts of its n, each with Wilson's interval."""
    n, options = tally.n, tally.options(Ballot.VOTE, two_link=two_link)
    return Portions(n, {key: Portion(k, *wilson(k, n)) for key, k in options.items()})


def cohorts_of(state: RoomState, round_: Round) -> tuple[Cohort, ...]:
    """Return how each site voted in a revealed round; none where all play at one."""
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
    groups: Mapping[str, Sequence[Player]], least: int
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
        return GroupMean(name, n, round(mean, 1), None, None, None)
    variance = math.fsum((value - mean) ** 2 for value in means) / (n - 1)
    half = t_quantile(0.975, n - 1) * math.sqrt(variance / n)
    return GroupMean(
        name, n, round(mean, 1), round(mean - half, 1), round(mean + half, 1), None
    )
