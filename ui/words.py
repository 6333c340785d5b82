"""How the product's own words look on screen: labels, badges, and times in relation to now.

Every text here is ours. What a reporter wrote goes through ui.hostile.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import LiteralString

from triage_core.index.embedding import STAGES
from triage_core.model import Exposure, Generality, Harm, Reliability, Uplift

ROLE: Mapping[str, LiteralString] = {
    "reviewer": "Reviewer",
    "policy_owner": "Policy owner",
    "ml_engineer": "ML engineer",
    "disclosure_lead": "Disclosure lead",
    "operator": "Operator",
}
STATUS: Mapping[str, LiteralString] = {
    "new": "New",
    "needs_info": "Needs information",
    "triaged": "Triaged",
    "accepted": "Accepted",
    "deferred": "Deferred",
    "fix_ready": "Fix ready",
    "fixed": "Fixed",
    "retest": "Retest",
    "closed": "Closed",
}
STATUS_COLOUR: Mapping[str, LiteralString] = {
    "new": "blue",
    "needs_info": "yellow",
    "triaged": "blue",
    "accepted": "violet",
    "deferred": "gray",
    "fix_ready": "green",
    "fixed": "green",
    "retest": "green",
    "closed": "gray",
}
RESOLUTION: Mapping[str, LiteralString] = {
    "resolved_fixed": "Fixed",
    "resolved_mitigated": "Mitigated",
    "accepted_risk": "Accepted risk",
    "duplicate": "Duplicate",
    "expected_behaviour": "Expected behaviour",
    "out_of_scope": "Out of scope",
    "not_reproducible": "Not reproducible",
    "not_applicable": "Not applicable",
    "spam": "Spam",
    "withdrawn": "Withdrawn",
    "rerouted": "Rerouted",
}
SEVERITY: Mapping[str, LiteralString] = {
    "": "Not assessed",
    "none": "None",
    "low": "Low",
    "medium": "Medium",
    "high": "High",
    "critical": "Critical",
}
SEVERITY_COLOUR: Mapping[str, LiteralString] = {
    "": "gray",
    "none": "gray",
    "low": "green",
    "medium": "yellow",
    "high": "orange",
    "critical": "red",
}
PRIORITY: Mapping[str, LiteralString] = {
    "": "No priority",
    "close": "Close",
    "defer": "Defer",
    "scheduled": "Scheduled",
    "out_of_cycle": "Out of cycle",
    "immediate": "Immediate",
}
HARM_TYPE: Mapping[str, LiteralString] = {
    "psychological_harm": "Psychological harm",
    "financial_harm": "Financial harm",
    "reputational_harm": "Reputational harm",
    "physical_harm": "Physical harm",
    "rights_violations": "Rights violations",
    "discrimination": "Discrimination",
    "misinformation": "Misinformation",
    "other": "Other",
    "not_sure": "Not sure",
}
HARM: Mapping[str, LiteralString] = {
    "H0": "None",
    "H1": "Nuisance",
    "H2": "Moderate",
    "H3": "Significant",
    "H4": "Severe",
}
HARM_LEVEL: Mapping[str, LiteralString] = {level: level for level in ("H0", "H1", "H2", "H3", "H4")}
HARM_HELP: LiteralString = (
    "H0 none. H1 nuisance or policy breach. H2 moderate. H3 significant: safety, rights, private data."
    " H4 severe."
)
EXPOSURE: Mapping[str, LiteralString] = {"self": "Asker only", "other": "Another person", "mass": "Many"}
GENERALITY: Mapping[str, LiteralString] = {
    "instance": "Instance",
    "retargetable": "Retargetable",
    "universal": "Universal",
}
RELIABILITY: Mapping[str, LiteralString] = {
    "rare": "Under 10%",
    "intermittent": "10 to 49%",
    "reliable": "50% or more",
}
UPLIFT: Mapping[str, LiteralString] = {"no": "Freely found elsewhere", "yes": "Real uplift"}
SEVERITY_INPUTS: Mapping[str, tuple[LiteralString, type[StrEnum], Mapping[str, LiteralString]]] = {
    "harm": ("Harm", Harm, HARM_LEVEL),
    "exposure": ("Who is exposed", Exposure, EXPOSURE),
    "generality": ("How general", Generality, GENERALITY),
    "reliability": ("How often it works", Reliability, RELIABILITY),
    "uplift": ("Uplift", Uplift, UPLIFT),
}
"""By their names in SeverityInputs, in its order: what each is called, its levels, and these in words."""
EXPLOITATION: Mapping[str, LiteralString] = {
    "none": "None seen",
    "public_poc": "Published",
    "active": "In use",
}
CONSENT: Mapping[str, LiteralString] = {
    "none": "no training use",
    "classifier_only": "classifiers only",
    "any_safety_training": "any safety training",
    "safety_and_bad_user": "any safety training, and a model that plays the bad user",
}
PEER_CONSENT: Mapping[str, LiteralString] = {
    "no": "with nobody",
    "after_fix": "with peers after the fix",
    "under_embargo": "with peers under embargo",
}
INTENT: Mapping[str, LiteralString] = {
    "yes": "means to publish",
    "no": "does not mean to publish",
    "undecided": "undecided about publishing",
    "already": "has published already",
}
CHANNEL: Mapping[str, LiteralString] = {
    "form": "by the form",
    "api": "by the report button",
    "import": "by import",
}
AXIS: Mapping[str, LiteralString] = {
    "whole": "Duplicates",
    "technique": "Same technique",
    "request": "Same request",
}
AXIS_ABOUT: Mapping[str, LiteralString] = {
    "whole": "The same flaw by the same means: one fix would probably resolve them all.",
    "technique": "The same trick, whatever is asked for with it.",
    "request": "The same thing asked for, by whatever trick.",
}
BASIS: Mapping[str, LiteralString] = {
    "exact": "same text",
    "embedding": "near in meaning",
    "likeness": "same trick and same request",
}
EMBARGO: Mapping[str, LiteralString] = {
    "none": "No embargo",
    "proposed": "Proposed",
    "active": "In force",
    "revise": "In force, another end proposed",
    "exited": "Over",
}
EXIT_REASON: Mapping[str, LiteralString] = {
    "": "",
    "end_reached": "Its end was reached",
    "public": "The flaw is public",
    "exploited": "Attacks are seen",
    "fixed": "The fix is deployed",
    "other": "Another reason",
}
PARTY: Mapping[str, LiteralString] = {"": "", "reporter": "The reporter", "company": "The company"}
TLP: Mapping[str, LiteralString] = {
    "RED": "TLP:RED, named people only",
    "AMBER+STRICT": "TLP:AMBER+STRICT, this company only",
    "AMBER": "TLP:AMBER, this company and its clients",
    "GREEN": "TLP:GREEN, the community",
    "CLEAR": "TLP:CLEAR, everybody",
}
STANDING: Mapping[str, LiteralString] = {
    "asked": "Not answered",
    "later_end": "Must accept a later end",
    "accepted": "Embargo accepted",
    "declined": "Declined",
    "told": "Told",
    "withdrawn": "Taken back",
    "ended": "Ended by the operator",
}
PRODUCT: Mapping[str, LiteralString] = {
    "under_investigation": "Under investigation",
    "known_affected": "Affected",
    "known_not_affected": "Not affected",
    "fixed": "Fixed",
}
REWARD_KIND: Mapping[str, LiteralString] = {
    "cash": "Cash",
    "credits": "Credits",
    "access_upgrade": "Access upgrade",
    "model_improved_note": "Model-improved note",
    "donation": "Donation",
    "public_thanks": "Public thanks",
}
REWARD_STATE: Mapping[str, LiteralString] = {
    "proposed": "Proposed",
    "approved": "Approved",
    "paid": "Paid or given",
    "declined": "Declined",
    "withdrawn": "Withdrawn",
}
TRIGGER: Mapping[str, LiteralString] = {
    "ask_reporter": "Ask the reporter",
    "end_wait": "Stop waiting for the reporter",
    "triage": "Mark as triaged",
    "accept": "Accept",
    "defer": "Defer",
    "resume": "Resume",
    "revoke": "Take the acceptance back",
    "finish_fix": "Fix is ready",
    "deploy_fix": "Fix is deployed",
    "start_retest": "Start the retest",
    "pass_retest": "Retest passed",
    "fail_retest": "Retest failed",
    "reopen": "Reopen",
}
STAGE: Mapping[str, LiteralString] = {what: what for what in STAGES}
"""What the worker counts, while reports are compared."""
SNOOZE: Mapping[str, LiteralString] = {
    "tomorrow": "Until tomorrow",
    "three_days": "For 3 days",
    "next_week": "Until next week",
}
EVENT: Mapping[str, LiteralString] = {
    "report.received": "Received",
    "report.assessed": "Assessed",
    "report.linked": "Marked as a duplicate",
    "report.unlinked": "Duplicate link taken back",
    "report.moved": "State changed",
    "pair.kept_apart": "Said not to be a duplicate",
    "answer.written": "Better answer written",
    "answer.approved": "Better answer approved",
    "answer.returned": "Better answer sent back",
}


def counted(number: int, noun: LiteralString) -> LiteralString:
    """A number with its noun: 1 pair, 2 pairs."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def badge(colour: LiteralString, text: LiteralString) -> LiteralString:
    return f":{colour}-badge[{text}]"


