"""The numbers of a chart as a table: each with the link to its list, and all of them as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, LiteralString

import streamlit as st

from triage_core.text import spreadsheet_text
from ui import filters, screens

INBOX = "pages/inbox.py"
Columns = Mapping[str, Sequence[Any]]
# The filters (ui/filters.py) of the list behind a number, by the key of its series and the place of its row.
Behind = Callable[[str, int], Mapping[str, Any] | None]


def tabulate(
    name: str,
    numbers: Columns,
    alt: LiteralString,
    cells: str | None = "localized",
    behind: Behind | None = None,
    page: str = INBOX,
) -> None:
    """The table, drawn when it is opened; `cells` is the format of its numbers, None where it holds words.

    The first column names the rows. A click on a number shows the link to the list on `page` that `behind` gives for
    its column and row.
    """
    table = st.expander("Numbers", icon=":material/table:", on_change="rerun", key=f"numbers-{name}")
    if table.open:
        with table:
            _table(name, numbers, alt, cells, behind if screens.opens(page) else None, page)


def _table(
    name: str, numbers: Columns, alt: LiteralString, cells: str | None, behind: Behind | None, page: str
) -> None:
    numeric = list(numbers)[1:] if cells else []
    choose: dict[str, Any] = {"on_select": "rerun", "selection_mode": "single-cell"} if behind else {}
    chosen = st.dataframe(
        numbers,
        column_config={title: st.column_config.NumberColumn(format=cells) for title in numeric},
        hide_index=True,
        height="content",
        alt=f"{alt}, as a table",
        key=f"table-{name}",
        **choose,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "CSV", as_csv(numbers), f"{name}.csv", "text/csv", icon=":material/download:", on_click="ignore"
        )
        if not behind:
            return
        picked = [behind(title, place) for place, title in chosen["selection"]["cells"]]
        for values in filter(None, picked):
            list_link(values, "See what is behind this number", page=page)
        if not any(picked):
            st.caption("Choose a number to get the link to its list.")


def list_link(
    values: Mapping[str, Any],
    label: LiteralString = "See the list",
    icon: LiteralString = ":material/list:",
    page: str = INBOX,
) -> None:
    """A link to the list that these filters give, for who may open it."""
    screens.lead(page, label, icon, _address(values))


def _address(values: Mapping[str, Any]) -> dict[str, Any]:
    role = {"role": st.query_params["role"]} if "role" in st.query_params else {}
    return {**role, **filters.address(values)}


def as_csv(numbers: Columns) -> str:
    """The columns as CSV; no cell is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([spreadsheet_text(title) for title in numbers])
    for row in zip(*numbers.values(), strict=True):
        writer.writerow(["" if cell is None else spreadsheet_text(str(cell)) for cell in row])
    return text.getvalue()
