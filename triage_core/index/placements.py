"""Where each report stands on an axis, as the store keeps it: written as differences, ids stable.

A cluster is named after its earliest report. When clusters merge, the older name stays and the
younger becomes an alias that leads there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core import db
from triage_core.likeness.axes import Axis
from triage_core.store import Work

PREFIX = {"whole": "D", "technique": "T", "request": "Q"}


@dataclass(frozen=True, slots=True)
class Placement:
    """One report on one axis, and why: its nearest report with the score, the mean score to the
    other members, and the best report of another cluster."""

    report_id: str
    cluster_id: str
    nearest_id: str | None = None
    nearest: float | None = None
    mean: float | None = None
    runner_up_id: str | None = None
    runner_up: float | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is said of a cluster as a whole; `size` where the writer knows it, else 0.

    `family` is the technique that its wrapper is taken for. Without a label, None, label and family stay as they are.
    """

    cluster_id: str
    representative_id: str
    label: str | None = None
    size: int = 0
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """What a cluster is called: a few words, and the technique that it is taken for."""

    cluster_id: str
    label: str
    family: str | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A pair to be offered as duplicates; `canonical_id` came first."""

    child_id: str
    canonical_id: str
    score: float
    basis: str


@dataclass(frozen=True, slots=True)
class Part:
    """Placements, and the clusters that they enter or leave.

    `arrived` says that all are of reports which have no place on this axis yet, and that sizes are told.
    """

    placed: list[Placement]
    clusters: dict[str, Cluster]
    arrived: bool = False


Layout = dict[Axis, Iterable[Part]]


def cluster_id(axis: str, founder: str) -> str:
    """The name of the cluster whose earliest report is `founder`."""
    return f"{PREFIX[axis]}-{founder.removeprefix('FR-')}"


def axis_of(name: str) -> str | None:
    """The axis on which `name` is the name of a cluster; None when it is no such name."""
    return next((axis for axis, prefix in PREFIX.items() if name.startswith(f"{prefix}-")), None)


def founder(name: str) -> str:
    """The earliest report of a cluster, after which it is named."""
    return f"FR-{name.split('-')[1]}"


def read(cursor: db.Cursor, axis: str, report_ids: Sequence[str] | None = None) -> dict[str, Placement]:
    """What the store holds for an axis, by report: for these reports or for all."""
    where = "" if report_ids is None else " AND report_id IN (SELECT unnest(?))"
    found = db.rows(
        cursor,
        "SELECT report_id, cluster_id, nearest_id, nearest, mean, runner_up_id, runner_up"
        f" FROM memberships WHERE axis = ?{where}",
        [axis] if report_ids is None else [axis, list(report_ids)],
    )
    return {row["report_id"]: Placement(**row) for row in found}


def labels(cursor: db.Cursor, axis: str, row: Mapping[str, int]) -> NDArray[np.int64]:
    """The row of each report's cluster as stored, (m,), for the first m reports of `row` in their order.

    Empty when the store knows other reports than these.
    """
    found = read_clusters(cursor, axis)
    if list(found) != list(itertools.islice(row, len(found))):
        return np.empty(0, dtype=np.int64)
    return np.array([row[founder(name)] for name in found.values()], dtype=np.int64)


def known_labels(cursor: db.Cursor, row: Mapping[str, int]) -> dict[Axis, NDArray[np.int64]]:
    """`labels` of every axis; without those on which the store knows other reports than these."""
    found = {axis: labels(cursor, axis, row) for axis in Axis}
    placed = {item["axis"] for item in db.rows(cursor, "SELECT DISTINCT axis FROM memberships")}
    return {axis: rows for axis, rows in found.items() if len(rows) or axis not in placed}


def read_clusters(cursor: db.Cursor, axis: str) -> dict[str, str]:
    """The cluster of every placed report, in order of arrival."""
    table = db.arrow(
        cursor,
        "SELECT m.report_id, m.cluster_id FROM memberships m JOIN reports r USING (report_id)"
        " WHERE m.axis = ? ORDER BY r.seq",
        [axis],
    )
    return dict(zip(table["report_id"].to_pylist(), table["cluster_id"].to_pylist(), strict=True))


def write(work: Work, axis: str, model_id: str, part: Part) -> None:
    """Store the placements that differ and bring their clusters up to date.

    The part describes at least every cluster that a report enters or leaves and that still stands.
    """
    if part.arrived:
        _add(work, axis, model_id, part)
    else:
        _move(work, axis, model_id, part.placed, part.clusters)


def _add(work: Work, axis: str, model_id: str, part: Part) -> None:
    """Store reports that arrived: without a look at the reports that were there, of which there may be a million."""
    if not part.placed:
        return
    if len(part.placed) == 1:
        row = {"axis": axis, "model_id": model_id, **_fields(part.placed[0])}
        db.insert(work.cursor, "memberships", [row])  # one row has a quick way of its own
    else:
        db.insert_arrow(work.cursor, "memberships", _table(axis, model_id, part.placed))
    arrived = {item.report_id for item in part.placed}
    born = [item for item in part.clusters.values() if founder(item.cluster_id) in arrived]
    db.insert(
        work.cursor,
        "clusters",
        [{"axis": axis, **_fields(item), "label": item.label or ""} for item in born],
    )
    grown = [item for item in part.clusters.values() if founder(item.cluster_id) not in arrived]
    if grown:
        work.cursor.execute(
            "UPDATE clusters SET size = grown.size FROM"
            " (SELECT unnest(?) AS cluster_id, unnest(?) AS size) AS grown"
            " WHERE clusters.axis = ? AND clusters.cluster_id = grown.cluster_id",
            [[item.cluster_id for item in grown], [item.size for item in grown], axis],
        )
    work.event("likeness.placed", axis, {"reports": len(part.placed), "clusters": len(part.clusters)})


def _table(axis: str, model_id: str, placed: Sequence[Placement]) -> pa.Table:
    """Placements as columns: of a million, dicts would take minutes."""
    columns = {
        name: pa.array([getattr(item, name) for item in placed], pa.string() if text else pa.float64())
        for name, text in _COLUMNS.items()
    }
    same = {"axis": [axis] * len(placed), "model_id": [model_id] * len(placed)}
    return pa.table({**same, **columns})


_COLUMNS = {
    "report_id": True, "cluster_id": True, "nearest_id": True, "nearest": False, "mean": False,
    "runner_up_id": True, "runner_up": False,
}  # fmt: skip
"""The fields of a placement, and whether each is text."""


def _move(
    work: Work, axis: str, model_id: str, placed: Sequence[Placement], clusters: Mapping[str, Cluster]
) -> None:
    before = read(work.cursor, axis, [item.report_id for item in placed])
    changed = [item for item in placed if before.get(item.report_id) != item]
    known = db.rows(
        work.cursor,
        "SELECT cluster_id, label, family FROM clusters WHERE axis = ? AND cluster_id IN (SELECT unnest(?))",
        [axis, list(clusters)],
    )
    called = {row["cluster_id"]: row for row in known}
    clusters = {
        name: item if item.label is not None else replace(item, **_called(called.get(name)))
        for name, item in clusters.items()
    }
    stale = {name for name, row in called.items() if row["family"] != clusters[name].family}
    if not changed and not stale:
        return
    ids = [item.report_id for item in changed]
    left = {before[name].cluster_id for name in ids if name in before}
    touched = sorted(left | {item.cluster_id for item in changed} | stale)
    here = "axis = ? AND cluster_id IN (SELECT unnest(?))"
    work.cursor.execute(
        "DELETE FROM memberships WHERE axis = ? AND report_id IN (SELECT unnest(?))", [axis, ids]
    )
    rows = [{"axis": axis, "model_id": model_id, **_fields(item)} for item in changed]
    db.insert(work.cursor, "memberships", rows)
    work.cursor.execute(f"DELETE FROM clusters WHERE {here}", [axis, touched])
    # What stands leads nowhere, also where it stood no more for a while.
    work.cursor.execute(
        "DELETE FROM cluster_aliases WHERE axis = ? AND old_id IN (SELECT unnest(?))", [axis, touched]
    )
    sizes = db.rows(
        work.cursor,
        f"SELECT cluster_id, count(*) AS size FROM memberships WHERE {here}"
        " GROUP BY cluster_id ORDER BY cluster_id",
        [axis, touched],
    )
    standing = [{"axis": axis, **_fields(clusters[row["cluster_id"]]), "size": row["size"]} for row in sizes]
    db.insert(work.cursor, "clusters", standing)
    work.event("likeness.placed", axis, {"reports": len(changed), "clusters": len(standing)})
    _lead_on(work, axis, sorted(set(touched) - {row["cluster_id"] for row in sizes}))


def name(work: Work, axis: str, names: Sequence[Name]) -> None:
    """Call these clusters by these names; those that are gone are left out."""
    if not names:
        return
    work.cursor.execute(
        "UPDATE clusters SET label = called.label, family = called.family FROM"
        " (SELECT unnest(?) AS cluster_id, unnest(?) AS label, unnest(?::VARCHAR[]) AS family) AS called"
        " WHERE clusters.axis = ? AND clusters.cluster_id = called.cluster_id",
        [
            [item.cluster_id for item in names],
            [item.label for item in names],
            [item.family for item in names],
            axis,
        ],
    )
    work.event("likeness.named", axis, {"clusters": len(names)})


def unnamed(cursor: db.Cursor, axis: str) -> list[str]:
    """The earliest reports of the clusters of several reports that are called nothing, the largest first."""
    found = db.rows(
        cursor,
        "SELECT cluster_id FROM clusters WHERE axis = ? AND size > 1 AND label = ''"
        " ORDER BY size DESC, cluster_id",
        [axis],
    )
    return [founder(row["cluster_id"]) for row in found]


def _called(row: db.Row | None) -> dict[str, Any]:
    return {"label": row["label"] if row else "", "family": row["family"] if row else None}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new layout of an axis would change: reports that are new or move, clusters then and now.

    `examples` holds up to 20 moves as (report, from, to).
    """

    new: int
    moved: int
    clusters_before: int
    clusters_after: int
    examples: tuple[tuple[str, str, str], ...]


