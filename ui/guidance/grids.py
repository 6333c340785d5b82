"""The decision tables and the white-hat tiers of a draft as grids."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import pandas as pd
import streamlit as st

from triage_core.guidance.tables import PRIORITY_CSV, SEVERITY_CSV
from triage_core.model import (
    Exploitation,
    Exposure,
    Generality,
    Harm,
    Priority,
    Reliability,
    Severity,
    Uplift,
)
from ui.words import EXPLOITATION, EXPOSURE, GENERALITY, PRIORITY, RELIABILITY, SEVERITY, UPLIFT

Cells = dict[tuple[str, ...], str]
ROWS = tuple(itertools.product(Generality, Reliability, Uplift))
COLUMNS = tuple(itertools.product(Harm, Exposure))
CODE: Mapping[str, LiteralString] = {"H0": "H0", "H1": "H1", "H2": "H2", "H3": "H3", "H4": "H4"}
SEVERITY_HEADER = ("harm", "exposure", "generality", "reliability", "uplift", "severity")
TIER = {
    "name": "str",
    "valid_reports": "int",
    "signal": "float",
    "rate_factor": "int",
    "early_access": "bool",
}
PRIORITY_HEADER = ("severity", "exploitation", "priority")


def cells(text: str) -> Cells:
    """The results of a table by its inputs, as they stand, whether or not they keep the rules."""
    lines = list(csv.reader(text.splitlines()))[1:]
    return {tuple(cell.strip() for cell in line[:-1]): line[-1].strip() for line in lines if line}


def as_csv(header: Sequence[str], found: Mapping[tuple[str, ...], str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(
        [header, *([*key, level] for key, level in found.items())]
    )
    return written.getvalue()


def severity(text: str, key: str) -> None:
    """The severity table: harm and exposure across, the other three inputs down."""
    found = cells(text)
    columns: dict[str, Any] = {
        "generality": [GENERALITY[generality] for generality, _, _ in ROWS],
        "reliability": [RELIABILITY[reliability] for _, reliability, _ in ROWS],
        "uplift": [UPLIFT[uplift] for _, _, uplift in ROWS],
    }
    for harm, exposure in COLUMNS:
        columns[f"{harm} {exposure}"] = [found.get((harm, exposure, *row)) for row in ROWS]
    st.data_editor(
        columns,
        column_config={
            "generality": st.column_config.TextColumn("How general", pinned=True, width=110),
            "reliability": st.column_config.TextColumn("How often", pinned=True, width=100),
            "uplift": st.column_config.TextColumn("Uplift", pinned=True, width=160),
            **{
                f"{harm} {exposure}": st.column_config.SelectboxColumn(
                    f"{CODE[harm]}, {EXPOSURE[exposure]}",
                    options=list(Severity),
                    format_func=SEVERITY.__getitem__,
                    width=150,
                )
                for harm in Harm
                for exposure in Exposure
            },
        },
        disabled=["generality", "reliability", "uplift"],
        hide_index=True,
        height="content",
        key=key,
        alt="Severity for every combination of the five inputs",
    )


def severity_text(text: str, edited: Mapping[int, Mapping[str, str | None]]) -> str:
    """The CSV text after these cells of the grid were chosen anew."""
    found = cells(text)
    for row, changes in edited.items():
        for column, level in changes.items():
            harm, exposure = column.split(" ")
            found[(harm, exposure, *map(str, ROWS[row]))] = level or ""
    return as_csv(SEVERITY_HEADER, found)


def priority(text: str, key: str) -> None:
    """The priority table: what is known of exploitation across, severity down."""
    found = cells(text)
    columns: dict[str, Any] = {"severity": [SEVERITY[level] for level in Severity]}
    for seen in Exploitation:
        columns[seen.value] = [found.get((level, seen)) for level in Severity]
    st.data_editor(
        columns,
        column_config={
            "severity": st.column_config.TextColumn("Severity", pinned=True, width=110),
            **{
                seen.value: st.column_config.SelectboxColumn(
                    EXPLOITATION[seen], options=list(Priority), format_func=PRIORITY.__getitem__, width=170
                )
                for seen in Exploitation
            },
        },
        disabled=["severity"],
        hide_index=True,
        height="content",
        key=key,
        alt="Priority for every severity and what is known of exploitation",
    )


def priority_text(text: str, edited: Mapping[int, Mapping[str, str | None]]) -> str:
    """The CSV text after these cells of the grid were chosen anew."""
    found = cells(text)
    for row, changes in edited.items():
        for column, level in changes.items():
            found[(str(list(Severity)[row]), column)] = level or ""
    return as_csv(PRIORITY_HEADER, found)


def tiers(found: Sequence[Mapping[str, Any]], key: str) -> None:
    """The white-hat tiers, one a row, the lowest first; rows can be added and taken out."""
    rows = {name: [tier.get(name) for tier in found] for name in TIER}
    st.data_editor(
        # Of no rows the grid would not know the kinds.
        rows if found else pd.DataFrame(rows).astype(TIER),
        column_config={
            "name": st.column_config.TextColumn("Tier", required=True, width=140),
            "valid_reports": st.column_config.NumberColumn(
                "Confirmed flaws", required=True, step=1, width=140
            ),
            "signal": st.column_config.NumberColumn("Signal, 0 to 1", required=True, step=0.05, width=130),
            "rate_factor": st.column_config.NumberColumn(
                "May send so many times as often", required=True, step=1, width=220
            ),
            "early_access": st.column_config.CheckboxColumn("Early access", default=False, width=120),
        },
        num_rows="dynamic",
        hide_index=True,
        height="content",
        key=key,
        alt="White-hat tiers, the lowest first",
    )


def tiers_after(found: Sequence[Mapping[str, Any]], state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tiers after what was typed into the grid; a cell left empty is a key left out, which the check names."""
    rows = [{**tier, **state["edited_rows"].get(at, {})} for at, tier in enumerate(found)]
    kept = [row for at, row in enumerate(rows) if at not in state["deleted_rows"]]
    return [
        {name: value for name, value in row.items() if name in TIER and value is not None}
        for row in (*kept, *state["added_rows"])
    ]


GRIDS = {SEVERITY_CSV: (severity, severity_text), PRIORITY_CSV: (priority, priority_text)}
