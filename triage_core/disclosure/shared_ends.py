"""The end that linked duplicates share, told to their reporters where a link, or its end, makes it another one.

The earliest accepted end of a canonical report and its duplicates binds them all. It is told before the links change,
so that the change itself is the last event of its command.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from triage_core import db
from triage_core.channel.messages import Kind
from triage_core.disclosure.embargo_machine import IN_FORCE
from triage_core.outgoing import follow_through
from triage_core.store import Work

_STATES = {str(state) for state in IN_FORCE}


def joined(work: Work, child_id: str, canonical_id: str) -> None:
    """Tell those whose waiting period gets another end as `child_id`, with its duplicates, is linked to the other."""
    groups = [ends_of(work.cursor, root) for root in (child_id, canonical_id)]
    new = _earliest([one for group in groups for one in group])
    for group in groups:
        tell(work, group, _earliest(group), new)


def parted(work: Work, canonical_id: str, leaving: Collection[str]) -> None:
    """Tell those whose waiting period gets another end as these leave `canonical_id` and its other duplicates."""
    whole = ends_of(work.cursor, canonical_id)
    old = _earliest(whole)
    for leaves in (True, False):
        group = [one for one in whole if (one["report_id"] in leaving) == leaves]
        tell(work, group, old, _earliest(group))


def ends_of(cursor: db.Cursor, root: str) -> list[db.Row]:
    """What a report and its duplicates agreed on, in their order: report_id, state, accepted_end."""
    members = "SELECT report_id FROM cases WHERE report_id = $root OR canonical_id = $root ORDER BY seq"
    names = [row["report_id"] for row in db.rows(cursor, members, {"root": root})]
    # By their names, which the table finds without reading all of it.
    place = {name: at for at, name in enumerate(names)}
    found = db.rows(
        cursor,
        "SELECT report_id, state, accepted_end FROM accepted_ends JOIN embargoes USING (report_id)"
        " WHERE report_id IN (SELECT unnest($names))",
        {"names": names},
    )
    return sorted(found, key=lambda one: place[one["report_id"]])


def _earliest(group: Sequence[db.Row]) -> datetime | None:
    return min((one["accepted_end"] for one in group if one["accepted_end"]), default=None)


def tell(work: Work, group: Sequence[db.Row], old: datetime | None, new: datetime | None) -> None:
    """Tell those of a group whose embargo is in force when the end that binds them becomes another one.

    An end that is past is no news, nor is one in the same minute, in which ends are told: reports of one flaw come in
    bursts.
    """
    if old is None or new is None or max(old, new) <= work.now:
        return
    if old.replace(second=0, microsecond=0) == new.replace(second=0, microsecond=0):
        return
    for one in group:
        if one["state"] in _STATES:
            follow_through.embargo_changed(work, one["report_id"], Kind.EMBARGO_CHANGED, new)
