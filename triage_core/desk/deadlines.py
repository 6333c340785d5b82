"""Which running clocks of cases run out between two moments: what is due today, and what was missed just now."""

from __future__ import annotations

from datetime import datetime

from triage_core import db

# A fix that was due before anybody had decided on the report is late from the decision on.
_RUNNING = """
SELECT report_id, min(due) AS due FROM (
    SELECT report_id, response_due AS due FROM cases WHERE status <> 'closed' AND first_response_at IS NULL
    UNION ALL SELECT report_id, triage_due FROM cases WHERE status <> 'closed' AND triaged_at IS NULL
    UNION ALL SELECT report_id, greatest(fix_due, triaged_at) FROM cases
        WHERE status NOT IN ('closed', 'fixed', 'fix_ready') AND fix_due IS NOT NULL)
WHERE due > ? AND due <= ? GROUP BY report_id ORDER BY due, report_id"""


def between(cursor: db.Cursor, after: datetime, until: datetime) -> list[tuple[str, datetime | None]]:
    """(report, due) of the reports with a clock that runs out after the first moment and not after the second."""
    found = db.rows(cursor, _RUNNING, [db.naive(after), db.naive(until)])
    return [(row["report_id"], row["due"]) for row in found]
