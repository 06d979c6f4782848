"""Some hundred simulations with faults, and deliberate ones that they have to find."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.simulation import loop
from tests.simulation.site import Faulty
from tests.simulation.world import KINDS, Outcome, Script, script, shrunk, simulate
from tests.support.tiers import scaled, seed

FIRST = 1_000 * seed()
RUNS = scaled(100, 200, 400)
GROUPS = 4
"""The runs are spread over this many tests, and so over processes."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: nodes that fail on purpose have much to say."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def told(plan: Script, outcome: Outcome) -> str:
    """Return what went wrong in a run, and the smallest run in which it does."""
    least = shrunk(plan, lambda fewer: bool(simulate(fewer).problems))
    lines = [f"seed {plan.seed}, shrunk to {least}", *simulate(least).problems]
    return "\n".join(lines or outcome.problems)


@pytest.mark.sampled
@pytest.mark.parametrize("group", range(GROUPS))
def test_whatever_fails_no_promise_is_broken(
    group: int, figure: Callable[[str], None]
) -> None:
    met: Counter[str] = Counter()
    sent = recorded = 0
    for number in range(group, RUNS, GROUPS):
        plan = script(FIRST + number)
        outcome = simulate(plan)
        assert not outcome.problems, told(plan, outcome)
        met.update(kind for kind, _ in outcome.coverage.elements())
        sent += outcome.sent
        recorded += outcome.recorded
    assert set(met) == set(KINDS), f"these faults never happened: {set(KINDS) - {*met}}"
    figure(
        f"simulation, part {group + 1}: {RUNS // GROUPS} runs, {sum(met.values())} "
        f"faults, {sent:,} messages, {recorded:,} votes recorded"
    )


@pytest.mark.parametrize("number", [1595])
def test_a_run_that_once_failed_passes(number: int) -> None:
    assert simulate(script(number)).problems == []


def test_a_seed_replays_a_run_exactly() -> None:
    plan = script(FIRST + 3)
    assert simulate(plan).digest == simulate(plan).digest
    assert simulate(script(FIRST + 4)).digest != simulate(plan).digest


@pytest.mark.parametrize(
    ("faulty", "says", "runs"),
    [
        (Faulty(is_hasty=True), "is stored", 5),
        (Faulty(is_impatient=True), "in time", 200),
        pytest.param(Faulty(is_mute=True), "after all", 200, marks=pytest.mark.full),
        pytest.param(Faulty(is_forgetful=True), "in time", 999, marks=pytest.mark.full),
    ],
)
def test_a_deliberate_fault_is_found(faulty: Faulty, says: str, runs: int) -> None:
    for number in range(1, runs + 1):
        problems = simulate(script(number), faulty).problems
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
