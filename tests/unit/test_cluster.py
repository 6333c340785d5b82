"""The gated rule in small cases that can be drawn on paper: most vectors are angles in one plane."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from triage_core.errors import Conflict
from triage_core.likeness import cells, join
from triage_core.likeness.cluster import Clusters, Params, Placement, cluster_all
from triage_core.likeness.search import VectorIndex

DIM = 4
REPOSITORY = Path(__file__).resolve().parents[2]


def at(*degrees: float) -> NDArray[np.float32]:
    """Unit vectors at these angles in the first plane."""
    angles = np.radians(degrees)
    vectors = np.zeros((len(degrees), DIM), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    return vectors


def place_all(clusters: Clusters, vectors: NDArray[np.float32]) -> list[Placement]:
    return [clusters.place(len(clusters), vector, range(len(clusters))) for vector in vectors]


def test_unlike_reports_open_clusters_of_their_own() -> None:
    clusters = Clusters(DIM)
    first, second = place_all(clusters, at(0, 90))
    assert clusters.labels().tolist() == [0, 1]
    assert second == Placement(1, None, None, None, None, None, False)
    assert first.cluster == 0


def test_a_near_report_joins_and_says_why() -> None:
    clusters = Clusters(DIM)
    placement = place_all(clusters, at(0, 10, 4))[-1]
    assert placement.cluster == 0
    assert placement.nearest_row == 0
    assert placement.maximum == pytest.approx(np.cos(np.radians(4)), abs=1e-3)
    assert placement.mean == pytest.approx(np.cos(np.radians([4, 6])).mean(), abs=1e-3)
    assert placement.runner_up_cluster is None
    assert clusters.placement(2) == placement


def test_the_best_mean_wins_over_the_nearest_row() -> None:
    clusters = Clusters(DIM)
    placement = place_all(clusters, at(0, -5, 45, 47, 22))[-1]
    assert clusters.labels().tolist() == [0, 0, 2, 2, 2]
    assert placement.nearest_row == 0
    assert placement.runner_up_cluster == 0
    assert placement.mean is not None
    assert placement.runner_up_mean is not None
    assert placement.mean > placement.runner_up_mean


def test_a_chain_of_near_reports_does_not_become_one_cluster() -> None:
    clusters = Clusters(DIM)
    placements = place_all(clusters, at(0, 30, 60, 90, 120, 150))
    assert clusters.labels().tolist() == [0, 0, 2, 2, 4, 4]
    assert placements[2].runner_up_cluster == 0
    assert placements[2].runner_up_mean is not None
    assert placements[2].runner_up_mean < Params().gate


def test_clusters_that_a_report_ties_together_merge_when_alike_throughout() -> None:
    clusters = Clusters(DIM)
    placement = place_all(clusters, at(0, 34, 17))[-1]
    assert placement.moved == ((1, 0),)
    assert placement.cluster == 0
    assert clusters.labels().tolist() == [0, 0, 0]
    assert clusters.aliases() == {1: 0}
    assert clusters.cluster_of(1) == 0


@pytest.mark.parametrize("seed", range(4))
def test_ten_orders_of_loose_families_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(12, 24))[rng.integers(0, 12, 120)] + 0.35 * rng.normal(size=(120, 24))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    found = np.empty((10, 120), dtype=np.int64)
    for number, labels in enumerate(found):
        order = np.random.default_rng(number).permutation(120)
        labels[order] = cluster_all(vectors[order]).labels()
    assert min(adjusted_rand_score(found[0], other) for other in found) >= 0.98


def test_a_member_that_fits_better_elsewhere_moves_and_says_why() -> None:
    clusters = Clusters(DIM)
    placement = place_all(clusters, at(0, 29, 55))[-1]
    assert placement.moved == ((0, 1),)
    assert clusters.labels().tolist() == [0, 1, 1]
    moved = clusters.placement(1)
    assert moved.mean == pytest.approx(np.cos(np.radians(26)), abs=1e-3)
    assert (moved.runner_up_cluster, moved.runner_up_mean) == (
        0,
        pytest.approx(np.cos(np.radians(29)), abs=1e-3),
    )


def test_clusters_that_are_not_alike_throughout_stay_two() -> None:
    clusters = Clusters(DIM)
    placement = place_all(clusters, at(0, 50, 24))[-1]
    assert placement.moved == ()
    assert clusters.labels().tolist() == [0, 1, 0]
    assert placement.runner_up_cluster == 1


def test_the_thresholds_are_parameters() -> None:
    strict = cluster_all(at(0, 10), Params(join=0.99, slack=0.0))
    assert strict.labels().tolist() == [0, 1]
    loose = cluster_all(at(0, 60), Params(join=0.4, slack=0.05, suggest=0.3))
    assert loose.labels().tolist() == [0, 0]
    with pytest.raises(ValueError, match="suggest <= join"):
        Params(join=0.6)


def test_rows_come_in_turn() -> None:
    clusters = Clusters(DIM)
    with pytest.raises(ValueError, match="next row is 0"):
        clusters.place(1, at(0)[0])
    assert clusters.place(0, at(0)[0], [0, 7]).nearest_row is None, "a row is no neighbour of its own"
    with pytest.raises(ValueError, match="not one of the 1 rows"):
        clusters.cluster_of(1)


def test_must_link_joins_what_is_unlike_and_keeps_the_older_id() -> None:
    clusters = cluster_all(at(0, 90, 91, 180))
    assert clusters.must_link(2, 0) == (1, 2)
    assert clusters.labels().tolist() == [0, 0, 0, 3]
    assert clusters.aliases() == {1: 0}
    assert clusters.must_link(0, 2) == ()


def test_must_link_holds_for_a_row_that_comes_later() -> None:
    clusters = Clusters(DIM, must=[(0, 2)])
    placement = place_all(clusters, at(0, 90, 89))[-1]
    assert clusters.labels().tolist() == [0, 1, 0]
    assert placement.decided
    assert placement.nearest_row == 1
    assert placement.runner_up_cluster == 1


def test_a_row_to_come_can_tie_two_clusters() -> None:
    clusters = cluster_all(at(0, 90))
    assert clusters.must_link(0, 5) == ()
    assert clusters.must_link(1, 5) == (1,)
    assert clusters.labels().tolist() == [0, 0]


def test_cannot_link_separates_and_each_side_keeps_its_own() -> None:
    clusters = cluster_all(at(0, 20, 1, 21, 19))
    assert clusters.labels().tolist() == [0] * 5
    changed = clusters.cannot_link(0, 1)
    assert clusters.labels().tolist() == [0, 1, 0, 1, 1]
    assert changed == (1, 3, 4)
    place_all(clusters, at(0, 20, 10))
    labels = clusters.labels()
    assert labels[0] != labels[1]
    assert labels.tolist()[5:7] == [0, 1]


def test_cannot_link_holds_for_a_row_that_comes_later() -> None:
    clusters = Clusters(DIM, cannot=[(0, 1)])
    placement = place_all(clusters, at(0, 0))[-1]
    assert clusters.labels().tolist() == [0, 1]
    assert placement.mean is None
    assert placement.runner_up_cluster == 0
    place_all(clusters, at(0, 0))
    assert clusters.labels().tolist() == [0, 1, 0, 0]


def test_a_retired_id_that_is_founded_again_is_no_alias() -> None:
    clusters = cluster_all(at(0, 34, 16))
    assert clusters.aliases() == {1: 0}
    assert clusters.cannot_link(0, 1) == (1,)
    assert clusters.aliases() == {}


def test_joining_two_clusters_respects_what_their_members_may_not() -> None:
    clusters = cluster_all(at(0, 2, 90, 92))
    clusters.cannot_link(1, 3)
    clusters.must_link(0, 2)
    labels = clusters.labels().tolist()
    assert labels[0] == labels[2]
    assert labels[1] != labels[3]


def test_decisions_reach_through_rows_that_belong_together() -> None:
    clusters = Clusters(DIM, must=[(0, 9)], cannot=[(9, 1)])
    place_all(clusters, at(0, 0))
    assert clusters.labels().tolist() == [0, 1]


def test_contradictions_are_refused_and_change_nothing() -> None:
    clusters = cluster_all(at(0, 1, 2), cannot=[(0, 2)])
    clusters.must_link(0, 1)
    before = clusters.labels()
    with pytest.raises(Conflict, match="must_link"):
        clusters.must_link(1, 2)
    with pytest.raises(Conflict, match="cannot_link"):
        clusters.cannot_link(1, 0)
    with pytest.raises(ValueError, match="row"):
        clusters.must_link(-1, 0)
    assert np.array_equal(clusters.labels(), before)


def test_members_are_told_in_order_of_arrival() -> None:
    clusters = cluster_all(at(0, 10, 90, 9, 11))
    assert clusters.members(0).tolist() == [0, 1, 3, 4]
    assert clusters.members(2).tolist() == [2]
    assert clusters.members(3).tolist() == [], "no cluster is named after this one"


def test_the_audit_suggests_a_split_and_makes_none() -> None:
    clusters = cluster_all(at(0, 1, 2, 90, 91, 92))
    assert clusters.suggest_splits() == []
    clusters.must_link(1, 4)
    (suggestion,) = clusters.suggest_splits()
    assert suggestion.cluster == 0
    assert suggestion.staying == (0, 1, 2, 4)
    assert suggestion.leaving == (3, 5)
    assert suggestion.mutual_mean < Params().gate
    assert clusters.labels().tolist() == [0] * 6


def test_restore_refuses_labels_that_are_no_earliest_rows() -> None:
    with pytest.raises(ValueError, match="earliest"):
        Clusters.restore(np.array([1, 1]), at(0, 0))


def test_the_search_floor_finds_every_link() -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(40, 64)), 10, axis=0)
    vectors = centres + 0.45 * rng.normal(size=centres.shape)
    vectors = rng.permutation(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    index, clusters = VectorIndex(64), Clusters(64)
    for row, vector in enumerate(vectors):
        _, near = index.above(vector, clusters.params.search_floor(64))
        clusters.place(row, vector, near)
        index.add(vector[None])
    assert np.array_equal(clusters.labels(), cluster_all(vectors).labels())
    assert 40 < len(np.unique(clusters.labels())) < 400


def test_a_flood_of_copies_fits_into_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    vectors = at(*(rng.random(900) * 3), *(rng.random(100) * 360))
    expected = cluster_all(vectors)
    monkeypatch.setattr(join, "MOST_LINKS", 500)
    flooded = cluster_all(vectors)
    assert np.array_equal(flooded.labels(), expected.labels())
    assert [flooded.placement(row) for row in range(1_000)] == [
        expected.placement(row) for row in range(1_000)
    ]


def test_cells_find_nearly_all_that_the_exact_join_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    centres = rng.normal(size=(400, 32))[np.minimum(rng.zipf(1.8, 3_000), 400) - 1]
    vectors = centres + 0.35 * rng.normal(size=centres.shape)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    exact = cluster_all(vectors).labels()
    monkeypatch.setattr(join, "EXACT_ROWS", 1_000)
    monkeypatch.setattr(cells, "ROWS_PER_CELL", 20)
    celled = cluster_all(vectors)
    assert np.array_equal(celled.labels(), cluster_all(vectors).labels())
    assert (celled.labels() == exact).mean() > 0.97


def test_without_numba_the_clusters_are_the_same() -> None:
    program = """
import numpy as np
from triage_core.likeness import cells, cluster, join, kernels, search
cells.ROWS_PER_CELL = 10
print(kernels.COMPILED)
rng = np.random.default_rng(3)
vectors = np.repeat(rng.normal(size=(20, 16)), 8, axis=0)
vectors = rng.permutation(vectors + .5 * rng.normal(size=vectors.shape))
vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
index = search.VectorIndex(16)
index.add(vectors)
for join.EXACT_ROWS in (1_000, 100):
    print(cluster.cluster_all(vectors, must=[(0, 1)], cannot=[(2, 3)]).labels().tolist())
print(index.top_k(vectors[:3], 5)[1].tolist())
"""
    without = 'import sys; sys.modules["numba"] = None'
    outputs = [
        subprocess.run(
            [sys.executable, "-c", first + program],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        for first in ("", without)
    ]
    assert outputs[1][0] == "False"
    assert outputs[0][1:] == outputs[1][1:]
