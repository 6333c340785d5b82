"""The charts of Trends: each reads one question, draws it, and says which list stands behind each number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, LiteralString

from triage_core import db, trends
from triage_core.counted import WITHOUT_KEY, Counted, Moment
from triage_core.model import Channel
from triage_core.rewards import bounty
from triage_core.trends import OF_ARRIVAL, THEN, WEEK, Clock, Dimension, Volume, Window
from ui import charts, others, session
from ui.charts import BLUE, GREY, ORANGE, PINK, SEVERITY_SHADES, TEAL, VIOLET
from ui.hostile import inline
from ui.trends.names import (
    BACK,
    BY,
    CLOCK_COLOURS,
    CLOCKS,
    COLOURS,
    DONE,
    FIXES,
    GROUNDS,
    HOURS,
    KNOWN,
    OPEN,
    SENDERS,
    UNSAID,
    WORDS,
)
from ui.words import SEVERITY, counted

NOTHING: charts.Names = {}


def of_window(window: Window, **more: Any) -> dict[str, Any]:
    """The filters of the list of all that came in within the window; `more` narrows it."""
    bounds = between(window.since, window.end)
    return {"state": "any", "product": list(window.platform), **bounds, **more}


def of_week(window: Window, week: datetime, **more: Any) -> dict[str, Any]:
    """The same for one week of the window."""
    since = max(week, window.since) if window.since else week
    until = min(week + WEEK - timedelta(microseconds=1), window.end)
    return of_window(window, **(between(since, until) | more))


def between(since: datetime | None, until: datetime | None) -> dict[str, str]:
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
    with charts.scoped(scope(window)):  # not compared
        charts.bars(
            f"total-{dimension}", BY[dimension], totals, colours, "Reports of the whole period", whole
        )


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
    alt: LiteralString = "Share inside target each week"
    _clocks(charts.weekly_shares, "inside", window, compared, list(Clock), "share", alt)


def hours(window: Window, compared: Window | None) -> None:
    """Days for what takes weeks, so that neither half lies flat on the axis of the other."""
    _clocks(
        charts.weekly_hours, "hours", window, compared, OF_ARRIVAL, "median_hours", "Median hours each week"
    )
    draw = partial(charts.weekly_hours, unit="days")
    _clocks(draw, "days", window, compared, (Clock.FIX, Clock.BOUNTY), "median_days", "Median days each week")


def _clocks(
    draw: Callable[..., None],
    name: str,
    window: Window,
    compared: Window | None,
    clocks: Sequence[Clock],
    what: str,
    alt: LiteralString,
) -> None:
    """A chart by week of `what` is known of some clocks, in the colours that they have in all charts."""
    keys = {f"{clock}_{what}": clock for clock in clocks}

    def only(key: str) -> dict[str, Any]:
        kind, moment = CLOCKS[keys[key]]
        return {"only": kind if what == "share" else DONE[keys[key]], "moment": moment}

    colours = [colour for clock, colour in zip(Clock, CLOCK_COLOURS, strict=True) if clock in clocks]
    names = {key: HOURS[clock] for key, clock in keys.items()}
    _weekly(draw, name, _clocks_by_week, window, names, [*colours, *colours], alt, only, compared, names)


def _clocks_by_week(cursor: db.Cursor, window: Window) -> list[db.Row]:
    return [row | _in_days(row) for row in bounty.clocks_by_week(cursor, window)]


def _in_days(row: db.Row) -> dict[str, float | None]:
    hours = {clock: row[f"{clock}_median_hours"] for clock in Clock}
    return {f"{clock}_median_days": None if one is None else one / 24 for clock, one in hours.items()}


def _lying(
    name: str,
    kind: LiteralString,
    rows: list[db.Row],
    names: charts.Names,
    colours: list[str],
    alt: LiteralString,
    windows: tuple[Window, Window | None],
    only: Callable[[str, int], Mapping[str, Any]],
) -> None:
    """Lying bars of `rows`; `only` says which filters list the reports behind a number of a series and row.

    The rows hold the numbers of both windows, those of the one compared under keys that begin with THEN.
    """
    window, compared = windows
    then = {f"{THEN}{key}": f"{title}, then" for key, title in names.items()} if compared else {}

    def behind(key: str, place: int) -> dict[str, Any]:
        about = compared if compared and key in then else window
        return of_window(about, **only(key.removeprefix(THEN), place))

    charts.stacked_bars(name, kind, rows, names, colours, alt, behind, then=then)


def fixes(window: Window, compared: Window | None) -> None:
    rows = session.read(trends.fixes_by_severity, window)
    if compared:
        rows = _beside(rows, session.read(trends.fixes_by_severity, compared))

    def only(key: str, place: int) -> dict[str, Any]:
        return {"only": Counted(key), "moment": Moment.FIX_END, "severity": [rows[place]["severity"]]}

    labelled = [{**row, "label": SEVERITY[row["severity"]]} for row in rows]
    alt: LiteralString = "Fixes of the period by severity"
    _lying("fixes", "Severity", labelled, FIXES, [TEAL, ORANGE], alt, (window, compared), only)


def sources(window: Window, compared: Window | None) -> None:
    """Doors and keys, told apart by who sent what came through them."""
    rows = session.read(trends.sources, window, compared)

    def only(key: str, place: int) -> dict[str, Any]:
        door, api_key = rows[place]["door"], rows[place]["api_key"]
        if door is None:
            return {"only": Counted(key), **others.without("source", [row["source"] for row in rows[:-1]])}
        by_key = {"api_key": str(api_key or WITHOUT_KEY)} if door == Channel.API else {}
        return {"only": Counted(key), "door": [door], **by_key}

    labelled = [{**row, "label": _source(row)} for row in rows]
    alt: LiteralString = "Reports of the period by source"
    _lying("sources", "Source", labelled, SENDERS, [GREY, BLUE, VIOLET], alt, (window, compared), only)


def _source(row: db.Row) -> str:
    if row["door"] == Channel.API:
        return f"Key {row['api_key']}: {row['product']}" if row["api_key"] else "Program without a key"
    return others.DOORS[row["door"]] if row["door"] else "All others"


def backlog(window: Window) -> None:
    def behind(key: str, place: int) -> dict[str, Any]:
        since, until = trends.age_bounds(window, place)
        return {"state": key, "product": list(window.platform), **between(since, until or window.now)}

    rows = session.read(trends.backlog, window)
    charts.stacked_bars("backlog", "Age", rows, OPEN, [BLUE, VIOLET], "Open reports by age", behind)


def closures(window: Window, compared: Window | None) -> None:
    _weekly(
        charts.weekly_bars, "closures", trends.closures, window, GROUNDS, [BLUE, ORANGE, GREY] * 2,
        "Closures each week by what they rest on", lambda key: {"only": Counted(key), "moment": Moment.CLOSED},
        compared, GROUNDS,
    )  # fmt: skip


def come_back(window: Window, compared: Window | None) -> None:
    rows = session.read(trends.come_back, window, compared)

    def only(key: str, place: int) -> dict[str, Any]:
        moment = Moment.REOPENED if key == "reopened" else Moment.RECEIVED
        version = rows[place]["version"] or others.NONE_NAMED
        return {"only": Counted(key), "moment": moment, "version": version}

    labelled = [{**row, "label": row["version"] or UNSAID[Dimension.VERSION]} for row in rows]
    alt: LiteralString = "What came back, by model version"
    _lying("back", "Model version", labelled, BACK, [ORANGE, PINK], alt, (window, compared), only)


def embargoes(window: Window) -> None:
    rows = session.read(trends.embargo_ends, window)

    def behind(key: str, place: int) -> dict[str, Any]:
        week = rows[place]["week"]
        moment = timedelta(microseconds=1)
        ends = between(max(week, window.now + moment), week + WEEK - moment)
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
