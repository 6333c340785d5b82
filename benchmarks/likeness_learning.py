"""What reviewers' decisions teach: duplicates suggested among later reports, before and after 200 decisions.

Reports come in order of time, or shuffled where none is known. Of the earlier part, 200 pairs (a report and its likest
earlier ones) are decided as the labels say; the model is refitted as the product does it, and judged on the later part:
of the pairs that it suggests, how many are right (precision), and of the later reports with an earlier duplicate, how
many are told (recall). The model before has seen neither part: it is fitted on the other public data sets. Figures
after are means over several draws of the 200.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import likeness_data as data
from benchmarks.harness import arguments, finish, say, table
from benchmarks.likeness_quality import Vectors, numbered
from benchmarks.likeness_train import decided, pair_model
from triage_core.errors import Refused
from triage_core.index.close_reading import CANDIDATE, SUGGEST
from triage_core.likeness import learn
from triage_core.likeness.axes import Axis, AxisIndex
from triage_core.likeness.learn import Pair, PairModel
from triage_core.model import Turn, TurnRole
from triage_core.settings import ROOT
from triage_core.text import conversation_text

DECISIONS, NEAREST, EARLIER = 200, 3, 0.6
DRAWS = 6
EVEN, BINS = 0.5, 10
# Nothing falls, and both rise where both have room: of `attacks` in what is suggested, of `demo` from .5 on.
TARGETS = {
    f"{name}, {what}{level} gained": (">=", least)
    for name, level, least in (
        ("wild", "", 0.0),
        ("demo", "", 0.0),
        ("attacks", "", 0.001),
        ("demo", " at .5", 0.001),
    )
    for what in ("precision", "recall")
}


@dataclass(frozen=True, slots=True)
class Stream:
    """Reports in order of time: texts, days, what each is a repeat of (None: of nothing), system, reporter."""

    name: str
    texts: list[str]
    days: list[float]
    flaw: list[Any]
    system: list[str | None]
    reporter: list[str | None]


def wild() -> Stream:
    rows = sorted(
        data.rows("wild_jailbreaks/wild_dev.jsonl"), key=lambda row: (row["created_at"] or "", row["id"])
    )
    days = [
        datetime.fromisoformat(row["created_at"]).timestamp() / 86_400 if row["created_at"] else np.nan
        for row in rows
    ]
    nothing: list[str | None] = [None] * len(rows)
    return Stream(
        "wild", [r["text"] for r in rows], days, [r["community_id"] for r in rows], nothing, nothing
    )


def demo() -> Stream:
    folder = ROOT / "data" / "demo"
    labels = {}
    for line in (folder / "labels.jsonl").open(encoding="utf-8"):
        label = json.loads(line)
        labels[label["external_id"]] = label.get("canonical") or label["external_id"]
    rows = [json.loads(line) for line in (folder / "reports.jsonl").open(encoding="utf-8")]
    rows = sorted((row for row in rows if row.get("turns")), key=lambda row: -row["demo_days_ago"])
    return Stream(
        "demo",
        [conversation_text([Turn(TurnRole(t["role"]), t["content"]) for t in r["turns"]]) for r in rows],
        [-row["demo_days_ago"] for row in rows],
        [labels[row["external_id"]] for row in rows],
        [json.dumps(row["system"][0]) for row in rows],
        [row.get("contact") or None for row in rows],
    )


def attacks() -> Stream:
    corpus = data.attacks()
    order = random.Random(0).sample(range(len(corpus.texts)), len(corpus.texts))
    flaw = list(zip(corpus.labels["technique"], corpus.labels["request"], strict=True))
    nothing: list[str | None] = [None] * len(order)
    return Stream(
        "attacks",
        [corpus.texts[at] for at in order],
        [np.nan] * len(order),
        [flaw[at] for at in order],
        nothing,
        nothing,
    )


class Reports:
    """A stream with the likeness of every pair."""

    def __init__(self, stream: Stream, vectors: Vectors) -> None:
        self.stream = stream
        self.names = numbered(stream.texts)
        self.index = AxisIndex(vectors.ours)
        self.index.add(self.names, stream.texts, vectors.ours(stream.texts))
        self.scores = self.index.table(Axis.WHOLE)[1]

    def __len__(self) -> int:
        return len(self.names)

    def right(self, one: int, other: int) -> bool:
        flaw = self.stream.flaw
        return flaw[one] is not None and flaw[one] == flaw[other]

    def pair(self, one: int, other: int) -> Pair:
        s, apart = self.stream, abs(self.stream.days[one] - self.stream.days[other])
        return replace(
            self.index.pair(self.names[one], self.names[other]),
            same_system=s.system[one] == s.system[other] if s.system[one] else None,
            days_apart=None if np.isnan(apart) else apart,
            same_reporter=s.reporter[one] == s.reporter[other]
            if s.reporter[one] and s.reporter[other]
            else None,
        )

    def candidates(self, row: int, count: int) -> list[int]:
        """The likest earlier reports that are like enough to be weighed."""
        best = np.argsort(-self.scores[row, :row], kind="stable")[:count]
        return [int(other) for other in best if self.scores[row, other] >= CANDIDATE]


def teach(model: PairModel, reports: Reports, until: int, draw: int) -> PairModel:
    """The model after DECISIONS decisions on reports before row `until`, in order of time."""
    pairs = [(row, other) for row in range(1, until) for other in reports.candidates(row, NEAREST)]
    chosen = sorted(random.Random(draw).sample(pairs, min(DECISIONS, len(pairs))))
    try:
        trial = learn.refit(
            model, [reports.pair(*pair) for pair in chosen], [reports.right(*pair) for pair in chosen]
        )
    except Refused:
        return model
    return trial.model if trial.better else model


def judge(model: PairModel, reports: Reports, begin: int) -> dict[str, float]:
    """Precision and recall of what is suggested for rows from `begin` on, and of what is likelier than not;
    how far probabilities are off."""
    wanted = 0
    said, truth = [], []
    for row in range(begin, len(reports)):
        wanted += any(reports.right(row, other) for other in range(row))
        for best in reports.candidates(row, 1):
            said.append(model.probability(reports.pair(row, best)))
            truth.append(reports.right(row, best))
    chance, true = np.array(said), np.array(truth, dtype=np.float64)
    found: dict[str, float] = {}
    for level, name in ((SUGGEST, ""), (EVEN, " at .5")):
        told = chance >= level
        found[f"suggested{name}"] = int(told.sum())
        found[f"precision{name}"] = float(true[told].mean()) if told.any() else 0.0
        found[f"recall{name}"] = float(true[told].sum() / max(1, wanted))
    return {**found, "Brier": float(np.mean((chance - true) ** 2)), "ECE": calibration_error(chance, true)}


def calibration_error(said: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Mean distance of probability and frequency over ten bins, weighted by their sizes."""
    bins = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    gaps = [
        abs(said[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)
    ]
    return float(sum(gaps))


def before(stream: str, vectors: Vectors) -> PairModel:
    """A pair model fitted without the stream's own data."""
    if stream == "demo":
        return learn.shipped()
    own = {"wild": "wild families", "attacks": "attack methods"}[stream]
    return pair_model(decided(-1, vectors.ours, None, without=(own,)))


def compared(streams: Sequence[Stream], vectors: Vectors) -> tuple[dict[str, float], list[list[object]]]:
    figures: dict[str, float] = {}
    rows: list[list[object]] = []
    for stream in streams:
        say(f"{stream.name}: {len(stream.texts)} reports")
        reports = Reports(stream, vectors)
        cut = int(EARLIER * len(reports))
        old = before(stream.name, vectors)
        first = judge(old, reports, cut)
        after = [judge(teach(old, reports, cut, draw), reports, cut) for draw in range(DRAWS)]
        last = {what: float(np.mean([one[what] for one in after])) for what in first}
        for when, found in (("before", first), (f"after {DECISIONS}", last)):
            rows.append([stream.name, when, *found.values()])
        figures |= {f"{stream.name}, {what} gained": last[what] - first[what] for what in last}
        figures |= {f"{stream.name}, {what} after": value for what, value in last.items()}
    return figures, rows


def main() -> None:
    options = arguments(__doc__)
    streams = [demo()] if options.small else [wild(), attacks(), demo()]
    figures, rows = compared(streams, Vectors())
    columns = (
        "reports",
        "model",
        "told",
        "precision",
        "recall",
        "at .5",
        "precision",
        "recall",
        "Brier",
        "ECE",
    )
    table(f"Duplicates among later reports, suggested from {SUGGEST}", columns, rows)
    finish("likeness_learning", figures, {k: v for k, v in TARGETS.items() if k in figures})


if __name__ == "__main__":
    main()
