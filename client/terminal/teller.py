"""Narrates the game: prints what is new in each view, and nothing twice.

``asked`` returns what a view asks a player.
"""

from __future__ import annotations

from typing import assert_never

from rich.console import Console, RenderableType
from rich.text import Text

from client.terminal import draw
from client.terminal.draw import tally
from client.terminal.forms import Form, Misread, Question, votes
from client.terminal.words import BUTTONS, DISCUSS, SAY
from scenarios.model import Label
from server.game.phases import Phase
from server.game.views.stage_types import (
    ContrastView,
    ExampleView,
    FinishedView,
    FixRevealView,
    FixView,
    LobbyView,
    OpeningView,
    PinnedReason,
    RevealView,
    RoomCard,
    SayView,
    StageView,
    StoryView,
    TransferRevealView,
    TransferView,
    Verdict,
)
from server.protocol.client_messages import SayIt, TapOpening

Place = tuple[str, int | None, int]


def place(view: StageView) -> Place:
    """Return where the game is: phase, round, and step or example within it."""
    match view:
        case RevealView(step=step) | OpeningView(step=step):
            within = step
        case ExampleView(index=index):
            within = index
        case _:
            within = 0
    return str(view.phase), view.room.round, within


def asked(view: StageView) -> Form | Question | None:
    """Return what a view asks a player, or None if it asks nothing."""
    match view:
        case FixView(options=options):
            return Form(("choice",), options=len(options))
        case TransferView(room=room):
            return votes(room.two_link, room.chips)
        case StoryView(phase="vote" | "revote", room=room):
            return votes(room.two_link, room.chips)
        case OpeningView(case=int(case), gap=None):
            return Question(_WHICH, lambda line: _tap(case, line))
        case SayView(room=RoomCard(round=int(case))):
            return Question(SAY, lambda line: _sentence(case, line))
        case _:
            return None


_WHICH = f"{BUTTONS['outer']} (o), or {BUTTONS['inner']} (i)?"


def _tap(case: int, line: str) -> TapOpening:
    gaps = [gap for gap in Label if line and gap.startswith(line.casefold())]
    if not gaps:
        raise Misread("Please type o or i.")
    return TapOpening(case=case, gap=gaps[0])


def _sentence(case: int, line: str) -> SayIt:
    if not line:
        raise Misread(SAY)
    return SayIt(round=case, text=line)


class Teller:
    """Follows one room on one console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._place: Place | None = None
        self._storied: int | None = None
        self._steps = 0
        self._pins: tuple[PinnedReason, ...] = ()
        self._sentence = ""

    def tell(self, view: StageView) -> bool:
        """Print what is new; return False if the game is where it was."""
        now = place(view)
        if now == self._place:
            self._tell_pins(view)
            return False
        before, self._place = self._place, now
        if before is None or before[:2] != now[:2]:
            self._steps = 0
        self._tell(view)
        self._tell_pins(view)
        return True

    def _tell_pins(self, view: StageView) -> None:
        """Print each reason or sentence that the host shows, once."""
        if isinstance(view, SayView):
            if view.sentence and view.sentence != self._sentence:
                self._say(Text(f"  From the class: “{view.sentence}”"))
            self._sentence = view.sentence
            return
        if not isinstance(view, StoryView | ContrastView | RevealView):
            return
        new = [pin for pin in view.pinned if pin not in self._pins]
        self._pins = view.pinned
        if new:
            self._say(draw.pinned(new))

    def _say(self, *shown: RenderableType) -> None:
        for each in shown:
            self._console.print(each, highlight=False)

    def _tell(self, view: StageView) -> None:
        match view:
            case LobbyView():
                self._lobby(view)
            case OpeningView():
                self._opening(view)
            case ExampleView():
                self._say(*draw.worked(view))
            case StoryView():
                self._story(view)
            case ContrastView():
                self._say(
                    draw.heading("Compare with this one"), draw.example(view.example)
                )
            case RevealView():
                self._reveal(view)
            case SayView():
                self._say(draw.heading("Say it"))
            case FixView():
                title = "Which repair fits?"
                self._say(draw.heading(title), draw.fix_question(view))
            case FixRevealView():
                self._say(draw.fix_reveal(view))
            case TransferView():
                title = "Transfer: one more, on your own"
                self._say(draw.heading(title), draw.story(view.story))
            case TransferRevealView():
                self._transfer_reveal(view)
            case FinishedView():
                self._say(draw.heading("The game is over"), draw.summary(view))
            case _:
                assert_never(view)

    def _lobby(self, view: LobbyView) -> None:
        called = f"{view.room.name}: " if view.room.name else ""
        title = f"{called}{view.room.title} · room {view.room.code}"
        self._say(draw.heading(title), draw.chain(None))

    def _opening(self, view: OpeningView) -> None:
        told = dict(view.texts)
        if story := told.pop("story", ""):
            self._say(
                draw.heading(f"Short case {(view.case or 0) + 1} of 2"), Text(story)
            )
        else:
            self._say(draw.heading("The two gaps, in a minute"), draw.chain(None))
        if view.gap is not None:
            verdict = Verdict(view.gap is Label.OUTER, view.gap is Label.INNER, False)
            self._say(draw.chain(verdict), draw.verdict_line(verdict))
        self._say(draw.texts(told))

    def _story(self, view: StoryView) -> None:
        if self._storied != view.room.round:
            self._storied = view.room.round
            self._say(draw.heading(draw.round_title(view.room)), draw.story(view.story))
        match view.phase:
            case Phase.READ:
                self._say(Text("Read the story; voting opens soon.", style="dim"))
            case Phase.VOTE:
                self._say(draw.heading("Vote: which gap is it?"))
            case Phase.VOTE_CLOSED | Phase.REVOTE_CLOSED:
                self._say(Text("Voting is closed.", style="dim"))
            case Phase.DISCUSS:
                self._say(draw.heading("Discuss"), Text(DISCUSS, style="bold"))
            case Phase.REVOTE:
                self._say(draw.heading("Vote again: which gap is it?"))
            case _:
                assert_never(view.phase)

    def _reveal(self, view: RevealView) -> None:
        new = view.shown[self._steps :]
        if self._steps == 0:
            again = "" if view.room.practice_of is None else " (practice)"
            again = " (shown again)" if view.is_again else again
            self._say(draw.heading(f"Reveal: {view.story.title}{again}"))
        self._steps = len(view.shown)
        if new:
            self._say(draw.steps(view, new))

    def _transfer_reveal(self, view: TransferRevealView) -> None:
        shown = view.example
        self._say(
            tally("The twin case", view.bars, draw.right_option(shown.verdict)),
            draw.chain(shown.verdict),
            draw.verdict_line(shown.verdict),
            draw.texts({"why": shown.texts.get("why", "")}),
        )
