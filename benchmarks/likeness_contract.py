"""The likeness as a user of the command line gets it: import, index, `similar --all` and `clusters` on every axis.

Each data set goes into a store of its own through the operations behind the command line, and what these print is
judged by the labels. Templates, payloads and behaviours are judged in halves: what reads like a request is then learned
from the other half, as in likeness_quality. `-k` is 1,000 or, for larger sets, 100: a pair that is not printed counts
as not alike.

    python -m benchmarks.likeness_contract [--small]
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from benchmarks import likeness_data as data
from benchmarks.harness import arguments, finish, say, table
from benchmarks.likeness_quality import codes, grouping, ranking
from benchmarks.likeness_train import slots
from triage_core import operations
from triage_core.likeness import axes
from triage_core.operations import Emit
from triage_core.runtime import Runtime
from triage_core.settings import Settings

Labels = NDArray[np.int64]
TARGETS = {
    "wild families, technique, AP": (">=", 0.90),
    "wild families, technique, ARI": (">=", 0.88),
    "composed 12 a wrapper, technique, AP": (">=", 0.96),
    "composed 12 a wrapper, technique, ARI": (">=", 0.88),
    "composed 12 a wrapper, request, AP": (">=", 0.95),
    "composed 3 a wrapper, request, AP": (">=", 0.95),
    "composed 2 a wrapper, request, AP": (">=", 0.95),
    "attack methods, request, AP": (">=", 0.70),
    "attack methods, request, R@1": (">=", 0.95),
    "bug reports, whole, recall@10": (">=", 0.93),
}
MANY, FEW, LARGE = 1_000, 100, 1_200


@dataclass(frozen=True, slots=True)
class Case:
    """A set of reports, and the half that the slot model may not have seen (None: the shipped model)."""

    corpus: data.Corpus
    judged: int | None = None


def cases(small: bool) -> Iterator[Case]:
    for fold in (0, 1):
        for each in (12,) if small else (12, 3, 2):
            yield Case(data.composed(fold, each, 12), fold)
        if not small:
            yield Case(data.attacks(fold), fold)
    yield Case(data.families())
    if not small:
        yield Case(data.paraphrases())
        yield Case(data.injections())
        yield Case(data.intents())


@contextmanager
def opened(case: Case) -> Iterator[Runtime]:
    """The product over a store that holds the case, indexed; reports are named by their place."""
    model = slots(1 - case.judged) if case.judged is not None else axes.shipped()
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(axes, "shipped", return_value=model):
        lines = Path(folder) / "reports.jsonl"
        with lines.open("w", encoding="utf-8") as out:
            for at, text in enumerate(case.corpus.texts):
                turns = [{"role": "user", "content": text}]
                out.write(json.dumps({"external_id": f"{at}", "turns": turns}) + "\n")
        runtime = Runtime(Settings(store=Path(folder) / "store"))
        try:
            refused: list[dict[str, Any]] = []
            operations.run(runtime, "import", {"files": [str(lines)]}, Emit(item=refused.append))
            if refused:
                say(f"{case.corpus.name}: {len(refused)} refused, e.g. {refused[0]['reason']}")
            operations.run(runtime, "index", {}, Emit())
            yield runtime
        finally:
            runtime.close()


def scores(runtime: Runtime, axis: str, count: int) -> NDArray[np.float32]:
    """(count, count) what `similar --all --axis` prints; 0 for a pair that it does not."""
    found = np.zeros((count, count), np.float32)

    def take(item: dict[str, Any]) -> None:
        row = int(item["external_id"])
        for near in item["neighbours"]:
            found[row, int(near["external_id"])] = near["score"]

    params = {"all": True, "axis": axis, "k": MANY if count <= LARGE else FEW}
    operations.run(runtime, "similar", params, Emit(item=take))
    return found


def grouped(runtime: Runtime, axis: str, count: int) -> Labels:
    found = operations.run(runtime, "clusters", {"axis": axis}, Emit())
    named = {int(row["external_id"]): row["cluster_id"] for row in found}
    return codes([named.get(at, ("missing", at)) for at in range(count)])


def recall(found: NDArray[np.float32], labels: Labels, k: int = 10) -> float:
    """The share of reports with a like one that have one among their `k` best."""
    same = labels[:, None] == labels[None, :]
    np.fill_diagonal(same, val=False)
    near = np.argsort(-found, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(same, near, axis=1).any(axis=1)[same.any(axis=1)].mean())


def judge(case: Case) -> Iterator[tuple[str, dict[str, float]]]:
    """(axis, figures) of a case, for the axes that its labels know."""
    count = len(case.corpus.texts)
    with opened(case) as runtime:
        for axis, given in case.corpus.labels.items():
            labels = codes(given)
            if len(set(labels.tolist())) == count:
                continue
            found = scores(runtime, axis, count)
            precision, first = ranking(np.maximum(found, found.T), labels)
            clusters, agreement, _, _ = grouping(grouped(runtime, axis, count), labels)
            yield (
                axis,
                {
                    "AP": precision,
                    "R@1": first,
                    "recall@10": recall(found, labels),
                    "ARI": agreement,
                    "true": len(set(labels.tolist())),
                    "found": clusters,
                },
            )


def bugs() -> dict[str, float]:
    """Later bug reports that find an earlier duplicate among the ten best earlier ones, and how many ask."""
    corpus, earlier = data.bugs()
    with opened(Case(corpus)) as runtime:
        found = scores(runtime, "whole", len(corpus.texts))
    hits = [
        bool(set(np.argsort(-found[row, :row], kind="stable")[:10].tolist()) & wanted)
        for row, wanted in earlier.items()
    ]
    return {"recall@10": float(np.mean(hits)), "asked": len(hits)}


def main() -> None:
    options = arguments(__doc__)
    taken: dict[tuple[str, str], list[dict[str, float]]] = {}
    for case in cases(options.small):
        say(f"{case.corpus.name}: {len(case.corpus.texts)} reports")
        for axis, found in judge(case):
            taken.setdefault((case.corpus.name, axis), []).append(found)
    names = ("AP", "R@1", "recall@10", "ARI", "true", "found")
    rows = [
        [name, axis, *(float(np.mean([found[key] for found in each])) for key in names)]
        for (name, axis), each in taken.items()
    ]
    figures = {
        f"{row[0]}, {row[1]}, {key}": float(row[at + 2])
        for row in rows
        for at, key in enumerate(names)
        if key not in ("true", "found")
    }
    table("Through the command line's operations", ("reports", "axis", *names), rows)
    targets = {name: wanted for name, wanted in TARGETS.items() if not options.small or name in figures}
    if not options.small:
        say("bug reports")
        found = bugs()
        figures |= {f"bug reports, whole, {key}": value for key, value in found.items()}
        table("Bug reports, later finds earlier", tuple(found), [list(found.values())])
    finish("likeness_contract", figures, targets)


if __name__ == "__main__":
    main()
