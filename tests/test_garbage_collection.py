"""When Python looks for garbage, and that circles are still found."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from server.app import tune_garbage_collection


@pytest.fixture
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


YOUNG = 5_000


class Socket:
    """Something that holds itself, as a closed socket does."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("_as_before")
def test_circles_made_later_are_found_without_being_asked_for() -> None:
    tune_garbage_collection(young=YOUNG)
    assert gc.get_freeze_count() > 0
    lost = weakref.ref(Socket())
    kept = []
    for _ in range(YOUNG + 1):
        assert len(kept) <= YOUNG, "it was never looked for"
        kept.append([])
        if lost() is None:
            break
    assert lost() is None
