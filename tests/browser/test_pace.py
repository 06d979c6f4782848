"""How quick the pages are on slow devices: figures, and what they follow from.

Seconds are printed, never judged: this machine may be slow. What makes them is judged,
as it is the same on every machine: how many bytes a first load fetches, and how many
trips it takes one after another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from scenarios.load import load_library
from server.app import Running
from tests.browser.layout import opened, settle
from tests.browser.table import PROJECTOR, Table
from tests.browser.test_built import DIST
from tests.support.figures import Figure
from tests.support.shown import Look, Shown, moments

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession, Page

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.alone,
    pytest.mark.full,
]

PATIENT_MS = 120_000
SLOWER = 4
"""How much slower than this machine's the CPU is made."""
LATENCY_MS = 400
BYTES_A_SECOND = 50_000

MOST_TRIPS = 3
"""The page, what it names, and what that imports; then the socket."""
MOST_KB = 95
"""All that has come once a player can answer, as sent."""

JOIN = """
window.at = {};
const look = setInterval(() => {
  const join = document.querySelector("form button.main:enabled");
  if (join && !window.at.form) {
    window.at.form = performance.now();
    window.at.name = document.querySelector("#name").value;
    join.click();
  }
  const gap = document.querySelector("button.gap");
  if (!gap) return;
  const { left, top, width, height } = gap.getBoundingClientRect();
  const seen = document.elementFromPoint(left + width / 2, top + height / 2);
  if (!gap.contains(seen)) return;
  window.at.answer = performance.now();
  clearInterval(look);
}, 10);
"""
"""Joins under the suggested name as soon as that is possible; notes when."""


@dataclass
class Loaded:
    """What a page has asked for, and how many bytes came, as sent."""

    asked: list[str] = field(default_factory=list)
    sent: int = 0

    def ask(self, event: dict[str, Any]) -> None:
        """Note a request; what is written into the page itself needs none."""
        url = event["request"]["url"]
        if url.startswith("http"):
            self.asked.append(url.split("/", 3)[3])

    def end(self, event: dict[str, Any]) -> None:
        """Note how large an answer was."""
        self.sent += int(event["encodedDataLength"])


def trips_to(asked: Iterable[str]) -> dict[str, int]:
    """Return for files of the player's page how many trips it takes to have each.

    The page is the first, what it names the second; what a file imports later comes a
    trip after that file, together with all that it needs.
    """
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text())
    wanted, found = set(asked), dict[str, int]()
    todo, seen, trip = ["index.html"], set[str](), 2
    while todo:
        later: list[str] = []
        while todo:
            key = todo.pop()
            if key in seen:
                continue
            seen.add(key)
            entry = manifest[key]
            files = {entry["file"], *entry.get("css", ())} & wanted
            found |= {name: trip for name in files if name not in found}
            todo += entry.get("imports", ())
            later += [
                one
                for one in entry.get("dynamicImports", ())
                if manifest[one]["file"] in wanted
            ]
        todo, trip = later, trip + 1
    return found


async def slowed(page: Page, loaded: Loaded | None = None) -> CDPSession:
    """Give a page a slow CPU, and a slow line if its loading is watched."""
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    if loaded is not None:
        cdp.on("Network.requestWillBeSent", loaded.ask)
        cdp.on("Network.loadingFinished", loaded.end)
        await cdp.send("Network.enable")
        line = {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": BYTES_A_SECOND,
            "uploadThroughput": BYTES_A_SECOND,
        }
        await cdp.send("Network.emulateNetworkConditions", line)
    return cdp


async def test_a_phone_on_a_slow_line_soon_has_an_answer_to_tap(
    table: Table, figure: Figure
) -> None:
    room = await table.open_room(length=1)
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        profile = await table.context(size={"width": 360, "height": 640})
        await profile.add_init_script(JOIN)
        page, loaded = await profile.new_page(), Loaded()
        await slowed(page, loaded)
        await page.goto(
            table.url(f"/j/{room}"), timeout=PATIENT_MS, wait_until="commit"
        )
        await page.wait_for_function("() => window.at?.answer", timeout=PATIENT_MS)
        at = await page.evaluate("window.at")
        trips, kb = trips_to(loaded.asked), loaded.sent / 1000
        await profile.close()
    longest = max(trips.values())
    figure(
        f"phone, CPU {SLOWER} times slower, line of {LATENCY_MS} ms and "
        f"{BYTES_A_SECOND // 1000} kB/s: {at['form'] / 1000:.1f} s to the form with a "
        f"name in it, {at['answer'] / 1000:.1f} s to an answer that can be tapped "
        f"({len(loaded.asked)} requests, {longest} one after another, {kb:.0f} KB)"
    )
    assert at["name"], "no name was suggested"
    assert longest <= MOST_TRIPS, trips
    assert kb <= MOST_KB


