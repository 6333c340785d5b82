"""How well the three axes find families, techniques, requests and duplicates, beside plain peers.

Two folds: what reads like a request is learned from one half of the templates, payloads and behaviours, and
judged on the other half. The other data sets have labels that nothing was fitted to; all were looked at when
the few constants of the method were chosen, so other rows are the last word.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score, average_precision_score, normalized_mutual_info_score

from benchmarks import likeness_data as data
from benchmarks import likeness_families
from benchmarks.harness import arguments, finish, say, table
from benchmarks.likeness_peers import available
from benchmarks.likeness_train import slots
from triage_core.likeness.axes import Axis, AxisIndex
from triage_core.likeness.embed import load
from triage_core.likeness.embed_model import find
from triage_core.likeness.embed_reference import open_model
from triage_core.likeness.slots import SlotModel

Matrix = NDArray[np.float32]
TARGETS = {
    "families_ap": (">=", 0.90),
    "families_ari": (">=", 0.88),
    "technique_ari": (">=", 0.88),
    "technique_ap": (">=", 0.96),
    "request_ap": (">=", 0.95),
    "request_r1": (">=", 0.95),
    "request_3_ap": (">=", 0.95),
    "request_3_r1": (">=", 0.95),
    "request_2_ap": (">=", 0.95),
    "request_2_r1": (">=", 0.95),
    "behaviour_ap": (">=", 0.70),
    "behaviour_r1": (">=", 0.95),
    "bugs_recall_10": (">=", 0.93),
    "paraphrases_ap": (">=", 0.99),
    "intents_nmi": (">=", 0.753),
    "intents_ari": (">=", 0.433),
    "intents_acc": (">=", 0.548),
    "orders_ari": (">=", 0.98),
    **likeness_families.TARGETS,
}
# Corpus name, axis, and the figures that its row gives.
ROWS = {
    ("wild families", "whole"): ("families_whole_ap", ""),
    ("wild families", "technique"): ("families_ap", ""),
    ("composed 12 a wrapper", "technique"): ("technique_ap", ""),
    ("composed 12 a wrapper", "request"): ("request_ap", "request_r1"),
    ("composed 3 a wrapper", "request"): ("request_3_ap", "request_3_r1"),
    ("composed 2 a wrapper", "request"): ("request_2_ap", "request_2_r1"),
    ("composed 1 a wrapper", "request"): ("request_1_ap", "request_1_r1"),
    ("attack methods", "request"): ("behaviour_ap", "behaviour_r1"),
    ("attack methods", "technique"): ("method_ap", ""),
    ("paraphrases", "whole"): ("paraphrases_ap", ""),
    ("intents", "request"): ("intents_ap", ""),
}
AGREEMENT = {"wild families": "families_ari", "composed 12 a wrapper": "technique_ari"}


class Vectors:
    """Vectors of texts, each text embedded once: ours over all windows, the peer's over the first 256 tokens."""

    def __init__(self) -> None:
        self._ours, self._plain = load().embed, open_model(find(), "cpu")
        self._known: dict[tuple[str, str], Matrix] = {}

    def ours(self, texts: Sequence[str]) -> Matrix:
        return self._get("ours", texts, self._ours)

    def first_tokens(self, texts: Sequence[str]) -> Matrix:
        def encode(missing: Sequence[str]) -> Matrix:
            return np.asarray(self._plain.encode(list(missing), normalize_embeddings=True), np.float32)

        return self._get("plain", texts, encode)

    def _get(self, kind: str, texts: Sequence[str], embed: Callable[[Sequence[str]], Matrix]) -> Matrix:
        missing = [text for text in dict.fromkeys(texts) if (kind, text) not in self._known]
        if missing:
            self._known.update(((kind, text), row) for text, row in zip(missing, embed(missing), strict=True))
        return np.stack([self._known[kind, text] for text in texts])


