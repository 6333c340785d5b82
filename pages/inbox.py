"""Inbox: what has come in, as views that are links, filtered and paged in SQL, with one decision for many."""

from __future__ import annotations

import streamlit as st

from triage_core import queries
from triage_core.desk import bulk, claims
from ui import assign, empty, filters, many, row_buttons, session, worker
from ui.desk import views
from ui.hostile import inline
from ui.words import SEVERITY, SEVERITY_COLOUR, ago, counted, next_due, state_label

now = session.now()
st.title("Inbox", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
many.resume()

head = st.container()  # the views above the filters, which say which view stands
chosen, sort = filters.draw()
with head:
    views.draw()
worker.line(session.stamp())
# One snapshot for the pages and for a decision on all of them: what is decided on is what was listed.
drawn = session.read(queries.snapshot, chosen, sort, bulk.MOST)
total = len(drawn) if len(drawn) < bulk.MOST else session.read(queries.count, chosen)
if not total:
    empty.nothing_found(chosen.words)
    st.stop()
table = st.container()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    beside = st.container(horizontal=True, vertical_alignment="center", width="content")
    beside.caption(counted(total, "report"), width="content")
    page = st.pagination(-(-total // filters.PAGE), key="page", bind="query-params")
if page * filters.PAGE <= len(drawn) or total == len(drawn):
    shown = tuple(drawn)[(page - 1) * filters.PAGE : page * filters.PAGE]
    rows = session.read(queries.inbox_rows, shown, chosen.also)
else:
    rows = session.read(queries.inbox, chosen, sort, page, filters.PAGE)
seen = {row["report_id"]: row["version"] for row in rows}
ids = tuple(seen)
held = session.read(claims.holders, ids, now)

# The key carries the snapshot: a row number means a report only among the rows that were shown.
key = f"open-{session.snapshot_key(seen)}"
if report_id := row_buttons.pressed(key, ids):
    session.open_report(report_id)

# What was picked stays picked in the next snapshot, as long as nobody has changed it.
before = st.session_state.get("picked", {})
picks = table.dataframe(
    {
        "open": ["Open"] * len(rows),
        "report": ids,
        "wrong": [inline(row["excerpt"], queries.EXCERPT) for row in rows],
        "product": [inline(row["platform"]) for row in rows],
        "received": [ago(row["received_at"], now) for row in rows],
        "due": [next_due(row["next_due"], now) for row in rows],
        "state": [state_label(row["status"], row["resolution"]) for row in rows],
        "severity": [[SEVERITY[row["severity"]]] if row["severity"] else [] for row in rows],
        "task": [assign.named(row["assigned_to"]) if row["assigned_to"] else "" for row in rows],
        "claim": [assign.named(held[name].holder_id) if name in held else "" for name in ids],
        "cluster": [f"{row['cluster_size']:,}" if (row["cluster_size"] or 0) > 1 else "" for row in rows],
        "external": [inline(row["external_id"] or "") for row in rows],
    },
    column_config={
        "open": st.column_config.ButtonColumn("", width=62, pinned=True, type="tertiary", key=key),
        "report": st.column_config.TextColumn("Report", width=75, pinned=True),
        "wrong": st.column_config.TextColumn("What is wrong", width=300),
        "product": st.column_config.TextColumn("Product", width=120),
        "received": st.column_config.TextColumn("Received", width=80),
        "due": st.column_config.TextColumn("Next clock", width=85),
        "state": st.column_config.TextColumn("State", width=125),
        "severity": st.column_config.MultiselectColumn(
            "Severity", width=85, options=list(SEVERITY.values()), color=list(SEVERITY_COLOUR.values())
        ),
        "task": st.column_config.TextColumn("Task of", width=80),
        "claim": st.column_config.TextColumn("At work", width=80, help="Who holds a claim on it now."),
        "cluster": st.column_config.TextColumn(
            "Alike", width=60, alignment="right", help="Reports of its cluster, this one included."
        ),
        "external": st.column_config.TextColumn("External id", width=100),
    },
    hide_index=True,
    height="content",
    on_select="rerun",
    selection_mode="multi-row",
    selection_default={
        "selection": {
            "rows": [row for row, name in enumerate(ids) if before.get(name) == seen[name]],
            "columns": [],
            "cells": [],
        }
    },
    key=f"table-{key}",
    alt="Reports that fit the filters, one a row, with a button that opens the report on Review",
)
with beside:
    words = {row["report_id"]: f"{row['report_id']} {row['excerpt']}" for row in rows}
    row_buttons.as_menu("Open a report", key, ids, words)
st.session_state["picked"] = {ids[row]: seen[ids[row]] for row in picks["selection"]["rows"]}
many.bar(st.session_state["picked"], drawn, total, chosen, sort)
