"""The queue of clusters by what a decision is worth, their members by distance, and clusters that may be one.

Reads only, paged in SQL. What a decision is worth is the number of open members, times the severity to
be expected of them, times the days that the oldest of them has waited: three numbers that a person can check.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from triage_core import db

WEIGHT: Mapping[str, float] = MappingProxyType(
    {"none": 0.5, "low": 1.0, "medium": 2.0, "high": 4.0, "critical": 8.0}
)
"""How much a report of this severity weighs; each level twice the one before."""
SAID: Mapping[str, str] = MappingProxyType(
    {
        "physical_harm": "high",
        "psychological_harm": "medium",
        "financial_harm": "medium",
        "rights_violations": "medium",
        "discrimination": "medium",
    }
)
"""The severity to be expected of a harm that a reporter names; any other, and none: low."""
MAY_BE_ONE = 0.4
"""From this likeness of two of their members on, two clusters are shown as perhaps one."""
SIZE = 25
MEMBERS = 12

_TO_DECIDE = "c.status IN ('new', 'needs_info', 'triaged')"
_LEVELS = list(WEIGHT)


def queue(
    cursor: db.Cursor,
    axis: str,
    now: datetime,
    *,
    least: int = 2,
    decided_too: bool = False,
    cluster_id: str = "",
    page: int = 1,
    size: int = SIZE,
) -> tuple[list[db.Row], int]:
    """Clusters of at least `least` reports, the most worth a decision first, and their count.

    `open` is the number of members on which nobody has decided; without any a cluster is left out unless
    `decided_too`. `severity` is the one to be expected of them, and `basis` says from what: the median of
    the members that are `decided`, else of the `nearest` reports that are, else of the harm that reporters
    `said`. `days` is the age of the oldest open member, `worth` the product that orders the list.
    With a `cluster_id` it is that one cluster alone.
    """
    values = {
        "axis": axis,
        "now": db.naive(now),
        "least": least,
        "all": decided_too,
        "only": cluster_id,
        "levels": _LEVELS,
        "weights": list(WEIGHT.values()),
        "harms": list(SAID),
        "said": [_LEVELS.index(SAID[harm]) + 1 for harm in SAID],
        "low": _LEVELS.index("low") + 1,
    }
    found = db.rows(
        cursor,
        f"{_WORTH} SELECT *, count(*) OVER () AS total FROM valued"
        " ORDER BY worth DESC, size DESC, cluster_id LIMIT $page_size OFFSET $offset",
        {**values, "page_size": size, "offset": (page - 1) * size},
    )
    total = found[0]["total"] if found else 0
    if not found and page > 1:
        total = int(db.value(cursor, f"{_WORTH} SELECT count(*) FROM valued", values) or 0)
    return [
        {name: value for name, value in row.items() if name not in ("total", "place")} for row in found
    ], total


# A severity is its place in the list of levels, 1 to 5. Only of open members are the reports looked into.
_WORTH = f"""
WITH held AS (
    SELECT m.cluster_id, m.report_id, m.nearest_id, {_TO_DECIDE} AS open, list_position($levels, c.severity) AS level,
        c.received_at
    FROM clusters k JOIN memberships m USING (axis, cluster_id) JOIN cases c ON c.report_id = m.report_id
    WHERE k.axis = $axis AND k.size >= $least AND ($only = '' OR k.cluster_id = $only)),
counted AS (
    SELECT cluster_id, count(*) FILTER (open) AS open, count(level) AS decided,
        quantile_disc(level, 0.5) AS from_decided, min(received_at) FILTER (open) AS since, max(received_at) AS last_at
    FROM held GROUP BY cluster_id HAVING $all OR bool_or(open)),
waiting AS (SELECT * FROM held WHERE open AND cluster_id IN
    (SELECT cluster_id FROM counted WHERE from_decided IS NULL)),
told AS (
    SELECT w.cluster_id, quantile_disc(list_position($levels, n.severity), 0.5) AS from_nearest,
        quantile_disc(coalesce(list_max(list_transform(list_filter(r.harm_types, lambda x: list_contains($harms, x)),
            lambda x: $said[list_position($harms, x)])), $low), 0.5) AS from_said
    FROM waiting w JOIN reports r USING (report_id) LEFT JOIN cases n ON n.report_id = w.nearest_id GROUP BY ALL),
valued AS (
    SELECT k.cluster_id, k.representative_id, k.size, k.label, g.open, g.decided, g.last_at,
        coalesce(from_decided, from_nearest, from_said, $low) AS place, $levels[place] AS severity,
        CASE WHEN from_decided IS NOT NULL THEN 'decided' WHEN from_nearest IS NOT NULL THEN 'nearest' ELSE 'said' END
            AS basis,
        greatest(coalesce(date_diff('day', since, $now::TIMESTAMP), 0), 0) AS days,
        g.open * $weights[place] * greatest(days, 1) AS worth
    FROM counted g JOIN clusters k ON k.axis = $axis AND k.cluster_id = g.cluster_id
    LEFT JOIN told t ON t.cluster_id = g.cluster_id)
