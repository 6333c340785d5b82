"""Fits the coefficients that the likeness modules ship: `python -m benchmarks.likeness_train`.

Writes numbers only, no words, to triage_core/likeness/slots.json and pairs.json. `slots(fold)` fits on one half of the
templates, payloads, behaviours and wild families, for the benchmark that judges on the other half.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from benchmarks import likeness_data as data
from triage_core.likeness import slots as slot
from triage_core.likeness.axes import Axis, AxisIndex, Embed
from triage_core.likeness.embed import load
from triage_core.likeness.learn import FEATURES, NEVER_AGAINST, Pair, PairModel
from triage_core.likeness.lexical import tokenize

SCALE = 100
# How firmly weights and levels keep to the prior, in decisions; and the level that is expected beforehand.
_FIRM, _LOOSE, _LEVEL = 10.0, 1.0, -1.5


def _features(texts: list[str]) -> sp.csr_matrix:
    return sp.vstack([slot.segment_features(text, tokenize(text)) for text in texts])


def _plain(fold: int, draw: random.Random) -> list[str]:
    """Texts that are nothing but a request."""
    bugs = data.bugs()[0].texts
    return [
        *draw.sample(data.paraphrases(fold).texts, 150),
        *draw.sample(data.intents("train").texts, 200),
        *[text for text in draw.sample(bugs, 60) if len(text) < 1500],
    ]


def slots(fold: int = -1, seed: int = 0) -> slot.SlotModel:
    """A slot model fitted on the fold (-1: on everything)."""
    draw = random.Random(seed)
    plain = _plain(fold, draw)
    goals = sorted(
        {
            r["goal"]
            for r in data.rows("jbb_artifacts/prompts_dev.jsonl")
            if r["behavior"] in set(data.behaviours(fold))
        }
    )
    wrappers = [t["text"].replace(data.SLOT, "\n") for t in data.templates(fold)]
    wild = data.families(fold).texts
    negative = _features(wrappers + draw.sample(wild, min(150, len(wild))))
    positive = _features([p["text"] for p in data.payloads(fold)] + goals + plain)
    label = np.r_[np.zeros(negative.shape[0]), np.ones(positive.shape[0])]
    first = LogisticRegression(C=1.0, max_iter=2000, class_weight="balanced")
    first.fit(sp.vstack([negative, positive]), label)
    model = slot.SlotModel(
        segment=(np.round(first.coef_[0] * SCALE) / SCALE).astype(np.float32),
        segment_bias=float(np.round(first.intercept_[0], 3)),
        place=np.zeros(slot.PLACE_FEATURES, np.float32),
        place_bias=0.0,
    )
    corpora = [data.composed(fold, 1, 40, seed=s) for s in range(4)] + [data.attacks(fold)]
    corpora.append(data.Corpus("plain", plain, {}, [[(0, len(text))] for text in plain]))
    features, labels, weights = [], [], []
    for corpus in corpora:
        for text, spans in zip(corpus.texts, corpus.requests, strict=True):
            found = _token_rows(text, spans, model)
            if found is not None:
                features.append(found[0])
                labels.append(found[1])
                weights.append(found[2] / len(corpus.texts))
    weight = np.concatenate(weights)
    second = LogisticRegression(C=1.0, max_iter=2000)
    second.fit(
        np.concatenate(features),
        np.concatenate(labels),
        sample_weight=weight * 300 * len(corpora) / weight.sum(),
    )
    return slot.SlotModel(
        model.segment, model.segment_bias, second.coef_[0].astype(np.float32), float(second.intercept_[0])
    )


def _token_rows(
    text: str, spans: list[tuple[int, int]] | None, model: slot.SlotModel
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]] | None:
    """Features, labels and weights of a text's tokens; request and wrapper weigh the same within a text."""
    tokens = tokenize(text)
    if not spans or not len(tokens):
        return None
    inside = np.zeros(len(tokens), dtype=np.float64)
    for begin, end in spans:
        inside[(tokens.starts >= begin) & (tokens.starts < end)] = 1
    scores = slot.segment_scores(text, tokens, model)
    weight = np.where(inside == 1, 0.5 / max(1, inside.sum()), 0.5 / max(1, (1 - inside).sum()))
    return slot.place_features(tokens, scores, len(text)), inside, weight


