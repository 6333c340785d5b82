"""What the organisation's own decisions say of a report that nobody has decided: a calibrated kernel model.

Every question is answered by yes or no: "severity>low", "harm>H1", "clause=IN-3". One kernel logistic regression
a question, all over the same decided reports; in which way a family of questions is learned (ways.py), how strongly it
is held back and how its odds are calibrated (Platt's scaling) is found by cross-validation. The same decisions give
the same model.

    model = fit(names, evidence, questions, answers)
    model.probabilities(evidence, seen)        # (reports, questions)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triage_core.likeness import ways
from triage_core.likeness.learn import sigmoid

Floats = NDArray[np.float64]

SURE = 0.5
"""Below this probability nothing is suggested."""
STRENGTHS = (0.1, 0.3, 1.0)
BLEND = 0.5
"""The part of the plain kernel beside the near one: the mean of a linear model and one of likeness."""
_FOLDS, _STEPS, _STILL, _PULL = 5, 25, 1e-3, 1e-2
_FEW = 10  # below so many answers nothing is left to cross-validate with: the middle strength, no scaling
_ANSWER, _REQUEST, _BOTH, _SURFACE = 1.0, 0.5, 0.5, 2.0
_NEAR, _NEAR_SURFACE = 1.0, 0.1
_REFUSING = re.compile(
    r"\b(sorry|can(?:no|['’])?t|won['’]t|unable to|not able to|apologi[sz]e|as an ai|instead|however|illegal"
    r"|harmful|unethical|against|i must|consult|professional|help you)\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"^\W*(i['’]?m sorry|i am sorry|sorry|i can(?:no|['’])?t|i won['’]t|no[,.]|as an ai|i apolog|unfortunately)",
    re.IGNORECASE,
)
_LISTED = re.compile(r"^[^\S\n]*(\d+[.)]|[-*])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of n reports: unit vectors of what was asked and of what was answered, (n, dim) each, and
    `surface`, (n, 8). Without a vector of a part of its own, that of the whole conversation stands in."""

    request: Floats
    answer: Floats
    surface: Floats

    def __len__(self) -> int:
        return len(self.surface)

    def take(self, rows: NDArray[np.intp]) -> Evidence:
        return Evidence(self.request[rows], self.answer[rows], self.surface[rows])


def evidence(
    request: NDArray[np.float32], answer: NDArray[np.float32], texts: Sequence[tuple[str, str]]
) -> Evidence:
    """Evidence from vectors, (n, dim) each, and the texts of both parts."""
    rows = np.array([_surface(*pair) for pair in texts], dtype=np.float64).reshape(len(texts), 8)
    return Evidence(request.astype(np.float64), answer.astype(np.float64), rows)


def _surface(request: str, answer: str) -> tuple[float, ...]:
    """Length, refusal, lists and lines, each about 0 in the middle and 1 away from it."""
    return (
        (np.log1p(len(answer.split())) - 3.5) / 1.2,
        (min(len(_REFUSING.findall(answer)), 5) - 1) / 1.5,
        2.0 * bool(_REFUSAL.search(answer)) - 0.5,
        2.0 * bool(_LISTED.search(answer)) - 0.5,
        2.0 * (answer.count("\n") > 3) - 1.0,
        (np.log1p(len(request.split())) - 2.8) / 0.7,
        2.0 * ("!" in answer) - 0.5,
        2.0 * answer.rstrip().endswith("?") - 0.5,
    )


def kernels(one: Evidence, other: Evidence) -> tuple[Floats, Floats]:
    """(len(one), len(other)) each: `near`, the likeness of reports by answers, requests, both at once, and surface;
    and `plain`, that of answers and requests alone, on which a model is linear in the vectors."""
    plain = one.answer @ other.answer.T + one.request @ other.request.T
    answer = _radial(one.answer, other.answer, _NEAR)
    request = _radial(one.request, other.request, _NEAR)
    surface = _radial(one.surface, other.surface, _NEAR_SURFACE)
    return _ANSWER * answer + _REQUEST * request + _BOTH * answer * request + _SURFACE * surface, plain


