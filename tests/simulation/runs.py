"""Runs a script, and cuts one that fails down to what it needs to fail."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tests.simulation import loop
from tests.simulation.fleet import Fleet
from tests.simulation.site import NO_FAULT, Faulty
from tests.simulation.sites import Sites
from tests.simulation.world import Outcome, Script, Stage, World

WORLDS: dict[Stage, type[World]] = {"sites": Sites, "fleet": Fleet}


def simulate(plan: Script, faulty: Faulty = NO_FAULT) -> Outcome:
    """Run a script from its beginning to its end, in simulated time."""
    chance = random.Random(f"loop-{plan.seed}")
    return loop.run(WORLDS[plan.stage](plan, faulty).run(), chance)


def shrunk(plan: Script, fails: Callable[[Script], bool]) -> Script:
    """Return a part of a failing script that fails as well, with as little as it can.

    Faults are left out one after another, then people.
    """
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for fault in plan.faults:
            if fails(fewer := plan.without(fault)):
                plan, is_smaller = fewer, True
                break
    while plan.people > 1 and fails(fewer := replace(plan, people=plan.people - 1)):
        plan = fewer
    return plan