def build(texts: Sequence[str], vectors: Vectors, model: SlotModel | None, names: Sequence[str]) -> AxisIndex:
    index = AxisIndex(vectors.ours, model)
    index.add(names, texts, vectors.ours(texts))
    return index


def numbered(texts: Sequence[str]) -> list[str]:
    return [f"{at:06d}" for at in range(len(texts))]


def peers(texts: Sequence[str], vectors: Vectors) -> dict[str, Matrix]:
    """Likeness of every pair by plain means."""
    plain = vectors.first_tokens(texts)
    meaning = plain @ plain.T
    grams = TfidfVectorizer(analyzer="char", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32)
    rows = grams.fit_transform(texts)
    letters = (rows @ rows.T).toarray()
    return {"MiniLM": meaning, "char TF-IDF": letters, "even blend": (meaning + letters) / 2}


def codes(labels: Sequence[Any]) -> NDArray[np.int64]:
    """Labels as numbers; None is like no other."""
    alone = [("alone", at) if label is None else ("label", label) for at, label in enumerate(labels)]
    number = {label: at for at, label in enumerate(dict.fromkeys(alone))}
    return np.array([number[label] for label in alone])


def ranking(scores: Matrix, labels: NDArray[np.int64]) -> tuple[float, float]:
    """Average precision over all pairs; share of reports with a like one whose best is like them."""
    same = labels[:, None] == labels[None, :]
    upper = np.triu_indices(len(labels), 1)
    precision = average_precision_score(same[upper], scores[upper])
    others = np.where(np.eye(len(labels), dtype=bool), -np.inf, scores)
    np.fill_diagonal(same, val=False)
    first = same[np.arange(len(labels)), others.argmax(axis=1)]
    return float(precision), float(first[same.any(axis=1)].mean())


def grouping(found: NDArray[np.int64], labels: NDArray[np.int64]) -> tuple[int, float, float, float]:
    """Clusters, adjusted Rand index, normalised mutual information, accuracy of the best matching."""
    counts = np.zeros((labels.max() + 1, found.max() + 1))
    np.add.at(counts, (labels, found), 1)
    rows, columns = linear_sum_assignment(-counts)
    return (
        int(found.max() + 1),
        float(adjusted_rand_score(labels, found)),
        float(normalized_mutual_info_score(labels, found)),
        float(counts[rows, columns].sum() / len(labels)),
    )


def clusters(index: AxisIndex, axis: str, names: Sequence[str]) -> NDArray[np.int64]:
    roots = index.clusters(Axis(axis))
    return codes([roots[name] for name in names])


def corpora(fold: int, small: bool) -> list[data.Corpus]:
    judged = 1 - fold
    found = [data.composed(judged, each, 12) for each in (1, 2, 3, 12)]
    found += [data.attacks(judged), data.families(), data.paraphrases()]
    return found if small else [*found, data.intents()]


def judge(
    small: bool, vectors: Vectors
) -> tuple[dict[str, list[float]], list[list[object]], list[list[object]]]:
    """Figures by name over the folds, rows of the ranking table, rows of the grouping table."""
    figures: dict[str, list[float]] = {}
    ranked: list[list[object]] = []
    grouped: list[list[object]] = []
    for fold in (0, 1):
        model = slots(fold)
        for corpus in corpora(fold, small):
            if fold and corpus.name == "intents":
                continue  # no fold changes it much, and it is the slowest
            say(f"fold {fold}: {corpus.name}, {len(corpus.texts)} texts")
            names = numbered(corpus.texts)
            index = build(corpus.texts, vectors, model, names)
            plain = peers(corpus.texts, vectors)
            for axis, given in corpus.labels.items():
                labels = codes(given)
                if len(set(labels.tolist())) == len(labels):
                    continue
                ours = ranking(index.table(Axis(axis))[1], labels)
                for name, value in zip(ROWS.get((corpus.name, axis), ("", "")), ours, strict=True):
                    figures.setdefault(name, []).append(value)
                others = [f"{a:.3f}/{b:.3f}" for a, b in (ranking(s, labels) for s in plain.values())]
                ranked.append([corpus.name, axis, fold, f"{ours[0]:.3f}/{ours[1]:.3f}", *others])
                found = grouping(clusters(index, axis, names), labels)
                grouped.append([corpus.name, axis, fold, "ours", len(set(labels.tolist())), *found])
                if axis == "technique" and corpus.name in AGREEMENT:
                    figures.setdefault(AGREEMENT[corpus.name], []).append(found[1])
                if corpus.name == "intents" and axis == "request":
                    for name, value in zip(
                        ("intents_ari", "intents_nmi", "intents_acc"), found[1:], strict=True
                    ):
                        figures[name] = [value]
                if fold == 0 and axis == "whole":
                    grouped += peer_groups(corpus, axis, labels, vectors)
    return figures, ranked, grouped


