"""What a report may get by the policy of the day on which it came in, and which duplicates get nothing by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from triage_core import currencies, db
from triage_core.errors import NotFound, Refused
from triage_core.guidance import policies
from triage_core.guidance.policy import Policy
from triage_core.model import Resolution, Severity, Status
from triage_core.rewards.reward_rules import STANDING, VALUED, Arrival, Entitlement, shares

_CONFIRMED_STATES = (Status.ACCEPTED, Status.DEFERRED, Status.FIX_READY, Status.FIXED, Status.RETEST)
CONFIRMED_ENDS = (Resolution.RESOLVED_FIXED, Resolution.RESOLVED_MITIGATED, Resolution.ACCEPTED_RISK)
CONFIRMED = (
    f"(c.status IN ({', '.join(repr(str(state)) for state in _CONFIRMED_STATES)})"
    f" OR coalesce(c.resolution, '') IN ({', '.join(repr(str(end)) for end in CONFIRMED_ENDS)}))"
)
"""SQL over c (cases): a flaw that the desk has confirmed."""

# The rule of `reward_rules.shares`, told of many duplicates at once; a test holds the two together. Reports are found
# by their numbers, which are part of their ids: in half the time.
_WITHOUT_SHARE = """
WITH roots AS MATERIALIZED (
    SELECT DISTINCT canonical_id AS root, split_part(canonical_id, '-', 2)::BIGINT AS root_seq FROM cases
    WHERE canonical_id IS NOT NULL AND seq IN (SELECT unnest($asked))),
grouped AS (
    SELECT root_seq, seq FROM cases JOIN roots ON canonical_id = root
    UNION ALL SELECT root_seq, root_seq FROM roots),
placed AS (
    SELECT root_seq, r.report_id, r.seq, r.received_at, r.policy_version,
        min(r.received_at) OVER (PARTITION BY root_seq) AS begun,
        1 = row_number() OVER (
            PARTITION BY root_seq, coalesce(r.reporter_id, r.report_id) ORDER BY r.received_at, r.seq) AS is_first
    FROM grouped JOIN reports r USING (seq)),
counted AS (
    SELECT *, count(*) FILTER (is_first) OVER (PARTITION BY root_seq ORDER BY received_at, seq) AS place FROM placed),
rules AS (
    SELECT unnest($versions) AS policy_version, unnest($days) AS days, unnest($equal) AS equal,
        unnest($percent) AS percent)
SELECT o.report_id FROM counted o JOIN rules USING (policy_version) JOIN cases c ON c.seq = o.root_seq
WHERE o.seq <> o.root_seq AND o.seq IN (SELECT unnest($asked))
    AND (NOT o.is_first OR o.received_at > o.begun + to_days(days)
        OR (NOT list_contains(equal, c.severity) AND coalesce(percent[place], 0) = 0))
"""


def entitlement(cursor: db.Cursor, in_force: Policy, report_id: str) -> Entitlement:
    """What a report may get. Raises NotFound, and Refused where the policy gives nothing, saying why."""
    found = db.row(
        cursor,
        f"SELECT c.report_id AS root, c.severity, {CONFIRMED} AS is_confirmed"
        " FROM cases p JOIN cases c ON c.report_id = coalesce(p.canonical_id, p.report_id)"
        " WHERE p.report_id = ?",
        [report_id],
    )
    if found is None:
        raise NotFound("report", f"there is no report {report_id!r}")
    if not found["is_confirmed"]:
        raise Refused("report", f"{found['root']} is no confirmed flaw, and only those are rewarded")
    severity = Severity(found["severity"] or Severity.NONE)
    pinned = policies.of_report(cursor, in_force, report_id)
    band = pinned.reward_band(severity)
    if band is None:
        raise Refused("severity", "a severity of none has no band")
    group = db.rows(
        cursor,
        "SELECT r.report_id, r.received_at, r.reporter_id FROM reports r JOIN cases c USING (report_id)"
        " WHERE c.report_id = $root OR c.canonical_id = $root ORDER BY r.received_at, r.seq",
        {"root": found["root"]},
    )
    arrivals = [Arrival(**one) for one in group]
    split = pinned.rewards.duplicates
    parts = shares(split, severity, arrivals)
    share = parts[report_id]
    if not share.parts:
        raise Refused(
            "report",
            f"{report_id} came in after those that share, or is the same reporter's: it has no share",
        )
    settled_at = arrivals[0].received_at + timedelta(days=split.window_days)
    currency = pinned.rewards.currency
    decimals = currencies.decimals(currency)
    together = sum((part.of(band.maximum, decimals) for part in parts.values()), Decimal(0))
    given = standing(cursor, [name for name in parts if name != report_id], currency)
    return Entitlement(pinned, severity, band, share, settled_at, together, given)


def standing(
    cursor: db.Cursor, report_ids: Sequence[str], currency: str = "", *, but: int = 0
) -> dict[str, Decimal]:
    """What is proposed, approved and paid, in this currency ("": any), for each of the reports that has any of it.

    The reward with the number `but` is left out.
    """
    found = db.rows(
        cursor,
        "SELECT report_id, sum(amount) AS amount FROM present_rewards WHERE report_id IN (SELECT unnest($reports))"
        " AND list_contains($states, state) AND list_contains($kinds, kind) AND reward_no <> $but"
        " AND $currency IN ('', currency) GROUP BY report_id ORDER BY ALL",
        {
            "reports": list(report_ids),
            "states": [str(state) for state in STANDING],
            "kinds": [str(kind) for kind in VALUED],
            "currency": currency,
            "but": but,
        },
    )
    return {row["report_id"]: row["amount"] for row in found}


def without_share(cursor: db.Cursor, report_ids: Sequence[str]) -> frozenset[str]:
    """Those of the reports that are linked duplicates and get nothing by the policy of their day."""
    if not report_ids:
        return frozenset()
    asked = [int(name.removeprefix("FR-")) for name in report_ids]
    # Those alone by which one of them came in: of long histories not all are kept ready.
    versions = db.rows(
        cursor,
        "SELECT version FROM policy_versions WHERE version IN"
        " (SELECT policy_version FROM reports WHERE seq IN (SELECT unnest(?)))",
        [asked],
    )
    known = [policies.version(cursor, row["version"]) for row in versions]
    if not known:
        return frozenset()
    splits = [one.rewards.duplicates for one in known]
    found = db.rows(
        cursor,
        _WITHOUT_SHARE,
        {
            "asked": asked,
            "versions": [one.version for one in known],
            "days": [split.window_days for split in splits],
            "equal": [
                [str(level) for level in Severity if level.rank >= split.equal_from.rank] for split in splits
            ],
            "percent": [list(split.percent) for split in splits],
        },
    )
    return frozenset(row["report_id"] for row in found)
