"""Answers: what the model should have said, written by one person and approved by another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import streamlit as st

from triage_core import queries
from triage_core.access import Command
from triage_core.desk import preferred
from triage_core.errors import NotFound
from ui import empty, report_view, session
from ui.desk import answers
from ui.hostile import plain

WRITE, APPROVE = "write", "approve"
PARTS: Mapping[str, LiteralString] = {WRITE: "Write", APPROVE: "Approve"}

now = session.now()
me = session.actor().actor_id
st.title("Answers", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
counts = session.read(preferred.counts, me)
may_write = session.may(Command.WRITE_ANSWER)
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    part = st.segmented_control(
        "Part",
        list(PARTS) if may_write else [APPROVE],
        default=WRITE if may_write else APPROVE,
        required=True,
        format_func=PARTS.__getitem__,
        key="answers-part",
        bind="query-params",
        label_visibility="collapsed",
        on_change=session.pick,
        args=("report", None),
    )
    st.caption(
        f"{counts.missing:,} to write · {counts.drafts:,} of others to approve · only approved answers are"
        " trained on",
        width="content",
    )
    if may_write:
        with st.popover("Read from a file", icon=":material/upload_file:"):
            answers.bringing_in()

rows = session.read(preferred.missing if part == WRITE else preferred.drafts, me)
asked = session.picked("report")
if not rows and not asked:
    st.info(
        "No answer waits to be written: every decided flaw that may be trained on has one."
        if part == WRITE
        else "No answer of somebody else waits for you.",
        icon=":material/done_all:",
    )
    st.stop()
left, middle, right = st.columns([22, 44, 34], gap="medium")
with left:
    report_id = answers.listed(rows, asked)
try:
    view = session.read(queries.report, report_id)
except NotFound:
    with middle:
        st.warning(f"There is no report {plain(report_id)}.", icon=":material/search_off:")
    st.stop()
answer = session.read(preferred.in_force, report_id)
others = [row["report_id"] for row in rows if row["report_id"] != report_id]
after = others[0] if others else None
with middle:
    report_view.heading(view, now)
    report_view.words(view)
with right:
    if part == WRITE:
        answers.editor(view, answer)
    else:
        answers.reading(view, answer)

with st.bottom:
    if part == WRITE:
        st.button(
            "Save the answer",
            key=f"save-answer-{report_id}",
            type="primary",
            icon=":material/check:",
            on_click=answers.write,
            args=(report_id, view.case["version"], after),
        )
    else:
        mine = answer.written_by == me
        closed = (
            mine or not answer.content or answer.approved_by is not None or answer.returned_by is not None
        )
        own = "Somebody else approves or sends back what you have written." if mine else None
        acts = st.container(horizontal=True)
        with acts.popover("Send back", icon=":material/undo:", disabled=closed, help=own):
            answers.returning(report_id, answer, view.case["version"], after)
        acts.button(
            "Approve the answer",
            key=f"approve-answer-{report_id}",
            type="primary",
            icon=":material/verified:",
            disabled=closed,
            help=own,
            on_click=answers.approve,
            args=(report_id, answer.answer_id, view.case["version"], after),
        )
