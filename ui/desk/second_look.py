"""Second looks on screen: the list of them, the inputs of a decision, and two decisions side by side.

The inputs know nothing of the case: no earlier choice and no suggestion, since each would tell a second reviewer what
the first has decided. Their draft is the person's own, of this look alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import streamlit as st

from triage_core.desk import drafts, second_look
from triage_core.desk.looks import Dispute
from triage_core.guidance.policy import ClauseKind, Policy
from ui import decision, row_buttons, session
from ui.desk import aside
from ui.hostile import inline, plain, show
from ui.words import RESOLUTION, SEVERITY, SEVERITY_INPUTS, severity_badge


def choose(rows: Sequence[Mapping[str, Any]], captions: Sequence[LiteralString]) -> Mapping[str, Any]:
    """A list of looks, of which the address names one; gives that row, else the first."""
    names = [str(row["look_id"]) for row in rows]
    asked = session.picked("look")
    place = names.index(asked) if asked in names else 0
    aside.choose_one("Second looks", "look", names, place, [row["report_id"] for row in rows], captions)
    return rows[place]


@st.fragment
def inputs(policy: Policy, report_id: str, look_id: int) -> None:
    """The inputs of one decision, empty or as one's own draft has them; `answer` and `adjudicate` read them."""
    form, of = (report_id, -look_id), drafts.of_look(look_id)

    def key(name: str) -> str:
        return decision.field(*form, name)

    kept = (decision.keep, (*form, of))
    decision.resume(policy, of, *form)
    clauses = decision.cited(policy, key, *kept)
    decision.wording(clauses)
    if any(clause.kind is ClauseKind.IN_SCOPE for clause in clauses):
        decision.levels(key, *kept)
        found = decision.inputs(*form)
        if found:
            st.markdown(f"Severity {severity_badge(policy.severity(found))}")
        else:
            decision.tell_missing(*form)
        decision.override(key, *kept)
    decision.outcome(clauses, key, *kept)
    st.text_area("Note", key=key("note"), height=80, on_change=decision.keep, args=(*form, of))


def _over(look_id: int) -> None:
    drafts.save(session.current().store, session.actor(), drafts.of_look(look_id), {})


def two_decisions(dispute: Dispute) -> None:
    """What each of the two decided, a line for each thing, and their notes."""
    sides = (dispute.first, dispute.second)
    lines: dict[str, list[str]] = {
        "Reviewer": [inline(side["actor_id"]) for side in sides],
        "Clauses": [inline(", ".join(side["clauses"])) for side in sides],
        "Severity": [SEVERITY[side["severity"]] for side in sides],
        "Outcome": [RESOLUTION[side["resolution"]] if side["resolution"] else "Stays open" for side in sides],
    }
    for name, (label, _, levels) in SEVERITY_INPUTS.items():
        lines[label] = [levels[side[name]] if side[name] else "" for side in sides]
    st.dataframe(
        {
            "what": list(lines),
            "first": [first for first, _ in lines.values()],
            "second": [second for _, second in lines.values()],
            "differs": ["Differs" if first != second else "" for first, second in lines.values()],
        },
        column_config={
            "what": st.column_config.TextColumn("", width=130),
            "first": st.column_config.TextColumn("First decision", width=170),
            "second": st.column_config.TextColumn("Second decision", width=170),
            "differs": st.column_config.TextColumn("", width=70),
        },
        hide_index=True,
        height="content",
        alt="The first and the second decision side by side, a line for each thing that was decided",
    )
    _words(dispute.first, "Words with the first decision")
    _words(dispute.second, "Words with the second decision")


def _words(side: Mapping[str, Any], label: LiteralString) -> None:
    for part in ("note", "override_reason", "reproduction_log"):
        if side[part]:
            show(side[part], key=f"{part}-{side['assessment_id']}", label=label)


def answer(policy: Policy, look_id: int, report_id: str, next_id: int | None) -> None:
    """Save the blind decision that stands on screen, and go on."""
    decided = decision.collect(policy, report_id, -look_id)
    done = f"Your decision on {plain(report_id)} is kept"
    opened = session.current()
    if session.command(done, second_look.answer, opened.store, session.actor(), look_id, decided):
        _over(look_id)
        session.pick("look", str(next_id) if next_id else None)
        row_buttons.bring()  # it is read from its beginning


def adjudicate(look_id: int, report_id: str, version: int) -> None:
    """Save the decision on what two people decided differently."""
    opened = session.current()
    decided = decision.collect(opened.policy, report_id, -look_id)
    arguments = (opened.store, opened.policy, session.actor(), look_id, decided)
    done = f"{plain(report_id)} is decided"
    if session.command(done, second_look.adjudicate, *arguments, seen_version=version):
        _over(look_id)
        session.pick("look", None)
        row_buttons.bring()
