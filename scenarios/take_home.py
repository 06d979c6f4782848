"""New cases to come back to after the lesson: spacing makes what was learned last.

Six in six days (Cepeda et al. 2008), as many of one gap as of the other where the
library has them, none of which the room has played.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from random import Random

from scenarios.model import Case, Label

CASES = 6
DAYS = 6


def take_home(
    cases: Iterable[Case], used: Set[str], chance: Random
) -> tuple[Case, ...]:
    """Return up to six clean cases that are not ``used``, in a drawn order."""
    free = [case for case in cases if case.is_clean and case.id not in used]
    chance.shuffle(free)
    sides = [[case for case in free if case.label is label] for label in Label]
    most = CASES // 2
    chosen = [case for side in sides for case in side[:most]]
    spare = [case for side in sides for case in side[most:]]
    chosen += spare[: CASES - len(chosen)]
    chance.shuffle(chosen)
    return tuple(chosen)
