"""Reports that came in, and were decided on, at a moment of the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from tests.making import NOON, POLICY, REVIEWER, bring, make_report
from triage_core import queries
from triage_core.desk import triage
from triage_core.desk.triage import Decision
from triage_core.store import Store
from triage_core.trends import Window

MONDAY = NOON.replace(hour=0)  # 2 March 2026
EXPECTED = Decision(clauses=("EXP-1",))
NOW = Window(NOON)
Ask = Callable[..., Any]


def came(store: Store, at: datetime, words: str = "", product: str = "Kite Travel") -> str:
    """A report that came in at a moment; different words each time unless given."""
    line = make_report(words or f"Asked at {at}", submitted_at=at.isoformat(), system=[{"platform": product}])
    return bring(store, line)[0]


def came_all(store: Store, moments: Iterable[datetime], product: str = "Kite Travel") -> list[str]:
    """The same for many, brought at once."""
    return bring(
        store,
        *(
            make_report(f"At {at}", submitted_at=at.isoformat(), system=[{"platform": product}])
            for at in moments
        ),
    )


def decide(store: Store, report_id: str, after_hours: float, decision: Decision = EXPECTED) -> None:
    with store.read() as cursor:
        received = queries.report(cursor, report_id).report["received_at"]
    triage.assess(store, POLICY, REVIEWER, report_id, decision, now=received + timedelta(hours=after_hours))
