"""Where each report stands on an axis, as the store keeps it: written as differences, ids stable.

A cluster is named after its earliest report. When clusters merge, the older name stays and the
younger becomes an alias that leads there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from triage_core import db
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
    """What is said of a cluster as a whole."""

    cluster_id: str
    representative_id: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A pair to be offered as duplicates; `canonical_id` came first."""

    child_id: str
    canonical_id: str
    score: float
    basis: str


def cluster_id(axis: str, founder: str) -> str:
    """The name of the cluster whose earliest report is `founder`."""
    return f"{PREFIX[axis]}-{founder.removeprefix('FR-')}"


def read(cursor: db.Cursor, axis: str) -> dict[str, Placement]:
    """What the store holds for an axis, by report."""
    found = db.rows(
        cursor,
        "SELECT report_id, cluster_id, nearest_id, nearest, mean, runner_up_id, runner_up"
        " FROM memberships WHERE axis = ?",
        [axis],
    )
    return {row["report_id"]: Placement(**row) for row in found}


def write(
    work: Work, axis: str, model_id: str, changed: Sequence[Placement], clusters: Mapping[str, Cluster]
) -> int:
    """Store changed placements and bring their clusters up to date; gives how many reports moved.

    `clusters` describes at least every cluster that a changed report enters or leaves and that
    still stands.
    """
    if not changed:
        return 0
    ids = [placed.report_id for placed in changed]
    before = db.rows(
        work.cursor,
        "SELECT report_id, cluster_id FROM memberships WHERE axis = ? AND report_id IN (SELECT unnest(?))",
        [axis, ids],
    )
    touched = {row["cluster_id"] for row in before} | {placed.cluster_id for placed in changed}
    work.cursor.execute(
        "DELETE FROM memberships WHERE axis = ? AND report_id IN (SELECT unnest(?))", [axis, ids]
    )
    rows = [{"axis": axis, "model_id": model_id, **asdict(placed)} for placed in changed]
    db.insert(work.cursor, "memberships", rows)
    work.cursor.execute(
        "DELETE FROM clusters WHERE axis = ? AND cluster_id IN (SELECT unnest(?))", [axis, sorted(touched)]
    )
    sizes = db.rows(
        work.cursor,
        "SELECT cluster_id, count(*) AS size FROM memberships"
        " WHERE axis = ? AND cluster_id IN (SELECT unnest(?)) GROUP BY cluster_id ORDER BY cluster_id",
        [axis, sorted(touched)],
    )
    standing = [{"axis": axis, **asdict(clusters[row["cluster_id"]]), "size": row["size"]} for row in sizes]
    db.insert(work.cursor, "clusters", standing)
    work.event("likeness.placed", axis, {"reports": len(changed), "clusters": len(standing)})
    _lead_on(work, axis, sorted(touched - {row["cluster_id"] for row in sizes}))
    was = {row["report_id"]: row["cluster_id"] for row in before}
    return sum(was.get(placed.report_id, placed.cluster_id) != placed.cluster_id for placed in changed)


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


def suggest(work: Work, model_id: str, suggestions: Sequence[Suggestion]) -> None:
    """Make these the suggestions that stand, writing the differences alone."""
    found = db.rows(work.cursor, "SELECT child_id, canonical_id, score, basis FROM suggestions")
    before = {row["child_id"]: Suggestion(**row) for row in found}
    after = {item.child_id: item for item in suggestions}
    stale = [child for child, item in before.items() if after.get(child) != item]
    work.cursor.execute("DELETE FROM suggestions WHERE child_id IN (SELECT unnest(?))", [stale])
    new = [
        {**asdict(item), "model_id": model_id} for child, item in after.items() if before.get(child) != item
    ]
    db.insert(work.cursor, "suggestions", new)


def clear(work: Work, axis: str) -> None:
    """Forget an axis, for instance because another model answers now."""
    for table in ("memberships", "clusters", "cluster_aliases"):
        work.cursor.execute(f"DELETE FROM {table} WHERE axis = ?", [axis])


def _lead_on(work: Work, axis: str, gone: Sequence[str]) -> None:
    """Each retired name leads to the cluster that holds its founder now."""
    founders = {f"FR-{name.split('-')[1]}": name for name in gone}
    found = db.rows(
        work.cursor,
        "SELECT report_id, cluster_id FROM memberships WHERE axis = ? AND report_id IN (SELECT unnest(?))",
        [axis, sorted(founders)],
    )
    work.cursor.execute(
        "DELETE FROM cluster_aliases WHERE axis = ? AND old_id IN (SELECT unnest(?))", [axis, list(gone)]
    )
    aliases = [
        {"axis": axis, "old_id": founders[row["report_id"]], "new_id": row["cluster_id"], "done_at": work.now}
        for row in found
    ]
    db.insert(work.cursor, "cluster_aliases", aliases)
    for alias in aliases:
        work.event("cluster.merged", alias["old_id"], {"axis": axis, "into": alias["new_id"]})
