"""How far two people decide alike on the reports of a window."""

from __future__ import annotations

from dataclasses import dataclass

from triage_core import db
from triage_core.counted import CONDITIONS, Counted
from triage_core.desk import agreement, looks
from triage_core.trends.window import FROM, Window


@dataclass(frozen=True, slots=True)
class Agreed:
    """Of the reports that came in within a window: how many were decided `twice`, and how many of them `alike` in full.

    `kappa` of their levels is over every pair of decisions, of which a report may have several; None as in
    `agreement.Measured`.
    """

    twice: int
    alike: int
    kappa: float | None


def agreed(cursor: db.Cursor, window: Window) -> Agreed:
    """The agreement over the reports that came in within the window."""
    where, values = window.where()
    found = db.row(
        cursor,
        f"SELECT count(*) AS twice, count(*) FILTER ({CONDITIONS[Counted.ALIKE]}) AS alike{FROM}"
        f" WHERE {where} AND {CONDITIONS[Counted.DECIDED_TWICE]}",
        values,
    )
    assert found is not None, "a count without groups is one row"
    return Agreed(**found, kappa=agreement.overall(looks.pairs(cursor, of=where, values=values)).kappa)
