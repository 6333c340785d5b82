"""The commands of the disclosure lead: open an advisory, tell peers of it, take it back from one, close it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from triage_core import access, cases, db
from triage_core.access import Command
from triage_core.advisories import advisory, advisory_board, peers, steps
from triage_core.advisories.advisory import MAX_REASON, State, Step
from triage_core.advisories.advisory_board import Advisory
from triage_core.advisories.peers import Peer
from triage_core.channel import tracking
from triage_core.desk.decision import check_text
from triage_core.disclosure import sharing
from triage_core.errors import Conflict, Refused
from triage_core.model import Actor, Generality
from triage_core.store import Store, Work


def open_advisory(
    store: Store,
    actor: Actor,
    report_id: str,
    title: str,
    note: str = "",
    names: Sequence[str] = (),
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Advisory:
    """Open an advisory about the flaw of a report: of its canonical report, where it is a duplicate.

    `title` is the desk's own and repeats nothing of the report. `note` says why the flaw concerns others, where the
    assessment does not say that it is retargetable or universal. `names` are the peers that are told at once. Raises
    GateClosed naming the rule when not even a stub may leave, Refused while another one about this flaw is open, and
    Conflict when the report is in another version than the one that was seen.
    """
    access.require(actor, Command.SHARE_ADVISORY)
    advisory.check_title(title)
    with store.write(actor, Command.SHARE_ADVISORY, now) as work:
        about = cases.read(work.cursor, report_id, seen_version)["canonical_id"] or report_id
        if other := advisory_board.open_of(work.cursor, about):
            raise Refused("report", f"advisory {other} about this flaw is open: tell peers of that one")
        advisory.check_generality(generality(work.cursor, about), note)
        _check_own_words(work.cursor, about, title)
        sharing.stub(work.cursor, about, title, work.now)
        advisory_id = work.next_id("advisories", "advisory_id")
        made = {"advisory_id": advisory_id, "title": title, "note": note}
        row = {**made, "report_id": about, "done_at": work.now, "actor_id": actor.actor_id}
        db.insert(work.cursor, "advisories", [row])
        work.event("advisory.opened", about, made)
        for peer in _named(work, names):
            steps.record(work, advisory_id, about, peer, Step.TOLD)
        return advisory_board.one(work.cursor, advisory_id, work.now)


def tell(
    store: Store,
    actor: Actor,
    advisory_id: int,
    names: Sequence[str],
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Advisory:
    """Let these peers, by name or number, read the stub; those who know it already are left as they are.

    Raises GateClosed naming the rule when not even a stub may leave, NotFound for a peer that was ended, and Conflict
    when the advisory is in another version than the one that was seen.
    """
    access.require(actor, Command.SHARE_ADVISORY)
    if not names:
        raise Refused("peer", "name at least one peer")
    with store.write(actor, Command.SHARE_ADVISORY, now) as work:
        found = _open(work, advisory_id, seen_version)
        sharing.stub(work.cursor, found.report_id, found.title, work.now)
        known = {
            side.peer_id for side in found.sides if side.exchange.state not in {State.NONE, State.WITHDRAWN}
        }
        for peer in _named(work, names):
            if peer.peer_id not in known:
                steps.record(work, advisory_id, found.report_id, peer, Step.TOLD)
        return advisory_board.one(work.cursor, advisory_id, work.now)


def withdraw(
    store: Store,
    actor: Actor,
    advisory_id: int,
    name: str,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Advisory:
    """Take an advisory back from a peer that has not accepted its embargo: it sees it no more.

    Raises IllegalTransition for a peer that has accepted or does not know of it, and Conflict as `tell` does.
    """
    access.require(actor, Command.SHARE_ADVISORY)
    with store.write(actor, Command.SHARE_ADVISORY, now) as work:
        found = _open(work, advisory_id, seen_version)
        side = next((one for one in found.sides if name in {one.name, str(one.peer_id)}), None)
        if side is None:
            raise Refused("peer", "was not told of this advisory")
        advisory.take(side.exchange, Step.WITHDRAWN, work.now)
        peer = Peer(side.peer_id, side.name, "")
        steps.record(work, advisory_id, found.report_id, peer, Step.WITHDRAWN)
        return advisory_board.one(work.cursor, advisory_id, work.now)


def close(
    store: Store,
    actor: Actor,
    advisory_id: int,
    reason: str,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Advisory:
    """Close an advisory: nothing more is handed out, and what peers accepted binds them on. They see no reason.

    Raises Conflict as `tell` does.
    """
    access.require(actor, Command.SHARE_ADVISORY)
    check_text("reason", reason, MAX_REASON)
    if not reason.strip():
        raise Refused("reason", "a closed advisory says why")
    with store.write(actor, Command.SHARE_ADVISORY, now) as work:
        found = _open(work, advisory_id, seen_version)
        ended = {"advisory_id": advisory_id, "reason": reason}
        row = {**ended, "report_id": found.report_id, "done_at": work.now, "actor_id": actor.actor_id}
        db.insert(work.cursor, "advisory_ends", [row])
        work.event("advisory.closed", found.report_id, ended)
        return advisory_board.one(work.cursor, advisory_id, work.now)


def generality(cursor: db.Cursor, report_id: str) -> Generality | None:
    """How far the flaw of a report reaches, by the assessment that stands of its canonical report.

    None without one, or where it does not say.
    """
    found = db.value(
        cursor,
        "SELECT generality FROM cases c JOIN cases flaw ON flaw.report_id = coalesce(c.canonical_id, c.report_id)"
        " JOIN assessments a ON a.assessment_id = flaw.assessment_id WHERE c.report_id = ?",
        [report_id],
    )
    return Generality(found) if found else None


def _open(work: Work, advisory_id: int, seen_version: int | None) -> Advisory:
    """The open advisory of this number. Raises Refused for a closed one, Conflict for one that was not seen so."""
    found = advisory_board.one(work.cursor, advisory_id, work.now)
    if found.closed_at is not None:
        by = cases.by({"actor_id": found.closed_by, "done_at": found.closed_at})
        raise Refused("advisory", f"advisory {advisory_id} is closed, by {by}")
    if seen_version is not None and seen_version != found.version:
        (last,) = (row for row in steps.of(work.cursor, [advisory_id]) if row["step_id"] == found.version)
        (peer,) = (side.name for side in found.sides if side.peer_id == last["peer_id"])
        raise Conflict(
            "version",
            f"advisory {advisory_id} was changed by {cases.by(last)} while you looked at it: {last['step']}, {peer}",
        )
    return found


def _named(work: Work, names: Sequence[str]) -> Iterable[Peer]:
    """The present peers of these names or numbers, each once. Raises NotFound."""
    return {peer.peer_id: peer for peer in (peers.named(work.cursor, name) for name in names)}.values()


def _check_own_words(cursor: db.Cursor, report_id: str, title: str) -> None:
    """The stub is readable before anybody has accepted anything: it must tell nothing of what the report says."""
    report = db.row(
        cursor, "SELECT turns, what_is_wrong, external_id FROM reports WHERE report_id = ?", [report_id]
    )
    assert report is not None, "its case was read"
    said = [
        *(turn["content"] for turn in report["turns"]),
        report["what_is_wrong"],
        report["external_id"] or "",
    ]
    if tracking.without_other(title, (), said) != title.strip():
        raise Refused("title", "must be words of your own: it repeats the report, or names one")
