"""What is handed out to a peer: the record as the gate lets it out, with what a document of an exchange format adds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage_core import db, exchange
from triage_core.advisories.advisory_board import Told
from triage_core.disclosure import sharing
from triage_core.disclosure.embargo import Use
from triage_core.exchange.told import systems
from triage_core.model import ProductStatus


@dataclass(frozen=True, slots=True)
class Handed:
    """The record of an advisory at one moment. `versions`: its opening, and whenever it came to say something else.

    `fixed`: a fix of the flaw is deployed in the products that the record names.
    """

    advisory_id: int
    title: str
    record: dict[str, Any]
    versions: tuple[datetime, ...]
    fixed: bool

    def advisory(self, publisher: str, namespace: str) -> exchange.Advisory:
        """What our advisory adds to the record; `publisher` is our name, `namespace` our URI."""
        products = dict.fromkeys(systems(self.record), ProductStatus.FIXED) if self.fixed else {}
        first, *later = self.versions
        return exchange.Advisory(
            f"ADV-{self.advisory_id}",
            self.title,
            publisher,
            namespace,
            first,
            tuple(later),
            products=products,
        )


def hand_out(cursor: db.Cursor, told: Told, now: datetime) -> Handed:
    """The record of what a peer was told. Raises GateClosed as `sharing.record` does."""
    assert told.stub is not None, "where not even a stub is shared, nothing is handed out"
    accepted = not told.must_accept
    record = sharing.record(cursor, told.report_id, Use.PEER_RECORD, now, recipient_accepted=accepted)
    # What a document tells beside the words of the report: its label, the end of its embargo, and whether it is fixed.
    changed = db.rows(
        cursor,
        "SELECT DISTINCT done_at FROM events WHERE subject = ? AND done_at > ?"
        """ AND regexp_matches(data, '"(tlp|ends_at|exited_at|status)":') ORDER BY done_at""",
        [told.report_id, db.naive(told.opened_at)],
    )
    return Handed(
        told.advisory_id,
        told.stub.title,
        record,
        (told.opened_at, *(row["done_at"] for row in changed)),
        sharing.terms(cursor, told.report_id, now).fix_deployed,
    )
