"""Under which terms reports are held, one or many of them asked at once, and what a stub may tell of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from triage_core import db
from triage_core.disclosure import embargo, embargo_board, embargoes
from triage_core.disclosure.embargo import Stub, Terms
from triage_core.disclosure.embargo_board import BINDING_ENDS, IN_FORCE_SQL
from triage_core.model import HarmType, Tlp


@dataclass(frozen=True, slots=True)
class Holding:
    """How the desk holds one report at one moment.

    `end` is the last end of the embargoes that hold it (its own, that of its canonical report, those of earlier reports
    with its conversation), None where none does, or none has an end; `suggested` the lower
    TLP label that the state of its flaw suggests.
    """

    terms: Terms
    held: bool
    end: datetime | None
    suggested: Tlp | None
    harm_types: tuple[HarmType, ...]

    def stub(self, title: str) -> Stub:
        """What a peer may be told of it, where the gate allows that; `title` is the desk's own."""
        return Stub(title, self.harm_types, self.end, self.terms.tlp)


# The columns of `embargo_board.one` that terms are made of.
_CASES = f"""
WITH asked AS (
    SELECT report_id, coalesce(canonical_id, report_id) AS root, status, resolution, exploitation, tlp,
        consent_training, consent_share_peers
    FROM cases WHERE report_id IN (SELECT unnest($reports))),
roots AS (SELECT DISTINCT root FROM asked),
ends AS ({BINDING_ENDS})
SELECT a.*, r.harm_types, r.disclosure_intent, e.state, e.exit_reason,
    CASE WHEN e.state IS NOT NULL THEN ends.binding_end END AS binding_end
FROM asked a JOIN reports r USING (report_id) LEFT JOIN embargoes e USING (report_id) LEFT JOIN ends USING (root)"""

# What holds a report beside its own embargo: that of its canonical report, and of earlier ones with its conversation.
_HELD_BY = f"""
WITH asked AS (
    SELECT r.report_id, r.seq, r.content_sha256, c.canonical_id FROM reports r JOIN cases c USING (report_id)
    WHERE r.report_id IN (SELECT unnest($reports))),
near AS (
    SELECT report_id, report_id AS other FROM asked
    UNION SELECT report_id, canonical_id FROM asked WHERE canonical_id IS NOT NULL
    UNION SELECT a.report_id, r.report_id FROM asked a JOIN reports r USING (content_sha256)
        WHERE content_sha256 <> '' AND r.seq < a.seq)
SELECT near.report_id, bool_or(near.other <> near.report_id) AS covered, max(t.binding_end) AS last_end
FROM near JOIN embargo_terms t ON t.report_id = near.other
WHERE t.state IN ({IN_FORCE_SQL}) AND (t.binding_end IS NULL OR t.binding_end > $now)
GROUP BY near.report_id"""


def of(cursor: db.Cursor, report_ids: Collection[str], now: datetime) -> dict[str, Holding]:
    """How these reports are held at `now`, by their ids; without those that there are not."""
    reports = sorted(set(report_ids))
    if not reports:
        return {}
    by = {
        row["report_id"]: row for row in db.rows(cursor, _HELD_BY, {"reports": reports, "now": db.naive(now)})
    }
    found = {}
    for row in db.rows(cursor, _CASES, {"reports": reports}):
        held_by = by.get(row["report_id"], {"covered": False, "last_end": None})
        terms = embargoes.terms(row, held_by["covered"])
        found[row["report_id"]] = Holding(
            terms,
            embargo.is_held(terms, now),
            held_by["last_end"],
            embargo.suggested_tlp(terms, now, published=embargo_board.is_published(row)),
            tuple(HarmType(harm) for harm in row["harm_types"]),
        )
    return found
