"""Review: the queue, one conversation, and the decision on it."""

from __future__ import annotations

import streamlit as st

from triage_core import boards, queries
from triage_core.access import Command
from triage_core.errors import NotFound
from ui import actions, candidates, compare, decision, desk, empty, filters, queue, report_view, session
from ui.hostile import plain

READINGS = ["Conversation", "Differing words", "Side by side"]

now = session.now()
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
left, middle, right = st.columns([24, 46, 30], gap="medium")
with left, st.popover("Filter the queue", icon=":material/filter_alt:", width="stretch"):
    chosen, sort = filters.draw()
ids = session.read(queries.queue, chosen, sort, queue.LONGEST)
report_id = session.picked("report") or (ids[0] if ids else "")
if not report_id:
    with middle:
        empty.nothing_found(chosen.words)
    st.stop()
with left:
    queue.draw(ids, report_id)
try:
    view = session.read(queries.report, report_id)
except NotFound:
    with middle:
        st.warning(f"There is no report {plain(report_id)}.", icon=":material/search_off:")
        st.button("Go to the first of the queue", on_click=desk.go, args=(None,))
    st.stop()
version = view.case["version"]
place = queue.place(ids, report_id)

with right:
    candidate = candidates.draw(report_id, version, now)
    if view.case["canonical_id"]:
        st.info(f"A duplicate of {plain(view.case['canonical_id'])}.", icon=":material/content_copy:")
        with st.container(horizontal=True):
            st.button("Open it", key="canonical", on_click=desk.go, args=(view.case["canonical_id"],))
            st.button(
                "Unlink",
                key=f"unlink-{report_id}-{version}",
                icon=":material/link_off:",
                disabled=not session.may(Command.UNLINK),
                on_click=desk.unlink,
                args=(report_id, version),
            )
    elif session.may(Command.ASSESS):
        st.subheader("Decision", anchor=False)
        decision.panel(session.current().policy, view)
    else:
        st.info("Your role reads reports; reviewers decide on them.", icon=":material/visibility:")

with middle:
    report_view.heading(view, now)
    reading = READINGS[0]
    if candidate:
        this = session.read(boards.briefs, (report_id,))[report_id]
        reading = st.segmented_control(
            f"Compare with {plain(candidate.brief.report_id)}",
            READINGS,
            default=READINGS[0],
            required=True,
            key="reading",
        )
    if reading == READINGS[0]:
        report_view.words(view)
    elif reading == READINGS[1]:
        compare.words(this, candidate.brief)
    else:
        compare.side_by_side(this, candidate.brief, f"side-{report_id}")
    report_view.history(view)

with st.bottom:
    actions.bar(view, place, candidate)
