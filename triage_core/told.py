"""Are the cases what their events tell? The last word of the events on each column, compared in SQL.

Each change of a case is one event that raises its version by one, so the number of those events, the
last of their authors and the last value of each column must be those of the case.
"""

from __future__ import annotations

from triage_core import cases, db

# Events of a second look, an embargo or a reward change that and not the case; each names what it is about.
_CHANGES = (
    "json_exists(data, '$.after') AND NOT json_exists(data, '$.look_id')"
    " AND NOT json_exists(data, '$.party') AND NOT json_exists(data, '$.reward_no')"
)
# What no event tells of was never set: these columns are empty when a report comes in.
_EMPTY = (
    "canonical_id",
    "assessment_id",
    "severity",
    "priority",
    "fix_due",
    "first_response_at",
    "triaged_at",
    "assigned_to",
    "snoozed_until",
)

_VERSIONS = f"""
SELECT count(*) FROM cases c LEFT JOIN (
    SELECT subject, count(*) AS n, arg_max(actor_id, seq) AS who FROM events WHERE {_CHANGES} GROUP BY subject
) e ON e.subject = c.report_id
WHERE c.version <> 1 + coalesce(e.n, 0) OR c.updated_by <> coalesce(e.who, c.updated_by)"""

_VALUES = f"""
WITH told AS (
    SELECT e.subject AS report_id, j.key, arg_max(j.value, e.seq) AS value
    FROM events e, json_each(e.data, '$.after') j WHERE {_CHANGES} GROUP BY ALL),
held AS (
    SELECT c.report_id, j.key, j.value FROM cases c SEMI JOIN told USING (report_id), json_each(to_json(c)) j),
compared AS (
    SELECT report_id, key, h.value ->> '$' AS held, t.value ->> '$' AS told
    FROM held h LEFT JOIN told t USING (report_id, key)
    WHERE t.key IS NOT NULL OR list_contains($empty, key))
SELECT count(DISTINCT report_id) FROM compared WHERE CASE
    WHEN list_contains($times, key) THEN held::TIMESTAMP IS DISTINCT FROM told::TIMESTAMP
    ELSE held IS DISTINCT FROM told END"""

_UNTOLD = f"""
SELECT count(*) FROM cases WHERE version = 1 AND (
    ({" OR ".join(f"{name} IS NOT NULL" for name in _EMPTY)})
    OR (status, coalesce(resolution, '')) NOT IN (('new', ''), ('closed', 'rerouted')))"""


def differences(cursor: db.Cursor) -> dict[str, int]:
    """How many cases do not fit their events, by what does not fit; all zero in a sound store."""
    values = {"times": sorted(cases.TIMES), "empty": list(_EMPTY)}
    return {
        "cases whose version or author is not that of their events": int(db.value(cursor, _VERSIONS)),
        "cases that are not what their events made of them": int(db.value(cursor, _VALUES, values)),
        "cases that were changed without an event": int(db.value(cursor, _UNTOLD)),
    }
