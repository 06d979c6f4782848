"""The people of a room in the console: renamed, removed, moved, kept out."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.console import in_vote, join, must_be_accessible
from tests.browser.table import LAPTOP, Table, open_menu

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_player_is_renamed_and_removed(table: Table) -> None:
    host, _, player = await in_vote(table)
    await host.get_by_role("button", name="People").click()
    people = host.get_by_role("dialog", name="People")
    await people.get_by_role("button", name="Rename: Ada").click()
    await people.get_by_label("New name").fill("Ada L.")
    await people.get_by_role("button", name="Save").click()
    await people.get_by_role("button", name="Remove: Ada L.").click()
    await must_be_accessible(host)
    await people.get_by_role("button", name="Remove", exact=True).click()
    await expect(player.get_by_text("removed you").first).to_be_visible()
    await expect(people.get_by_text("0 of 0")).to_be_visible()


async def test_all_who_have_just_joined_are_removed_together(table: Table) -> None:
    host, _, player = await in_vote(table)
    await host.get_by_role("button", name="People").click()
    people = host.get_by_role("dialog", name="People")
    await people.get_by_role("button", name="Remove newcomers").click()
    await must_be_accessible(host)
    await people.get_by_role("button", name="5 minutes").click()
    await expect(player.get_by_text("removed you").first).to_be_visible()
    await expect(people.get_by_text("0 of 0")).to_be_visible()


async def test_a_locked_room_admits_no_new_players(table: Table) -> None:
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    await open_menu(host)
    await host.get_by_role("button", name="Lock the room").click()
    await expect(host.get_by_role("button", name="Unlock the room")).to_be_visible()
    late = await table.sit(f"/j/{room}")
    await late.get_by_label("Your name").fill("Late")
    await late.get_by_role("button", name="Join", exact=True).click()
    await expect(late.get_by_role("alert")).to_be_visible()


async def test_a_player_is_moved_to_another_team(table: Table) -> None:
    room = await table.open_room(length=1, settings={"teams": ["Red", "Blue"]})
    host = await table.sit(table.host_path(room), size=LAPTOP)
    player = await join(table, room, "Ada")
    await host.get_by_role("button", name="People").click()
    await host.get_by_label("Ada’s team").select_option("Blue")
    chosen = player.get_by_role("button", name="Blue", exact=True)
    await expect(chosen).to_have_attribute("aria-pressed", "true")
    await must_be_accessible(host)