def peer_groups(
    corpus: data.Corpus, axis: str, labels: NDArray[np.int64], vectors: Vectors
) -> list[list[object]]:
    """What other ways to cluster the same first-256-token vectors make of it."""
    plain = vectors.first_tokens(corpus.texts)
    return [
        [corpus.name, axis, 0, name, len(set(labels.tolist())), *grouping(codes(run(plain).tolist()), labels)]
        for name, run in available().items()
        if not name.startswith("DuckDB")
    ]


def bugs(vectors: Vectors) -> dict[str, float]:
    """Share of later bug reports that find an earlier duplicate among their ten best earlier ones."""
    corpus, earlier = data.bugs()
    index = build(corpus.texts, vectors, slots(0), numbered(corpus.texts))
    scores = {"ours": index.table(Axis.WHOLE)[1], **peers(corpus.texts, vectors)}

    def recall(found: Matrix) -> float:
        hits = [
            bool(set(np.argsort(-found[row, :row], kind="stable")[:10].tolist()) & duplicates)
            for row, duplicates in earlier.items()
        ]
        return float(np.mean(hits))

    return {name: recall(found) for name, found in scores.items()}


def orders(vectors: Vectors) -> float:
    """The least agreement (ARI) of the clusters of ten shuffled orders with those of the first, over the axes."""
    texts = [*data.families().texts, *data.composed(-1, 3, 12).texts]
    worst = 1.0
    for axis in Axis:
        first: NDArray[np.int64] | None = None
        for seed in range(10):
            places = list(range(len(texts)))
            random.Random(seed).shuffle(places)
            names = numbered(texts)
            found = clusters(build([texts[at] for at in places], vectors, None, names), axis, names)
            back = np.empty_like(found)
            back[places] = found
            first = back if first is None else first
            worst = min(worst, float(adjusted_rand_score(first, back)))
    return worst


def main() -> None:
    options = arguments(__doc__)
    vectors = Vectors()
    measured, ranked, grouped = judge(options.small, vectors)
    table(
        "Pair average precision / best neighbour right",
        ("data", "axis", "fold", "ours", "MiniLM 256 tokens", "char TF-IDF", "even blend"),
        ranked,
    )
    table(
        "Clusters, their number unknown",
        ("data", "axis", "fold", "method", "true", "found", "ARI", "NMI", "accuracy"),
        grouped,
    )
    figures = {name: float(np.mean(values)) for name, values in measured.items() if name}
    if not options.small:
        found = bugs(vectors)
        table("Bug reports: later finds earlier, recall@10", tuple(found), [list(found.values())])
        figures["bugs_recall_10"] = found["ours"]
    figures["orders_ari"] = orders(vectors)
    told, rows, _ = likeness_families.judge(vectors.ours)
    likeness_families.show(rows)
    figures |= told
    targets = TARGETS
    if options.small:
        targets = {k: v for k, v in TARGETS.items() if not k.startswith(("intents", "bugs"))}
    finish("likeness_quality", figures, targets)


if __name__ == "__main__":
    main()
