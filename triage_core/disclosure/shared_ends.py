"""The end that linked duplicates share, told to their reporters where a link, or its end, makes it another one.

The earliest accepted end of a canonical report and its duplicates binds them all. It is told before the links change,
so that the change itself is the last event of its command.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from triage_core import db
from triage_core.channel.messages import Kind
from triage_core.disclosure.embargo_machine import IN_FORCE
from triage_core.outgoing import follow_through
from triage_core.store import Work

# Of a group either those that are named in $some, or all others.
_OF_GROUP = (
    " FROM accepted_ends a JOIN embargoes e USING (report_id) JOIN cases c USING (report_id)"
    " WHERE (c.report_id = $root OR c.canonical_id = $root) AND list_contains($some, c.report_id) = $named"
)


def joined(work: Work, child_id: str, canonical_id: str) -> None:
    """Tell those whose waiting period gets another end as `child_id`, with its duplicates, is linked to the other."""
    ends = {root: _earliest(work.cursor, root, (), False) for root in (child_id, canonical_id)}
    new = min(filter(None, ends.values()), default=None)
    for root, old in ends.items():
        _tell(work, root, (), False, old, new)


def parted(work: Work, canonical_id: str, leaving: Sequence[str]) -> None:
    """Tell those whose waiting period gets another end as these leave `canonical_id` and its other duplicates."""
    old = _earliest(work.cursor, canonical_id, (), False)
    for named in (True, False):
        new = _earliest(work.cursor, canonical_id, leaving, named)
        _tell(work, canonical_id, leaving, named, old, new)


def _earliest(cursor: db.Cursor, root: str, some: Sequence[str], named: bool) -> datetime | None:
    values = {"root": root, "some": list(some), "named": named}
    found: datetime | None = db.value(cursor, f"SELECT min(a.accepted_end){_OF_GROUP}", values)
    return found


def _tell(
    work: Work, root: str, some: Sequence[str], named: bool, old: datetime | None, new: datetime | None
) -> None:
    if old is None or new is None or old == new or max(old, new) <= work.now:
        return
    states = [str(state) for state in IN_FORCE]
    found = db.rows(
        work.cursor,
        f"SELECT c.report_id{_OF_GROUP} AND list_contains($states, e.state) ORDER BY c.seq",
        {"root": root, "some": list(some), "named": named, "states": states},
    )
    for one in found:
        follow_through.embargo_changed(work, one["report_id"], Kind.EMBARGO_CHANGED, new)
