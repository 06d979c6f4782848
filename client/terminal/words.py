"""All words and signs that the terminal shows, and the commands they name.

Outer is an orange ring and inner a blue dot: color is never the only difference.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.model import Kind
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.commands import BUTTONS as PRESSES
from server.game.commands import HostCommand
from server.game.views.stage_types import Verdict

OUTER_STYLE = "#E69F00"
INNER_STYLE = "#3C9BDC"

SIGNS = {"outer": "◯", "inner": "●", "both": "◎", "neither": "–"}
STYLES = {"outer": OUTER_STYLE, "inner": INNER_STYLE, "both": "bold", "neither": "dim"}

MEANT = "What we meant"
WROTE = "What we wrote"
LEARNED = "What it learned"

BUTTONS = {
    "outer": "Outer: we wrote the wrong thing",
    "inner": "Inner: it learned the wrong thing",
}
OUTER_LINK = "Did what we wrote miss what we meant?"
INNER_LINK = "Did what it learned miss what we wrote?"
WHICH_FACT = "Which fact decides it?"
SAY = (
    "Say it as an expert would: the objective, what was learned, where it broke, "
    "whose fix. One sentence in your own words:"
)
SQUARE = "Each link can break alone: outer, inner, both, or neither"
NO_VERDICTS = "Your answers are recorded. A test shows no verdicts."
DISCUSS = "Argue for your answer, and against the other."

KINDS: dict[Kind, str] = {
    "documented": "true story",
    "one-fact": "a real case with one fact changed",
    "variant": "an invented variant of a real case",
    "thought": "a thought experiment",
}

FIELDS = {
    "intended": MEANT,
    "written": WROTE,
    "learned": LEARNED,
    "broke": "Where it broke",
    "why": "The fact that decides",
    "contested": "Experts disagree",
    "why_not": "Why not the other",
    "tempting": "Why it's tempting",
    "flip": "What would flip it",
    "fix": "The repair",
    "owner": "Responsible",
    "more_capable": "More capable",
    "residual": "What it doesn't solve",
    "say": "An expert says",
}
"""The label of each text in a breakdown, by field name."""

COMMANDS = {
    "show_opening": "opening minute: next step",
    "show_example": "show a worked example",
    "open_round": "open the next case",
    "open_vote": "open voting",
    "close_votes": "close voting",
    "contrast": "show the contrast case",
    "discuss": "let them discuss",
    "revote": "vote again",
    "reveal": "reveal",
    "next_step": "next step",
    "ask_say": "let them say it in their own words",
    "ask_fix": "ask which repair fits",
    "transfer": "transfer: vote on the twin case",
    "reopen_vote": "reopen voting",
    "play_again": "play this case again, for practice",
    "skip_round": "skip this case",
    "back_to_lobby": "pause in the lobby",
    "finish": "finish the game",
    "give_time": "add 30 s",
    "stop_clock": "stop the clock",
    "start_clock": "start the clock again",
    "show_again": "go back to the lesson",
    "none": "nothing left to do",
}
"""Descriptions of commands whose names are not clear enough."""


LETTERS = {
    "e": ("show_example",),
    "o": ("open_round",),
    "v": ("open_vote", "revote"),
    "c": ("close_votes",),
    "x": ("contrast",),
    "d": ("discuss",),
    "u": ("reopen_vote",),
    "again": ("play_again",),
    "r": ("reveal",),
    "n": ("next_step",),
    "s": ("ask_say",),
    "f": ("ask_fix",),
    "y": ("transfer",),
    "t": ("give_time",),
    "k": ("stop_clock", "start_clock"),
    "look": ("show_again",),
    "b": ("back_to_lobby",),
    "skip": ("skip_round",),
    "finish": ("finish",),
}
"""What can be typed, and the commands it stands for, of which the first that can be
given is sent. Every command can also be typed by its name."""

ONLY_WITH = {
    "next_step": ("a", "all steps of the breakdown"),
    "close_votes": (
        "w",
        "close anyway: players with extra time get a 20-second warning",
    ),
}
"""What can be typed only when a command can be given."""

ALWAYS = (
    ("i", "figures, sites, advice and reasons"),
    ("g", "go on without the sites that a reveal waits for"),
    ("p", "people; p NAME searches for a name"),
    ("pin 2", "show reason 2, or sentence 2, to the class; again to hide it"),
    ("lock, unlock", "stop new players from joining, or let them in again"),
    ("again 2", "play case 2 again, for practice, once it was revealed"),
    ("plan", "the cases of the plan, with their numbers"),
    ("open 5", "open case 5 now; the cases before it are still to come"),
    ("move 5 2", "play case 5 at place 2; both must be still to come"),
    ("look 2", "show the reveal of case 2 again; look alone goes back"),
    ("add ID", "add a case; add alone lists those that can be added"),
    ("name TEXT", "give the room a name; name alone removes it"),
    ("challenge TEXT", "say why the label is wrong; challenge alone takes it back"),
    ("kick NAME", "remove a player: the device and the name stay out"),
    ("back NAME", "let a player who was removed back in; back alone lists them"),
    ("kick new", "remove everyone who joined in the last minute"),
    ("newlink", "revoke the host link, and show the new one"),
    ("q", "leave; the room continues without you"),
)


def command_words(name: str) -> str:
    """Return a description of a command, or its name if that is clear enough."""
    return COMMANDS.get(name, name.replace("_", " "))


def typed_lines(can: Sequence[str]) -> str:
    """Return what a host can type if these commands can be given, one per line."""
    keys = [("Enter", "the suggested step")]
    typed = {name: key for key, names in LETTERS.items() for name in names}
    keys += [(typed.get(name, name), command_words(name)) for name in can]
    keys += [key for name, key in ONLY_WITH.items() if name in can]
    return "\n".join(f"  {key:<14}{words}" for key, words in (*keys, *ALWAYS))


NAMED: dict[str, HostCommand] = {command.type: command for command in PRESSES}
"""The commands that move the game, by the names in ``HostView.commands``."""


def named(name: str) -> HostCommand:
    """Return the command with this name, with its defaults."""
    return NAMED[name]


def verdict_key(verdict: Verdict) -> str:
    """Return outer, inner, both or neither."""
    if verdict.outer and verdict.inner:
        return "both"
    return "outer" if verdict.outer else "inner" if verdict.inner else "neither"


def verdict_words(verdict: Verdict) -> str:
    """Say in one sentence which links broke."""
    said = {
        "outer": "The outer gap: what was written missed what was meant.",
        "inner": "The inner gap: what it learned missed what was written.",
        "both": "Both gaps: neither what was written nor what was learned held.",
        "neither": "Neither gap: what was meant, written and learned agree.",
    }[verdict_key(verdict)]
    return f"{said} Experts disagree on this one." if verdict.is_contested else said


def option_words(option: str) -> str:
    """Return an option of a tally as it is shown: a gap with its sign, or a number."""
    return f"{SIGNS[option]} {option}" if option in SIGNS else str(int(option) + 1)


def answer_words(answer: Answer) -> str:
    """Describe an answer in a few words."""
    match answer:
        case GapAnswer(label=label, confidence=confidence):
            return _sure(option_words(label.value), confidence)
        case LinksAnswer(outer=outer, inner=inner):
            return f"{_link('outer', outer)}; {_link('inner', inner)}"
        case FixAnswer(option=option):
            return f"repair {option + 1}"


def _link(name: str, link: LinkAnswer) -> str:
    said = "broke" if link.broke else "held"
    return _sure(f"{option_words(name)} {said}", link.confidence)


def _sure(said: str, confidence: int | None) -> str:
    return said if confidence is None else f"{said} at {confidence}%"
