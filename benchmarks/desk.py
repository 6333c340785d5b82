"""The desk over 100,000 and 1,000,000 reports: a page of the inbox, and five reviewers on their keys.

    python -m benchmarks.desk [--small] [--keep FOLDER]

Queries are timed in process. A page change is timed in a real Chromium, from the press to the frame in which
the new rows are painted, and what the server sent for it is counted on the web socket. Then five browsers
press J on Review at once: reading for two to six seconds between two presses, which is fast for a person; skimming
for one to three; and without a pause, each as soon as the next report is painted. Small: 2,000 and 5,000 reports.
Stores that are kept, one below the folder for each size, are asked again without being filled.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, Page, async_playwright

from benchmarks import harness, synthetic_desk
from tests.browser import CHROMIUM, FLAGS, Server, running_server
from triage_core import db, queries
from triage_core.desk import bulk
from triage_core.model import Actor, DeskRole
from triage_core.queries import Filter, Only, Sort
from triage_core.store import Store

REVIEWERS = 5
PRESSES = 30
PAUSES_S = {"reading": (2.0, 6.0), "skimming": (1.0, 3.0), "rushing": (0.0, 0.0)}
PAGES = 20
LONG_MS = 120_000
REST_LIMIT_S = 900
ME = Actor("demo:reviewer", "Demo person", frozenset({DeskRole.REVIEWER}))
TO_DECIDE = ("new", "needs_info", "triaged")
ROWS = "[class*='st-key-table-']"  # the key names the snapshot
CANDIDATES = "[class*='st-key-candidate-']"
SETTLED = "[data-testid='stApp'][data-test-script-state='notRunning']"

# Leaves a promise of the milliseconds from the event to the frame after the one in which another element stands under
# the selector; `whole`: and the run has ended, so that all rows have been handed to the grid (which draws on a canvas
# and tells its text to screen readers only later).
_WATCH = """([event, selector, whole]) => { window.painted = new Promise((done) => {
  const shown = () => { const one = document.querySelector(selector); return one ? one.id + one.className : ""; };
  const ended = () => document.querySelector("[data-testid='stApp']").dataset.testScriptState === "notRunning";
  const before = shown();
  window.addEventListener(event, (pressed) => {
    const look = () => {
      const there = shown() && shown() !== before && (!whole || ended());
      requestAnimationFrame(there ? () => done(performance.now() - pressed.timeStamp) : look);
    };
    look();
  }, { capture: true, once: true });
}); }"""
_PAINTED = """(limit) => Promise.race([
  window.painted, new Promise((done) => setTimeout(() => done(limit), limit)),
])"""
PRESS_LIMIT_MS = 20_000  # a press that is not answered by then counts as so long


def p95(milliseconds: list[float]) -> float:
    return float(np.quantile(milliseconds, 0.95))


def timed(store: Store, ask: Callable[[db.Cursor], object], runs: int) -> list[float]:
    """Milliseconds of each run, after one that is not counted."""
    taken = []
    for _ in range(runs + 1):
        with store.read() as cursor:
            start = time.perf_counter()
            ask(cursor)
            taken.append(1e3 * (time.perf_counter() - start))
    return taken[1:]


def queried(store: Store, count: int, runs: int) -> tuple[dict[str, list[float]], list[float]]:
    """Times by question; and those of the questions of which each is one page of the inbox."""
    now = store.clock()
    waiting = Filter(status=TO_DECIDE, at=now)
    anything = Filter()
    last = count // 25
    pages: dict[str, Callable[[db.Cursor], object]] = {
        f"page 1, {sort}": lambda cursor, sort=sort: queries.inbox(cursor, waiting, sort) for sort in Sort
    }
    pages |= {
        f"page 1, {only}": lambda cursor, only=only: queries.inbox(
            cursor, Filter(status=queries.OPEN_STATES, only=only, at=now, who=ME.actor_id), Sort.DUE
        )
        for only in Only
    }
    pages |= {
        f"page {page:,} of all": lambda cursor, page=page: queries.inbox(cursor, anything, Sort.NEWEST, page)
        for page in (1, last // 2, last)
    }
    product = Filter(status=TO_DECIDE, at=now, platform=["Lumen Tutor"])
    pages["page 1, one product"] = lambda cursor: queries.inbox(cursor, product)
    newest = [f"FR-{number}" for number in range(count - 200, count)]
    others: dict[str, Callable[[db.Cursor], object]] = {
        "count, to decide": lambda cursor: queries.count(cursor, waiting),
        "count, breaching": lambda cursor: queries.count(
            cursor, Filter(status=queries.OPEN_STATES, only=Only.BREACHING, at=now)
        ),
        "count, mine": lambda cursor: queries.count(cursor, Filter(only=Only.MINE, at=now, who=ME.actor_id)),
        "queue of Review (500 ids)": lambda cursor: queries.queue(cursor, waiting, Sort.NEWEST),
        "snapshot of 5,000": lambda cursor: queries.snapshot(cursor, anything, Sort.NEWEST, bulk.MOST),
        "clusters of 200 reports": lambda cursor: queries.cluster_sizes(cursor, newest),
        "one report": lambda cursor: queries.report(cursor, f"FR-{count - 50}"),
        "words in every conversation": lambda cursor: queries.inbox(cursor, Filter(words="lentil soup")),
    }
    asked = harness.progress((pages | others).items(), f"asking {count:,} reports")
    times = {name: timed(store, ask, 2 if "words" in name else runs) for name, ask in asked}
    return times, [taken for name in pages for taken in times[name]]


async def turned(browser: Browser, server: Server, pages: int) -> tuple[list[float], list[int]]:
    """Milliseconds from the press of "next page" to the new rows painted, and the bytes that came for each."""
    page = await (await browser.new_context(viewport={"width": 1440, "height": 900})).new_page()
    page.set_default_timeout(LONG_MS)
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
    await page.goto(f"{server.url}/?state=Any%20state")
    await page.locator("[data-testid='stDataFrame']").wait_for()
    await page.locator(SETTLED).wait_for()
    taken, sizes = [], []
    for _ in range(pages + 1):
        received.clear()
        await page.evaluate(_WATCH, ["click", ROWS, True])
        await page.get_by_role("button", name="Next page").click()
        taken.append(await page.evaluate(_PAINTED, PRESS_LIMIT_MS))
        await page.locator(SETTLED).wait_for()
        await asyncio.sleep(0.3)
        sizes.append(sum(received))
    await page.context.close()
    return taken[1:], sizes[1:]


async def reviewed(
    browser: Browser, server: Server, person: int, presses: int, pause_s: tuple[float, float] = (0.0, 0.0)
) -> tuple[list[float], int]:
    """One reviewer: milliseconds from each press of J to the next report painted; and the most bytes of one."""
    rng = random.Random(person)
    page = await (await browser.new_context(viewport={"width": 1440, "height": 900})).new_page()
    page.set_default_timeout(LONG_MS)
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
    # Each reads another part of the desk.
    order = (
        "Newest%20first",
        "Oldest%20first",
        "Due%20first",
        "Highest%20priority%20first",
        "Largest%20cluster%20first",
    )
    await page.goto(f"{server.url}/review?sort={order[person % len(order)]}")
    heading = "[id^='on-desk-']"
    await page.locator(heading).wait_for()
    await page.locator(CANDIDATES).first.wait_for()
    await page.locator(SETTLED).wait_for()
    await page.evaluate("document.activeElement?.blur()")
    await page.locator("[data-keys]").wait_for(state="attached")
    taken, most = [], 0
    for _ in range(presses + 3):
        await asyncio.sleep(rng.uniform(*pause_s))
        received.clear()
        await page.evaluate(_WATCH, ["keydown", heading, False])
        await page.keyboard.press("j")
        taken.append(await page.evaluate(_PAINTED, PRESS_LIMIT_MS))
        await page.locator(SETTLED).wait_for()
        most = max(most, sum(received))
    await page.context.close()
    return taken[3:], most


async def browsed(store: Path, pages: int, presses: int) -> dict[str, Any]:
    """What Chromium saw of a server on this store; `presses` of each reviewer, none when 0."""
    with running_server(store) as server:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            await _visited(browser, server)
            await at_rest(server)
            seen: dict[str, Any] = {}
            seen["page"], seen["bytes"] = await turned(browser, server, pages)
            if presses:
                alone, most = await reviewed(browser, server, 0, presses)
                seen["alone"], seen["review_bytes"] = alone, most
                for name, pause_s in PAUSES_S.items():
                    people = [reviewed(browser, server, one, presses, pause_s) for one in range(REVIEWERS)]
                    seen[name] = [one for taken, _ in await asyncio.gather(*people) for one in taken]
            await browser.close()
    return seen


async def _visited(browser: Browser, server: Server) -> None:
    """The first visit opens the store and starts the worker."""
    page: Page = await browser.new_page()
    page.set_default_timeout(LONG_MS)
    await page.goto(server.url)
    await page.get_by_text("Everything is compared").wait_for(timeout=REST_LIMIT_S * 1_000)
    await page.close()


async def at_rest(server: Server) -> None:
    """Return when the server has read the store and computes nothing: a tenth of a core over three seconds."""
    start = time.monotonic()
    while time.monotonic() - start < REST_LIMIT_S:
        before = _cpu_s(server)
        await asyncio.sleep(3)
        if _cpu_s(server) - before < 0.3:
            return
    raise SystemExit("the server does not come to rest")


def _cpu_s(server: Server) -> float:
    """Seconds of processor time that the server has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    options = harness.arguments(__doc__, keeps=True)
    small = options.small
    figures: dict[str, float] = {}
    targets: dict[str, harness.Target] = {}
    for count, dim in ((2_000, 384), (5_000, 16)) if small else ((100_000, 384), (1_000_000, 16)):
        reviewing = dim == 384
        with tempfile.TemporaryDirectory() as fresh:
            folder = (options.keep or Path(fresh)) / f"{count}-{dim}"
            store = Store(folder)
            start = time.perf_counter()
            synthetic_desk.fill(store, count, dim)
            figures[f"fill_s_{count}"] = time.perf_counter() - start
            times, inbox = queried(store, count, 3 if small else 10)
            store.close()
            seen = asyncio.run(browsed(folder, 5 if small else PAGES, (5 if small else PRESSES) * reviewing))
        rows = [(name, float(np.median(taken)), p95(taken)) for name, taken in times.items()]
        harness.table(f"Questions to {count:,} reports", ("question", "p50 ms", "p95 ms"), rows)
        figures[f"inbox_query_p95_ms_{count}"] = p95(inbox)
        figures[f"inbox_page_p95_ms_{count}"] = p95(seen["page"])
        figures[f"inbox_page_kb_{count}"] = max(seen["bytes"]) / 1e3
        targets |= {f"inbox_query_p95_ms_{count}": ("<=", 300), f"inbox_page_p95_ms_{count}": ("<=", 300)}
        targets[f"inbox_page_kb_{count}"] = ("<=", 50)
        if reviewing:
            figures["review_alone_p95_ms"], figures["review_kb"] = (
                p95(seen["alone"]),
                seen["review_bytes"] / 1e3,
            )
            for name in PAUSES_S:
                figures[f"five_{name}_p50_ms"] = float(np.median(seen[name]))
                figures[f"five_{name}_p95_ms"] = p95(seen[name])
                figures[f"five_{name}_unanswered"] = sum(one >= PRESS_LIMIT_MS for one in seen[name])
                targets[f"five_{name}_unanswered"] = ("==", 0)
            targets["five_reading_p95_ms"] = ("<=", 400)
    harness.table("The desk", ("measure", "value"), figures.items())
    harness.finish("desk", figures, {} if small else targets)


if __name__ == "__main__":
    main()
