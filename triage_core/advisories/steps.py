"""What passed between the desk and its peers about advisories, as stored: one row an act, with its event."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from triage_core import db
from triage_core.advisories.advisory import Step
from triage_core.advisories.peers import Peer
from triage_core.model import ProductStatus
from triage_core.store import Work


def record(
    work: Work,
    advisory_id: int,
    report_id: str,
    peer: Peer,
    step: Step,
    *,
    embargo_end: datetime | None = None,
    status: ProductStatus | None = None,
    note: str = "",
) -> None:
    """Store one step within a running command. Its event holds no word of the peer's note, only the hash of it."""
    made = {
        "step_id": work.next_id("advisory_steps", "step_id"),
        "advisory_id": advisory_id,
        "peer_id": peer.peer_id,
        "step": str(step),
        "embargo_end": embargo_end,
    }
    said = str(status) if status else None
    row = {**made, "report_id": report_id, "status": said, "note": note}
    row |= {"done_at": work.now, "actor_id": work.actor.actor_id}
    db.insert(work.cursor, "advisory_steps", [row])
    kind = f"advisory.{step}"
    note_sha256 = hashlib.sha256(note.encode()).hexdigest()
    # A "status" in an event is one of the report's, which is news to its reporter.
    details = {**made, "peer": peer.name, "product_status": said, "note_sha256": note_sha256}
    work.event(kind, report_id, details)


def of(cursor: db.Cursor, advisory_ids: Sequence[int], peer_id: int | None = None) -> list[db.Row]:
    """The steps of these advisories, with one peer or with all, oldest first."""
    return db.rows(
        cursor,
        "FROM advisory_steps WHERE advisory_id IN (SELECT unnest($advisories)) AND peer_id = coalesce($peer, peer_id)"
        " ORDER BY step_id",
        {"advisories": list(advisory_ids), "peer": peer_id},
    )


@dataclass(frozen=True, slots=True)
class Dealings:
    """How many advisories a peer knows of, closed ones too, and when it last acted on any; None where it never did."""

    told: int
    acted_at: datetime | None


def dealings(cursor: db.Cursor) -> dict[int, Dealings]:
    """By its number what each peer knows of that was ever told of anything."""
    rows = db.rows(
        cursor,
        "WITH each AS (SELECT peer_id, arg_max(step, step_id) FILTER (step IN $ours) AS ours,"
        " max(done_at) FILTER (step NOT IN $ours) AS acted_at FROM advisory_steps GROUP BY peer_id, advisory_id)"
        " SELECT peer_id, count(*) FILTER (ours = $told) AS told, max(acted_at) AS acted_at FROM each GROUP BY peer_id",
        {"ours": [str(Step.TOLD), str(Step.WITHDRAWN)], "told": str(Step.TOLD)},
    )
    return {row["peer_id"]: Dealings(row["told"], row["acted_at"]) for row in rows}
