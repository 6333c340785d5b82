"""Other ways to put vectors into clusters of near-duplicates at a cosine of .85, behind one signature.

Each function takes unit vectors (n, dim) and gives a label for every row; what a method leaves over as noise
stands alone. `available` names those whose packages are installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from benchmarks.synthetic import texts
from triage_core.likeness.grid import least_dot, to_grid
from triage_core.likeness.join import links

THRESHOLD = 0.85
FAISS = "faiss IVF + components"
BERTOPIC = "BERTopic"

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]


def available() -> dict[str, Callable[[Vectors], Labels]]:
    """The peers that can run here, in order of their usual speed."""
    needs = {
        FAISS: ("faiss", faiss_ivf),
        "sklearn DBSCAN": ("sklearn", dbscan),
        "SemHash": ("semhash", semhash),
        "ST community_detection": ("sentence_transformers", community_detection),
        BERTOPIC: ("bertopic", bertopic),
        "sklearn HDBSCAN": ("sklearn", hdbscan),
        "DuckDB SQL self-join": ("duckdb", duckdb_join),
    }
    return {name: run for name, (package, run) in needs.items() if find_spec(package)}


def faiss_ivf(vectors: Vectors) -> Labels:
    import faiss

    faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
    cells = max(4, int(len(vectors) ** 0.5))
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(vectors.shape[1]), vectors.shape[1], cells, faiss.METRIC_INNER_PRODUCT
    )
    index.train(vectors[: 64 * cells])
    index.add(vectors)
    index.nprobe = 4
    limits, _, found = index.range_search(vectors, THRESHOLD)
    return components(
        np.repeat(np.arange(len(vectors)), np.diff(limits.astype(np.int64))), found, len(vectors)
    )


def linked_components(vectors: Vectors, threshold: float) -> Labels:
    """Connected components of our own links: what the gated rule is measured against."""
    grid = to_grid(vectors)
    everything = np.arange(len(vectors))
    labels = everything.copy()
    for block in links(grid, least_dot(threshold, vectors.shape[1]), lambda: labels):
        rows = np.repeat(np.arange(block.start, block.stop), np.diff(block.offsets))
        left, right = np.concatenate([rows, everything]), np.concatenate([block.others, labels])
        _, earliest, number = np.unique(
            components(left, right, len(vectors)), return_index=True, return_inverse=True
        )
        labels[:] = earliest[number]
    return labels


def dbscan(vectors: Vectors) -> Labels:
    from sklearn.cluster import DBSCAN

    return alone(DBSCAN(eps=1 - THRESHOLD, min_samples=2, metric="cosine").fit_predict(vectors))


def hdbscan(vectors: Vectors) -> Labels:
    from sklearn.cluster import HDBSCAN

    return alone(HDBSCAN(min_cluster_size=2, copy=True).fit_predict(vectors))


def community_detection(vectors: Vectors) -> Labels:
    import torch
    from sentence_transformers.util import community_detection as detect

    labels = np.full(len(vectors), -1, dtype=np.int64)
    groups = detect(torch.from_numpy(vectors), threshold=THRESHOLD, min_community_size=2, batch_size=1_024)
    for number, rows in enumerate(groups):
        labels[rows] = number
    return alone(labels)


def semhash(vectors: Vectors) -> Labels:
    from semhash import SemHash

    records = [{"text": str(row)} for row in range(len(vectors))]
    index = SemHash.from_embeddings(vectors, records, model=_NoModel(), columns=["text"])
    pairs = [
        (int(found.record["text"]), int(other["text"]))
        for found in index.self_deduplicate(threshold=THRESHOLD).filtered
        for other, *_ in found.duplicates
    ]
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return components(left, right, len(vectors))


class _NoModel:
    """SemHash asks for an encoder even when the vectors are given."""

    def encode(self, *_: object, **__: object) -> Vectors:
        raise NotImplementedError("the vectors are given")


def bertopic(vectors: Vectors) -> Labels:
    from bertopic import BERTopic

    given = list(texts(np.arange(len(vectors))))
    topics, _ = BERTopic(embedding_model=None, min_topic_size=2).fit_transform(given, embeddings=vectors)
    return alone(np.array(topics))


def duckdb_join(vectors: Vectors) -> Labels:
    import duckdb
    import pyarrow as pa

    dim = vectors.shape[1]
    database = duckdb.connect()
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dim)
    database.register("given", pa.table({"row": np.arange(len(vectors)), "vector": column}))
    database.execute(f"CREATE TABLE vectors AS SELECT row, vector::FLOAT[{dim}] AS vector FROM given")
    pairs = database.execute(
        "SELECT a.row, b.row FROM vectors a JOIN vectors b ON a.row < b.row"
        " AND array_inner_product(a.vector, b.vector) >= ?", [THRESHOLD]
    ).fetchnumpy()  # fmt: skip
    left, right = (np.asarray(values) for values in pairs.values())
    return components(left, right, len(vectors))


def components(left: NDArray[np.int64], right: NDArray[np.int64], rows: int) -> Labels:
    graph = coo_matrix((np.ones(len(left), dtype=np.bool_), (left, right)), shape=(rows, rows))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def alone(labels: NDArray[np.int64]) -> Labels:
    """Labels in which noise (-1) is a cluster for each row."""
    labels = labels.astype(np.int64)
    noise = labels < 0
    labels[noise] = labels.max(initial=-1) + 1 + np.arange(noise.sum())
    return labels
