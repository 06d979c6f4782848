"""Getting in: codes as people write them, and devices that several people share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.table import LAPTOP, PHONE, Table, open_menu, violations
from tests.browser.test_game import join, must_show

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")


def fullwidth(code: str) -> str:
    """Return a code as a Japanese keyboard may write it."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in code)


WRITTEN = {
    "small with spaces": lambda code: f" {code[:3].lower()} {code[3:].lower()} ",
    "with a hyphen": lambda code: f"{code[:3]}-{code[3:]}",
    "with a hash": lambda code: f"#{code}",
    "full-width": fullwidth,
    "zero-width": lambda code: f"{code}\u200b",
    "pasted link": lambda code: f"http://class.test:8000/j/{code}",
}


async def press_join(page: Page) -> None:
    """Press the form's one main button."""
    await page.get_by_role("button", name="Join", exact=True).click()


@pytest.mark.parametrize("way", WRITTEN)
async def test_a_code_is_understood_as_people_write_it(table: Table, way: str) -> None:
    room = await table.open_room(length=1)
    page = await table.sit("/")
    await page.get_by_label("Room code").fill(WRITTEN[way](room))
    await page.get_by_label("Your name").fill("Ada")
    await press_join(page)
    await must_show(page, "You’re in, Ada")


@pytest.mark.parametrize("path", ["/{}", "/J/{}", "/j/{}/", "/join/{}"])
async def test_the_address_may_be_typed_as_people_do(table: Table, path: str) -> None:
    room = await table.open_room(length=1)
    page = await table.sit(path.format(room.lower()))
    await page.get_by_label("Your name").fill("Ada")
    await press_join(page)
    await must_show(page, "You’re in, Ada")
    assert page.url.endswith(f"/j/{room}")


async def test_a_refusal_changes_nothing_that_was_typed(table: Table) -> None:
    room = await table.open_room(length=1)
    page = await table.sit("/")
    code, name = page.get_by_label("Room code"), page.get_by_label("Your name")
    await code.fill("ZZZZ99")
    await name.fill("Miriam")
    await press_join(page)
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(code).to_have_value("ZZZZ99")
    await expect(name).to_have_value("Miriam")
    async with table.host(room) as host:
        await host.ask("lock", site=None)
        await code.fill(room)
        await press_join(page)
        await expect(page.get_by_role("alert")).to_contain_text("locked")
        await expect(code).to_have_value(room)
        await expect(name).to_have_value("Miriam")
        await host.ask("unlock", site=None)
    await press_join(page)
    await must_show(page, "You’re in, Miriam")


async def test_a_field_is_selected_when_it_is_reached(table: Table) -> None:
    page = await table.sit("/j/ZZZZ99")
    await page.get_by_label("Room code").focus()
    await page.keyboard.type("k7mq2p")
    await page.get_by_label("Your name").focus()
    await page.keyboard.type("Ada")
    await expect(page.get_by_label("Room code")).to_have_value("k7mq2p")
    await expect(page.get_by_label("Your name")).to_have_value("Ada")


async def test_two_people_share_a_tablet(table: Table) -> None:
    room = await table.open_room(length=1)
    tablet = await table.context(size=PHONE)
    page = await table.sit(f"/j/{room}", profile=tablet)
    await page.get_by_label("Your name").fill("Anna")
    await press_join(page)
    await must_show(page, "You’re in, Anna")

    await page.goto(table.url(f"/j/{room}"))
    await must_show(page, "You’re in, Anna")
    await page.get_by_role("button", name="Not Anna?").click()
    await expect(page.get_by_label("Your name")).not_to_have_value("Anna")
    assert await violations(page) == []
    await page.get_by_label("Your name").fill("Ben")
    await press_join(page)
    await must_show(page, "You’re in, Ben", "2 people are here")

    await page.get_by_role("button", name="Not Ben?").click()
    await page.get_by_role("button", name="Continue as Anna").click()
    await must_show(page, "You’re in, Anna", "2 people are here")
    await page.reload()
    await must_show(page, "You’re in, Anna", "2 people are here")


