"""Sounds, a wall that stays awake, phones that vibrate, and lines that are private.

Chromium runs with its own autoplay policy: a page is silent until it is pressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from server.app import Running
from tests.browser.layout import longest_moments, longest_of_each_phase, opened
from tests.browser.table import LAPTOP, PROJECTOR, Table
from tests.support.shown import Shown

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

LISTEN = """
window.heard = {tones: 0, snaps: 0, states: []};
const audio = AudioContext.prototype;
const {createOscillator, createBufferSource} = audio;
audio.createOscillator = function () {
  heard.tones += 1;
  heard.states.push(this.state);
  return createOscillator.call(this);
};
audio.createBufferSource = function () {
  heard.snaps += 1;
  return createBufferSource.call(this);
};
"""
"""Counts what a page sounds by: tones and snaps, and whether they could be heard."""

AWAKE = """
window.locks = {asked: 0, held: []};
navigator.wakeLock.request = async () => {
  locks.asked += 1;
  const lock = new EventTarget();
  lock.released = false;
  lock.release = async () => { lock.released = true; };
  locks.held.push(lock);
  return lock;
};
"""

FEEL = "window.felt = []; navigator.vibrate = (pattern) => (felt.push(pattern), true);"

BUTTON = "Full screen and sound"
SILENT = "The projector is muted"


def button(wall: Page) -> Any:
    return wall.get_by_role("button", name=BUTTON)


async def listening(table: Table, path: str, **more: Any) -> Page:
    """Open a projector page that counts its sounds."""
    profile = await table.context(size=PROJECTOR, **more)
    await profile.add_init_script(LISTEN)
    return await table.sit(path, profile=profile)


async def heard(wall: Page) -> tuple[int, int]:
    found = await wall.evaluate("[heard.tones, heard.snaps]")
    return found[0], found[1]


async def test_without_a_press_chromium_lets_no_page_sound(table: Table) -> None:
    """Asked by the page itself: what a test evaluates counts as a press."""
    profile = await table.context(size=LAPTOP)
    await profile.add_init_script(
        "const audio = new AudioContext(); window.states = [audio.state];"
        "addEventListener('load', () => setTimeout(() => states.push(audio.state)));"
    )
    page = await profile.new_page()
    await page.goto(table.url("/"))
    await page.wait_for_function("() => states.length === 2")
    assert await page.evaluate("states") == ["suspended", "suspended"]
    await profile.close()


async def test_a_wall_is_silent_until_its_one_button_and_the_console_says_so(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    console = await table.sit(table.host_path(room), size=LAPTOP)
    wall = await listening(table, table.screen_path(room))
    await expect(console.get_by_role("status").filter(has_text=SILENT)).to_be_visible()
    await expect(button(wall)).to_be_visible()
    async with table.host(room) as host:
        await host.ask("open_round")
        await expect(wall.locator("h1")).to_contain_text("The boat")
        assert await heard(wall) == (0, 0), "it was not pressed"
        await button(wall).click()
        await expect(button(wall)).to_have_count(0)
        await expect(console.get_by_text(SILENT)).to_have_count(0)
        assert await wall.evaluate("document.fullscreenElement !== null")
        await host.ask("open_vote")
        await wall.wait_for_function("() => heard.tones >= 4")
        assert await heard(wall) == (4, 0), "a phase: two notes of two tones"
        assert set(await wall.evaluate("heard.states")) == {"running"}
        await wall.reload()
        await expect(button(wall)).to_be_visible()
        await expect(console.get_by_text(SILENT)).to_be_visible()
    assert table.complaints() == []


async def test_the_last_answer_and_the_crack_are_heard(table: Table) -> None:
    room = await table.open_room(length=1)
    wall = await listening(table, table.screen_path(room))
    fetched: list[str] = []
    wall.on("request", lambda request: fetched.append(request.resource_type))
    await button(wall).click()
    phones = [await table.sit(f"/j/{room}") for _ in range(2)]
    for number, phone in enumerate(phones):
        await phone.get_by_label("Your name").fill(f"Player {number}")
        await phone.get_by_role("button", name="Join", exact=True).click()
    async with table.host(room) as host:
        for command in ("open_round", "open_vote"):
            await host.ask(command)
        await wall.wait_for_function("() => heard.tones >= 4")
        for phone in phones:
            await phone.locator("button.gap").first.click()
        await expect(wall.locator(".count.all")).to_be_visible()
        before = await wall.evaluate("heard.tones")
        assert await heard(wall) == (before, 0)
        await host.ask("close_votes", override=True)
        await host.ask("reveal")
        await expect(wall.locator(".tally")).to_be_visible()
        assert (await heard(wall))[1] == 0, "no crack before the verdict"
        for _ in range(4):
            await host.ask("next_step")
        await wall.wait_for_function("() => heard.snaps >= 4")
        assert (await heard(wall))[1] == 4
    assert "media" not in fetched
    assert "fetch" not in fetched
    assert before >= 8 + 4, "four notes of two tones for the last answer"


async def test_the_host_switches_sounds_off(table: Table) -> None:
    room = await table.open_room(length=1, settings={"sound": False})
    console = await table.sit(table.host_path(room), size=LAPTOP)
    wall = await listening(table, table.screen_path(room))
    full = wall.get_by_role("button", name="Full screen", exact=True)
    await full.click()
    async with table.host(room) as host:
        for command in ("open_round", "open_vote"):
            await host.ask(command)
    await expect(wall.get_by_text("Which gap broke?")).to_be_visible()
    assert await heard(wall) == (0, 0)
    await expect(console.get_by_text(SILENT)).to_have_count(0)


async def test_a_wall_stays_awake_also_after_it_was_hidden(
    browser: Browser, server: Running, table: Table
) -> None:
    room = await table.open_room(length=1)
    profile = await table.context(size=PROJECTOR)
    await profile.add_init_script(AWAKE)
    wall = await profile.new_page()
    # This machine's own address is a secure context; a name on plain HTTP is not.
    await wall.goto(f"http://127.0.0.1:{server.port}{table.screen_path(room)}")
    await expect(button(wall)).to_be_visible()
    assert await wall.evaluate("locks.asked") == 0
    await button(wall).click()
    await wall.wait_for_function("() => locks.held.length === 1")
    seen = "document.dispatchEvent(new Event('visibilitychange'))"
    await wall.evaluate(seen)
    assert await wall.evaluate("locks.asked") == 1, "it holds one already"
    await wall.evaluate(f"locks.held[0].released = true; {seen}")
    await wall.wait_for_function("() => locks.held.length === 2")
    await profile.close()


async def test_without_a_wake_lock_the_button_does_the_rest(table: Table) -> None:
    room = await table.open_room(length=1)
    wall = await listening(table, table.screen_path(room))
    assert await wall.evaluate("'wakeLock' in navigator") is False
    await button(wall).click()
    await expect(button(wall)).to_have_count(0)
    assert table.complaints() == []


async def phone_of(profile: BrowserContext, table: Table, room: str) -> Page:
    await profile.add_init_script(FEEL)
    phone = await table.sit(f"/j/{room}", profile=profile)
    await phone.get_by_label("Your name").fill("Ada")
    await phone.get_by_role("button", name="Join", exact=True).click()
    await expect(phone.locator("main[data-phase=lobby]")).to_be_visible()
    await expect(phone.locator("header button.open")).to_be_visible()
    return phone


@pytest.mark.parametrize("way", ["on", "switched off", "reduced motion"])
async def test_a_phone_vibrates_when_a_vote_begins_unless_told_not_to(
    table: Table, way: str
) -> None:
    room = await table.open_room(length=1)
    calm = "reduce" if way == "reduced motion" else "no-preference"
    profile = await table.context(
        size={"width": 390, "height": 844}, reduced_motion=calm
    )
    phone = await phone_of(profile, table, room)
    if way == "switched off":
        await phone.locator("header button.open").click()
        await phone.get_by_label("Vibrate when a vote begins").uncheck()
        await phone.get_by_role("button", name="Close").click()
    async with table.host(room) as host:
        for command in ("open_round", "open_vote"):
            await host.ask(command)
        await expect(phone.locator("button.gap").first).to_be_visible()
        assert await phone.evaluate("felt") == ([[60]] if way == "on" else [])
        for command in ("close_votes", "reveal"):
            await host.ask(command)
        for _ in range(4):
            await host.ask("next_step")
        await expect(phone.get_by_role("heading", name="outer")).to_be_visible()
        cracks = [[60], [25, 40, 60]] if way == "on" else []
        assert await phone.evaluate("felt") == cracks
    if way == "switched off":
        await phone.reload()
        await phone.locator("header button.open").click()
        await expect(
            phone.get_by_label("Vibrate when a vote begins")
        ).not_to_be_checked()


def scored_at(phase: str) -> Shown:
    """Return a moment of a reveal at which the class has a mean."""
    return next(
        moment
        for moment in longest_moments()
        if moment.phase == phase and moment.screen[0]["view"]["class_mean"] is not None
    )


def verdict(**you: object) -> list[dict[str, Any]]:
    """Return the messages at a verdict, with this in the phone's private view."""
    moment = scored_at("reveal.verdict")
    told = [dict(frame) for frame in moment.player]
    for frame in told:
        if frame["type"] == "you":
            frame["you"] = {**frame["you"], "group_gained": False, "fit": None, **you}
    return told


