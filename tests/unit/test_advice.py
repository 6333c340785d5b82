"""Which clause, severity and harm are advised, and when nothing is."""

from __future__ import annotations

import pytest

from triage_core.likeness.advice import SHARE, Decided, advise, vote


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


def level(likeness: float, severity: str, harm: str = "") -> Decided:
    return Decided(f"FR-{likeness}", ("IN-1" if harm else "OOS-1",), likeness, severity, harm)


def test_the_nearest_decisions_say_how_bad_it_is() -> None:
    found = vote([level(0.9, "high", "H3"), level(0.8, "high", "H3"), level(0.5, "low", "H2")], {}, ())
    assert found.severity is not None
    assert found.severity.value == "high"
    assert found.severity.probability == pytest.approx((0.81 + 0.64) / (0.81 + 0.64 + 0.25))
    assert found.harm is not None
    assert found.harm.value == "H3"


def test_an_example_of_what_is_no_flaw_has_no_severity_and_no_other_example_has_one() -> None:
    none = vote([], {"OOS-1": 0.6, "IN-1": 0.5}, {"OOS-1"})
    assert (none.severity and none.severity.value, none.harm) == ("none", None)
    flaw = vote([], {"OOS-1": 0.6, "IN-1": 0.7}, {"OOS-1"})
    assert (flaw.clause and flaw.clause.clause_id, flaw.severity, flaw.harm) == ("IN-1", None, None)


def test_an_example_of_a_flaw_speaks_against_no_severity() -> None:
    said = [level(0.6, "none")]
    assert vote(said, {}, {"OOS-1"}).severity is not None
    assert vote(said, {"IN-1": 0.7}, {"OOS-1"}).severity is None
    assert vote([level(0.9, "none", "H0")], {}, ()).harm is None, "nor does what is no flaw have a harm"


def test_levels_that_contradict_each_other_or_are_far_away_advise_none() -> None:
    torn = [level(0.7, "low", "H1"), level(0.7, "high", "H3"), level(0.7, "medium", "H2")]
    for found in (vote(torn, {}, ()), vote([level(0.49, "low", "H1")], {"IN-1": 0.8}, ())):
        assert (found.severity, found.harm) == (None, None)
