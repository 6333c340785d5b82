"""What a peer does with its key: accept the embargo of an advisory or decline it, read the record, say how its own
product stands.

Each looks the key up, compares what was seen, and is refused in words for the peer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from triage_core import db
from triage_core.advisories import advisory, advisory_board, handing, peers, steps
from triage_core.advisories.advisory import WHY_NO_RECORD, State, Step
from triage_core.advisories.advisory_board import Told
from triage_core.advisories.handing import Handed
from triage_core.advisories.peers import Peer
from triage_core.desk.decision import check_text
from triage_core.disclosure.embargo import Rule
from triage_core.errors import Conflict, GateClosed, Refused
from triage_core.model import ProductStatus
from triage_core.store import Store, Work

MAX_NOTE = 1_000
MAX_ANSWERS = 100


def accept(
    store: Store, key: str, advisory_id: int, seen_end: datetime | None, *, now: datetime | None = None
) -> Told:
    """Agree to tell nobody before the end of the embargo that the peer saw; gives the advisory as it is then.

    Raises Conflict with the end that holds now when that is another one, Refused where no embargo runs.
    """
    with _at_the_door(store, key, advisory_id, "accept_advisory", now) as (work, peer, found):
        end = _end(found)
        if seen_end != end:
            raise Conflict(
                "embargo_end", f"the embargo now ends at {end:%Y-%m-%d %H:%M} UTC: look at it again"
            )
        if found.must_accept:  # the same press twice is one act
            advisory.take(found.exchange, Step.ACCEPTED, work.now)
            steps.record(work, advisory_id, found.report_id, peer, Step.ACCEPTED, embargo_end=end)
        return advisory_board.told(work.cursor, peer, advisory_id, work.now)


def decline(store: Store, key: str, advisory_id: int, *, now: datetime | None = None) -> Told:
    """Agree to no embargo: the record does not come before its end. It may be accepted later all the same."""
    with _at_the_door(store, key, advisory_id, "decline_advisory", now) as (work, peer, found):
        _end(found)
        if found.exchange.state is not State.DECLINED:
            advisory.take(found.exchange, Step.DECLINED, work.now)
            steps.record(work, advisory_id, found.report_id, peer, Step.DECLINED)
        return advisory_board.told(work.cursor, peer, advisory_id, work.now)


def read(store: Store, key: str, advisory_id: int, *, now: datetime | None = None) -> Handed:
    """The full record; each handing out is an event. Raises GateClosed saying to the peer what keeps it in."""
    with _at_the_door(store, key, advisory_id, "read_advisory", now) as (work, peer, found):
        if found.rule is not None:
            raise GateClosed("record", WHY_NO_RECORD[found.rule])
        steps.record(work, advisory_id, found.report_id, peer, Step.READ)
        return handing.hand_out(work.cursor, found, work.now)


def answer(
    store: Store,
    key: str,
    advisory_id: int,
    status: ProductStatus,
    note: str = "",
    *,
    now: datetime | None = None,
) -> Told:
    """Say how the peer's own product stands; the last answer counts. The same answer again changes nothing."""
    check_text("note", note, MAX_NOTE)
    with _at_the_door(store, key, advisory_id, "answer_advisory", now) as (work, peer, found):
        if (found.exchange.status, found.exchange.note) != (status, note):
            made = "SELECT count(*) FROM advisory_steps WHERE advisory_id = ? AND peer_id = ? AND step = ?"
            if db.value(work.cursor, made, [advisory_id, peer.peer_id, str(Step.ANSWERED)]) >= MAX_ANSWERS:
                raise Refused("status", f"is changed {MAX_ANSWERS} times at most")
            steps.record(work, advisory_id, found.report_id, peer, Step.ANSWERED, status=status, note=note)
        return advisory_board.told(work.cursor, peer, advisory_id, work.now)


@contextmanager
def _at_the_door(
    store: Store, key: str, advisory_id: int, command: str, now: datetime | None
) -> Iterator[tuple[Work, Peer, Told]]:
    """One act of a peer as one transaction: the key, the advisory as the peer may see it, and that it is open.

    Raises NotFound in the same words for every unknown key, and for every advisory that the peer is not told.
    """
    with store.read() as cursor:
        peer = peers.of_key(cursor, key)
    with store.write(peer.actor, command, now) as work:
        peers.of_key(work.cursor, key)  # it may have been ended since
        found = advisory_board.told(work.cursor, peer, advisory_id, work.now)
        if found.closed_at is not None:
            raise Refused(
                "advisory", "is closed: nothing more is shared, and what you accepted binds you to its end"
            )
        if found.stub is None:
            raise GateClosed("advisory", WHY_NO_RECORD[Rule.TLP_RED])
        yield work, peer, found


def _end(found: Told) -> datetime:
    """When the embargo ends that is to be answered. Raises Refused where none runs, or one without an end."""
    if not found.held:
        raise Refused("embargo", "is over: there is nothing to agree to")
    if found.stub is None or found.stub.embargo_end is None:
        raise Refused("embargo", "has no end yet, and nobody is asked to agree to that")
    return found.stub.embargo_end
