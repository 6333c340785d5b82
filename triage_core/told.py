"""What `verify` asks beyond the chain: do records fit each other, and are they what their events tell?

Each change of a case is one event that raises its version by one, so the number of those events, the
last of their authors and the last value of each column must be those of the case. What no event changed
is what the report said; its own text has a hash in the event that brought it (verification.py).
"""

from __future__ import annotations

from triage_core import audit, cases, db

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

# What a report is found and counted by stands beside its text; it never changes.
_SAID = """
SELECT count(*) FROM reports r JOIN cases c USING (report_id)
WHERE (c.seq, c.received_at, c.channel, c.platform, c.model_version, c.harm_types)
        IS DISTINCT FROM (r.seq, r.received_at, r.channel, r.platform, r.model_version, r.harm_types)
    OR coalesce(r.external_id, '') <> coalesce(r.body ->> '$.external_id', '')
    OR r.what_is_wrong <> coalesce(r.body ->> '$.what_is_wrong', '')
    OR r.disclosure_intent <> coalesce(r.body ->> '$.disclosure_intent', r.disclosure_intent)
    OR r.wants_reward <> coalesce((r.body ->> '$.wants_reward')::BOOLEAN, false)
    OR (r.platform, r.model, r.model_version) IS DISTINCT FROM (coalesce(r.body ->> '$.system[0].platform', ''),
        coalesce(r.body ->> '$.system[0].model', ''), coalesce(r.body ->> '$.system[0].version', ''))
    OR r.harm_types IS DISTINCT FROM coalesce((r.body -> '$.harm_types')::VARCHAR[], [])"""

_CONSENT = """
WITH told AS (
    SELECT subject, bool_or(json_exists(data, '$.after.consent_training')) AS training,
        bool_or(json_exists(data, '$.after.consent_share_peers')) AS sharing
    FROM events WHERE json_exists(data, '$.after') GROUP BY subject)
SELECT count(*) FROM reports r JOIN cases c USING (report_id) LEFT JOIN told t ON t.subject = r.report_id
WHERE (c.consent_training <> coalesce(r.body ->> '$.consent_training', 'none') AND NOT coalesce(t.training, false))
    OR (c.consent_share_peers <> coalesce(r.body ->> '$.consent_share_peers', 'after_fix')
        AND NOT coalesce(t.sharing, false))"""

# A decision on a case or, blind, on a look: the row and the event that it was made with.
_DECISIONS = """
WITH told AS (
    SELECT (data ->> CASE kind WHEN 'look.answered' THEN '$.after.second_id' ELSE '$.assessment_id' END)::BIGINT
        AS assessment_id, subject, actor_id, done_at, data
    FROM events WHERE kind IN ('report.assessed', 'look.answered'))
SELECT count(*) FROM assessments a FULL JOIN (FROM told WHERE assessment_id IS NOT NULL) t USING (assessment_id)
WHERE a.report_id IS NULL OR t.subject IS NULL
    OR (a.report_id, a.actor_id, a.done_at) IS DISTINCT FROM (t.subject, t.actor_id, t.done_at)
    OR a.clauses IS DISTINCT FROM coalesce((t.data -> '$.clauses')::VARCHAR[], a.clauses)
    OR a.policy_version <> coalesce(t.data ->> '$.policy_version', a.policy_version)
    OR a.severity <> coalesce(t.data ->> '$.after.severity', a.severity)"""

_EMBARGOES = """
WITH told AS (
    SELECT e.subject AS report_id, j.key, arg_max(j.value, e.seq) AS value
    FROM events e, json_each(e.data, '$.after') j WHERE json_exists(e.data, '$.party') GROUP BY ALL),
held AS (
    SELECT e.report_id, j.key, j.value FROM embargoes e SEMI JOIN told USING (report_id), json_each(to_json(e)) j)
SELECT count(DISTINCT report_id) FROM told t LEFT JOIN held h USING (report_id, key) WHERE CASE
    WHEN key IN ('starts_at', 'ends_at', 'proposed_end', 'exited_at')
        THEN (h.value ->> '$')::TIMESTAMP IS DISTINCT FROM (t.value ->> '$')::TIMESTAMP
    ELSE (h.value ->> '$') IS DISTINCT FROM (t.value ->> '$') END"""

