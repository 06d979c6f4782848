"""The four classes that a report must tell apart, as stored rooms of real cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scenarios.load import load_library
from scenarios.model import Case, Label, Plan, PlannedRound
from server.game.events import Event, GameFinished, RoomOpened
from server.game.ids import RoomCode
from server.journal.sqlite import SqliteStore
from tests.support.simulated_class import ClassModel, events

ALL_OUTER = ClassModel(d_prime=0.0, criterion=-2.5, boldness=1.5)
GUESSING = ClassModel(d_prime=0.0, boldness=0.3)
EXPERT = ClassModel(d_prime=3.2)
SPLIT = ClassModel(d_prime=3.2, strengths=(1,) * 6 + (0,) + (1,) * 9)

OPENED_MS = 1_790_000_000_000
"""21 September 2026."""

PLAYED = {"revote": (0.5, 0.1), "transfer_d": 2.0, "teams": ("North", "South")}
CLASSES: dict[str, ClassModel] = {
    "KX2222": ALL_OUTER,
    "KX3333": GUESSING,
    "KX4444": EXPERT,
    "KX5555": SPLIT,
}


def real_plan(rounds: int = 16) -> Plan:
    """Return a plan of cases of the library, outer and inner in turn, with twins."""
    cases = [case for case in load_library().cases.values() if case.is_clean]
    outer = [case for case in cases if case.label is Label.OUTER]
    inner = [case for case in cases if case.label is Label.INNER]
    voted = [case for pair in zip(outer, inner, strict=False) for case in pair]
    return Plan(
        deck="known-classes",
        deck_version=1,
        title="Sixteen cases",
        rounds=tuple(
            PlannedRound(case=case, transfer=twin)
            for case, twin in zip(voted[:rounds], _twins(voted, rounds), strict=True)
        ),
    )


def _twins(voted: list[Case], rounds: int) -> list[Case]:
    return voted[rounds : 2 * rounds]


def journal(code: str, model: ClassModel, seed: int = 1) -> list[Event]:
    """Return the journal of a class that has played its whole deck."""
    played = replace(model, plan=real_plan(model.cases), **PLAYED)
    first, *rest = events(played, seed)
    assert isinstance(first, RoomOpened)
    opened = replace(first, code=RoomCode(code), at_ms=OPENED_MS)
    return [opened, *rest, GameFinished(OPENED_MS + 100_000 * (model.cases + 2))]


async def store_classes(folder: Path) -> None:
    """Write the journals of the four classes into a data folder."""
    store = await SqliteStore.open(folder / "journal.sqlite")
    try:
        for code, model in CLASSES.items():
            await store.append(RoomCode(code), 0, journal(code, model))
    finally:
        await store.close()
