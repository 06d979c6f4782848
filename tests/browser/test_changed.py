"""Pages that the browser or its user changes: translated, zoomed, turned, recolored."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.staff import Staff
from tests.browser.table import LAPTOP, PHONE, PROJECTOR, Table, show_private
from tests.browser.test_game import join, must_show

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRANSLATE = """() => {
  const wrap = (text) => {
    if (!text.data.trim() || !text.isConnected) return;
    if (text.parentElement.closest("font, script, style, [translate=no]")) return;
    const outer = document.createElement("font");
    const inner = document.createElement("font");
    inner.textContent = text.data;
    outer.append(inner);
    text.parentNode.replaceChild(outer, text);
  };
  const all = (root) => {
    if (root.nodeType === Node.TEXT_NODE) return wrap(root);
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) found.push(walk.currentNode);
    found.forEach(wrap);
  };
  new MutationObserver((records) => {
    for (const one of records) {
      if (one.type === "characterData") wrap(one.target);
      one.addedNodes.forEach(all);
    }
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
  all(document.body);
}"""
"""Does to text nodes what a browser's translator does, into the same language."""

SHOWN = """() => {
  const hasText = (node) => [...node.childNodes].some(
    (child) => child.nodeName === "FONT" || (child.data || "").trim());
  return [...document.querySelectorAll("#app *")]
    .filter((node) => node.checkVisibility() && !node.closest("font, [role=timer]"))
    .filter(hasText)
    .map((node) => (node.innerText ?? node.textContent).replace(/\\s+/g, " ").trim())
    .filter(Boolean).join("\\n");
}"""
"""Returns what a page shows, a line for each element that holds text."""


async def must_agree(pages: list[tuple[Page, Page]]) -> None:
    """Wait until each translated page shows what its twin shows."""
    for plain, translated in pages:
        shown = told = ""
        for _ in range(25):
            shown, told = [
                (await page.evaluate(SHOWN)).replace("Ada 2", "Ada")
                for page in (plain, translated)
            ]
            if shown == told:
                break
            await plain.wait_for_timeout(200)
        assert told == shown


async def twins(table: Table, path: str, size: dict[str, int]) -> tuple[Page, Page]:
    """Return two pages of the same address, one of them translated."""
    plain, translated = [await table.sit(path, size=size) for _ in range(2)]
    await must_show(translated, "Ada")
    await translated.evaluate(TRANSLATE)
    return plain, translated


async def test_a_translated_page_shows_nothing_stale_in_a_whole_round(
    table: Table,
) -> None:
    room = await table.open_room(length=1, settings={"time_factor": None})
    ada, bea = await join(table, room, "Ada"), await join(table, room, "Ada")
    await bea.evaluate(TRANSLATE)
    async with table.host(room) as host:
        screens = await twins(table, table.screen_path(room), PROJECTOR)
        consoles = await twins(table, table.host_path(room), LAPTOP)
        for step in ROUND:
            if step == "answer":
                for phone in (ada, bea):
                    await phone.locator("button.gap.outer").click()
                    await must_show(phone, "Recorded")
            else:
                await host.ask(step, **MORE.get(step, {}))
            await must_agree([screens, consoles, (ada, bea)])
        for page in (bea, screens[1], consoles[1]):
            assert await page.locator("font").count() > 0
    assert table.complaints() == []


ROUND = (
    "open_round", "open_vote", "answer", "close_votes", "discuss", "revote",
    "close_votes", "reveal", *["next_step"] * 5,
)  # fmt: skip
MORE = {
    "open_round": {"round": None},
    "close_votes": {"override": False, "without": False},
    "reveal": {"without": False},
    "next_step": {"all": False},
}


async def test_names_and_codes_are_not_translated(table: Table) -> None:
    room = await table.open_room(length=1)
    await join(table, room, "Ada")
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    console = await table.sit(table.host_path(room), size=LAPTOP)
    for page, text in ((screen, "Ada"), (screen, room), (console, room)):
        node = page.get_by_text(text, exact=True).first
        await expect(node).to_be_visible()
        assert await node.evaluate("node => node.closest('[translate=no]') !== null")


NAMED = """name => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const bare = [];
  let count = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.parentElement;
    if (!node.data.includes(name) || at.closest("script, style")) continue;
    count += 1;
    if (!at.closest("[translate=no]")) bare.push(node.data);
  }
  return [count, bare];
}"""
"""How often a page shows a name, and each time that a browser would translate it."""


async def shows_untranslated(page: Page, name: str) -> None:
    """Wait until a page shows a name, and see that no browser translates it."""
    await expect(page.get_by_text(name).first).to_be_visible()
    count, bare = await page.evaluate(NAMED, name)
    assert count > 0
    assert bare == []


async def test_no_name_is_translated_anywhere(table: Table) -> None:
    teams = {"teams": ["Rosas", "Luces"], "time_factor": None, "podium": True}
    # Closing pages show no mean of fewer people than a cell holds.
    room = await table.open_room(length=1, settings={**teams, "min_cell": 1})
    one, two = [await table.context(size=PHONE) for _ in range(2)]
    rose = await join_as(table, room, "Rose", one)
    lily = await join_as(table, room, "Lily", two)
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    console = await table.sit(table.host_path(room), size=LAPTOP)
    await shows_untranslated(rose, "Rose")
    await shows_untranslated(screen, "Rose")
    await console.get_by_role("button", name="People").click()
    await shows_untranslated(console, "Rose")
    await console.get_by_role("button", name="Remove: Rose").click()
    await shows_untranslated(console, "Rose")
    await console.keyboard.press("Escape")
    async with table.host(room) as host:
        await open_vote(host)
        for phone, gap in ((rose, "outer"), (lily, "inner")):
            await phone.locator(f"button.gap.{gap}").click()
            await phone.get_by_label("Which fact decides it?").fill("It is so.")
            await phone.get_by_role("button", name="Send", exact=True).click()
            await must_show(phone, "Recorded")
        await show_private(console)
        await host.ask("close_votes")
        await shows_untranslated(console, "Lily")
        await host.ask("discuss")
        await shows_untranslated(rose, "Lily")
        await host.ask("reveal")
        await host.ask("finish")
        for page in (screen, console, rose):
            await shows_untranslated(page, "Rose")
        await shows_untranslated(screen, "Rosas")
    report = await table.sit(table.host_path(room).replace("/host", "/report"))
    await shows_untranslated(report, room)
    await rose.locator("header .open").click()
    await rose.get_by_role("button", name="Not Rose?").last.click()
    await shows_untranslated(rose, "Rose")


async def join_as(table: Table, room: str, name: str, profile: BrowserContext) -> Page:
    """Join on a device."""
    page = await table.sit(f"/j/{room}", profile=profile)
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Join", exact=True).click()
    await must_show(page, f"You’re in, {name}")
    return page


@contextlib.asynccontextmanager
async def voting(table: Table, **room: Any) -> AsyncIterator[str]:
    """Open a room and its first vote."""
    code = await table.open_room(length=1, **room)
    async with table.host(code) as host:
        await open_vote(host)
        yield code


async def open_vote(host: Staff) -> None:
    """Open the next case and its vote."""
    await host.ask("open_round", round=None)
    await host.ask("open_vote")


SEEN = """nodes => nodes.every((node) => {
  const box = node.getBoundingClientRect();
  const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth
    && at !== null && (node.contains(at) || at.contains(node));
})"""
"""Whether every node is in the window, with nothing over it."""


@pytest.mark.parametrize(
    ("width", "height"), [(640, 360), (683, 384), (640, 400), (180, 320)]
)
@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
async def test_the_answers_are_in_view_on_short_screens(
    table: Table, width: int, height: int, locale: str
) -> None:
    async with voting(table) as room:
        size = {"width": width, "height": height}
        phone = await table.sit(f"/j/{room}", size=size, locale=locale)
        await phone.locator("form button.main").click()
        answers = phone.locator("button.gap")
        await expect(answers).to_have_count(2)
        assert await answers.evaluate_all(SEEN)
        await answers.first.click()
        await phone.locator(".state.recorded").wait_for()
        assert await answers.evaluate_all(SEEN), await boxes(phone)
        assert await phone.locator(".state.recorded").evaluate_all(SEEN), await boxes(
            phone
        )
        if width > 480:
            assert await phone.locator(".chips button").evaluate_all(SEEN), await boxes(
                phone
            )
        reach = await phone.evaluate("document.documentElement.scrollWidth")
        assert reach <= width


async def boxes(phone: Page) -> str:
    """Return where the parts of the ballot are, for the message of a failure."""
    return str(
        await phone.evaluate(
            "[...document.querySelectorAll('.ballot, .ballot *')].map(node => {"
            " const {top, bottom} = node.getBoundingClientRect();"
            " return [node.className, Math.round(top), Math.round(bottom)].join(' ');})"
        )
    )


LOOK = """node => {
  const style = getComputedStyle(node);
  return [style.backgroundColor, style.color].join();
}"""


async def test_forced_colors_show_what_is_chosen(table: Table) -> None:
    async with voting(table, settings={"two_link": True}) as room:
        phone = await table.sit(f"/j/{room}", forced_colors="active")
        await phone.locator("form button.main").click()
        pair = phone.locator(".two").first.get_by_role("button")
        await pair.first.click()
        await expect(pair.first).to_have_attribute("aria-pressed", "true")
        looks = [await pair.nth(at).evaluate(LOOK) for at in (0, 1)]
        assert looks[0] != looks[1]
        await phone.locator("header .open").click()
        times = phone.locator("dialog .choices").first.get_by_role("button")
        looks = [await times.nth(at).evaluate(LOOK) for at in (0, 1)]
        assert looks[0] != looks[1]


async def differ(page: Page, chosen: str, other: str, look: str = "") -> None:
    """See that a chosen control looks unlike another, in forced colors."""
    looks = [
        await page.locator(which).first.evaluate(look or LOOK)
        for which in (chosen, other)
    ]
    assert looks[0] != looks[1], (chosen, looks)


EDGE = """node => {
  const style = getComputedStyle(node);
  return [style.borderInlineStartWidth, style.borderInlineStartColor].join();
}"""


async def test_forced_colors_show_what_is_chosen_on_console_and_projector(
    table: Table,
) -> None:
    forced = {"forced_colors": "active"}
    admin = await table.sit(table.admin_path(), size=LAPTOP, **forced)
    await admin.locator(".deck").first.click()
    await differ(admin, ".deck:has(:checked)", ".deck:not(:has(:checked))")
    async with voting(table) as room:
        console = await table.sit(table.host_path(room), size=LAPTOP, **forced)
        phone = await table.sit(f"/j/{room}")
        await phone.locator("form button.main").click()
        await phone.locator("button.gap.outer").click()
        await console.locator(".big.ready").wait_for()
        await differ(console, ".big.ready", ".others .button")
        await console.get_by_role("button", name="People").click()
        pressed, free = [f"dialog [aria-pressed={on}]" for on in ("true", "false")]
        await differ(console, pressed, free)
        await console.keyboard.press("Escape")
        screen = await table.sit(table.screen_path(room), size=PROJECTOR, **forced)
        async with table.host(room) as host:
            for command in ("close_votes", "reveal"):
                await host.ask(command)
            await host.ask("next_step", all=True)
            await host.ask("ask_fix")
            await host.ask("close_votes")
        await differ(screen, "li.right", "li.faded", EDGE)
    room = await table.open_room(length=2)
    async with table.host(room) as host:
        await open_vote(host)
    console = await table.sit(table.host_path(room), size=LAPTOP, **forced)
    await differ(console, "li[aria-current]", "li:not([aria-current])", EDGE)


@pytest.mark.parametrize(("width", "height"), [(640, 400), (640, 360), (683, 384)])
async def test_the_console_can_be_led_at_double_size(
    table: Table, width: int, height: int
) -> None:
    async with voting(table) as room:
        size = {"width": width, "height": height}
        console = await table.sit(table.host_path(room), size=size)
        big = console.locator(".big")
        await expect(big).to_have_text("Close voting")
        assert await big.evaluate_all(SEEN)
        reach = await console.evaluate("document.documentElement.scrollWidth")
        assert reach <= width


async def test_a_browser_that_cannot_read_the_scripts_gets_a_notice(
    table: Table,
) -> None:
    old = await table.context(size=LAPTOP)
    await old.route(
        "**/*.js",
        lambda route: route.fulfill(
            body="this is {{ not", content_type="text/javascript"
        ),
    )
    for path in ("/", "/host", "/screen", "/report"):
        page = await old.new_page()
        await page.goto(table.url(path))
        await expect(page.get_by_text("browser may be too old")).to_be_visible()
        await expect(page.get_by_text("Vielleicht zu alt")).to_be_visible()
    await old.close()
