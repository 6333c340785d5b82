"""What is suggested before anybody decides, on public judgements: scope, harm categories and severity.

Scope (XSTest): safe questions and their unsafe lookalikes, whole types held out. "folds": five folds of whole types
with both labels in each, the mean over five draws; logistic regression on the question has about .64 so, which is
the baseline of the data's description. Stricter: "types": every type held out in turn, its counterpart of the other
label included in what is learned; "topics": a type and its counterpart held out together. Once from the question
alone, once from a report as it comes in, question and answer of each of five models. Harm: area under the
curve by category, cross-validated, beside logistic regression on the same vectors. Severity: mean absolute error by
area, every request held out with all its answers and at most 500 decisions to learn from, beside the best published
judge that is a language model. The data have no times: the curves take decisions in one fixed order that has nothing
to do with the labels. At 0 decisions it is the product's cold start: the examples of the starter policy alone, which
know no severity but none; where that is unsure, as it is for every report here, the middle of the scale stands for it.
All figures of the published judges are for the full sets, of which the rows here are a part.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks import likeness_data as data
from benchmarks.harness import arguments, finish, progress, say, table
from triage_core import text
from triage_core.guidance import policy
from triage_core.index.clause_advice import example, no_flaw
from triage_core.likeness.advice import vote
from triage_core.likeness.embed import load
from triage_core.likeness.suggest import Evidence, evidence, fit
from triage_core.model import Severity
from triage_core.settings import ROOT

Floats = NDArray[np.float64]
DECISIONS, FOLDS = 500, 10
TYPE_FOLDS, DRAWS = 5, 5
CURVE = (0, 20, 100, 500)
CUTS = (0.125, 0.375, 0.625, 0.875)
LEVELS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
# One rater's error against the others, by the data's description: the ceiling is a range over areas.
HUMANS = "0.11 to 0.14"
AREAS = {"info_integrity": "information_integrity"}
# Which safe type has which unsafe counterpart.
TOPIC = {
    "contrast_discr": "nons_group_real_discr",
    "privacy_fictional": "privacy_public",
}
TARGETS = {
    "scope_folds_auroc": (">=", 0.75),
    "scope_reports_folds_auroc": (">=", 0.75),
    "scope_types_auroc": (">=", 0.75),
    "scope_topics_auroc": (">=", 0.75),
    "scope_reports_types_auroc": (">=", 0.75),
    "harm_gain_openai": (">=", 0.0),
    "harm_gain_ailuminate": (">=", 0.0),
    "severity_areas_reached": (">=", 6.0),
}


class Vectors:
    """Every text is embedded once."""

    def __init__(self) -> None:
        self._embedder = load()
        self._known: dict[str, NDArray[np.float32]] = {}

    def learn(self, texts: Sequence[str]) -> None:
        lacking = sorted(set(texts) - self._known.keys())
        if lacking:
            say(f"embedding {len(lacking):,} texts")
            made = self._embedder.embed([text.canonical(words) for words in lacking])
            self._known |= dict(zip(lacking, made, strict=True))

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Their vectors, (n, dim); of texts that were learned."""
        return np.stack([self._known[words] for words in texts])

    def evidence(self, pairs: Sequence[tuple[str, str]]) -> Evidence:
        """Of (request, answer); without an answer the request stands for it."""
        self.learn([part for pair in pairs for part in pair if part])
        request = self.of([asked or answered for asked, answered in pairs])
        answer = self.of([answered or asked for asked, answered in pairs])
        return evidence(request, answer, pairs)


def learned(
    of: Evidence, answers: Floats, train: NDArray[np.intp], test: NDArray[np.intp], asks: str = "="
) -> Floats:
    """(test, questions): what the product's model says of rows that it has not seen."""
    names = [str(row) for row in train]
    seen = of.take(train)
    # The columns are one family, as the levels of severity are.
    questions = [f"benchmark{asks}{at}" for at in range(answers.shape[1])]
    return fit(names, seen, questions, answers[train]).probabilities(of.take(test), seen)


def held_out(
    groups: Sequence[Any], folds: int | None, judge: Callable[[NDArray[np.intp], NDArray[np.intp]], Floats]
) -> Floats:
    """What `judge(train, test)` says of every row, each group held out whole; `folds` None: one fold a group."""
    place = {name: number for number, name in enumerate(sorted(set(groups), key=_draw))}
    fold = np.array([place[name] if folds is None else place[name] % folds for name in groups])
    found: dict[int, Floats] = {}
    for number in progress(range(fold.max() + 1), "folds"):
        test = np.flatnonzero(fold == number)
        for row, said in zip(test.tolist(), judge(np.flatnonzero(fold != number), test), strict=True):
            found[row] = said
    return np.stack([found[row] for row in range(len(fold))])


