"""Second look: decide again without seeing the first decision, settle where two differ, see how far all agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import streamlit as st

from triage_core import queries
from triage_core.access import Command
from triage_core.desk import looks
from triage_core.guidance import policies
from ui import empty, report_view, row_buttons, session
from ui.desk import agreement, second_look
from ui.hostile import plain
from ui.words import ago

BLIND, DISPUTED, AGREEMENT = "blind", "adjudicate", "agreement"
PARTS: Mapping[str, LiteralString] = {
    BLIND: "Decide again, blind",
    DISPUTED: "Adjudicate",
    AGREEMENT: "Agreement",
}
SIZE = 25

now = session.now()
me = session.actor().actor_id
st.title("Second look", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
counts = session.read(looks.counts, me)
may_answer = session.may(Command.SECOND_LOOK)
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    part = st.segmented_control(
        "Part",
        [name for name in PARTS if may_answer or name != BLIND],
        default=BLIND if may_answer else DISPUTED,
        required=True,
        format_func=PARTS.__getitem__,
        key="part",
        bind="query-params",
        label_visibility="collapsed",
        on_change=session.pick,
        args=("look", None),
    )
    st.caption(
        f"{counts.mine:,} for you of {counts.waiting:,} that wait for a second decision"
        f" · {counts.disputed:,} to adjudicate",
        width="content",
    )

if part == AGREEMENT:
    agreement.draw(session.read(looks.pairs), session.current().policy)
    st.stop()

left, middle, right = st.columns([22, 46, 32], gap="medium")
with left:
    row_buttons.into_view()
if part == BLIND:
    rows = session.read(looks.mine, me)
    if not rows:
        st.info(
            "No decision waits for your second look. A share of all decisions and every critical one is drawn;"
            " those that you made, or asked about, go to somebody else.",
            icon=":material/done_all:",
        )
        st.stop()
    with left:
        look = second_look.choose(
            rows, [f"asked {ago(row['asked_at'], now)}: {plain(row['excerpt'], 18)}" for row in rows]
        )
    place = rows.index(look)
    following = [row["look_id"] for row in (*rows[place + 1 :], *rows[:place])]
    look_id, report_id = look["look_id"], look["report_id"]
    policy = session.read(policies.version, look["policy_version"])
    view = session.read(looks.blind, report_id)
    with middle:
        st.header(plain(report_id), anchor=False)
        st.caption(
            f"received {ago(view.report['received_at'], now)} · you see the report as it came in, and nothing"
            " of what has been decided on it"
        )
        report_view.words(view)
    with right:
        report_view.reporters_view(view)
        st.subheader("Your own decision", anchor=False)
        second_look.inputs(policy, report_id, look_id)
    arguments = (policy, look_id, report_id, following[0] if following else None)
    save = second_look.answer
else:
    disputes = session.read(looks.disputes, 1, SIZE)
    if not disputes:
        st.info("Nowhere do two decisions differ.", icon=":material/done_all:")
        st.stop()
    rows = [{"look_id": one.look_id, "report_id": one.report_id} for one in disputes]
    with left:
        look = second_look.choose(
            rows, [f"Agreement {one.agreement:.2f}, asked {ago(one.asked_at, now)}" for one in disputes]
        )
        if counts.disputed > SIZE:
            st.caption(f"The {SIZE} with the lowest agreement of {counts.disputed:,}")
    dispute = disputes[rows.index(look)]
    look_id, report_id = dispute.look_id, dispute.report_id
    view = session.read(queries.report, report_id)
    with middle:
        report_view.heading(view, now)
        second_look.two_decisions(dispute)
        report_view.words(view)
    with right:
        report_view.reporters_view(view)
        if me in {dispute.first["actor_id"], dispute.second["actor_id"]}:
            st.info("You are one of the two: somebody else settles this.", icon=":material/balance:")
            st.stop()
        st.subheader("What holds", anchor=False)
        second_look.inputs(session.current().policy, report_id, look_id)
    arguments = (look_id, report_id, dispute.version)
    save = second_look.adjudicate

with st.bottom:
    st.button(
        "Save decision",
        key=f"save-look-{look_id}",
        type="primary",
        icon=":material/check:",
        on_click=save,
        args=arguments,
    )
