"""Which clause is advised, and when nothing is."""

from __future__ import annotations

import pytest

from triage_core.likeness.advice import SHARE, Decided, advise


def near(likeness: float, *clauses: str) -> Decided:
    return Decided(f"FR-{likeness}", clauses, likeness)


def test_the_nearest_decisions_decide() -> None:
    found = advise([near(0.9, "OOS-1"), near(0.8, "OOS-1"), near(0.4, "IN-2")], {"IN-2": 0.1})
    assert found is not None
    assert (found.clause_id, found.decisions, found.nearest_id, found.example) == ("OOS-1", 2, "FR-0.9", 0.0)
    assert found.share == pytest.approx((0.81 + 0.64) / (0.81 + 0.64 + 0.16))


def test_an_example_of_the_guidance_speaks_without_any_decision() -> None:
    found = advise([], {"IN-2": 0.6, "EXP-1": 0.3})
    assert found is not None
    assert (found.clause_id, found.share, found.decisions, found.example) == ("IN-2", 1.0, 0, 0.6)


def test_decisions_that_contradict_each_other_advise_nothing() -> None:
    torn = [near(0.7, "IN-1"), near(0.7, "IN-2"), near(0.7, "IN-3")]
    assert advise(torn, {}) is None
    assert advise(torn[:2], {}) is not None, f"a share of {SHARE} is enough"


def test_what_is_far_away_advises_nothing() -> None:
    assert advise([near(0.49, "IN-1")], {"IN-1": 0.49}) is None
    assert advise([], {}) is None


def test_a_crowd_of_strangers_does_not_outvote_the_near() -> None:
    crowd = [near(0.2, "IN-7")] * 19
    found = advise([near(0.6, "IN-1"), *crowd], {"IN-7": 0.2})
    assert found is not None
    assert found.clause_id == "IN-1"


def test_a_decision_votes_for_every_clause_that_it_cites() -> None:
    found = advise([near(0.8, "IN-3", "IN-5"), near(0.7, "IN-5")], {})
    assert found is not None
    assert (found.clause_id, found.share) == ("IN-5", 1.0)
