"""Severity, harm and clause suggested for a report, from the organisation's own decisions. Suggestions never decide.

The worker calls `prepare`: it makes the vectors of what was asked and answered, and learns anew when there are enough
new decisions. A model replaces the one before only when it does better on every fourth decision, which none of
them learns from. `suggest` reads and never embeds.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triage_core import access, db
from triage_core.guidance import policies
from triage_core.guidance.policy import ClauseKind, Policy
from triage_core.index import decided_near, suggestion_facts, vectors
from triage_core.index.clause_advice import ClauseAdvice, example
from triage_core.index.indexing import Likeness
from triage_core.index.suggestion_facts import LATEST, Kept, Tested
from triage_core.index.vectors import Vectors
from triage_core.likeness import suggest as models
from triage_core.likeness.advice import Advice, Decided, Guess, Vote
from triage_core.likeness.suggest import SURE, Evidence, Floats
from triage_core.model import Actor, Harm, Severity
from triage_core.store import Store

LEAST, GROWTH = 20, 1.1
SHOWN = 3
"""So many of the nearest decided reports stand beside a suggestion."""
HELD_BACK = 4
POINTS = (20, 50, 100, 200, 400)
_LEVELS: Mapping[str, tuple[str, ...]] = {
    "severity": tuple(map(str, Severity)),
    "harm": tuple(map(str, Harm)),
}
_EXAMPLE = "example:"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is suggested; None where it is unsure. `decisions` have taught the clause, and `level_decisions` severity
    and harm: with 0, clause examples and the nearest decisions vote, and a probability is a share of votes that nobody
    has calibrated. After a change of the policy the model before it speaks of severity and harm until there is a new
    one. `vote` is what speaks for a clause that was voted for."""

    clause: Guess | None
    severity: Guess | None
    harm: Guess | None
    nearest: tuple[Decided, ...]
    decisions: int
    level_decisions: int
    vote: Advice | None


@dataclass(frozen=True, slots=True)
class _Ready:
    kept: Kept
    evidence: Evidence