def decided(
    fold: int, embed: Embed, model: slot.SlotModel | None, without: Sequence[str] = ()
) -> list[tuple[list[Pair], list[bool]]]:
    """By corpus, pairs that would be suggested (a report and its five most alike) and whether they are duplicates.

    Corpora named in `without` are left out.
    """
    corpora: list[tuple[data.Corpus, Callable[[int, int], bool], list[float]]] = []
    for corpus in (data.families(fold), data.paraphrases(fold)):
        labels = corpus.labels["whole"]
        corpora.append((corpus, partial(_same, labels), []))
    for corpus in (data.composed(fold, 3, 40), data.attacks(fold)):
        both = list(zip(corpus.labels["technique"], corpus.labels["request"], strict=True))
        corpora.append((corpus, partial(_same, both), []))
    bugs, earlier = data.bugs()
    days = [datetime.fromisoformat(stamp).timestamp() / 86_400 for stamp in data.bug_times()]
    corpora.append((bugs, lambda a, b: min(a, b) in earlier.get(max(a, b), set()), days))
    found = []
    for corpus, alike, when in corpora:
        if corpus.name in without:
            continue
        pairs, accepted = [], []
        index = AxisIndex(embed, model)
        names = [f"{at:06d}" for at in range(len(corpus.texts))]
        index.add(names, corpus.texts, embed(corpus.texts))
        seen = {
            (min(name, other), max(name, other))
            for name, near in index.all_neighbours(Axis.WHOLE, 5).items()
            for other, score in near
            if score >= 0.2
        }
        for one, other in random.Random(0).sample(sorted(seen), min(600, len(seen))):
            apart = abs(when[int(one)] - when[int(other)]) if when else None
            pairs.append(replace(index.pair(one, other), days_apart=apart))
            accepted.append(alike(int(one), int(other)))
        found.append((pairs, accepted))
    return found


def _same(labels: list[Any], one: int, other: int) -> bool:
    return labels[one] is not None and labels[one] == labels[other]


def pair_model(corpora: list[tuple[list[Pair], list[bool]]]) -> PairModel:
    """Fitted around a prior that believes the whole axis.

    Corpora hold very different shares of duplicates, and one alone knows times: each gets a level of its own, so
    that no weight stands for being in a certain corpus, and what ships is the level that they have in common.
    The public data do not say who reported what on which system: the prior's small weights stay for those.
    """
    rows = np.concatenate([[pair.features() for pair in pairs] for pairs, _ in corpora])
    labels = np.concatenate([accepted for _, accepted in corpora]).astype(np.float64)
    own = np.repeat(np.eye(len(corpora)), [len(pairs) for pairs, _ in corpora], axis=0)
    prior = np.array([0.8, 0, 0.2, 0, 0, 0, 0.2, 0, 0.3])
    count, fixed = len(prior), np.append(prior, np.append(_LEVEL, np.zeros(len(corpora))))
    firm = np.append(np.full(count, _FIRM), np.full(1 + len(corpora), _LOOSE))

    def cost(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = rows @ weights[:count] + weights[count] + own @ weights[count + 1 :]
        error = 1 / (1 + np.exp(-odds)) - labels
        away = weights - fixed
        slope = np.concatenate([rows.T @ error, [error.sum()], own.T @ error]) + firm * away
        return float((np.logaddexp(0, odds) - labels * odds).sum() + firm @ away**2 / 2), slope

    bounds = [(0.0 if name in NEVER_AGAINST else None, None) for name in FEATURES]
    bounds += [(None, None)] * (1 + len(corpora))
    best = minimize(cost, fixed, jac=True, method="L-BFGS-B", bounds=bounds).x
    return PairModel(1, tuple(best[:count].tolist()), float(best[count]), len(labels))


def main() -> None:
    model = slots()
    stored: dict[str, Any] = {
        "version": 1,
        "scale": SCALE,
        "segment": [round(float(value) * SCALE) for value in model.segment],
        "segment_bias": model.segment_bias,
        "place": [round(float(value), 4) for value in model.place],
        "place_bias": round(model.place_bias, 4),
    }
    _write("slots.json", stored)
    fitted = pair_model(decided(-1, load().embed, model))
    weights = {name: round(value, 3) for name, value in zip(FEATURES, fitted.weights, strict=True)}
    _write(
        "pairs.json",
        {"version": 1, "weights": weights, "bias": round(fitted.bias, 3), "pairs": fitted.pairs},
    )
    print(weights)


def _write(name: str, stored: dict[str, Any]) -> None:
    path = Path(slot.__file__).with_name(name)
    path.write_text(json.dumps(stored) + "\n", encoding="utf-8")
    print(f"{name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
