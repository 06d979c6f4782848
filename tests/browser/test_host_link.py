"""The host link: to another device, as a code, and called back."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import zxingcpp

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.console import big, in_vote, must_be_accessible, vote
from tests.browser.table import LAPTOP, PHONE, Table, open_menu

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_console_moves_to_a_phone(table: Table) -> None:
    host, _, _ = await in_vote(table)
    await open_menu(host)
    await host.get_by_role("button", name="Other device").click()
    link = await host.get_by_role("textbox").input_value()
    await must_be_accessible(host)
    await host.keyboard.press("Escape")
    phone = await table.sit(link[link.index("/host") :], size=PHONE)
    await expect(big(phone)).to_have_text("Close voting")
    await big(phone).click()
    asked = phone.get_by_role("dialog", name="0 of 1 have answered. Close?")
    await asked.get_by_role("button", name="Close voting").click()
    await expect(big(host)).to_have_text("Reveal")
    await must_be_accessible(phone)


PIXELS = """
async (svg) => {
  const copy = svg.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", 400);
  copy.setAttribute("height", 400);
  const image = new Image();
  image.src = "data:image/svg+xml," + encodeURIComponent(copy.outerHTML);
  await image.decode();
  const canvas = new OffscreenCanvas(400, 400).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const red = canvas.getImageData(0, 0, 400, 400).data.filter((_, i) => i % 4 === 0);
  return btoa(String.fromCharCode(...red.slice(0, 80000)))
    + " " + btoa(String.fromCharCode(...red.slice(80000)));
}
"""
"""Draws a QR code of 400 x 400 pixels; returns its gray values, in two halves."""


async def test_the_code_for_another_device_holds_the_consoles_own_link(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    await open_menu(host)
    await host.get_by_role("button", name="Other device").click()
    dialog = host.get_by_role("dialog", name="Move to another device")
    link = await dialog.get_by_role("textbox").input_value()
    assert link.endswith(table.host_path(room)), link
    halves = await dialog.locator("svg[role=img]").evaluate(PIXELS)
    grey = b"".join(map(base64.b64decode, halves.split()))
    pixels = np.frombuffer(grey, np.uint8).reshape(400, 400)
    assert [code.text for code in zxingcpp.read_barcodes(pixels)] == [link]


async def test_the_host_link_is_called_back_and_the_class_plays_on(
    table: Table,
) -> None:
    host, screen, player = await in_vote(table)
    old = host.url[host.url.index("/host") :]
    room = old.partition("room=")[2].partition("&")[0]
    other = await table.sit(old, size=LAPTOP)
    await expect(big(other)).to_have_text("Close voting")
    await open_menu(host)
    await host.get_by_role("button", name="Other device").click()
    dialog = host.get_by_role("dialog")
    link = dialog.get_by_role("textbox")
    before = await link.input_value()
    await dialog.get_by_role("button", name="Revoke it").click()
    await must_be_accessible(host)
    await dialog.get_by_role("button", name="Revoke it", exact=True).click()
    await expect(dialog.get_by_text("This is the new one")).to_be_visible()
    after = await link.input_value()
    assert after != before
    await dialog.get_by_role("button", name="Close").click()

    await expect(other.get_by_text("has been revoked").first).to_be_visible()
    late = await table.sit(old, size=LAPTOP)
    await expect(late.get_by_text("revoked this link").first).to_be_visible()
    await vote(player, "Outer")
    await expect(host.get_by_text("Answered 1 of 1").first).to_be_visible()
    await big(host).click()
    await expect(big(host)).to_have_text("Reveal")
    await expect(screen.get_by_text("Voting is closed").first).to_be_visible()
    await host.reload()
    await expect(big(host)).to_have_text("Reveal")
    again = await table.sit("/host#" + after.partition("#")[2], size=LAPTOP)
    await expect(big(again)).to_have_text("Reveal")

    admin = await table.sit(table.admin_path(), size=LAPTOP)
    await admin.get_by_role("link", name=f"Open console {room}").click()
    await expect(big(admin)).to_have_text("Reveal")
    assert table.complaints() == []