# What peers were told, and with which keys they ask: the rows and the events that they were made with.
_PEERS = """
WITH told AS (
    SELECT (data ->> '$.peer_id')::BIGINT AS peer_id, kind, data, done_at, actor_id
    FROM events WHERE kind IN ('peer.added', 'peer.ended'))
SELECT (SELECT count(*) FROM peers p FULL JOIN (FROM told WHERE kind = 'peer.added') t USING (peer_id)
    WHERE (p.key_sha256, p.name, p.email, p.done_at, p.actor_id) IS DISTINCT FROM (t.data ->> '$.key_sha256',
        t.data ->> '$.name', t.data ->> '$.email', t.done_at, t.actor_id))
    + (SELECT count(*) FROM peer_ends p FULL JOIN (FROM told WHERE kind = 'peer.ended') t USING (peer_id)
    WHERE (p.done_at, p.actor_id) IS DISTINCT FROM (t.done_at, t.actor_id))"""

_ADVISORIES = """
WITH told AS (
    SELECT (data ->> '$.advisory_id')::BIGINT AS advisory_id, (data ->> '$.step_id')::BIGINT AS step_id, subject,
        kind, data, done_at, actor_id
    FROM events WHERE starts_with(kind, 'advisory.'))
SELECT (SELECT count(*) FROM advisories a JOIN (FROM told WHERE kind = 'advisory.opened') t USING (advisory_id)
    WHERE (a.report_id, a.title, a.note, a.done_at, a.actor_id) IS DISTINCT FROM (t.subject, t.data ->> '$.title',
        t.data ->> '$.note', t.done_at, t.actor_id))
    + (SELECT count(*) FROM advisory_ends a FULL JOIN (FROM told WHERE kind = 'advisory.closed') t USING (advisory_id)
    WHERE (a.report_id, a.reason, a.done_at, a.actor_id) IS DISTINCT FROM (t.subject, t.data ->> '$.reason',
        t.done_at, t.actor_id))
    + (SELECT count(*) FROM advisory_steps s JOIN (FROM told WHERE step_id IS NOT NULL) t USING (step_id)
    WHERE (s.advisory_id, s.report_id, s.peer_id, s.step, s.embargo_end, s.status, sha256(s.note), s.done_at,
        s.actor_id) IS DISTINCT FROM (t.advisory_id, t.subject, (t.data ->> '$.peer_id')::BIGINT, t.data ->> '$.step',
        (t.data ->> '$.embargo_end')::TIMESTAMP, t.data ->> '$.product_status', t.data ->> '$.note_sha256', t.done_at,
        t.actor_id))"""

# What people wrote, by the hash in the event that followed it. Events of earlier releases hold none.
_HELD = " UNION ALL ".join(
    f"SELECT '{table}:' || {number} AS key, concat_ws(chr(0), "
    + ", ".join(f"coalesce({column}::VARCHAR, '')" for column in columns)
    + f") AS said FROM {table}"
    for table, (number, *columns) in audit.SAID.items()
)
_WRITTEN = f"""
WITH told AS (SELECT j.key, j.value ->> '$' AS sha256 FROM events e, json_each(e.data, '$.said_sha256') j),
held AS ({_HELD})
SELECT (SELECT count(*) FROM told t LEFT JOIN held h USING (key) WHERE t.sha256 IS DISTINCT FROM sha256(h.said))
    + (SELECT count(*) FROM messages WHERE 'messages:' || message_id NOT IN (SELECT key FROM told) AND message_id >
    (SELECT min(split_part(key, ':', 2)::BIGINT) FROM told WHERE starts_with(key, 'messages:')))"""