def state_label(status: str, resolution: str | None) -> LiteralString:
    """The state of a case in a word; of a closed one, its resolution."""
    return RESOLUTION[resolution] if resolution else STATUS[status]


def state_badge(status: str, resolution: str | None) -> LiteralString:
    return badge(STATUS_COLOUR[status], state_label(status, resolution))


def severity_badge(severity: str | None) -> LiteralString:
    return badge(SEVERITY_COLOUR[severity or ""], SEVERITY[severity or ""])


def moment(at: datetime) -> LiteralString:
    """A moment with its hour and zone: a date alone leaves people guessing."""
    return f"{at:%d %b %Y %H:%M} UTC"


def span(length: timedelta) -> LiteralString:
    """About how long: "3 d", "5 h", "12 min"."""
    minutes = round(abs(length.total_seconds()) / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = round(minutes / 60)
    if hours < 48:
        return f"{hours} h"
    days = round(minutes / 1440)
    return f"{days:,} d"


def ago(at: datetime, now: datetime) -> LiteralString:
    if abs(now - at) < timedelta(minutes=1):
        return "just now"
    return f"{span(now - at)} ago" if at <= now else f"in {span(at - now)}"


def clock(
    name: LiteralString, due: datetime | None, done: datetime | None, running: bool, now: datetime
) -> LiteralString:
    """One response clock as a badge: kept, missed, late by or due in; "" when it never ran."""
    if due is None or (done is None and not running):
        return ""
    if done is not None:
        return (
            badge("green", f"{name} in time")
            if done <= due
            else badge("orange", f"{name} {span(done - due)} late")
        )
    if due < now:
        return badge("red", f":material/alarm: {name} late by {span(now - due)}")
    return badge("blue", f":material/schedule: {name} due in {span(due - now)}")


def next_due(due: datetime | None, now: datetime) -> LiteralString:
    """The first open clock of a case, for a table cell; "" when none runs."""
    if due is None:
        return ""
    return f"{span(due - now)} late" if due < now else f"in {span(due - now)}"