async def test_a_removed_player_stays_out_until_let_back(table: Table) -> None:
    room = await table.open_room(length=1)
    tablet = await table.context(size=PHONE)
    page = await table.sit(f"/j/{room}", profile=tablet)
    await page.get_by_label("Your name").fill("Anna")
    await press_join(page)
    await must_show(page, "You’re in, Anna")
    console = await table.sit(table.host_path(room), size=LAPTOP)
    await console.get_by_role("button", name="People").click()
    people = console.get_by_role("dialog", name="People")
    await people.get_by_role("button", name="Remove: Anna").click()
    await people.get_by_role("button", name="Remove", exact=True).click()

    await page.get_by_role("button", name="Try again").click()
    name = page.get_by_label("Your name")
    await name.fill("A new name")
    await press_join(page)
    await expect(page.get_by_role("alert")).to_contain_text("on this device")
    await expect(name).to_have_value("A new name")
    other = await table.sit(f"/j/{room}")
    await other.get_by_label("Your name").fill("anna")
    await press_join(other)
    await expect(other.get_by_role("alert")).to_contain_text("of this name")

    await people.get_by_role("button", name="Removed", exact=True).click()
    assert await violations(console) == []
    await people.get_by_role("button", name="Let back in: Anna").click()
    await expect(people.get_by_text("No one has been removed")).to_be_visible()
    await page.get_by_role("button", name="Continue as Anna").click()
    await must_show(page, "You’re in, Anna", "1 person is here")
    assert table.complaints() == []


async def test_a_room_of_suggested_names_offers_some(table: Table) -> None:
    room = await table.open_room(length=1, settings={"suggested_names": True})
    page = await table.sit(f"/j/{room}", locale="de-DE")
    name = page.get_by_role("textbox", name="Dein Name")
    await name.fill("Ada")
    await page.get_by_role("button", name="Mitspielen", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("nur vorgeschlagene Namen")
    await expect(name).to_have_value("Ada")
    offers = page.get_by_role("group", name="Dein Name").locator("[translate=no]")
    await expect(offers).to_have_count(3)
    before = await offers.all_inner_texts()
    await page.get_by_role("group").get_by_role("button", name="Anderen").click()
    await expect(offers.first).not_to_have_text(before[0])
    chosen = await offers.nth(1).inner_text()
    assert await violations(page) == []
    await offers.nth(1).click()
    await must_show(page, chosen)
    console = await table.sit(table.host_path(room), size=LAPTOP)
    await open_menu(console)
    await console.get_by_role("button", name="Settings").click()
    switch = console.get_by_label("Suggested names only")
    await expect(switch).to_be_checked()
    await switch.uncheck()
    other = await join(table, room, "Ada")
    await must_show(other, "You’re in, Ada", "2 people are here")
    assert table.complaints() == []


async def test_the_way_out_is_in_the_menu_while_a_case_is_played(table: Table) -> None:
    room = await table.open_room(length=1)
    page = await join(table, room, "Anna")
    async with table.host(room) as host:
        await host.ask("open_round", round=None)
        await must_show(page, "Case 1 of 1")
        await page.get_by_role("button", name="Anna").click()
        await page.get_by_role("button", name="Not Anna?").click()
        await expect(page.get_by_label("Room code")).to_have_value(room)


THROWS = """for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
  Object.defineProperty(window, name, {
    get() { throw new DOMException("no", "SecurityError"); },
  });
}"""


async def test_without_storage_a_reload_makes_no_second_player(table: Table) -> None:
    room = await table.open_room(length=1)
    device = await table.context(size=PHONE)
    await device.add_init_script(THROWS)
    page = await table.sit(f"/j/{room}", profile=device)
    await page.get_by_label("Your name").fill("Ada")
    await press_join(page)
    await must_show(page, "You’re in, Ada")
    await page.reload()
    await must_show(page, "You’re in, Ada", "1 person is here")
    assert room in page.url
    assert "token" not in page.url
    assert table.complaints() == []
