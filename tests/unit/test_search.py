"""Exact nearest neighbours: against plain arithmetic, in every size, while somebody writes."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from triage_core.likeness import kernels
from triage_core.likeness.search import CHUNK, TOGETHER, VectorIndex

DIM = 16


def unit(rng: np.random.Generator, rows: int, dim: int = DIM) -> NDArray[np.float32]:
    vectors = rng.normal(size=(rows, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def brute(vectors: NDArray[np.float32], query: NDArray[np.float32], k: int) -> list[int]:
    """The rows of the k best float32 cosines, lower rows first among equals."""
    cosines = (vectors.astype(np.float64) * query.astype(np.float64)).sum(axis=1).astype(np.float32)
    return np.lexsort((np.arange(len(vectors)), -cosines))[:k].tolist()


@pytest.mark.parametrize("rows", [1, 7, 64, 65, 3_000, CHUNK + 500])
@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize("asked", [5, TOGETHER + 1])
def test_top_k_is_what_plain_arithmetic_finds(rows: int, k: int, asked: int) -> None:
    rng = np.random.default_rng(rows)
    vectors = unit(rng, rows)
    index = VectorIndex(DIM)
    index.add(vectors)
    queries = unit(rng, asked)
    scores, found = index.top_k(queries, k)
    for number, query in enumerate(queries):
        expected = brute(vectors, query, k)
        assert found[number, : len(expected)].tolist() == expected
        np.testing.assert_allclose(scores[number, : len(expected)], vectors[expected] @ query, atol=1e-6)


def test_fewer_rows_than_asked_for_leave_gaps() -> None:
    index = VectorIndex(DIM)
    rng = np.random.default_rng(0)
    query = unit(rng, 1)
    assert index.top_k(query, 2)[1].tolist() == [[-1, -1]]
    index.add(query)
    scores, rows = index.top_k(query, 2)
    assert rows.tolist() == [[0, -1]]
    assert scores[0, 0] == pytest.approx(1)
    assert scores[0, 1] == -np.inf


def test_equal_rows_come_in_order_of_arrival() -> None:
    rng = np.random.default_rng(1)
    vectors = np.repeat(unit(rng, 3), 50, axis=0)
    index = VectorIndex(DIM)
    index.add(vectors)
    assert index.top_k(vectors[50:51], 7)[1].tolist() == [[50, 51, 52, 53, 54, 55, 56]]


@pytest.mark.parametrize("times", [1, TOGETHER])
def test_before_hides_later_rows(times: int) -> None:
    rng = np.random.default_rng(2)
    vectors = unit(rng, 200)
    index = VectorIndex(DIM)
    index.add(vectors)
    limits = np.array([0, 3, 100] * times)
    _, rows = index.top_k(np.tile(vectors[:3], (times, 1)), 5, before=limits)
    assert rows[0].tolist() == [-1] * 5
    assert rows[1].tolist() == [*brute(vectors[:3], vectors[1], 3), -1, -1]
    assert rows[2].tolist() == brute(vectors[:100], vectors[2], 5)


def test_a_pair_has_one_score_whatever_else_is_asked() -> None:
    rng = np.random.default_rng(3)
    vectors = unit(rng, 500)
    index = VectorIndex(DIM)
    index.add(vectors)
    together, _ = index.top_k(vectors[:20], 30)
    for number in range(20):
        alone, _ = index.top_k(vectors[number : number + 1], 5)
        assert alone[0].tobytes() == together[number, :5].tobytes()
        above, _ = index.above(vectors[number], float(alone[0, -1]))
        assert above[:5].tobytes() == alone[0].tobytes()


@pytest.mark.parametrize("floor", [-1.0, 0.3, 0.7, 0.999])
def test_above_finds_all_and_only_what_reaches_the_floor(floor: float) -> None:
    rng = np.random.default_rng(4)
    vectors = unit(rng, 2_000, 6)
    index = VectorIndex(6)
    assert len(index.above(vectors[0], floor)[1]) == 0
    index.add(vectors)
    scores, rows = index.above(vectors[9], floor)
    cosines = (vectors.astype(np.float64) @ vectors[9]).astype(np.float32)
    assert sorted(rows.tolist()) == np.flatnonzero(cosines >= floor).tolist()
    assert (np.diff(scores) <= 0).all()


def test_full_vectors_can_live_in_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    vectors = unit(rng, CHUNK + 10)
    held, filed = VectorIndex(DIM), VectorIndex(DIM, tmp_path)
    for index in (held, filed):
        index.add(vectors[:100])
        index.add(vectors[100:])
    rows = np.array([3, CHUNK + 9, 0, 99])
    assert np.array_equal(filed.vectors(rows), vectors[rows])
    assert np.array_equal(filed.top_k(vectors[:4], 9)[1], held.top_k(vectors[:4], 9)[1])
    assert held.nbytes - filed.nbytes == 2 * CHUNK * DIM * 4
    assert list(tmp_path.iterdir()) == [], "the file has no name, so that nothing stays behind"


@pytest.mark.parametrize(
    "vectors",
    [
        np.ones((2, DIM), dtype=np.float32),
        np.full((1, DIM), np.nan, dtype=np.float32),
        np.zeros((1, DIM + 1), dtype=np.float32),
        np.zeros(DIM, dtype=np.float32),
    ],
)
def test_what_is_no_row_of_unit_vectors_is_refused(vectors: NDArray[np.float32]) -> None:
    index = VectorIndex(DIM)
    with pytest.raises(ValueError, match="vectors"):
        index.add(vectors)
    assert len(index) == 0


def test_readers_see_only_complete_rows_while_a_writer_adds() -> None:
    rng = np.random.default_rng(6)
    vectors = unit(rng, 20_000)
    index = VectorIndex(DIM)
    index.add(vectors[:1])
    wrong: list[str] = []
    done = threading.Event()

    def read(seed: int) -> None:
        mine = np.random.default_rng(seed)
        while not done.is_set():
            query = vectors[mine.integers(len(vectors))]
            scores, rows = index.top_k(query[None], 3)
            found = rows[0][rows[0] >= 0]
            if not np.allclose(scores[0, : len(found)], vectors[found] @ query, atol=1e-5):
                wrong.append(f"{rows} {scores}")

    readers = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
    for reader in readers:
        reader.start()
    for start in range(1, len(vectors), 97):
        index.add(vectors[start : start + 97])
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(index) == len(vectors)


@pytest.mark.skipif(not kernels.COMPILED, reason="numba is not installed")
def test_the_compiled_scan_is_the_one_in_numpy() -> None:
    rng = np.random.default_rng(7)
    rows = 1_000
    codes = rng.integers(-127, 128, (rows, DIM)).astype(np.int8)
    scales = rng.random(rows).astype(np.float32)
    errors = rng.random(rows).astype(np.float32)
    query = rng.integers(-32_000, 32_000, DIM).astype(np.int16)
    answers = []
    for scan in (kernels.scan, kernels._scan_numpy):
        near = np.empty(rows, dtype=np.float32)
        low, high = np.empty((2, -(-rows // kernels.GROUP)), dtype=np.float32)
        scan(codes, scales, errors, query, 1e-5, 0.25, near, low, high)
        answers.append(np.concatenate([near, low, high]))
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-5, atol=1e-5)
