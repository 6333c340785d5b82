"""The tables of the Clusters screen: the clusters of one axis, and the members of one cluster."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from triage_core import boards, db, queries
from ui import session
from ui.hostile import inline
from ui.words import SEVERITY, ago, counted, state_label

SIZE = 15
TALL = 560  # pixels; longer tables scroll


def first_id(axis: str) -> str:
    """The largest cluster of an axis that has one."""
    return str(session.read(queries.clusters, axis, 2, 1, 1)[0][0]["cluster_id"])


def listing(axis: str, total: int, chosen: str, now: datetime) -> str:
    """One page of clusters, the largest first; gives the one to show: the one just pressed, or `chosen`."""
    table = st.container()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{counted(total, 'cluster')} of two and more reports", width="content")
        page = st.pagination(-(-total // SIZE), key="clusters", bind="query-params", max_visible_pages=5)
    rows = session.read(queries.clusters, axis, 2, page, SIZE)[0]
    ids = tuple(row["cluster_id"] for row in rows)
    typical = session.read(boards.briefs, tuple(row["representative_id"] for row in rows))
    key = f"look-{session.current().store.revision}-{axis}-{page}"
    chosen = session.clicked_row(key, ids) or chosen
    table.dataframe(
        {
            "look": ["Shown" if cluster_id == chosen else "Show" for cluster_id in ids],
            "cluster": ids,
            "size": [row["size"] for row in rows],
            "open": [row["open"] for row in rows],
            "about": [inline(row["label"] or typical[row["representative_id"]].excerpt, 120) for row in rows],
            "last": [ago(row["last_at"], now) for row in rows],
        },
        column_config={
            "look": st.column_config.ButtonColumn("", width=70, pinned=True, type="tertiary", key=key),
            "cluster": st.column_config.TextColumn("Cluster", width=75),
            "size": st.column_config.NumberColumn("Reports", width=70),
            "open": st.column_config.NumberColumn("Open", width=60, help="Reports that are not closed."),
            "about": st.column_config.TextColumn("What it is about", width=270),
            "last": st.column_config.TextColumn("Newest", width=85),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="Clusters, largest first, with a button that shows the members",
    )
    return chosen


def members(axis: str, cluster: db.Row) -> None:
    """The members of a cluster, the most typical first, each with a button that opens it."""
    rows = session.read(boards.members, axis, cluster["cluster_id"])
    ids = tuple(row["report_id"] for row in rows)
    key = f"member-{session.current().store.revision}-{axis}-{cluster['cluster_id']}"
    if report_id := session.clicked_row(key, ids):
        session.open_report(report_id)
    st.dataframe(
        {
            "open": ["Open"] * len(rows),
            "report": ids,
            "mean": [row["mean"] for row in rows],
            "nearest": [row["nearest"] for row in rows],
            "state": [state_label(row["status"], row["resolution"]) for row in rows],
            "severity": [SEVERITY[row["severity"]] if row["severity"] else "" for row in rows],
            "wrong": [inline(row["excerpt"], queries.EXCERPT) for row in rows],
        },
        column_config={
            "open": st.column_config.ButtonColumn("", width=60, pinned=True, type="tertiary", key=key),
            "report": st.column_config.TextColumn("Report", width=75, pinned=True),
            "mean": st.column_config.NumberColumn(
                "Mean", format="%.2f", width=60, help="Mean likeness to the other members, from 0 to 1."
            ),
            "nearest": st.column_config.NumberColumn(
                "Nearest", format="%.2f", width=70, help="Likeness to the report most like it, from 0 to 1."
            ),
            "state": st.column_config.TextColumn("State", width=120),
            "severity": st.column_config.TextColumn("Severity", width=75),
            "wrong": st.column_config.TextColumn("What is wrong", width="large"),
        },
        hide_index=True,
        height="content" if len(rows) <= SIZE else TALL,
        key=f"table-{key}",
        alt="Members of the cluster, the most typical first, with a button that opens each on Review",
    )
    if cluster["size"] > len(rows):
        st.caption(f"The {len(rows):,} most typical of {cluster['size']:,}.")
