"""What is shown of the sites that play one room, as types. Proportions are 0 to 1.

Sites stand side by side, each with its own n; nothing here adds them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WhyHidden = Literal["few", "cover"]
"""``few``: fewer people than may be shown. ``cover``: left out so that a smaller group
cannot be worked out from the figures of the whole class."""


@dataclass(frozen=True, slots=True)
class Portion:
    """How many of a group chose something: the count, and Wilson's 95 % interval."""

    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Portions:
    """How one site answered: its n, and each option's part of it."""

    n: int
    options: dict[str, Portion]


@dataclass(frozen=True, slots=True)
class Cohort:
    """How one site voted, or why that is not shown."""

    name: str
    n: int
    before: Portions | None
    after: Portions | None
    """With carried votes in it; None also where there was no second vote."""
    hidden: WhyHidden | None


@dataclass(frozen=True, slots=True)
class GroupMean:
    """The mean of a group's people (each the mean of their round scores).

    ``low`` and ``high`` are Student's 95 % interval; None with fewer than two people.
    """

    name: str
    n: int
    mean: float | None
    low: float | None
    high: float | None
    hidden: WhyHidden | None


@dataclass(frozen=True, slots=True)
class SiteLink:
    """How a room's home hears one site. The room's own node is one of them."""

    name: str
    is_here: bool
    """The room's home itself."""
    is_up: bool
    waiting: int
    """Votes that the site has and the home has not stored, as it said last."""
    is_behind: bool
    """Whether votes of a ballot that has closed may still be on their way."""
    silent_s: int | None
    """How long nothing has come, in seconds; None while it is heard."""
    url: str | None
    """The address at which people reach the site; None where it has not said."""


@dataclass(frozen=True, slots=True)
class SiteCard:
    """One site in the host's list. Measures are of the round's latest ballot."""

    name: str
    people: int
    """Joined there, and not removed."""
    connected: int
    answered: int
    right: int | None
    """Of those answered; None where nobody can say which answers are right."""
    interval: tuple[float, float]
    """Wilson's 95 % interval of the proportion right (0-1)."""
    late: int
    """Votes of the whole game that came after their reveal: kept, not scored."""
    link: SiteLink | None
    """None for a site that is not heard of any more."""


@dataclass(frozen=True, slots=True)
class CohostPanel:
    """What a co-host sees beside the stage: the own site's people, and no answers."""

    site: str
    people: int
    connected: int
    answered: int
    expected: int
    """Who has answered, or is here and still could."""
    is_locked: bool
    """Whether nobody new may join at this site."""
    can_give_time: bool
    given_ms: int | None
    """Time left to the site's own people, where they were given more than all."""
    late: int


@dataclass(frozen=True, slots=True)
class HeldReveal:
    """A reveal that waits: these sites may have votes that are not stored yet."""

    command: str
    """What waits: give it again with ``without`` to go on."""
    sites: tuple[SiteLink, ...]
