"""The charts of Trends: each reads one question, draws it, and says which list stands behind each number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, LiteralString

import streamlit as st

from triage_core import db, trends
from triage_core.counted import WITHOUT_KEY, Counted, Moment
from triage_core.desk import agreement, looks
from triage_core.model import Channel
from triage_core.rewards import bounty
from triage_core.trends import OF_ARRIVAL, WEEK, Clock, Dimension, Volume, Window
from ui import charts, session, spending
from ui.charts import BLUE, GREY, ORANGE, PINK, SEVERITY_SHADES, TEAL, VIOLET, YELLOW
from ui.hostile import inline, plain
from ui.words import HARM_TYPE, SEVERITY, counted

BY: Mapping[str, LiteralString] = {
    Dimension.STATE: "State",
    Dimension.SEVERITY: "Severity",
    Dimension.PRODUCT: "Product",
    Dimension.VERSION: "Model version",
    Dimension.CHANNEL: "Door",
    Dimension.HARM: "Harm",
    Dimension.TECHNIQUE: "Technique",
}
STATES: Mapping[str, LiteralString] = {
    "to_decide": "Waiting for a decision",
    "in_work": "Being worked on",
    "closed": "Closed",
}
DOORS: Mapping[str, LiteralString] = {"form": "Form", "api": "Report button", "import": "Import"}
UNSAID: Mapping[str, LiteralString] = {
    Dimension.PRODUCT: "No product",
    Dimension.VERSION: "No version",
    Dimension.HARM: "No harm",
    Dimension.TECHNIQUE: "Not known",
}
WORDS: Mapping[str, Mapping[str, LiteralString]] = {
    Dimension.STATE: STATES,
    Dimension.SEVERITY: SEVERITY,
    Dimension.CHANNEL: DOORS,
    Dimension.HARM: HARM_TYPE,
}
COLOURS = [BLUE, ORANGE, TEAL, VIOLET, YELLOW, PINK, GREY]
HOURS: Mapping[str, LiteralString] = {
    Clock.FIRST_RESPONSE: "First response",
    Clock.TRIAGE: "Triage",
    Clock.FIX: "Fix",
    Clock.BOUNTY: "Reward",
}
CLOCK_COLOURS = [BLUE, ORANGE, TEAL, VIOLET]
CLOCKS: Mapping[str, tuple[Counted, Moment]] = {
    Clock.FIRST_RESPONSE: (Counted.RESPONSE, Moment.RECEIVED),
    Clock.TRIAGE: (Counted.TRIAGE, Moment.RECEIVED),
    Clock.FIX: (Counted.FIX, Moment.FIX_END),
    Clock.BOUNTY: (Counted.BOUNTY, Moment.BOUNTY_END),
}
OPEN: Mapping[str, LiteralString] = {key: STATES[key] for key in ("to_decide", "in_work")}
KNOWN: Mapping[str, LiteralString] = {Counted.FRESH: "New", Counted.KNOWN: "Known already"}
GROUNDS: Mapping[str, LiteralString] = {
    Counted.BY_CLAUSE: "Cite a clause",
    Counted.BY_LINK: "Name the earlier report",
    Counted.BY_NEITHER: "Neither",
}
FIXES: Mapping[str, LiteralString] = {Counted.FIX_INSIDE: "In target", Counted.FIX_LATE: "Past it"}
SENDERS: Mapping[str, LiteralString] = {
    Counted.NO_CONTACT: "No contact",
    Counted.FIRST_TIME: "New reporter",
    Counted.RETURNING: "Returning reporter",
}
BACK: Mapping[str, LiteralString] = {"reopened": "Reopened", "regression": "Came in again after the fix"}


def of_window(window: Window, **more: Any) -> dict[str, Any]:
    """The filters of the list of all that came in within the window; `more` narrows it."""
    bounds = _between(window.since, window.now)
    return {"state": "any", "product": list(window.platform), **bounds, **more}


def of_week(window: Window, week: datetime, **more: Any) -> dict[str, Any]:
    """The same for one week of the window."""
    since = max(week, window.since) if window.since else week
    until = min(week + WEEK - timedelta(microseconds=1), window.now)
    return of_window(window, **(_between(since, until) | more))


def _between(since: datetime | None, until: datetime | None) -> dict[str, str]:
    return {
        name: moment.replace(tzinfo=None).isoformat()
        for name, moment in (("since", since), ("until", until))
        if moment
    }


def _value(dimension: Dimension, value: str | None) -> dict[str, Any] | None:
    """The filter for one value of a dimension; None for the rest, which no list shows."""
    if value is None:
        return None
    match dimension:
        case Dimension.STATE:
            return {"state": value}
        case Dimension.SEVERITY:
            return {"severity": [value]} if value else {"only": Counted.NOT_ASSESSED}
        case Dimension.PRODUCT:
            return {"product": [value]} if value else {"only": Counted.NO_PRODUCT}
        case Dimension.VERSION:
            return {"version": value} if value else {"only": Counted.NO_VERSION}
        case Dimension.CHANNEL:
            return {"door": [value]}
        case Dimension.HARM:
            return {"harm": [value]} if value else {"only": Counted.NO_HARM}
        case Dimension.TECHNIQUE:
            return {"technique": value} if value else {"only": Counted.NO_TECHNIQUE}


def _name_of(dimension: Dimension, value: str | None) -> str:
    if value is None:
        return "All others"
    return WORDS.get(dimension, {}).get(value) or (inline(value) if value else UNSAID[dimension])


def volume(window: Window, dimension: Dimension, compared: Window | None) -> None:
    """Reports by week and by dimension, beside the same as bars over the whole period."""
    found: Volume = session.read(trends.volume, window, dimension)
    names = {str(place): _name_of(dimension, value) for place, value in enumerate(found.values)}
    rows = [
        {"week": week} | {str(place): counts[number] for place, counts in enumerate(found.counts)}
        for number, week in enumerate(found.weeks)
    ]
    colours = {Dimension.STATE: [BLUE, VIOLET, GREY], Dimension.SEVERITY: SEVERITY_SHADES}.get(
        dimension, COLOURS[: len(names)]
    )
    before = [row["reports"] for row in session.read(trends.total_by_week, compared)] if compared else ()

    def behind(key: str, place: int) -> dict[str, Any] | None:
        more = _value(dimension, found.values[int(key)])
        return None if more is None else of_week(window, found.weeks[place], **more)

    def whole(title: str, place: int) -> dict[str, Any] | None:
        more = _value(dimension, found.values[place])
        return None if more is None or title != "Reports" else of_window(window, **more)

    charts.weekly_bars(
        f"volume-{dimension}", rows, names, colours, "Reports that came in each week", behind, before
    )
    totals = [(names[str(place)], found.total(place)) for place in range(len(found.values))]
    charts.bars(f"total-{dimension}", BY[dimension], totals, colours, "Reports of the whole period", whole)


def _weekly(
    draw: Callable[..., None],
    name: str,
    ask: Callable[..., list[db.Row]],
    window: Window,
    names: charts.Names,
    colours: list[str],
    alt: LiteralString,
    only: Callable[[str], Counted],
    **more: Any,
) -> None:
    """A chart by week of what `ask` gives; `only` says what the reports behind a number of each series are."""
    rows = session.read(ask, window)

    def behind(key: str, place: int) -> dict[str, Any]:
        return of_week(window, rows[place]["week"], only=only(key), **more)

    draw(name, rows, names, colours, alt, behind)


def known(window: Window) -> None:
    _weekly(
        charts.weekly_bars, "known", trends.known_by_week, window, KNOWN, [BLUE, ORANGE],
        "New and known reports each week", Counted,
    )  # fmt: skip


def inside(window: Window) -> None:
    _clocks(charts.weekly_shares, "inside", window, list(Clock), "share", "Share inside target each week")


def hours(window: Window) -> None:
    """Days for what takes weeks, so that neither half lies flat on the axis of the other."""
    _clocks(charts.weekly_hours, "hours", window, OF_ARRIVAL, "median_hours", "Median hours each week")
    draw = partial(charts.weekly_hours, unit="days")
    _clocks(draw, "days", window, (Clock.FIX, Clock.BOUNTY), "median_days", "Median days each week")


def _clocks(
    draw: Callable[..., None],
    name: str,
    window: Window,
    clocks: Sequence[Clock],
    what: str,
    alt: LiteralString,
) -> None:
    """A chart by week of `what` is known of some clocks, in the colours that they have in all charts."""
    rows = [row | _in_days(row) for row in session.read(bounty.clocks_by_week, window)]
    keys = {f"{clock}_{what}": clock for clock in clocks}

    def behind(key: str, place: int) -> dict[str, Any]:
        only, moment = CLOCKS[keys[key]]
        return of_week(window, rows[place]["week"], only=only, moment=moment)

    colours = [colour for clock, colour in zip(Clock, CLOCK_COLOURS, strict=True) if clock in clocks]
    draw(name, rows, {key: HOURS[clock] for key, clock in keys.items()}, colours, alt, behind)


def _in_days(row: db.Row) -> dict[str, float | None]:
    hours = {clock: row[f"{clock}_median_hours"] for clock in Clock}
    return {f"{clock}_median_days": None if one is None else one / 24 for clock, one in hours.items()}


def fixes(window: Window) -> None:
    rows = session.read(trends.fixes_by_severity, window)

    def behind(key: str, place: int) -> dict[str, Any]:
        severity = [rows[place]["severity"]]
        return of_window(window, only=Counted(key), moment=Moment.FIX_END, severity=severity)

    labelled = [{**row, "label": SEVERITY[row["severity"]]} for row in rows]
    charts.stacked_bars(
        "fixes", "Severity", labelled, FIXES, [TEAL, ORANGE], "Fixes of the period by severity", behind
    )


def sources(window: Window) -> None:
    """Doors and keys, told apart by who sent what came through them."""
    rows = session.read(trends.sources, window)

    def behind(key: str, place: int) -> dict[str, Any] | None:
        door, api_key = rows[place]["door"], rows[place]["api_key"]
        if door is None:
            return None
        by_key = {"api_key": str(api_key or WITHOUT_KEY)} if door == Channel.API else {}
        return of_window(window, door=[door], only=Counted(key), **by_key)

    labelled = [{**row, "label": _source(row)} for row in rows]
    charts.stacked_bars(
        "sources",
        "Source",
        labelled,
        SENDERS,
        [GREY, BLUE, VIOLET],
        "Reports of the period by source",
        behind,
    )


def _source(row: db.Row) -> str:
    if row["door"] == Channel.API:
        return f"Key {row['api_key']}: {row['product']}" if row["api_key"] else "Program without a key"
    return DOORS[row["door"]] if row["door"] else "All others"


def backlog(window: Window) -> None:
    def behind(key: str, place: int) -> dict[str, Any]:
        since, until = trends.age_bounds(window, place)
        return {"state": key, "product": list(window.platform), **_between(since, until or window.now)}

    rows = session.read(trends.backlog, window)
    charts.stacked_bars("backlog", "Age", rows, OPEN, [BLUE, VIOLET], "Open reports by age", behind)


def closures(window: Window) -> None:
    _weekly(
        charts.weekly_bars, "closures", trends.closures, window, GROUNDS, [BLUE, ORANGE, GREY],
        "Closures each week by what they rest on", Counted, moment=Moment.CLOSED,
    )  # fmt: skip


def come_back(window: Window) -> None:
    rows = session.read(trends.come_back, window)

    def behind(key: str, place: int) -> dict[str, Any]:
        moment = Moment.REOPENED if key == "reopened" else Moment.RECEIVED
        return of_window(window, only=Counted(key), moment=moment, version=rows[place]["version"])

    labelled = [{**row, "label": row["version"] or UNSAID[Dimension.VERSION]} for row in rows]
    charts.stacked_bars(
        "back", "Model version", labelled, BACK, [ORANGE, PINK], "What came back, by model version", behind
    )


def embargoes(window: Window) -> None:
    rows = session.read(trends.embargo_ends, window)

    def behind(key: str, place: int) -> dict[str, Any]:
        week = rows[place]["week"]
        ends = _between(max(week, window.now), week + WEEK - timedelta(microseconds=1))
        return {
            "state": "any", "product": list(window.platform), "moment": Moment.EMBARGO_END,
            "only": Counted.UNDER_EMBARGO, **ends,
        }  # fmt: skip

    charts.weekly_bars(
        "embargoes",
        rows,
        {"ending": "Embargoes"},
        [VIOLET],
        "Embargoes by the week in which they end",
        behind,
    )


def money(window: Window) -> None:
    spending.draw(window.now.year)
    late = len(session.read(bounty.late, window.now, window.platform))
    st.caption(
        f"{counted(late, 'reward')} asked for and not decided within the bounty clock, of the products above."
    )
    st.page_link(spending.REWARDS, label="See the rewards", icon=":material/list:")


def agreed() -> None:
    """How far two reviewers agree, over everything that was decided twice."""
    found = agreement.overall(session.read(looks.pairs))
    kappa = "too few" if found.kappa is None else f"{found.kappa:.2f}"
    st.metric("Severity, kappa", kappa, help="1 is full agreement, 0 is what chance would give.")
    st.caption(f"Of {counted(found.n, 'report')} decided twice, {found.same:,} were decided alike in full.")
    st.page_link("pages/second_look.py", label="See where people differ", icon=":material/list:")


def emerging(window: Window) -> None:
    """Clusters that outgrow their own past by more than chance explains, in words."""
    grown = session.read(trends.emerging, window)
    if not grown:
        st.caption(":material/check: No cluster grew by more than chance explains.")
    for one in grown:
        st.page_link(
            "pages/clusters.py",
            label=f"Cluster {plain(one.cluster_id)}: {one.recent:,} of its {one.size:,} latest reports came in since"
            f" {one.since:%d %b}, where about {one.expected:,.1f} were to be expected",
            icon=":material/trending_up:",
            query_params={"cluster": one.cluster_id},
        )
    st.caption(
        "Of what came in during the last 16 weeks, is more of the cluster recent, from the last four, than of all the"
        " rest? Fisher's exact test says how likely that is while nothing changes; Holm's correction allows for the"
        " number of clusters that were looked at: without any change one look in twenty names one at most. On a"
        " younger desk the last quarter of its time is recent."
    )
