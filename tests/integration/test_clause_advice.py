"""The vote before a model has learned, over a store: the worker makes the examples' vectors, a question makes none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.making import EVERYBODY, POLICY, LetterEmbedder, bring, make_report, open_runtime
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.index import decided_near
from triage_core.index.clause_advice import ClauseAdvice, example
from triage_core.index.indexing import Likeness
from triage_core.likeness.advice import Advice
from triage_core.runtime import Runtime


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    found = open_runtime(tmp_path)
    yield found
    found.close()


def advise(opened: Runtime, report_id: str, advice: ClauseAdvice | None = None) -> Advice | None:
    """The clause that is voted for."""
    around = decided_near.around(opened.store, opened.likeness, report_id)
    vote = around and (advice or opened.advice).vote(POLICY, around)
    return vote.clause if vote else None


def test_before_the_worker_was_there_nothing_is_advised(opened: Runtime) -> None:
    (first,) = bring(opened.store, make_report("Multiply two numbers."))
    assert opened.advice.prepare(EVERYBODY, POLICY) == 0, "no space, no vectors"
    assert advise(opened, first) is None


def test_a_report_like_decided_ones_gets_their_clause(opened: Runtime) -> None:
    words = "Please multiply the numbers {} and {} for my homework."
    first, second = bring(opened.store, *(make_report(words.format(n, n + 7)) for n in (41, 52)))
    opened.likeness.refresh(EVERYBODY)
    assert opened.advice.prepare(EVERYBODY, POLICY) == len(POLICY.clauses)
    assert opened.advice.prepare(EVERYBODY, POLICY) == 0
    triage.assess(opened.store, POLICY, EVERYBODY, first, Decision(("OOS-1",)))
    found = advise(opened, second)
    assert found is not None
    assert (found.clause_id, found.nearest_id) == ("OOS-1", first)
    assert advise(opened, "FR-99") is None


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
    found = advise(opened, only, again)
    assert found is not None
    assert (found.clause_id, found.decisions) == ("IN-2", 0)
    assert found.example > 0.9


def test_a_question_never_embeds(opened: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    (only,) = bring(opened.store, make_report())
    opened.likeness.refresh(EVERYBODY)
    opened.advice.prepare(EVERYBODY, POLICY)

    monkeypatch.setattr(LetterEmbedder, "embed", refuse)
    assert advise(opened, only) is None


def test_beyond_close_reading_the_decided_are_found_as_well(opened: Runtime) -> None:
    words = "Please multiply the numbers {} and {} for my homework."
    first, second = bring(opened.store, *(make_report(words.format(n, n + 7)) for n in (41, 52)))
    opened.likeness = Likeness(opened.store, LetterEmbedder, opened.settings.model, close_reading=1)
    opened.likeness.refresh(EVERYBODY)
    advice = ClauseAdvice(opened.store, opened.likeness, opened.settings.model)
    advice.prepare(EVERYBODY, POLICY)
    triage.assess(opened.store, POLICY, EVERYBODY, first, Decision(("OOS-1",)))
    around = decided_near.around(opened.store, opened.likeness, second)
    assert around is not None
    assert (around.vector.shape, [near.report_id for near in around.decided]) == (
        (LetterEmbedder.dim,),
        [first],
    )
    found = advise(opened, second, advice)
    assert found is not None
    assert found.clause_id == "OOS-1"


def test_undecided_look_alikes_do_not_hide_what_was_decided(opened: Runtime) -> None:
    words = "Please multiply the numbers {} and 7 for my homework."
    (decided,) = bring(opened.store, make_report("Multiply numbers for my homework, please."))
    *_, last = bring(opened.store, *(make_report(words.format(n)) for n in range(105)))
    opened.likeness.refresh(EVERYBODY)
    triage.assess(opened.store, POLICY, EVERYBODY, decided, Decision(("OOS-1",)))
    found = opened.suggestions.suggest(POLICY, last)
    assert found is not None
    assert [near.report_id for near in found.nearest] == [decided]
    assert found.nearest[0].likeness < min(near.score for near in opened.likeness.similar(last, 100))
