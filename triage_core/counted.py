"""What the numbers of Trends count, as conditions: a number and the list behind it ask for the same reports.

SQL over c (cases) at the moment $at, and about the clause $clause ('': any); the clocks of the bounty, which no SQL
tells, are those of the reports with the numbers $named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from triage_core.disclosure.embargo_board import IN_FORCE_SQL


class Counted(StrEnum):
    """What a report is counted as; each with its condition in `CONDITIONS`."""

    KNOWN = "known"
    FRESH = "fresh"
    ANSWERED = "answered"
    TRIAGED = "triaged"
    RESPONSE = "response"  # answered, or past its target
    RESPONSE_INSIDE = "response_inside"
    RESPONSE_LATE = "response_late"
    TRIAGE = "triage"
    TRIAGE_INSIDE = "triage_inside"
    TRIAGE_LATE = "triage_late"
    FIX = "fix"
    FIX_INSIDE = "fix_inside"
    FIX_LATE = "fix_late"
    FIX_DONE = "fix_done"
    BOUNTY = "bounty"  # those of the bounty are named one by one: see rewards/bounty.py
    BOUNTY_INSIDE = "bounty_inside"
    BOUNTY_LATE = "bounty_late"
    BOUNTY_DONE = "bounty_done"
    NO_CONTACT = "no_contact"
    FIRST_TIME = "first_time"
    RETURNING = "returning"
    BY_CLAUSE = "by_clause"
    BY_LINK = "by_link"
    BY_NEITHER = "by_neither"
    REOPENED = "reopened"
    REGRESSION = "regression"
    NOT_ASSESSED = "not_assessed"
    NO_PRODUCT = "no_product"
    NO_VERSION = "no_version"
    NO_HARM = "no_harm"
    NO_TECHNIQUE = "no_technique"
    UNDER_EMBARGO = "under_embargo"
    DECIDED_TWICE = "decided_twice"
    ALIKE = "alike"  # of those, in full
    CITED = "cited"
    OVERTURNED = "overturned"
    TWICE = "twice"
    DISAGREED = "disagreed"


class Moment(StrEnum):
    """What must fall between two moments for a report to be on a list."""

    RECEIVED = "received"
    CLOSED = "closed"
    REOPENED = "reopened"
    EMBARGO_END = "embargo_end"
    FIX_END = "fix_end"
    BOUNTY_END = "bounty_end"


FIXED = "('resolved_fixed', 'resolved_mitigated')"
FIXED_AT = f"CASE WHEN c.resolution IN {FIXED} THEN c.closed_at END"
"""When the fix of a report had passed its retest; NULL before."""

COLUMN: Mapping[Moment, str] = {  # but for that of the bounty, which no column tells
    Moment.RECEIVED: "c.received_at",
    Moment.CLOSED: "c.closed_at",
    Moment.REOPENED: "c.reopened_at",
    # The end of an embargo stands in a view of its own: of linked duplicates the earliest end binds.
    Moment.EMBARGO_END: "(SELECT binding_end FROM embargo_terms e WHERE e.report_id = c.report_id)",
    # A clock that runs for weeks is over when its target is met or passed: by the day on which reports came in,
    # the latest weeks would hold those alone that were quick.
    Moment.FIX_END: f"least({FIXED_AT}, c.fix_due)",
}

# A report belongs to one technique at most; beyond close reading none is laid.
TECHNIQUES = (
    "SELECT m.report_id, k.family FROM memberships m JOIN clusters k ON k.axis = m.axis AND k.cluster_id = m.cluster_id"
    " WHERE m.axis = 'technique' AND k.family <> ''"
)

# Where a report comes from, over `reports`: the key of its report button, none, or its door.
SOURCE = "CASE WHEN channel <> 'api' THEN channel ELSE coalesce('key ' || api_key, 'no key') END"
WITHOUT_KEY = "none"
BY_KEY = (
    "c.channel = 'api' AND c.seq IN"
    f" (SELECT seq FROM reports WHERE coalesce(api_key::VARCHAR, '{WITHOUT_KEY}') = $api_key)"
)
"""What came with the key of this number, or as a program sends it, without one."""
OF_REPORTERS: Mapping[Counted, str] = {
    Counted.NO_CONTACT: "reporter_id IS NULL",
    # A reporter has the number of the report that was the first with this contact.
    Counted.FIRST_TIME: "reporter_id = 'RP-' || seq",
    Counted.RETURNING: "reporter_id <> 'RP-' || seq",
}
"""Who sent a report, as conditions over the table `reports`."""
PAIRS = (
    "SELECT l.report_id, f.clauses AS one, s.clauses AS other FROM second_looks l"
    " JOIN assessments f ON f.assessment_id = l.first_id JOIN assessments s ON s.assessment_id = l.second_id"
)
"""What two people decided blind: report_id, and the clauses that `one` and the `other` of them cited."""
LOOKED = (
    "SELECT report_id, clause, list_contains(one, clause) <> list_contains(other, clause) AS apart"
    f" FROM (SELECT *, unnest(list_distinct(one || other)) AS clause FROM ({PAIRS}))"
)
"""The clauses of what two people decided blind: report_id, clause, and whether it is `apart`, cited by one of them."""
OF_CLAUSES: Mapping[Counted, str] = {
    Counted.CITED: "SELECT report_id, unnest(clauses) AS clause FROM assessments WHERE look_id IS NULL",
    # Decisions that do not hold any more are few: they are found before the ones that took their place.
    Counted.OVERTURNED: (
        "SELECT report_id, clause FROM (SELECT g.report_id, f.clauses AS now, unnest(g.clauses) AS clause FROM"
        " (SELECT assessment_id, report_id, clauses FROM assessments WHERE look_id IS NULL AND assessment_id NOT IN"
        " (SELECT assessment_id FROM cases WHERE assessment_id IS NOT NULL)) g"
        " JOIN cases k ON k.report_id = g.report_id AND k.assessment_id > g.assessment_id"
        " JOIN assessments f ON f.assessment_id = k.assessment_id) WHERE NOT list_contains(now, clause)"
    ),
    Counted.TWICE: f"SELECT report_id, clause FROM ({LOOKED})",
    Counted.DISAGREED: f"SELECT report_id, clause FROM ({LOOKED}) WHERE apart",
}
"""What decisions did with clauses, as (report_id, clause): cited it, or left out what an earlier one had cited; of two
people who decided blind one or both cited it, or only one. A report may be there more than once."""


def _counted(done: str, due: str) -> str:
    # What is neither answered nor due says nothing yet. A report that was closed without an answer, as one that its
    # reporter withdrew, was not ours to answer.
    return f"(c.{done} IS NOT NULL OR (c.status <> 'closed' AND c.{due} < $at))"


def _late(done: str, due: str) -> str:
    return f"({_counted(done, due)} AND coalesce(c.{done} > c.{due}, true))"


# What its reporter withdrew was not ours to close: it rests on nothing, and needs nothing to rest on.
_CLOSED = "c.status = 'closed' AND c.resolution <> 'withdrawn'"
_FIX_DUE = "c.status IN ('accepted', 'deferred', 'retest') AND c.fix_due < $at"
# Without a flaw there is no fix to be due, and a fix that waits for its retest may still turn out to be in time.
_FIX = f"(c.fix_due IS NOT NULL AND (c.resolution IN {FIXED} OR ({_FIX_DUE})))"
_FIX_DONE = f"(c.fix_due IS NOT NULL AND c.resolution IN {FIXED})"
_FIX_INSIDE = f"coalesce({FIXED_AT} <= c.fix_due, false)"
# The calendar of a policy tells when a bounty is due: whoever asks names the reports, by number.
NAMED = "c.seq IN (SELECT unnest($named))"
OF_BOUNTY = (Counted.BOUNTY, Counted.BOUNTY_INSIDE, Counted.BOUNTY_LATE, Counted.BOUNTY_DONE)
CONDITIONS: Mapping[str, str] = {
    # Linked by a reviewer, or word for word an earlier report.
    Counted.KNOWN: "(c.canonical_id IS NOT NULL OR c.is_copy)",
    Counted.FRESH: "NOT (c.canonical_id IS NOT NULL OR c.is_copy)",
    # What a median of hours is over: what waits without an answer has no hours yet.
    Counted.ANSWERED: "c.first_response_at IS NOT NULL",
    Counted.TRIAGED: "c.triaged_at IS NOT NULL",
    Counted.RESPONSE: _counted("first_response_at", "response_due"),
    Counted.RESPONSE_INSIDE: "c.first_response_at <= c.response_due",
    Counted.RESPONSE_LATE: _late("first_response_at", "response_due"),
    Counted.TRIAGE: _counted("triaged_at", "triage_due"),
    Counted.TRIAGE_INSIDE: "c.triaged_at <= c.triage_due",
    Counted.TRIAGE_LATE: _late("triaged_at", "triage_due"),
    Counted.FIX: _FIX,
    Counted.FIX_INSIDE: _FIX_INSIDE,
    Counted.FIX_LATE: f"({_FIX} AND NOT {_FIX_INSIDE})",
    Counted.FIX_DONE: _FIX_DONE,
    **dict.fromkeys(OF_BOUNTY, NAMED),
    # A decision cites a clause, always: what is closed on one, be it fixed, rests on its clauses.
    Counted.BY_CLAUSE: f"{_CLOSED} AND c.canonical_id IS NULL AND c.assessment_id IS NOT NULL",
    # A duplicate names the earlier report and needs no clause.
    Counted.BY_LINK: f"{_CLOSED} AND c.canonical_id IS NOT NULL",
    Counted.BY_NEITHER: f"{_CLOSED} AND c.canonical_id IS NULL AND c.assessment_id IS NULL",
    Counted.REOPENED: "c.reopened_at IS NOT NULL",
    # A duplicate that came in after the fix of the earlier report had passed its retest.
    Counted.REGRESSION: (
        "c.report_id IN (SELECT d.report_id FROM cases d JOIN cases k ON k.report_id = d.canonical_id"
        f" WHERE d.canonical_id IS NOT NULL AND k.resolution IN {FIXED} AND d.received_at > k.closed_at)"
    ),
    Counted.NOT_ASSESSED: "c.severity IS NULL",
    Counted.NO_PRODUCT: "c.platform = ''",
    Counted.NO_VERSION: "c.model_version = ''",
    Counted.NO_HARM: "len(c.harm_types) = 0",
    Counted.UNDER_EMBARGO: f"c.report_id IN (SELECT report_id FROM embargoes WHERE state IN ({IN_FORCE_SQL}))",
    Counted.NO_TECHNIQUE: f"c.report_id NOT IN (SELECT report_id FROM ({TECHNIQUES}))",
    Counted.DECIDED_TWICE: "c.report_id IN (SELECT report_id FROM second_looks WHERE second_id IS NOT NULL)",
    Counted.ALIKE: (
        "c.report_id IN (SELECT report_id FROM second_looks WHERE second_id IS NOT NULL AND agreement = 1)"
    ),
    **{kind: f"c.seq IN (SELECT seq FROM reports WHERE {who})" for kind, who in OF_REPORTERS.items()},
    **{
        kind: f"c.report_id IN (SELECT report_id FROM ({found}) WHERE $clause IN ('', clause))"
        for kind, found in OF_CLAUSES.items()
    },
}

_OTHERS: Mapping[str, str] = {
    "product": "NOT list_contains($without, c.platform)",
    "version": "NOT list_contains($without, c.model_version)",
    "channel": "NOT list_contains($without, c.channel)",
    "source": f"c.seq IN (SELECT seq FROM reports WHERE NOT list_contains($without, {SOURCE}))",
    # Once for a report, however many of its harms are among the others.
    "harm": "NOT list_has_all($without, CASE WHEN len(c.harm_types) = 0 THEN [''] ELSE c.harm_types END)",
}


def others(kind: str, without: Collection[str]) -> str:
    """The condition for reports with a value that is none of $without, "" for none named.

    `kind` says of what, as `trends.Dimension` does: a product, version, channel, harm or technique; or a source.
    """
    if kind != "technique":
        return _OTHERS[kind]
    # Without a technique is a value as well, and no row of the techniques.
    named = f"SELECT report_id FROM ({TECHNIQUES}) WHERE"
    if "" in without:
        return f"c.report_id IN ({named} NOT list_contains($without, family))"
    return f"c.report_id NOT IN ({named} list_contains($without, family))"
