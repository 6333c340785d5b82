"""Trends: is anybody looking, how fast, what waits, what was known already, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import LiteralString

import streamlit as st

from triage_core import monthly, queries, trends
from triage_core.counted import Counted
from triage_core.trends import Clock, Dimension, Window
from ui import charts, empty, filters, numbers, paint, session
from ui.charts import percent
from ui.hostile import inline
from ui.trends import cards, told
from ui.trends.cards import of_window
from ui.trends.names import BY, DONE, HOURS
from ui.words import span

WEEKS = {"4": 4, "13": 13, "26": 26, "52": 52, "all": None}
PERIODS = {"4": "4 weeks", "13": "13 weeks", "26": "26 weeks", "52": "A year", "all": "All time"}
COMPARE: Mapping[str, LiteralString] = {"none": "Nothing", "before": "Period before", "year": "Year before"}

st.title("Trends", anchor=False)
if session.read(queries.is_empty):
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
    compare = st.segmented_control(
        "Compare with",
        list(COMPARE),
        default="none",
        required=True,
        format_func=COMPARE.__getitem__,
        key="compare",
        bind="query-params",
    )
    platforms = st.multiselect(
        "Product",
        filters.products(),
        format_func=inline,
        key="product",
        bind="query-params",
        placeholder="Any",
        width=320,
    )
window = Window(session.now(), WEEKS[period], tuple(platforms))
compared = None
if compare != "none" and window.weeks:
    compared = window.back(52 if compare == "year" else window.weeks)
elif compare != "none":
    st.caption("All time has nothing before it to compare with.")
about, of_period = cards.scope(window), cards.scope(window, compared)
of_now, of_year = cards.scope_now(window), f"{window.now:%Y}; all products"
head = session.read(trends.figures, window)
earlier = session.read(trends.figures, compared) if compared else None
with st.grid(5, gap="small", min_column_width=200):
    with st.container(border=True, height="stretch"):
        change = f"{head.reports - earlier.reports:+,d} on then" if earlier else None
        st.metric(
            "Reports", f"{head.reports:,}", change, delta_color="off", help="Came in within the period."
        )
        with st.container(horizontal=True):
            numbers.list_link(of_window(window))
            if compared:
                numbers.list_link(of_window(compared), "Those then", ":material/history:")
    with st.container(border=True, height="stretch"):
        st.metric("Open now", f"{head.open:,}", help="Whatever is open, however old.")
        numbers.list_link({"state": "open", "product": platforms, "until": of_window(window)["until"]})
    for clock, kept, only, late in (
        (Clock.FIRST_RESPONSE, head.first_response, Counted.RESPONSE_INSIDE, Counted.RESPONSE_LATE),
        (Clock.TRIAGE, head.triage, Counted.TRIAGE_INSIDE, Counted.TRIAGE_LATE),
    ):
        median = None if kept.median_hours is None else f"median {span(timedelta(hours=kept.median_hours))}"
        counted = f"{kept.inside:,} of the {kept.counted:,} that were answered or are past their target."
        with st.container(border=True, height="stretch"):
            st.metric(
                f"{HOURS[clock]} in target",
                percent(kept.share),
                median,
                delta_color="off",
                delta_arrow="off",
                help=counted,
            )
            with st.container(horizontal=True):
                numbers.list_link(of_window(window, only=only))
                if kept.late:
                    numbers.list_link(of_window(window, only=late), f"{kept.late:,} late", ":material/alarm:")
                if median:
                    numbers.list_link(
                        of_window(window, only=DONE[clock]), "The median's list", ":material/schedule:"
                    )
    known = f"{head.known:,} are marked as duplicates or hold the very words of an earlier report."
    with st.container(border=True, height="stretch"):
        before = f"{percent(earlier.known_share)} then" if earlier else None
        st.metric(
            "Known already",
            percent(head.known_share),
            before,
            delta_color="off",
            delta_arrow="off",
            help=known,
        )
        with st.container(horizontal=True):
            numbers.list_link(of_window(window, only=Counted.KNOWN))
            if compared:
                then = of_window(compared, only=Counted.KNOWN)
                numbers.list_link(then, "Those then", ":material/history:")
if not head.reports:
    st.info("Nothing came in here: choose a longer period, or another product.", icon=":material/date_range:")
paint.before_the_rest()

with st.grid(2, gap="small", min_column_width=400) as grid:
    with (
        grid.cell(column_span="all"),
        charts.card("Volume", "How much comes in, and what is it about?", of_period),
    ):
        by = st.segmented_control(
            "By", list(BY), default="state", required=True, format_func=BY.get, key="by", bind="query-params"
        )
        cards.volume(window, Dimension(by), compared)
    with charts.card("Emerging clusters", "What grows faster than its own past, whatever the period?"):
        told.emerging(window)
    with charts.card("Duplicates", "How much of what comes in is new, and how much known?", of_period):
        cards.known(window, compared)
    with charts.card(
        "Inside target", "What share was answered, triaged, fixed and rewarded in time?", of_period
    ):
        cards.inside(window, compared)
    with charts.card(
        "Waiting time", "How long did the middle one wait for its answer, its fix and its reward?", of_period
    ):
        cards.hours(window, compared)
    with charts.card("Fixes", "Is each flaw fixed within the days that its severity has?", of_period):
        cards.fixes(window, compared)
    with charts.card("Where reports come from", "By which door, with which key, and from whom?", of_period):
        cards.sources(window, compared)
    with charts.card("Backlog", "How long has what is open been open, whatever the period?", of_now):
        cards.backlog(window)
    with charts.card(
        "Closures", "Does each closure rest on a clause of the policy, or an earlier report?", of_period
    ):
        cards.closures(window, compared)
    with charts.card("Come back", "What was reopened, and what came in again after its fix?", of_period):
        cards.come_back(window, compared)
    with charts.card("Embargoes ending", "Which embargoes in force end in the next 12 weeks?", of_now):
        cards.embargoes(window)
    with charts.card("Rewards", "What do rewards cost this calendar year, over all products?", of_year):
        told.money(window)
    with charts.card("Agreement", "Do two reviewers decide alike on the same report?", about):
        told.agreed(window)
st.caption(
    "Emerging clusters, Backlog and Embargoes ending ignore the period, and Rewards the product too. Compared are the"
    " figures of reports that came in and of what was known, Volume as a whole, and each other chart that goes by the"
    " period."
)
with st.container(horizontal=True, vertical_alignment="center"):
    month = st.text_input(
        "Report of the month", value=f"{window.now:%Y-%m}", key="report_month", bind="query-params", width=180
    )
    st.download_button(
        "Download as one HTML file", session.monthly(month), f"flaw-reports-{month}.html", "text/html",
        icon=":material/download:", on_click="ignore", disabled=not monthly.is_month(month, window.now),
    )  # fmt: skip
    with st.popover("Link to this view", icon=":material/link:"):
        st.code(session.address(), language=None, wrap_lines=True)
st.caption("Weeks start on Monday, UTC; the present one is not over yet.")
