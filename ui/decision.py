"""The decision panel: clauses with their examples, the severity inputs with the level they give, words.

Every widget's key carries the report and its version, and so does every command that reads them:
what was entered for one report can never be saved for another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from triage_core.decision import RESOLUTION_OF_KIND, Decision
from triage_core.errors import NotFound
from triage_core.model import (
    Exploitation,
    Exposure,
    Generality,
    Harm,
    Reliability,
    Resolution,
    Severity,
    SeverityInputs,
    Uplift,
)
from triage_core.policy import Clause, ClauseKind, Policy
from triage_core.queries import ReportView
from ui.words import (
    EXPLOITATION,
    EXPOSURE,
    GENERALITY,
    HARM_HELP,
    HARM_LEVEL,
    PRIORITY,
    RELIABILITY,
    RESOLUTION,
    SEVERITY,
    UPLIFT,
    badge,
    severity_badge,
)

# What closes a report although an in-scope clause fits it, or for another reason than its clause.
OUTCOMES = [
    Resolution.ACCEPTED_RISK,
    Resolution.NOT_REPRODUCIBLE,
    Resolution.NOT_APPLICABLE,
    Resolution.SPAM,
]
_INPUTS = (
    ("harm", "Harm", Harm, HARM_LEVEL),
    ("exposure", "Who is exposed", Exposure, EXPOSURE),
    ("generality", "How general", Generality, GENERALITY),
    ("reliability", "How often it works", Reliability, RELIABILITY),
    ("uplift", "Uplift", Uplift, UPLIFT),
)


def field(report_id: str, version: int, name: str) -> str:
    """The widget key of one input for one version of one report."""
    return f"{name}-{report_id}-{version}"


@st.fragment
def panel(policy: Policy, view: ReportView) -> None:
    """Draw the inputs; the level and the priority follow every click without redrawing the page."""
    report_id, version = view.report["report_id"], view.case["version"]
    before = view.assessment or {}

    def key(name: str) -> str:
        return field(report_id, version, name)

    known = [clause.clause_id for clause in policy.clauses]
    titles = {clause.clause_id: f"{clause.clause_id} {clause.title}" for clause in policy.clauses}
    chosen = st.multiselect(
        "Clauses of the guidance",
        known,
        default=[clause for clause in before.get("clauses", []) if clause in known],
        format_func=titles.__getitem__,
        key=key("clauses"),
        placeholder="Cite at least one",
    )
    clauses = [policy.clause(clause_id) for clause_id in chosen]
    for clause in clauses:
        _guidance(clause)
    if any(clause.kind is ClauseKind.IN_SCOPE for clause in clauses):
        _severity(policy, view, key)
    st.selectbox(
        "Outcome",
        OUTCOMES,
        index=None,
        format_func=RESOLUTION.__getitem__,
        placeholder=_implied(clauses),
        key=key("resolution"),
    )
    if st.session_state[key("resolution")] == Resolution.NOT_REPRODUCIBLE:
        st.text_area(
            "Reproduction log", key=key("log"), placeholder="What was tried, how often, on which version"
        )
    st.text_area("Note, which the reporter may read", before.get("note", ""), key=key("note"), height=80)
    st.text_area(
        "Better answer, for training",
        view.better_answer or view.body.get("expected", ""),
        key=key("better"),
        height=80,
        help="What the model should have said. The reporter's expectation is the seed.",
    )


def _guidance(clause: Clause) -> None:
    with st.container(border=True, gap="xsmall"):
        st.text(clause.text.strip())
        st.markdown(":green-badge[:material/check: In scope]")
        st.text(clause.in_scope_example.strip())
        st.markdown(":gray-badge[:material/close: Not in scope]")
        st.text(clause.out_of_scope_example.strip())


def levels(key: Callable[[str], str], before: Mapping[str, Any]) -> None:
    """The five severity inputs, each under the key of its name, at the level it had before."""
    for name, label, kind, labels in _INPUTS:
        st.segmented_control(
            label,
            [str(level) for level in kind],
            default=before.get(name),
            format_func=labels.__getitem__,
            key=key(name),
            help=HARM_HELP if kind is Harm else None,
            width="stretch",
        )


def _severity(policy: Policy, view: ReportView, key: Callable[[str], str]) -> None:
    levels(key, view.assessment or {})
    st.segmented_control(
        "Exploitation",
        [str(level) for level in Exploitation],
        default=view.case["exploitation"],
        format_func=EXPLOITATION.__getitem__,
        required=True,
        key=key("exploitation"),
        width="stretch",
    )
    found = inputs(view.report["report_id"], view.case["version"])
    if found is None:
        st.caption("The level appears when all five are chosen.")
        return
    level = policy.severity(found)
    with st.popover("Override the level", type="tertiary"):
        override = st.selectbox(
            "Level instead",
            [str(severity) for severity in Severity],
            index=None,
            format_func=SEVERITY.__getitem__,
            key=key("override"),
            placeholder="As computed",
        )
        st.text_input("Reason", key=key("override_reason"))
    final = Severity(override) if override else level
    priority = policy.priority(final, Exploitation(st.session_state[key("exploitation")]))
    overridden = f" instead of {severity_badge(level)}" if override else ""
    st.markdown(
        f"Severity {severity_badge(final)}{overridden} · priority {badge('blue', PRIORITY[priority])}"
    )


def _implied(clauses: list[Clause]) -> str:
    """What saving does when no outcome is chosen."""
    kinds = {clause.kind for clause in clauses}
    if not kinds:
        return "As the clause says"
    if ClauseKind.IN_SCOPE in kinds:
        return "Accept"
    resolution = next(found for kind, found in RESOLUTION_OF_KIND.items() if kind in kinds)
    return f"Close: {RESOLUTION[resolution].lower()}"


def inputs(report_id: str, version: int) -> SeverityInputs | None:
    """The five severity inputs as they stand on screen; None while one is missing."""
    chosen = [st.session_state.get(field(report_id, version, name)) for name, *_ in _INPUTS]
    if None in chosen:
        return None
    return SeverityInputs(*(kind(level) for (_, _, kind, _), level in zip(_INPUTS, chosen, strict=True)))


def collect(policy: Policy, report_id: str, version: int) -> Decision:
    """The decision that stands on screen for this version of this report."""

    def entered(name: str) -> Any:
        return st.session_state.get(field(report_id, version, name))

    clauses = tuple(entered("clauses") or ())
    in_scope = any(_kind(policy, clause_id) is ClauseKind.IN_SCOPE for clause_id in clauses)
    override = entered("override")
    exploitation = entered("exploitation")
    return Decision(
        clauses=clauses,
        inputs=inputs(report_id, version) if in_scope else None,
        resolution=entered("resolution"),
        note=(entered("note") or "").strip(),
        override=Severity(override) if in_scope and override else None,
        override_reason=entered("override_reason") or "",
        exploitation=Exploitation(exploitation) if exploitation else None,
        better_answer=(entered("better") or "").strip(),
        reproduction_log=entered("log") or "",
    )


def _kind(policy: Policy, clause_id: str) -> ClauseKind | None:
    try:
        return policy.clause(clause_id).kind
    except NotFound:  # the command says so
        return None