async def test_private_lines_appear_if_there_is_something_to_say(
    browser: Browser, server: Running
) -> None:
    size = (390, 844)
    fit = {"said": 0.9, "share": 0.5, "bias": "over"}
    async with opened(browser, server, "player", size, "en-GB") as page:
        await page.evaluate("f => show(f, 1)", verdict())
        await expect(page.get_by_text("Your class is at")).to_be_visible()
        for absent in ("More of your group", "On average, you said"):
            await expect(page.get_by_text(absent)).to_have_count(0)
        await page.evaluate("f => show(f, 2)", verdict(group_gained=True, fit=fit))
        await expect(page.get_by_text("More of your group got it")).to_be_visible()
        line = "On average, you said 90% and got 50% right: overconfident."
        await expect(page.get_by_text(line)).to_be_visible()


async def test_the_class_meter_is_beside_the_expert(
    browser: Browser, server: Running
) -> None:
    moment = scored_at("reveal.say")
    async with opened(browser, server, "screen", (1920, 1080), "en-GB") as page:
        await page.evaluate("f => show(f, 1)", list(moment.screen))
        await expect(page.get_by_role("img", name="Class mean")).to_be_visible()


ANIMATED = """async ([moments, still]) => {
  const wrong = [];
  for (const [name, frames, version] of moments) {
    await show(frames, version);
    for (const one of document.getAnimations()) {
      const {iterations, duration, delay} = one.effect.getComputedTiming();
      const what = `${name}: ${one.animationName ?? one.transitionProperty}`;
      if (iterations !== 1) wrong.push(`${what} is repeated`);
      if (duration > 0 && duration < 150) wrong.push(`${what} flashes`);
      if (still && duration > 0) wrong.push(`${what} moves`);
    }
  }
  return wrong;
}"""


@pytest.mark.parametrize("role", ["screen", "player"])
@pytest.mark.parametrize("calm", ["no-preference", "reduce"])
async def test_nothing_flashes_and_nothing_moves_where_motion_is_reduced(
    browser: Browser, server: Running, role: str, calm: str
) -> None:
    found = longest_of_each_phase()
    size = (1920, 1080) if role == "screen" else (390, 844)
    async with opened(browser, server, role, size, "en-GB") as page:
        await page.emulate_media(reduced_motion=calm)  # type: ignore[arg-type] # a literal
        await page.evaluate("f => show(f, 1)", told(found[-1], role))
        await page.wait_for_function("() => !document.querySelector('.late')")
        frames = [
            [moment.name, told(moment, role), number]
            for number, moment in enumerate(found, start=2)
        ]
        assert await page.evaluate(ANIMATED, [frames, calm == "reduce"]) == []


def told(moment: Shown, role: str) -> list[dict[str, Any]]:
    return list(getattr(moment, role))
