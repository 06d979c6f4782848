"""The three tiers of tests: which tests each runs, and how large its samples are.

``TWOGAPS_TIER`` chooses one: ``fast`` (``make test``), ``full`` (``make test ALL=1``)
or ``campaign`` (``make campaign``). docs/testing.md explains them.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection
from enum import StrEnum
from pathlib import PurePath

SWITCH = "TWOGAPS_TIER"
SEED_SWITCH = "TWOGAPS_SEED"
SAMPLED = "sampled"
"""The marker of a test that runs in every tier, with a sample of the tier's size."""


class Tier(StrEnum):
    """How much is run. Each value is also the name of a marker."""

    FAST = "fast"
    FULL = "full"
    CAMPAIGN = "campaign"


FOLDERS: dict[str, Tier] = {
    "browser": Tier.FAST,
    "cli": Tier.FAST,
    "client": Tier.FAST,
    "contract": Tier.FAST,
    "deploy": Tier.FAST,
    "docs": Tier.FAST,
    "faults": Tier.FAST,
    "federation": Tier.FAST,
    "fuzz": Tier.FAST,
    "game": Tier.FAST,
    "journal": Tier.FAST,
    "load": Tier.FAST,
    "net": Tier.FAST,
    "packaging": Tier.FULL,
    "protocol": Tier.FAST,
    "report": Tier.FAST,
    "rooms": Tier.FAST,
    "scenarios": Tier.FAST,
    "simulation": Tier.FAST,
    "tools": Tier.FAST,
    "": Tier.FAST,
}
"""The tier of the tests in each folder of tests/, unless a marker names another."""


class TierError(Exception):
    """A test has no tier, or more than one."""


def tier_of(path: PurePath, markers: Collection[str]) -> Tier:
    """Return the tier of a test, by its path inside tests/ and its markers.

    Raises :class:`TierError` if neither a marker nor the folder names one, and if
    markers name two.
    """
    named = [tier for tier in Tier if tier in markers]
    if len(named) > 1:
        raise TierError(f"{path} has the tiers {' and '.join(named)}; keep one")
    if named:
        return named[0]
    folder = path.parts[0] if len(path.parts) > 1 else ""
    try:
        return FOLDERS[folder]
    except KeyError:
        raise TierError(
            f"{path} has no tier: add its folder to FOLDERS in tests/support/tiers.py"
        ) from None


def is_run(chosen: Tier, tier: Tier, markers: Collection[str]) -> bool:
    """Return whether a run of ``chosen`` includes a test of ``tier``.

    ``full`` includes ``fast``. ``campaign`` runs its own tests and the sampled ones.
    """
    if chosen is Tier.CAMPAIGN:
        return tier is Tier.CAMPAIGN or SAMPLED in markers
    return tier is Tier.FAST or tier is chosen


def is_drawn(nodeid: str, one_of: int) -> bool:
    """Return whether the run's seed draws a test for a sample of 1 in ``one_of``."""
    return zlib.crc32(f"{seed()} {nodeid}".encode()) % one_of == 0


def chosen_tier() -> Tier:
    """Return the tier that this process runs."""
    return Tier(os.environ.get(SWITCH, Tier.FAST))


def scaled(fast: int, full: int, campaign: int) -> int:
    """Return how many examples a sampled test takes in the chosen tier."""
    return {Tier.FAST: fast, Tier.FULL: full, Tier.CAMPAIGN: campaign}[chosen_tier()]


def seed() -> int:
    """Return the seed of every sample: from ``TWOGAPS_SEED``, otherwise 7."""
    return int(os.environ.get(SEED_SWITCH, "7"))
