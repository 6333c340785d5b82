"""The first rows of a report: what it says, where it stands, and the waiting period that it begins under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage_core import audit
from triage_core.disclosure import embargo_machine
from triage_core.guidance import clocks
from triage_core.guidance.policy import Policy
from triage_core.model import (
    Channel,
    DisclosureIntent,
    EmbargoState,
    Exploitation,
    FlawReport,
    Resolution,
    Status,
    Tlp,
)
from triage_core.store import Work

# What a case repeats of its report, so that lists and counts read one table; none of it changes once a report is in.
COUNTED_BY = (
    "report_id", "seq", "received_at", "channel", "platform", "model_version", "harm_types",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class New:
    """A report that nobody has sent before, with its number and the moment from which its clocks run.

    `body` is the report as JSON, its hash `digest`, that of its turns `content`.
    """

    report: FlawReport
    channel: Channel
    api_key: int | None
    body: Mapping[str, Any]
    digest: str
    content: str
    seq: int
    received: datetime

    @property
    def report_id(self) -> str:
        return f"FR-{self.seq}"


def report(policy: Policy, new: New, reporter_id: str | None) -> dict[str, Any]:
    """What it says, as it stays."""
    report = new.report
    first = report.system[0] if report.system else None
    return {
        "report_id": new.report_id,
        "seq": new.seq,
        "external_id": report.external_id,
        "channel": str(new.channel),
        "received_at": new.received,
        "reporter_id": reporter_id,
        "policy_version": policy.version,
        "content_sha256": new.content,
        "body_sha256": new.digest,
        "platform": first.platform if first else "",
        "model": first.model if first else "",
        "model_version": first.version if first else "",
        "what_is_wrong": report.what_is_wrong,
        "harm_types": [str(harm) for harm in report.harm_types],
        "disclosure_intent": str(report.disclosure_intent),
        "wants_reward": report.wants_reward,
        "api_key": new.api_key,
        "turns": new.body["turns"],
        "body": audit.encode({name: part for name, part in new.body.items() if name != "turns"}),
    }


def case(work: Work, policy: Policy, new: New, row: Mapping[str, Any], is_copy: bool) -> dict[str, Any]:
    """Where it stands when it has come in; `row` is what it says."""
    report, received = new.report, new.received
    # Evidence of illegal content involving minors is not held here: the report is rerouted at once.
    rerouted = report.illegal_minor_content
    return {
        **{name: row[name] for name in COUNTED_BY},
        "is_copy": is_copy,
        "version": 1,
        "status": str(Status.CLOSED if rerouted else Status.NEW),
        "resolution": str(Resolution.REROUTED) if rerouted else None,
        "exploitation": str(Exploitation.NONE),
        "tlp": str(Tlp.AMBER_STRICT),
        "consent_training": str(report.consent_training),
        "consent_share_peers": str(report.consent_share_peers),
        "response_due": clocks.due(received, policy.clocks.first_response_days, policy.clocks),
        "triage_due": clocks.due(received, policy.clocks.triage_days, policy.clocks),
        "closed_at": received if rerouted else None,
        "updated_at": work.now,
        "updated_by": work.actor.actor_id,
    }


def embargo(policy: Policy, new: New) -> dict[str, Any] | None:
    """The waiting period that the published policy promises, or None where nothing is to be kept.

    An imported line comes from the company's own files: it is under embargo when it says so.
    """
    report, received = new.report, new.received
    wish = report.embargo_wish or report.planned_date
    asked = report.disclosure_intent is DisclosureIntent.YES or wish
    if new.channel is Channel.IMPORT and not asked:
        return None
    public = report.disclosure_intent is DisclosureIntent.ALREADY
    opening = embargo_machine.opening(policy, None, Exploitation.NONE, received, wish, public=public)
    if opening.state is EmbargoState.NONE:
        return None
    return {
        "report_id": new.report_id,
        "state": str(opening.state),
        "starts_at": received,
        "ends_at": opening.active_end,
        "proposed_end": opening.proposed_end,
        "proposed_by": str(opening.proposed_by or ""),
        "exit_reason": "",
    }
