"""Which reports a list shows, and in which order: what is asked for, as SQL over c (cases)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from triage_core import counted, db
from triage_core.counted import Counted, Moment
from triage_core.disclosure.embargo_machine import IN_FORCE
from triage_core.lifecycle import OPEN

OPEN_STATES = tuple(str(status) for status in OPEN)


class Sort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    DUE = "due"
    PRIORITY = "priority"
    CLUSTER = "cluster"


class Only(StrEnum):
    """The one reason for which a list picks reports out; each with the SQL condition in `_ONLY`."""

    MINE = "mine"
    LATE = "late"
    BREACHING = "breaching"
    EMBARGO = "embargo"
    WROTE = "wrote"
    SNOOZED = "snoozed"


BREACHING_WITHIN = timedelta(hours=24)
EMBARGO_WITHIN = timedelta(days=7)

# The first clock of a case that runs. A clock that was met runs no more, nor does any after the fix or the closing.
NEXT_DUE = (
    "CASE WHEN c.status <> 'closed' THEN least("
    "CASE WHEN c.first_response_at IS NULL THEN c.response_due END,"
    " CASE WHEN c.triaged_at IS NULL THEN c.triage_due END,"
    " CASE WHEN c.status NOT IN ('fixed', 'fix_ready') THEN c.fix_due END) END"
)
_SNOOZED = "coalesce(c.snoozed_until > $at AND c.status <> 'closed', false)"
_OF_TECHNIQUE = f"c.report_id IN (SELECT report_id FROM ({counted.TECHNIQUES}) WHERE family = $technique)"
_ONLY: Mapping[str, str] = {
    **counted.CONDITIONS,
    Only.MINE: (
        "(c.assigned_to = $who OR c.report_id IN (SELECT report_id FROM claims WHERE holder_id = $who"
        f" AND expires_at > $at)) AND NOT {_SNOOZED}"
    ),
    Only.LATE: f"{NEXT_DUE} < $at",
    Only.BREACHING: f"{NEXT_DUE} < $breaching",
    Only.EMBARGO: (
        "c.report_id IN (SELECT report_id FROM embargo_terms WHERE list_contains($in_force, state)"
        " AND binding_end > $at AND binding_end <= $embargo)"
    ),
    # Nobody has done anything with the case since: what a reporter writes changes it at the same moment.
    Only.WROTE: (
        "c.updated_by = 'reporter' AND (c.report_id, c.updated_at) IN"
        " (SELECT (report_id, done_at) FROM messages WHERE direction = 'from_reporter')"
    ),
    Only.SNOOZED: _SNOOZED,
}
ORDER = {
    Sort.NEWEST: "c.received_at DESC, c.seq DESC",
    Sort.OLDEST: "c.received_at, c.seq",
    Sort.DUE: f"{NEXT_DUE} NULLS LAST, c.seq",
    Sort.PRIORITY: (
        "list_position(['immediate','out_of_cycle','scheduled','defer','close'], c.priority) NULLS LAST, c.seq"
    ),
    Sort.CLUSTER: "k.size DESC NULLS LAST, m.cluster_id, c.seq",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which reports a list shows; empty means all. `words` is a plain substring, or an id.

    `only` picks out by a moment `at` and, for MINE, a person `who`. With `at` alone, reports that are snoozed at that
    moment are left out. `clause` is what `only` counts by clauses, or else one that a decision on the report cited.
    `other` (see counted.others) asks for a value of that kind that is none of `without`. `api_key` is the number of a
    report button's key, as text; "none" finds what came that way without one. `since` and `until` bound the `moment`,
    both included. What only the calendar of a policy tells is given: `also` holds by report when a bounty's clock runs
    out, which LATE and BREACHING ask for; `bounties` are the numbers of the reports that a count of the bounty asks
    for, and, where the bounds are about its moment, whose clock ended within them.
    """

    status: Sequence[str] = field(default_factory=tuple)
    severity: Sequence[str] = field(default_factory=tuple)
    platform: Sequence[str] = field(default_factory=tuple)
    model_version: Sequence[str] = field(default_factory=tuple)
    channel: Sequence[str] = field(default_factory=tuple)
    harm: Sequence[str] = field(default_factory=tuple)
    technique: str = ""
    clause: str = ""
    other: str = ""
    without: Sequence[str] = field(default_factory=tuple)
    api_key: str = ""
    cluster_id: str = ""
    words: str = ""
    moment: Moment = Moment.RECEIVED
    since: datetime | None = None
    until: datetime | None = None
    only: Only | Counted | None = None
    at: datetime | None = None
    who: str = ""
    also: Mapping[str, datetime] = field(default_factory=dict)
    bounties: Sequence[int] = field(default_factory=tuple)

    def where(self) -> tuple[str, dict[str, Any]]:
        """The SQL condition over c (cases), and r (reports) where it asks for one; and its parameters."""
        parts: list[str] = ["true"]
        values: dict[str, Any] = {}
        for column in ("status", "severity", "platform", "model_version", "channel"):
            if wanted := getattr(self, column):
                parts.append(f"list_contains(${column}, c.{column})")
                values[column] = list(wanted)
        if self.harm:
            parts.append("list_has_any(c.harm_types, $harm)")
            values["harm"] = list(self.harm)
        if self.technique:
            parts.append(_OF_TECHNIQUE)
            values["technique"] = self.technique
        if self.other:
            parts.append(counted.others(self.other, self.without))
            values["without"] = list(self.without)
        if self.clause and self.only not in counted.OF_CLAUSES:
            parts.append(counted.CONDITIONS[Counted.CITED])
            values["clause"] = self.clause
        if self.api_key:
            parts.append(counted.BY_KEY)
            values["api_key"] = self.api_key
        if self.moment is Moment.BOUNTY_END and (self.since or self.until):
            parts.append(counted.NAMED)
        for name, bound, compared in (("since", self.since, ">="), ("until", self.until, "<=")):
            if bound and self.moment is not Moment.BOUNTY_END:
                parts.append(f"{counted.COLUMN[self.moment]} {compared} ${name}")
                values[name] = db.naive(bound)
        if self.cluster_id:
            parts.append(
                "c.report_id IN (SELECT report_id FROM memberships WHERE axis = 'whole' AND cluster_id = $cluster_id)"
            )
            values["cluster_id"] = self.cluster_id
        if self.words:
            parts.append(
                "(contains(lower(r.what_is_wrong), $words) OR r.external_id = $exact OR r.report_id = $exact"
                " OR len(list_filter(r.turns, lambda t: contains(lower(t.content), $words))) > 0)"
            )
            values["words"] = self.words.lower()
            values["exact"] = self.words.strip()
        if self.at:
            condition = _ONLY[self.only] if self.only else f"NOT {_SNOOZED}"
            if self.also:
                condition += " OR list_contains($also, c.report_id)"
                values["also"] = list(self.also)
            moments = {
                "at": self.at,
                "breaching": self.at + BREACHING_WITHIN,
                "embargo": self.at + EMBARGO_WITHIN,
            }
            given: dict[str, Any] = {name: db.naive(moment) for name, moment in moments.items()}
            given |= {"who": self.who, "clause": self.clause, "in_force": [str(state) for state in IN_FORCE]}
            values |= {name: value for name, value in given.items() if f"${name}" in condition}
            parts.append(f"({condition})")
        where = " AND ".join(parts)
        return where, values | ({"named": list(self.bounties)} if counted.NAMED in where else {})

    def source(self) -> str:
        """The tables that the condition reads: every report has a case, which is all that most lists need."""
        return " FROM cases c" + (" JOIN reports r USING (report_id)" if self.words else "")


CLUSTERS = (
    " LEFT JOIN memberships m ON m.report_id = c.report_id AND m.axis = 'whole'"
    " LEFT JOIN clusters k ON k.axis = 'whole' AND k.cluster_id = m.cluster_id"
)