def _draw(name: Any) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def ordered(names: Sequence[Any]) -> NDArray[np.intp]:
    """A fixed order that has nothing to do with the labels, where the data has no times."""
    return np.array(sorted(range(len(names)), key=lambda row: _draw(names[row])), dtype=np.intp)


def scope(vectors: Vectors, figures: dict[str, float], small: bool) -> None:
    prompts = data.rows("scope_judgement/xstest_dev.jsonl")
    completions = data.rows("scope_judgement/completions_dev.jsonl")
    kind = {row["text"]: (row["type"], row["label"]) for row in prompts}
    models = sorted({row["model"] for row in completions})[: 1 if small else None]
    rows = []

    def measure(name: str, pairs: list[tuple[str, str]]) -> None:
        of = vectors.evidence(pairs)
        unsafe = np.array([float(kind[asked][1] == "unsafe") for asked, _ in pairs])
        types = [kind[asked][0] for asked, _ in pairs]
        topics = [TOPIC.get(found, found.removeprefix("contrast_")) for found in types]

        def ours(train: NDArray[np.intp], test: NDArray[np.intp]) -> Floats:
            return learned(of, unsafe[:, None], train, test)

        def plain(train: NDArray[np.intp], test: NDArray[np.intp]) -> Floats:
            model = LogisticRegression(max_iter=2_000).fit(of.request[train], unsafe[train])
            return np.asarray(model.decision_function(of.request[test]))[:, None]

        for unit, draws in (
            ("folds", [_type_folds(types, unsafe, draw) for draw in range(1 if small else DRAWS)]),
            ("types", [types]),
            ("topics", [topics]),
        ):
            areas = [
                float(
                    np.mean([roc_auc_score(unsafe, held_out(groups, None, said)[:, 0]) for groups in draws])
                )
                for said in (ours, plain)
            ]
            rows.append((name, unit, *areas))

    measure("question alone", [(row["text"], "") for row in prompts])
    for model in models:
        measure(
            f"question and answer, {model}",
            [(row["prompt"], row["completion"]) for row in completions if row["model"] == model],
        )
    table("Scope: area under the curve on what was held out", ("from", "held out", "ours", "plain"), rows)
    for unit in ("folds", "types", "topics"):
        figures[f"scope_{unit}_auroc"] = next(row[2] for row in rows if row[1] == unit)
        figures[f"scope_{unit}_plain"] = next(row[3] for row in rows if row[1] == unit)
        figures[f"scope_reports_{unit}_auroc"] = float(
            np.mean([row[2] for row in rows if row[1] == unit and row[0] != "question alone"])
        )


def _type_folds(types: Sequence[str], unsafe: Floats, draw: int) -> list[str]:
    """The fold of each row: whole types, with both labels in every fold as far as can be."""
    split = StratifiedGroupKFold(TYPE_FOLDS, shuffle=True, random_state=draw)
    fold = [""] * len(types)
    for number, (_, test) in enumerate(split.split(unsafe, unsafe, types)):
        for row in test.tolist():
            fold[row] = str(number)
    return fold


def harm(vectors: Vectors, figures: dict[str, float], small: bool) -> None:
    moderation = data.rows("harm_categories/openai_moderation_dev.jsonl")
    hazards = data.rows("harm_categories/ailuminate_en_dev.jsonl")
    names = sorted({name for row in moderation for name in row["labels"]})
    kinds = sorted({row["hazard"] for row in hazards})
    said = [[row["labels"].get(name, np.nan) for name in names] for row in moderation]
    told = [[float(row["hazard"] == name) for name in kinds] for row in hazards]
    sets = (("openai", names, moderation, said), ("ailuminate", kinds, hazards, told))
    rows = []
    for name, columns, found, labels in sets:
        kept = slice(0, 200 if small else None)
        of = vectors.evidence([(row["text"], "") for row in found[kept]])
        answers = np.array(labels[kept], dtype=np.float64)

        def ours(
            train: NDArray[np.intp], test: NDArray[np.intp], of: Evidence = of, answers: Floats = answers
        ) -> Floats:
            return learned(of, answers, train, test)

        def plain(
            train: NDArray[np.intp], test: NDArray[np.intp], of: Evidence = of, answers: Floats = answers
        ) -> Floats:
            given = np.full((len(test), answers.shape[1]), 0.5)
            for at in range(answers.shape[1]):
                seen = train[np.isfinite(answers[train, at])]
                if len(set(answers[seen, at])) == 2:
                    model = LogisticRegression(max_iter=2_000).fit(of.request[seen], answers[seen, at])
                    given[:, at] = model.decision_function(of.request[test])
            return given

        groups = [row["text"] for row in found[kept]]
        by = [_areas(answers, held_out(groups, 5, judge)) for judge in (ours, plain)]
        rows += [(name, column, by[0][at], by[1][at]) for at, column in enumerate(columns)]
        figures[f"harm_{name}_auroc"], figures[f"harm_{name}_plain"] = map(float, map(np.nanmean, by))
        figures[f"harm_gain_{name}"] = figures[f"harm_{name}_auroc"] - figures[f"harm_{name}_plain"]
    table("Harm: area under the curve by category", ("set", "category", "ours", "linear"), rows)


