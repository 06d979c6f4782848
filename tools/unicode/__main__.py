"""``python -m tools.unicode``: print server/game/confusables.py."""

from tools.unicode import render

print(render(), end="")