def _radial(one: Floats, other: Floats, width: float) -> Floats:
    apart = (one * one).sum(1)[:, None] + (other * other).sum(1) - 2 * one @ other.T
    return np.asarray(np.exp(-width * np.maximum(apart, 0)))


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of the decided reports `support`, (support, questions), with bias, scale, shift and blend a question.

    `blend` is the part that the plain kernel has beside the near one, 0 to 1: a model that an earlier release has
    learned may have another than BLEND.
    """

    support: tuple[str, ...]
    questions: tuple[str, ...]
    weights: Floats
    bias: Floats
    scale: Floats
    shift: Floats
    blend: Floats

    def probabilities(self, of: Evidence, support: Evidence) -> Floats:
        """(len(of), questions): how probable a yes is; `support` is the evidence of the reports of that name."""
        near, plain = kernels(of, support)
        odds = near @ (self.weights * (1 - self.blend)) + plain @ (self.weights * self.blend) + self.bias
        return sigmoid(self.scale * odds + self.shift)


def fit(support: Sequence[str], of: Evidence, questions: Sequence[str], answers: Floats) -> Model:
    """The model for these answers, (len(of), questions): from 0 (no) to 1 (yes), NaN where nobody has said."""
    with threadpool_limits(1):  # many small systems: more threads only get in each other's way
        return _fit(tuple(support), of, tuple(questions), answers)


def _fit(support: tuple[str, ...], of: Evidence, questions: tuple[str, ...], answers: Floats) -> Model:
    weights = np.zeros(answers.shape)
    numbers = {name: np.zeros(len(questions)) for name in ("bias", "scale", "shift", "blend")}
    families = [family(question) for question in questions]
    near, plain = kernels(of, of)
    likeness = (1 - BLEND) * near + BLEND * plain
    topics, folds = ways.topics(of.request), _folds(of.request)
    nothing, effects = np.zeros(likeness.shape), ways.set_aside(topics)
    for name in dict.fromkeys(families):
        columns = [at for at, about in enumerate(families) if about == name]
        asked, aside = answers[:, columns], nothing
        found = _tried(likeness, aside, asked, folds)
        # How bad a kind is belongs to the kind: questions of how much are learned with it.
        if ">" not in questions[columns[0]] and ways.may_contrast(asked, topics):
            contrast = _tried(likeness, effects, asked, folds)
            if ways.contrasts(found, contrast):
                found, aside = contrast, effects
        for at in columns:
            weights[:, at], numbers["bias"][at] = _fitted(likeness + aside, answers[:, at], found.strength)
            numbers["shift"][at] = found.shift + _base(answers[:, at])
        numbers["scale"][columns], numbers["blend"][columns] = found.scale, BLEND
    return Model(support, questions, weights, **numbers)


def family(question: str) -> str:
    """Questions about the same thing are calibrated together: "severity>low" is about severity."""
    return re.split("[>=]", question)[0]


def _folds(requests: Floats) -> NDArray[np.int64]:
    """The fold of each row, (n,): what was asked in the same words is held back together."""
    asked: dict[bytes, int] = {}
    return np.array(
        [asked.setdefault(row.tobytes(), len(asked)) % _FOLDS for row in requests], dtype=np.int64
    )


def _tried(likeness: Floats, aside: Floats, answers: Floats, folds: NDArray[np.int64]) -> ways.Trial:
    """How well this is learned, on folds held back in turn. What `aside`, (n, n), explains is learned with the rest
    and not used."""
    known = np.isfinite(answers)
    best = ways.Trial(np.inf, STRENGTHS[1], 1.0, 0.0, 0.0)
    if known.any(1).sum() < _FEW:
        return best
    learned = likeness + aside
    for strength in STRENGTHS:
        odds, base = np.zeros(answers.shape), np.zeros(answers.shape)
        for fold in range(_FOLDS):
            held = folds == fold
            for at in range(answers.shape[1]):
                weight, bias = _fitted(learned[np.ix_(~held, ~held)], answers[~held, at], strength)
                odds[held, at] = likeness[np.ix_(held, ~held)] @ weight + bias
                base[held, at] = _base(answers[~held, at])
        scale, shift, left = _scaled(odds[known], base[known], answers[known])
        if left < best.loss:
            tells = _tells(sigmoid(base + scale * odds + shift), answers)
            best = ways.Trial(left, strength, scale, shift, tells)
    return best


def _tells(said: Floats, answers: Floats) -> float:
    """How what is said correlates with the answers, 0 to 1, every question about its own mean."""
    truth = np.nan_to_num(answers - np.nanmean(answers, 0))
    about = np.where(np.isfinite(answers), said, np.nan)
    about = np.nan_to_num(about - np.nanmean(about, 0))
    return max(0.0, float((truth * about).sum() / (np.linalg.norm(truth) * np.linalg.norm(about) + 1e-12)))


def _base(answers: Floats) -> float:
    """The odds of a yes whatever the report, in logits."""
    known = answers[np.isfinite(answers)]
    share = (known.sum() + 0.5) / (len(known) + 1)
    return float(np.log(share / (1 - share)))


def _scaled(odds: Floats, base: Floats, truth: Floats) -> tuple[float, float, float]:
    """Platt's scale (never below 0) and shift, and the loss that is left; drawn slightly to 1 and 0.

    What is scaled is how far the odds are from the question's own, `base`: a rare yes stays rare.
    """
    from scipy.optimize import minimize  # takes a while to load, and most processes fit nothing

    def cost(given: Floats) -> float:
        scaled = base + given[0] * odds + given[1]
        loss = np.mean(np.logaddexp(0, scaled) - truth * scaled)
        return float(loss + ((given[0] - 1) ** 2 + given[1] ** 2) / len(odds))

    found = minimize(cost, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0, None), (None, None)])
    return float(found.x[0]), float(found.x[1]), float(found.fun)


def _fitted(likeness: Floats, answers: Floats, strength: float) -> tuple[Floats, float]:
    """Weights, (n,), and bias beyond the base of kernel logistic regression, by Newton's method; rows without an answer
    get 0."""
    weights = np.zeros(len(answers))
    known = np.flatnonzero(np.isfinite(answers))
    if not len(known):
        return weights, 0.0
    truth, inner = answers[known], likeness[np.ix_(known, known)]
    base = _base(truth)
    bias, found = base, np.zeros(len(known))
    said = np.zeros(len(known))  # inner @ found

    def cost(weight: Floats, said: Floats, bias: float) -> float:
        odds = said + bias
        held = strength * float(weight @ said) + _PULL * bias**2
        return float((np.logaddexp(0, odds) - truth * odds).sum()) + held / 2

    left = cost(found, said, bias)
    for _ in range(_STEPS):
        yes = sigmoid(said + bias)
        curve = np.maximum(yes * (1 - yes), 1e-4)
        target = said + bias + (truth - yes) / curve
        solved = np.linalg.solve(
            inner + np.diag(strength / curve), np.stack([target, np.ones(len(target))], 1)
        )
        # One answer in one direction has no bias that fits best: a weak pull to 0 keeps it finite.
        further = float(solved[:, 0].sum() / (solved[:, 1].sum() + _PULL)) - bias
        step = solved[:, 0] - (bias + further) * solved[:, 1] - found
        moved, part = inner @ step, 1.0
        # A whole step may go too far where nearly all answers are alike: it is halved until it gains.
        while part > _STILL:
            gained = left - cost(found + part * step, said + part * moved, bias + part * further)
            if gained >= 0:
                break
            part /= 2
        else:
            break
        found, said, bias = found + part * step, said + part * moved, bias + part * further
        left -= gained
        if part * float(np.abs(step).max()) < _STILL:
            break
    weights[known] = found
    return weights, bias - base


def level(above: Floats) -> tuple[int, float]:
    """The middle level and how probable just this level is, from the probabilities (cuts,) of lying above each cut."""
    steady = np.minimum.accumulate(above)
    shares = -np.diff(np.concatenate([[1.0], steady, [0.0]]))
    middle = int((steady > 0.5).sum())
    return middle, float(shares[middle])


def loss(probabilities: Floats, answers: Floats) -> float:
    """Mean log-loss over the answers that are known; NaN without one."""
    known = np.isfinite(answers)
    safe = np.clip(probabilities[known], 1e-6, 1 - 1e-6)
    truth = answers[known]
    return float(-np.mean(truth * np.log(safe) + (1 - truth) * np.log(1 - safe))) if known.any() else np.nan
