"""Near-duplicate clusters: quality, time and memory beside others, up to a million vectors.

Vectors are the seeded mixture of benchmarks/synthetic.py, so the true clusters are known; F1 is over pairs of
rows. Contestants that are compared run in turns on the same vectors. The million runs in a process of its
own, so that its peak memory is what it says; vectors are supplied, and are counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import (
    Timing,
    arguments,
    compete,
    finish,
    peak_memory_gib,
    progress,
    ratio,
    say,
    table,
)
from benchmarks.likeness_peers import BERTOPIC, FAISS, available, linked_components
from benchmarks.synthetic import mixture
from triage_core.likeness.cluster import Clusters, Params, cluster_all
from triage_core.likeness.search import VectorIndex

OURS = "gated rule (ours)"
ORDERS = 10
NEW_REPORTS = 100
TARGETS = {
    "ratio_to_faiss": ("<=", 0.45),
    "f1_100k": (">=", 0.999),
    "million_s": ("<=", 120.0),
    "million_peak_gib": ("<=", 6.0),
    "million_f1": (">=", 0.997),
    "million_place_p95_ms": ("<=", 150.0),
    "identical_runs": ("==", 1.0),
    "incremental_equals_bulk": ("==", 1.0),
    "orders_ari_min": (">=", 0.98),
}

Labels = NDArray[np.int64]


def main() -> None:
    if sys.argv[1:2] == ["--million"]:
        print(json.dumps(million(int(sys.argv[2]))))
        return
    options = arguments(__doc__)
    few, many, most = (2_000, 25_000, 60_000) if options.small else (10_000, 100_000, 1_000_000)
    cluster_all(mixture(500).vectors)  # compiled before anything is timed
    figures = {**against_all(few, options.small), **against_faiss(many, 1 if options.small else 3)}
    figures |= chaining(many)
    figures |= stability(few, few // 2, 3 if options.small else ORDERS)
    say(f"{most:,} vectors in a process of their own")
    command = [sys.executable, "-m", "benchmarks.likeness_cluster", "--million", str(most)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures |= json.loads(output.splitlines()[-1])
    table("Figures", ("measure", "value"), figures.items())
    finish("likeness_cluster", figures, {} if options.small else TARGETS)


def against_all(rows: int, small: bool) -> dict[str, float]:
    """Everybody on few rows, once: some are too slow for more, one even for a small run."""
    peers = {name: run for name, run in available().items() if not (small and name == BERTOPIC)}
    data = mixture(rows, seed=1)
    lines = []
    for name, run in progress({OURS: ours, **peers}.items(), f"{rows:,} rows, each method"):
        start = time.perf_counter()
        labels = run(data.vectors)
        seconds = time.perf_counter() - start
        lines.append((name, seconds, *pair_scores(data.labels, labels), len(np.unique(labels))))
    lines.sort(key=lambda line: line[1])
    columns = ("method", "seconds", "F1", "precision", "recall", "clusters")
    table(f"{rows:,} vectors, {data.labels.max() + 1:,} true clusters", columns, lines)
    return {f"f1_{rows // 1_000}k": next(line[2] for line in lines if line[0] == OURS)}


def against_faiss(rows: int, rounds: int) -> dict[str, float]:
    """Ours and faiss IVF with connected components in turns."""
    data = mixture(rows, seed=2)
    runs = {OURS: ours} | {name: run for name, run in available().items() if name == FAISS}
    labels: dict[str, Labels] = {}

    def run(name: str) -> None:
        labels[name] = runs[name](data.vectors)

    times = compete({name: lambda name=name: run(name) for name in runs}, rounds)
    table(
        f"{rows:,} vectors, median of {rounds}",
        ("method", "seconds", "F1", "precision", "recall"),
        [(name, times[name].median, *pair_scores(data.labels, labels[name])) for name in runs],
    )
    figures = {"f1_100k": pair_scores(data.labels, labels[OURS])[0], "seconds_100k": times[OURS].median}
    return figures | ({"ratio_to_faiss": ratio(times, OURS, FAISS)} if FAISS in times else {})


def chaining(rows: int) -> dict[str, float]:
    """The same links, by the gated rule and as connected components, as the threshold is loosened."""
    data = mixture(rows, seed=2)
    figures, lines = {}, []
    for threshold in progress((0.85, 0.80, 0.75), "thresholds"):
        gated = cluster_all(data.vectors, Params(join=threshold)).labels()
        chained = linked_components(data.vectors, threshold)
        scores = [pair_scores(data.labels, labels)[0] for labels in (gated, chained)]
        lines.append((threshold, *scores))
        for name, score in zip(("gated", "components"), scores, strict=True):
            figures[f"f1_{name}_at_{threshold:.2f}"] = score
    table(f"F1 of {rows:,} vectors", ("links from", "gated rule", "connected components"), lines)
    return figures


def stability(rows: int, incremental: int, orders: int) -> dict[str, float]:
    """Same order: the same clusters, in bulk and one by one. Other orders: nearly the same."""
    from sklearn.metrics import adjusted_rand_score

    data = mixture(rows, seed=3)
    first = ours(data.vectors)
    identical = np.array_equal(ours(data.vectors), first)
    one_by_one = np.array_equal(placed(data.vectors[:incremental]), ours(data.vectors[:incremental]))
    rng = np.random.default_rng(0)
    agreement = []
    for _ in progress(range(orders), "shuffled orders"):
        order = rng.permutation(rows)
        labels = np.empty(rows, dtype=np.int64)
        labels[order] = ours(data.vectors[order])
        agreement.append(float(adjusted_rand_score(first, labels)))
    table(
        f"Stability, {rows:,} vectors",
        ("measure", "value"),
        [
            ("two runs in the same order are identical", str(identical)),
            (f"{incremental:,} one by one are identical to bulk", str(one_by_one)),
            (f"ARI of {orders} shuffled orders: least", min(agreement)),
            (f"ARI of {orders} shuffled orders: mean", float(np.mean(agreement))),
        ],
    )
    return {
        "identical_runs": float(identical),
        "incremental_equals_bulk": float(one_by_one),
        "orders_ari_min": min(agreement),
    }


def million(rows: int) -> dict[str, float]:
    """Bulk clusters of many rows, then reports that come one at a time on top."""
    data = mixture(rows + NEW_REPORTS, seed=4)
    vectors, new = data.vectors[:rows], data.vectors[rows:]
    start = time.perf_counter()
    clusters = cluster_all(vectors)
    figures = {"million_rows": rows, "million_s": time.perf_counter() - start}
    figures |= {"million_peak_gib": peak_memory_gib()}
    figures |= {"million_f1": pair_scores(data.labels[:rows], clusters.labels())[0]}
    start = time.perf_counter()
    figures |= {"million_suggested_splits": len(clusters.suggest_splits())}
    figures |= {"million_audit_s": time.perf_counter() - start}
    with tempfile.TemporaryDirectory() as scratch:
        index = VectorIndex(vectors.shape[1], Path(scratch))
        start = time.perf_counter()
        index.add(vectors)
        figures |= {"million_load_s": time.perf_counter() - start, "million_index_mb": index.nbytes / 1e6}
        seconds = []
        for vector in new:
            start = time.perf_counter()
            place(clusters, index, vector)
            seconds.append(time.perf_counter() - start)
    timing = Timing(tuple(seconds))
    return figures | {
        "million_place_p50_ms": 1e3 * timing.median,
        "million_place_p95_ms": 1e3 * timing.quantile(0.95),
    }


def ours(vectors: NDArray[np.float32]) -> Labels:
    return cluster_all(vectors).labels()


def placed(vectors: NDArray[np.float32]) -> Labels:
    """One report after the other, as they come in."""
    index, clusters = VectorIndex(vectors.shape[1]), Clusters(vectors.shape[1])
    for vector in vectors:
        place(clusters, index, vector)
    return clusters.labels()


def place(clusters: Clusters, index: VectorIndex, vector: NDArray[np.float32]) -> None:
    _, near = index.above(vector, clusters.params.search_floor(index.dim))
    clusters.place(len(clusters), vector, near)
    index.add(vector[None])


def pair_scores(true: Labels, found: Labels) -> tuple[float, float, float]:
    """F1, precision and recall over pairs of rows in one cluster."""
    both = pairs(true * (int(found.max()) + 1) + found)
    precision, recall = both / max(1, pairs(found)), both / max(1, pairs(true))
    return 2 * both / max(1, pairs(found) + pairs(true)), precision, recall


def pairs(labels: Labels) -> int:
    sizes = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())


if __name__ == "__main__":
    main()
