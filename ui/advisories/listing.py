"""The advisories as a table: how far each has come, and whom it waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from triage_core.advisories.advisory import KNOWN, Standing
from triage_core.advisories.advisory_board import Advisory
from ui.hostile import inline
from ui.words import PRODUCT, moment, span


def draw(rows: Sequence[Advisory], now: datetime, key: str) -> None:
    """One a row, with a button each; every time has its hour and zone."""
    ends = [one.embargo_end if one.held else None for one in rows]
    st.dataframe(
        {
            "open": [["Open"]] * len(rows),
            "number": [f"{one.advisory_id}" for one in rows],
            "title": [inline(one.title, 200) for one in rows],
            "waits": [waits(one) for one in rows],
            "told": [f"{sum(side.standing in KNOWN for side in one.sides)}" for one in rows],
            "accepted": [_accepted(one) for one in rows],
            "product": [_product(one) for one in rows],
            "report": [inline(one.report_id) for one in rows],
            "ends": [moment(end) if end else "" for end in ends],
            "left": [span(end - now) if end else "" for end in ends],
            "tlp": [inline(one.tlp) for one in rows],
        },
        column_config={
            "open": st.column_config.ButtonColumn("", width=75, pinned=True, type="tertiary", key=key),
            "number": st.column_config.TextColumn("No.", width=50, pinned=True, alignment="right"),
            "title": st.column_config.TextColumn("Title", width=290),
            "waits": st.column_config.TextColumn("Waits for", width=250),
            "told": st.column_config.TextColumn("Told", width=50, alignment="right"),
            "accepted": st.column_config.TextColumn("Accepted", width=75, alignment="right"),
            "product": st.column_config.TextColumn("Their products", width=190),
            "report": st.column_config.TextColumn("Report", width=80),
            "ends": st.column_config.TextColumn("Embargo ends", width=160),
            "left": st.column_config.TextColumn("Left", width=60),
            "tlp": st.column_config.TextColumn("TLP", width=130),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="Advisories that fit the choice, one a row, with a button that opens each",
    )


def waits(one: Advisory) -> str:
    """What an advisory waits for, for a table cell: our own acts first, then the peers by name; "" for nothing."""
    if one.closed_at:
        return ""
    if one.stub_rule:
        return "Nothing may be told"
    parts = []
    if not any(side.standing in KNOWN for side in one.sides):
        parts.append("Peers to be told")
    if one.suggested:
        parts.append(f"Label TLP:{one.suggested}")
    for standing, what in ((Standing.ASKED, "Answer"), (Standing.LATER_END, "Later end")):
        if names := [side.name for side in one.sides if side.standing is standing]:
            parts.append(f"{what}: {', '.join(names)}")
    return inline(" · ".join(parts), 200)


def _accepted(one: Advisory) -> str:
    return f"{sum(side.standing in {Standing.ACCEPTED, Standing.LATER_END} for side in one.sides)}"


def _product(one: Advisory) -> str:
    """How many peers say what of their products."""
    said = Counter(side.exchange.status for side in one.sides if side.standing in KNOWN)
    return ", ".join(f"{said[status]} {words.lower()}" for status, words in PRODUCT.items() if said[status])
