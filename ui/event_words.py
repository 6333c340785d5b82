"""Events in words: what happened, and each value that it changed, before and after.

What comes out holds names of people and reports: it is for data frame cells, or goes through
ui.hostile.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

from triage_core.activity import Event
from ui.words import CONSENT, EVENT, EXPLOITATION, PRIORITY, RESOLUTION, SEVERITY, STATUS, TRIGGER, moment

EVENTS: Mapping[str, LiteralString] = {
    **EVENT,
    "event.undone": "Undone",
    "report.assigned": "Assigned",
    "report.claimed": "Claimed",
    "report.released": "Released",
    "look.asked": "Second look asked for",
    "look.answered": "Decided again, blind",
    "policy.published": "Policy published",
    "draft.started": "Policy draft begun",
    "draft.changed": "Policy draft changed",
    "draft.set_aside": "Policy draft withdrawn or opened again",
    "draft.approved": "Policy draft approved",
    "dataset.built": "Data set built",
    "likeness.space": "Model of likeness chosen",
    "likeness.placed": "Compared",
    "likeness.learned": "Likeness learned from decisions",
    "texts.embedded": "Texts read by the model",
    "cluster.merged": "Clusters became one",
}
FIELD: Mapping[str, LiteralString] = {
    "status": "State",
    "resolution": "Resolution",
    "canonical_id": "Duplicate of",
    "assessment_id": "Assessment",
    "severity": "Severity",
    "priority": "Priority",
    "exploitation": "Exploitation",
    "consent_training": "Training use",
    "fix_due": "Fix due",
    "first_response_at": "First response",
    "triaged_at": "Triaged",
    "closed_at": "Closed",
    "assigned_to": "Assigned to",
    "snoozed_until": "Snoozed until",
    "wanted": "Second look",
    "second_id": "Second decision",
    "agreement": "Agreement of the two",
}
_VALUES: Mapping[str, Mapping[str, LiteralString]] = {
    "status": STATUS,
    "resolution": RESOLUTION,
    "severity": SEVERITY,
    "priority": PRIORITY,
    "exploitation": EXPLOITATION,
    "consent_training": CONSENT,
    "wanted": {"True": "asked for", "False": "not asked for"},
}
_DRAWN: Mapping[str, LiteralString] = {
    "drawn": "by lot",
    "critical": "as every critical one",
}


def what(event: Event) -> str:
    """What happened, with the numbers of the events that it takes back or was taken back by."""
    name = EVENTS.get(event.kind, event.kind)
    if event.undoes:
        name = f"{name}: event {event.undoes:,}"
    return f"{name} (undone by {event.undone_by:,})" if event.undone_by else name


def changes(event: Event) -> list[tuple[str, str, str]]:
    """(field, old value, new value) in words, in the order of `FIELD`; of a pair, whether the two may be one."""
    if "a_id" in event.data:
        states = ["may be duplicates", "are not duplicates"]
        old, new = states if "cannot_id" in event.data else reversed(states)
        return [(f"{event.data['a_id']} and {event.data['b_id']}", old, new)]
    order = [*FIELD, *(event.after.keys() - FIELD.keys())]
    return [
        (FIELD.get(name, name), value(name, event.before.get(name)), value(name, event.after[name]))
        for name in order
        if name in event.after
    ]


def line(event: Event) -> str:
    """All changes on one line, for a table."""
    found = "; ".join(f"{name}: {old} → {new}" for name, old, new in changes(event))
    if drawn := event.data.get("drawn"):
        found += f"; second look {drawn['look_id']} drawn {_DRAWN[drawn['reason']]}"
    if settled := event.data.get("settles"):
        found += f"; settles second look {settled}"
    trigger = TRIGGER.get(event.data.get("trigger", ""), "")
    return f"{trigger}: {found}" if trigger else found


def value(name: str, stored: Any) -> str:
    """One value of a case in words."""
    if stored is None:
        return "nothing"
    if isinstance(stored, datetime):
        return moment(stored)
    return _VALUES.get(name, {}).get(str(stored), str(stored))