def compare(before: Mapping[str, Placement], after: Sequence[Placement]) -> Changes:
    """The difference between what is stored and a new layout."""
    moves = [
        (item.report_id, before[item.report_id].cluster_id, item.cluster_id)
        for item in after
        if item.report_id in before and before[item.report_id].cluster_id != item.cluster_id
    ]
    return Changes(
        new=sum(item.report_id not in before for item in after),
        moved=len(moves),
        clusters_before=len({item.cluster_id for item in before.values()}),
        clusters_after=len({item.cluster_id for item in after}),
        examples=tuple(moves[:20]),
    )


def suggest(work: Work, model_id: str, about: Sequence[str], suggestions: Sequence[Suggestion]) -> None:
    """Store these suggestions, writing the differences alone; of the reports `about` no others stand then.

    `about` need not hold reports that the store has no suggestion of: looking for those reads through all.
    """
    before: dict[str, Suggestion] = {}
    if about:
        found = db.rows(
            work.cursor,
            "SELECT child_id, canonical_id, score, basis FROM suggestions WHERE child_id IN (SELECT unnest(?))",
            [list(about)],
        )
        before = {row["child_id"]: Suggestion(**row) for row in found}
    after = {item.child_id: item for item in suggestions}
    stale = [child for child, item in before.items() if after.get(child) != item]
    if stale:
        work.cursor.execute("DELETE FROM suggestions WHERE child_id IN (SELECT unnest(?))", [stale])
    new = [item for child, item in after.items() if before.get(child) != item]
    if not new:
        return
    later = _later(work.cursor, new)
    db.insert(
        work.cursor,
        "suggestions",
        [{**_fields(item), "later_id": later[item.child_id], "model_id": model_id} for item in new],
    )


