"""The answers that a player can give: a gap, the two links, or a repair.

Answers are frozen and hashable, so that a tally is simply a count of equal answers.
Confidences are whole percentages from 50 to 100. None means that no chip was tapped:
the answer scores like one with the lowest confidence, and is left out of calibration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from scenarios.model import Label

Confidence = Annotated[int, Field(ge=50, le=100)]

COIN_FLIP = 50
"""The confidence (percent) that an answer without one counts as."""


@dataclass(frozen=True, slots=True)
class GapAnswer:
    """In rooms with two buttons: which gap, and how sure (percent)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    label: Label
    confidence: Confidence | None = None
    kind: Literal["gap"] = "gap"


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """In two-link rooms: whether one link broke, and how sure (percent)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    broke: bool
    confidence: Confidence | None = None

    @property
    def probability(self) -> float:
        """The probability (0-1) that the link broke, according to this answer."""
        sure = (self.confidence or COIN_FLIP) / 100
        return sure if self.broke else 1 - sure


@dataclass(frozen=True, slots=True)
class LinksAnswer:
    """In two-link rooms: an answer for each link, each with its own confidence."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    outer: LinkAnswer
    inner: LinkAnswer
    kind: Literal["links"] = "links"


@dataclass(frozen=True, slots=True)
class FixAnswer:
    """The answer to the fix question: the index (0-2) of the chosen repair."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    option: Annotated[int, Field(ge=0, le=2)]
    kind: Literal["fix"] = "fix"


Answer = Annotated[GapAnswer | LinksAnswer | FixAnswer, Field(discriminator="kind")]
