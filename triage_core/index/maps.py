"""Nearness for the eye: a flat map of the embedded reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_core import db

Vectors = NDArray[np.float32]
LARGEST_MAP = 2_000


@dataclass(frozen=True, slots=True)
class Point:
    """Where a report lies. The axes have no meaning but nearness; `size` is that of its cluster."""

    report_id: str
    cluster_id: str
    size: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Map:
    """The points, and how many reports they were drawn from."""

    points: tuple[Point, ...]
    reports: int


def draw(cursor: db.Cursor, axis: str, limit: int = LARGEST_MAP) -> Map:
    """The map of at most `limit` reports, laid out by whole conversation; `axis` says in which clusters they are.

    The same store gives the same map: reports are drawn by the hash of their ids.
    """
    rows = db.rows(
        cursor,
        "SELECT m.report_id, m.cluster_id, k.size FROM memberships m JOIN clusters k USING (axis, cluster_id)"
        " WHERE m.axis = ? ORDER BY md5(m.report_id) LIMIT ?",
        [axis, limit],
    )
    total = int(db.value(cursor, "SELECT count(*) FROM memberships WHERE axis = ?", [axis]))
    position, vectors = _vectors(cursor, [row["report_id"] for row in rows])
    if not position:
        return Map((), total)
    rows = [row for row in rows if row["report_id"] in position]
    plane = flatten(vectors[[position[row["report_id"]] for row in rows]])
    points = [
        Point(row["report_id"], row["cluster_id"], row["size"], float(x), float(y))
        for row, (x, y) in zip(rows, plane, strict=True)
    ]
    return Map(tuple(points), total)


def flatten(vectors: Vectors) -> NDArray[np.float64]:
    """(n, 2): `vectors` (n, dim) on the plane of their first two principal components.

    Deterministic: of the two directions of a component, the one in which its largest part is positive.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    first_two = directions[:, :-3:-1]
    largest = np.abs(first_two).argmax(axis=0)
    plane: NDArray[np.float64] = centred @ (first_two * np.sign(first_two[largest, [0, 1]]))
    return plane


def _vectors(cursor: db.Cursor, report_ids: Sequence[str]) -> tuple[dict[str, int], Vectors]:
    """The row of each embedded report, and the unit vectors in those rows."""
    table = db.arrow(
        cursor,
        "SELECT r.report_id, e.vector FROM reports r JOIN embeddings e USING (content_sha256)"
        " JOIN likeness_space USING (model_id) WHERE r.report_id IN (SELECT unnest(?))",
        [list(report_ids)],
    )
    if not len(table):
        return {}, np.empty((0, 0), np.float32)
    vectors: Vectors = table["vector"].combine_chunks().values.to_numpy().reshape(len(table), -1)
    return {name: row for row, name in enumerate(table["report_id"].to_pylist())}, vectors
