"""A reporter's standing: what the desk made of the reports so far, and the tier that the policy gives for it."""

from __future__ import annotations

from dataclasses import dataclass

from triage_core import db
from triage_core.guidance.policy import Policy, Tier
from triage_core.rewards.entitlements import CONFIRMED


@dataclass(frozen=True, slots=True)
class Standing:
    """How many reports were confirmed flaws, duplicates of confirmed ones, found not to be flaws, or are undecided."""

    valid: int = 0
    duplicate: int = 0
    invalid: int = 0
    open: int = 0

    @property
    def signal(self) -> float | None:
        """The share of decided reports that told of a flaw, 0 to 1, a duplicate as half; None before any decision."""
        decided = self.valid + self.duplicate + self.invalid
        return (self.valid + self.duplicate / 2) / decided if decided else None


def tier(policy: Policy, standing: Standing) -> Tier | None:
    """The highest tier of the policy that this standing earns, or None."""
    signal = standing.signal
    if signal is None:
        return None
    earned = [one for one in policy.tiers if standing.valid >= one.valid_reports and signal >= one.signal]
    return earned[-1] if earned else None


def rate_factor(cursor: db.Cursor, policy: Policy, reporter_id: str | None) -> int:
    """By how much the limits on sending are raised for a reporter; 1 for the anonymous and the new."""
    earned = tier(policy, of(cursor, reporter_id)) if reporter_id else None
    return earned.rate_factor if earned else 1


# Withdrawn and rerouted reports say nothing about who sent them.
_COUNTS = (
    f"count(*) FILTER (o.canonical_id IS NULL AND {CONFIRMED}) AS valid,"
    f" count(*) FILTER (o.canonical_id IS NOT NULL AND {CONFIRMED}) AS duplicate,"
    " count(*) FILTER (c.resolution IN"
    " ('expected_behaviour', 'out_of_scope', 'not_reproducible', 'not_applicable', 'spam')) AS invalid,"
    f" count(*) FILTER (c.status <> 'closed' AND NOT {CONFIRMED}) AS open"
)
_FROM = (
    " FROM reports r JOIN cases o USING (report_id)"
    " JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)"
)


def of(cursor: db.Cursor, reporter_id: str) -> Standing:
    """The standing of one reporter; of an unknown one, the empty standing."""
    found = db.row(cursor, f"SELECT {_COUNTS}{_FROM} WHERE r.reporter_id = ?", [reporter_id])
    return Standing(**found) if found else Standing()


@dataclass(frozen=True, slots=True)
class Reporter:
    """A line of the list of reporters; `credit_name` is what the reporter wrote."""

    reporter_id: str
    credit_name: str
    standing: Standing


def board(cursor: db.Cursor, page: int = 1, size: int = 25) -> tuple[list[Reporter], int]:
    """Reporters who gave a contact, those with the most confirmed flaws first; and their count."""
    found = db.rows(
        cursor,
        f"SELECT r.reporter_id, any_value(w.credit_name) AS credit_name, {_COUNTS}{_FROM}"
        " JOIN reporters w ON w.reporter_id = r.reporter_id GROUP BY r.reporter_id"
        " ORDER BY valid DESC, duplicate DESC, invalid, r.reporter_id LIMIT ? OFFSET ?",
        [size, (page - 1) * size],
    )
    counts = ("valid", "duplicate", "invalid", "open")
    lines = [
        Reporter(
            row["reporter_id"],
            row["credit_name"],
            Standing(*(row[name] for name in counts)),
        )
        for row in found
    ]
    return lines, int(db.value(cursor, "SELECT count(*) FROM reporters"))
