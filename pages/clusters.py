"""Clusters: groups of reports that are alike, the largest first, and a map of them all."""

from __future__ import annotations

import streamlit as st

from triage_core import boards, maps, queries
from ui import empty, hostile, mapchart, session, worker
from ui.hostile import inline, plain
from ui.words import AXIS, SEVERITY, STATUS, ago, counted

SIZE = 15

now = session.now()
st.title("Clusters", anchor=False)
if not session.read(queries.counts)["reports"]:
    empty.no_reports()
    st.stop()
worker.line(session.stamp())
axes = list(session.read(queries.cluster_counts))
if not axes:
    st.info(
        "No two reports are alike so far. Clusters appear here as soon as some are.",
        icon=":material/bubble_chart:",
    )
    st.stop()
axis = axes[0]
if len(axes) > 1:
    axis = st.segmented_control(
        "Alike in",
        axes,
        default=axes[0],
        required=True,
        format_func=AXIS.__getitem__,
        key="axis",
        bind="query-params",
    )
listed, plotted = st.columns([5, 6], gap="medium")

with listed:
    total = session.read(queries.clusters, axis, 2, 1, 1)[1]
    table = st.container()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{counted(total, 'cluster')} of two and more", width="content")
        page = st.pagination(-(-total // SIZE), key="clusters", bind="query-params", max_visible_pages=5)
    rows = session.read(queries.clusters, axis, 2, page, SIZE)[0]
    ids = tuple(row["cluster_id"] for row in rows)
    speaking = session.read(boards.briefs, tuple(row["representative_id"] for row in rows))
    key = f"look-{session.current().store.revision}-{axis}-{page}"
    session.pick("cluster", session.clicked_row(key, ids) or session.picked("cluster") or ids[0])
    chosen = session.picked("cluster")
    table.dataframe(
        {
            "look": ["Shown" if cluster_id == chosen else "Show" for cluster_id in ids],
            "cluster": ids,
            "size": [row["size"] for row in rows],
            "open": [row["open"] for row in rows],
            "last": [ago(row["last_at"], now) for row in rows],
            "speaking": [inline(speaking[row["representative_id"]].excerpt, 120) for row in rows],
        },
        column_config={
            "look": st.column_config.ButtonColumn("", width=70, pinned=True, type="tertiary", key=key),
            "cluster": st.column_config.TextColumn("Cluster", width=80),
            "size": st.column_config.NumberColumn("Reports", width=65),
            "open": st.column_config.NumberColumn("Open", width=60),
            "last": st.column_config.TextColumn("Last", width=80),
            "speaking": st.column_config.TextColumn("Most typical report", width="large"),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="Clusters, largest first, with a button that shows the members",
    )

with plotted:
    drawn = session.read(maps.draw, axis)
    picked = mapchart.draw(drawn, chosen, f"map-{session.current().store.revision}-{axis}-{chosen}")
    if picked and picked != chosen:
        session.pick("cluster", picked)
        st.rerun()
    st.caption(
        "Near points are alike; the directions mean nothing else."
        f" {len(drawn.points):,} of {drawn.reports:,} reports. Click a point to see its cluster."
    )

cluster = session.read(boards.cluster, axis, chosen)
if cluster is None:
    st.warning(f"There is no cluster {plain(chosen)} any more.", icon=":material/search_off:")
    st.stop()
members = session.read(maps.members, axis, chosen)
st.header(f"Cluster {plain(chosen)}, {counted(cluster['size'], 'report')}", anchor=False)
typical, others = st.columns([5, 6], gap="medium")
with typical:
    representative = session.read(queries.report, cluster["representative_id"])
    st.subheader(f"Most typical: {plain(cluster['representative_id'])}", anchor=False)
    hostile.conversation(representative.turns, key=f"typical-{cluster['representative_id']}")
with others:
    st.subheader("Members", anchor=False)
    member_ids = tuple(member["report_id"] for member in members)
    key = f"member-{session.current().store.revision}-{axis}-{chosen}"
    if report_id := session.clicked_row(key, member_ids):
        session.open_report(report_id)
    st.dataframe(
        {
            "open": ["Open"] * len(members),
            "report": member_ids,
            "nearest": [member["nearest"] for member in members],
            "mean": [member["mean"] for member in members],
            "state": [STATUS[member["status"]] for member in members],
            "severity": [SEVERITY[member["severity"] or ""] for member in members],
            "wrong": [inline(member["excerpt"], queries.EXCERPT) for member in members],
        },
        column_config={
            "open": st.column_config.ButtonColumn("", width=70, pinned=True, type="tertiary", key=key),
            "report": st.column_config.TextColumn("Report", width=80, pinned=True),
            "nearest": st.column_config.NumberColumn(
                "Nearest", format="%.2f", width=70, help="Likeness to the earlier report most like it."
            ),
            "mean": st.column_config.NumberColumn(
                "Mean", format="%.2f", width=60, help="Mean likeness to the members."
            ),
            "state": st.column_config.TextColumn("State", width=90),
            "severity": st.column_config.TextColumn("Severity", width=90),
            "wrong": st.column_config.TextColumn("What is wrong", width="large"),
        },
        hide_index=True,
        height="content" if len(members) <= 15 else 560,
        key=f"table-{key}",
        alt="Members of the cluster, the most typical first, with a button that opens each on Review",
    )
