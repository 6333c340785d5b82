"""What the disclosure lead looks at: every embargo with its case, filtered and paged in SQL, the soonest end first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from triage_core import db
from triage_core.disclosure.embargo_machine import IN_FORCE, ExitReason, Party
from triage_core.model import DisclosureIntent, EmbargoState, Exploitation

IN_FORCE_SQL = ", ".join(sorted(f"'{state}'" for state in IN_FORCE))
"""The states in which an end binds, for a list of SQL."""
_IN_FORCE = f"t.state IN ({IN_FORCE_SQL})"

BINDING_ENDS = (
    "SELECT root, min(accepted_end) AS binding_end FROM (SELECT root, root AS report_id FROM roots"
    " UNION ALL SELECT canonical_id, report_id FROM cases SEMI JOIN roots ON canonical_id = root)"
    " JOIN accepted_ends USING (report_id) GROUP BY root"
)
"""The end that binds a canonical report and its duplicates, for those in a table `roots`.

The view `embargo_terms` would work out the dates of all linked reports.
"""


class Show(StrEnum):
    RUNNING = "running"
    FOR_US = "for_us"  # the reporter's proposal waits for our answer
    FOR_REPORTER = "for_reporter"
    SHOULD_END = "should_end"  # attacks are seen
    OVER = "over"


_BINDS = f"{_IN_FORCE} AND (t.binding_end IS NULL OR t.binding_end > $now)"
_OPEN_PROPOSAL = f"t.proposed_end > $now AND (t.state = '{EmbargoState.PROPOSED}' OR {_BINDS})"
_WHERE = {
    Show.RUNNING: f"({_BINDS} OR t.state = '{EmbargoState.PROPOSED}')",
    Show.FOR_US: f"({_OPEN_PROPOSAL} AND t.proposed_by = '{Party.REPORTER}')",
    Show.FOR_REPORTER: f"({_OPEN_PROPOSAL} AND t.proposed_by = '{Party.COMPANY}')",
    Show.SHOULD_END: (
        f"({_BINDS} AND t.report_id IN (SELECT report_id FROM cases WHERE exploitation = '{Exploitation.ACTIVE}'))"
    ),
    Show.OVER: f"(t.state = '{EmbargoState.EXITED}' OR ({_IN_FORCE} AND t.binding_end <= $now))",
}
_COLUMNS = (
    "SELECT t.*, r.received_at, r.platform, r.disclosure_intent, c.status, c.resolution, c.severity, c.exploitation,"
    " c.tlp, c.version AS case_version"
)


def page(
    cursor: db.Cursor,
    show: Show,
    now: datetime,
    platforms: Sequence[str] = (),
    number: int = 1,
    size: int = 25,
) -> list[db.Row]:
    """One page of the embargoes of these products (none: all), each with what its case says.

    `binding_end` is the earliest accepted end of the report and its linked duplicates. Sorted by what ends or
    waits soonest; of what is over, the latest first.
    """
    where, values = _products(now, platforms)
    soonest = "coalesce(t.binding_end, t.proposed_end)"
    order = "coalesce(t.exited_at, t.binding_end) DESC" if show is Show.OVER else soonest
    # By their length first, ids stand in the order in which the reports came in.
    order = f"{order}, len(t.report_id), t.report_id"
    return db.rows(
        cursor,
        f"WITH picked AS (SELECT t.* FROM embargo_terms t WHERE {where} AND {_WHERE[show]}"
        f" ORDER BY {order} LIMIT $size OFFSET $offset)"
        f" {_COLUMNS} FROM picked t JOIN reports r USING (report_id) JOIN cases c USING (report_id) ORDER BY {order}",
        {**values, "size": size, "offset": (number - 1) * size},
    )


def counts(cursor: db.Cursor, now: datetime, platforms: Sequence[str] = ()) -> dict[Show, int]:
    """How many embargoes of these products (none: all) each choice shows."""
    where, values = _products(now, platforms)
    parts = ", ".join(f"count(*) FILTER ({condition}) AS {show}" for show, condition in _WHERE.items())
    found = db.row(cursor, f"SELECT {parts} FROM embargo_terms t WHERE {where}", values)
    assert found is not None, "a count is one row"
    return {show: found[show] for show in Show}


def _products(now: datetime, platforms: Sequence[str]) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"now": db.naive(now)}
    if not platforms:
        return "true", values
    of_them = "t.report_id IN (SELECT report_id FROM cases WHERE list_contains($platforms, platform))"
    return of_them, {**values, "platforms": list(platforms)}


def one(cursor: db.Cursor, report_id: str) -> db.Row | None:
    """The embargo of one report with its case, also of a report that never had one; None without such a report.

    The same columns as those of a page, and what tells copies of the report: seq, content_sha256, canonical_id.
    """
    found = db.row(
        cursor,
        "SELECT r.report_id, e.* EXCLUDE (report_id), r.received_at, r.platform, r.disclosure_intent, r.seq,"
        " r.content_sha256, c.status, c.resolution, c.canonical_id, c.severity, c.exploitation, c.tlp,"
        " c.consent_training, c.consent_share_peers, c.version AS case_version"
        " FROM reports r JOIN cases c USING (report_id) LEFT JOIN embargoes e USING (report_id)"
        " WHERE r.report_id = ?",
        [report_id],
    )
    if found is not None:
        found["binding_end"] = found["state"] and db.value(
            cursor,
            f"WITH roots AS (SELECT $root AS root) SELECT binding_end FROM ({BINDING_ENDS})",
            {"root": found["canonical_id"] or report_id},
        )
    return found


def is_published(row: db.Row) -> bool:
    """True when the flaw of such a row is known to the public, by a mark or by the reporter's word."""
    return bool(
        row["exploitation"] == Exploitation.PUBLIC_POC
        or row["exit_reason"] == ExitReason.PUBLIC
        or row["disclosure_intent"] == DisclosureIntent.ALREADY
    )
