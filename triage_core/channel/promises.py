"""Is anybody looking? What the policy promises against what was kept in the last 90 days; and the thanks.

Both are for everybody: they hold counts, shares and hours, and the names of those who wished to be
named. Nothing of a report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from triage_core import db, trends
from triage_core.channel import messages
from triage_core.channel.messages import Kind
from triage_core.counted import CONDITIONS, Counted
from triage_core.desk import agreement, looks
from triage_core.desk.agreement import Measured
from triage_core.disclosure import embargo
from triage_core.model import CreditWish, EmbargoState
from triage_core.rewards import bounty
from triage_core.rewards.bounty import Longer
from triage_core.trends import Kept, Window

DAYS = 90
LONGEST_NAME = 80


class Rolling(Window):
    """The reports of the last 90 days, to the minute rather than to the week."""

    @property
    def since(self) -> datetime:
        return self.end - timedelta(days=DAYS)


@dataclass(frozen=True, slots=True)
class Looking:
    """The published figures: `reversed` of `linked` duplicates were taken back, `cited` of `closed` cite a clause.

    A duplicate cites the earlier report, and what its reporter withdrew was not ours to close: neither
    counts as closed here. `longer` are the fixes and the rewards that were done, or due, in these days; `agreement`
    is that of two people who decided on one report apart.
    """

    received: int
    first_response: Kept
    triage: Kept
    longer: Longer
    linked: int
    reversed: int
    closed: int
    cited: int
    agreement: Measured


@dataclass(frozen=True, slots=True)
class Thanks:
    """One person whose report was a flaw that is fixed, as that person wished to be named."""

    name: str
    fixed_at: datetime


def looking(cursor: db.Cursor, now: datetime, until: datetime | None = None) -> Looking:
    """The figures of the 90 days before `until`, or `now`; judged as of now."""
    days = Rolling(now, until=until)
    bounds = {"since": db.naive(days.since), "until": db.naive(days.end)}
    kept = trends.figures(cursor, days)
    by_clause, by_neither = CONDITIONS[Counted.BY_CLAUSE], CONDITIONS[Counted.BY_NEITHER]
    found = db.row(
        cursor,
        "SELECT (SELECT count(*) FROM duplicate_links WHERE done_at BETWEEN $since AND $until) AS linked,"
        " (SELECT count(*) FROM duplicate_link_ends WHERE done_at BETWEEN $since AND $until) AS reversed,"
        f" count(*) FILTER ({by_clause} OR {by_neither}) AS closed, count(*) FILTER ({by_clause}) AS cited"
        " FROM cases c WHERE c.closed_at BETWEEN $since AND $until",
        bounds,
    )
    assert found is not None
    answered = "s.done_at BETWEEN $since AND $until"
    agreed = agreement.overall(looks.pairs(cursor, answered, bounds))
    longer = bounty.longer(cursor, days)
    return Looking(kept.reports, kept.first_response, kept.triage, longer, **found, agreement=agreed)


def thanks(cursor: db.Cursor, now: datetime, limit: int = 500) -> list[Thanks]:
    """Whom to thank, the latest first: a fixed flaw, a name and the wish to be named, no embargo any more."""
    found = db.rows(
        cursor,
        "SELECT r.report_id, r.body, coalesce(c.closed_at, c.updated_at) AS fixed_at, e.state, e.binding_end"
        " FROM cases c JOIN reports r USING (report_id) LEFT JOIN embargo_terms e USING (report_id)"
        " WHERE (c.status IN ('fixed', 'retest') OR c.resolution IN ('resolved_fixed', 'resolved_mitigated'))"
        " AND contains(r.body, '\"credit_wish\":') ORDER BY fixed_at DESC LIMIT ?",
        [limit],
    )
    unnamed = messages.without(cursor, Kind.NAME_OFF, [row["report_id"] for row in found])
    named = []
    for row in found:
        name = credit(json.loads(row["body"]))
        held = row["state"] and embargo.is_active(EmbargoState(row["state"]), row["binding_end"], now)
        if name and not held and row["report_id"] not in unnamed:
            named.append(Thanks(name, row["fixed_at"]))
    return named


def credit(body: Mapping[str, Any]) -> str:
    """The name by which the sender of a report, given as its JSON, wished to be thanked; "" for none."""
    if body.get("credit_wish", CreditWish.ANONYMOUS) == CreditWish.ANONYMOUS:
        return ""
    return str(body.get("credit_name") or "").strip()[:LONGEST_NAME]
