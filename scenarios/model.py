"""The data model of cases, decks and plans. Pure: no I/O, no clock, no randomness.

A :class:`Case` is one story with its expert breakdown. A :class:`Deck` names the cases
of a lesson. A :class:`Plan` is a deck prepared for one room: it contains the full text
of every case, in playing order, so that a stored game can be replayed even after the
library has changed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from scenarios.pictures import read_picture


class Label(StrEnum):
    """Which of the two gaps broke."""

    OUTER = "outer"
    INNER = "inner"

    @property
    def other(self) -> Label:
        """The opposite label."""
        return Label.INNER if self is Label.OUTER else Label.OUTER


Slug = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)
]
Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1200)
]

Kind = Literal["documented", "one-fact", "variant", "thought"]
"""A true story; one with a single fact changed; an invented variant of a true story;
a thought experiment. Only the first has a year in which it happened."""
Checked = Literal["read in source", "read in secondary source", "from memory only"]
Evidence = Literal["confirmed", "secondary", "disputed"]
"""How certain the facts of a true story are: we have seen the deciding words in the
original and quote them; or we rely on accounts by others; or sources disagree."""
Rule = Literal[
    "system", "others", "skill", "steps", "score", "paid", "yardstick", "cues", "repair"
]
"""The rules of docs/labels.md, in their order of precedence."""
Incident = Annotated[
    str,
    StringConstraints(
        pattern=r"^(AIID [1-9][0-9]{0,5}|OECD [0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9a-f]{4})$"
    ),
]
"""An entry in a public database of incidents: "AIID 639" in the AI Incident Database,
"OECD 2024-02-15-7d63" in the OECD's AI Incidents Monitor."""
VerdictWord = Literal["outer", "inner", "both", "neither", "contested"]
Flow = Literal["quick", "full", "test"]
"""Where the host's big button leads: ``quick`` from the vote to its reveal; ``full``
also through discussion, second vote, repair and twin; ``test`` from vote to vote."""
FLOWS: tuple[Flow, ...] = get_args(Flow)


class Model(BaseModel):
    """Base of all models here: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Truth(Model):
    """Which links broke, as two independent facts."""

    outer: bool = Field(
        strict=True, description="What was written missed what was meant."
    )
    inner: bool = Field(
        strict=True, description="What was learned missed what was written."
    )


class Breakdown(Model):
    """The expert's explanation of a case, in the order in which it is shown."""

    intended: Prose = Field(description="What was meant: the intended goal.")
    written: Prose = Field(description="What was written: the objective in force.")
    learned: Prose = Field(description="What it learned: the goal it pursued.")
    broke: Prose = Field(description="Where the chain broke, or that it did not break.")
    why: Prose = Field(description="The fact that decides the label.")
    why_not: Prose = Field(description="Why it is not the other gap.")
    flip: Prose = Field(description="The smallest change that flips the label.")
    fix: Prose = Field(description="The repair that fits this gap.")
    owner: Prose = Field(description="The person or team responsible for that repair.")
    more_capable: Prose = Field(
        description="What a more capable optimizer would do with the same mistake."
    )
    residual: Prose = Field(description="What the fix still leaves open.")
    say: Prose = Field(description="The sentence an expert would say.")


class Reasons(Model):
    """Expert reasons for each label (two per side), shown beside the class's own."""

    outer: tuple[Prose, ...] = Field(min_length=2, max_length=4)
    inner: tuple[Prose, ...] = Field(min_length=2, max_length=4)


class FixOption(Model):
    """One of the repairs to choose from, and what it would achieve."""

    text: Prose
    repairs: Literal["this gap", "the other gap", "neither gap"]
    comment: Prose = Field(description="Why this is, or is not, the right repair.")


