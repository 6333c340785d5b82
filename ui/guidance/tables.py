"""The policy's tables and numbers as Markdown tables of our own words, read from the policy itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import LiteralString

from triage_core.guidance.policy import GRADED, WEEKDAYS, Policy
from triage_core.model import Exploitation, Exposure, Generality, Harm, Reliability, Severity, SeverityInputs
from ui.words import (
    EXPLOITATION,
    EXPOSURE,
    GENERALITY,
    HARM,
    PRIORITY,
    RELIABILITY,
    badge,
    severity_badge,
)

CHOSEN = ":material/check_circle:\u00a0"
DAYS: Mapping[str, LiteralString] = dict(
    zip(WEEKDAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True)
)
PRIORITY_COLOUR: Mapping[str, LiteralString] = {
    "close": "gray",
    "defer": "green",
    "scheduled": "yellow",
    "out_of_cycle": "orange",
    "immediate": "red",
}


def harm_by_exposure(policy: Policy, chosen: SeverityInputs) -> LiteralString:
    """Severity for every harm and exposure, the other three inputs as chosen; the chosen cell is marked."""
    lines = [_table_row("Harm", [EXPOSURE[each] for each in Exposure]), _table_rule(len(Exposure))]
    for harm in Harm:
        cells = []
        for exposure in Exposure:
            inputs = SeverityInputs(harm, exposure, chosen.generality, chosen.reliability, chosen.uplift)
            cells.append(_severity_cell(policy, inputs, chosen))
        lines.append(_table_row(f"**{harm.value}** {HARM[harm]}", cells))
    return "\n".join(lines)


def generality_by_reliability(policy: Policy, chosen: SeverityInputs) -> LiteralString:
    """Severity for every generality and reliability, the other three inputs as chosen; the chosen cell is marked."""
    lines = [
        _table_row("Generality", [RELIABILITY[each] for each in Reliability]),
        _table_rule(len(Reliability)),
    ]
    for generality in Generality:
        cells = []
        for reliability in Reliability:
            inputs = SeverityInputs(chosen.harm, chosen.exposure, generality, reliability, chosen.uplift)
            cells.append(_severity_cell(policy, inputs, chosen))
        lines.append(_table_row(f"**{GENERALITY[generality]}**", cells))
    return "\n".join(lines)


def priorities(policy: Policy, chosen: Severity) -> LiteralString:
    """Priority for every severity and exploitation; the chosen severity's row is marked."""
    lines = [
        _table_row("Severity", [EXPLOITATION[each] for each in Exploitation]),
        _table_rule(len(Exploitation)),
    ]
    for severity in Severity:
        cells = []
        for exploitation in Exploitation:
            priority = policy.priority(severity, exploitation)
            cells.append(badge(PRIORITY_COLOUR[priority], PRIORITY[priority]))
        lines.append(_table_row((CHOSEN if severity is chosen else "") + severity_badge(severity), cells))
    return "\n".join(lines)


def clocks(policy: Policy) -> LiteralString:
    """Every response and fix target."""
    lines = [_table_row("Clock", ["Target"]), _table_rule(1)]
    lines.append(_table_row("First response", [f"{policy.clocks.first_response_days:,} business days"]))
    lines.append(_table_row("Triage", [f"{policy.clocks.triage_days:,} business days"]))
    lines.append(_table_row("Bounty, after triage", [f"{policy.clocks.bounty_days:,} business days"]))
    for severity in reversed(GRADED):
        lines.append(
            _table_row(f"Fix, {severity_badge(severity)}", [f"{policy.clocks.fix_days[severity]:,} days"])
        )
    return "\n".join(lines)


def business_days(policy: Policy) -> LiteralString:
    """The working days of the desk, in the order of the week."""
    return ", ".join(DAYS[WEEKDAYS[number]] for number in sorted(policy.clocks.business_days))


def waiting(policy: Policy) -> LiteralString:
    """The waiting periods before a reporter goes public."""
    lines = [_table_row("Waiting period", ["Calendar days"]), _table_rule(1)]
    lines.append(_table_row("Unless something below applies", [f"{policy.waiting.default_days:,}"]))
    lines.append(_table_row(severity_badge(Severity.HIGH), [f"{policy.waiting.high_days:,}"]))
    lines.append(_table_row(severity_badge(Severity.CRITICAL), [f"{policy.waiting.critical_days:,}"]))
    lines.append(_table_row("Attacks are seen", [f"{policy.waiting.exploited_days:,} at most"]))
    lines.append(_table_row("All extensions together", [f"{policy.waiting.cap_days:,} at most"]))
    return "\n".join(lines)


def rewards(policy: Policy) -> LiteralString:
    """The cash band of every severity, in whole units of the policy's currency."""
    lines = [_table_row("Severity", ["From", "To"]), _table_rule(2)]
    for severity in reversed(GRADED):
        band = policy.rewards.bands[severity]
        lines.append(_table_row(severity_badge(severity), [f"{band.minimum:,}", f"{band.maximum:,}"]))
    return "\n".join(lines)


def _severity_cell(policy: Policy, inputs: SeverityInputs, chosen: SeverityInputs) -> LiteralString:
    return (CHOSEN if inputs == chosen else "") + severity_badge(policy.severity(inputs))


def _table_row(head: LiteralString, cells: Sequence[LiteralString]) -> LiteralString:
    return f"| {head} | {' | '.join(cells)} |"


def _table_rule(columns: int) -> LiteralString:
    return "|---" * (1 + int(columns)) + "|"
