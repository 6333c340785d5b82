"""Fast keys on Review: does every decision meet the report that was on screen, and is none lost?

In each round a Chromium presses 200 keys at random, a third of them held down until they repeat, while a
second session decides on reports of the same queue. What stood on screen at each press is recorded in the
page by an observer of its own, and compared with the audit events afterwards.
"""

from __future__ import annotations

import random
import tempfile
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.harness import arguments, finish, say, table
from tests.browser import CHROMIUM, FLAGS, Server, running_server, wait_until_settled
from tests.making import EVERYBODY, POLICY, bring, make_report, open_runtime
from triage_core import control, db
from triage_core.desk import activity, triage
from triage_core.desk.activity import Event
from triage_core.desk.decision import Decision
from triage_core.store import Store, utc_now

ROUNDS, PRESSES = 5, 200
TARGETS = {"wrong": ("==", 0), "lost": ("==", 0), "rounds": (">=", ROUNDS)}
ME = "demo:reviewer"
# Key -> the kinds of event that it may cause.
CAUSES: Mapping[str, frozenset[str]] = {
    "0": frozenset({"report.assessed"}),
    "Control+Enter": frozenset({"report.assessed", "answer.written"}),
    "d": frozenset({"report.linked"}),
    "n": frozenset({"pair.kept_apart"}),
    "s": frozenset({"report.snoozed"}),
    "l": frozenset({"report.claimed", "report.released"}),
    "u": frozenset({"event.undone"}),
}
OTHERS = ("j", "k", "1", "2", "3", "4", "ArrowUp", "ArrowDown")
_OBSERVER = """
window.observed = [];
document.addEventListener("keydown", (event) => {
  const heading = document.querySelector("[id^='on-desk-']");
  if (event.key === "Control") return;
  const radios = [...document.querySelectorAll("[class*='st-key-candidate-'] input[type='radio']")];
  const chosen = radios.find((radio) => radio.checked);
  const text = (name) => document.querySelector(`[class*='st-key-${name}-'] button`);
  const own = heading ? heading.id.slice("on-desk-".length) : "";  // what is left of the report before is stale
  window.observed.push({
    key: event.ctrlKey ? `Control+${event.key}` : event.key,
    repeat: event.repeat,
    heading: heading ? heading.textContent.trim() : "",
    version: heading ? Number(heading.id.split("-").pop()) : 0,
    candidate: chosen?.closest("label").querySelector("code")?.textContent.trim() ?? "",
    undo: text("undo")?.textContent ?? "",
    closes: Boolean(text(`choose-${own}`)?.textContent.includes("to close by it"))
      && text("close")?.disabled === false,
  });
}, true);
"""


@dataclass(frozen=True, slots=True)
class Press:
    """One key press and what stood on screen then."""

    key: str
    repeat: bool
    heading: str
    version: int
    candidate: str
    undo: str
    closes: bool


@dataclass(slots=True)
class Round:
    """What a round showed: presses (held repeats apart), events of the keys, and what is wrong about them."""

    presses: int = 0
    repeats: int = 0
    commands: int = 0
    by_others: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def fill(folder: Path, reports: int = 60) -> None:
    """Reports in families of three that are alike; of some families the first is closed already."""
    opened = open_runtime(folder, utc_now)
    things = ("numbers", "dates", "capitals", "rivers", "planets")
    lines = [
        make_report(
            f"Please work out {things[n // 3 % 5]} for group {n // 3}, in the manner of sample {n % 3}."
        )
        for n in range(reports)
    ]
    ids = bring(opened.store, *lines)
    for report_id in ids[::6]:
        triage.assess(opened.store, POLICY, EVERYBODY, report_id, Decision(("OOS-1",)))
    opened.close()


def play(page: Page, server: Server, seed: int, presses: int = PRESSES) -> None:
    """Press keys on Review while a second session decides on the same queue; returns when all is answered."""
    rng = random.Random(seed)
    page.add_init_script(_OBSERVER)
    page.goto(f"{server.url}/review?sort=Oldest%20first")
    page.get_by_role("heading", name="Same fix as another?").wait_for(timeout=90_000)
    page.locator("[class*='st-key-candidate-']").wait_for(timeout=90_000)
    wait_until_settled(page)
    turns: Queue[bool] = Queue()
    other = threading.Thread(target=_second_session, args=(server.store, seed, turns))
    other.start()
    try:
        for number in range(presses):
            if number % 4 == 0:
                turns.put(True)
            if rng.random() < 1 / 6:  # else a busy machine would draw one report and no other
                wait_until_settled(page)
            key = rng.choice([*CAUSES, *CAUSES, *OTHERS, "j"])
            if rng.random() < 1 / 3 and key != "Control+Enter":
                for _ in range(rng.randint(2, 12)):
                    page.keyboard.down(key)
                page.keyboard.up(key)
            else:
                page.keyboard.press(key)
            page.wait_for_timeout(rng.choice((0, 20, 60, 150, 400)))
    finally:
        turns.put(False)
        other.join()
    for _ in range(4):
        page.wait_for_timeout(500)
        wait_until_settled(page)


