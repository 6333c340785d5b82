"""Clusters: groups of reports that are alike, the largest first, and a map of them all."""

from __future__ import annotations

import streamlit as st

from triage_core import boards, indexing, maps, queries
from ui import cluster_view, empty, hostile, mapchart, session, worker
from ui.hostile import plain
from ui.words import AXIS, AXIS_ABOUT, counted


def forget() -> None:
    """Another axis has other clusters."""
    session.pick("cluster", None)
    st.session_state["clusters"] = 1


now = session.now()
st.title("Clusters", anchor=False)
if not session.read(queries.counts)["reports"]:
    empty.no_reports()
    st.stop()
worker.line(session.stamp())
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
st.caption(AXIS_ABOUT[axis])
total = session.read(queries.cluster_counts).get(axis, 0)
if not total:
    st.info(
        "No two reports are alike in this way so far. Clusters appear here as soon as some are; technique and"
        f" request are told apart among up to {indexing.CLOSE_READING:,} reports.",
        icon=":material/bubble_chart:",
    )
    st.stop()

asked = session.picked("cluster") or cluster_view.first_id(axis)
standing = session.read(boards.cluster, axis, asked)
with st.grid(2, min_column_width=480, gap="medium") as halves:
    with halves.cell():
        chosen = cluster_view.listing(axis, total, standing["cluster_id"] if standing else asked, now)
    with halves.cell():
        drawn = session.read(maps.draw, axis)
        clicked = mapchart.draw(drawn, chosen, f"map-{session.current().store.revision}-{axis}-{chosen}")
        if clicked and clicked != chosen:
            session.pick("cluster", clicked)
            st.rerun()
        st.caption(
            "A point is a report; near ones are alike as whole conversations, and the directions mean nothing."
            f" {len(drawn.points):,} of {counted(drawn.reports, 'report')}. Click a point to see its cluster."
        )
session.pick("cluster", chosen)

cluster = session.read(boards.cluster, axis, chosen)
if cluster is None:
    st.warning(f"There is no cluster {plain(chosen)} any more.", icon=":material/search_off:")
    st.stop()
st.header(f"Cluster {plain(chosen)}, {counted(cluster['size'], 'report')}", anchor=False)
if cluster["label"]:
    st.caption(f"Words that set it apart: {plain(cluster['label'])}")
with st.grid(2, min_column_width=480, gap="medium") as halves:
    with halves.cell():
        typical = session.read(queries.report, cluster["representative_id"])
        st.subheader(f"Most typical: {plain(cluster['representative_id'])}", anchor=False)
        hostile.conversation(typical.turns, key=f"typical-{cluster['representative_id']}")
    with halves.cell():
        st.subheader("Members", anchor=False)
        cluster_view.members(axis, cluster)
