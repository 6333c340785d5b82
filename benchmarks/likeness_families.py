"""How well the technique family of a text is suggested: precision of what is suggested, and coverage.

Labels: real disclosures of 0DIN (prose about an attack, one to four families each) and prompt injections by kind,
where a kind is one family. Plain questions have no technique. The three numbers that weigh the evidence are fitted on
one half and judged on the other. The cues are our own words; a few were mended once after a look at what they
missed, so other rows are the last word.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks import likeness_data as data
from benchmarks.harness import arguments, finish, table
from triage_core.likeness import taxonomy
from triage_core.likeness.taxonomy import Taxonomy

TARGETS = {"family_precision": (">=", 0.9), "family_coverage": (">=", 0.3), "family_of_plain": ("<=", 0.05)}
FAMILY_OF_KIND = {
    "token_smuggling": "Language",
    "payload_splitting": "Language",
    "ignore_previous_instructions": "Language",
    "different_user_input_language": "Language",
    "persuasion": "Rhetoric",
    "overload_with_information": "Rhetoric",
    "virtualization": "Possible Worlds",
    "hypothetical_scenario": "Possible Worlds",
}

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts of one source with the families that would be right; none: no technique."""

    name: str
    texts: list[str]
    families: list[frozenset[str]]


def sources() -> list[Labelled]:
    disclosures = [row for row in data.rows("avid_reports/llm_disclosures.jsonl") if row["odin_taxonomy"]]
    kinds = [
        row
        for row in data.rows("prompt_injection_types/en.jsonl")
        if row["injection_variant"] in FAMILY_OF_KIND
    ]
    plain = random.Random(0).sample(data.intents("train").texts, 100)
    plain += random.Random(0).sample(data.paraphrases().texts, 100)
    return [
        Labelled(
            "0DIN disclosures",
            [f"{row['title']}. {row['text']}" for row in disclosures],
            [frozenset(label["Category"] for label in row["odin_taxonomy"]) for row in disclosures],
        ),
        Labelled(
            "prompt injections",
            [row["user_input"] for row in kinds],
            [frozenset({FAMILY_OF_KIND[row["injection_variant"]]}) for row in kinds],
        ),
        Labelled("plain questions", plain, [frozenset()] * len(plain)),
    ]


@dataclass(frozen=True, slots=True)
class Evidence:
    cues: NDArray[np.float64]
    meanings: NDArray[np.float64]


def evidence(source: Labelled, embed: Embed, known: Taxonomy) -> Evidence:
    like = embed(known.texts)
    vectors = embed(source.texts)
    return Evidence(
        np.stack([taxonomy.cues(text, known) for text in source.texts]),
        np.stack([taxonomy.meanings(vector, like, known) for vector in vectors]),
    )


def fit(known: Taxonomy, parts: Sequence[tuple[Labelled, Evidence, NDArray[np.bool_]]]) -> Taxonomy:
    """The weights under which the right families are likeliest; every source counts the same."""
    families = [strategy.family for strategy in known.strategies]

    def cost(weights: NDArray[np.float64]) -> float:
        total = 0.0
        for source, found, used in parts:
            odds = weights[0] * found.meanings[used] + weights[1] * found.cues[used] - weights[2]
            share = np.exp(odds - np.logaddexp(0, np.logaddexp.reduce(odds, axis=1))[:, None])
            wanted = [labels for labels, use in zip(source.families, used, strict=True) if use]
            right = [
                share[row, [family in labels for family in families]].sum()
                if labels
                else 1 - share[row].sum()
                for row, labels in enumerate(wanted)
            ]
            total -= float(np.log(np.maximum(right, 1e-9)).mean())
        return total

    start = np.array([known.meaning, known.cue, known.doubt])
    best = minimize(cost, start, method="Nelder-Mead").x
    return replace(known, meaning=float(best[0]), cue=float(best[1]), doubt=float(best[2]))


def judge(embed: Embed) -> tuple[dict[str, float], list[list[object]], Taxonomy]:
    """Figures, the rows of the table, and the taxonomy fitted on everything."""
    known = taxonomy.shipped()
    found = [(source, evidence(source, embed, known)) for source in sources()]
    said: dict[str, list[tuple[Any, frozenset[str]]]] = {source.name: [] for source, _ in found}
    for fold in (0, 1):
        judged = [np.arange(len(source.texts)) % 2 == fold for source, _ in found]
        fitted = fit(known, [(s, e, ~mask) for (s, e), mask in zip(found, judged, strict=True)])
        for (source, parts), mask in zip(found, judged, strict=True):
            for row in np.flatnonzero(mask).tolist():
                suggestion = taxonomy.suggest(parts.cues[row], parts.meanings[row], fitted)
                said[source.name].append((suggestion, source.families[row]))
    rows: list[list[object]] = []
    right = suggested = labelled = 0
    figures: dict[str, float] = {}
    for name, pairs in said.items():
        given = [(title.split(":")[0], wanted) for pair, wanted in pairs if pair for title in (pair[0],)]
        hits = sum(family in wanted for family, wanted in given)
        rows.append([name, len(pairs), len(given), len(given) / len(pairs), hits / max(1, len(given))])
        if any(wanted for _, wanted in pairs):
            right, suggested, labelled = right + hits, suggested + len(given), labelled + len(pairs)
        else:
            figures["family_of_plain"] = len(given) / len(pairs)
    figures |= {
        "family_precision": right / max(1, suggested),
        "family_coverage": suggested / labelled,
    }
    return figures, rows, fit(known, [(s, e, np.ones(len(s.texts), dtype=bool)) for s, e in found])


def show(rows: list[list[object]]) -> None:
    columns = ("texts", "number", "suggested", "coverage", "precision")
    table("Technique family suggested, two folds", columns, rows)


def main() -> None:
    from triage_core.likeness.embed import load

    arguments(__doc__)
    figures, rows, fitted = judge(load().embed)
    show(rows)
    print(
        f"fitted on everything: meaning {fitted.meaning:.2f}, cue {fitted.cue:.2f}, doubt {fitted.doubt:.2f}"
    )
    finish("likeness_families", figures, TARGETS)


if __name__ == "__main__":
    main()
