"""What changes at the limit of close reading: the same reports below it, half above it, and all above it.

    python -m benchmarks.likeness_limit [--small]

Through the product's own store and answers. Average precision is over the pairs that the 50 nearest of each report
name; all other pairs count as found last.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from benchmarks import harness
from benchmarks import likeness_data as data
from benchmarks.likeness_quality import codes, ranking
from triage_core.channel import intake, reportformat
from triage_core.guidance import policies, policy
from triage_core.index import placements
from triage_core.index.indexing import Likeness
from triage_core.likeness.axes import Axis
from triage_core.likeness.embed import load
from triage_core.model import Actor, DeskRole
from triage_core.settings import ROOT
from triage_core.store import Store

OPERATOR = Actor("benchmark", "Benchmark", frozenset(DeskRole))
NEAREST = 50
MOST_LOST = 0.03
"""So much of a figure may be lost above the limit."""


class Remembered:
    """The product's embedder; a text is embedded once for all runs."""

    def __init__(self) -> None:
        self._inner = load()
        self.model_id, self.dim = self._inner.model_id, self._inner.dim
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str], progress: object = None) -> NDArray[np.float32]:
        lacking = [text for text in dict.fromkeys(texts) if text not in self._known]
        if lacking:
            self._known.update(zip(lacking, self._inner.embed(lacking), strict=True))
        return np.stack([self._known[text] for text in texts])


def bring(store: Store, texts: Sequence[str]) -> None:
    rules = policies.publish(store, OPERATOR, policy.load(ROOT / "data"))
    reports = [
        reportformat.parse({"turns": [{"role": "user", "content": text}]}, imported=True) for text in texts
    ]
    for start in range(0, len(reports), 500):
        intake.import_batch(
            store, rules, OPERATOR, [intake.Incoming(report) for report in reports[start : start + 500]]
        )


def measure(corpus: data.Corpus, limit: int, model: Remembered) -> dict[str, float]:
    """Figures by name for one limit: AP, R@1 and ARI of each labelled axis, seconds of the whole and of one more."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        likeness = Likeness(store, lambda: model, "benchmark", limit)
        bring(store, corpus.texts[:-1])
        started = time.perf_counter()
        likeness.refresh(OPERATOR)
        figures = {"refresh_s": time.perf_counter() - started}
        bring(store, corpus.texts[-1:])
        started = time.perf_counter()
        likeness.refresh(OPERATOR)
        figures["one_more_s"] = time.perf_counter() - started
        for axis, given in corpus.labels.items():
            labels = codes(given)
            scores = np.zeros((len(labels), len(labels)), dtype=np.float32)
            with store.read() as cursor:
                found = placements.read_clusters(cursor, axis)
            row = {report_id: at for at, report_id in enumerate(found)}
            for report_id, near in likeness.all_similar(NEAREST, Axis(axis)):
                for item in near:
                    pair = row[report_id], row[item.report_id]
                    scores[pair] = scores[pair[::-1]] = max(scores[pair], item.score)
            figures[f"{axis}_ap"], figures[f"{axis}_r1"] = ranking(scores, labels)
            figures[f"{axis}_ari"] = adjusted_rand_score(labels, codes(list(found.values())))
        store.close()
    return figures


def main() -> None:
    small = harness.arguments(__doc__).small
    corpora = [data.composed(-1, 12 if small else 40, 100), data.families(), data.attacks()]
    model = Remembered()
    rows: list[list[object]] = []
    figures: dict[str, float] = {}
    lost: dict[str, float] = {}
    for corpus in corpora:
        order = np.random.default_rng(3).permutation(len(corpus.texts)).tolist()
        mixed = data.Corpus(
            corpus.name,
            [corpus.texts[at] for at in order],
            {axis: [given[at] for at in order] for axis, given in corpus.labels.items()},
        )
        count = len(order)
        name = corpus.name.split()[0]
        below: dict[str, float] = {}
        for where, limit in (("below", count), ("half above", count // 2), ("all above", 0)):
            harness.say(f"{corpus.name}, {count} reports, {where} the limit")
            found = measure(mixed, limit, model)
            below = below or found
            for figure, value in found.items():
                key = f"{name}_{figure}_{where.replace(' ', '_')}"
                figures[key] = value
                rows.append([corpus.name, figure, where, value])
                if not figure.endswith("_s"):
                    lost[f"{name}_{figure}"] = max(lost.get(f"{name}_{figure}", 0.0), below[figure] - value)
    harness.table("Below and above the limit", ["data", "figure", "where", "value"], rows)
    figures |= {f"{name}_lost": value for name, value in lost.items()}
    harness.finish("likeness_limit", figures, {f"{name}_lost": ("<=", MOST_LOST) for name in lost})


if __name__ == "__main__":
    main()
