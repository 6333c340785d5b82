"""Inbox: what has come in, filtered and paged in SQL."""

from __future__ import annotations

import streamlit as st

from triage_core import boards, queries
from ui import empty, filters, session, worker
from ui.hostile import inline
from ui.words import SEVERITY, SEVERITY_COLOUR, ago, counted, next_due, state_label

now = session.now()
figures = session.read(boards.figures, now)
st.title("Inbox", anchor=False)
if not figures.reports:
    empty.no_reports()
    st.stop()

with st.grid(5, gap="small"):
    st.metric("Waiting for a decision", f"{figures.to_decide:,}", border=True)
    st.metric("New", f"{figures.new:,}", border=True)
    st.metric("Late", f"{figures.late:,}", border=True, help="A response, triage or fix clock has run out.")
    st.metric("Being worked on", f"{figures.in_work:,}", border=True)
    st.metric(
        "Suggested duplicates", f"{figures.suggested:,}", border=True, help="Pairs to judge on Duplicates."
    )
worker.line(session.stamp())

chosen, sort = filters.draw()
total = session.read(queries.inbox, chosen, sort, 1, 1)[1]
if not total:
    empty.nothing_found(chosen.words)
    st.stop()
table = st.container()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.caption(counted(total, "report"), width="content")
    page = st.pagination(-(-total // filters.PAGE), key="page", bind="query-params")
rows = session.read(queries.inbox, chosen, sort, page, filters.PAGE)[0]

# The key carries the snapshot: a row number means a report only among the rows that were shown.
ids = tuple(row["report_id"] for row in rows)
key = f"open-{session.current().store.revision}-{ids[0]}-{ids[-1]}-{len(ids)}"
if report_id := session.clicked_row(key, ids):
    session.open_report(report_id)

table.dataframe(
    {
        "open": ["Open"] * len(rows),
        "report": ids,
        "wrong": [inline(row["excerpt"], queries.EXCERPT) for row in rows],
        "product": [inline(row["platform"]) for row in rows],
        "received": [ago(row["received_at"], now) for row in rows],
        "due": [next_due(row, now) for row in rows],
        "state": [state_label(row["status"], row["resolution"]) for row in rows],
        "severity": [[SEVERITY[row["severity"]]] if row["severity"] else [] for row in rows],
        "cluster": [f"{row['cluster_size']:,}" if (row["cluster_size"] or 0) > 1 else "" for row in rows],
        "external": [inline(row["external_id"] or "") for row in rows],
    },
    column_config={
        "open": st.column_config.ButtonColumn("", width=70, pinned=True, type="tertiary", key=key),
        "report": st.column_config.TextColumn("Report", width=75, pinned=True),
        "wrong": st.column_config.TextColumn("What is wrong", width="large"),
        "product": st.column_config.TextColumn("Product", width=120),
        "received": st.column_config.TextColumn("Received", width=80),
        "due": st.column_config.TextColumn("Next clock", width=85),
        "state": st.column_config.TextColumn("State", width=130),
        "severity": st.column_config.MultiselectColumn(
            "Severity", width=85, options=list(SEVERITY.values()), color=list(SEVERITY_COLOUR.values())
        ),
        "cluster": st.column_config.TextColumn(
            "Alike", width=60, alignment="right", help="Reports of its cluster, this one included."
        ),
        "external": st.column_config.TextColumn("External id", width=100),
    },
    hide_index=True,
    height="content",
    key=f"table-{key}",
    alt="Reports that fit the filters, one a row, with a button that opens the report on Review",
)
