"""Small cases whose every text names its field, so that a leak can be searched for."""

from __future__ import annotations

from scenarios.model import (
    Breakdown,
    Case,
    FixOption,
    FixQuestion,
    Plan,
    PlannedRound,
    Reasons,
    Source,
    Truth,
)
from server.game.engine import open_room
from server.game.events import RoomOpened
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.game.state import RoomState

SECRET = "00112233445566778899aabbccddeeff"


def make_case(
    name: str, outer: bool = True, inner: bool = False, contested: str | None = None
) -> Case:
    """Return a case with marked texts: SECRET-<name>-<field> wherever it tells."""

    def told(field: str) -> str:
        return f"SECRET-{name}-{field}."

    return Case(
        id=name,
        version=1,
        kind="documented",
        title=f"Title {name}",
        year=2020,
        domain="tests",
        level=1,
        story=f"Story of {name}.",
        truth=Truth(outer=outer, inner=inner),
        contested=contested,
        breakdown=Breakdown(**{field: told(field) for field in Breakdown.model_fields}),
        tempting=told("tempting"),
        reasons=Reasons(
            outer=(told("ro1"), told("ro2")), inner=(told("ri1"), told("ri2"))
        ),
        fix_question=FixQuestion(
            question=f"Which repair for {name}?",
            options=(
                FixOption(text="A", repairs="the other gap", comment=told("fix0")),
                FixOption(text="B", repairs="this gap", comment=told("fix1")),
                FixOption(text="C", repairs="neither gap", comment=told("fix2")),
            ),
        ),
        sources=(
            Source(
                authors="A", year=2020, title="T", where="W", checked="read in source"
            ),
        ),
    )


def make_plan(rounds: int = 3, opening: bool = False) -> Plan:
    """Return a plan of outer and inner cases by turns, with contrast and transfer.

    ``opening``: it begins with the opening minute and a pair of worked examples, and
    ends with two cases to talk about.
    """

    def planned(i: int) -> PlannedRound:
        is_outer = i % 2 == 0
        return PlannedRound(
            case=make_case(f"case-{i}", is_outer, not is_outer),
            contrast=make_case(f"contrast-{i}", not is_outer, is_outer),
            transfer=make_case(f"transfer-{i}", is_outer, not is_outer),
        )

    pair = (make_case("ex-0"), make_case("ex-1", False, True)) if opening else ()
    ends = (make_case("end-0", True, True), make_case("end-1", False, False))
    return Plan(
        deck="test-deck",
        deck_version=1,
        title="Test deck",
        minute=opening,
        opening=pair,
        rounds=tuple(planned(i) for i in range(rounds)),
        closing=ends if opening else (),
    )


def opened(
    settings: RoomSettings | None = None, rounds: int = 3, opening: bool = False
) -> RoomOpened:
    """Return the first event of a test room, at time 1,000."""
    return RoomOpened(
        code=RoomCode("TESTAA"),
        plan=make_plan(rounds, opening),
        settings=settings or RoomSettings(),
        seed=7,
        secret=SECRET,
        at_ms=1_000,
    )


def new_state(settings: RoomSettings | None = None, rounds: int = 3) -> RoomState:
    """Return the state of a fresh test room."""
    return open_room(opened(settings, rounds))
