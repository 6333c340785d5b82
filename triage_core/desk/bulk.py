"""One decision for many reports: done where it may be done, and for the rest a list that says why not.

The reports and the versions that were shown are named one by one; a filter is never given, so that
nothing is decided that was not on screen. All is one transaction, and each report has its own event,
which names the batch: a batch is taken back as one, as far as nothing stands in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage_core import access
from triage_core.desk import activity, claims, linking, triage, undo
from triage_core.desk.decision import Decision, check, check_text
from triage_core.errors import NotFound, Refused
from triage_core.guidance.policy import Policy
from triage_core.model import Actor
from triage_core.store import Store, Work

MOST = 5_000
"""A command decides on at most so many reports."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A report on which nothing was decided, or of which something stays, and why."""

    report_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided on and what was not, each in the order in which the reports were given.

    `batch` names the events that were written, for `undo_batch`; None when there are none.
    """

    done: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    batch: int | None


def assess(
    store: Store,
    policy: Policy,
    actor: Actor,
    seen: Mapping[str, int],
    decision: Decision,
    *,
    now: datetime | None = None,
) -> Outcome:
    """The same assessment for each report in `seen`, which holds the version that was shown of it.

    Raises Refused when the decision itself breaks a rule, or more than `MOST` reports are named.
    """
    access.require(actor, access.Command.ASSESS)
    check(policy, decision)
    require_few(seen)
    with store.write(actor, access.Command.ASSESS, now) as work:
        return each(work, seen, lambda name: triage.assess_within(work, policy, name, decision, seen[name]))


def link(
    store: Store,
    actor: Actor,
    seen: Mapping[str, int],
    canonical_id: str,
    *,
    reason: str = "",
    evidence: Mapping[str, Mapping[str, Any]] | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Mark each report in `seen` as a duplicate of the earlier `canonical_id`.

    `evidence` may hold, by report, the score, model_id and threshold of a suggestion that was accepted.
    """
    access.require(actor, access.Command.LINK)
    check_text("reason", reason)
    require_few(seen)
    with store.write(actor, access.Command.LINK, now) as work:
        return each(
            work,
            seen,
            lambda name: linking.link_within(
                work,
                name,
                canonical_id,
                reason=reason,
                evidence=(evidence or {}).get(name),
                seen_version=seen[name],
            ),
        )


def assign(
    store: Store,
    actor: Actor,
    seen: Mapping[str, int],
    assignee: Actor | None,
    *,
    now: datetime | None = None,
) -> Outcome:
    """Make each report in `seen` the task of a reviewer (None: of nobody)."""
    claims.require_assignable(actor, assignee)
    require_few(seen)
    with store.write(actor, access.Command.CLAIM, now) as work:
        return each(work, seen, lambda name: claims.assign_within(work, name, assignee, seen[name]))


def snooze(
    store: Store,
    actor: Actor,
    seen: Mapping[str, int],
    until: datetime | None,
    *,
    now: datetime | None = None,
) -> Outcome:
    """Put each report in `seen` off until a moment (None: bring it back now)."""
    access.require(actor, access.Command.CLAIM)
    require_few(seen)
    with store.write(actor, access.Command.CLAIM, now) as work:
        return each(work, seen, lambda name: claims.snooze_within(work, name, until, seen[name]))


def undo_batch(store: Store, actor: Actor, batch: int, *, now: datetime | None = None) -> Outcome:
    """Take back each event of a bulk decision, the last first; what has been decided since stays and is told.

    With a decision that stays, what it has made of the embargo stays.
    A report stands in both lists when its decision was taken back and the better answer that came with it was not.
    The undo is a batch itself: undoing that one does the thing again. Raises NotFound without such a batch.
    """
    with store.read() as cursor:
        events = activity.batch(cursor, batch)
    if not events:
        raise NotFound("batch", f"no bulk decision begins with event {batch}")
    command = events[0].command
    access.require(actor, command)
    undone: set[str] = set()
    stays: dict[str, Skipped] = {}
    with store.write(actor, command, now) as work:
        work.many = True
        taken: set[int] = set()
        kept: set[int] = set()
        for event in reversed(events):
            # What was told stays, and what is taken back is told by itself.
            if event.kind == activity.TOLD or event.seq in kept:
                continue
            try:
                if event.seq not in taken:  # else it went with a later one
                    taken |= undo.undo_within(work, event)
            except Refused as refusal:
                stays[event.subject] = Skipped(event.subject, refusal.rule)
                kept.add(event.data.get(activity.WITH_IT, event.seq))
            else:
                undone.add(event.subject)
        # Without an axis: the others are about clusters.
        names = dict.fromkeys(event.subject for event in events if "axis" not in event.data)
        return Outcome(
            tuple(name for name in names if name in undone),
            tuple(stays[name] for name in names if name in stays),
            _batch(work),
        )


def each(work: Work, seen: Mapping[str, int], decide: Callable[[str], object]) -> Outcome:
    """Give `decide` every report; one that it refuses (before it writes) is skipped."""
    work.many = True
    done, skipped = [], []
    for name in seen:
        try:
            decide(name)
        except Refused as refusal:
            skipped.append(Skipped(name, refusal.rule))
        else:
            done.append(name)
    return Outcome(tuple(done), tuple(skipped), _batch(work))


def _batch(work: Work) -> int | None:
    return work.first if work.events else None


def require_few(seen: Mapping[str, int]) -> None:
    """Return for `MOST` reports or fewer; else raise Refused."""
    if len(seen) > MOST:
        raise Refused("reports", f"at most {MOST:,} at once, not {len(seen):,}")