def crowd_of_300() -> Shown:
    """Return the tallies of a class of 300: a net 70 of them change sides."""
    library = load_library()
    deck = library.decks["first-class"]
    found = next(
        m for m in moments(deck, library, Look(pins=0)) if m.phase == "reveal.tallies"
    )
    view = found.screen[0]["view"]
    view["before"] = {"n": 300, "options": {"outer": 120, "inner": 180}}
    view["after"] = {"n": 300, "options": {"outer": 190, "inner": 110}}
    return found


WORK = {
    "script": ("FireAnimationFrame", "FunctionCall", "TimerFire"),
    "style": ("UpdateLayoutTree",),
    "layout": ("Layout",),
    "paint": ("PrePaint", "Paint", "Layerize", "Commit"),
}
"""The events of a trace, by the kind of work that they are."""

FRAMES = "disabled-by-default-devtools.timeline.frame"
WATCH_FRAMES = """
const [ask, cancel] = [requestAnimationFrame, cancelAnimationFrame];
const asked = new Set();
window.frames = { done: 0, isPending: () => asked.size > 0 };
window.requestAnimationFrame = (run) => {
  const id = ask((nowMs) => {
    asked.delete(id);
    window.frames.done += 1;
    run(nowMs);
  });
  asked.add(id);
  return id;
};
window.cancelAnimationFrame = (id) => {
  asked.delete(id);
  cancel(id);
};
"""


def frame_costs(trace: bytes) -> list[dict[str, float]]:
    """Return what each frame of a page cost its main thread, in ms of CPU by kind."""
    events = [e for e in json.loads(trace)["traceEvents"] if e.get("ph") in "XI"]
    events.sort(key=lambda event: (event["ts"], -event.get("dur", 0)))
    drawn = next(e for e in events if e["name"] == "FireAnimationFrame")
    thread = (drawn["pid"], drawn["tid"])
    kind_of = {name: kind for kind, names in WORK.items() for name in names}
    found: list[dict[str, float]] = []
    done_us = 0.0
    for event in events:
        if (event["pid"], event["tid"]) != thread:
            continue
        if event["name"] == "BeginMainThreadFrame":
            found.append(dict.fromkeys(WORK, 0.0))
        kind = kind_of.get(event["name"])
        # What is inside another kind of work is counted with it.
        if kind is None or not found or event["ts"] < done_us:
            continue
        done_us = event["ts"] + event.get("dur", 0)
        found[-1][kind] += event.get("tdur", 0) / 1000
    return [one for one in found if one["script"]]


def percentile(of: Iterable[float], percent: int) -> float:
    """Return the least value that this share of them does not exceed, in percent."""
    ordered = sorted(of)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


async def test_three_hundred_dots_go_over(
    browser: Browser, server: Running, figure: Figure
) -> None:
    crowd = crowd_of_300()
    size = (PROJECTOR["width"], PROJECTOR["height"])
    async with opened(
        browser,
        server,
        "screen",
        size,
        "en-GB",
        motion="no-preference",
        script=WATCH_FRAMES,
    ) as page:
        await settle(page, crowd, "screen")
        await at_rest(page)
        await slowed(page)
        categories = ["devtools.timeline", FRAMES]
        await browser.start_tracing(page=page, categories=categories)
        crowd.screen[0]["view"]["after"]["options"] = {"outer": 185, "inner": 115}
        await page.evaluate("f => show(f, 2)", list(crowd.screen))
        await at_rest(page)
        costs = frame_costs(await browser.stop_tracing())
    total = [one["script"] + one["style"] + one["layout"] for one in costs]
    paint = [one["paint"] for one in costs]
    figure(
        f"300 dots, CPU {SLOWER} times slower: script, style and layout take "
        f"{percentile(total, 50):.1f} ms a frame (p50), {percentile(total, 95):.1f} ms "
        f"(p95), painting {percentile(paint, 95):.1f} ms (p95); {len(costs)} frames"
    )
    assert len(costs) > 10, "the dots were not drawn frame by frame"


async def at_rest(page: Page) -> None:
    """Wait until the page has drawn something and asks for no more frames."""
    await page.wait_for_function(
        "() => frames.done > 10 && !frames.isPending()",
        polling=100,
        timeout=PATIENT_MS,
    )
    await page.evaluate("frames.done = 0")
