"""Decision tables: a CSV in which every combination of inputs has one result, and more is never less.

Used for severity.csv and priority.csv. Row numbers are those a spreadsheet shows: the header is
row 1.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from triage_core.errors import InvalidPolicy
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

Result = TypeVar("Result", Severity, Priority)
Key = tuple[StrEnum, ...]

SEVERITY_CSV = "severity.csv"
PRIORITY_CSV = "priority.csv"


def severity_table(text: str) -> dict[Key, Severity]:
    """Severity by (harm, exposure, generality, reliability, uplift); raises InvalidPolicy naming the row."""
    inputs: dict[str, type[StrEnum]] = {
        "harm": Harm,
        "exposure": Exposure,
        "generality": Generality,
        "reliability": Reliability,
        "uplift": Uplift,
    }
    return _read(SEVERITY_CSV, text, inputs, "severity", Severity)


def priority_table(text: str) -> dict[Key, Priority]:
    """Priority by (severity, exploitation); raises InvalidPolicy naming the row."""
    inputs: dict[str, type[StrEnum]] = {"severity": Severity, "exploitation": Exploitation}
    return _read(PRIORITY_CSV, text, inputs, "priority", Priority)


def _read(
    name: str, text: str, inputs: Mapping[str, type[StrEnum]], result: str, results: type[Result]
) -> dict[Key, Result]:
    columns = [*inputs, result]
    table: dict[Key, Result] = {}
    rows: dict[Key, int] = {}
    for number, cells in _lines(name, text, columns):
        where = f"{name} row {number} ({', '.join(cells)})"
        if len(cells) != len(columns):
            raise InvalidPolicy(where, f"has {len(cells)} cells; needs {len(columns)}: {', '.join(columns)}")
        key = tuple(
            _value(where, column, levels, cell)
            for (column, levels), cell in zip(inputs.items(), cells, strict=False)
        )
        if key in rows:
            raise InvalidPolicy(where, f"repeats the inputs of row {rows[key]}")
        table[key] = _value(where, result, results, cells[-1])
        rows[key] = number
    _check_total(name, table, list(inputs.values()))
    _check_monotone(name, table, rows, inputs)
    return table


def _lines(name: str, text: str, columns: list[str]) -> list[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise InvalidPolicy(f"{name} row {reader.line_num}", f"is not CSV: {error}") from None
    filled = [(number, cells) for number, cells in lines if any(cells)]
    if not filled or filled[0][1] != columns:
        raise InvalidPolicy(f"{name} header", f"must be {','.join(columns)}")
    return filled[1:]


Level = TypeVar("Level", bound=StrEnum)


def _value(where: str, column: str, levels: type[Level], cell: str) -> Level:
    try:
        return levels(cell)
    except ValueError:
        raise InvalidPolicy(where, f"{column} must be one of {', '.join(levels)}; not {cell!r}") from None


def _check_total(name: str, table: Mapping[Key, Result], inputs: Sequence[type[StrEnum]]) -> None:
    missing = [key for key in itertools.product(*inputs) if key not in table]
    if missing:
        raise InvalidPolicy(name, f"has no row for ({', '.join(missing[0])}); {len(missing)} missing in all")


def _check_monotone(
    name: str, table: Mapping[Key, Result], rows: Mapping[Key, int], inputs: Mapping[str, type[StrEnum]]
) -> None:
    """Comparing neighbours is enough: any raise of one input is a chain of single steps."""
    for at, (column, levels) in enumerate(inputs.items()):
        ordered: list[StrEnum] = list(levels)
        above = dict(itertools.pairwise(ordered))
        for key, result in table.items():
            if key[at] not in above:
                continue
            higher = tuple(above[level] if i == at else level for i, level in enumerate(key))
            if table[higher].rank < result.rank:
                raise InvalidPolicy(
                    f"{name} row {rows[higher]} ({', '.join(higher)})",
                    f"gives {table[higher]}, less than the {result} of row {rows[key]} "
                    f"({', '.join(key)}), although only {column} is raised",
                )
