"""A million synthetic reports through the product's own store: loaded, clustered, one more placed, a page served.

    python -m benchmarks.likeness_million             1,000,000 reports
    python -m benchmarks.likeness_million --small     20,000
    python -m benchmarks.likeness_million --keep DIR  on a copy of the store in DIR, where the first run leaves it

Vectors are supplied (embedding is measured by likeness_embed) and so are the readings of the million, which arrive
with them one by one in life; the reports are put into the store in bulk. Each one more is read, embedded by table, laid
on all three axes and stored.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from benchmarks import harness, synthetic
from triage_core import db
from triage_core.channel import intake, reportformat
from triage_core.desk import boards
from triage_core.guidance import policies, policy
from triage_core.index import readings, vectors
from triage_core.index.indexing import Likeness
from triage_core.likeness import sketch
from triage_core.likeness.spaces import Readings
from triage_core.model import Actor, DeskRole
from triage_core.settings import ROOT
from triage_core.store import Store

NAME = "likeness_million"
OPERATOR = Actor("benchmark", "Benchmark", frozenset(DeskRole))
MODEL = "synthetic"
PART = 50_000
MORE, FIGURES = "more.npy", "figures.json"
ONE_MORE = 200
TARGETS: dict[str, harness.Target] = {
    "place_one_p95_ms": ("<=", 150),
    "duplicates_page_p95_ms": ("<=", 300),
    "peak_memory_gib": ("<=", 12),
    "start_peak_memory_gib": ("<=", 12),
}


class Supplied:
    """An embedder that knows the vectors of the reports from number `first` on, by the number that ends a text."""

    model_id = MODEL
    dim = 384

    def __init__(self, known: NDArray[np.float32], first: int) -> None:
        self._known, self._first = known, first

    def embed(self, texts: Sequence[str], progress: object = None) -> NDArray[np.float32]:
        return self._known[[int(re.findall(r"\d+", text)[-1]) - self._first for text in texts]]


class Read:
    """Readings to go with vectors: 50,000 techniques and 100,000 requests at random, passages after the vectors."""

    def __init__(self, dim: int) -> None:
        self._rng = np.random.default_rng(5)
        self._techniques = synthetic.unit(
            self._rng.standard_normal((50_000, sketch.WRAPPER), dtype=np.float32)
        )
        self._requests = synthetic.unit(
            self._rng.standard_normal((100_000, sketch.WORDS + dim), dtype=np.float32)
        )
        self._passages = self._rng.standard_normal((dim, sketch.PASSAGES), dtype=np.float32)

    def __call__(self, vectors: NDArray[np.float32]) -> Readings:
        passages = sketch.coded(vectors @ self._passages)
        wrapper, request = (self._around(kinds, len(vectors)) for kinds in (self._techniques, self._requests))
        blank = np.zeros(len(vectors), dtype=np.float32)
        size = np.full(len(vectors), 100, dtype=np.int32)
        return Readings(passages, passages[:, : sketch.WORDS], wrapper, request, blank, blank, size)

    def _around(self, kinds: NDArray[np.float32], count: int) -> NDArray[np.int8]:
        noise = synthetic.unit(self._rng.standard_normal((count, kinds.shape[1]), dtype=np.float32))
        chosen = kinds[self._rng.integers(0, len(kinds), count)]
        return sketch.coded(np.sqrt(np.float32(0.8)) * chosen + np.sqrt(np.float32(0.2)) * noise)


def fill(store: Store, mixture: synthetic.Mixture, count: int) -> None:
    """`count` reports with their cases, vectors and readings, in bulk; one event stands for all of them."""
    now = store.clock()
    read = Read(mixture.vectors.shape[1])
    words = synthetic.texts(mixture.labels)
    for start in harness.progress(range(0, count, PART), "storing reports"):
        stop = min(start + PART, count)
        contents = [f"{next(words)} {row}" for row in range(start, stop)]
        names = [hashlib.sha256(text.encode()).hexdigest() for text in contents]
        ids = [f"FR-{row + 1}" for row in range(start, stop)]
        blank = [""] * len(ids)
        turn = pa.struct([("role", pa.string()), ("content", pa.string())])
        times = pa.array([now.replace(tzinfo=None)] * len(ids))
        reports = pa.table(
            {
                "report_id": ids,
                "seq": list(range(start + 1, stop + 1)),
                "channel": ["import"] * len(ids),
                "received_at": times,
                "policy_version": blank,
                "content_sha256": names,
                "body_sha256": blank,
                "platform": ["Synthetic"] * len(ids),
                "model": blank,
                "model_version": blank,
                "what_is_wrong": contents,
                "harm_types": [["other"]] * len(ids),
                "disclosure_intent": ["no"] * len(ids),
                "turns": pa.array([[{"role": "user", "content": text}] for text in contents], pa.list_(turn)),
                "body": ["{}"] * len(ids),
            }
        )
        cases = pa.table(
            {
                "report_id": ids,
                "seq": list(range(start + 1, stop + 1)),
                "received_at": times,
                **{name: reports[name] for name in ("platform", "model_version", "channel", "harm_types")},
                "version": [1] * len(ids),
                "status": ["new"] * len(ids),
                "exploitation": ["none"] * len(ids),
                "tlp": ["AMBER+STRICT"] * len(ids),
                "consent_training": ["none"] * len(ids),
                "consent_share_peers": ["no"] * len(ids),
                "response_due": times,
                "triage_due": times,
                "updated_at": times,
                "updated_by": ["benchmark"] * len(ids),
            }
        )
        with store.write(OPERATOR, "benchmark") as work:
            db.insert_arrow(work.cursor, "reports", reports)
            db.insert_arrow(work.cursor, "cases", cases)
            vectors.save(work, MODEL, names, mixture.vectors[start:stop])
            readings.save(work, range(start + 1, stop + 1), read(mixture.vectors[start:stop]))
    with store.write(OPERATOR, "benchmark") as work:
        vectors.switch_space(work, MODEL, MODEL)


def quantile(seconds: list[float], share: float) -> float:
    return float(np.quantile(seconds, share) * 1000)


def make(folder: Path, count: int) -> None:
    """A store of so many reports with their first clusters; beside it the vectors of more and what it took."""
    harness.say(f"making {count:,} synthetic vectors")
    mixture = synthetic.mixture(count + 1 + ONE_MORE)
    store = Store(folder)
    policies.publish(store, OPERATOR, policy.load(ROOT / "data"))
    fill(store, mixture, count)
    labels, more = mixture.labels, mixture.vectors[count:].copy()
    del mixture  # the store has them now
    held = harness.peak_memory_gib()
    started = time.perf_counter()
    Likeness(store, lambda: Supplied(more, count), MODEL, close_reading=0).refresh(OPERATOR)
    taken = time.perf_counter() - started
    with store.read() as cursor:
        found = db.rows(
            cursor,
            "SELECT m.cluster_id FROM memberships m JOIN reports r USING (report_id)"
            " WHERE m.axis = 'whole' ORDER BY r.seq",
        )
    store.close()
    placed = [row["cluster_id"] for row in found]
    harness.say(f"{len(set(placed)):,} clusters after {taken:.0f} s")
    figures = {
        "first_refresh_s": taken,
        "clusters": len(set(placed)),
        "ari": adjusted_rand_score(labels[:count], placed),
        "held_before_gib": held,
        "reports": count,
        "peak_memory_gib": harness.peak_memory_gib(),
    }
    np.save(folder / MORE, more)
    (folder / FIGURES).write_text(json.dumps(figures))


def place(store: Store, likeness: Likeness, count: int) -> dict[str, float]:
    """What one more report takes, many times over, in milliseconds."""
    placed, busy = [], []
    with store.read() as cursor:
        rules = policies.in_force(cursor)
    for row in harness.progress(range(count, count + 1 + ONE_MORE), "placing one more"):
        report = reportformat.parse(
            {"turns": [{"role": "user", "content": f"one more {row}"}]}, imported=True
        )
        intake.import_batch(store, rules, OPERATOR, [intake.Incoming(report)])
        started, used = time.perf_counter(), time.process_time()
        likeness.refresh(OPERATOR)
        placed.append(time.perf_counter() - started)
        busy.append(time.process_time() - used)
    return {
        # The first also pays for what is done once: names are read, room is made for more.
        "place_first_ms": placed[0] * 1000,
        "place_one_p50_ms": quantile(placed[1:], 0.5),
        "place_one_p95_ms": quantile(placed[1:], 0.95),
        "place_one_worst_ms": quantile(placed[1:], 1),
        # Of all cores together: what a busy machine does to the wait it does not do to this.
        "place_one_processor_ms": quantile(busy[1:], 0.5),
    }


def measure(folder: Path, count: int) -> dict[str, float]:
    """What a process that opens the store anew takes to have its reports at hand, for one more, and for a page."""
    opened = time.perf_counter()
    store = Store(folder)
    likeness = Likeness(store, lambda: Supplied(np.load(folder / MORE), count), MODEL, close_reading=0)
    likeness.refresh(OPERATOR)
    figures = {"start_s": time.perf_counter() - opened, **place(store, likeness, count)}
    pages = []
    for page in harness.progress(range(1, 21), "serving Duplicates"):
        started = time.perf_counter()
        with store.read() as cursor:
            boards.suggestions(cursor, page)
        pages.append(time.perf_counter() - started)
    store.close()
    return figures | {
        "duplicates_page_p95_ms": quantile(pages, 0.95),
        "start_peak_memory_gib": harness.peak_memory_gib(),
    }


def main() -> None:
    options = harness.arguments(__doc__, keeps=True)
    count = 20_000 if options.small else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "store"
        kept = options.keep / f"likeness-{count}" if options.keep else folder
        if not kept.is_dir():
            making = kept.with_suffix(".part")
            shutil.rmtree(making, ignore_errors=True)
            make(making, count)
            making.rename(kept)
        if options.keep:
            shutil.copytree(kept, folder)
        figures = json.loads((folder / FIGURES).read_text())
        with ProcessPoolExecutor(1, get_context("spawn")) as another:
            figures |= another.submit(measure, folder, count).result()
    rows = [(name.replace("_", " "), value) for name, value in figures.items()]
    harness.table(
        f"{count:,} reports, {timedelta(seconds=int(figures['first_refresh_s']))}", ["measure", "value"], rows
    )
    harness.finish(NAME, figures, {} if options.small else TARGETS)


if __name__ == "__main__":
    main()
