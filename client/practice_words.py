"""What practice players are called, and what they say for a reason."""

from __future__ import annotations

from random import Random
from typing import Literal

Side = Literal["outer", "inner", "both", "neither"]

_FIRST_WORDS = (
    "Amber Brave Calm Clever Copper Coral Cosy Dapper Eager Early Fern Gentle Golden "
    "Happy Hazel Honest Indigo Ivory Jolly Kind Lemon Lively Lucky Maple Mellow Merry "
    "Misty Nimble Olive Patient Pebble Plucky Polite Quick Quiet Rosy Rusty Sandy "
    "Silver Sleepy Snowy Sunny Swift Tidy Velvet Warm Wise Witty"
)
_SECOND_WORDS = (
    "Badger Bee Beaver Bison Crane Cricket Dolphin Dormouse Falcon Finch Fox Gecko "
    "Goose Hare Hedgehog Heron Ibis Jackdaw Kestrel Lark Lemur Lynx Magpie Marten Mole "
    "Moth Newt Ocelot Osprey Otter Owl Panda Pelican Penguin Plover Puffin Quail "
    "Rabbit Raven Robin Seal Sparrow Squirrel Starling Stork Swallow Tapir Wren"
)
_FIRST = tuple(_FIRST_WORDS.split())
_SECOND = tuple(_SECOND_WORDS.split())
NAMES = len(_FIRST) * len(_SECOND)
"""How many different names there are."""

REASONS: dict[Side, tuple[str, ...]] = {
    "outer": (
        "It got exactly the number it was told to get.",
        "The score never mentioned what they cared about.",
        "Nobody tricked it: the reward really was higher that way.",
        "They measured the easy thing and hoped for the real one.",
        "Do what was written, perfectly, and you get this result.",
        "It would do the same on the training set, and did.",
        "Rewriting the objective would end it; more data would not.",
        "What counted as success was a stand-in from day one.",
        "The rule had a hole and the best strategy went through it.",
        "High reward and an unhappy owner at the same time.",
        "The people who wrote the target left something out.",
        "It is winning the game they set, just not the one they meant.",
    ),
    "inner": (
        "The objective was fine; it picked up something that went along with it.",
        "In training the two always came together, later they did not.",
        "It fails by its own score once the surroundings change.",
        "It kept its skill and went for the wrong thing.",
        "Nothing in the reward asked for that; it learned a habit.",
        "It never had to tell the two apart while it trained.",
        "More varied examples would have cured it, same objective.",
        "It follows a cue that used to be right.",
        "By the written goal it loses here, so the goal was not the trouble.",
        "The trouble shows only outside of what it was trained on.",
        "The score dropped too; a bad target would have been met.",
        "It learned a shortcut that no test had ever broken.",
    ),
    "both": (
        "The target was off, and it did not even learn that target.",
        "Two separate things broke: what they wrote, and what it took from it.",
        "Mending one of them would leave the other.",
        "The score missed the point, and then it failed by the score as well.",
    ),
    "neither": (
        "It did what was meant; the world was just unkind.",
        "Target right, learned right: this is a plain fault of another sort.",
        "I see a bug here, not a gap.",
        "It simply was not good enough yet at the right thing.",
    ),
}


def names(n: int, seed: int) -> tuple[str, ...]:
    """Return ``n`` different friendly names; numbered beyond the first 2304."""
    order = Random(f"{seed} names").sample(range(NAMES), NAMES)  # noqa: S311 - names
    return tuple(_name(order[i % NAMES], i // NAMES) for i in range(n))


def _name(pick: int, lap: int) -> str:
    first, second = divmod(pick, len(_SECOND))
    name = f"{_FIRST[first]} {_SECOND[second]}"
    return f"{name} {lap + 1}" if lap else name
