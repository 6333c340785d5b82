"""Trends: is anybody looking, how fast, what waits, and what was known already."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from triage_core import queries, trends
from triage_core.trends import Clock, Window
from ui import charts, empty, filters, session
from ui.charts import BLUE, GREEN, GREY, NO_NUMBER, ORANGE, SEVERITY_SHADE, VIOLET, percent
from ui.hostile import inline
from ui.words import SEVERITY, STATUS, span

WEEKS = {"4": 4, "13": 13, "26": 26, "52": 52, "all": None}
PERIODS = {"4": "4 weeks", "13": "13 weeks", "26": "26 weeks", "52": "A year", "all": "All time"}
BY = {"state": "By state", "severity": "By severity"}
STATES = {"to_decide": "Waiting for a decision", "in_work": "Being worked on", "closed": "Closed"}
LEVELS = {"not_assessed": SEVERITY[""]} | {level: SEVERITY[level] for level in SEVERITY if level}
KNOWN = {"new": "New", "known": "Known already"}
GROUNDS = {"clause": "Cites a clause", "duplicate": "Names the earlier report", "neither": "Neither"}
HOURS = {Clock.FIRST_RESPONSE: "First response", Clock.TRIAGE: "Triage"}
SPEED = {"median_hours": "Median hours", "share": "Inside target", "inside": "In time", "counted": "Counted"}
TOP = 8

st.title("Trends", anchor=False)
if not session.read(queries.counts)["reports"]:
    empty.no_reports()
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    period = st.segmented_control(
        "Period",
        list(PERIODS),
        default="13",
        required=True,
        format_func=PERIODS.__getitem__,
        key="period",
        bind="query-params",
    )
    platforms = st.multiselect(
        "Product",
        session.read(queries.choices, "platform")[: filters.MANY],
        format_func=inline,
        key="product",
        bind="query-params",
        placeholder="Any",
        width=320,
    )
window = Window(session.now(), WEEKS[period], tuple(platforms))
head = session.read(trends.figures, window)
with st.grid(5, gap="small", min_column_width=160):
    st.metric("Reports", f"{head.reports:,}", border=True, height="stretch", help="Came in within the period.")
    st.metric("Open now", f"{head.open:,}", border=True, height="stretch", help="Whatever is open, however old.")
    for clock, kept in ((Clock.FIRST_RESPONSE, head.first_response), (Clock.TRIAGE, head.triage)):
        middle = NO_NUMBER if kept.median_hours is None else span(timedelta(hours=kept.median_hours))
        st.metric(
            f"{HOURS[clock]} in target",
            percent(kept.share),
            f"median {middle}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=f"{kept.inside:,} of the {kept.counted:,} that were answered or are past their target.",
        )
    known_help = f"{head.known:,} are marked as duplicates or hold the very words of an earlier report."
    st.metric("Known already", percent(head.known_share), border=True, height="stretch", help=known_help)
if not head.reports:
    st.info("Nothing came in within this period: choose a longer one, or another product.", icon=":material/date_range:")

with st.grid(2, gap="small", min_column_width=400):
    with charts.card("Volume", "How much comes in each week, and where does it stand today?"):
        by = st.segmented_control(
            "Stacked by", list(BY), default="state", required=True, format_func=BY.__getitem__, key="by", bind="query-params"
        )
        rows = session.read(trends.volume_by_state if by == "state" else trends.volume_by_severity, window)
        names, colours = (STATES, [BLUE, VIOLET, GREY]) if by == "state" else (LEVELS, list(SEVERITY_SHADE.values()))
        charts.weekly(charts.weekly_bars, "volume", rows, names, colours, alt="Reports a week, stacked")
    with charts.card("Severity", "How bad is what came in, as far as it has been assessed?"):
        found = session.read(trends.severities, window)
        charts.counted("severity", [SEVERITY[s] for s in SEVERITY], [found.get(s, 0) for s in SEVERITY], SEVERITY_SHADE)
    ...
