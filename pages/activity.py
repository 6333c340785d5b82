"""Activity: who did what and when, filtered and paged in SQL, and every decision can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import LiteralString

import streamlit as st

from triage_core import queries
from triage_core.desk import activity, assessments, undoable
from ui import empty, event_words, paging, row_buttons, session
from ui.desk import undo
from ui.event_words import EVENTS
from ui.hostile import inline
from ui.words import ago, counted

SIZE = 25
DECISIONS = "decisions"
ANY = "any"
KINDS: Mapping[str, LiteralString] = {DECISIONS: "Decisions and undos", ANY: "Everything", **EVENTS}
PERIODS: Mapping[str, LiteralString] = {"1": "A day", "7": "A week", "30": "30 days", "all": "All time"}
EVERYTHING = {"report": "", "who": [], "what": ANY, "since": "all"}


def show_first_page() -> None:
    st.session_state["events"] = 1


def show_everything() -> None:
    st.session_state.update(EVERYTHING)
    show_first_page()


now = session.now()
st.title("Activity", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
with st.container(horizontal=True, gap="small"):
    report = st.text_input(
        "Report", key="report", bind="query-params", placeholder="Any, by its id", width=170,
        on_change=show_first_page,
    )  # fmt: skip
    actor = st.multiselect(
        "Who", session.read(activity.actors), format_func=inline, key="who", bind="query-params",
        placeholder="Anybody", width=220, on_change=show_first_page,
    )  # fmt: skip
    kind = st.selectbox(
        "What", list(KINDS), format_func=KINDS.__getitem__, key="what", bind="query-params", width=220,
        on_change=show_first_page,
    )  # fmt: skip
    period = st.segmented_control(
        "Period", list(PERIODS), default="all", required=True, format_func=PERIODS.__getitem__, key="since",
        bind="query-params", on_change=show_first_page,
    )  # fmt: skip
chosen = activity.Filter(
    actor=actor,
    kind=tuple(sorted(undoable.UNDOABLE)) if kind == DECISIONS else () if kind == ANY else (kind,),
    report=(report or "").strip(),
    since=None if period == "all" else now - timedelta(days=int(period)),
)

if session.picked("event"):
    undo.draw(session.picked("event"))

total = session.read(activity.events, chosen, 1, 1)[1]
if not total:
    with st.container(border=True):
        st.markdown(
            "**No event fits these filters.** Decisions made on Review and Duplicates are listed here."
        )
        st.button("Show everything", icon=":material/filter_alt_off:", on_click=show_everything)
    st.stop()
table = st.container()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    beside = st.container(horizontal=True, vertical_alignment="center", width="content")
    beside.caption(f"{counted(total, 'event')}, newest first", width="content")
    page = paging.choose(total, SIZE, "events", most=7)
rows = session.read(activity.events, chosen, page, SIZE)[0]
made = session.read(assessments.numbered, event_words.assessments(rows))

# The key carries the snapshot: a row number means an event only among the rows that were shown.
names = tuple(str(row.seq) for row in rows)
key = f"events-{session.snapshot_key({str(row.seq): row.undone_by or 0 for row in rows})}"
if name := row_buttons.opened(key, names):
    session.pick("event", name)
    st.rerun()

undoes = {
    str(row.seq): f"{row.seq:,} {event_words.what(row)} {row.subject}"
    for row in rows
    if undo.may_undo(row) and not row.undone_by
}
table.dataframe(
    {
        "undo": [["Undo"] if name in undoes else [] for name in names],
        "number": [f"{row.seq:,}" for row in rows],
        "when": [ago(row.done_at, now) for row in rows],
        "who": [inline(row.actor_id) for row in rows],
        "what": [inline(event_words.what(row)) for row in rows],
        "report": [inline(row.subject) for row in rows],
        "changes": [inline(event_words.line(row, made), event_words.LONG) for row in rows],
    },
    column_config={
        "undo": st.column_config.ButtonColumn("", width=75, pinned=True, type="tertiary", key=key),
        "number": st.column_config.TextColumn("Event", width=65, pinned=True, alignment="right"),
        "when": st.column_config.TextColumn("When", width=90),
        "who": st.column_config.TextColumn("Who", width=120),
        "what": st.column_config.TextColumn("What", width=190),
        "report": st.column_config.TextColumn("Report", width=80),
        "changes": st.column_config.TextColumn("Changes", width="large"),
    },
    hide_index=True,
    height="content",
    key=f"table-{key}",
    alt="Events that fit the filters, one a row, with a button that asks whether to undo it",
)
with beside:
    row_buttons.as_menu("Undo an event", key, names, undoes)
