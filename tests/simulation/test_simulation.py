"""Some hundred simulations with faults, and deliberate ones that they have to find."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from _pytest.mark.structures import ParameterSet

from tests.simulation import loop
from tests.simulation.fleet import Fleet
from tests.simulation.runs import shrunk, simulate
from tests.simulation.site import NO_FAULT, Faulty
from tests.simulation.world import (
    FLEET_KINDS,
    KINDS,
    STAGES,
    Fault,
    Outcome,
    Script,
    Stage,
    script,
)
from tests.support.tiers import scaled, seed

FIRST = 1_000 * seed()
RUNS = scaled(60, 160, 400)
GROUPS = 2
"""The runs are spread over this many tests, and so over processes."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: nodes that fail on purpose have much to say."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def full(*values: object) -> ParameterSet:
    """Return parameters of a test that looks for long."""
    return pytest.param(*values, marks=pytest.mark.full)


def told(plan: Script, outcome: Outcome) -> str:
    """Return what went wrong in a run, and the smallest run in which it does."""
    least = shrunk(plan, lambda fewer: bool(simulate(fewer).problems))
    lines = [f"seed {plan.seed}, shrunk to {least}", *simulate(least).problems]
    return "\n".join(lines or outcome.problems)


@pytest.mark.sampled
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("group", range(GROUPS))
def test_whatever_fails_no_promise_is_broken(
    group: int, stage: Stage, figure: Callable[[str], None]
) -> None:
    met: Counter[str] = Counter()
    kinds = set(KINDS if stage == "sites" else FLEET_KINDS)
    sent = recorded = 0
    for number in range(group, RUNS, GROUPS):
        plan = script(FIRST + number, stage)
        outcome = simulate(plan)
        assert not outcome.problems, told(plan, outcome)
        met.update(kind for kind, _ in outcome.coverage.elements())
        sent += outcome.sent
        recorded += outcome.recorded
    assert set(met) == kinds, f"these faults never happened: {kinds - {*met}}"
    figure(
        f"simulation, {stage}, part {group + 1}: {RUNS // GROUPS} runs, "
        f"{sum(met.values())} faults, {sent:,} messages, {recorded:,} votes recorded"
    )


@pytest.mark.parametrize("number", [1595])
def test_a_run_that_once_failed_passes(number: int) -> None:
    assert simulate(script(number)).problems == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_seed_replays_a_run_exactly(stage: Stage) -> None:
    plan = script(FIRST + 3, stage)
    assert simulate(plan).digest == simulate(plan).digest
    assert simulate(script(FIRST + 4, stage)).digest != simulate(plan).digest


def test_an_outage_of_the_database_moves_no_room() -> None:
    for number in range(8):
        outage = Fault("lose_database", at_s=5.0 + number, lasts_s=9.0, where=0)
        plan = replace(script(number, "fleet"), faults=(outage,))
        world = Fleet(plan, NO_FAULT)
        outcome = loop.run(world.run(), random.Random(number))
        assert outcome.problems == []
        assert [room.epoch for room in world.database.rooms.values()] == [1]


@pytest.mark.parametrize(
    ("stage", "faulty", "says", "runs"),
    [
        ("sites", Faulty(is_hasty=True), "is stored", 5),
        ("fleet", Faulty(is_hasty=True), "is stored", 5),
        ("sites", Faulty(is_impatient=True), "in time", 200),
        full("sites", Faulty(is_mute=True), "after all", 200),
        full("sites", Faulty(is_forgetful=True), "in time", 999),
        full("fleet", Faulty(is_unfenced=True), "stores events of a room of", 999),
        full("fleet", Faulty(keeps_epoch=True), "stores events of a room of", 999),
    ],
)
def test_a_deliberate_fault_is_found(
    stage: Stage, faulty: Faulty, says: str, runs: int
) -> None:
    for number in range(1, runs + 1):
        problems = simulate(script(number, stage), faulty).problems
        if any(says in problem for problem in problems):
            return
    pytest.fail(f"{faulty} was not found in {runs} runs")


def test_a_failing_run_is_cut_down_to_what_it_needs() -> None:
    plan = replace(script(1), people=3)
    needed = plan.faults[0]
    least = shrunk(plan, lambda fewer: needed in fewer.faults)
    assert (least.faults, least.people) == ((needed,), 1)


def test_time_passes_only_when_nothing_is_left_to_do() -> None:
    async def sleep_a_day() -> tuple[float, int]:
        running = asyncio.get_running_loop()
        before_s = running.time()
        size = await asyncio.to_thread(len, "four")
        await asyncio.sleep(86_400)
        return running.time() - before_s, size

    passed_s, size = loop.run(sleep_a_day(), random.Random(1))
    assert passed_s == pytest.approx(86_400, abs=0.1)
    assert size == len("four")


def test_a_run_that_waits_for_nothing_says_so() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(loop.NothingLeft):
        loop.run(wait(), random.Random(1))