class FixQuestion(Model):
    """Which repair fits? One of three is right; one is right for the other gap."""

    question: Prose
    options: tuple[FixOption, FixOption, FixOption]

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        kinds = [option.repairs for option in self.options]
        if kinds.count("this gap") != 1 or kinds.count("the other gap") != 1:
            raise ValueError(
                "exactly one option must repair 'this gap' and exactly one "
                "'the other gap'; mark the third 'neither gap'"
            )
        return self

    @property
    def text(self) -> str:
        """The whole text that has to be read before answering."""
        return " ".join((self.question, *(option.text for option in self.options)))

    @property
    def right(self) -> int:
        """Index (0-2) of the option that repairs this gap."""
        return [option.repairs for option in self.options].index("this gap")


class Figure(Model):
    """A number in the case, and where it comes from."""

    value: Line
    means: Prose
    origin: Prose


class Reading(Model):
    """Reading for after the lesson."""

    authors: Line
    year: int = Field(ge=1900, le=2100, strict=True)
    title: Prose
    where: Prose
    start_here: bool = Field(default=False, strict=True)


class Source(Model):
    """Where the facts come from, and how they were checked."""

    authors: Line
    year: int = Field(ge=1900, le=2100, strict=True)
    title: Prose
    where: Prose = Field(description="Venue, URL, or both.")
    checked: Checked
    words: Prose | None = Field(
        default=None,
        description="The deciding words, quoted from the original: at most 25.",
    )
    place: Line | None = Field(
        default=None, description="Where in the source these words are."
    )
    note: Prose | None = Field(default=None, description="What exactly was read.")

    @property
    def reading(self) -> Reading:
        """The source as it is cited after the reveal."""
        return Reading(
            authors=self.authors, year=self.year, title=self.title, where=self.where
        )


class Picture(Model):
    """A drawing of the story, not of the verdict: players see it before they vote."""

    alt: Line = Field(description="What it shows, for people who cannot see it.")
    svg: Annotated[str, AfterValidator(read_picture)] = Field(
        description="The drawing, as scenarios/pictures.py allows it."
    )