"""


def members(
    cursor: db.Cursor, axis: str, cluster_id: str, page: int = 1, size: int = MEMBERS
) -> list[db.Row]:
    """One page of a cluster's members: its representative, then those most like the others first.

    `nearest` is the likeness to the most similar report, `mean` that to the other members on average,
    both 0 to 1 and None for a report that is like no other. `outlier` marks a mean far below the
    cluster's: below its lower quartile by more than one and a half times the distance of the quartiles,
    and by a tenth. `open` says that nobody has decided on it.
    """
    return db.rows(
        cursor,
        "WITH page AS (SELECT m.report_id, m.mean, m.nearest, c.received_at, c.status, c.resolution, c.severity,"
        f" c.version, c.canonical_id, {_TO_DECIDE} AS open, coalesce({_OUTLIER}, false) AS outlier,"
        " row_number() OVER (ORDER BY m.report_id <> k.representative_id, m.mean DESC NULLS LAST, c.seq) AS place"
        " FROM memberships m JOIN clusters k USING (axis, cluster_id) JOIN cases c USING (report_id),"
        f" ({_FENCE}) f WHERE m.axis = $axis AND m.cluster_id = $name ORDER BY place LIMIT $size OFFSET $offset)"
        " SELECT * EXCLUDE (place) FROM page ORDER BY place",
        {"axis": axis, "name": cluster_id, "size": size, "offset": (page - 1) * size},
    )


_FENCE = (
    "SELECT quantile_cont(mean, 0.25) AS low, quantile_cont(mean, 0.75) AS high FROM memberships"
    " WHERE axis = $axis AND cluster_id = $name"
)
_OUTLIER = "m.mean < f.low - greatest(1.5 * (f.high - f.low), 0.1)"


def versions(cursor: db.Cursor, axis: str, cluster_id: str) -> list[db.Row]:
    """Every member of a cluster with its version, whether it is open and an outlier: what a decision on it names."""
    return db.rows(
        cursor,
        f"SELECT m.report_id, c.version, {_TO_DECIDE} AS open, coalesce({_OUTLIER}, false) AS outlier"
        f" FROM memberships m JOIN cases c USING (report_id), ({_FENCE}) f"
        " WHERE m.axis = $axis AND m.cluster_id = $name ORDER BY c.received_at, c.seq",
        {"axis": axis, "name": cluster_id},
    )


def may_be_one(
    cursor: db.Cursor, axis: str, cluster_id: str = "", page: int = 1, size: int = SIZE
) -> tuple[list[db.Row], int]:
    """Pairs of clusters that may be one, the surest first, and their count; of one cluster, or of all.

    `score` is the likeness of the two members most alike, one from each, and `found` how many members have
    the other cluster as their second best. Pairs of which somebody has said that they differ are left out.
    """
    pairs = (
        "WITH second AS (SELECT least(m.cluster_id, m.runner_up_id) AS one_id,"
        " greatest(m.cluster_id, m.runner_up_id) AS other_id, m.runner_up AS score FROM memberships m"
        " WHERE m.axis = $axis AND m.runner_up >= $least AND m.runner_up_id <> m.cluster_id"
        " AND ($only = '' OR $only IN (m.cluster_id, m.runner_up_id))),"
        " pairs AS (SELECT one_id, other_id, max(score) AS score, count(*) AS found FROM second GROUP BY ALL),"
        " differ AS (SELECT DISTINCT least(x.cluster_id, y.cluster_id) AS one_id,"
        " greatest(x.cluster_id, y.cluster_id) AS other_id FROM apart_pairs p"
        " JOIN memberships x ON x.axis = $axis AND x.report_id = p.one_id"
        " JOIN memberships y ON y.axis = $axis AND y.report_id = p.other_id WHERE p.axis = $axis)"
        " SELECT p.*, a.size AS one_size, b.size AS other_size, a.representative_id AS one_typical,"
        " b.representative_id AS other_typical, a.label AS one_label, b.label AS other_label,"
        " count(*) OVER () AS total FROM pairs p ANTI JOIN differ USING (one_id, other_id)"
        " JOIN clusters a ON a.axis = $axis AND a.cluster_id = p.one_id"
        " JOIN clusters b ON b.axis = $axis AND b.cluster_id = p.other_id"
        " ORDER BY score DESC, one_id, other_id LIMIT $size OFFSET $offset"
    )
    found = db.rows(
        cursor,
        pairs,
        {"axis": axis, "only": cluster_id, "least": MAY_BE_ONE, "size": size, "offset": (page - 1) * size},
    )
    total = found[0]["total"] if found else 0
    return [{name: value for name, value in row.items() if name != "total"} for row in found], total


def near(cursor: db.Cursor, axis: str, cluster_id: str, limit: int = 8) -> list[str]:
    """The clusters to which members of this one would go next, the likeliest first."""
    found = db.rows(
        cursor,
        "SELECT runner_up_id AS name FROM memberships WHERE axis = ? AND cluster_id = ? AND runner_up_id IS NOT NULL"
        " GROUP BY name ORDER BY max(runner_up) DESC, name LIMIT ?",
        [axis, cluster_id, limit],
    )
    return [row["name"] for row in found]
