"""The author's preview: real pages on one case, which follow the file as it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from scenarios.load import BUILTIN
from server.app import Config, running
from tests.browser.look_at_cases import MOST_SCREENS, SCENES, moments, preview_path
from tests.browser.table import LAPTOP, NAMED, Table, violations
from tests.scenarios.test_shelf import later

pytestmark = pytest.mark.asyncio(loop_scope="session")
LONG = (
    "asthma-and-the-lucky-numbers",
    "how-to-kill-a-process",
    "big-judge-small-judge",
)
"""Contested, both links, and the longest story."""


@pytest_asyncio.fixture(loop_scope="session")
async def own(browser: object, tmp_path: Path) -> AsyncIterator[tuple[Table, Path]]:
    """A server with a folder of the author's own, and the file of a case in it."""
    file = tmp_path / "cases" / "mine.toml"
    file.parent.mkdir()
    text = (BUILTIN / "cases" / "four-hours.toml").read_text(encoding="utf-8")
    file.write_text(text.replace('"four-hours"', '"mine"', 1), encoding="utf-8")
    async with running(Config(port=0, origins=NAMED, cases=(tmp_path,))) as server:
        table = Table(browser, server)  # type: ignore[arg-type] # Chromium
        yield table, file
        await table.leave()


@pytest.mark.parametrize("case_id", LONG)
async def test_no_moment_fills_more_than_two_screens_of_a_phone(
    table: Table, case_id: str
) -> None:
    steps = [SCENES.index(f"reveal.{key}") for key in ("verdict", "why_not", "beyond")]
    async for step, _, fills in moments(table, case_id, [1, *steps]):
        assert fills <= MOST_SCREENS, SCENES[step]
    assert table.complaints() == []


async def test_the_bench_steps_a_phone_and_a_projector_through_a_case(
    table: Table,
) -> None:
    page = await table.sit(preview_path(table, "four-hours", "bench", 0), size=LAPTOP)
    phone = page.frame_locator(".phone iframe")
    projector = page.frame_locator(".projector iframe")
    await phone.get_by_text("In the early 2000s everyone").wait_for()
    await projector.get_by_text("In the early 2000s everyone").wait_for()
    assert await violations(page) == []
    for _ in SCENES[1 : SCENES.index("reveal.verdict") + 1]:
        await page.keyboard.press("ArrowRight")
    await page.get_by_text("Verdict", exact=True).wait_for()
    await phone.locator("main").get_by_text("The outer gap").wait_for()
    await projector.get_by_text("The outer gap").wait_for()
    await page.get_by_role("button", name="Back").click()
    await page.get_by_text("What it learned", exact=True).wait_for()
    await phone.locator("main").get_by_text("The outer gap").wait_for(state="detached")
    assert table.complaints() == []


async def test_the_page_follows_the_file_and_says_what_is_wrong(
    own: tuple[Table, Path],
) -> None:
    table, file = own
    good = file.read_text(encoding="utf-8")
    page = await table.sit(preview_path(table, "mine", "bench", 0), size=LAPTOP)
    phone = page.frame_locator(".phone iframe")
    await phone.get_by_text("In the early 2000s everyone").wait_for()
    file.write_text(
        good.replace("everyone in England", "half of England", 1), encoding="utf-8"
    )
    later(file)
    await phone.get_by_text("In the early 2000s half of England").wait_for()
    file.write_text(good.replace("level = 1", "level = 9", 1), encoding="utf-8")
    later(file)
    await page.get_by_text("One file was skipped").wait_for()
    assert "cases/mine.toml" in await page.locator("section code").inner_text()
    assert await violations(page) == []
    file.write_text(good, encoding="utf-8")
    later(file)
    await phone.get_by_text("In the early 2000s everyone").wait_for()
    await page.get_by_text("One file was skipped").wait_for(state="detached")


async def test_a_wrong_name_and_a_wrong_key_are_explained(table: Table) -> None:
    page = await table.sit(preview_path(table, "no-such-case", "bench", 0))
    await page.get_by_text("there is no case 'no-such-case'").wait_for()
    path = preview_path(table, "four-hours", "bench", 0)
    key = str(table.server.admin_key)
    wrong = await table.sit(path.replace(key, "0" * 32))
    await wrong.locator("[role=alert]").get_by_text("key").wait_for()


async def test_the_admin_page_names_what_is_left_out_and_opens_previews(
    own: tuple[Table, Path],
) -> None:
    table, file = own
    file.write_text("id = 3", encoding="utf-8")
    later(file)
    page = await table.sit(table.admin_path(), size=LAPTOP)
    await page.get_by_text("One file was skipped").wait_for()
    assert await violations(page) == []
    await page.get_by_text("Library", exact=True).click()
    await page.get_by_role("searchbox").fill("lagoon")
    await page.get_by_role("button", name="lagoon").click()
    link = page.get_by_role("link", name="Step by step")
    assert "case=coastrunners-lagoon" in str(await link.get_attribute("href"))
