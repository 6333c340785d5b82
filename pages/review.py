"""Review: the queue, one conversation, and the decision on it."""

from __future__ import annotations

import streamlit as st

from triage_core import queries
from triage_core.access import Command
from triage_core.desk import undo
from triage_core.errors import NotFound
from ui import advise, assign, compare, decision, empty, filters, paint, report_view, session
from ui.hostile import plain
from ui.review import (
    actions,
    advice,
    beside,
    briefs,
    candidates,
    desk,
    keys,
    place,
    presence,
    queue,
    suggest,
    thread,
)
from ui.review.seen import Seen

ALIKE = 200  # pixels
READINGS = ["Conversation", "Differing words", "Side by side"]

now, decides = session.now(), session.may(Command.ASSESS)
handlers = {**desk.READING, **(desk.DECIDING if decides else {})}
place.settle(arrived=keys.is_new())
keys.answer(handlers)
left, middle, right = st.columns([22, 45, 33], gap="medium")
with left, st.popover("Filter the queue", icon=":material/filter_alt:", width="stretch"):
    chosen, sort = filters.draw()
ids = queue.ids(chosen, sort)
report_id = place.on_desk() or (ids[0] if ids else "")
if not report_id:
    with middle:
        if session.read(queries.is_empty):
            empty.no_reports()
        else:
            empty.nothing_found(chosen.words)
    st.stop()
try:
    view = session.read(queries.report, report_id)
except NotFound:
    with middle:
        st.warning(f"There is no report {plain(report_id)}.", icon=":material/search_off:")
        st.button("Go to the first of the queue", on_click=desk.go, args=(None,))
    st.stop()
place.put(report_id)  # a queue that changes never takes it from the desk
version, stands = view.case["version"], queue.place(ids, report_id)
is_new = beside.is_new(report_id, version)

# What is read comes first; what is near it may take longer to find out.
with middle, st.container(gap="xsmall"):
    report_view.heading(view, now)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="content"):
            mine = presence.line(report_id, version, waits=not candidates.compared(report_id))
        assign.menu(report_id, version, view.case["assigned_to"])
    # As high as five of them, so that the conversation stays in its place when they come.
    alike = st.container(height=ALIKE, border=False, gap=None)
    said = st.container()
    with said:
        if st.session_state.get("reading", READINGS[0]) == READINGS[0]:
            report_view.words(view)
if is_new:
    paint.text()
with left:
    window = queue.window(ids, report_id)
    queue.draw(ids, report_id, briefs.read((*window, report_id)))
found = beside.read(report_id, version, decides)

with alike:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        candidates.heading()
        compared = st.container(width="content")
    candidate = candidates.draw(found.similar, report_id, version, now)
with right, st.container(gap="xsmall"):
    if view.case["canonical_id"]:
        actions.linked(view)
    elif decides:
        advice.draw(found.suggested, report_id, version)
    if decides and not view.case["canonical_id"]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader("Decision", anchor=False, width="content")
            suggest.levels(found.suggested)
        decision.start(view)
        decision.panel(session.current().policy, view)
        suggest.nearest(found.suggested)
    elif not decides:
        st.info("Your role reads reports; reviewers decide on them.", icon=":material/visibility:")
        advise.where_it_reaches(report_id)

with compared:
    if candidate:
        st.segmented_control(
            f"Compare with {plain(candidate.brief.report_id)}",
            READINGS,
            default=READINGS[0],
            required=True,
            key="reading",
            label_visibility="collapsed",
        )
with said:
    reading = st.session_state.get("reading", READINGS[0])
    if reading != READINGS[0] and not candidate:
        report_view.words(view)
    elif reading == READINGS[1]:
        compare.words(found.this, candidate.brief)
    elif reading == READINGS[2]:
        compare.side_by_side(found.this, candidate.brief, f"side-{report_id}")
with middle:
    report_view.reporters_view(view)
    thread.draw(view)
    report_view.history(view)

last = session.read(undo.last_of, session.actor()) if decides else None
shown = Seen(
    report_id,
    version,
    candidate.pairing if candidate else None,
    found.clause,
    last.seq if last else 0,
    mine,
)
with st.bottom:
    actions.bar(view, stands, candidate, shown, last)
    keys.listen(shown, found.similar.pairings, handlers)
if st.session_state.pop(desk.HELP, False):
    keys.explain()
if is_new and stands.after:
    beside.read_ahead(ids, stands.after, decides)
