"""The table of look-alikes is Unicode's."""

from __future__ import annotations

from server.game.confusables import PROTOTYPES
from tools.unicode import is_needed, published


def test_the_table_holds_what_unicode_publishes_and_nothing_else() -> None:
    known = dict(published())
    assert len(known) > 6000
    assert PROTOTYPES.items() <= known.items()
    assert {ch for ch in known if is_needed(ch)} <= PROTOTYPES.keys()
