"""The map of the embedded reports as a chart; it shows ids and never a reporter's words."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from triage_core.index.maps import Map, Point
from ui import paint, session
from ui.charts import BLUE, GREY, ORANGE

HEIGHT = 440
_LAYERS = (
    ("On their own", GREY, 5, 0.6),
    ("In a cluster", BLUE, 7, 0.7),
    ("Chosen cluster", ORANGE, 11, 1.0),
)


def draw(axis: str, found: Map, chosen: str) -> str | None:
    """Draw the map of an axis; gives the cluster of the point that was clicked, if one was.

    As SVG: Plotly's WebGL traces compile code, which the page's security policy forbids.
    """
    layers: list[list[Point]] = [[], [], []]
    for point in found.points:
        layers[2 if point.cluster_id == chosen else int(point.size > 1)].append(point)
    traces = [
        go.Scatter(
            x=[point.x for point in points],
            y=[point.y for point in points],
            name=name,
            mode="markers",
            marker={"color": colour, "size": size, "opacity": opacity},
            text=[f"{point.report_id}, cluster of {point.size:,}" for point in points],
            customdata=[point.report_id for point in points],
            hovertemplate="%{text}<extra></extra>",
        )
        for (name, colour, size, opacity), points in zip(_LAYERS, layers, strict=True)
        if points
    ]
    hidden: dict[str, Any] = {"visible": False}
    figure = go.Figure(traces, {"xaxis": hidden, "yaxis": hidden, "hovermode": "closest"})
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, legend={"orientation": "h", "y": 0})
    shown = session.snapshot_key(
        {f"{point.report_id} {point.cluster_id}": point.size for point in found.points}
    )
    paint.before_first_chart()
    event = st.plotly_chart(
        figure,
        height=HEIGHT,
        config={"displayModeBar": False},
        on_select="rerun",
        selection_mode="points",
        # It stays as it is, and as far as somebody has zoomed in, until its points or their clusters change.
        key=f"map-{axis}-{chosen}-{shown}",
        alt="Map of the reports: near points are alike; the chosen cluster stands out",
    )
    if not event.selection.points:
        return None
    # Looked up among the points that were drawn: what the browser says is only a name.
    clusters = {point.report_id: point.cluster_id for point in found.points}
    return clusters.get(event.selection.points[0].get("customdata"))
