"""Clusters: the unit of work. A queue by what a decision is worth, a map, and a desk for one cluster."""

from __future__ import annotations

import streamlit as st

from triage_core import queries
from triage_core.desk import boards
from triage_core.index import maps, placements
from ui import empty, row_buttons, session, worker
from ui.clusters import acts, desk, mapchart, parts, splits
from ui.hostile import plain
from ui.words import AXIS, AXIS_ABOUT, counted

VIEWS = ["Queue", "May be one", "Map"]


def forget() -> None:
    """Another axis has other clusters."""
    session.pick("cluster", None)
    for page in ("clusters", "one"):
        st.session_state[page] = 1


now = session.now()
st.title("Clusters", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
worker.line(session.stamp())
with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    axis = st.segmented_control(
        "Alike as",
        list(AXIS),
        default="whole",
        required=True,
        format_func=AXIS.__getitem__,
        key="axis",
        bind="query-params",
        on_change=forget,
    )
    view = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], required=True, key="clusters_view", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.caption(AXIS_ABOUT[axis], width="content")
    acts.undo_last()
if not session.read(queries.cluster_counts).get(axis, 0):
    worker.none_alike()
    st.stop()

asked = session.picked("cluster")
if placements.axis_of(asked) not in (axis, None):
    asked = ""  # pressed right after another axis was chosen: the browser's address was still the old one
standing = session.read(boards.cluster, axis, asked) if asked else None
chosen = standing["cluster_id"] if standing else asked
if view == VIEWS[0]:
    splits.listing(axis)
    chosen = parts.listing(axis, chosen, now)
elif view == VIEWS[1]:
    desk.all_that_may_be_one(axis)
else:
    drawn = session.read(maps.draw, axis)
    clicked = mapchart.draw(axis, drawn, chosen)
    if clicked and clicked != chosen:
        session.pick("cluster", clicked)
        row_buttons.bring()
        st.rerun()
    st.caption(
        "A point is a report; near ones are alike as whole conversations, and the directions mean nothing."
        f" {len(drawn.points):,} of {counted(drawn.reports, 'report')}. Click a point to see its cluster."
    )
if not chosen:
    st.stop()
session.pick("cluster", chosen)
cluster = session.read(boards.cluster, axis, chosen)
if cluster is None:
    st.warning(f"There is no cluster {plain(chosen)} any more.", icon=":material/search_off:")
    st.stop()
desk.draw(axis, cluster, now)
