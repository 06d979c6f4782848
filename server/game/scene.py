"""One moment of a round as the pages would show it: what a preview is made of."""

from __future__ import annotations

from dataclasses import dataclass

from server.game.view_types import PrivateView, StageView


@dataclass(frozen=True, slots=True)
class Scene:
    """What a phone and the projector show at one moment."""

    name: str
    """The phase, and in the reveal the step: ``reveal.why_not``."""
    player: StageView
    you: PrivateView
    screen: StageView
