"""The host's report page: what it says of a class, that it grows, and what it saves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

pytest.importorskip("playwright")

from playwright.async_api import expect

from server.app import Config, Running, running
from tests.browser.table import LAPTOP, NAMED, Table, violations
from tests.support.cases import SECRET
from tests.support.known_classes import CLASSES, store_classes

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

SENTENCES = {
    "KX2222": "not yet telling the two gaps apart, and leans outer",
    "KX3333": "not yet telling the two gaps apart, and leans neither way",
    "KX4444": "telling the two gaps apart well (",
    "KX5555": "telling the two gaps apart well, but one case split it",
}


def report_path(room: str) -> str:
    """Return the path of a stored class's report."""
    return f"/report#room={room}&key={SECRET}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stored(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A server that finds four classes in its journal."""
    folder = tmp_path_factory.mktemp("classes")
    await store_classes(folder)
    async with running(
        Config(port=0, origins=NAMED, data=folder, keep_days=0)
    ) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Browser, stored: Running) -> AsyncIterator[Table]:
    """A table at that server."""
    seated = Table(browser, stored)
    yield seated
    await seated.leave()


async def opened(desk: Table, room: str, **context: Any) -> Page:
    """Open a report and wait until it is there."""
    page = await desk.sit(report_path(room), **{"size": LAPTOP, **context})
    await unfold(page)
    return page


async def unfold(page: Page) -> None:
    """Open the statistics, which are folded away, and wait until they are there."""
    await page.locator(".statistics > summary").click()
    await page.locator(".sentence").wait_for()


@pytest.mark.parametrize("room", list(CLASSES))
async def test_each_class_gets_its_sentence(desk: Table, room: str) -> None:
    page = await opened(desk, room)
    await expect(page.locator(".sentence")).to_contain_text(SENTENCES[room])
    assert desk.complaints() == []


async def test_charts_have_names_and_tables_and_axe_finds_nothing(desk: Table) -> None:
    for scheme in ("light", "dark"):
        page = await opened(desk, "KX5555", color_scheme=scheme)
        charts = page.locator("svg.chart")
        assert await charts.count() == 16 + 3
        for chart in await charts.all():
            assert await chart.get_attribute("aria-label")
        drawn = page.locator("section:has(svg.chart)")
        assert await drawn.count() == 3
        assert await drawn.locator("table").count() >= 3
        assert await violations(page) == []


async def test_it_fits_a_phone_and_speaks_german(desk: Table) -> None:
    narrow = {"width": 320, "height": 640}
    page = await opened(desk, "KX5555", size=narrow, locale="de-DE")
    wide = "document.scrollingElement.scrollWidth - innerWidth"
    assert await page.evaluate(wide) <= 0
    await expect(page.get_by_role("heading", name="Fall für Fall")).to_be_visible()


async def test_files_are_saved(desk: Table, tmp_path: Path) -> None:
    page = await opened(desk, "KX4444")
    for form in ("HTML", "CSV", "XLSX", "JSON"):
        async with page.expect_download() as download:
            await page.get_by_role("button", name=f"({form})").click()
        saved = await download.value
        name = f"two-gaps-KX4444.{form.lower()}"
        assert saved.suggested_filename == name
        await saved.save_as(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000
        await expect(page.get_by_text(f"Saved {name}")).to_be_visible()


async def test_prints_on_a4(desk: Table) -> None:
    page = await opened(desk, "KX5555")
    await page.emulate_media(media="print")
    for hidden in (page.locator("header"), page.locator(".keep")):
        await expect(hidden).to_be_hidden()
    document = await page.pdf(prefer_css_page_size=True)
    boxes = set(re.findall(rb"/MediaBox \[([^\]]*)\]", document))
    assert len(boxes) == 1
    _, _, width, height = map(float, boxes.pop().split())
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297)


