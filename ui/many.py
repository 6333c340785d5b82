"""One decision for many reports: what is chosen is shown, what is done is told, and all of it can be undone.

The reports and the versions are those of the list that was drawn, not of the press that chose them: whatever
comes in or changes meanwhile, nothing else is decided on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import LiteralString

import streamlit as st

from triage_core import queries
from triage_core.access import Command
from triage_core.desk import bulk, claims, drafts
from triage_core.desk.bulk import Outcome
from triage_core.desk.claims import Snooze
from triage_core.desk.decision import Decision, check
from triage_core.errors import FlawdeskError, Refused
from triage_core.guidance.policy import ClauseKind
from triage_core.queries import Filter, Sort
from ui import assign, decision, refusals, session
from ui.hostile import inline, plain
from ui.words import SNOOZE, counted, severity_badge, state_label

CHOSEN = "many"
DONE = "many_done"
_BACK = "many_taken_back"
SAMPLE = 5
ACTIONS: Mapping[str, LiteralString] = {
    "assess": "Assess",
    "link": "Close as duplicates",
    "assign": "Assign",
    "snooze": "Snooze",
}

Act = Callable[[Mapping[str, int]], Outcome]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The reports to decide on with the versions shown of them; `newer` came into the same list since."""

    seen: Mapping[str, int]
    newer: int = 0


def bar(picked: Mapping[str, int], drawn: Mapping[str, int], total: int, listed: Filter, sort: Sort) -> None:
    """The buttons that decide on the picked rows, or on `drawn`: of `total` that were listed, as many as are taken."""
    if not session.may(Command.ASSESS):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        few = st.button(
            f"Decide on {counted(len(picked), 'chosen report')}"
            if picked
            else "Choose rows to decide on many",
            icon=":material/checklist:",
            type="primary" if picked else "secondary",
            disabled=not picked,
            on_click=_take,
            args=(Chosen(dict(picked)),),
        )
        many = f"all {total:,}" if total == len(drawn) else f"the first {len(drawn):,}"
        every = st.button(
            f"Decide on {many}",
            key=f"decide-all-{session.snapshot_key(drawn)}",
            type="tertiary",
            disabled=total < 2,
            on_click=_take_all,
            args=(dict(drawn), total, listed, sort),
        )
    if few or every:  # a list may be a fragment, and the dialog belongs to the page
        st.rerun()


def resume() -> None:
    """The dialog while one is open: also over a list that the decision has emptied."""
    if CHOSEN in st.session_state:
        _dialog()


def _take(chosen: Chosen) -> None:
    leave()
    st.session_state[CHOSEN] = chosen


def _take_all(drawn: Mapping[str, int], total: int, listed: Filter, sort: Sort) -> None:
    newer = 0
    if total == len(drawn):
        with session.look() as cursor:  # not from memory: what came in since the page was drawn
            newer = len(queries.snapshot(cursor, listed, sort, 2 * bulk.MOST).keys() - drawn.keys())
    _take(Chosen(drawn, newer))


def leave() -> None:
    for name in (CHOSEN, DONE, _BACK):
        st.session_state.pop(name, None)


@st.dialog("One decision for many", width="large", icon=":material/checklist:", on_dismiss=leave)
def _dialog() -> None:
    if DONE in st.session_state:
        told()
        return
    chosen: Chosen = st.session_state[CHOSEN]
    act = _form(chosen)
    if act:
        with st.spinner(f"Deciding on {counted(len(chosen.seen), 'report')}"):
            do(act, chosen.seen)
        _anew()


def _anew() -> None:
    """Draw the dialog by a run of its own: what one run has drawn stays on screen until it ends, and longer."""
    st.rerun(scope="fragment" if session.is_part() else "app")


def _form(chosen: Chosen) -> Act | None:
    """What is chosen and what shall be done; gives it when the button was pressed."""
    seen = chosen.seen
    st.markdown(f"**{counted(len(seen), 'report')}**, as the list showed them.")
    if chosen.newer:
        st.caption(f"{chosen.newer:,} more came in since and are not among them.")
    sample(seen)
    action = st.segmented_control(
        "What is done",
        list(ACTIONS),
        default="assess",
        required=True,
        format_func=ACTIONS.__getitem__,
        key="many_action",
    )
    act = _assess(seen) if action == "assess" else _OTHERS[action]()
    pressed = st.button(
        f"{ACTIONS[action]}: {counted(len(seen), 'report')}", type="primary", disabled=act is None
    )
    return act if pressed else None


