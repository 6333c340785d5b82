"""Trends: is anybody looking, how fast, what waits, and what was known already."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from triage_core import queries, trends
from triage_core.trends import Clock, Window
from ui import charts, empty, filters, session
from ui.charts import BLUE, GREY, ORANGE, SEVERITY_SHADES, TEAL, VIOLET, percent
from ui.hostile import inline
from ui.words import SEVERITY, STATUS, span

WEEKS = {"4": 4, "13": 13, "26": 26, "52": 52, "all": None}
PERIODS = {"4": "4 weeks", "13": "13 weeks", "26": "26 weeks", "52": "A year", "all": "All time"}
BY = {"state": "By state", "severity": "By severity"}
STATES = {"to_decide": "Waiting for a decision", "in_work": "Being worked on", "closed": "Closed"}
LEVELS = {level or "not_assessed": name for level, name in SEVERITY.items()}
HOURS = {Clock.FIRST_RESPONSE: "First response", Clock.TRIAGE: "Triage"}
INSIDE = {f"{clock}_share": name for clock, name in HOURS.items()}
MEDIANS = {f"{clock}_median_hours": name for clock, name in HOURS.items()}
OPEN = {key: STATES[key] for key in ("to_decide", "in_work")}
KNOWN = {"new": "New", "known": "Known already"}
GROUNDS = {"clause": "Cite a clause", "duplicate": "Name the earlier report", "neither": "Neither"}
TOP = 8

st.title("Trends", anchor=False)
if not session.read(queries.counts)["reports"]:
    empty.no_reports()
    st.stop()
with st.container(horizontal=True):
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
with st.grid(5, gap="small", min_column_width=200):
    st.metric(
        "Reports", f"{head.reports:,}", border=True, height="stretch", help="Came in within the period."
    )
    st.metric(
        "Open now", f"{head.open:,}", border=True, height="stretch", help="Whatever is open, however old."
    )
    for clock, kept in ((Clock.FIRST_RESPONSE, head.first_response), (Clock.TRIAGE, head.triage)):
        median = None if kept.median_hours is None else f"median {span(timedelta(hours=kept.median_hours))}"
        counted = f"{kept.inside:,} of the {kept.counted:,} that were answered or are past their target."
        st.metric(
            f"{HOURS[clock]} in target",
            percent(kept.share),
            median,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=counted,
        )
    known = f"{head.known:,} are marked as duplicates or hold the very words of an earlier report."
    st.metric("Known already", percent(head.known_share), border=True, height="stretch", help=known)
if not head.reports:
    st.info("Nothing came in here: choose a longer period, or another product.", icon=":material/date_range:")

with st.grid(2, gap="small", min_column_width=400) as grid:
    with (
        grid.cell(column_span="all"),
        charts.card("Volume", "How much comes in, and where does it stand now?"),
    ):
        by = st.segmented_control(
            "Stacked",
            list(BY),
            default="state",
            required=True,
            format_func=BY.get,
            key="by",
            bind="query-params",
        )
        rows = session.read(trends.volume_by_state if by == "state" else trends.volume_by_severity, window)
        names, colours = (STATES, [BLUE, VIOLET, GREY]) if by == "state" else (LEVELS, SEVERITY_SHADES)
        charts.weekly_bars(f"volume-{by}", rows, names, colours, "Reports that came in each week")
    with charts.card("Duplicates", "How much of what comes in is new, and how much was known already?"):
        rows = session.read(trends.known_by_week, window)
        charts.weekly_bars("known", rows, KNOWN, [BLUE, ORANGE], "New and known reports each week")
    with charts.card("Inside target", "What share got its first response and its triage in time?"):
        rows = session.read(trends.clocks_by_week, window)
        charts.weekly_shares(
            "inside", rows, INSIDE, [BLUE, ORANGE], "Share inside target, by the week reports came in"
        )
    with charts.card("Waiting time", "How many hours did the middle one of those answered wait?"):
        charts.weekly_hours(
            "hours", rows, MEDIANS, [BLUE, ORANGE], "Median hours, by the week reports came in"
        )
    with charts.card("Severity", "How bad is what came in, as far as it has been assessed?"):
        found = session.read(trends.severities, window)
        levels = [(name, found.get(level, 0)) for level, name in SEVERITY.items()]
        charts.bars("severity", "Severity", levels, SEVERITY_SHADES, "Reports by severity")
    with charts.card("State", "Where do the reports of this period stand now?"):
        found = session.read(trends.states, window)
        states = [(name, found.get(state, 0)) for state, name in STATUS.items()]
        charts.bars("state", "State", states, [TEAL], "Reports by state")
    with charts.card("Backlog", "How long has what is open been open? The period does not matter here."):
        rows = session.read(trends.backlog, window)
        charts.stacked_bars("backlog", "Age", rows, OPEN, [BLUE, VIOLET], "Open reports by age")
    with charts.card(
        "Closures", "What does each closure rest on: a clause of the policy, or an earlier report?"
    ):
        rows = session.read(trends.closures, window)
        charts.weekly_bars(
            "closures", rows, GROUNDS, [BLUE, ORANGE, GREY], "Closures each week by what they rest on"
        )
    with charts.card("Products", "Where do the reports come from?"):
        named = [
            (name or "Not said", count) for name, count in session.read(trends.products, window, TOP).items()
        ]
        charts.bars("products", "Product", named, [BLUE], "Reports by product, the most frequent ones")
st.caption("Weeks start on Monday, UTC; the present one is not over yet.")
