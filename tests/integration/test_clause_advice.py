"""Clause advice over a store: the worker makes the examples' vectors, a question makes none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.making import EVERYBODY, POLICY, LetterEmbedder, bring, make_report, open_runtime
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.index.clause_advice import ClauseAdvice, example
from triage_core.index.indexing import Likeness
from triage_core.runtime import Runtime


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    found = open_runtime(tmp_path)
    yield found
    found.close()


def test_before_the_worker_was_there_nothing_is_advised(opened: Runtime) -> None:
    (first,) = bring(opened.store, make_report("Multiply two numbers."))
    assert opened.advice.prepare(EVERYBODY, POLICY) == 0, "no space, no vectors"
    assert opened.advice.advise(POLICY, first) is None


def test_a_report_like_decided_ones_gets_their_clause(opened: Runtime) -> None:
    words = "Please multiply the numbers {} and {} for my homework."
    first, second = bring(opened.store, *(make_report(words.format(n, n + 7)) for n in (41, 52)))
    opened.likeness.refresh(EVERYBODY)
    assert opened.advice.prepare(EVERYBODY, POLICY) == len(POLICY.clauses)
    assert opened.advice.prepare(EVERYBODY, POLICY) == 0
    triage.assess(opened.store, POLICY, EVERYBODY, first, Decision(("OOS-1",)))
    found = opened.advice.advise(POLICY, second)
    assert found is not None
    assert (found.clause_id, found.nearest_id) == ("OOS-1", first)
    assert opened.advice.advise(POLICY, "FR-99") is None


def refuse(*_: object) -> None:
    raise AssertionError("something was embedded")


def test_the_guidance_s_own_words_get_their_clause_and_a_restart_embeds_nothing(
    opened: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clause = POLICY.clause("IN-2")
    (only,) = bring(opened.store, make_report(turns=[{"role": "user", "content": example(clause)}]))
    opened.likeness.refresh(EVERYBODY)
    opened.advice.prepare(EVERYBODY, POLICY)
    again = ClauseAdvice(opened.store, opened.likeness, opened.settings.model)
    monkeypatch.setattr(LetterEmbedder, "embed", refuse)
    assert again.prepare(EVERYBODY, POLICY) == len(POLICY.clauses)
    found = again.advise(POLICY, only)
    assert found is not None
    assert (found.clause_id, found.decisions) == ("IN-2", 0)
    assert found.example > 0.9


def test_a_question_never_embeds(opened: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    (only,) = bring(opened.store, make_report())
    opened.likeness.refresh(EVERYBODY)
    opened.advice.prepare(EVERYBODY, POLICY)

    monkeypatch.setattr(LetterEmbedder, "embed", refuse)
    opened.advice.advise(POLICY, only)


def test_beyond_close_reading_the_meaning_is_compared_as_well(opened: Runtime) -> None:
    words = "Please multiply the numbers {} and {} for my homework."
    first, second = bring(opened.store, *(make_report(words.format(n, n + 7)) for n in (41, 52)))
    far = Likeness(opened.store, LetterEmbedder, opened.settings.model, close_reading=1)
    far.refresh(EVERYBODY)
    advice = ClauseAdvice(opened.store, far, opened.settings.model)
    advice.prepare(EVERYBODY, POLICY)
    triage.assess(opened.store, POLICY, EVERYBODY, first, Decision(("OOS-1",)))
    vector, near = far.near(second, 5)
    assert (vector.shape, list(near)) == ((LetterEmbedder.dim,), [first])
    found = advice.advise(POLICY, second)
    assert found is not None
    assert found.clause_id == "OOS-1"
