"""A screen reader over a real page: what it says without being asked.

``@guidepup/virtual-screen-reader`` follows the W3C's mappings of HTML, ARIA and names.
It is no NVDA and no VoiceOver: it holds which words reach people, and in which order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page

READER = (
    Path(__file__).parents[2] / "client/web/node_modules/@guidepup"
    "/virtual-screen-reader/lib/esm/index.browser.js"
)

LISTEN = """async () => {
  await window.reader.start({ container: document.body });
  await window.reader.clearSpokenPhraseLog();
  window.heardTo = 0;
}"""

NEWS = """async () => {
  const log = await window.reader.spokenPhraseLog();
  const news = log.slice(window.heardTo);
  window.heardTo = log.length;
  const said = news.map((phrase) => /^(?:polite|assertive): (.*\\S)/.exec(phrase)?.[1]);
  return said.filter(Boolean);
}"""


@cache
def _script() -> str:
    """Return the bundle as a script that keeps the reader in ``window.reader``."""
    text = READER.read_text(encoding="utf-8")
    head, _, tail = text.rpartition("export{")
    names = dict(reversed(item.split(" as ")) for item in tail.split("}")[0].split(","))
    return f"(() => {{ {head}; window.reader = {names['virtual']}; }})()"


@dataclass
class Reader:
    """A screen reader that has been started on a page."""

    page: Page
    said: list[str] = field(default_factory=list)
    """Everything it has announced so far."""

    @classmethod
    async def of(cls, page: Page) -> Reader:
        """Start one on a page."""
        await page.evaluate(_script())
        await page.evaluate(LISTEN)
        return cls(page)

    async def news(self) -> list[str]:
        """Return what it has announced since it was asked last."""
        found = [str(phrase) for phrase in await self.page.evaluate(NEWS)]
        self.said += found
        return found

    async def looks_again(self) -> list[str]:
        """Start again: it follows the regions that are there when it starts.

        Returns what it has announced until now.
        """
        found = await self.news()
        await self.page.evaluate("() => window.reader.stop()")
        await self.page.evaluate(LISTEN)
        return found
