"""The table of the inbox, a page of it at a time, and what decides on many of its rows.

It is a fragment: turning a page or choosing rows draws nothing of what stands around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from triage_core import db, queries
from triage_core.desk import bulk, claims
from triage_core.queries import Filter, Sort
from ui import assign, filters, many, paging, row_buttons, session
from ui.hostile import inline
from ui.words import SEVERITY, SEVERITY_COLOUR, ago, counted, next_due, state_label

BLOCK = 8 * filters.PAGE
"""So many reports are asked for their clusters together, which takes about as long as for one page of them."""
_OPENED = "inbox-opened"


def follow() -> None:
    """Go to the report that was just opened: at the start of the whole page.

    From within a fragment, Streamlit takes none of the filters along to another page.
    """
    if report_id := st.session_state.pop(_OPENED, None):
        session.open_report(report_id)


def found(chosen: Filter, sort: Sort) -> tuple[Mapping[str, int], int]:
    """The reports that a filter finds with their versions, as many as one decision takes; and how many there are."""
    drawn = session.keep(queries.snapshot, chosen, sort, bulk.MOST)
    return drawn, len(drawn) if len(drawn) < bulk.MOST else session.keep(queries.count, chosen)


@st.fragment
def draw(chosen: Filter, sort: Sort, seen: session.Stamp, now: datetime) -> None:
    """The reports that these filters find, and what is done with several of them.

    `seen` and `now` are those of the page: when either has moved on, the whole page is drawn again.
    """
    # One snapshot for the pages and for a decision on all of them: what is decided on is what was listed.
    drawn, total = found(chosen, sort)
    table = st.container()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        beside = st.container(horizontal=True, vertical_alignment="center", width="content")
        beside.caption(counted(total, "report"), width="content")
        page = paging.choose(total, filters.PAGE, "page", most=7)
    start = (page - 1) * filters.PAGE
    block = _block(chosen, sort, drawn, start - start % BLOCK)
    ids = block[start % BLOCK :][: filters.PAGE]
    rows = session.keep(queries.inbox_rows, ids, chosen.also)
    versions = {row["report_id"]: row["version"] for row in rows}
    # The key carries the snapshot: a row number means a report only among the rows that were shown.
    key = f"open-{session.snapshot_key(versions)}"
    if report_id := row_buttons.opened(key, ids, elsewhere=True):
        st.session_state[_OPENED] = report_id
        st.rerun()
    if session.is_part() and (seen, now) != (session.stamp(), session.now()):
        st.rerun()
    # What was picked stays picked in the next snapshot, as long as nobody has changed it.
    before = st.session_state.get("picked", {})
    default = [row for row, name in enumerate(ids) if before.get(name) == versions[name]]
    with table:
        picked = _shown(rows, session.read(queries.cluster_sizes, block), now, key, default)
    st.session_state["picked"] = {ids[row]: versions[ids[row]] for row in picked}
    with beside:
        words = {row["report_id"]: f"{row['report_id']} {row['excerpt']}" for row in rows}
        row_buttons.as_menu("Open a report", key, ids, words)
    many.bar(st.session_state["picked"], drawn, total, chosen, sort)


def _block(chosen: Filter, sort: Sort, drawn: Mapping[str, int], start: int) -> tuple[str, ...]:
    """The reports of the list from this place on, as many as a block holds."""
    if start + BLOCK <= len(drawn) or len(drawn) < bulk.MOST:
        return tuple(drawn)[start : start + BLOCK]
    return tuple(session.keep(queries.snapshot, chosen, sort, BLOCK, start))


def _shown(
    rows: Sequence[db.Row], sizes: Mapping[str, int], now: datetime, key: str, default: Sequence[int]
) -> Sequence[int]:
    """These rows, of which those in `default` are picked when it first stands there; gives those that are now."""
    ids = tuple(row["report_id"] for row in rows)
    held = session.read(claims.holders, ids, now)
    picks = st.dataframe(
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
            "cluster": [f"{sizes[name]:,}" if name in sizes else "" for name in ids],
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
        selection_default={"selection": {"rows": list(default), "columns": [], "cells": []}},
        key=f"table-{key}",
        alt="Reports that fit the filters, one a row, with a button that opens the report on Review",
    )
    return list(picks["selection"]["rows"])