# Rows that are only added, by the key under which the event that brings one in names it.
_ADDED = {
    "duplicate links": ("duplicate_links", "link_id"),
    "pairs kept apart": ("cannot_links", "cannot_id"),
    "better answers": ("better_answers", "answer_id"),
    "advisories": ("advisories", "advisory_id"),
    "steps of advisories": ("advisory_steps", "step_id"),
}
_LOST = """
WITH told AS (SELECT DISTINCT (data ->> '$.{key}')::BIGINT AS id FROM events WHERE data ->> '$.{key}' IS NOT NULL),
held AS (SELECT {key} AS id FROM {table})
SELECT count(*) FROM ((FROM told EXCEPT FROM held) UNION ALL (FROM held EXCEPT FROM told))"""

_POLICIES = """
SELECT count(*) FROM policy_versions p FULL JOIN (
    SELECT subject AS version, data ->> '$.sha256' AS sha256 FROM events WHERE kind = 'policy.published') t
USING (version)
WHERE p.sha256 IS DISTINCT FROM t.sha256
    OR p.sha256 <> sha256(p.policy_toml || chr(0) || p.severity_csv || chr(0) || p.priority_csv)"""


def differences(cursor: db.Cursor) -> dict[str, int]:
    """How many records do not fit their events, by what does not fit; all zero in a sound store."""
    values = {"times": sorted(cases.TIMES), "empty": list(_EMPTY)}
    lost = {
        f"{name} that are gone, or of which no event tells": int(
            db.value(cursor, _LOST.format(table=table, key=key))
        )
        for name, (table, key) in _ADDED.items()
    }
    return lost | {
        "cases whose version or author is not that of their events": int(db.value(cursor, _VERSIONS)),
        "cases that are not what their events made of them": int(db.value(cursor, _VALUES, values)),
        "cases that were changed without an event": int(db.value(cursor, _UNTOLD)),
        "reports that are listed as something else than they said": int(db.value(cursor, _SAID)),
        "cases with a consent that nobody gave": int(db.value(cursor, _CONSENT)),
        "decisions that are not what their events tell": int(db.value(cursor, _DECISIONS)),
        "messages, notes or answers that are not what was written": int(db.value(cursor, _WRITTEN)),
        "embargoes that are not what their events made of them": int(db.value(cursor, _EMBARGOES)),
        "peers that are not what their events tell": int(db.value(cursor, _PEERS)),
        "advisories that are not what their events tell": int(db.value(cursor, _ADVISORIES)),
        "policy versions that are not what was published": int(db.value(cursor, _POLICIES)),
    }


def disagreements(cursor: db.Cursor) -> list[str]:
    """Sentences about records that do not fit each other; empty in a sound store."""
    checks = {
        "reports without a case": "SELECT count(*) FROM reports ANTI JOIN cases USING (report_id)",
        "cases without a report": "SELECT count(*) FROM cases ANTI JOIN reports USING (report_id)",
        "reports without a received event": (
            "SELECT count(*) FROM reports r WHERE r.report_id NOT IN"
            " (SELECT subject FROM events WHERE kind = 'report.received')"
        ),
        "received events without a report": (
            "SELECT count(*) FROM events e WHERE e.kind = 'report.received' AND e.subject NOT IN"
            " (SELECT report_id FROM reports)"
        ),
        "linked reports that are not closed as duplicates": (
            "SELECT count(*) FROM active_links l JOIN cases c ON c.report_id = l.child_id"
            " WHERE c.resolution IS DISTINCT FROM 'duplicate' OR c.canonical_id IS DISTINCT FROM l.canonical_id"
        ),
        "assessments without a clause": "SELECT count(*) FROM assessments WHERE len(clauses) = 0",
        "second looks whose decisions are missing": (
            "SELECT count(*) FROM second_looks l WHERE NOT EXISTS (SELECT 1 FROM assessments f"
            " WHERE f.assessment_id = l.first_id AND f.look_id IS NULL) OR (l.second_id IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM assessments s WHERE s.assessment_id = l.second_id AND s.look_id = l.look_id))"
        ),
    }
    counted = {name: db.value(cursor, sql) for name, sql in checks.items()} | differences(cursor)
    return [f"{count} {name}" for name, count in counted.items() if count]
