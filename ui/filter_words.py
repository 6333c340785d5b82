"""The words of the filters: what each of their values is called on the screen, and in the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from triage_core.counted import Counted, Moment
from triage_core.queries import Only, Sort
from ui import others
from ui.words import HARM_TYPE, SEVERITY, STATUS

GROUP: Mapping[str, LiteralString] = {
    "to_decide": "Waiting for a decision",
    "in_work": "Being worked on",
    "open": "Any open state",
    "any": "Any state",
}
STATE = {**GROUP, **STATUS}
ONLY: Mapping[str, LiteralString] = {
    "all": "All of them",
    Only.MINE: "Mine",
    Only.LATE: "Late",
    Only.BREACHING: "Late or due within 24 h",
    Only.EMBARGO: "Embargo ends within 7 days",
    Only.WROTE: "Reporter wrote",
    Only.SNOOZED: "Snoozed",
    Counted.FRESH: "New, as Trends counts",
    Counted.KNOWN: "Known already",
    Counted.ANSWERED: "First response given",
    Counted.TRIAGED: "Triage done",
    Counted.RESPONSE: "First response given or past its target",
    Counted.RESPONSE_INSIDE: "First response in target",
    Counted.RESPONSE_LATE: "First response past its target",
    Counted.TRIAGE: "Triage done or past its target",
    Counted.TRIAGE_INSIDE: "Triage in target",
    Counted.TRIAGE_LATE: "Triage past its target",
    Counted.FIX: "Fixed or past its target",
    Counted.FIX_INSIDE: "Fixed in target",
    Counted.FIX_LATE: "Fix past its target",
    Counted.FIX_DONE: "Fix done, with a target",
    Counted.BOUNTY: "Reward decided or past its target",
    Counted.BOUNTY_INSIDE: "Reward decided in target",
    Counted.BOUNTY_LATE: "Reward past its target",
    Counted.BOUNTY_DONE: "Reward decided, with a target",
    Counted.NO_CONTACT: "Without a contact",
    Counted.FIRST_TIME: "First report of its reporter",
    Counted.RETURNING: "From a returning reporter",
    Counted.BY_CLAUSE: "Closed by a clause",
    Counted.BY_LINK: "Closed by an earlier report",
    Counted.BY_NEITHER: "Closed by neither",
    Counted.REOPENED: "Reopened",
    Counted.REGRESSION: "Came in again after the fix",
    Counted.NOT_ASSESSED: "Not assessed",
    Counted.NO_PRODUCT: "No product named",
    Counted.NO_VERSION: "No model version named",
    Counted.NO_HARM: "No harm named",
    Counted.NO_TECHNIQUE: "No technique known",
    Counted.UNDER_EMBARGO: "Under embargo",
    Counted.DECIDED_TWICE: "Decided twice",
    Counted.ALIKE: "Decided twice, alike in full",
    Counted.CITED: "Decided by a clause",
    Counted.OVERTURNED: "Clause overturned by a later decision",
    Counted.TWICE: "Clause cited, decided twice",
    Counted.DISAGREED: "Clause disagreed on",
}
MOMENT: Mapping[str, LiteralString] = {
    Moment.RECEIVED: "Came in",
    Moment.CLOSED: "Closed",
    Moment.REOPENED: "Reopened",
    Moment.EMBARGO_END: "Embargo ends",
    Moment.FIX_END: "Fixed, or fix due",
    Moment.BOUNTY_END: "Reward decided, or due",
}
SORTS: Mapping[str, LiteralString] = {
    Sort.NEWEST: "Newest first",
    Sort.OLDEST: "Oldest first",
    Sort.DUE: "Due first",
    Sort.PRIORITY: "Highest priority first",
    Sort.CLUSTER: "Largest cluster first",
}
LABELS: Mapping[str, Mapping[str, str]] = {
    "state": STATE,
    "only": ONLY,
    "severity": SEVERITY,
    "harm": HARM_TYPE,
    "sort": SORTS,
    "moment": MOMENT,
    "door": others.DOORS,
    "other": others.KINDS,
}
TEXTS: Mapping[str, LiteralString] = {
    "since": "Not before (UTC)",
    "until": "Not after (UTC)",
    "version": "Model version",
    "technique": "Technique",
    "clause": "Clause",
    "of_cluster": "Cluster",
    "api_key": "Number of a report button's key, or none",
}