def _later(cursor: db.Cursor, suggestions: Sequence[Suggestion]) -> dict[str, str]:
    """By child, the one of each pair that was submitted later; of two at once, the child."""
    names = {name for item in suggestions for name in (item.child_id, item.canonical_id)}
    found = db.rows(
        cursor,
        "SELECT report_id, received_at FROM reports WHERE report_id IN (SELECT unnest(?))",
        [list(names)],
    )
    at = {row["report_id"]: row["received_at"] for row in found}
    return {
        item.child_id: item.child_id if at[item.child_id] >= at[item.canonical_id] else item.canonical_id
        for item in suggestions
    }


def clear(work: Work, axis: str) -> None:
    """Forget an axis, for instance because another model answers now."""
    for table in ("memberships", "clusters", "cluster_aliases", "cluster_parts"):
        work.cursor.execute(f"DELETE FROM {table} WHERE axis = ?", [axis])


def parts(cursor: db.Cursor, row: Mapping[str, int]) -> dict[int, int]:
    """Of which clusters of techniques what are the parts (likeness.tools), as rows of earliest reports."""
    found = db.rows(cursor, "SELECT part_id, cluster_id FROM cluster_parts")
    names = [(founder(item["part_id"]), founder(item["cluster_id"])) for item in found]
    return {row[part]: row[of] for part, of in names if part in row and of in row}


def keep_parts(work: Work, ids: Sequence[str], parts: Mapping[int, int]) -> None:
    """Make these the parts."""
    work.cursor.execute("DELETE FROM cluster_parts")
    axis = Axis.TECHNIQUE
    rows = [
        {"axis": axis, "part_id": cluster_id(axis, ids[part]), "cluster_id": cluster_id(axis, ids[of])}
        for part, of in parts.items()
    ]
    db.insert(work.cursor, "cluster_parts", rows)


def _fields(item: Placement | Cluster | Suggestion) -> dict[str, Any]:
    """The fields by name; dataclasses.asdict copies deeply, which a million rows would feel."""
    return {name: getattr(item, name) for name in item.__slots__}


def _lead_on(work: Work, axis: str, gone: Sequence[str]) -> None:
    """Each retired name leads to the cluster that holds its founder now."""
    founders = {founder(name): name for name in gone}
    found = db.rows(
        work.cursor,
        "SELECT report_id, cluster_id FROM memberships WHERE axis = ? AND report_id IN (SELECT unnest(?))",
        [axis, sorted(founders)],
    )
    aliases = [
        {"axis": axis, "old_id": founders[row["report_id"]], "new_id": row["cluster_id"], "done_at": work.now}
        for row in found
    ]
    db.insert(work.cursor, "cluster_aliases", aliases)
    for alias in aliases:
        work.event("cluster.merged", alias["old_id"], {"axis": axis, "into": alias["new_id"]})
