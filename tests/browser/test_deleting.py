"""An admin deletes a room from the list: asked first, and told what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from server.game.errors import Refused
from tests.browser.console import join, must_be_accessible
from tests.browser.table import LAPTOP, Table

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOCUSED = "document.activeElement"


async def focused(page: Page) -> str:
    """Return the text of the element that has the focus."""
    return str(await page.evaluate(f"() => {FOCUSED}.textContent.trim()"))


async def must_fit(page: Page) -> None:
    """Hold that nothing makes a page scroll sideways, and that its dialog is whole."""
    over = "() => document.documentElement.scrollWidth - innerWidth"
    assert await page.evaluate(over) <= 0
    box = await page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert page.viewport_size is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.viewport_size["width"]


async def test_a_room_is_deleted_once_the_admin_is_sure(table: Table) -> None:
    room = await table.open_room(length=1, name="9b, Tuesday")
    player = await join(table, room, "Ann")
    host = await table.sit(table.host_path(room), size=LAPTOP)
    await expect(host.get_by_text("1 joined").first).to_be_visible()
    admin = await table.sit(table.admin_path(), size=LAPTOP)
    link = admin.get_by_role("link", name=f"Open console {room}")
    delete = admin.get_by_role("button", name="Delete: 9b, Tuesday")
    dialog = admin.get_by_role("dialog", name=f"Delete 9b, Tuesday ({room})?")
    await delete.click()
    await expect(dialog).to_contain_text("its report and 1 card")
    await expect(dialog).to_contain_text("It can’t be undone")
    await expect(dialog).to_contain_text("that ends for everyone")
    await must_be_accessible(admin)
    for leave in ("Escape", "Cancel"):
        if leave == "Escape":
            await admin.keyboard.press("Escape")
        else:
            await dialog.get_by_role("button", name="Cancel").click()
        await expect(dialog).to_be_hidden()
        await expect(delete).to_be_focused()
        await expect(link).to_be_visible()
        await delete.press("Enter")
        await expect(dialog).to_be_visible()
    assert await focused(admin) == "Close"
    await admin.keyboard.press("Tab")
    assert await focused(admin) == "Delete for good"
    await admin.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(link).to_be_hidden()
    said = admin.get_by_role("status").filter(has_text=room)
    await expect(said).to_have_text(f"Room {room} has been deleted.")
    await expect(
        admin.get_by_role("heading", name="Rooms on this server")
    ).to_be_focused()
    await must_be_accessible(admin)
    for page in (player, host):
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            "This room was deleted."
        )
        await expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    await must_be_accessible(player)
    await admin.reload()
    await expect(
        admin.get_by_role("heading", name="Rooms on this server")
    ).to_be_visible()
    await expect(link).to_have_count(0)
    assert table.complaints() == []


async def test_the_question_is_asked_in_german(table: Table) -> None:
    room = await table.open_room(length=1)
    phone = await table.sit(f"/j/{room}", locale="de-DE")
    await phone.get_by_label("Dein Name").fill("Ann")
    await phone.get_by_role("button", name="Mitspielen", exact=True).click()
    await expect(phone.locator("main").get_by_text("Ann").first).to_be_visible()
    admin = await table.sit(table.admin_path(), size=LAPTOP, locale="de-DE")
    await admin.get_by_role("button", name=f"Löschen: {room}").click()
    dialog = admin.get_by_role("dialog", name=f"{room} löschen?")
    await expect(dialog).to_contain_text("den Bericht und eine Karte")
    await must_be_accessible(admin)
    await dialog.get_by_role("button", name="Endgültig löschen").click()
    said = admin.get_by_role("status").filter(has_text=room)
    await expect(said).to_have_text(f"Raum {room} ist gelöscht.")
    await expect(phone.get_by_role("heading", level=1)).to_have_text(
        "Dieser Raum wurde gelöscht."
    )
    assert table.complaints() == []


@pytest.mark.parametrize("width", [390, 1024, 1280])
async def test_list_and_question_fit_every_page(table: Table, width: int) -> None:
    name = "The ninth class, Tuesday morning, again"
    room = await table.open_room(length=1, name=name)
    async with table.host(room) as host:
        await host.ask("open_round")
    size = {"width": width, "height": 800}
    admin = await table.sit(table.admin_path(), size=size, locale="de-DE")
    await admin.get_by_role("button", name=f"Löschen: {name}").first.click()
    await expect(admin.get_by_role("dialog")).to_be_visible()
    await must_fit(admin)
    await must_be_accessible(admin)
    row = admin.get_by_role("listitem").filter(has_text=room)
    boxes = [await each.bounding_box() for each in await row.locator(".button").all()]
    assert len(boxes) == 2
    for box in boxes:
        assert box is not None
        assert box["x"] + box["width"] <= width


async def test_the_page_says_why_a_room_is_not_deleted_and_where_it_can_be(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await table.open_room(length=1)
    refusals = [
        Refused("storage_unavailable", "This room could not be deleted now."),
        Refused("room_moved", "This room is running at lisbon. Delete it there."),
        Refused("unknown_room", "No room has this code."),
    ]

    async def refuse(_: str) -> None:
        raise refusals.pop(0)

    monkeypatch.setattr(table.server.directory, "delete", refuse)
    admin = await table.sit(table.admin_path(), size=LAPTOP)
    await admin.get_by_role("button", name=f"Delete: {room}").click()
    dialog = admin.get_by_role("dialog")
    sure = dialog.get_by_role("button", name="Delete for good")
    alert = dialog.get_by_role("alert")
    await sure.click()
    await expect(alert).to_have_text("This room could not be deleted now.")
    await sure.click()
    await expect(alert).to_contain_text("running at lisbon")
    await must_be_accessible(admin)
    await sure.click()  # another admin was faster
    await expect(dialog).to_be_hidden()
    await expect(admin.get_by_role("link", name=f"Open console {room}")).to_be_hidden()
    assert table.complaints() == []