def observed(page: Page) -> list[Press]:
    """Every press, with what stood on screen, in order."""
    return [Press(**found) for found in page.evaluate("window.observed")]


def _second_session(folder: Path, seed: int, turns: Queue[bool]) -> None:
    """Decide on a report of the queue at each turn, whatever the keys do meanwhile."""
    rng = random.Random(seed + 1_000)
    while turns.get():
        params = {"report": f"FR-{rng.randint(1, 60)}", "clauses": [rng.choice(["OOS-1", "EXP-1"])]}
        list(control.call(folder, "assess", params))


def judge(folder: Path, pressed: Sequence[Press]) -> Round:
    """Compare what was on screen with what happened; the server has ended."""
    store = Store(folder)
    try:
        with store.read() as cursor:
            rows = db.rows(cursor, "SELECT seq FROM events WHERE actor_id = ? ORDER BY seq", [ME])
            mine = [activity.event(cursor, row["seq"]) for row in rows]
            others = db.value(cursor, "SELECT count(*) FROM events WHERE starts_with(actor_id, 'cli:')")
            versions = _versions(cursor)
            cases = {row["report_id"]: row for row in db.rows(cursor, "SELECT * FROM cases")}
    finally:
        store.close()
    # What follows from a command is an event of its own (a duplicate that goes along with its report), but no command.
    followers = {seq for event in mine for seq in event.data.get("moved", ())}
    given = [event for event in mine if event.seq not in followers]
    result = Round(
        presses=sum(not press.repeat for press in pressed),
        repeats=sum(press.repeat for press in pressed),
        commands=len(given),
        by_others=int(others),
    )
    waiting = [press for press in pressed if not press.repeat and press.heading]
    at = {event.seq: event for event in mine}
    for event in given:
        cause = next((one for one in waiting if _explains(one, event, versions, at)), None)
        if cause is None:
            result.wrong.append(f"event {event.seq} {event.kind} {event.subject} v{versions.get(event.seq)}")
        elif event.kind != "answer.written":  # it comes with the assessment of the same press
            waiting.remove(cause)
    for press in waiting:
        case = cases[press.heading]
        sure = press.key == "s" or (press.key == "0" and press.closes)
        untouched = case["version"] == press.version and not case["snoozed_until"]
        if sure and untouched:
            result.lost.append(f"{press.key} on {press.heading} v{press.version}")
    return result


def _explains(press: Press, event: Event, versions: Mapping[int, int], mine: Mapping[int, Event]) -> bool:
    """True when this press, on what was on screen then, is a cause of the event."""
    if event.kind not in CAUSES.get(press.key, ()):
        return False
    match event.kind:
        case "report.claimed" | "report.released" | "answer.written":
            return press.heading == event.subject
        case "pair.kept_apart":
            pair = {event.data["a_id"], event.data["b_id"]}
            return press.heading in pair and any(
                f" {one} " in f" {press.candidate} " for one in pair - {press.heading}
            )
        case "event.undone":
            undone = mine.get(event.data["undone"])
            return undone is not None and press.undo.endswith(undone.subject)
        case "report.linked" if press.heading != event.subject:
            return f" {event.subject} " in f" {press.candidate} "
    return press.heading == event.subject and press.version == versions[event.seq]


def _versions(cursor: db.Cursor) -> dict[int, int]:
    """The version of the case before each event that changed one."""
    found: dict[int, int] = {}
    now: defaultdict[str, int] = defaultdict(lambda: 1)
    for row in db.rows(cursor, "SELECT seq, subject, data FROM events ORDER BY seq"):
        if '"before":' in row["data"]:
            found[row["seq"]] = now[row["subject"]]
            now[row["subject"]] += 1
    return found


def run(seed: int, presses: int) -> Round:
    """One round in a browser and a server of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)
        with sync_playwright() as playwright, running_server(folder) as server:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            play(page, server, seed, presses)
            pressed = observed(page)
            browser.close()
        return judge(folder, pressed)


def main() -> None:
    options = arguments(__doc__)
    rounds, presses = (1, 60) if options.small else (ROUNDS, PRESSES)
    found: list[Round] = []
    for seed in range(rounds):
        say(f"round {seed + 1} of {rounds}")
        found.append(run(seed, presses))
        for line in (*found[-1].wrong, *found[-1].lost):
            say(line)
    rows: list[tuple[Any, ...]] = [
        (number, one.presses, one.repeats, one.commands, one.by_others, len(one.wrong), len(one.lost))
        for number, one in enumerate(found, start=1)
    ]
    columns = ("round", "presses", "held repeats", "commands", "by others", "wrong", "lost")
    table(f"{presses} fast presses with held keys and a second session", columns, rows)
    figures = {
        "rounds": rounds,
        "presses": sum(one.presses for one in found),
        "commands": sum(one.commands for one in found),
        "wrong": sum(len(one.wrong) for one in found),
        "lost": sum(len(one.lost) for one in found),
    }
    finish("desk_keys", figures, TARGETS)


if __name__ == "__main__":
    main()
