"""Trends and the guidance over a store of a million reports: how long each chart's query and the pages take.

    .venv/bin/python -m benchmarks.trends [--small] [--keep FOLDER]

A seeded store as a desk has it after a year (synthetic_desk.py), with decisions, second looks, duplicates, techniques
and reopened reports. Each query runs for a quarter and for all time, with and without a product. Target: 300 ms at the
95th percentile for every chart. The pages are opened in Chromium, each from an empty page at rest and every time with
another choice, so that nothing is answered from memory: "usable" is until the pickers and the head's figures can be
used, "whole" until the last chart is drawn and the page is at rest. Target: 2 s to the first at the 95th percentile,
which is what one waits for; both are printed. The opening with which a server that was just started reads the store's
columns for the first time stands by itself.
A kept store is finished where an earlier run stopped, and is asked as of the moment at which it was begun.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks import harness, synthetic_desk
from benchmarks.desk import REST_LIMIT_S, at_rest
from tests.browser import CHROMIUM, FLAGS, running_server
from triage_core import db, monthly, queries, trends
from triage_core.counted import Counted, Moment
from triage_core.desk import agreement, looks
from triage_core.guidance import clause_figures, guidance_gaps, policies, policy
from triage_core.index import suggestion_facts
from triage_core.queries import Filter
from triage_core.rewards import bounty, spending
from triage_core.settings import ROOT
from triage_core.store import Store
from triage_core.trends import Dimension, Window

ROUNDS = 10
TARGET_MS, PAGE_TARGET_MS = 300, 2_000
REST_MS, OPENINGS = 1_000, 4
PRODUCT = ("Lumen Tutor",)
OTHERS = (Dimension.PRODUCT, Dimension.VERSION, Dimension.CHANNEL, Dimension.HARM, Dimension.TECHNIQUE)
AT_REST = "[data-testid='stApp'][data-test-script-state='notRunning']"
FIRST = "trends_after_a_start"
# What is looked for in each page's main part as soon as it can be used.
USABLE = {"trends": "Known already", "gaps": "Draft a clause for", "guidance": "In force since"}
# What each page draws at its end; the rest of Trends is asked for when the browser has painted its head.
LAST = {**USABLE, "trends": "Weeks start on Monday"}
CHOICES = (
    "period=4+weeks&by=Harm", "period=26+weeks&by=Severity", "period=A+year&by=Model+version",
    "period=13+weeks&compare=Period+before", "period=All+time", "period=13+weeks&product=Lumen+Tutor",
    "period=All+time&by=Technique",
)  # fmt: skip

# What synthetic_desk leaves out, put straight into the tables: everything that a question of these pages counts.
MORE = (
    "UPDATE cases SET model_version = 'v' || (seq % 12), channel = ['form', 'api', 'import'][1 + seq % 3],"
    " is_copy = seq % 20 = 0, assessment_id = CASE WHEN status NOT IN ('new', 'needs_info') THEN seq END,"
    " canonical_id = CASE WHEN status = 'closed' AND seq % 9 = 0 AND seq > 100 THEN 'FR-' || (seq - 100) END,"
    " reopened_at = CASE WHEN seq % 70 = 0 THEN closed_at END,"
    " resolution = CASE WHEN status <> 'closed' THEN resolution WHEN seq % 9 = 0 AND seq > 100 THEN 'duplicate'"
    " WHEN seq % 2 = 0 THEN 'resolved_fixed' ELSE resolution END",
    "INSERT INTO assessments BY NAME SELECT seq AS assessment_id, report_id, received_at AS done_at,"
    " 'demo:reviewer' AS actor_id, '' AS policy_version, ['IN-' || (1 + hash(m.cluster_id) % 3 + seq % 5)] AS clauses,"
    " 'H2' AS harm, 'self' AS exposure, 'instance' AS generality, 'rare' AS reliability, 'no' AS uplift,"
    " severity AS computed_severity, severity, '' AS override_reason, '' AS note, '' AS reproduction_log"
    " FROM cases c JOIN memberships m USING (report_id) WHERE c.assessment_id IS NOT NULL AND m.axis = 'whole'",
    "INSERT INTO assessments BY NAME SELECT 2_000_000_000 + assessment_id AS assessment_id, assessment_id AS look_id,"
    " ['IN-' || (1 + assessment_id % 7)] AS clauses, 'demo:ines' AS actor_id, * EXCLUDE (assessment_id, look_id,"
    " clauses, actor_id) FROM assessments WHERE assessment_id % 10 = 0",
    "INSERT INTO second_looks SELECT assessment_id, report_id, assessment_id, 'drawn', done_at, '', true,"
    " 2_000_000_000 + assessment_id, (assessment_id % 3) / 2.0 FROM assessments"
    " WHERE look_id IS NULL AND assessment_id % 10 = 0",
    # Every axis is laid and named, so that the worker finds nothing to do when the pages are opened.
    "INSERT INTO memberships (axis, report_id, cluster_id, model_id)"
    " SELECT 'technique', report_id, 'T-' || (1 + (seq - 1) % 200), 'synthetic' FROM cases UNION ALL"
    " SELECT 'request', report_id, 'Q-' || split_part(cluster_id, '-', 2), 'synthetic' FROM memberships",
    "INSERT INTO clusters (axis, cluster_id, representative_id, size, label, family)"
    " SELECT axis, cluster_id, 'FR-' || any_value(split_part(cluster_id, '-', 2)), count(*), '',"
    " CASE WHEN axis = 'technique' THEN 'family ' || (any_value(split_part(cluster_id, '-', 2)::INT) % 9) ELSE '' END"
    " FROM memberships WHERE axis <> 'whole' GROUP BY axis, cluster_id",
    "UPDATE clusters SET label = 'a few words'",
    "INSERT INTO rewards BY NAME SELECT seq AS reward_id, report_id, closed_at AS done_at, 'demo:owner' AS actor_id,"
    " 'cash' AS kind, 100 AS amount, 'USD' AS currency, 'paid' AS state, '' AS policy_version, '' AS reason,"
    " seq AS reward_no FROM cases WHERE status = 'closed' AND seq % 100 = 0",
)

# The doors, and the clocks of fixes and rewards: one in a hundred asks for a reward, and half of these are decided on.
LATER = (
    "UPDATE reports SET channel = c.channel, policy_version = (SELECT version FROM policy_versions LIMIT 1),"
    " reporter_id = CASE WHEN c.seq % 3 = 0 THEN 'RP-' || (c.seq - c.seq % 5 * 3) END,"
    " body = '{\"impact\":\"' || md5(c.report_id) || repeat(' some words of a reporter', 6) || '\"'"
    " || CASE WHEN c.seq % 100 = 0 THEN ',\"wants_reward\":true}' ELSE '}' END,"
    " wants_reward = c.seq % 100 = 0, api_key = CASE WHEN c.channel = 'api' THEN 1 + c.seq % 8 END"
    " FROM cases c WHERE c.report_id = reports.report_id",
    "INSERT INTO intake_keys SELECT CASE channel WHEN 'api' THEN 'api:' || (1 + seq % 8) || ':key:' || seq"
    " ELSE 'id:' || seq END, report_id, '' FROM cases WHERE channel <> 'form'",
    "UPDATE cases SET fix_due = received_at + INTERVAL 60 DAY WHERE resolution = 'resolved_fixed'",
    "INSERT INTO rewards BY NAME SELECT 1_000_000_000 + seq AS reward_id, report_id,"
    " triaged_at + INTERVAL (seq // 200 % 20) DAY AS done_at, 'demo:owner' AS actor_id, 'cash' AS kind, 100 AS amount,"
    " 'USD' AS currency, 'approved' AS state, '' AS policy_version, '' AS reason, 1_000_000_000 + seq AS reward_no"
    " FROM cases WHERE triaged_at IS NOT NULL AND seq % 200 = 0",
)


def questions(window: Window, rules: policy.Policy) -> dict[str, Callable[[Any], object]]:
    """Every question that the pages ask, by the name of its chart."""
    found: dict[str, Callable[[Any], object]] = {
        f"volume by {dimension}": lambda cursor, by=dimension: trends.volume(cursor, window, by)  # type: ignore[misc]
        for dimension in Dimension
    }
    for ask in (
        trends.figures,
        trends.total_by_week,
        trends.known_by_week,
        trends.backlog,
        trends.closures,
        trends.come_back,
        trends.embargo_ends,
        trends.emerging,
        trends.agreed,
        trends.fixes_by_severity,
        trends.sources,
        bounty.clocks_by_week,
        bounty.longer,
    ):
        found[ask.__name__.replace("_", " ")] = lambda cursor, ask=ask: ask(cursor, window)  # type: ignore[misc]
    found["rewards"] = lambda cursor: spending.spend_by_month(cursor, window.now.year)
    found["agreement of all"] = lambda cursor: agreement.overall(looks.pairs(cursor))
    found["late rewards"] = lambda cursor: bounty.late(cursor, window.now, window.platform)
    found["products to choose"] = lambda cursor: queries.choices(cursor, "platform")
    before = window.back(window.weeks or 52)
    found["figures compared"] = lambda cursor: trends.figures(cursor, before)
    found["come back compared"] = lambda cursor: trends.come_back(cursor, window, before)
    found["sources compared"] = lambda cursor: trends.sources(cursor, window, before)
    bounds: dict[str, Any] = {"since": window.since, "until": window.now, "platform": window.platform}
    for name, behind in {
        "list behind a number": Filter(only=Counted.KNOWN, at=window.now, **bounds),
        "list of the answered": Filter(only=Counted.ANSWERED, at=window.now, **bounds),
        "list of the decided alike": Filter(only=Counted.ALIKE, at=window.now, **bounds),
        "list of a cluster": Filter(cluster_id="W-1", **bounds),
        **{
            f"list of other {kind}": Filter(
                other=kind, without=["", "v1", "form", "other", "family 1"], **bounds
            )
            for kind in OTHERS
        },
    }.items():
        found[name] = lambda cursor, behind=behind: queries.inbox(cursor, behind)  # type: ignore[misc]
        found[f"{name}, counted"] = lambda cursor, behind=behind: queries.count(cursor, behind)  # type: ignore[misc]
    by_key = Filter(only=Counted.NO_CONTACT, at=window.now, channel=["api"], api_key="3", **bounds)
    found["list behind a source"] = lambda cursor: queries.inbox(cursor, by_key)
    behind = Filter(only=Counted.KNOWN, at=window.now, since=window.since, until=window.now)
    found["list behind a bounty"] = lambda cursor: queries.inbox(cursor, _of_bounties(cursor, behind))
    # Which clause is nearest is asked of the vectors, outside the store: here every cluster is far from all.
    found["gaps"] = lambda cursor: guidance_gaps.gaps(
        cursor, rules, lambda _, names: dict.fromkeys(names, ("IN-1", 0.1))
    )
    found["clause figures"] = clause_figures.by_clause
    found["citations"] = clause_figures.citations
    found["suggestion tests"] = suggestion_facts.tests
    return found


def _of_bounties(cursor: Any, behind: Filter) -> Filter:
    assert behind.at
    late = Counted.BOUNTY_LATE
    bounties = bounty.named(cursor, behind.at, late, behind.since, behind.until)
    return replace(behind, only=late, moment=Moment.BOUNTY_END, bounties=bounties)


def measure(store: Store, now: datetime) -> dict[str, harness.Timing]:
    """The times of each chart over all the windows, in seconds."""
    seconds: dict[str, list[float]] = {}
    with store.read() as cursor:
        rules = policies.in_force(cursor)
    windows = [Window(now, weeks, product) for weeks in (13, None) for product in ((), PRODUCT)]
    for window in harness.progress(windows, "windows"):
        for name, ask in questions(window, rules).items():
            for _ in range(ROUNDS):
                with store.read() as cursor:
                    start = time.perf_counter()
                    ask(cursor)
                    seconds.setdefault(name, []).append(time.perf_counter() - start)
    return {name: harness.Timing(tuple(taken)) for name, taken in seconds.items()}


def browsed(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """For each page the seconds until it was usable and until it was whole, of each opening in Chromium."""
    found: dict[str, list[tuple[float, float]]] = {}
    with running_server(folder) as server:
        with _page() as page:  # the first visit opens the store and starts the worker
            page.goto(server.url)
            page.get_by_text("Everything is compared").wait_for(timeout=REST_LIMIT_S * 1_000)
        asyncio.run(at_rest(server))
        with _page() as page:
            found[FIRST] = [_opened(page, f"{server.url}/trends?{CHOICES[0]}", "trends")]
        with _page() as page:
            # A round takes longer than an answer is kept.
            for _ in harness.progress(range(OPENINGS), "pages"):
                for choice in CHOICES[1:]:
                    found.setdefault("trends", []).append(
                        _opened(page, f"{server.url}/trends?{choice}", "trends")
                    )
                for name in ("gaps", "guidance"):
                    found.setdefault(name, []).append(_opened(page, f"{server.url}/{name}", name))
    return found


@contextmanager
def _page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser.new_page(viewport={"width": 1440, "height": 900})
        browser.close()


def _opened(page: Page, address: str, name: str) -> tuple[float, float]:
    """Seconds from the address to the first use, and to rest."""
    page.goto("about:blank")  # else the charts of the page before are still being drawn
    page.wait_for_timeout(REST_MS)
    start = time.perf_counter()
    page.goto(f"{address}{'&' if '?' in address else '?'}role=Policy+owner", wait_until="commit")
    page.get_by_test_id("stMain").get_by_text(USABLE[name]).first.wait_for()
    usable = time.perf_counter()
    page.get_by_test_id("stMain").get_by_text(LAST[name]).first.wait_for()
    page.locator(AT_REST).wait_for()
    return usable - start, time.perf_counter() - start


def fill(folder: Path, count: int) -> Store:
    """The store that is asked, with the moment at which it was begun for its clock."""
    begun = datetime.now(UTC)
    store = Store(folder, lambda: begun)
    with store.read() as cursor:
        first = db.row(cursor, "SELECT done_at FROM events WHERE seq = 1")
    if first:
        begun = db.aware(first["done_at"])
    else:
        policies.publish(store, synthetic_desk.FILLER, policy.load(ROOT / "data"))
    synthetic_desk.fill(store, count, dim=8)
    # An earlier run may have stopped between the two, or be older than the second.
    for table, sentences in (("assessments", MORE), ("intake_keys", LATER)):
        with store.read() as cursor:
            whole = db.value(cursor, f"SELECT count(*) FROM {table}") > 0
        if not whole:
            with store.write(synthetic_desk.FILLER, "benchmark") as work:
                for sentence in harness.progress(sentences, "decisions and what follows from them"):
                    work.cursor.execute(sentence)
    return store


def main() -> None:
    options = harness.arguments(__doc__, keeps=True)
    count = 100_000 if options.small else 1_000_000
    with tempfile.TemporaryDirectory(prefix="flawdesk-trends-") as fresh:
        folder = options.keep or fresh
        store = fill(Path(folder), count)
        now = store.clock()
        try:
            taken = measure(store, now)
            start = time.perf_counter()
            with store.read() as cursor:
                monthly.document(monthly.figures(cursor, now))
            figures = {"reports": float(count), "monthly_report_ms": (time.perf_counter() - start) * 1000}
        finally:
            store.close()
        rows = [(name, one.median * 1000, one.quantile(0.95) * 1000) for name, one in taken.items()]
        harness.table(f"Trends over {count:,} reports", ("chart", "median ms", "p95 ms"), rows)
        pages = browsed(Path(folder))
    opened = {
        name: [harness.Timing(one) for one in zip(*times, strict=True)] for name, times in pages.items()
    }
    harness.table(
        "Pages in Chromium",
        ("page", "openings", "usable ms", "p95", "whole ms", "p95"),
        [
            (
                name,
                len(pages[name]),
                *(ms for one in both for ms in (one.median * 1000, one.quantile(0.95) * 1000)),
            )
            for name, both in opened.items()
        ],
    )
    figures |= {f"{name.replace(' ', '_')}_p95_ms": p95 for name, _, p95 in rows}
    targets: dict[str, harness.Target] = {
        name: ("<=", TARGET_MS) for name in figures if name.endswith("_p95_ms")
    }
    for name, (usable, whole) in opened.items():
        figures |= {
            f"{name}_usable_ms": usable.quantile(0.95) * 1000,
            f"{name}_whole_ms": whole.quantile(0.95) * 1000,
        }
        if name != FIRST:
            targets[f"{name}_usable_ms"] = ("<=", PAGE_TARGET_MS)
    harness.finish("trends", figures, targets)


if __name__ == "__main__":
    main()
