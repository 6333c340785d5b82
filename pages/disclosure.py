"""Disclosure: which flaw may be told when, whose answer is waited for, and the acts of the disclosure lead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import LiteralString

import streamlit as st

from triage_core import queries
from triage_core.disclosure import embargo_board
from triage_core.disclosure.embargo_board import Show
from ui import charts, empty, filters, paging, row_buttons, session
from ui.charts import BLUE, ORANGE, VIOLET
from ui.disclosure import card
from ui.hostile import inline
from ui.words import counted

SIZE = 25
SHOWN: Mapping[str, LiteralString] = {
    Show.RUNNING: "Running",
    Show.FOR_US: "Waiting for our answer",
    Show.FOR_REPORTER: "Waiting for the reporter",
    Show.SHOULD_END: "Should end",
    Show.OVER: "Over",
}
ABOUT: Mapping[str, LiteralString] = {
    Show.RUNNING: "In force, or proposed and not over.",
    Show.FOR_US: "The reporter has proposed an end; the disclosure lead accepts or rejects it.",
    Show.FOR_REPORTER: "We have proposed an end, and the reporter has not answered.",
    Show.SHOULD_END: "Attacks are seen, and the embargo is still in force: it protects nobody any more.",
}
NOTHING: Mapping[str, LiteralString] = {
    Show.RUNNING: "No embargo is in force and none is proposed.",
    Show.FOR_US: "No reporter waits for an answer about an embargo.",
    Show.FOR_REPORTER: "No proposal of ours waits for its reporter.",
    Show.SHOULD_END: "No flaw under embargo is being attacked, as far as is known.",
    Show.OVER: "No embargo has ended yet.",
}
NONE_OF_THESE: LiteralString = "No embargo of the chosen products is among these."
GROUPS: Mapping[str, LiteralString] = {
    "active": "In force",
    "revise": "Another end proposed",
    "proposed": "Only proposed",
}


def show_first_page() -> None:
    st.session_state["embargoes"] = 1


now = session.now()
st.title("Disclosure", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
head = st.container()
with st.container(horizontal=True):
    shown = st.segmented_control(
        "Show",
        [str(show) for show in Show],
        default=str(Show.RUNNING),
        required=True,
        format_func=SHOWN.__getitem__,
        key="show",
        bind="query-params",
        on_change=show_first_page,
    )
    platforms = st.multiselect(
        "Product",
        filters.products(),
        format_func=inline,
        key="platform",
        bind="query-params",
        placeholder="Any",
        width=260,
        on_change=show_first_page,
    )
counts = session.read(embargo_board.counts, now, tuple(platforms))
with head, st.grid(4, gap="small", min_column_width=180):
    for show in (Show.RUNNING, Show.FOR_US, Show.FOR_REPORTER, Show.SHOULD_END):
        st.metric(SHOWN[show], f"{counts[show]:,}", border=True, height="stretch", help=ABOUT[show])
if picked := session.picked("embargo"):
    row_buttons.into_view()
    card.draw(picked, now)

total = counts[Show(shown)]
if not total:
    st.info(NONE_OF_THESE if platforms else NOTHING[shown], icon=":material/event_available:")
    st.caption(
        "A report from the public is under the waiting period that the policy promises, until that ends."
    )
    st.stop()
board = st.container()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    order = "the latest first" if shown == Show.OVER else "the soonest first"
    beside = st.container(horizontal=True, vertical_alignment="center", width="content")
    beside.caption(f"{counted(total, 'report')}, {order}. Every hour is UTC.", width="content")
    number = paging.choose(total, SIZE, "embargoes")
rows = session.read(embargo_board.page, Show(shown), now, tuple(platforms), number, SIZE)

# The key carries the snapshot: a row number means a report only among the rows that were shown.
names = tuple(str(row["report_id"]) for row in rows)
key = f"embargo-{session.current().store.revision}-{names[0]}-{names[-1]}-{len(names)}"
if name := row_buttons.opened(key, names):
    session.pick("embargo", name)
    st.rerun()
with board:
    if shown != Show.OVER:
        bars = [
            {
                "label": row["report_id"],
                "begin": row["starts_at"] or row["received_at"],
                "end": row["binding_end"] or row["proposed_end"] or now + timedelta(days=1),
                "group": row["state"],
            }
            for row in rows
        ]
        with charts.card("Calendar", "What ends when? The dotted line is now."):
            charts.spans(
                "calendar",
                "Report",
                bars,
                GROUPS,
                [BLUE, ORANGE, VIOLET],
                now,
                "Calendar of the embargoes below",
            )
    card.listing(rows, now, key)
with beside:
    row_buttons.as_menu("Open an embargo", key, names)
