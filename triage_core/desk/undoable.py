"""Which kinds of events can be undone, what a decision changes as one whole, and why the other kinds stay."""

from __future__ import annotations

from triage_core.desk.activity import UNDONE

UNDOABLE = frozenset(
    {
        "report.assessed",
        "report.linked",
        "report.unlinked",
        "report.moved",
        "report.assigned",
        "report.snoozed",
        "pair.kept_apart",
        "report.marked",
        "report.tlp_set",
        "answer.written",
        "answer.approved",
        "answer.returned",
        "group.decided",
        "look.asked",
        "look.answered",
        "embargo.proposed",
        "embargo.revised",
        "embargo.rejected",
        "reward.proposed",
        "reward.approved",
        "reward.declined",
        "reward.sent",
        UNDONE,
    }
)

DECISION = frozenset(
    {
        "status",
        "resolution",
        "canonical_id",
        "assessment_id",
        "severity",
        "priority",
        "exploitation",
        "fix_due",
        "first_response_at",
        "triaged_at",
        "closed_at",
    }
)
"""The columns of a case that are decided together; any other column is undone by itself."""

WHY_NOT = {
    "dataset.planned": "a plan is changed by setting another",
    "dataset.unchanged": "nothing was made: it only says that somebody looked",
    "dataset.retired": "files that were deleted stay so; build a new version",
    "report.received": "a report that came in stays; close it instead",
    "reports.imported": "reports that came in stay; close them instead",
    "report.claimed": "a claim is given back by releasing it",
    "report.released": "a claim is taken again by claiming",
    "view.saved": "a view is forgotten on the inbox",
    "view.removed": "a view is kept again on the inbox",
    "report.asked": "a question that was sent stays; end the wait instead",
    "report.answered": "what a reporter wrote stays",
    "report.withdrawn": "its reporter took it back; decide on it again to reopen it",
    "api_key.added": "a key is ended by revoking it",
    "api_key.revoked": "a revoked key is replaced by adding a new one",
    "report.told": "what a reporter has been told cannot be untold",
    "notice.queued": "a message waits by itself until it is sent",
    "notice.sent": "what was sent cannot be called back",
    "notice.failed": "a message that was given up is sent again by the operator",
    "embargo.accepted": "an agreement binds both sides; propose another end, or end it",
    "embargo.exited": "whoever was bound by it is free, and what is known cannot be made unknown",
    "embargo.lapsed": "the proposed end has passed; propose another",
    "reward.paid": "what was paid is with the reporter; what was noted by mistake is reversed on Rewards",
    "reward.reversed": "a payment that was made after all is noted again",
    "policy.published": "a policy in force is replaced by publishing the next version",
    "consent.revoked": "only the reporter can agree again",
    "consent.sharing_ended": "its reporter ended the sharing for good",
    "report.chosen": "mail and the name on the thanks page are the reporter's choice",
    "clusters.audited": "an audit changes nothing; the next one replaces it",
    "draft.started": "a draft that is not wanted is withdrawn",
    "draft.changed": "an earlier revision of the draft can be taken again",
    "draft.set_aside": "a withdrawn draft can be opened again, and an open one withdrawn",
    "draft.approved": "any change of the draft takes its approval away",
    "dataset.built": "a data set is withdrawn by building its next version",
    "likeness.space": "the model of likeness is chosen in the settings",
    "likeness.placed": "the index is made anew from the reports at any time",
    "likeness.named": "what a cluster is called is found anew when it changes",
    "likeness.learned": "what decisions taught is learned anew when they change",
    "suggestions.learned": "what decisions taught is learned anew when they change",
    "reports.read": "what is read of a report is read anew at any time",
    "texts.embedded": "a vector is nothing but a text read by the model",
    "cluster.merged": "clusters are made anew from the reports at any time",
}