class Case(Model):
    """One case study: a story without its verdict, the verdict, and the breakdown."""

    id: Slug
    version: int = Field(ge=1, strict=True)
    kind: Kind
    title: Line
    year: int = Field(ge=1900, le=2100, strict=True)
    domain: Slug
    tags: tuple[Slug, ...] = ()
    level: int = Field(ge=1, le=3, strict=True)
    story: Prose
    truth: Truth
    contested: Prose | None = Field(
        default=None,
        description="The experts' arguments, if they disagree about the label.",
    )
    breakdown: Breakdown
    tempting: Prose = Field(description="Why the other label tempts.")
    reasons: Reasons
    fix_question: FixQuestion
    rule: Rule | None = Field(
        default=None,
        description="The rule of docs/labels.md that decides the label, or that the "
        "argument is about.",
    )
    evidence: Evidence | None = Field(
        default=None,
        description="How sure the facts are; only for a true story.",
    )
    incidents: tuple[Incident, ...] = Field(
        default=(),
        max_length=4,
        description="Entries of public records of incidents: 'AIID 639' (AI Incident "
        "Database), 'OECD 2024-02-15-7d63' (OECD AI Incidents Monitor); only for a "
        "true story.",
    )
    twin: Slug | None = Field(
        default=None, description="The minimal-pair or isomorphic case."
    )
    picture: Picture | None = Field(
        default=None, description="A drawing of the story in two colors."
    )
    figures: tuple[Figure, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def label(self) -> Label | None:
        """The one gap that broke, or None for both, neither, or contested."""
        if self.contested is not None or self.truth.outer == self.truth.inner:
            return None
        return Label.OUTER if self.truth.outer else Label.INNER

    @property
    def verdict(self) -> VerdictWord:
        """The verdict in one word; a contested case is "contested" whatever broke."""
        if self.contested is not None:
            return "contested"
        if self.truth.outer == self.truth.inner:
            return "both" if self.truth.outer else "neither"
        return "outer" if self.truth.outer else "inner"

    @property
    def is_clean(self) -> bool:
        """Whether exactly one link broke and experts agree on which."""
        return self.label is not None

    @property
    def is_scored(self) -> bool:
        """Whether votes on this case earn points; votes on contested cases never do."""
        return self.contested is None

    @property
    def shown_kind(self) -> Kind:
        """The kind as shown to a class: a story with one fact changed is a variant.

        Changing one fact turns inner into outer, never the other way around, so a class
        that saw the exact kind would know the label.
        """
        return "variant" if self.kind == "one-fact" else self.kind

    @property
    def is_true(self) -> bool:
        """Whether the story happened as told, in its year."""
        return self.kind == "documented"


class DeckRound(Model):
    """One round of a deck: the case to vote on, and its contrast and twin."""

    case: Slug
    contrast: Slug | None = None
    transfer: Slug | None = None


class Deck(Model):
    """The cases of a lesson, in an order."""

    id: Slug
    version: int = Field(ge=1, strict=True)
    title: Line
    audience: Prose
    minutes: int = Field(
        ge=5, le=240, strict=True, description="Length of the lesson in minutes."
    )
    teaches: Prose
    order: Literal["fixed", "interleaved"]
    two_link: bool = Field(
        default=False,
        strict=True,
        description="For rooms that ask about both links: it contains cases in which "
        "both broke, or neither.",
    )
    place: int = Field(
        default=100, ge=0, le=999, strict=True, description="Lowest is listed first."
    )
    minute: bool = Field(
        default=False,
        strict=True,
        description="Begins with the opening minute, which explains the two gaps.",
    )
    flow: Flow = Field(
        default="full",
        description="Where the big button leads: quick (vote, reveal), full (also "
        "discussion, repair, twin) or test (votes alone, no verdict).",
    )
    opening: tuple[Slug, ...] = Field(
        default=(),
        max_length=2,
        description="Worked examples, labeled and not voted on: none, or a pair.",
    )
    rounds: tuple[DeckRound, ...] = Field(min_length=1, max_length=60)
    closing: tuple[Slug, ...] = Field(
        default=(),
        max_length=2,
        description="Cases to talk about after the last round, told with their label; "
        "then the four kinds side by side: outer, inner, both, neither.",
    )
    reading: tuple[Reading, ...] = ()

    @model_validator(mode="after")
    def _each_case_once(self) -> Self:
        if len(self.opening) == 1:
            raise ValueError("opening must be empty or name a contrasting pair")
        seen: set[str] = set()
        for name in self.case_ids:
            if name in seen:
                raise ValueError(
                    f"case '{name}' appears twice; a case is voted on, contrasted or "
                    "transferred to only once in a deck"
                )
            seen.add(name)
        return self

    @property
    def case_ids(self) -> tuple[str, ...]:
        """Every case in the deck: opening, voted, contrast, transfer, closing."""
        beside = [
            name
            for item in self.rounds
            for name in (item.case, item.contrast, item.transfer)
            if name is not None
        ]
        return (*self.opening, *beside, *self.closing)


class PlannedRound(Model):
    """One round with the full text of its cases."""

    case: Case
    contrast: Case | None = None
    transfer: Case | None = None


class Plan(Model):
    """A deck prepared for one room, in playing order."""

    deck: Slug
    deck_version: int
    title: Line
    minute: bool = False
    """Whether the game begins with the opening minute."""
    flow: Flow = "full"
    """Where the big button leads; plans from before this field existed are ``full``."""
    opening: tuple[Case, ...] = ()
    rounds: tuple[PlannedRound, ...] = Field(min_length=1)
    closing: tuple[Case, ...] = ()
    """Cases told with their label after the last round, before the four kinds."""
    reading: tuple[Reading, ...] = ()
    take_home: tuple[Case, ...] = Field(
        default=(), description="New cases to come back to after the lesson."
    )
    left_out: tuple[Slug, ...] = Field(
        default=(),
        description="Cases of the deck that this room cannot play, or not in balance.",
    )
