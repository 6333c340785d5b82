"""Trends over a store of a million reports: how long each chart's query takes.

    .venv/bin/python -m benchmarks.trends [--small]

A seeded store as a desk has it after a year (synthetic_desk.py); each query runs for a quarter and for all time,
with and without a product. Target: 300 ms at the 95th percentile for every chart.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import harness, synthetic_desk
from triage_core import agreement, looks, monthly, queries, rewards, trends
from triage_core.counted import Counted
from triage_core.queries import Filter
from triage_core.store import Store
from triage_core.trends import Dimension, Window

ROUNDS = 10
TARGET_MS = 300
PRODUCT = ("Lumen Tutor",)


def questions(window: Window) -> dict[str, Callable[[Any], object]]:
    """Every question that the page asks, by the name of its chart."""
    found: dict[str, Callable[[Any], object]] = {
        f"volume by {dimension}": lambda cursor, by=dimension: trends.volume(cursor, window, by)  # type: ignore[misc]
        for dimension in Dimension
    }
    for ask in (
        trends.figures,
        trends.total_by_week,
        trends.known_by_week,
        trends.clocks_by_week,
        trends.backlog,
        trends.closures,
        trends.come_back,
        trends.embargo_ends,
        trends.emerging,
    ):
        found[ask.__name__.replace("_", " ")] = lambda cursor, ask=ask: ask(cursor, window)  # type: ignore[misc]
    found["rewards"] = lambda cursor: rewards.spend_by_month(cursor, window.now.year)
    found["agreement"] = lambda cursor: agreement.overall(looks.pairs(cursor))
    found["products to choose"] = lambda cursor: queries.choices(cursor, "platform")
    behind = Filter(only=Counted.KNOWN, at=window.now, since=window.since, until=window.now)
    found["list behind a number"] = lambda cursor: queries.inbox(cursor, behind)
    return found


def measure(store: Store, now: datetime) -> dict[str, harness.Timing]:
    """The times of each chart over all the windows, in seconds."""
    seconds: dict[str, list[float]] = {}
    windows = [Window(now, weeks, product) for weeks in (13, None) for product in ((), PRODUCT)]
    for window in harness.progress(windows, "windows"):
        for name, ask in questions(window).items():
            for _ in range(ROUNDS):
                with store.read() as cursor:
                    start = time.perf_counter()
                    ask(cursor)
                    seconds.setdefault(name, []).append(time.perf_counter() - start)
    return {name: harness.Timing(tuple(taken)) for name, taken in seconds.items()}


def main() -> None:
    count = 100_000 if harness.arguments(__doc__).small else 1_000_000
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="flawdesk-trends-") as folder:
        store = synthetic_desk.open_filled(Path(folder), count, dim=8, now=lambda: now)
        try:
            report(store, now, count)
        finally:
            store.close()


def report(store: Store, now: datetime, count: int) -> None:
    """Measure an open store and print what was found."""
    taken = measure(store, now)
    rows = [(name, one.median * 1000, one.quantile(0.95) * 1000) for name, one in taken.items()]
    harness.table(f"Trends over {count:,} reports", ("chart", "median ms", "p95 ms"), rows)
    start = time.perf_counter()
    with store.read() as cursor:
        monthly.document(monthly.figures(cursor, now))
    figures = {"reports": float(count), "monthly_report_ms": (time.perf_counter() - start) * 1000}
    figures |= {f"{name.replace(' ', '_')}_p95_ms": p95 for name, _, p95 in rows}
    targets = {name: ("<=", TARGET_MS) for name in figures if name.endswith("_p95_ms")}
    harness.finish("trends", figures, targets)


if __name__ == "__main__":
    main()
