"""Agreement against published examples, worked cases and another implementation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from triage_core.desk.agreement import (
    LEAST,
    Judgement,
    Measured,
    Pair,
    alike,
    alpha,
    by_clause,
    by_reviewers,
    kappa,
    nominal,
    ordinal,
    overall,
)
from triage_core.model import Severity

# Four observers, twelve units and gaps: the example of Krippendorff's paper of 2011, values from 1.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def coincidences(ratings, levels):
    """The (levels, levels) coincidences of a table of raters by units; values count from 0, None is a gap."""
    found = np.zeros((levels, levels))
    for unit in zip(*ratings, strict=True):
        counts = np.bincount([value for value in unit if value is not None], minlength=levels)
        if counts.sum() > 1:
            found += (np.outer(counts, counts) - np.diag(counts)) / (counts.sum() - 1)
    return found


def judged(reviewer: str, severity: str, *clauses: str, resolution: str | None = None) -> Judgement:
    return Judgement(reviewer, frozenset(clauses), Severity(severity), resolution)


@pytest.mark.parametrize(("distance", "value"), [(nominal, 0.743), (ordinal, 0.815)])
def test_alpha_of_the_published_example(distance, value):
    ratings = [[None if value is None else value - 1 for value in observer] for observer in OBSERVERS]
    assert alpha(coincidences(ratings, 5), distance) == pytest.approx(value, abs=0.0005)


def test_the_published_coincidences_leave_out_the_unit_with_one_value():
    ratings = [[None if value is None else value - 1 for value in observer] for observer in OBSERVERS]
    found = coincidences(ratings, 5)
    assert found.sum(1) == pytest.approx([9, 13, 10, 5, 3])


def test_kappa_of_the_published_example():
    """Cohen's table of 1968, with his own weights and with none."""
    table = np.array([[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]])
    weights = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]])
    assert kappa(table, weights) == pytest.approx(0.348, abs=0.0005)
    assert kappa(table, 1 - np.eye(3)) == pytest.approx(0.492, abs=0.0005)


def test_kappa_worked_by_hand():
    """Three levels: 4 low and low, 2 low and middle, 4 high and high. Weights 0, 1/4, 1.

    Observed 2/10 x 1/4 = 0.05. By chance: 0.6 x (0.2 x 1/4 + 0.4) + 0.4 x (0.4 + 0.2 x 1/4) = 0.45.
    """
    assert kappa(np.array([[4.0, 2, 0], [0, 0, 0], [0, 0, 4]])) == pytest.approx(1 - 0.05 / 0.45)


def test_quadratic_kappa_is_that_of_another_implementation():
    rng = np.random.default_rng(3)
    one = rng.integers(0, 5, 200)
    other = np.clip(one + rng.integers(-1, 2, 200), 0, 4)
    table = np.zeros((5, 5))
    np.add.at(table, (one, other), 1)
    assert kappa(table) == pytest.approx(cohen_kappa_score(one, other, weights="quadratic"))


def test_nothing_is_said_where_all_values_are_one():
    table = np.diag([0.0, 12, 0])
    assert kappa(table) is None
    assert alpha(table * 2, ordinal) is None


def test_alpha_of_pairs_is_alpha_of_their_ratings():
    one, other = [0, 1, 1, 2, 4, 4, 3], [0, 1, 2, 2, 4, 3, 3]
    table = np.zeros((5, 5))
    np.add.at(table, (one, other), 1)
    assert np.array_equal(table + table.T, coincidences([one, other], 5))


def test_alike_is_one_only_in_full_agreement():
    one = judged("a", "high", "IN-1", "IN-5")
    assert alike(one, judged("b", "high", "IN-5", "IN-1")) == 1
    assert alike(one, judged("b", "medium", "IN-1", "IN-5")) == pytest.approx((1 + 0.75 + 1) / 3)
    assert alike(one, judged("b", "high", "IN-1")) == pytest.approx((0.5 + 1 + 1) / 3)
    assert alike(one, judged("b", "none", "OOS-1", resolution="out_of_scope")) == pytest.approx(0.25 / 3)


def test_too_few_pairs_say_nothing_but_are_counted():
    pair = Pair(judged("a", "low", "IN-1"), judged("b", "high", "IN-1"), LEAST - 1)
    assert overall([pair]) == Measured(LEAST - 1, 0, None, None, None)
    assert overall([]) == Measured(0, 0, None, None, None)


def test_by_clause_counts_where_either_cited_it_and_compares_over_all():
    pairs = [
        Pair(judged("a", "high", "IN-1"), judged("b", "high", "IN-1"), 10),
        Pair(judged("a", "high", "IN-1"), judged("b", "low", "IN-2"), 5),
        Pair(judged("a", "none", "OOS-1"), judged("b", "none", "OOS-1"), 15),
    ]
    found = by_clause(pairs)
    assert {name: (one.n, one.same) for name, one in found.items()} == {
        "IN-1": (15, 10),
        "IN-2": (5, 0),
        "OOS-1": (15, 15),
    }
    # Cited or not: 10 both, 5 one of two, 15 neither; alpha = 1 - 59 * 10 / (2 * 25 * 35).
    assert found["IN-1"].clauses == pytest.approx(1 - 59 * 10 / (2 * 25 * 35))
    assert found["OOS-1"].clauses == 1
    assert found["OOS-1"].kappa is None
    assert found["IN-2"].clauses is None


def test_two_people_are_one_pair_whoever_was_first():
    pairs = [
        Pair(judged("ines", "high", "IN-1"), judged("mara", "low", "IN-1"), 6),
        Pair(judged("mara", "high", "IN-1"), judged("ines", "low", "IN-1"), 6),
        Pair(judged("jon", "high", "IN-1"), judged("ines", "low", "IN-1"), 2),
    ]
    found = by_reviewers(pairs)
    assert {names: one.n for names, one in found.items()} == {("ines", "jon"): 2, ("ines", "mara"): 12}
    assert found["ines", "mara"].kappa == pytest.approx(-1)
