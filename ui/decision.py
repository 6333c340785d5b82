"""The decision panel: clauses with their examples, the severity inputs with the level they give, words.

Every widget's key carries the report and its version, and so does every command that reads them:
what was entered for one report can never be saved for another. What is entered is kept as a draft.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from triage_core.desk import drafts
from triage_core.desk.decision import RESOLUTION_OF_KIND, Decision
from triage_core.errors import NotFound, Refused
from triage_core.guidance.policy import Clause, ClauseKind, Policy
from triage_core.model import (
    Exploitation,
    Harm,
    Resolution,
    Severity,
    SeverityInputs,
)
from triage_core.queries import ReportView
from ui import session, why_level
from ui.hostile import plain
from ui.words import (
    EXPLOITATION,
    HARM_HELP,
    PRIORITY,
    RESOLUTION,
    SEVERITY,
    SEVERITY_INPUTS,
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
_ENTERED = "entered"
Key = Callable[[str], str]  # the widget key of an input by its name
OnChange = Callable[..., None] | None


def field(report_id: str, version: int, name: str) -> str:
    """The widget key of one input for one version of one report."""
    return f"{name}-{report_id}-{version}"


def start(view: ReportView) -> None:
    """Fill the inputs of a report that comes to the desk: from the draft, else from the decision in force."""
    report_id, version = view.report["report_id"], view.case["version"]
    _leave((report_id, version))
    if all(field(report_id, version, name) in st.session_state for name in ("clauses", "question")):
        return
    with session.look() as cursor:  # a draft is no event: nothing remembers it by revision
        draft = drafts.read(cursor, session.actor(), report_id)
    before = view.assessment or {}
    known = {clause.clause_id for clause in session.current().policy.clauses}
    values: dict[str, Any] = {name: before.get(name) for name in SEVERITY_INPUTS}
    values |= {"clauses": before.get("clauses") or [], "exploitation": view.case["exploitation"]}
    values |= {
        "note": before.get("note") or "",
        "better": view.better_answer,
        "question": "",
        "retest": "",
    }
    values |= draft
    values["clauses"] = [clause_id for clause_id in values["clauses"] if clause_id in known]
    for name, value in values.items():
        st.session_state[field(report_id, version, name)] = value
    st.session_state[field(report_id, version, "drafted")] = bool(draft)


def resume(policy: Policy, of: str, report_id: str, version: int) -> None:
    """Fill the inputs from the draft that `of` names when they come on screen, with nothing else, and say so."""

    def key(name: str) -> str:
        return field(report_id, version, name)

    if key("clauses") not in st.session_state:
        with session.look() as cursor:
            draft = drafts.read(cursor, session.actor(), of)
        known = {clause.clause_id for clause in policy.clauses}
        for name in drafts.FIELDS:
            st.session_state.pop(key(name), None)
        for name, value in draft.items():
            st.session_state[key(name)] = value
        st.session_state[key("clauses")] = [name for name in draft.get("clauses", ()) if name in known]
        st.session_state[key("drafted")] = bool(draft)
    if st.session_state.get(key("drafted")):
        st.caption(":material/edit_note: Your draft is back.")


def _leave(stays: tuple[str, int]) -> None:
    """Forget what was entered for the report before this one: drafts are kept in the store.

    Streamlit forgets what it draws no more, but not what we have filled and nobody has opened; and most inputs read
    through all that a session holds.
    """
    before, st.session_state[_ENTERED] = st.session_state.get(_ENTERED, stays), stays
    if before != stays:
        for name in ("question", "retest", "drafted"):
            st.session_state.pop(field(*before, name), None)


def keep(report_id: str, version: int, of: str = "") -> None:
    """Save what is entered as a draft, of the report or of what `of` names; for the callback of every input."""
    found = {name: st.session_state.get(field(report_id, version, name)) for name in drafts.FIELDS}
    try:
        drafts.save(session.current().store, session.actor(), of or report_id, found)
    except Refused as refusal:
        st.toast(f"The draft is not kept: {plain(str(refusal))}", icon=":material/block:", duration="long")


def choose_clause(report_id: str, version: int, clause_id: str) -> None:
    """Add a clause to those chosen."""
    chosen = field(report_id, version, "clauses")
    st.session_state[chosen] = list(dict.fromkeys([*(st.session_state.get(chosen) or ()), clause_id]))
    keep(report_id, version)


def choose_harm(report_id: str, version: int, harm: Harm, advised: str) -> None:
    """Choose the harm; with no clause chosen yet, the advised one as well when it is in scope."""
    st.session_state[field(report_id, version, "harm")] = str(harm)
    if not st.session_state.get(field(report_id, version, "clauses")) and (
        _kind(session.current().policy, advised) is ClauseKind.IN_SCOPE
    ):
        choose_clause(report_id, version, advised)
    else:
        keep(report_id, version)


@st.fragment
def panel(policy: Policy, view: ReportView) -> None:
    """Draw the inputs; the level and the priority follow every click without redrawing the page."""
    report_id, version = view.report["report_id"], view.case["version"]

    def key(name: str) -> str:
        return field(report_id, version, name)

    if st.session_state.get(key("drafted")):
        st.caption(":material/edit_note: Your draft of this report is back.")
    with st.container(gap="xsmall"):
        clauses = cited(policy, key, keep, (report_id, version))
        if not clauses or any(clause.kind is ClauseKind.IN_SCOPE for clause in clauses):
            _severity(policy, view, key)
    wording(clauses)
    outcome(clauses, key, keep, (report_id, version))
    st.text_area(
        "Note, which the reporter may read",
        key=key("note"),
        height=80,
        on_change=keep,
        args=(report_id, version),
    )
    st.text_area(
        "Better answer, for training",
        key=key("better"),
        height=80,
        help="What the model should have said. Somebody else approves it on Answers before it is trained on.",
        on_change=keep,
        args=(report_id, version),
    )


def cited(policy: Policy, key: Key, on_change: OnChange = None, args: tuple[Any, ...] = ()) -> list[Clause]:
    """The picker of clauses; gives those that are chosen."""
    titles = {clause.clause_id: f"{clause.clause_id} {clause.title}" for clause in policy.clauses}
    chosen = st.multiselect(
        "Clauses of the guidance",
        list(titles),
        format_func=titles.__getitem__,
        key=key("clauses"),
        placeholder="Cite at least one",
        on_change=on_change,
        args=args,
    )
    return [policy.clause(clause_id) for clause_id in chosen]


def wording(clauses: list[Clause]) -> None:
    """The words and the examples of each clause."""
    for clause in clauses:
        with st.container(border=True, gap="xsmall"):
            st.text(clause.text.strip())
            st.markdown(":green-badge[:material/check: In scope]")
            st.text(clause.in_scope_example.strip())
            st.markdown(":gray-badge[:material/close: Not in scope]")
            st.text(clause.out_of_scope_example.strip())


def outcome(clauses: list[Clause], key: Key, on_change: OnChange = None, args: tuple[Any, ...] = ()) -> None:
    """Another outcome than the one that the clauses imply, and the log that one of them needs."""
    chosen = st.selectbox(
        "Outcome",
        OUTCOMES,
        index=None,
        format_func=RESOLUTION.__getitem__,
        placeholder=_implied(clauses),
        key=key("resolution"),
        on_change=on_change,
        args=args,
    )
    if chosen == Resolution.NOT_REPRODUCIBLE:
        st.text_area(
            "Reproduction log",
            key=key("log"),
            placeholder="What was tried, how often, on which version",
            on_change=on_change,
            args=args,
        )


def override(key: Key, on_change: OnChange = None, args: tuple[Any, ...] = ()) -> Severity | None:
    """Another level than the computed one, with its reason; gives it, None where it stays as computed."""
    with st.popover("Override the level", type="tertiary"):
        chosen = st.selectbox(
            "Level instead",
            [str(severity) for severity in Severity],
            index=None,
            format_func=SEVERITY.__getitem__,
            key=key("override"),
            placeholder="As computed",
            on_change=on_change,
            args=args,
        )
        st.text_input("Reason", key=key("override_reason"), live="1s", on_change=on_change, args=args)
    return Severity(chosen) if chosen else None


def levels(
    key: Key, on_change: OnChange = None, args: tuple[Any, ...] = (), *, by_keys: bool = False
) -> None:
    """The five severity inputs, each under the key of its name; with `by_keys` the label of one names its keys."""
    for name, (label, kind, labels) in SEVERITY_INPUTS.items():
        st.segmented_control(
            f"{label}, keys 1 to 4" if by_keys and kind is Harm else label,
            [str(level) for level in kind],
            format_func=labels.__getitem__,
            key=key(name),
            help=HARM_HELP if kind is Harm else None,
            width="stretch",
            on_change=on_change,
            args=args,
        )


def _severity(policy: Policy, view: ReportView, key: Key) -> None:
    report_id, version = view.report["report_id"], view.case["version"]
    # An input that was hidden by a clause out of scope comes back without what it held.
    st.session_state.setdefault(key("exploitation"), view.case["exploitation"])
    with st.container(key="levels", gap="xxsmall"):
        levels(key, keep, (report_id, version), by_keys=True)
        st.segmented_control(
            "Exploitation",
            [str(level) for level in Exploitation],
            format_func=EXPLOITATION.__getitem__,
            required=True,
            key=key("exploitation"),
            width="stretch",
            on_change=keep,
            args=(report_id, version),
        )
    found = inputs(report_id, version)
    if found is None:
        tell_missing(report_id, version)
        return
    level = policy.severity(found)
    beside = st.container(horizontal=True, gap="small")
    with beside:
        why_level.draw(policy, found)
    with beside:
        instead = override(key, keep, (report_id, version))
    final = instead or level
    priority = policy.priority(final, Exploitation(st.session_state[key("exploitation")]))
    overridden = f" instead of {severity_badge(level)}" if instead else ""
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
    chosen = [st.session_state.get(field(report_id, version, name)) for name in SEVERITY_INPUTS]
    if None in chosen:
        return None
    kinds = [kind for _, kind, _ in SEVERITY_INPUTS.values()]
    return SeverityInputs(*(kind(level) for kind, level in zip(kinds, chosen, strict=True)))


def tell_missing(report_id: str, version: int) -> None:
    """Name the severity inputs that are not chosen yet: Exploitation, which stands below them, is none of them."""
    labels = [
        label
        for name, (label, *_) in SEVERITY_INPUTS.items()
        if not st.session_state.get(field(report_id, version, name))
    ]
    st.caption(f"The level appears when these are chosen: {', '.join(labels)}.")


def collect(policy: Policy, report_id: str, version: int) -> Decision:
    """The decision that stands on screen for this version of this report."""

    def entered(name: str) -> Any:
        return st.session_state.get(field(report_id, version, name))

    clauses = tuple(entered("clauses") or ())
    in_scope = any(_kind(policy, clause_id) is ClauseKind.IN_SCOPE for clause_id in clauses)
    instead = entered("override")
    exploitation = entered("exploitation")
    return Decision(
        clauses=clauses,
        inputs=inputs(report_id, version) if in_scope else None,
        resolution=entered("resolution"),
        note=(entered("note") or "").strip(),
        override=Severity(instead) if in_scope and instead else None,
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