async def test_it_grows_with_every_reveal(table: Table) -> None:
    room = await table.open_room(length=2)
    path = table.host_path(room).replace("/host", "/report")
    page = await table.sit(path, size=LAPTOP)
    sentence = page.locator(".sentence")
    await unfold(page)
    await expect(sentence).to_contain_text("No case has been answered")
    phone = await table.sit(f"/j/{room}")
    await phone.locator("#name").fill("Ada")
    await phone.locator("button.main").click()
    await expect(phone.locator("main")).to_have_attribute("data-phase", "lobby")
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        await phone.locator("button.gap.outer").click()
        await expect(phone.locator(".state.recorded")).to_be_visible()
        await host.ask("close_votes")
        await expect(sentence).to_contain_text("No case has been answered")
        await host.ask("reveal")
        await expect(sentence).to_contain_text("1 of 1 answer was right")
        await page.get_by_text("Live figures").click()
        await expect(page.locator("details .share")).to_contain_text("100%")
        await host.ask("finish")
        await expect(page.get_by_text("Live figures")).to_have_count(0)
    assert table.complaints() == []


async def test_a_wrong_link_says_so(table: Table) -> None:
    page = await table.sit("/report", size=LAPTOP)
    await expect(page.get_by_text("needs its full link")).to_be_visible()
    room = await table.open_room(length=1)
    page = await table.sit(f"/report#room={room}&key={'0' * 32}", size=LAPTOP)
    await expect(page.get_by_role("alert")).to_contain_text("doesn’t open a report")


async def test_dates_are_the_class_s_wherever_the_report_is_read(
    table: Table,
) -> None:
    """The first console says its time zone; a reader elsewhere sees the class's day."""
    room = await table.open_room(length=1)
    auckland = {"timezone_id": "Pacific/Auckland"}
    console = await table.sit(table.host_path(room), size=LAPTOP, **auckland)
    await expect(console.locator("main, .stage").first).to_be_visible()
    path = table.host_path(room).replace("/host", "/report")
    abroad = await table.sit(path, size=LAPTOP, timezone_id="America/Los_Angeles")
    facts = abroad.locator(".facts")
    await expect(facts).to_contain_text(re.compile(r"GMT\+1[23]"))
    await expect(facts).not_to_contain_text("has no time zone")
    again = await table.sit(table.host_path(room), size=LAPTOP, timezone_id="UTC")
    await expect(again.locator("main, .stage").first).to_be_visible()
    async with table.host(room) as host:
        settings = (await host.ask("get_report", form="page"))["report"]["room"]
    assert settings["time_zone"] == "Pacific/Auckland"
    assert table.complaints() == []


async def test_a_teacher_sees_what_to_take_up_and_makes_the_next_lesson(
    table: Table,
) -> None:
    """Statistics are folded away; the lesson's link opens a console of its own."""
    room = await table.open_room(length=1)
    path = table.host_path(room).replace("/host", "/report")
    phones = []
    for name, gap in (("Ada", "outer"), ("Ben", "inner"), ("Cem", "inner")):
        phone = await table.sit(f"/j/{room}")
        await phone.locator("#name").fill(name)
        await phone.locator("button.main").click()
        await expect(phone.locator("main")).to_have_attribute("data-phase", "lobby")
        phones.append((phone, gap))
    async with table.host(room) as host:
        for command in ("open_round", "open_vote"):
            await host.ask(command)
        for phone, gap in phones:
            await phone.locator(f"button.gap.{gap}").click()
            await phone.locator(".chips button").nth(4).click()
            await expect(phone.locator(".state.recorded")).to_be_visible()
        reason = phones[1][0].get_by_label("Which fact decides it?")
        await reason.fill("It learned to turn in circles.")
        await phones[1][0].get_by_role("button", name="Send", exact=True).click()
        for command in ("close_votes", "reveal"):
            await host.ask(command)
        page = await table.sit(path, size=LAPTOP)
        section = page.locator("section.next")
        await section.wait_for()
        await expect(section.get_by_role("button")).to_have_count(0)
        await host.ask("finish")
    await expect(section).to_contain_text("In the end, 1 of 3 were right (33%).")
    await expect(section).to_contain_text("It learned to turn in circles.")
    await expect(section).to_contain_text("Sure but wrong (host only): Ben, Cem")
    await expect(page.locator(".sentence")).to_be_hidden()
    assert await violations(page) == []
    await section.get_by_role("button", name="Make Friday’s five").click()
    await section.get_by_role("link", name="Go to").click()
    await expect(page).to_have_url(re.compile(r"/host#room="))
    await expect(page.get_by_text("Once more:").first).to_be_visible()
    assert table.complaints() == []