def sample(seen: Mapping[str, int]) -> None:
    """Five of the reports, spread over the list."""
    ids = list(seen)
    few = ids[:: max(1, len(ids) // SAMPLE)][:SAMPLE]
    briefs = session.read(queries.briefs, few)
    st.dataframe(
        {
            "report": few,
            "wrong": [inline(briefs[name]["excerpt"]) for name in few],
            "state": [state_label(briefs[name]["status"], briefs[name]["resolution"]) for name in few],
        },
        column_config={
            "report": st.column_config.TextColumn("Report", width=75),
            "wrong": st.column_config.TextColumn("What is wrong", width="large"),
            "state": st.column_config.TextColumn("State", width=130),
        },
        hide_index=True,
        height="content",
        alt="A sample of the chosen reports, one a row",
    )
    if len(ids) > len(few):
        st.caption(f"A sample of {len(few)}, spread over the list.")


def decided(seen: Mapping[str, int]) -> Decision | None:
    """Ask for one decision for these reports, with the inputs of Review and a draft; None while it is not complete."""
    policy, of = session.current().policy, drafts.of_many(seen)
    form = (of, 0)  # stands for a report and its version in the keys of the inputs

    def key(name: str) -> str:
        return decision.field(*form, name)

    kept = (decision.keep, (*form, of))
    decision.resume(policy, of, *form)
    clauses = decision.cited(policy, key, *kept)
    decision.wording(clauses)
    if any(clause.kind is ClauseKind.IN_SCOPE for clause in clauses):
        decision.levels(key, *kept)
        inputs = decision.inputs(*form)
        if inputs is None:
            decision.tell_missing(*form)
        else:
            level = decision.override(key, *kept) or policy.severity(inputs)
            st.markdown(f"Severity {severity_badge(level)}")
    decision.outcome(clauses, key, *kept)
    st.text_area(
        "Note, which the reporters may read",
        key=key("note"),
        height=80,
        on_change=decision.keep,
        args=(*form, of),
    )
    if not clauses:
        return None
    made = decision.collect(policy, *form)
    try:
        check(policy, made)
    except Refused as refusal:
        st.caption(f"Not complete: {refusals.why(refusal)}")
        return None
    return made


def _assess(seen: Mapping[str, int]) -> Act | None:
    opened, decision_made = session.current(), decided(seen)
    if decision_made is None:
        return None
    return lambda seen: bulk.assess(opened.store, opened.policy, session.actor(), seen, decision_made)


def _link() -> Act | None:
    canonical = st.text_input("Duplicates of the report", key="many_canonical", placeholder="FR-…").strip()
    found = session.read(queries.briefs, (canonical,)).get(canonical) if canonical else None
    if canonical and found is None:
        st.caption(f"There is no report {plain(canonical)}.")
    if found is None:
        return None
    st.code(inline(found["excerpt"], queries.EXCERPT), language=None, wrap_lines=True)
    st.caption("Reports that came before it, or that a reviewer has kept apart from it, are skipped.")
    return lambda seen: bulk.link(
        session.current().store,
        session.actor(),
        {name: version for name, version in seen.items() if name != canonical},
        canonical,
    )


def _assign() -> Act | None:
    people = assign.people()
    name = st.selectbox(
        "Task of", list(people), index=None, format_func=people.__getitem__, key="many_person"
    )
    if name is None:
        return None
    return lambda seen: bulk.assign(session.current().store, session.actor(), seen, assign.person(name))


def _snooze() -> Act | None:
    choice = st.segmented_control(
        "Until",
        list(Snooze),
        default=Snooze.TOMORROW,
        required=True,
        format_func=SNOOZE.__getitem__,
        key="many_until",
    )
    until = claims.wakes_at(choice, session.now())
    st.caption("They leave the lists until then. Their clocks run on.")
    return lambda seen: bulk.snooze(session.current().store, session.actor(), seen, until)


_OTHERS: Mapping[str, Callable[[], Act | None]] = {"link": _link, "assign": _assign, "snooze": _snooze}


def do(act: Act, seen: Mapping[str, int]) -> None:
    """Decide on these, once; the outcome is kept for `told`."""
    if DONE in st.session_state:
        return  # the same press once more
    _run(lambda: act(seen))
    if DONE in st.session_state:
        drafts.save(session.current().store, session.actor(), drafts.of_many(seen), {})


def _run(act: Callable[[], Outcome]) -> bool:
    """Do it and keep the outcome; False when it was refused."""
    try:
        st.session_state[DONE] = act()
    except FlawdeskError as error:
        st.toast(f"Nothing was changed: {refusals.why(error)}", icon=":material/block:", duration="long")
        return False
    return True


def _undo(batch: int) -> None:
    if _run(lambda: bulk.undo_batch(session.current().store, session.actor(), batch)):
        st.session_state[_BACK] = not st.session_state.get(_BACK, False)


def told(close: Callable[[], None] = leave) -> None:
    """What was done, what was skipped and why, and the way back; when that was gone, the same of the way back.

    `close` forgets what the dialog was opened for.
    """
    outcome: Outcome = st.session_state[DONE]
    back = st.session_state.get(_BACK, False)
    many = counted(len(outcome.done), "report")
    st.markdown(
        f":material/undo: **Taken back on {many}.**" if back else f":material/check: **Done on {many}.**"
    )
    if outcome.skipped:
        st.markdown(f":material/block: {counted(len(outcome.skipped), 'report')} skipped, and why:")
        st.dataframe(
            {
                "report": [inline(item.report_id) for item in outcome.skipped],
                "why": [inline(item.why, 200) for item in outcome.skipped],
            },
            column_config={
                "report": st.column_config.TextColumn("Report", width=90),
                "why": st.column_config.TextColumn("Why it was skipped", width="large"),
            },
            hide_index=True,
            alt="The reports that were skipped, one a row, and why",
        )
    with st.container(horizontal=True):
        turn = outcome.batch and st.button(
            f"Do it again: {many}" if back else f"Undo all of it: {many}",
            icon=":material/redo:" if back else ":material/undo:",
            key=f"undo-batch-{outcome.batch}",
        )
        if st.button("Close", key="many_close"):
            close()
            st.rerun()
    if outcome.batch and turn:
        with st.spinner(f"Deciding on {many}"):
            _undo(outcome.batch)
        _anew()
