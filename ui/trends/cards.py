"""The charts of Trends: each reads one question, draws it, and says which list stands behind each number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

import streamlit as st

from triage_core import db, trends
from triage_core.counted import Counted, Moment
from triage_core.rewards import bounty
from triage_core.trends import WEEK, Clock, Dimension, Growth, Volume, Window
from triage_core.trends.emerging import WEEKS as RECENT_WEEKS
from ui import charts, numbers, others, session, spending
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
UNSAID: Mapping[str, LiteralString] = {
    Dimension.PRODUCT: "No product",
    Dimension.VERSION: "No version",
    Dimension.HARM: "No harm",
    Dimension.TECHNIQUE: "Not known",
}
WORDS: Mapping[str, Mapping[str, LiteralString]] = {
    Dimension.STATE: STATES,
    Dimension.SEVERITY: SEVERITY,
    Dimension.CHANNEL: others.DOORS,
    Dimension.HARM: HARM_TYPE,
}
COLOURS = [BLUE, ORANGE, TEAL, VIOLET, YELLOW, PINK, GREY]
HOURS: Mapping[str, LiteralString] = {Clock.FIRST_RESPONSE: "First response", Clock.TRIAGE: "Triage"}
INSIDE = {f"{clock}_share": name for clock, name in HOURS.items()}
MEDIANS = {f"{clock}_median_hours": name for clock, name in HOURS.items()}
_COUNTED = {Clock.FIRST_RESPONSE: Counted.RESPONSE, Clock.TRIAGE: Counted.TRIAGE}
DONE = {Clock.FIRST_RESPONSE: Counted.ANSWERED, Clock.TRIAGE: Counted.TRIAGED}
OPEN: Mapping[str, LiteralString] = {key: STATES[key] for key in ("to_decide", "in_work")}
KNOWN: Mapping[str, LiteralString] = {Counted.FRESH: "New", Counted.KNOWN: "Known already"}
GROUNDS: Mapping[str, LiteralString] = {
    Counted.BY_CLAUSE: "Cite a clause",
    Counted.BY_LINK: "Name the earlier report",
    Counted.BY_NEITHER: "Neither",
}
NOTHING: charts.Names = {}
THEN = "then_"  # before the key of a number of the period compared
BACK: Mapping[str, LiteralString] = {"reopened": "Reopened", "regression": "Came in again after the fix"}


def of_window(window: Window, **more: Any) -> dict[str, Any]:
    """The filters of the list of all that came in within the window; `more` narrows it."""
    bounds = _between(window.since, window.end)
    return {"state": "any", "product": list(window.platform), **bounds, **more}


def of_week(window: Window, week: datetime, **more: Any) -> dict[str, Any]:
    """The same for one week of the window."""
    since = max(week, window.since) if window.since else week
    until = min(week + WEEK - timedelta(microseconds=1), window.end)
    return of_window(window, **(_between(since, until) | more))


def _between(since: datetime | None, until: datetime | None) -> dict[str, str]:
    return {
        name: moment.replace(tzinfo=None).isoformat()
        for name, moment in (("since", since), ("until", until))
        if moment
    }


def scope(window: Window, compared: Window | None = None) -> str:
    """What the pickers say, for a figure: the period and the products, and in a line of its own what is compared."""
    period = "All time" if window.weeks is None else counted(window.weeks, "week")
    then = f"\nCompared: those up to {compared.end:%d %b %Y}" if compared else ""
    return f"{period} up to {window.end:%d %b %Y}; {_products(window)}{then}"


def scope_now(window: Window) -> str:
    """The same for what does not go by the period."""
    return f"As of {window.now:%d %b %Y}; {_products(window)}"


def _products(window: Window) -> str:
    more = len(window.platform) - 3
    named = ", ".join(map(charts.safe, window.platform[:3])) or "all products"
    return f"{named} and {more:,} more" if more > 0 else named


def _value(dimension: Dimension, value: str | None, named: Sequence[str | None]) -> dict[str, Any]:
    """The filters for one value of a dimension; None for all but the `named` ones."""
    if value is None:
        return others.without(dimension, [one for one in named if one is not None])
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
    rows: list[dict[str, Any]] = [
        {"week": week} | {str(place): counts[number] for place, counts in enumerate(found.counts)}
        for number, week in enumerate(found.weeks)
    ]
    colours = {Dimension.STATE: [BLUE, VIOLET, GREY], Dimension.SEVERITY: SEVERITY_SHADES}.get(
        dimension, COLOURS[: len(names)]
    )
    then = {}
    if compared:
        rows = _beside(rows, session.read(trends.total_by_week, compared))
        then = {f"{THEN}reports": "All, in the period compared"}

    def behind(key: str, place: int) -> dict[str, Any]:
        if compared and key in then:
            return of_week(compared, rows[place][f"{THEN}week"])
        return of_week(window, found.weeks[place], **_value(dimension, found.values[int(key)], found.values))

    def whole(title: str, place: int) -> dict[str, Any] | None:
        more = _value(dimension, found.values[place], found.values)
        return of_window(window, **more) if title == "Reports" else None

    charts.weekly_bars(
        f"volume-{dimension}", rows, names, [*colours, GREY], "Reports that came in each week", behind, then
    )
    totals = [(names[str(place)], found.total(place)) for place in range(len(found.values))]
    charts.bars(f"total-{dimension}", BY[dimension], totals, colours, "Reports of the whole period", whole)


def _beside(rows: list[db.Row], earlier: list[db.Row]) -> list[db.Row]:
    """Each week with that of the period compared, whose columns are told apart by `THEN`."""
    return [
        {**row, **{f"{THEN}{key}": value for key, value in other.items()}}
        for row, other in zip(rows, earlier, strict=True)
    ]


def _weekly(
    draw: Callable[..., None],
    name: str,
    ask: Callable[..., list[db.Row]],
    window: Window,
    names: charts.Names,
    colours: list[str],
    alt: LiteralString,
    only: Callable[[str], Mapping[str, Any]],
    compared: Window | None = None,
    then: charts.Names = NOTHING,
) -> None:
    """A chart by week of what `ask` gives; `only` says which filters list the reports behind a number of each series.

    `then` names what of it is drawn of the window `compared`; the colours of `names` go on to those.
    """
    rows = session.read(ask, window)
    dotted = {f"{THEN}{key}": f"{title}, then" for key, title in then.items()} if compared else {}
    if compared:
        rows = _beside(rows, session.read(ask, compared))

    def behind(key: str, place: int) -> dict[str, Any]:
        if compared and key in dotted:
            return of_week(compared, rows[place][f"{THEN}week"], **only(key.removeprefix(THEN)))
        return of_week(window, rows[place]["week"], **only(key))

    draw(name, rows, names, colours, alt, behind, dotted)


def known(window: Window, compared: Window | None) -> None:
    _weekly(
        charts.weekly_bars, "known", trends.known_by_week, window, KNOWN, [BLUE, ORANGE, BLUE, ORANGE],
        "New and known reports each week", lambda key: {"only": Counted(key)}, compared, KNOWN,
    )  # fmt: skip


def inside(window: Window, compared: Window | None) -> None:
    _weekly(
        charts.weekly_shares, "inside", trends.clocks_by_week, window, INSIDE, [BLUE, ORANGE, BLUE, ORANGE],
        "Share inside target, by the week reports came in", lambda key: {"only": _COUNTED[_clock(key)]}, compared,
        INSIDE,
    )  # fmt: skip


def hours(window: Window, compared: Window | None) -> None:
    _weekly(
        charts.weekly_hours, "hours", trends.clocks_by_week, window, MEDIANS, [BLUE, ORANGE, BLUE, ORANGE],
        "Median hours, by the week reports came in", lambda key: {"only": DONE[_clock(key)]}, compared, MEDIANS,
    )  # fmt: skip


def _clock(key: str) -> Clock:
    return next(clock for clock in Clock if key.startswith(clock))


def backlog(window: Window) -> None:
    def behind(key: str, place: int) -> dict[str, Any]:
        since, until = trends.age_bounds(window, place)
        return {"state": key, "product": list(window.platform), **_between(since, until or window.now)}

    rows = session.read(trends.backlog, window)
    charts.stacked_bars("backlog", "Age", rows, OPEN, [BLUE, VIOLET], "Open reports by age", behind)


def closures(window: Window) -> None:
    _weekly(
        charts.weekly_bars, "closures", trends.closures, window, GROUNDS, [BLUE, ORANGE, GREY],
        "Closures each week by what they rest on", lambda key: {"only": Counted(key), "moment": Moment.CLOSED},
    )  # fmt: skip


def come_back(window: Window) -> None:
    rows = session.read(trends.come_back, window)

    def behind(key: str, place: int) -> dict[str, Any]:
        moment = Moment.REOPENED if key == "reopened" else Moment.RECEIVED
        version = rows[place]["version"] or others.NONE_NAMED
        return of_window(window, only=Counted(key), moment=moment, version=version)

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
    behind = {"view": spending.LATE, "product": list(window.platform)}
    numbers.list_link(behind, "See the late rewards", page=spending.REWARDS)


def agreed(window: Window) -> None:
    """How far two reviewers agree on the reports of the window."""
    found = session.read(trends.agreed, window)
    kappa = "too few" if found.kappa is None else f"{found.kappa:.2f}"
    st.metric("Severity, kappa", kappa, help="1 is full agreement, 0 is what chance would give.")
    st.caption(
        f"Of {counted(found.twice, 'report')} decided twice, {found.alike:,} were decided alike in full."
    )
    st.page_link("pages/second_look.py", label="See where people differ", icon=":material/balance:")
    kinds = (Counted.DECIDED_TWICE, Counted.ALIKE, Counted.DECIDED_TWICE)
    figures = {
        "Figure": ["Reports decided twice", "Reports decided alike in full", "Severity, kappa"],
        "Value": [found.twice, found.alike, found.kappa],
    }
    numbers.tabulate(
        "agreement",
        figures,
        "How far two reviewers agree",
        behind=lambda title, place: of_window(window, only=kinds[place]) if title == "Value" else None,
    )


def emerging(window: Window) -> None:
    """Clusters that outgrow their own past by more than chance explains, in words."""
    grown = session.read(trends.emerging, window)
    if not grown:
        st.caption(":material/check: No cluster grew by more than chance explains.")
    for one in grown:
        st.page_link(
            "pages/clusters.py",
            label=f"Cluster {plain(one.cluster_id)}: {one.recent:,} of its {one.size:,} reports came in within four"
            f" weeks, where about {one.expected:,.1f} were to be expected",
            icon=":material/trending_up:",
            query_params={"cluster": one.cluster_id},
        )
    st.caption(
        "If nothing had changed, each report of a cluster would be a recent one as often as any report is. The"
        " binomial test says how likely so many recent ones would then be; Holm's correction allows for the"
        " number of clusters that were looked at: without any change one look in twenty names one at all."
    )
    if grown:
        _emerging_numbers(window, grown)


def _emerging_numbers(window: Window, grown: Sequence[Growth]) -> None:
    recent, whole = "Within four weeks", "Reports"
    since = window.now - RECENT_WEEKS * WEEK

    def behind(title: str, place: int) -> dict[str, Any] | None:
        bounds = {recent: _between(since, window.now), whole: _between(None, None)}
        of_cluster = {"state": "any", "product": list(window.platform), "cluster": grown[place].cluster_id}
        return {**of_cluster, **bounds[title]} if title in bounds else None

    figures = {
        "Cluster": [inline(one.cluster_id) for one in grown],
        recent: [one.recent for one in grown],
        whole: [one.size for one in grown],
        "To be expected": [round(one.expected, 1) for one in grown],
        "Chance": [one.chance for one in grown],
    }
    numbers.tabulate("emerging", figures, "Clusters that grow faster than their own past", behind=behind)