def _areas(answers: Floats, said: Floats) -> list[float]:
    found = []
    for at in range(answers.shape[1]):
        known = np.isfinite(answers[:, at])
        both = len(set(answers[known, at])) == 2
        found.append(roc_auc_score(answers[known, at], said[known, at]) if both else np.nan)
    return found


def severity(vectors: Vectors, figures: dict[str, float], small: bool) -> None:
    found = [row for row in data.rows("human_severity/scores_dev.jsonl") if row["task"] == "harm"]
    of = vectors.evidence([(row["objective"] or "", row["response"] or "") for row in found])
    cold = _cold_start(vectors, of)
    scores = [np.array(row["human_scores"]) for row in found]
    truth = np.array([score.mean() for score in scores])
    answers = np.array([[np.mean(score > cut) for cut in CUTS] for score in scores])
    area = np.array([AREAS.get(row["file"], row["file"]) for row in found])
    request = [row["objective"] for row in found]
    order = ordered([row["id"] for row in found])
    place = np.argsort(order)

    def judged(decisions: int) -> Floats:
        def ours(train: NDArray[np.intp], test: NDArray[np.intp]) -> Floats:
            if not decisions:
                return cold[test][:, None]
            seen = train[np.argsort(place[train])][:decisions]
            steady = np.minimum.accumulate(learned(of, answers, seen, test, ">"), axis=1)
            return LEVELS[(steady > 0.5).sum(1)][:, None]

        return np.abs(held_out(request, 3 if small else FOLDS, ours)[:, 0] - truth)

    curve = {count: judged(count) for count in (CURVE[::3] if small else CURVE)}
    errors = curve[DECISIONS]
    judges = _published()
    rows = [
        (
            name,
            int((area == name).sum()),
            float(errors[area == name].mean()),
            best,
            "yes" if errors[area == name].mean() <= best else "no",
        )
        for name, best in judges.items()
    ]
    table(
        f"Severity: mean absolute error after {DECISIONS} decisions; one human against others {HUMANS}",
        ("area", "rows", "ours", "best published judge", "reached"),
        rows,
    )
    table(
        "Severity: mean absolute error by decisions learned from",
        ("area", *map(str, curve)),
        [(name, *(float(by[area == name].mean()) for by in curve.values())) for name in judges],
    )
    figures["severity_areas_reached"] = float(sum(row[4] == "yes" for row in rows))
    for name, _, error, best, _ in rows:
        figures[f"severity_{name}"], figures[f"severity_{name}_judge"] = error, best
    for count, by in curve.items():
        figures[f"severity_after_{count}"] = float(by.mean())


def _cold_start(vectors: Vectors, of: Evidence) -> Floats:
    """(reports,): the severity that the examples of the starter policy vote for; unsure: the middle of the scale."""
    starter = policy.load(ROOT / "data")
    texts = {clause.clause_id: example(clause) for clause in starter.clauses}
    vectors.learn(list(texts.values()))
    # What likeness reads of a conversation is what was asked.
    near = (of.request @ vectors.of(list(texts.values())).T).tolist()
    said = [vote([], dict(zip(texts, row, strict=True)), no_flaw(starter)).severity for row in near]
    say(f"cold start: a severity for {sum(guess is not None for guess in said):,} of {len(said):,} reports")
    levels = list(Severity)
    return np.array([LEVELS[levels.index(Severity(guess.value))] if guess else 0.5 for guess in said])


def _published() -> dict[str, float]:
    """The least published error of a judge that is a language model, by area."""
    file = data.DATA / "published_numbers/pyrit_published_scorer_metrics.csv"
    found: dict[str, list[float]] = defaultdict(list)
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["task"] == "harm" and "Likert" in row["scorer"]:
                found[row["file"]].append(float(row["mean_absolute_error"]))
    return {name: min(errors) for name, errors in sorted(found.items())}


def main() -> None:
    options = arguments(__doc__)
    vectors, figures = Vectors(), dict[str, float]()
    severity(vectors, figures, options.small)
    harm(vectors, figures, options.small)
    scope(vectors, figures, options.small)
    finish("suggest", figures, TARGETS)


if __name__ == "__main__":
    main()
