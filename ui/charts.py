"""The one place that makes Plotly figures.

Plotly reads a little HTML, links among it, in titles, ticks and hover boxes. So names of ours are
LiteralStrings, and a reporter's word passes through `safe`. Colours are the theme's: Streamlit's
front end puts them in place of the numbered colours below, light or dark.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, LiteralString

import plotly.graph_objects as go
import streamlit as st

from ui.hostile import inline
from ui.words import SEVERITY

BLUE, ORANGE, GREEN, PINK, VIOLET, YELLOW, TEAL, GREY = (f"#{n:06d}" for n in range(1, 9))
SHADES = tuple(f"#{n:06d}" for n in range(11, 21))
SEVERITY_SHADE = dict(zip(SEVERITY, (GREY, *(SHADES[step] for step in (1, 3, 5, 7, 9))), strict=True))

HEIGHT = 260
LARGEST_NAME = 28
WEEK_MS = timedelta(weeks=1) / timedelta(milliseconds=1)
CONFIG = {"displayModeBar": False, "doubleClick": False}
NOTHING = "Nothing to draw for this choice yet."
NO_NUMBER = "–"

Rows = Sequence[Mapping[str, Any]]
Names = Mapping[str, LiteralString]


def safe(text: str) -> str:
    """A reporter's word for a place where Plotly reads HTML: revealed, on one short line, escaped."""
    return html.escape(inline(text, LARGEST_NAME), quote=False)


def weekly_bars(rows: Rows, names: Names, colours: Sequence[str]) -> go.Figure:
    """Stacked bars over weeks: one row a week with `week` and a number for each key of `names`."""
    weeks = [row["week"] for row in rows]
    bars = [
        go.Bar(
            x=weeks,
            y=[row[key] for row in rows],
            name=name,
            marker_color=colour,
            width=WEEK_MS * 0.8,
            hovertemplate="%{y:,}",
        )
        for (key, name), colour in zip(names.items(), colours, strict=True)
    ]
    return _by_week(go.Figure(bars, {"barmode": "stack", "yaxis": {"tickformat": ",d", "rangemode": "tozero"}}), rows)


def weekly_lines(rows: Rows, names: Names, colours: Sequence[str], *, share: bool = False) -> go.Figure:
    """Lines over weeks with gaps where nothing was counted; `share` draws 0 to 1 as per cent, else hours."""
    weeks = [row["week"] for row in rows]
    lines = [
        go.Scatter(
            x=weeks,
            y=[row[key] for row in rows],
            name=name,
            mode="lines+markers",
            line_color=colour,
            hovertemplate="%{y:.0%}" if share else "%{y:,.1f} h",
        )
        for (key, name), colour in zip(names.items(), colours, strict=True)
    ]
    axis = {"tickformat": ".0%", "range": [-0.04, 1.04]} if share else {"rangemode": "tozero", "ticksuffix": " h"}
    return _by_week(go.Figure(lines, {"yaxis": axis}), rows)


def bars(labels: Sequence[str], counts: Mapping[LiteralString, Sequence[int]], colours: Sequence[str]) -> go.Figure:
    """Stacked lying bars, the first label on top. Labels are ours or `safe`; `counts` holds a list a series."""
    many = len(counts) > 1
    drawn = [
        go.Bar(x=values, y=labels, name=name, orientation="h", marker_color=colour, hovertemplate="%{x:,}")
        for (name, values), colour in zip(counts.items(), colours, strict=True)
    ]
    if not many:  # one series: a colour for each bar, and its number at its end
        drawn[0].update(marker_color=list(colours) if len(colours) > 1 else colours[0])
        drawn[0].update(text=[f"{n:,}" for n in drawn[0].x], textposition="outside", cliponaxis=False)
    figure = go.Figure(
        drawn,
        {
            "barmode": "stack",
            # Never a date or a number, whatever a product is called.
            "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False},
            "xaxis": {"visible": many, "tickformat": ",d", "rangemode": "tozero"},
            "hovermode": "y unified" if many else "closest",
        },
    )
    return _plain(figure, legend=many)


@contextmanager
def card(title: LiteralString, answers: LiteralString) -> Iterator[None]:
    """A frame for one chart, headed by the question that it answers."""
    with st.container(border=True, height="stretch"):
        st.subheader(title, anchor=False)
        st.caption(answers)
        yield


def draw(name: str, figure: go.Figure | None, numbers: Mapping[str, Sequence[Any]], *, alt: str) -> None:
    """The chart and, when it is opened, its numbers as a table; a line that says so where there is nothing."""
    if figure is None:
        st.caption(f":material/hourglass_empty: {NOTHING}")
        return
    st.plotly_chart(figure, height=HEIGHT, config=CONFIG, alt=alt, key=f"chart-{name}")
    table = st.expander("Numbers", icon=":material/table:", on_change="rerun", key=f"numbers-{name}")
    if table.open:
        table.dataframe(numbers, hide_index=True, height="content", alt=f"{alt}, as a table")


def percent(share: float | None) -> LiteralString:
    """A share of 0 to 1 in words."""
    return NO_NUMBER if share is None else f"{share:.0%}"


def week_numbers(rows: Rows, names: Mapping[str, LiteralString]) -> dict[str, list[Any]]:
    """The rows of a weekly chart as columns of a table, the newest week first."""
    newest = list(reversed(rows))
    return {"Week of": [row["week"].date() for row in newest]} | {
        name: [row[key] for row in newest] for key, name in names.items()
    }


def _by_week(figure: go.Figure, rows: Rows) -> go.Figure:
    half = timedelta(days=3.5)
    figure.update_xaxes(
        type="date",
        range=[rows[0]["week"] - half, rows[-1]["week"] + half],
        hoverformat="Week of %d %b %Y",
        tickformat="%d %b\n%Y",
        nticks=8,
        showgrid=False,
    )
    figure.update_layout(hovermode="x unified")
    return _plain(figure, legend=len(figure.data) > 1)


def _plain(figure: go.Figure, *, legend: bool) -> go.Figure:
    figure.update_layout(
        margin={"l": 8, "r": 32, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        showlegend=legend,
        dragmode=False,
        bargap=0.25,
    )
    return figure
