"""The report as one file: opened from a disk, with no server and no network."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from server.report.exports import TEMPLATE, Wanted, written
from server.report.report import build_report
from tests.browser.table import LAPTOP, violations
from tests.support.known_classes import EXPERT, SPLIT
from tests.support.missing import need
from tests.support.simulated_class import simulate

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of one class, for its host and for others, and of two together."""
    need(TEMPLATE.is_file(), "the built pages (npm run build in client/web)")
    folder = tmp_path_factory.mktemp("saved")
    split, expert = simulate(SPLIT, 1), simulate(EXPERT, 2)
    expert.code = "EXPERT"
    made = {
        "host": written([split], [], Wanted("html")),
        "others": written([split], [], Wanted("html", "others")),
        "together": written([split, expert], [], Wanted("html", match_names=True)),
    }
    for name, content in made.items():
        (folder / f"{name}.html").write_bytes(content)
    return {name: folder / f"{name}.html" for name in made}


@asynccontextmanager
async def opened(browser: Browser, file: Path, **more: Any) -> AsyncIterator[Page]:
    """Open a file with the network off; nothing else may be asked for."""
    settings = {"viewport": LAPTOP, "locale": "en-GB", "offline": True, **more}
    context = await browser.new_context(**settings)
    page = await context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.goto(file.as_uri())
    try:
        yield page
        assert (asked, said) == ([file.as_uri()], [])
    finally:
        await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_opens_from_a_disk_and_shows_the_figures(
    browser: Browser, files: dict[str, Path], scheme: str
) -> None:
    async with opened(browser, files["host"], color_scheme=scheme) as page:
        sentence = page.locator(".sentence")
        await expect(page.locator(".facts")).to_contain_text("16 of 16 rounds ·")
        await expect(sentence).to_have_text(
            build_report(simulate(SPLIT, 1)).sentence.text
        )
        assert await page.locator("svg.chart").count() == 16 + 3
        paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        red = int(re.findall(r"\d+", paper)[0])
        assert red > 200 if scheme == "light" else red < 60
        await expect(page).to_have_title("SXMXXT · Test deck · Two Gaps")
    # axe is code of our own in the page: it runs beside, where nothing is counted
    context = await browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = await context.new_page()
    await page.goto(files["host"].as_uri())
    assert await violations(page) == []
    await context.close()


async def test_it_speaks_german_and_fits_a_phone(
    browser: Browser, files: dict[str, Path]
) -> None:
    phone = {"width": 320, "height": 640}
    file = files["host"]
    async with opened(browser, file, locale="de-DE", viewport=phone) as page:
        await expect(page.get_by_role("heading", name="Fall für Fall")).to_be_visible()
        wide = "document.scrollingElement.scrollWidth - innerWidth"
        assert await page.evaluate(wide) <= 0


async def test_a_file_for_others_says_so(
    browser: Browser, files: dict[str, Path]
) -> None:
    async with opened(browser, files["others"]) as page:
        await expect(page.locator(".facts")).to_contain_text("small counts are hidden")


async def test_several_rooms_are_side_by_side(
    browser: Browser, files: dict[str, Path]
) -> None:
    async with opened(browser, files["together"]) as page:
        for heading in ("Side by side", "Before and after", "Cases, hardest first"):
            await expect(page.get_by_role("heading", name=heading)).to_be_visible()
        await expect(page.locator(".code")).to_have_text("SXMXXT, EXPERT")
        await expect(page.get_by_role("row", name="people in both")).to_be_visible()


async def test_it_prints_on_a4(browser: Browser, files: dict[str, Path]) -> None:
    async with opened(browser, files["host"]) as page:
        await page.emulate_media(media="print")
        await expect(page.locator("header")).to_be_hidden()
        document = await page.pdf(prefer_css_page_size=True)
    boxes = set(re.findall(rb"/MediaBox \[([^\]]*)\]", document))
    _, _, width, height = map(float, boxes.pop().split())
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297)


async def test_without_javascript_it_says_what_it_needs(
    browser: Browser, files: dict[str, Path]
) -> None:
    async with opened(browser, files["host"], java_script_enabled=False) as page:
        text = await page.inner_text("body")
        assert "Open the file in a browser" in text
