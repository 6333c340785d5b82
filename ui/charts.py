"""The charts: one place makes Plotly figures, draws them with a name for those who listen, and gives the numbers.

Plotly reads a little HTML, links among it, in titles, ticks and hover boxes. So the names of series
are ours, and what may be a reporter's word passes through `safe`. Colours are the theme's: Streamlit's front end
puts them in place of the numbered ones below, light or dark.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from textwrap import wrap
from typing import Any, LiteralString

import plotly.graph_objects as go
import streamlit as st

from ui import numbers, paint
from ui.hostile import inline
from ui.numbers import INBOX, Behind, Columns

BLUE, ORANGE, GREEN, PINK, VIOLET, YELLOW, TEAL, GREY = (f"#{number:06d}" for number in range(1, 9))
_SHADES = [f"#{number:06d}" for number in range(11, 21)]
SEVERITY_SHADES = [GREY, *(_SHADES[step] for step in (1, 3, 5, 7, 9))]  # in the order of words.SEVERITY

NO_NUMBER = "–"
HEIGHT = 300
SCOPE_LINE = 60  # characters of it that a chart in half a page has room for
BAR = 20  # pixels of a lying bar, so that its label can be read
LONGEST_NAME = 28
# Where a lying bar is, how broad, and of which pattern: alone, over what is compared, and that.
ALONE, ABOVE, COMPARED = (0, None, ""), (-0.13, 0.45, ""), (0.23, 0.25, ".")
MOST_WEEKS_NAMED = 13
DASHES = ("solid", "dash", "longdash", "dashdot")
THEN = "dot"  # what is compared with
ON_BARS = {"symbol": "diamond", "size": 9, "line": {"color": "white", "width": 1.5}}
# The one button of the toolbar saves the chart as a picture, in the browser.
CONFIG = {"modeBarButtons": [["toImage"]], "displaylogo": False}
_WEEK = timedelta(weeks=1)
_DOWNWARDS = {"autorange": "reversed", "showgrid": False, "zeroline": False}

Rows = Sequence[Mapping[str, Any]]
Names = Mapping[str, str]
_NOTHING: Names = {}
_SCOPE: ContextVar[str] = ContextVar("_SCOPE", default="")


def safe(text: str) -> str:
    """Text for a place where Plotly reads HTML: revealed, on one short line, escaped."""
    return html.escape(inline(text, LONGEST_NAME), quote=False)


def percent(share: float | None) -> LiteralString:
    """A share of 0 to 1 as per cent; a dash for None."""
    return NO_NUMBER if share is None else f"{share:.0%}"


@contextmanager
def card(title: LiteralString, question: LiteralString, scope: str = "") -> Iterator[None]:
    """A frame for one chart, headed by the question that it answers.

    `scope` says in lines what the figures within are about, as a period; it stands in them, and so in a saved picture.
    What of it is not ours has passed through `safe`.
    """
    with scoped(scope), st.container(border=True, height="stretch"):
        st.subheader(title, anchor=False)
        st.caption(question)
        yield


@contextmanager
def scoped(scope: str) -> Iterator[None]:
    """What the figures drawn within are about, as for `card`."""
    token = _SCOPE.set(scope)
    try:
        yield
    finally:
        _SCOPE.reset(token)


def weekly_bars(
    name: str,
    rows: Rows,
    names: Names,
    colours: Sequence[str],
    alt: LiteralString,
    behind: Behind | None = None,
    then: Names = _NOTHING,
) -> None:
    """Stacked bars: one row a week with `week` and a count for each key of `names`, and of `then`.

    What stands under the keys of `then` is compared with the bars: dotted lines. `colours` go through both.
    """
    bars = [
        go.Bar(
            marker_color=colour, width=_WEEK / timedelta(milliseconds=1) * 0.8, hovertemplate="%{y:,}", **line
        )
        for line, colour in zip(_series(rows, names), colours, strict=False)
    ]
    heights = [sum(row[key] for key in names) for row in rows]
    compared = [row[key] for row in rows for key in then]
    figure = go.Figure(bars, {"barmode": "stack", "yaxis": _counted([*heights, *compared])})
    lines = _dotted(rows, then, colours[len(names) :], "%{y:,}")
    for line in lines:  # which would not be seen on a bar of its own colour
        line.update(mode="lines+markers", marker=ON_BARS)
    figure.add_traces(lines)
    figure = _by_week(figure, rows)
    names = {**names, **then}
    drawn = figure if any(heights) or any(compared) else None
    _draw(name, drawn, _newest_first(rows, names), alt, behind=_backwards(behind, names, rows))


def weekly_shares(
    name: str,
    rows: Rows,
    names: Names,
    colours: Sequence[str],
    alt: LiteralString,
    behind: Behind | None = None,
    then: Names = _NOTHING,
) -> None:
    """Lines of shares, 0 to 1, with a gap where a week has None; `then` as for bars."""
    axis = {"tickformat": ".0%", "range": [-0.04, 1.06]}
    _weekly_lines(name, rows, names, colours, alt, "%{y:.0%}", axis, "percent", behind, then)


def weekly_hours(
    name: str,
    rows: Rows,
    names: Names,
    colours: Sequence[str],
    alt: LiteralString,
    behind: Behind | None = None,
    then: Names = _NOTHING,
    unit: LiteralString = "h",
) -> None:
    """Lines of hours, or another unit, with a gap where a week has None; `then` as for bars."""
    axis = {"ticksuffix": f" {unit}", "rangemode": "tozero", "nticks": 6}
    _weekly_lines(name, rows, names, colours, alt, f"%{{y:,.1f}} {unit}", axis, f"%.1f {unit}", behind, then)


def bars(
    name: str,
    kind: LiteralString,
    counts: Sequence[tuple[str, int]],
    colours: Sequence[str],
    alt: LiteralString,
    behind: Behind | None = None,
) -> None:
    """One lying bar for each labelled count, the first on top; a colour each, or one for all.

    Labels may be a reporter's words: the axis counts places, so that none is taken for a date and two
    that look alike stay two.
    """
    labels, values = [label for label, _ in counts], [count for _, count in counts]
    bar = go.Bar(
        x=values,
        y=list(range(len(values))),
        orientation="h",
        marker_color=colours if len(colours) > 1 else colours[0],
        text=[f"{count:,}" for count in values],
        textposition="outside",
        cliponaxis=False,
        hoverinfo="skip",
    )
    figure = go.Figure(bar).update_xaxes(visible=False)
    figure.update_yaxes(tickvals=list(bar.y), ticktext=[f"{safe(label)}  " for label in labels], **_DOWNWARDS)
    _draw(
        name,
        figure if any(values) else None,
        {kind: [inline(label) for label in labels], "Reports": values},
        alt,
        behind=behind,
    )


def stacked_bars(
    name: str,
    kind: LiteralString,
    rows: Rows,
    names: Names,
    colours: Sequence[str],
    alt: LiteralString,
    behind: Behind | None = None,
    page: str = INBOX,
    then: Names = _NOTHING,
    unit: str = "Reports",
) -> None:
    """Lying bars, one for each row, the first on top: `label` and a count for each key of `names`, and of `then`.

    What stands under the keys of `then`, in the order of `names`, is compared: dotted bars below. Labels may be a
    reporter's words: the axis counts places. What stands `behind` a number is listed on `page`.
    `unit` is what the axis counts.
    """
    labels = [inline(row["label"]) for row in rows]
    drawn = [
        go.Bar(
            x=[row[key] for row in rows],
            y=[place + shift for place in range(len(rows))],
            width=width,
            name=title,
            orientation="h",
            marker={"color": colour, "pattern": {"shape": pattern, "fillmode": "replace", "size": 5}},
            hovertemplate="%{x:,}",
        )
        for series, (shift, width, pattern) in ((names, ABOVE if then else ALONE), (then, COMPARED))
        for (key, title), colour in zip(series.items(), colours, strict=False)
    ]
    figure = go.Figure(drawn, {"barmode": "stack", "hovermode": "y unified"})
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[f"{safe(label)}  " for label in labels], **_DOWNWARDS
    )
    # What was taken back is below zero.
    lengths = [sum(abs(row[key]) for key in series) for row in rows for series in (names, then)]
    figure.update_xaxes(title={"text": safe(unit), "font": {"size": 12}, "standoff": 14}, **_counted(lengths))
    keys = {title: key for key, title in {**names, **then}.items()}
    counts = {title: [row[key] for row in rows] for title, key in keys.items()}
    linked = (lambda title, place: behind(keys[title], place) if title in keys else None) if behind else None
    _draw(name, figure if any(lengths) else None, {kind: labels, **counts}, alt, behind=linked, page=page)


def spans(
    name: str,
    kind: LiteralString,
    rows: Rows,
    names: Names,
    colours: Sequence[str],
    now: datetime,
    alt: LiteralString,
) -> None:
    """A calendar of lying bars, one for each row, the first on top: `label`, from `begin` to `end`, both UTC.

    `group`, a key of `names`, gives a bar its colour; a line stands at `now`. Labels may be a reporter's words.
    """
    drawn = []
    for (key, title), colour in zip(names.items(), colours, strict=True):
        mine = [(place, row) for place, row in enumerate(rows) if row["group"] == key]
        if mine:
            drawn.append(
                go.Bar(
                    base=[row["begin"].replace(tzinfo=None) for _, row in mine],
                    x=[(row["end"] - row["begin"]) / timedelta(milliseconds=1) for _, row in mine],
                    y=[place for place, _ in mine],
                    width=0.8,  # else the bars of a colour with few rows are as wide as the rows between them
                    customdata=[f"{row['end']:%d %b %Y %H:%M} UTC" for _, row in mine],
                    hovertemplate="ends %{customdata}<extra></extra>",
                    name=title,
                    orientation="h",
                    marker_color=colour,
                )
            )
    figure = go.Figure(drawn, {"barmode": "overlay"}).update_xaxes(type="date")
    figure.add_vline(x=now.replace(tzinfo=None), line={"color": GREY, "dash": "dot"})
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[f"{safe(row['label'])}  " for row in rows], **_DOWNWARDS
    )
    columns = {
        kind: [inline(row["label"]) for row in rows],
        "From": [f"{row['begin']:%d %b %Y %H:%M} UTC" for row in rows],
        "Ends": [f"{row['end']:%d %b %Y %H:%M} UTC" for row in rows],
        "State": [names[row["group"]] for row in rows],
    }
    _draw(name, figure if rows else None, columns, alt, None, height=max(HEIGHT, BAR * len(rows)))


def _weekly_lines(
    name: str,
    rows: Rows,
    names: Names,
    colours: Sequence[str],
    alt: LiteralString,
    hover: str,
    axis: dict[str, Any],
    cells: str,
    behind: Behind | None,
    then: Names,
) -> None:
    lines = [
        go.Scatter(mode="lines+markers", line={"color": colour, "dash": dash}, hovertemplate=hover, **line)
        # Dashed each in its own way: seen where they coincide.
        for line, colour, dash in zip(_series(rows, names), colours, DASHES, strict=False)
    ]
    lines += _dotted(rows, then, colours[len(names) :], hover)
    figure = _by_week(go.Figure(lines, {"yaxis": axis}), rows)
    names = {**names, **then}
    known = any(row[key] is not None for row in rows for key in names)
    columns = _newest_first(rows, names)
    _draw(name, figure if known else None, columns, alt, cells, _backwards(behind, names, rows))


def _dotted(rows: Rows, names: Names, colours: Sequence[str], hover: str) -> list[go.Scatter]:
    return [
        go.Scatter(
            mode="lines", line={"color": colour, "dash": THEN, "width": 1.5}, hovertemplate=hover, **line
        )
        for line, colour in zip(_series(rows, names), colours, strict=False)
    ]


def _counted(totals: Sequence[int]) -> dict[str, Any]:
    """An axis of whole numbers: left alone, Plotly divides one report into fifths."""
    steps = {"dtick": 1} if max(totals, default=0) <= 6 else {"nticks": 6}
    return {"tickformat": ",d", "rangemode": "tozero", **steps}


def _series(rows: Rows, names: Names) -> Iterator[dict[str, Any]]:
    weeks = [row["week"] for row in rows]
    for key, title in names.items():
        yield {"x": weeks, "y": [row[key] for row in rows], "name": safe(title)}


def _backwards(behind: Behind | None, names: Names, rows: Rows) -> Behind | None:
    """`behind` for a table whose columns are titles and whose rows are the newest first."""
    if behind is None:
        return None
    keys = {title: key for key, title in names.items()}
    return lambda title, place: behind(keys[title], len(rows) - 1 - place) if title in keys else None


def _newest_first(rows: Rows, names: Names) -> Columns:
    newest = rows[::-1]
    counts = {title: [row[key] for row in newest] for key, title in names.items()}
    return {"Week of": [row["week"].date() for row in newest], **counts}


def _by_week(figure: go.Figure, rows: Rows) -> go.Figure:
    weeks = [row["week"] for row in rows]
    named = weeks[:: -(-len(weeks) // MOST_WEEKS_NAMED)]
    new_year = [place == 0 or named[place - 1].year != week.year for place, week in enumerate(named)]
    figure.update_xaxes(
        type="date",
        range=[weeks[0] - _WEEK / 2, weeks[-1] + _WEEK / 2],
        hoverformat="Week of %d %b %Y",
        tickvals=named,  # Mondays; left alone, Plotly names Sundays
        ticktext=[
            f"{week:%d %b<br>%Y}" if new else f"{week:%d %b}"
            for week, new in zip(named, new_year, strict=True)
        ],
        showgrid=False,
    )
    return figure.update_layout(hovermode="x unified")


def _draw(
    name: str,
    figure: go.Figure | None,
    columns: Columns,
    alt: LiteralString,
    cells: str | None = "localized",
    behind: Behind | None = None,
    height: int = HEIGHT,
    page: str = INBOX,
) -> None:
    """The chart under its name and scope, with its numbers (numbers.py); one line where there is nothing to draw."""
    if figure is None:
        st.caption(f":material/hourglass_empty: Nothing to draw for this choice: {alt[:1].lower()}{alt[1:]}.")
        return
    lines = [line for part in _SCOPE.get().splitlines() for line in wrap(part, SCOPE_LINE)]
    figure.update_layout(
        title={
            "text": alt,
            "font": {"size": 13},
            "subtitle": {"text": "<br>".join(lines), "font": {"size": 12}},
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "automargin": True,
        },
        margin={"l": 8, "r": 40, "t": 8, "b": 8},
        # From left to right as the bars lie, or stand from the ground up, and as the columns of their table.
        legend={
            "orientation": "h",
            "traceorder": "normal",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "title": None,
        },
        showlegend=len(figure.data) > 1,
        dragmode=False,
        bargap=0.25,
    )
    config = {**CONFIG, "toImageButtonOptions": {"filename": name, "scale": 2}}
    paint.before_first_chart()
    st.plotly_chart(figure, height=height, config=config, alt=alt, key=f"chart-{name}")
    numbers.tabulate(name, columns, alt, cells, behind, page)
