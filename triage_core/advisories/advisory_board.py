"""Advisories as they stand at one moment: for the desk with every peer, and for one peer what it was told.

What a peer may be given follows anew, at each look, from what it accepted, from the embargo, and from the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from triage_core import db
from triage_core.advisories import peers, steps
from triage_core.advisories.advisory import KNOWN, Exchange, Standing, State, Step, exchange_of, standing_of
from triage_core.advisories.peers import Peer
from triage_core.disclosure import embargo, holdings
from triage_core.disclosure.embargo import Rule, Stub, Use
from triage_core.disclosure.holdings import Holding
from triage_core.errors import NotFound
from triage_core.model import HarmType, Tlp


class Show(StrEnum):
    """What the desk may look at; each but the last holds open advisories only."""

    OPEN = "open"
    UNTOLD = "untold"  # no peer knows of it
    ASKED = "asked"  # a peer has not answered the embargo
    LATER_END = "later_end"  # a peer has accepted an earlier end than the one that holds now
    DECLINED = "declined"
    ANSWERED = "answered"  # a peer has said how its product stands
    LABEL = "label"  # a lower TLP label is suggested
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Side:
    """One peer's side of an advisory. `ended_at`: the peer was ended then.

    `rule` keeps the record from it now, None where it may be read: what no acceptance changes comes first, so that
    nobody accepts for a record that would not follow. `must_accept`: an embargo runs whose present end the peer has
    not accepted. `standing` says both sides' part in a word.
    """

    peer_id: int
    name: str
    ended_at: datetime | None
    exchange: Exchange
    rule: Rule | None
    must_accept: bool
    standing: Standing


@dataclass(frozen=True, slots=True)
class Advisory:
    """An advisory as the desk sees it; `sides` are the peers that were ever told, in that order.

    `held`: an embargo runs, to `embargo_end`. `stub_rule` keeps even the stub in, None where peers may be told;
    `record_rule` keeps the record from a peer that has accepted all it is asked to. A stub tells the `harm_types`.
    `suggested` is the lower TLP label that the flaw's state suggests. `closed_at` is None while it is open. `version`
    is the number of the last step that changed something between the desk and a peer, 0 before the first.
    """

    advisory_id: int
    report_id: str
    title: str
    note: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str
    reason: str
    held: bool
    embargo_end: datetime | None
    harm_types: tuple[HarmType, ...]
    tlp: Tlp
    suggested: Tlp | None
    stub_rule: Rule | None
    record_rule: Rule | None
    version: int
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One page of the advisories that were asked for, the newest first, and how many each choice shows."""

    rows: tuple[Advisory, ...]
    counts: Mapping[Show, int]


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

    @property
    def change(self) -> str:
        """What has come of it, by no act of the peer's, that the peer should hear of; "" for nothing."""
        if self.closed_at is not None:
            return "closed"
        if self.exchange.state is State.ACCEPTED and self.must_accept and self.stub and self.stub.embargo_end:
            return f"later:{self.stub.embargo_end.isoformat()}"
        if self.exchange.state in {State.ACCEPTED, State.DECLINED} and not self.held:
            return f"over:{self.exchange.accepted_end.isoformat() if self.exchange.accepted_end else ''}"
        return ""


_ADVISORIES = (
    "SELECT a.*, e.done_at AS closed_at, coalesce(e.actor_id, '') AS closed_by, coalesce(e.reason, '') AS reason"
    " FROM advisories a LEFT JOIN advisory_ends e USING (advisory_id)"
)


def _one_is(standing: Standing) -> Callable[[Advisory, Sequence[Side]], bool]:
    return lambda _, sides: any(side.standing is standing for side in sides)


