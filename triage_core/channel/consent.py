"""A reporter takes back what they agreed to: their conversations leave every data set that is built from then on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from triage_core import access, cases, db
from triage_core.desk import activity
from triage_core.errors import NotFound
from triage_core.model import Actor, PeerConsent, TrainingConsent
from triage_core.store import Store, Work

REVOKED = "consent.revoked"


def reports_of(cursor: db.Cursor, reporter: str) -> list[str]:
    """The reports of a reporter (RP-...), or the one report of that id. Raises NotFound."""
    found = db.rows(
        cursor,
        "SELECT report_id FROM reports WHERE reporter_id = $who OR report_id = $who ORDER BY seq",
        {"who": reporter},
    )
    if not found:
        raise NotFound("reporter", f"there is no reporter and no report {reporter!r}")
    return [row["report_id"] for row in found]


def revoke(
    store: Store, actor: Actor, report_ids: Sequence[str], *, now: datetime | None = None
) -> tuple[str, ...]:
    """Set the consent to training of these reports to none; gives those that had another.

    Doing it twice is doing it once. Only the reporter can agree again, so that it is not undone.
    """
    access.require(actor, access.Command.REVOKE_CONSENT)
    with store.write(actor, access.Command.REVOKE_CONSENT, now) as work:
        return tuple(report_id for report_id in report_ids if end(work, report_id))


def end(work: Work, report_id: str) -> bool:
    """Set the consent to training of a report to none, within a running command; whether it had another."""
    case = cases.read(work.cursor, report_id)
    agreed = case["consent_training"] != TrainingConsent.NONE
    if agreed or _may_come_back(work.cursor, report_id):
        cases.change(work, case, "consent.revoked", {"consent_training": str(TrainingConsent.NONE)}, {})
    return bool(agreed)


def end_sharing(work: Work, report_id: str) -> bool:
    """Let nobody with a similar product be told of a report any more, within a running command; whether they could."""
    case = cases.read(work.cursor, report_id)
    agreed = case["consent_share_peers"] != PeerConsent.NO
    if agreed:
        after = {"consent_share_peers": str(PeerConsent.NO)}
        cases.change(work, case, "consent.sharing_ended", after, {})
    return bool(agreed)


def _may_come_back(cursor: db.Cursor, report_id: str) -> bool:
    """Whether a decision that recorded a consent was undone and could be done again, were nothing said of it here."""
    said = [
        event.kind
        for event in activity.history(cursor, report_id)
        if "consent_training" in event.after or event.kind == REVOKED
    ]
    return bool(said) and said[-1] != REVOKED
