"""Events in words: what happened, and each value that it changed, before and after.

What comes out holds names of people and reports: it is for data frame cells, or goes through
ui.hostile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, LiteralString

from triage_core.desk.activity import Event
from ui.words import (
    AXIS,
    CONSENT,
    EMBARGO,
    EVENT,
    EXIT_REASON,
    EXPLOITATION,
    EXPOSURE,
    GENERALITY,
    HARM,
    PARTY,
    PEER_CONSENT,
    PRIORITY,
    RELIABILITY,
    RESOLUTION,
    REWARD_STATE,
    SEVERITY,
    SEVERITY_INPUTS,
    STATUS,
    TLP,
    TRIGGER,
    UPLIFT,
    counted,
    moment,
)

NOTHING: LiteralString = "nothing"
LONG = 1_000
"""So many characters of an event's changes are shown: a note is one of them."""
EVENTS: Mapping[str, LiteralString] = {
    **EVENT,
    "event.undone": "Undone",
    "group.decided": "Said of a cluster",
    "report.marked": "Marked as known",
    "report.tlp_set": "TLP label set",
    "report.told": "Reporter told",
    "report.asked": "Reporter asked",
    "report.answered": "Reporter wrote",
    "report.withdrawn": "Withdrawn by its reporter",
    "api_key.added": "Key of a report button made",
    "api_key.revoked": "Key of a report button ended",
    "peer.added": "Peer added",
    "peer.ended": "Peer ended",
    "advisory.opened": "Advisory opened",
    "advisory.closed": "Advisory closed",
    "advisory.told": "Peer told of the advisory",
    "advisory.withdrawn": "Advisory withdrawn from a peer",
    "advisory.accepted": "Peer accepted the embargo",
    "advisory.declined": "Peer declined the embargo",
    "advisory.read": "Peer read the record",
    "advisory.answered": "Peer said how its product stands",
    "notice.queued": "Message waits to be sent",
    "notice.sent": "Message sent",
    "notice.failed": "Message given up",
    "embargo.proposed": "Embargo proposed",
    "embargo.accepted": "Embargo accepted",
    "embargo.rejected": "Proposal refused or taken back",
    "embargo.revised": "Another end proposed",
    "embargo.exited": "Embargo ended",
    "embargo.lapsed": "Proposal lapsed",
    "reward.proposed": "Reward proposed",
    "reward.approved": "Reward approved",
    "reward.paid": "Reward paid",
    "reward.declined": "Reward declined",
    "reward.reversed": "Payment of a reward reversed",
    "reward.sent": "Reward sent to payments",
    "report.assigned": "Assigned",
    "report.snoozed": "Snoozed",
    "report.claimed": "Claimed",
    "report.released": "Released",
    "view.saved": "View kept",
    "view.removed": "View forgotten",
    "look.asked": "Second look asked for",
    "look.answered": "Decided again, blind",
    "policy.published": "Policy published",
    "draft.started": "Policy draft begun",
    "draft.changed": "Policy draft changed",
    "draft.set_aside": "Policy draft withdrawn or opened again",
    "draft.approved": "Policy draft approved",
    "dataset.built": "Dataset built",
    "dataset.planned": "Dataset planned",
    "dataset.unchanged": "Dataset looked at: nothing changed",
    "dataset.retired": "Dataset version retired",
    "consent.revoked": "Consent to training taken back",
    "consent.sharing_ended": "Consent to sharing taken back",
    "report.chosen": "Reporter chose about e-mail or name",
    "likeness.space": "Model of likeness chosen",
    "likeness.placed": "Compared",
    "likeness.learned": "Likeness learned from decisions",
    "likeness.named": "Clusters named",
    "suggestions.learned": "Suggestions learned from decisions",
    "reports.imported": "File imported",
    "preset.saved": "Preset of an import kept",
    "preset.deleted": "Preset of an import deleted",
    "backup.made": "Backup made",
    "reports.read": "Read for comparison",
    "texts.embedded": "Texts read by the model",
    "clusters.audited": "Clusters audited",
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
    "consent_share_peers": "Shared",
    "fix_due": "Fix due",
    "first_response_at": "First response",
    "triaged_at": "Triaged",
    "closed_at": "Closed",
    "assigned_to": "Assigned to",
    "snoozed_until": "Snoozed until",
    "wanted": "Second look",
    "second_id": "Second decision",
    "agreement": "Agreement of the two",
    "tlp": "TLP",
    "state": "Embargo",
    "starts_at": "Counted from",
    "ends_at": "Ends",
    "proposed_end": "Proposed end",
    "proposed_by": "Proposed by",
    "exited_at": "Ended",
    "exit_reason": "Because",
    "reward": "Reward",
    "payment_batch": "Payment batch",
}
ASSESSED: Mapping[str, LiteralString] = {
    "clauses": "Clauses",
    **{name: label for name, (label, *_) in SEVERITY_INPUTS.items()},
    "severity": "Severity",
    "override_reason": "Why the severity was overridden",
    "resolution": "Outcome",
    "note": "Note",
    "reproduction_log": "What was tried",
}
"""What an assessment says, in the order of the panel."""
_MADE = ("assessment_id", "second_id")
Assessments = Mapping[int, Mapping[str, Any]]
ACT: Mapping[str, LiteralString] = {
    "same": "belong together",
    "split": "left the cluster",
    "move": "belong to another cluster",
    "merge": "are one cluster",
    "apart": "is of no cluster with the other",
}
_VALUES: Mapping[str, Mapping[str, LiteralString]] = {
    "status": STATUS,
    "resolution": RESOLUTION,
    "severity": SEVERITY,
    "priority": PRIORITY,
    "exploitation": EXPLOITATION,
    "harm": HARM,
    "exposure": EXPOSURE,
    "generality": GENERALITY,
    "reliability": RELIABILITY,
    "uplift": UPLIFT,
    "consent_training": CONSENT,
    "consent_share_peers": PEER_CONSENT,
    "wanted": {"True": "asked for", "False": "not asked for"},
    "tlp": TLP,
    "state": EMBARGO,
    "proposed_by": PARTY,
    "exit_reason": EXIT_REASON,
    "reward": REWARD_STATE,
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


def assessments(events: Iterable[Event]) -> tuple[int, ...]:
    """The numbers of the assessments that these events made or replaced, to be read for `changes` and `line`."""
    found = {side.get(name) for event in events for side in (event.before, event.after) for name in _MADE}
    return tuple(sorted(found - {None}))


def changes(event: Event, made: Assessments) -> list[tuple[str, str, str]]:
    """(field, old value, new value) in words, in the order of `FIELD`; of a pair, whether the two may be one.

    `made` holds the assessments of the event by number: what they say stands in place of their numbers.
    """
    if "a_id" in event.data:
        states = ["may be duplicates", "are not duplicates"]
        old, new = states if "cannot_id" in event.data else reversed(states)
        return [(f"{event.data['a_id']} and {event.data['b_id']}", old, new)]
    if "axis" in event.data and "act" in event.data:
        return [(AXIS[event.data["axis"]], *_grouping(event))]
    order = [*FIELD, *(event.after.keys() - FIELD.keys())]
    found = []
    for name in order:
        if name in event.after:
            before, after = event.before.get(name), event.after[name]
            if name in _MADE and (before in made or after in made):
                found += _assessed(event, made.get(before, {}), made.get(after, {}))
            else:
                found.append((FIELD.get(name, name), value(name, before), value(name, after)))
    return found


def _assessed(
    event: Event, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterable[tuple[str, str, str]]:
    """What one assessment says otherwise than the one before it, but for what the case says as well."""
    for name, label in ASSESSED.items():
        old, new = before.get(name) or None, after.get(name) or None
        if old != new and name not in event.after:
            yield label, value(name, old), value(name, new)


def _grouping(event: Event) -> tuple[str, str]:
    """What was said of a group, before and after the event."""
    data = event.data
    more = (
        ""
        if data["inside"] <= len(data["reports"])
        else f" and {data['inside'] - len(data['reports']):,} more"
    )
    alone = ", each on its own" if data.get("singly") else ""
    said = f"{', '.join(data['reports'])}{more} {ACT[data['act']]}{alone}"
    if other := data.get("other_id"):
        said += f" ({other})"
    if data["outside"] and data["act"] != "apart":
        said += f", without {counted(data['outside'], 'other')}"
    return (NOTHING, said) if data["said"] else (said, NOTHING)


def line(event: Event, made: Assessments) -> str:
    """All changes on one line, for a table; `made` as for `changes`. Room is short: "nothing" before is left out."""
    found = "; ".join(
        f"{name}: {new}" if old == NOTHING else f"{name}: {old} → {new}"
        for name, old, new in changes(event, made)
    )
    if drawn := event.data.get("drawn"):
        found += f"; second look {drawn['look_id']} drawn {_DRAWN[drawn['reason']]}"
    if settled := event.data.get("settles"):
        found += f"; settles second look {settled}"
    if peer := event.data.get("peer"):
        found += f"; {peer}"
    if note := event.data.get("note"):
        found += f"; note: {note}"
    found = found.removeprefix("; ")
    trigger = TRIGGER.get(event.data.get("trigger", ""), "")
    return f"{trigger}: {found}" if trigger else found


def value(name: str, stored: Any) -> str:
    """One value of a case in words."""
    if stored is None:
        return NOTHING
    if isinstance(stored, datetime):
        return moment(stored)
    if isinstance(stored, list):
        return ", ".join(stored)
    return _VALUES.get(name, {}).get(str(stored), str(stored))
