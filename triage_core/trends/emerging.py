"""Clusters that grow faster than their own past: more of their reports are recent than chance explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from triage_core import db
from triage_core.trends.window import WEEK, Window

WEEKS = 4
LEAST = 5
SURE = 0.05


@dataclass(frozen=True, slots=True)
class Growth:
    """A cluster of duplicates of which `recent` of `size` reports came in within the last four weeks.

    `expected` is how many of them would be recent if it grew as the whole desk does; `chance` is how
    likely that would give `recent` or more in any of the clusters that were looked at.
    """

    cluster_id: str
    representative_id: str
    recent: int
    size: int
    expected: float
    chance: float


def emerging(cursor: db.Cursor, window: Window, most: int = 10) -> list[Growth]:
    """The clusters that outgrow chance (see `unlikely`), the least likely first. The window's weeks do not matter.

    Each of a cluster's reports is as likely to be a recent one as any report of these products.
    """
    where, values = window.product("c.received_at BETWEEN $recent AND $at", {"at": db.naive(window.now)})
    values["recent"] = db.naive(window.now - WEEKS * WEEK)
    whole, of_products = window.product("true", {})
    counted = db.row(
        cursor,
        f"SELECT count(*) AS reports, count(*) FILTER ({where}) AS recent FROM cases c"
        f" WHERE {whole} AND c.received_at <= $at",
        values,
    )
    assert counted is not None, "a count without groups is one row"
    found = db.rows(
        cursor,
        "SELECT m.cluster_id, count(*) AS recent FROM memberships m"
        f" JOIN (SELECT c.report_id FROM cases c WHERE {where}) USING (report_id)"
        " WHERE m.axis = 'whole' GROUP BY m.cluster_id HAVING recent >= $least",
        {**values, "least": LEAST},
    )
    names = [row["cluster_id"] for row in found]
    clusters = {
        row["cluster_id"]: row
        for row in db.rows(
            cursor,
            "SELECT cluster_id, representative_id, size FROM clusters WHERE axis = 'whole'"
            " AND cluster_id IN (SELECT unnest(?))",
            [names],
        )
    }
    sizes = {name: row["size"] for name, row in clusters.items()}
    if of_products:
        sizes = _sizes_within(cursor, names, of_products)
    looked_at = int(
        db.value(cursor, "SELECT count(*) FROM clusters WHERE axis = 'whole' AND size >= ?", [LEAST])
    )
    share = counted["recent"] / counted["reports"] if counted["reports"] else 0.0
    chances = unlikely([(row["recent"], sizes[row["cluster_id"]]) for row in found], share, looked_at)
    grown = [
        Growth(
            row["cluster_id"],
            clusters[row["cluster_id"]]["representative_id"],
            row["recent"],
            sizes[row["cluster_id"]],
            sizes[row["cluster_id"]] * share,
            chance,
        )
        for row, chance in zip(found, chances, strict=True)
        if chance <= SURE
    ]
    return sorted(grown, key=lambda growth: (growth.chance, -growth.recent, growth.cluster_id))[:most]


def unlikely(counts: Sequence[tuple[int, int]], share: float, looked_at: int) -> list[float]:
    """For each (recent, size) the chance, 0 to 1, of as many recent ones in any of `looked_at` clusters.

    The binomial test of each, after Holm's correction: with nothing but chance at work, one look in twenty
    finds any cluster at 0.05 or below.
    """
    if not counts:
        return []
    table = np.array(counts)
    plain = binom.sf(table[:, 0] - 1, table[:, 1], share).tolist()
    adjusted, highest = [1.0] * len(plain), 0.0
    for rank, place in enumerate(sorted(range(len(plain)), key=plain.__getitem__)):
        highest = max(highest, min(1.0, plain[place] * max(looked_at - rank, 1)))
        adjusted[place] = highest
    return adjusted


def _sizes_within(cursor: db.Cursor, names: list[str], of_products: dict[str, list[str]]) -> dict[str, int]:
    found = db.rows(
        cursor,
        # The products first: few reports are then looked up among the million of memberships.
        "SELECT m.cluster_id, count(*) AS size FROM memberships m WHERE m.axis = 'whole'"
        " AND m.report_id IN (SELECT c.report_id FROM cases c WHERE list_contains($platform, c.platform))"
        " AND m.cluster_id IN (SELECT unnest($names)) GROUP BY m.cluster_id",
        {"names": names, **of_products},
    )
    return {row["cluster_id"]: row["size"] for row in found}