class Suggestions:
    """Suggestions for the reports of one store; any number of readers beside one `prepare`."""

    def __init__(self, store: Store, likeness: Likeness, advice: ClauseAdvice, model: str) -> None:
        self._store = store
        self._likeness = likeness
        self._advice = advice
        self._model = model
        self._preparing = threading.Lock()
        self._ready: _Ready | None = None
        self._tried: tuple[str, str, int] | None = None
        self._seen = -1

    def prepare(self, actor: Actor, policy: Policy) -> bool:
        """Bring vectors and model up to date; gives whether a new model is in use."""
        access.require(actor, access.Command.INDEX)
        with self._preparing:
            self._advice.prepare(actor, policy)
            revision = self._store.revision
            if revision == self._seen and self._tried and self._tried[0] == policy.sha256:
                return False
            with self._store.read() as cursor:
                space = vectors.space(cursor, self._model)
                decided = suggestion_facts.decided(cursor, LATEST)
                waiting = suggestion_facts.undecided(cursor, LATEST)
                kept = suggestion_facts.current(cursor)
            if space is None:
                return False
            self._likeness.embedding.by_name([part for row in waiting for part in _parts(row)], actor)
            if self._ready and self._ready.kept.space != space:
                self._ready = None  # vectors of two spaces are not comparable
            if kept and kept.space == space and (not self._ready or self._ready.kept.version != kept.version):
                self._ready = self._read(actor, kept)
            # A model of another policy still speaks of severity and harm, and is followed as if there were none.
            fits = kept is not None and (kept.policy, kept.space) == (policy.sha256, space)
            learned = self._learn(actor, policy, space, decided, kept if fits else None)
            self._seen = revision
            return learned

    def basis(self, policy: Policy) -> tuple[bool, int]:
        """What is known by now: whether the examples of this policy are read, and the version of the model (0: none).

        Until it changes, suggestions change by single decisions alone.
        """
        ready = self._ready
        return self._advice.is_ready(policy), ready.kept.version if ready else 0

    def suggest(self, policy: Policy, report_id: str) -> Suggestion | None:
        """What is suggested for this report; None while the worker has not read it."""
        around = decided_near.around(self._store, self._likeness, report_id)
        if around is None:
            return None
        nearest, ready = around.decided[:SHOWN], self._ready
        said = self._said(ready, report_id, around.vector) if ready else {}
        if said is None:
            return None
        severity, harm = said.get("severity"), said.get("harm")
        taught = ready.kept.decisions if ready else 0
        if ready and ready.kept.policy == policy.sha256:
            return Suggestion(said.get("clause"), severity, harm, nearest, taught, taught, None)
        vote = self._advice.vote(policy, around) or Vote(None, None, None)
        clause = Guess(vote.clause.clause_id, vote.clause.share) if vote.clause else None
        if not ready:
            severity, harm = vote.severity, vote.harm
        return Suggestion(clause, severity, harm, nearest, 0, taught, vote.clause)

    def _said(self, ready: _Ready, report_id: str, whole: Vectors) -> dict[str, Guess] | None:
        """What a model says of a report; None where the space was changed just now."""
        with self._store.read() as cursor:
            row = suggestion_facts.reports(cursor, [report_id])[report_id]
        request, answer = _parts(row)
        known = self._likeness.embedding.stored([request, answer])
        parts = [np.asarray(known.get(part, whole))[None] for part in (request, answer)]
        if any(part.shape[1] != ready.evidence.request.shape[1] for part in parts):
            return None
        of = models.evidence(parts[0], parts[1], [(request, answer)])
        model = ready.kept.model
        return guesses(model.questions, model.probabilities(of, ready.evidence)[0])

    def explained(self, policy: Policy, report_ids: Sequence[str]) -> dict[str, tuple[str, float]]:
        """For each indexed report, the clause whose example or decision is nearest, and how like it is (0 to 1)."""
        with self._store.read() as cursor:
            cited = suggestion_facts.cited(cursor, LATEST)
        examples = {example(clause): clause.clause_id for clause in policy.clauses}
        known = self._likeness.embedding.stored(list(examples))
        rows = self._likeness.vectors_by_id(list(cited))
        names = [*(examples[words] for words in known), *(cited[name] for name in rows)]
        found = [*known.values(), *rows.values()]
        asked = self._likeness.vectors_by_id(report_ids)
        if not found or not asked:
            return {}
        likeness = np.stack(list(asked.values())) @ np.stack(found).T
        best = likeness.argmax(1)
        return {
            name: (names[int(at)], float(likeness[row, at]))
            for row, (name, at) in enumerate(zip(asked, best, strict=True))
        }

    def nearest(self, policy: Policy, most: int = 3) -> dict[str, dict[str, float]]:
        """For each clause the reports nearest to its example and how like it they are (0 to 1), the nearest first."""
        examples = {example(clause): clause.clause_id for clause in policy.clauses}
        known = self._likeness.embedding.stored(list(examples))
        if not known:
            return {}
        found = self._likeness.nearest_to(np.stack(list(known.values())), most)
        return {examples[words]: near for words, near in zip(known, found, strict=True)}

    def _learn(
        self, actor: Actor, policy: Policy, space: str, decided: list[db.Row], old: Kept | None
    ) -> bool:
        tried = (policy.sha256, space, len(decided))
        enough = max(LEAST, GROWTH * old.decisions if old and len(decided) < LATEST else 0)
        if len(decided) < enough or self._tried == tried or (old and old.decisions == len(decided) < LATEST):
            self._tried = tried
            return False
        if old and len(decided) == LATEST and not self._moved_on(decided, old):
            return False
        questions = _questions(policy)
        names, of, answers = self._lesson(actor, policy, decided, questions)
        back = {row["report_id"] for row in decided if row["assessment_id"] % HELD_BACK == HELD_BACK - 1}
        held = np.array([name in back for name in names])
        taught, judged = np.flatnonzero(~held), np.flatnonzero(held)
        seen = of.take(taught)
        model = models.fit([names[row] for row in taught], seen, questions, answers[taught])
        new_loss = models.loss(model.probabilities(of.take(judged), seen), answers[judged])
        if old and self._ready and old.model.questions == questions:
            said = old.model.probabilities(of.take(judged), self._ready.evidence)
        else:
            shares = np.nan_to_num(np.nanmean(np.vstack([answers[taught], np.full(len(questions), 0.5)]), 0))
            said = np.broadcast_to(shares, (len(judged), len(questions)))
        old_loss = models.loss(said, answers[judged])
        self._tried = tried
        if new_loss >= old_loss:
            return False
        tests = backtest(names, of, questions, answers, len(decided))
        with self._store.write(actor, access.Command.INDEX) as work:
            last = suggestion_facts.current(work.cursor)
            version = 1 + (last.version if last else 0)
            kept = Kept(version, policy.sha256, space, len(decided), model)
            suggestion_facts.keep(work, kept, old_loss, new_loss, tests)
        self._ready = _Ready(kept, seen)
        return True

    def _moved_on(self, decided: list[db.Row], old: Kept) -> bool:
        """Whether a tenth of the latest decisions are none that the old model learned from."""
        known = set(old.model.support)
        taught = [row for row in decided if row["assessment_id"] % HELD_BACK != HELD_BACK - 1]
        return sum(row["report_id"] not in known for row in taught) * 10 >= len(taught)

    def _lesson(
        self, actor: Actor, policy: Policy, decided: list[db.Row], questions: tuple[str, ...]
    ) -> tuple[list[str], Evidence, Floats]:
        """Names, evidence and answers of the decisions, and after them of the clause examples."""
        said = [[_answer(question, row) for question in questions] for row in decided]
        for clause in policy.clauses:
            # An example says nothing of how bad a flaw is; what is no flaw has no severity.
            flaw = clause.kind is ClauseKind.IN_SCOPE
            row = {"clauses": [clause.clause_id], "harm": None, "severity": None if flaw else "none"}
            said.append([_answer(question, row) for question in questions])
        names = [row["report_id"] for row in decided] + [
            _EXAMPLE + clause.clause_id for clause in policy.clauses
        ]
        texts = [_parts(row) for row in decided] + [(example(clause),) * 2 for clause in policy.clauses]
        return names, self._evidence(actor, texts), np.array(said, dtype=np.float64)

    def _read(self, actor: Actor, kept: Kept) -> _Ready | None:
        """A stored model with the evidence of what it rests on; None where its policy was never published."""
        with self._store.read() as cursor:
            rows = suggestion_facts.reports(cursor, kept.model.support)
            policy = policies.of_content(cursor, kept.policy)
        if policy is None:
            return None
        examples = {_EXAMPLE + clause.clause_id: (example(clause),) * 2 for clause in policy.clauses}
        texts = [examples[name] if name in examples else _parts(rows[name]) for name in kept.model.support]
        return _Ready(kept, self._evidence(actor, texts))

    def _evidence(self, actor: Actor, texts: Sequence[tuple[str, str]]) -> Evidence:
        made = self._likeness.embedding.by_name([part for pair in texts for part in pair], actor)
        return models.evidence(made[0::2], made[1::2], texts)


