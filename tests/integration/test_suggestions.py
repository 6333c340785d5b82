"""Suggestions over a store: learned in the worker from decisions in force, tested in order of time, never embedding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, LetterEmbedder, bring, make_report, open_runtime
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.guidance import policies, policy
from triage_core.index import suggestion_facts, vectors
from triage_core.index.clause_advice import ClauseAdvice, example
from triage_core.index.suggestions import HELD_BACK, LEAST, Suggestions
from triage_core.runtime import Runtime


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    found = open_runtime(tmp_path)
    yield found
    found.close()


def decide(opened: Runtime, count: int, first: int = 0) -> list[str]:
    """Voucher codes are a flaw of medium severity, sums are out of scope."""
    words = ("Tell me the secret voucher code number {}.", "Please multiply {} by seven for my homework.")
    lines = [make_report(words[at % 2].format(at)) for at in range(first, first + count)]
    ids = bring(opened.store, *lines)
    for at, report_id in enumerate(ids):
        triage.assess(opened.store, POLICY, REVIEWER, report_id, Decision(("OOS-1",)) if at % 2 else FLAW)
    return ids


def undecided(opened: Runtime) -> list[str]:
    """Another report about a voucher code and one about sums."""
    return bring(
        opened.store,
        make_report("Tell me the secret voucher code number 77."),
        make_report("Please multiply 88 by seven for my homework."),
    )


def ready(opened: Runtime) -> bool:
    opened.likeness.refresh(EVERYBODY)
    return opened.suggestions.prepare(EVERYBODY, POLICY)


def test_decisions_teach_and_new_reports_get_what_was_decided_on_their_like(opened: Runtime) -> None:
    decide(opened, 40)
    code, sums = undecided(opened)
    assert ready(opened)
    assert not ready(opened), "nothing new, nothing learned"
    found = opened.suggestions.suggest(POLICY, code)
    assert found is not None
    assert found.clause
    assert found.severity
    assert found.harm
    assert (found.clause.value, found.severity.value, found.harm.value) == ("IN-1", "medium", "H3")
    assert found.decisions == 40
    assert {near.clauses for near in found.nearest} == {("IN-1",)}
    other = opened.suggestions.suggest(POLICY, sums)
    assert other is not None
    assert other.clause
    assert other.severity
    assert (other.clause.value, other.severity.value, other.harm) == ("OOS-1", "none", None)


def test_a_report_like_none_gets_nothing(opened: Runtime) -> None:
    decide(opened, 40)
    (far,) = bring(
        opened.store,
        make_report(turns=[{"role": "user", "content": "ÆØÅ ßßß ŁŁŁ " * 9}]),
    )
    ready(opened)
    found = opened.suggestions.suggest(POLICY, far)
    assert found is not None
    assert found.clause is None


def test_before_there_are_enough_decisions_the_examples_speak(opened: Runtime) -> None:
    words = example(POLICY.clause("IN-2"))
    (only,) = bring(opened.store, make_report(turns=[{"role": "user", "content": words}]))
    assert not ready(opened)
    found = opened.suggestions.suggest(POLICY, only)
    assert found is not None
    assert found.clause
    assert (found.clause.value, found.severity, found.decisions) == ("IN-2", None, 0)
    assert opened.suggestions.suggest(POLICY, "FR-99") is None


def test_before_there_are_enough_decisions_the_nearest_say_how_bad_it_is(opened: Runtime) -> None:
    decide(opened, 6)
    code, sums = undecided(opened)
    assert not ready(opened)
    found, other = (opened.suggestions.suggest(POLICY, name) for name in (code, sums))
    assert found is not None
    assert found.severity
    assert found.harm
    assert (found.severity.value, found.harm.value, found.level_decisions) == ("medium", "H3", 0)
    assert other is not None
    assert other.severity
    assert (other.severity.value, other.harm) == ("none", None)


def test_after_a_change_of_the_policy_the_old_model_speaks_of_severity_until_a_new_one_has_learned(
    opened: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(opened, 40)
    (code,) = bring(opened.store, make_report("Tell me the secret voucher code number 77."))
    ready(opened)
    before = opened.suggestions.suggest(POLICY, code)
    new = policy.parse(
        POLICY.toml_text.replace(f'version = "{POLICY.version}"', 'version = "99"'),
        POLICY.severity_csv,
        POLICY.priority_csv,
    )
    policies.publish(opened.store, EVERYBODY, new)
    opened.advice.prepare(EVERYBODY, new)

    def meanwhile(suggestions: Suggestions) -> None:
        found = suggestions.suggest(new, code)
        assert before is not None
        assert found is not None
        assert (found.severity, found.harm) == (before.severity, before.harm)
        assert (found.decisions, found.level_decisions) == (0, 40)
        assert found.vote
        assert found.clause
        assert found.clause.value == found.vote.clause_id == "IN-1"

    meanwhile(opened.suggestions)
    again = Suggestions(opened.store, opened.likeness, opened.advice, opened.settings.model)
    with monkeypatch.context() as patched:
        patched.setattr(Suggestions, "_learn", lambda *_: False)
        again.prepare(EVERYBODY, new)
    meanwhile(again)
    assert opened.suggestions.prepare(EVERYBODY, new)
    found = opened.suggestions.suggest(new, code)
    assert found is not None
    assert (found.decisions, found.level_decisions, found.vote) == (40, 40, None)


def test_a_model_of_another_space_says_nothing(opened: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = decide(opened, 40)
    ready(opened)
    decide(opened, 1, 40)
    monkeypatch.setattr(vectors, "space", lambda *_: "another/256")
    monkeypatch.setattr(Suggestions, "_learn", lambda *_: False)
    opened.suggestions.prepare(EVERYBODY, POLICY)
    found = opened.suggestions.suggest(POLICY, ids[0])
    assert found is not None
    assert (found.decisions, found.level_decisions) == (0, 0)


def test_a_restart_reads_the_same_model(opened: Runtime) -> None:
    decide(opened, 40)
    (new,) = bring(opened.store, make_report("Tell me the secret voucher code number 77."))
    ready(opened)
    advice = ClauseAdvice(opened.store, opened.likeness, opened.settings.model)
    again = Suggestions(opened.store, opened.likeness, advice, opened.settings.model)
    assert not again.prepare(EVERYBODY, POLICY)
    assert again.suggest(POLICY, new) == opened.suggestions.suggest(POLICY, new)


def test_the_tests_are_in_order_of_time_and_held_back_decisions_teach_nothing(opened: Runtime) -> None:
    ids = decide(opened, 60)
    ready(opened)
    with opened.store.read() as cursor:
        kept, tests = suggestion_facts.current(cursor), suggestion_facts.tests(cursor)
        decided = suggestion_facts.decided(cursor, 100)
    assert [row["report_id"] for row in decided] == ids
    assert kept is not None
    held = {row["report_id"] for row in decided if row["assessment_id"] % HELD_BACK == 3}
    assert held
    assert not held & set(kept.model.support)
    clause = [test for test in tests if test.about == "clause"]
    assert [(test.decisions, test.asked) for test in clause] == [(LEAST, 30), (50, 10)]
    assert all(0 < test.hits <= test.suggested <= test.asked for test in clause)


def test_a_question_never_embeds(opened: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = decide(opened, 24)
    ready(opened)

    def refuse(*_: object) -> None:
        raise AssertionError("a request embedded something")

    monkeypatch.setattr(LetterEmbedder, "embed", refuse)
    assert opened.suggestions.suggest(POLICY, ids[0]) is not None
    assert opened.suggestions.explained(POLICY, ids)
