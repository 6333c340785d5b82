"""Clusters that grow faster than their own past, by more than chance explains.

The test: of what came in during the last 16 weeks, was more of this cluster recent, from the last four, than of all
the rest? If the cluster held the share of the desk's reports that it held before, each of its reports would be a
recent one just as often as any other report, and the number of recent ones would be hypergeometric: `size` reports
dealt out of all those of the 16 weeks, of which so many are recent (Fisher's exact test, one side). A desk that takes
in more than before, or less, changes nothing, and neither does a cluster that was always large.

A cluster without earlier weeks is held against those of the desk by the same test: all its reports are recent ones.
Where the first report is younger than 16 weeks, the time since then takes their place and its last quarter is recent:
after three weeks a burst of the last five days can be told from what came before. What has come in since the first
report alone has no past, and nothing is named.

It is assumed that reports come in independently of each other. Ten from one person in an hour are no chance either,
and are named: whether they mean growth is for people to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from triage_core import db
from triage_core.trends.window import FROM, WEEK, Window

LOOK_BACK = 16 * WEEK
RECENT = 1 / 4  # of the look-back
LEAST = 5
SURE = 0.05


@dataclass(frozen=True, slots=True)
class Growth:
    """A cluster of duplicates of which `recent` of the `size` reports of the look-back came in from `since` on.

    `expected` is how many of them would be recent if it had grown as all the rest did; `chance` is how
    likely that would give `recent` or more in any of the clusters that were looked at.
    """

    cluster_id: str
    representative_id: str
    since: datetime
    recent: int
    size: int
    expected: float
    chance: float


def emerging(cursor: db.Cursor, window: Window, most: int = 10) -> list[Growth]:
    """The clusters that outgrow chance (see above), the least likely first. The window's weeks do not matter."""
    of_products, values = window.product("c.received_at <= $at", {"at": db.naive(window.now)})
    first = db.value(cursor, f"SELECT min(c.received_at){FROM} WHERE {of_products}", values)
    begin = max(window.now - LOOK_BACK, first or window.now)
    since = window.now - RECENT * (window.now - begin)
    where = f"{of_products} AND c.received_at >= $begin"
    values |= {"begin": db.naive(begin), "since": db.naive(since)}
    told = db.row(
        cursor,
        f"SELECT count(*) AS reports, count(*) FILTER (c.received_at >= $since) AS recent{FROM} WHERE {where}",
        values,
    )
    assert told is not None, "a count without groups is one row"
    found = db.rows(
        cursor,
        "SELECT *, count(*) OVER () AS looked_at FROM (SELECT m.cluster_id, count(*) AS size,"
        " count(*) FILTER (c.received_at >= $since) AS recent FROM memberships m"
        f" JOIN (SELECT c.report_id, c.received_at{FROM} WHERE {where}) c USING (report_id)"
        " WHERE m.axis = 'whole' GROUP BY m.cluster_id HAVING count(*) >= $least) QUALIFY recent >= $least",
        {**values, "least": LEAST},
    )
    looked_at = found[0]["looked_at"] if found else 0
    chances = unlikely(
        [(row["recent"], row["size"]) for row in found], told["recent"], told["reports"], looked_at
    )
    named = sorted(
        (chance, -row["recent"], row["cluster_id"], row["size"])
        for row, chance in zip(found, chances, strict=True)
        if chance <= SURE
    )[:most]
    representatives = _representatives(cursor, [name for _, _, name, _ in named])
    share = told["recent"] / told["reports"] if told["reports"] else 0.0
    return [
        Growth(name, representatives[name], since, -fewer, size, size * share, chance)
        for chance, fewer, name, size in named
    ]


def unlikely(counts: Sequence[tuple[int, int]], recent: int, reports: int, looked_at: int) -> list[float]:
    """For each cluster's (recent, size) the chance, 0 to 1, of as many recent ones in any of `looked_at` clusters.

    `recent` of `reports` is what came in over all. The test of each is corrected by Holm's rule: with nothing
    but chance at work, one look in twenty at most finds any cluster at 0.05 or below.
    """
    if not counts:
        return []
    from scipy.stats import hypergeom  # the slowest to load of all packages, for this one figure

    table = np.array(counts)
    plain = hypergeom.sf(table[:, 0] - 1, reports, recent, table[:, 1]).tolist()
    adjusted, highest = [1.0] * len(plain), 0.0
    for rank, place in enumerate(sorted(range(len(plain)), key=plain.__getitem__)):
        highest = max(highest, min(1.0, plain[place] * max(looked_at - rank, 1)))
        adjusted[place] = highest
    return adjusted


def _representatives(cursor: db.Cursor, names: list[str]) -> dict[str, str]:
    found = db.rows(
        cursor,
        "SELECT cluster_id, representative_id FROM clusters WHERE axis = 'whole'"
        " AND cluster_id IN (SELECT unnest(?))",
        [names],
    )
    return {row["cluster_id"]: row["representative_id"] for row in found}
