"""Advisories as they stand at one moment: for the desk with every peer, and for one peer what it was told.

What a peer may be given follows anew, at each look, from what it accepted, from the embargo, and from the gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triage_core import db
from triage_core.advisories import steps
from triage_core.advisories.advisory import Exchange, State, exchange_of
from triage_core.advisories.peers import Peer
from triage_core.disclosure import embargo, embargo_board, embargoes, sharing
from triage_core.disclosure.embargo import Rule, Stub, Terms, Use
from triage_core.errors import NotFound
from triage_core.model import Tlp


class Show(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Side:
    """One peer's side of an advisory. `ended_at`: the peer was ended then.

    `rule` keeps the record from it now, None where it may be read; `must_accept`: an embargo runs whose present end
    the peer has not accepted.
    """

    peer_id: int
    name: str
    ended_at: datetime | None
    exchange: Exchange
    rule: Rule | None
    must_accept: bool


@dataclass(frozen=True, slots=True)
class Advisory:
    """An advisory as the desk sees it; `sides` are the peers that were ever told, in that order.

    `held`: an embargo runs, to `embargo_end`. `stub_rule` keeps even the stub in, None where peers may be told.
    `suggested` is the lower TLP label that the flaw's state suggests. `closed_at` is None while it is open.
    """

    advisory_id: int
    report_id: str
    title: str
    note: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    reason: str
    held: bool
    embargo_end: datetime | None
    tlp: Tlp
    suggested: Tlp | None
    stub_rule: Rule | None
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """An advisory as a peer sees it. `stub` is None where not even that is shared any more; `opened_at` is of it.

    `rule` and `must_accept` as of a `Side`; what the peer accepted binds it also when the advisory is closed.
    """

    advisory_id: int
    report_id: str
    opened_at: datetime
    closed_at: datetime | None
    stub: Stub | None
    held: bool
    exchange: Exchange
    rule: Rule | None
    must_accept: bool


_ADVISORIES = (
    "SELECT a.*, e.done_at AS closed_at, coalesce(e.reason, '') AS reason"
    " FROM advisories a LEFT JOIN advisory_ends e USING (advisory_id)"
)
_SHOWN = {Show.OPEN: "closed_at IS NULL", Show.CLOSED: "closed_at IS NOT NULL"}


def one(cursor: db.Cursor, advisory_id: int, now: datetime) -> Advisory:
    """The advisory of this number at `now`. Raises NotFound."""
    found = _row(cursor, advisory_id)
    if found is None:
        raise NotFound("advisory", f"there is no advisory {advisory_id}")
    return _advisory(cursor, found, now)


def page(cursor: db.Cursor, show: Show, now: datetime, number: int = 1, size: int = 25) -> list[Advisory]:
    """One page of the advisories that are open, or closed, the newest first."""
    found = db.rows(
        cursor,
        f"FROM ({_ADVISORIES}) WHERE {_SHOWN[show]} ORDER BY advisory_id DESC LIMIT $size OFFSET $offset",
        {"size": size, "offset": (number - 1) * size},
    )
    return [_advisory(cursor, row, now) for row in found]


def counts(cursor: db.Cursor) -> dict[Show, int]:
    """How many advisories are open, and how many closed."""
    parts = ", ".join(f"count(*) FILTER ({condition}) AS {show}" for show, condition in _SHOWN.items())
    found = db.row(cursor, f"SELECT {parts} FROM ({_ADVISORIES})")
    assert found is not None, "a count is one row"
    return {show: found[show] for show in Show}


def open_of(cursor: db.Cursor, report_id: str) -> int | None:
    """The open advisory about the flaw of a report, also where it was opened for one of its duplicates; or None."""
    found: int | None = db.value(
        cursor,
        "SELECT min(advisory_id) FROM advisories a ANTI JOIN advisory_ends e USING (advisory_id)"
        " JOIN cases c USING (report_id) WHERE coalesce(c.canonical_id, c.report_id) ="
        " (SELECT coalesce(canonical_id, report_id) FROM cases WHERE report_id = ?)",
        [report_id],
    )
    return found


def told_to(cursor: db.Cursor, peer: Peer, now: datetime) -> list[Told]:
    """What a peer was told and nobody has withdrawn from it, the newest first."""
    numbers = db.rows(
        cursor,
        "SELECT DISTINCT advisory_id FROM advisory_steps WHERE peer_id = ? ORDER BY advisory_id DESC",
        [peer.peer_id],
    )
    found = [_told(cursor, peer, row["advisory_id"], now) for row in numbers]
    return [one for one in found if one.exchange.state is not State.WITHDRAWN]


def told(cursor: db.Cursor, peer: Peer, advisory_id: int, now: datetime) -> Told:
    """One of them. Raises NotFound, in the same words for one that there is not and one that the peer is not told."""
    if _row(cursor, advisory_id) is not None:
        found = _told(cursor, peer, advisory_id, now)
        if found.exchange.state not in {State.NONE, State.WITHDRAWN}:
            return found
    raise NotFound("advisory", f"there is no advisory {advisory_id}")


def _row(cursor: db.Cursor, advisory_id: int) -> db.Row | None:
    if not 0 < advisory_id < 2**63:  # which the database has no numbers beyond
        return None
    return db.row(cursor, f"FROM ({_ADVISORIES}) WHERE advisory_id = ?", [advisory_id])


def _told(cursor: db.Cursor, peer: Peer, advisory_id: int, now: datetime) -> Told:
    row = _row(cursor, advisory_id)
    assert row is not None, "a step is one of an advisory"
    report_id = row["report_id"]
    terms = sharing.terms(cursor, report_id, now)
    end = embargoes.last_end(cursor, report_id, now)
    side = _side(peer, None, steps.of(cursor, advisory_id, peer.peer_id), terms, end, now)
    hidden = embargo.why_not(terms, Use.PEER_STUB, now)
    return Told(
        advisory_id=advisory_id,
        report_id=report_id,
        opened_at=row["done_at"],
        closed_at=row["closed_at"],
        stub=None if hidden else sharing.stub(cursor, report_id, row["title"], now),
        held=embargo.is_held(terms, now),
        exchange=side.exchange,
        rule=side.rule,
        must_accept=side.must_accept,
    )


def _advisory(cursor: db.Cursor, row: db.Row, now: datetime) -> Advisory:
    report_id, advisory_id = row["report_id"], row["advisory_id"]
    terms = sharing.terms(cursor, report_id, now)
    end = embargoes.last_end(cursor, report_id, now)
    case = embargo_board.one(cursor, report_id)
    assert case is not None, "its terms were read on the same look at the store"
    peers = db.rows(
        cursor,
        "SELECT p.peer_id, p.name, p.email, e.done_at AS ended_at FROM peers p LEFT JOIN peer_ends e USING (peer_id)"
        " JOIN (SELECT peer_id, min(step_id) AS first FROM advisory_steps WHERE advisory_id = ? GROUP BY peer_id)"
        " USING (peer_id) ORDER BY first",
        [advisory_id],
    )
    made = steps.of(cursor, advisory_id)
    return Advisory(
        advisory_id=advisory_id,
        report_id=report_id,
        title=row["title"],
        note=row["note"],
        opened_at=row["done_at"],
        opened_by=row["actor_id"],
        closed_at=row["closed_at"],
        reason=row["reason"],
        held=embargo.is_held(terms, now),
        embargo_end=end,
        tlp=terms.tlp,
        suggested=embargo.suggested_tlp(terms, now, published=embargo_board.is_published(case)),
        stub_rule=embargo.why_not(terms, Use.PEER_STUB, now),
        sides=tuple(
            _side(
                Peer(one["peer_id"], one["name"], one["email"]),
                one["ended_at"],
                [step for step in made if step["peer_id"] == one["peer_id"]],
                terms,
                end,
                now,
            )
            for one in peers
        ),
    )


def _side(
    peer: Peer,
    ended_at: datetime | None,
    made: Sequence[db.Row],
    terms: Terms,
    end: datetime | None,
    now: datetime,
) -> Side:
    exchange = exchange_of(made)
    accepted = exchange.has_accepted(end)
    return Side(
        peer_id=peer.peer_id,
        name=peer.name,
        ended_at=ended_at,
        exchange=exchange,
        rule=embargo.why_not(terms, Use.PEER_RECORD, now, recipient_accepted=accepted),
        must_accept=embargo.is_held(terms, now) and not accepted,
    )