_SHOWN: Mapping[Show, Callable[[Advisory, Sequence[Side]], bool]] = MappingProxyType(
    {
        Show.OPEN: lambda advisory, sides: True,
        Show.UNTOLD: lambda advisory, sides: not any(side.standing in KNOWN for side in sides),
        Show.ASKED: _one_is(Standing.ASKED),
        Show.LATER_END: _one_is(Standing.LATER_END),
        Show.DECLINED: _one_is(Standing.DECLINED),
        Show.ANSWERED: lambda advisory, sides: any(
            side.exchange.status and side.standing in KNOWN for side in sides
        ),
        Show.LABEL: lambda advisory, sides: advisory.suggested is not None,
    }
)
"""Which of the open advisories each choice shows, by the sides of the peers that are asked about."""


def shows(advisory: Advisory, show: Show, names: Sequence[str] = ()) -> bool:
    """Whether a choice shows an advisory; with `names`, as far as it concerns one of these peers."""
    sides = [side for side in advisory.sides if not names or side.name in names]
    if (names and not sides) or (advisory.closed_at is None) == (show is Show.CLOSED):
        return False
    return show is Show.CLOSED or _SHOWN[show](advisory, sides)


def one(cursor: db.Cursor, advisory_id: int, now: datetime) -> Advisory:
    """The advisory of this number at `now`. Raises NotFound."""
    found = _row(cursor, advisory_id)
    if found is None:
        raise NotFound("advisory", f"there is no advisory {advisory_id}")
    (advisory,) = _advisories(cursor, [found], now)
    return advisory


def board(
    cursor: db.Cursor,
    show: Show,
    now: datetime,
    names: Sequence[str] = (),
    number: int = 1,
    size: int | None = None,
) -> Board:
    """One page of what a choice shows, of these peers (none: of all), with the counts of all choices.

    Without a size there is one page.
    """
    every = _advisories(cursor, db.rows(cursor, f"{_ADVISORIES} ORDER BY advisory_id DESC"), now)
    fitting = {each: [one for one in every if shows(one, each, names)] for each in Show}
    counts = {each: len(found) for each, found in fitting.items()}
    rows = fitting[show] if size is None else fitting[show][(number - 1) * size : number * size]
    return Board(tuple(rows), counts)


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
    rows = db.rows(
        cursor,
        f"FROM ({_ADVISORIES}) WHERE advisory_id IN (SELECT advisory_id FROM advisory_steps WHERE peer_id = ?)"
        " ORDER BY advisory_id DESC",
        [peer.peer_id],
    )
    return _told(cursor, peer, rows, now)


def changed(cursor: db.Cursor, since: datetime, now: datetime) -> set[int]:
    """The advisories that were closed, or whose flaw's embargo an event has changed, from `since` to `now`."""
    found = db.rows(
        cursor,
        "WITH moved AS (SELECT DISTINCT subject AS report_id FROM events WHERE done_at BETWEEN $since AND $now"
        " AND json_exists(data, '$.party')),"
        " roots AS (SELECT coalesce(canonical_id, report_id) AS root FROM cases SEMI JOIN moved USING (report_id))"
        " SELECT advisory_id FROM advisory_ends WHERE done_at BETWEEN $since AND $now"
        " UNION SELECT a.advisory_id FROM advisories a JOIN cases c USING (report_id)"
        " JOIN roots ON roots.root = coalesce(c.canonical_id, c.report_id)",
        {"since": db.naive(since), "now": db.naive(now)},
    )
    return {row["advisory_id"] for row in found}


def told(cursor: db.Cursor, peer: Peer, advisory_id: int, now: datetime) -> Told:
    """One of them. Raises NotFound, in the same words for one that there is not and one that the peer is not told."""
    row = _row(cursor, advisory_id)
    found = _told(cursor, peer, [row], now) if row else []
    if not found:
        raise NotFound("advisory", f"there is no advisory {advisory_id}")
    return found[0]


def _row(cursor: db.Cursor, advisory_id: int) -> db.Row | None:
    if not 0 < advisory_id < 2**63:  # which the database has no numbers beyond
        return None
    return db.row(cursor, f"FROM ({_ADVISORIES}) WHERE advisory_id = ?", [advisory_id])


