"""Finds English on a page of another language.

Texts of cases are English by decision, and are marked so (``lang="en"``), as names and
typed text are marked ``translate="no"``. Of all other text, what the English catalogue
says, or what has English words in it, is reported.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.load import load_library
from tests.support.longest import longest

if TYPE_CHECKING:
    from playwright.async_api import Page

CATALOGUES = Path(__file__).parents[2] / "client" / "web" / "src" / "i18n"

SAID = """() => {
  const said = new Set();
  const isOurs = (at) =>
    at && at.closest('[lang]')?.lang.startsWith(document.documentElement.lang) &&
    !at.closest('script, style, noscript, [translate=no]');
  const add = (text) => {
    if (text?.trim()) said.add(text.trim().replace(/\\s+/g, ' '));
  };
  const names = ['aria-label', 'aria-description', 'title', 'alt', 'placeholder'];
  add(document.title);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); )
    if (isOurs(node.parentElement)) add(node.data);
  for (const at of document.querySelectorAll('*'))
    if (isOurs(at))
      for (const name of names) add(at.getAttribute(name));
  return [...said];
}"""
"""Every text of the page in its own language, hidden or not, and every name."""

ENGLISH_WORDS = re.compile(
    r"(?<![\w’'-])(the|of|and|you|your|are|is|with|this|from|what|which|who|for|has|have|"
    r"they|that|it|we|does|did|at|by|or|people|answer|answers|votes?|right|wrong|first|"
    r"second|needs|undefined|NaN)(?![\w’'-])",
    re.IGNORECASE,
)
"""Words that no German sentence of ours has, and nearly every English one."""

_LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')


def _pieces(pattern: str) -> set[str]:
    """Return the fixed parts of every text of some catalogues."""
    found: set[str] = set()
    for path in sorted(CATALOGUES.glob(pattern)):
        lines = path.read_text(encoding="utf-8").splitlines()
        code = "\n".join(
            line
            for line in lines
            if not line.lstrip().startswith(("//", "/*", "import"))
        )
        for plain, template in _LITERAL.findall(code):
            parts = [plain] if plain else re.split(r"\$\{[^}]*\}", template)
            found |= {part.strip() for part in parts if part.strip()}
    return found


@cache
def english_pieces() -> frozenset[str]:
    """Return what the English catalogue says and the German one does not."""
    return frozenset(
        piece
        for piece in _pieces("en*.ts") - _pieces("de*.ts")
        if len(piece) > 3 and not piece.islower()
    )


@cache
def titles() -> tuple[str, ...]:
    """Return the titles of all cases and decks, which names of buttons have in them."""
    library = load_library()
    found = [case.title for case in library.cases.values()]
    found += [deck.title for deck in library.decks.values()]
    found.append(longest(library, two_link=False).title)
    return tuple(sorted(found, key=len, reverse=True))


def without_titles(text: str) -> str:
    """Return a text without the titles of cases and decks in it."""
    for title in titles():
        text = text.replace(title, "")
    return text


async def english_on(page: Page) -> list[str]:
    """Return the texts of a page that are English, though the page is not."""
    assert await page.evaluate("document.documentElement.lang") != "en"
    said: list[str] = await page.evaluate(SAID)
    assert said
    pieces = english_pieces()
    return [
        text
        for text in map(without_titles, said)
        if text in pieces
        or ENGLISH_WORDS.search(text)
        or any(" " in piece and piece in text for piece in pieces)
    ]
