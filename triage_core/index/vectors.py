"""Embeddings in the store: which texts lack one, their vectors, and the space that answers.

A text is named by the hash of its canonical form, so that it is embedded once per model however
many reports hold it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core import db, text
from triage_core.store import Work

Vectors = NDArray[np.float32]


def name_of(words: str) -> str:
    """The hash that names a text."""
    return hashlib.sha256(text.canonical(words).encode()).hexdigest()


def conversation(turns: Sequence[dict[str, str]]) -> str:
    """What likeness reads of a stored conversation."""
    return text.conversation_text(text.turns_of(turns))


NAME_START = 15
"""So many hexadecimal digits of a name, 60 bits, tell nearly all names apart."""


def space(cursor: db.Cursor, model: str) -> str | None:
    """The id of the space that answers, if it is the configured model's."""
    found: str | None = db.value(cursor, "SELECT model_id FROM likeness_space WHERE model = ?", [model])
    return found


def switch_space(work: Work, model: str, model_id: str) -> None:
    """Answer from another space from now on: in one step, once it is complete."""
    work.cursor.execute("DELETE FROM likeness_space")
    db.insert(work.cursor, "likeness_space", [{"model": model, "model_id": model_id}])
    work.event("likeness.space", model_id, {"model": model})


_LACKING = (
    "WITH new AS (SELECT content_sha256, min(seq) AS first FROM reports"
    " WHERE seq > $after AND content_sha256 <> '' GROUP BY content_sha256),"
    " lacking AS (SELECT * FROM new WHERE content_sha256 NOT IN (SELECT content_sha256 FROM embeddings"
    " WHERE model_id = $model_id AND content_sha256 IN (SELECT content_sha256 FROM new))) "
)


def missing(cursor: db.Cursor, model_id: str, after: int = 0) -> dict[str, int]:
    """Contents of the reports after number `after` without a vector in this space, each with its first report's number.

    In order of arrival.
    """
    found = db.rows(
        cursor,
        _LACKING + "SELECT content_sha256, first FROM lacking ORDER BY first",
        {"after": after, "model_id": model_id},
    )
    return {row["content_sha256"]: row["first"] for row in found}


def count(cursor: db.Cursor) -> int:
    """How many vectors are stored, of all spaces."""
    return int(db.value(cursor, "SELECT count(*) FROM embeddings"))


def name_starts(cursor: db.Cursor, model_id: str) -> NDArray[np.int64]:
    """The first NAME_START digits of the names in a space as numbers, ascending."""
    found = db.arrow(
        cursor,
        "SELECT CAST('0x' || content_sha256[:15] AS BIGINT) AS start FROM embeddings WHERE model_id = ? ORDER BY 1",
        [model_id],
    )
    starts: NDArray[np.int64] = found["start"].to_numpy()
    return starts


@dataclass(frozen=True, slots=True)
class Arrived:
    """Reports in order of arrival: ids, content hashes and numbers."""

    ids: list[str]
    contents: list[str]
    seqs: list[int]


def after(cursor: db.Cursor, number: int, most: int) -> Arrived:
    """The reports that came after number `number`, `most` of them at most."""
    found = db.rows(
        cursor,
        "SELECT report_id, content_sha256, seq FROM reports WHERE seq > ? AND content_sha256 <> ''"
        " ORDER BY seq LIMIT ?",
        [number, most],
    )
    return Arrived(
        [row["report_id"] for row in found],
        [row["content_sha256"] for row in found],
        [row["seq"] for row in found],
    )


def texts_of(cursor: db.Cursor, seqs: Sequence[int]) -> list[str]:
    """The conversations of the reports with these numbers, in that order."""
    found = db.rows(
        cursor, "SELECT seq, turns FROM reports WHERE seq IN (SELECT unnest(?))", [sorted(set(seqs))]
    )
    by_number = {row["seq"]: conversation(row["turns"]) for row in found}
    return [by_number[seq] for seq in seqs]


def save(work: Work, model_id: str, names: Sequence[str], vectors: Vectors) -> None:
    """Store vectors, (n, dim), under the names of their texts; the caller has seen that they are new."""
    offsets = pa.array(np.arange(len(vectors) + 1, dtype=np.int32) * vectors.shape[1])
    table = pa.table(
        {
            "content_sha256": list(names),
            "model_id": [model_id] * len(names),
            "vector": pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel())),
        }
    )
    db.insert_arrow(work.cursor, "embeddings", table)
    work.event("texts.embedded", model_id, {"count": len(names)})


@dataclass(frozen=True, slots=True)
class Batch(Arrived):
    """Embedded reports: with their vectors, (n, dim)."""

    vectors: Vectors

    def part(self, start: int, stop: int) -> Batch:
        """Some of these reports."""
        here = slice(start, stop)
        return Batch(self.ids[here], self.contents[here], self.seqs[here], self.vectors[here])


def embedded(cursor: db.Cursor, model_id: str, after: int) -> Iterator[Batch]:
    """Reports that came after number `after`, up to the first that has no vector in this space."""
    found = db.batches(
        cursor,
        _LACKING + "SELECT r.report_id, r.content_sha256, r.seq, e.vector FROM reports r"
        " JOIN (SELECT content_sha256, vector FROM embeddings WHERE model_id = $model_id"
        " AND content_sha256 IN (SELECT content_sha256 FROM new)) e USING (content_sha256)"
        " WHERE r.seq > $after AND r.seq < (SELECT coalesce(min(first), 9e18) FROM lacking) ORDER BY r.seq",
        {"after": after, "model_id": model_id},
    )
    for batch in found:
        if not len(batch):
            continue
        names, contents, seqs = (batch.column(at).to_pylist() for at in range(3))
        # flatten, not values: a slice of a larger list array still holds its neighbours' numbers.
        matrix = batch.column(3).flatten().to_numpy(zero_copy_only=False).reshape(len(batch), -1)
        yield Batch(names, contents, seqs, np.ascontiguousarray(matrix, dtype=np.float32))


def stored(cursor: db.Cursor, model_id: str, names: Sequence[str]) -> dict[str, Vectors]:
    """The vectors that this space has of these names, (dim,) each."""
    table = db.arrow(
        cursor,
        "SELECT content_sha256, vector FROM embeddings"
        " WHERE model_id = ? AND content_sha256 IN (SELECT unnest(?))",
        [model_id, sorted(set(names))],
    )
    if not len(table):
        return {}
    matrix = table["vector"].combine_chunks().values.to_numpy().reshape(len(table), -1)
    return dict(zip(table["content_sha256"].to_pylist(), matrix, strict=True))