def _told(cursor: db.Cursor, peer: Peer, rows: Sequence[db.Row], now: datetime) -> list[Told]:
    """Those of these that the peer knows of, in their order."""
    held = holdings.of(cursor, [row["report_id"] for row in rows], now)
    passed = _passed(cursor, rows, peer.peer_id)
    found = []
    for row in rows:
        holding = held[row["report_id"]]
        made = passed[row["advisory_id"]].get(peer.peer_id, [])
        side = _side(peer.peer_id, peer.name, None, made, holding, now)
        if side.exchange.state in {State.NONE, State.WITHDRAWN}:
            continue
        hidden = embargo.why_not(holding.terms, Use.PEER_STUB, now)
        found.append(
            Told(
                advisory_id=row["advisory_id"],
                report_id=row["report_id"],
                opened_at=row["done_at"],
                closed_at=row["closed_at"],
                stub=None if hidden else holding.stub(row["title"]),
                held=holding.held,
                exchange=side.exchange,
                rule=side.rule,
                must_accept=side.must_accept,
            )
        )
    return found


def _advisories(cursor: db.Cursor, rows: Sequence[db.Row], now: datetime) -> list[Advisory]:
    held = holdings.of(cursor, [row["report_id"] for row in rows], now)
    passed = _passed(cursor, rows)
    known = {row["peer_id"]: row for row in peers.listing(cursor)}
    return [_advisory(row, held[row["report_id"]], passed[row["advisory_id"]], known, now) for row in rows]


def _passed(
    cursor: db.Cursor, rows: Sequence[db.Row], peer_id: int | None = None
) -> dict[int, dict[int, list[db.Row]]]:
    """By number of the advisory and of the peer the steps between the desk and it, with one peer or with all."""
    passed: dict[int, dict[int, list[db.Row]]] = {row["advisory_id"]: {} for row in rows}
    for step in steps.of(cursor, list(passed), peer_id):
        passed[step["advisory_id"]].setdefault(step["peer_id"], []).append(step)
    return passed


def _advisory(
    row: db.Row,
    holding: Holding,
    passed: Mapping[int, Sequence[db.Row]],
    known: Mapping[int, db.Row],
    now: datetime,
) -> Advisory:
    """`passed` are the steps with each peer, in the order in which the peers were told first; `known` all peers."""
    moved = [step["step_id"] for made in passed.values() for step in made if step["step"] != Step.READ]
    return Advisory(
        advisory_id=row["advisory_id"],
        report_id=row["report_id"],
        title=row["title"],
        note=row["note"],
        opened_at=row["done_at"],
        opened_by=row["actor_id"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
        reason=row["reason"],
        held=holding.held,
        embargo_end=holding.end,
        harm_types=holding.harm_types,
        tlp=holding.terms.tlp,
        suggested=holding.suggested,
        stub_rule=embargo.why_not(holding.terms, Use.PEER_STUB, now),
        record_rule=embargo.why_not(holding.terms, Use.PEER_RECORD, now, recipient_accepted=True),
        version=max(moved, default=0),
        sides=tuple(
            _side(peer_id, known[peer_id]["name"], known[peer_id]["ended_at"], made, holding, now)
            for peer_id, made in passed.items()
        ),
    )


def _side(
    peer_id: int,
    name: str,
    ended_at: datetime | None,
    made: Sequence[db.Row],
    holding: Holding,
    now: datetime,
) -> Side:
    exchange = exchange_of(made)
    accepted = exchange.has_accepted(holding.end)
    must_accept = holding.held and not accepted
    terms, use = holding.terms, Use.PEER_RECORD
    return Side(
        peer_id=peer_id,
        name=name,
        ended_at=ended_at,
        exchange=exchange,
        rule=embargo.why_not(terms, use, now, recipient_accepted=True)
        or embargo.why_not(terms, use, now, recipient_accepted=accepted),
        must_accept=must_accept,
        standing=standing_of(exchange, must_accept=must_accept, ended=ended_at is not None),
    )