def _questions(policy: Policy) -> tuple[str, ...]:
    levels = [f"{name}>{level}" for name, found in _LEVELS.items() for level in found[:-1]]
    return (*levels, *(f"clause={clause.clause_id}" for clause in policy.clauses))


def _answer(question: str, decision: Mapping[str, object]) -> float:
    """What a decision says to a question: 1, 0, or NaN for nothing."""
    about = models.family(question)
    value = question[len(about) + 1 :]
    if about == "clause":
        clauses = decision["clauses"]
        return float(isinstance(clauses, list) and value in clauses)
    if decision[about] is None:
        return float("nan")
    levels = _LEVELS[about]
    return float(levels.index(str(decision[about])) > levels.index(value))


def guesses(questions: Sequence[str], probabilities: Floats) -> dict[str, Guess]:
    """What is probable enough to be suggested, by what it is about."""
    said = dict(zip(questions, probabilities.tolist(), strict=True))
    found = {}
    for about, levels in _LEVELS.items():
        middle, share = models.level(np.array([said[f"{about}>{level}"] for level in levels[:-1]]))
        found[about] = Guess(levels[middle], share)
    clauses = {name: share for name, share in said.items() if models.family(name) == "clause"}
    best = max(clauses, key=clauses.__getitem__)
    found["clause"] = Guess(best.removeprefix("clause="), clauses[best])
    if found["severity"].value == Severity.NONE:
        del found["harm"]  # the harm of what is no flaw is nobody's question
    return {about: guess for about, guess in found.items() if guess.probability >= SURE}


def backtest(
    names: Sequence[str], of: Evidence, questions: tuple[str, ...], answers: Floats, decisions: int
) -> list[Tested]:
    """How suggestions would have done: after each of POINTS decisions, on those up to the next point.

    The first `decisions` rows are decisions in order of time, the others clause examples, which are always known.
    """
    examples = np.arange(decisions, len(names))
    found = []
    for point, until in zip(POINTS, (*POINTS[1:], decisions), strict=True):
        rows = np.arange(point, min(until, decisions))
        if not len(rows):
            break
        train = np.concatenate([np.arange(point), examples])
        seen = of.take(train)
        model = models.fit([names[row] for row in train], seen, questions, answers[train])
        said = [guesses(questions, row) for row in model.probabilities(of.take(rows), seen)]
        for about in ("clause", *_LEVELS):
            asked = [
                (guess.get(about), row)
                for guess, row in zip(said, rows.tolist(), strict=True)
                if about != "harm" or np.isfinite(answers[row, questions.index("harm>H0")])
            ]
            told = [(guess, row) for guess, row in asked if guess]
            hits = sum(_right(questions, answers[row], about, guess.value) for guess, row in told)
            found.append(Tested(about, point, len(asked), len(told), hits))
    return found


def _right(questions: Sequence[str], answers: Floats, about: str, value: str) -> bool:
    said = dict(zip(questions, answers.tolist(), strict=True))
    if about == "clause":
        return bool(said[f"clause={value}"] == 1)
    levels = _LEVELS[about]
    return levels[int(sum(said[f"{about}>{level}"] for level in levels[:-1]))] == value


def _parts(row: Mapping[str, object]) -> tuple[str, str]:
    """What was asked and what was answered; where one is empty the other stands for it."""
    turns = row["turns"]
    assert isinstance(turns, list)
    answer = "\n".join(turn["content"] for turn in turns if turn["role"] == "assistant").strip()
    request = "\n".join(turn["content"] for turn in turns if turn["role"] != "assistant").strip()
    return request or answer, answer or request
