"""One new vector against a million: how long the ten nearest take, and whether they are the true ten.

All contestants answer the same queries in turns, one query at a time, on the same vectors (seeded mixture,
384 dimensions). Ours keeps a byte per dimension in memory and the full vectors in a scratch file.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Timing, arguments, compete, finish, ratio, say, table
from benchmarks.synthetic import mixture
from triage_core.likeness.search import VectorIndex

K = 10
DIM = 384
OURS, NUMPY = "VectorIndex (int8 scan, exact)", "numpy f32 product"
TARGETS = {"p95_ms": ("<=", 30.0), "recall_at_10": (">=", 1.0), "index_mb": ("<=", 500.0)}

Vectors = NDArray[np.float32]


def main() -> None:
    options = arguments(__doc__)
    rows, asked = (50_000, 10) if options.small else (1_000_000, 60)
    say(f"making {rows:,} vectors")
    vectors = mixture(rows + asked).vectors
    vectors, queries = vectors[:rows], vectors[rows:]
    with tempfile.TemporaryDirectory() as scratch:
        index = VectorIndex(DIM, Path(scratch))
        start = time.perf_counter()
        index.add(vectors)
        figures = {"rows": rows, "load_s": time.perf_counter() - start, "index_mb": index.nbytes / 1e6}
        contestants: dict[str, Callable[[Vectors], object]] = {
            OURS: lambda query: index.top_k(query[None], K),
            "VectorIndex, all above .85": lambda query: index.above(query, 0.85),
            NUMPY: lambda query: best(vectors @ query),
            **dict(peers(vectors)),
        }
        times = compete({name: each(run, queries) for name, run in contestants.items()}, rounds=asked)
        found = [set(index.top_k(query[None], K)[1][0].tolist()) for query in queries]
    true = [set(best(vectors @ query).tolist()) for query in queries]
    recall = sum(len(ours & exact) for ours, exact in zip(found, true, strict=True)) / (K * asked)
    figures |= {"recall_at_10": recall, "ratio_to_numpy": ratio(times, OURS, NUMPY)}
    figures |= {"p50_ms": 1e3 * times[OURS].median, "p95_ms": 1e3 * times[OURS].quantile(0.95)}
    table(f"One query against {rows:,} vectors", ("method", "p50 ms", "p95 ms"), map(shown, times.items()))
    table("VectorIndex", ("measure", "value"), figures.items())
    finish("likeness_search", figures, {} if options.small else TARGETS)


def peers(vectors: Vectors) -> Iterator[tuple[str, Callable[[Vectors], object]]]:
    """Whoever is installed."""
    try:
        import faiss
    except ImportError:
        say("faiss is not installed, so it is not measured")
    else:
        flat = faiss.IndexFlatIP(DIM)
        flat.add(vectors)
        yield "faiss Flat", lambda query: flat.search(query[None], K)
    import duckdb
    import pyarrow as pa

    database = duckdb.connect()
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIM)
    database.register("given", pa.table({"row": np.arange(len(vectors)), "vector": column}))
    database.execute(f"CREATE TABLE vectors AS SELECT row, vector::FLOAT[{DIM}] AS vector FROM given")
    nearest = f"SELECT row FROM vectors ORDER BY array_inner_product(vector, ?::FLOAT[{DIM}]) DESC LIMIT {K}"
    yield "DuckDB SQL", lambda query: database.execute(nearest, [query.tolist()]).fetchall()


def best(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    near = np.argpartition(scores, len(scores) - K)[-K:]
    return near[np.argsort(-scores[near])]


def each(run: Callable[[Vectors], object], queries: Vectors) -> Callable[[], object]:
    """Answers the next query whenever it is called."""
    turn = cycle(queries)
    return lambda: run(next(turn))


def shown(entry: tuple[str, Timing]) -> tuple[str, float, float]:
    name, timing = entry
    return name, 1e3 * timing.median, 1e3 * timing.quantile(0.95)


if __name__ == "__main__":
    main()
