"""Whatever comes in whatever order: bulk is one by one, a restart changes nothing, reviewers are obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from triage_core.errors import Conflict
from triage_core.likeness import join
from triage_core.likeness.cluster import Clusters, Params, cluster_all
from triage_core.likeness.constraints import Constraints

Pair = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """Vectors with clusters in them, thresholds, and decisions that do not contradict each other."""

    vectors: NDArray[np.float32]
    params: Params
    must: list[Pair]
    cannot: list[Pair]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows = draw(st.integers(2, 60))
    dim = draw(st.sampled_from([2, 3, 8, 33]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    centres = rng.normal(size=(draw(st.integers(1, 8)), dim))
    vectors = centres[rng.integers(0, len(centres), rows)]
    vectors = vectors + draw(st.floats(0, 0.6)) * rng.normal(size=vectors.shape)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    join_at = draw(st.sampled_from([0.6, 0.85, 0.95]))
    params = Params(join_at, draw(st.sampled_from([0.0, 0.05, 0.3])), suggest=0.5)
    pairs = st.lists(st.tuples(st.integers(0, rows - 1), st.integers(0, rows - 1)), max_size=6)
    known = Constraints()
    must, cannot = [], []
    for pair in draw(pairs):
        known.must(*pair)
        must.append(pair)
    for pair in draw(pairs):
        try:
            known.cannot(*pair)
        except Conflict:
            continue
        cannot.append(pair)
    return Case(vectors, params, must, cannot)


def one_by_one(case: Case, clusters: Clusters) -> Clusters:
    for row in range(len(clusters), len(case.vectors)):
        clusters.place(row, case.vectors[row], range(row))
    return clusters


def explanations(clusters: Clusters) -> Iterator[object]:
    return (clusters.placement(row) for row in range(len(clusters)))


def obeys(clusters: Clusters, must: list[Pair], cannot: list[Pair]) -> bool:
    labels = clusters.labels()
    return all(labels[a] == labels[b] for a, b in must) and all(labels[a] != labels[b] for a, b in cannot)


@given(case=cases())
def test_bulk_is_one_by_one(case: Case) -> None:
    single = one_by_one(case, Clusters(case.vectors.shape[1], case.params, case.must, case.cannot))
    bulk = cluster_all(case.vectors, case.params, case.must, case.cannot)
    assert np.array_equal(bulk.labels(), single.labels())
    assert bulk.aliases() == single.aliases()
    assert list(explanations(bulk)) == list(explanations(single))
    assert obeys(bulk, case.must, case.cannot)


@settings(max_examples=300)  # where rows leave clusters between blocks is rare
@given(case=cases(), block=st.integers(1, 20), tile=st.integers(1, 9), others=st.integers(1, 9))
def test_the_size_of_blocks_changes_nothing(case: Case, block: int, tile: int, others: int) -> None:
    whole = cluster_all(case.vectors, case.params, case.must, case.cannot)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "BLOCK", block)
        patch.setattr(join, "TILE_ROWS", tile)
        patch.setattr(join, "TILE_OTHERS", others)
        cut = cluster_all(case.vectors, case.params, case.must, case.cannot)
    assert np.array_equal(cut.labels(), whole.labels())
    assert list(explanations(cut)) == list(explanations(whole))


@given(case=cases(), share=st.floats(0, 1))
def test_a_restart_changes_nothing(case: Case, share: float) -> None:
    dim, cut = case.vectors.shape[1], int(share * len(case.vectors))
    start = Case(case.vectors[:cut], case.params, case.must, case.cannot)
    first = one_by_one(start, Clusters(dim, case.params, case.must, case.cannot))
    restored = Clusters.restore(
        first.labels(), case.vectors[:cut], first.aliases(), case.params, case.must, case.cannot
    )
    assert restored.aliases() == first.aliases()
    straight, again = one_by_one(case, first), one_by_one(case, restored)
    assert np.array_equal(again.labels(), straight.labels())
    assert again.aliases() == straight.aliases()


@given(case=cases(), late=st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59), st.booleans())))
def test_reviewers_are_obeyed_for_ever(case: Case, late: list[tuple[int, int, bool]]) -> None:
    half = len(case.vectors) // 2
    start = Case(case.vectors[:half], case.params, case.must, case.cannot)
    clusters = one_by_one(start, Clusters(case.vectors.shape[1], case.params, case.must, case.cannot))
    must, cannot = list(case.must), list(case.cannot)
    for a, b, same in late:
        if max(a, b) >= len(case.vectors):
            continue
        before = clusters.labels()
        try:
            changed = clusters.must_link(a, b) if same else clusters.cannot_link(a, b)
        except Conflict:
            assert np.array_equal(clusters.labels(), before)
            continue
        assert list(changed) == np.flatnonzero(clusters.labels() != before).tolist()
        (must if same else cannot).append((a, b))
    one_by_one(case, clusters)
    assert obeys(clusters, must, cannot)
    labels = clusters.labels()
    for cluster in np.unique(labels).tolist():
        members = clusters.members(cluster)
        assert cluster == members[0], "a cluster is named after its earliest member"
        state, sums = clusters._state, clusters._state.grid[members].sum(axis=0, dtype=np.int64)
        kept = state.sums[state.slots[cluster]] if len(members) > 1 else state.grid[cluster]
        assert np.array_equal(kept, sums), "sums kept through all changes are those of the members"
    rebuilt = Clusters.restore(labels, case.vectors, clusters.aliases(), case.params, must, cannot)
    assert rebuilt.suggest_splits() == clusters.suggest_splits()
