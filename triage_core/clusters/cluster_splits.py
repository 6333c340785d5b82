"""What the audits of clusters found, as the store keeps it: which clusters may hold two groups.

An audit changes no cluster. Its suggestions stand until the next audit, as long as both groups still share
a cluster and nobody has said whether their typical reports are one flaw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage_core import db
from triage_core.index import placements
from triage_core.likeness.splits import SplitSuggestion
from triage_core.store import Work


@dataclass(frozen=True, slots=True)
class Split:
    """A suggestion: of the cluster's `size` reports, `leaving` are a group of their own.

    `staying_id` and `leaving_id` are the most typical report of each group; `mutual` is the mean likeness
    between the groups, `inside` that within the looser of them, 0 to 1.
    """

    axis: str
    cluster_id: str
    size: int
    staying_id: str
    leaving_id: str
    leaving: tuple[str, ...]
    mutual: float
    inside: float


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit: when, of how many reports, and how many splits it suggests."""

    audit_id: int
    done_at: datetime
    reports: int
    splits: int


def save(work: Work, ids: Sequence[str], found: Mapping[str, Sequence[SplitSuggestion]]) -> Audit:
    """Keep what an audit found, by axis, as rows of `ids`."""
    audit_id = work.next_id("cluster_audits", "audit_id")
    rows = [
        {
            "audit_id": audit_id,
            "axis": str(axis),
            "cluster_id": placements.cluster_id(axis, ids[item.cluster]),
            "staying_id": ids[item.typical[0]],
            "leaving_id": ids[item.typical[1]],
            "leaving": [ids[row] for row in item.leaving],
            "mutual": item.mutual_mean,
            "inside": item.inside_mean,
        }
        for axis, suggestions in found.items()
        for item in suggestions
    ]
    audit = Audit(audit_id, work.now, len(ids), len(rows))
    taken = {"audit_id": audit_id, "done_at": work.now, "reports": len(ids), "splits": len(rows)}
    db.insert(work.cursor, "cluster_audits", [taken])
    db.insert(work.cursor, "split_suggestions", rows)
    work.event("clusters.audited", str(audit_id), {"reports": len(ids), "splits": len(rows)})
    return audit


def latest(cursor: db.Cursor) -> Audit | None:
    """The audit that stands; None before the first."""
    found = db.row(cursor, "SELECT * FROM cluster_audits ORDER BY audit_id DESC LIMIT 1")
    return Audit(**found) if found else None


def due(last: Audit | None, now: datetime, hour: int) -> bool:
    """Whether an audit is to be done: none since it was last `hour` o'clock (UTC)."""
    begins = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    if begins > now:
        begins -= timedelta(days=1)
    return last is None or last.done_at < begins


def standing(cursor: db.Cursor, axis: str | None = None, cluster_id: str | None = None) -> list[Split]:
    """The suggestions that stand, the clearest first; of one axis or of one cluster where these are named."""
    found = db.rows(
        cursor,
        "SELECT s.axis, a.cluster_id, k.size, s.staying_id, s.leaving_id, s.leaving, s.mutual, s.inside"
        " FROM split_suggestions s"
        " JOIN memberships a ON a.axis = s.axis AND a.report_id = s.staying_id"
        " JOIN memberships b ON b.axis = s.axis AND b.report_id = s.leaving_id AND b.cluster_id = a.cluster_id"
        " JOIN clusters k ON k.axis = s.axis AND k.cluster_id = a.cluster_id"
        " WHERE s.audit_id = (SELECT max(audit_id) FROM cluster_audits)"
        " AND ($axis IS NULL OR s.axis = $axis) AND ($cluster IS NULL OR a.cluster_id = $cluster)"
        " AND (s.axis <> 'whole' OR NOT EXISTS (SELECT 1 FROM active_cannot_links c"
        " WHERE (c.a_id, c.b_id) IN ((s.staying_id, s.leaving_id), (s.leaving_id, s.staying_id)))"
        " AND NOT EXISTS (SELECT 1 FROM active_links l WHERE (l.canonical_id, l.child_id) IN"
        " ((s.staying_id, s.leaving_id), (s.leaving_id, s.staying_id))))"
        " ORDER BY s.inside - s.mutual DESC, s.axis, a.cluster_id",
        {"axis": axis, "cluster": cluster_id},
    )
    return [Split(**{**row, "leaving": tuple(row["leaving"])}) for row in found]
