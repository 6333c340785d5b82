"""A mapping of the columns of a file of one's own to the fields of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from triage_core.desk.decision import check_text
from triage_core.errors import InvalidReport, Refused
from triage_core.importers.columns import COLUMNS, ONE_CONVERSATION, has_one_conversation, shown

MAX_COLUMN_CHARACTERS = 200

Names = Callable[[Sequence[str]], object]
"""Hears names of columns."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """By field, one of `COLUMNS`, the name of the column that holds it; a column may hold more than one."""

    columns: Mapping[str, str]

    def others(self, names: Sequence[str]) -> list[str]:
        """Of a file with these columns, those that the mapping does not name.

        Raises InvalidReport where one that it names is missing or there twice.
        """
        if set(names).isdisjoint(self.columns.values()):  # perhaps no header: what it says is not repeated
            asked = shown(self.columns.values())
            raise InvalidReport(
                "columns",
                f"must hold {asked}; none of its {len(names)} is one of them: has it names in its first line?",
            )
        for field, column in self.columns.items():
            if column not in names:
                rule = f"must hold {shown([column])}, which is mapped to {field}; they are {shown(names)}"
                raise InvalidReport("columns", rule)
            if names.count(column) > 1:
                rule = f"must each have a name of its own: {shown([column])} is there more than once"
                raise InvalidReport("columns", rule)
        return [name for name in names if name not in self.columns.values()]

    def pairs(self) -> list[str]:
        """As `parse` takes it."""
        return [f"{field}={column}" for field, column in self.columns.items()]


def parse(pairs: Iterable[str]) -> ColumnMapping:
    """The mapping of pairs like `prompt=question`. Raises Refused, of `map`, for the first that breaks a rule."""
    columns: dict[str, str] = {}
    for pair in pairs:
        field, _, column = (part.strip() for part in pair.partition("="))
        if not field or not column:
            raise Refused("map", f"must be FIELD=COLUMN, as in prompt=question, not {pair!r}")
        if field not in COLUMNS:
            raise Refused("map", f"{field!r} is not a field; known are {', '.join(COLUMNS)}")
        if field in columns:
            raise Refused("map", f"{field} takes one column, not both {columns[field]!r} and {column!r}")
        check_text("map", column, MAX_COLUMN_CHARACTERS)
        columns[field] = column
    if not has_one_conversation(columns):
        raise Refused("map", ONE_CONVERSATION)
    return ColumnMapping(columns)
