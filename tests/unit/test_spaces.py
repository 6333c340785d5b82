"""The axes as vector spaces: near to what close reading finds, whatever comes first and however it comes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.unit.test_axes import QUESTIONS, WRAPPERS, embed
from triage_core.index.far_reading import PARAMS
from triage_core.likeness import lexical, sketch, spaces
from triage_core.likeness.axes import Axis
from triage_core.likeness.cluster import cluster_all
from triage_core.likeness.search import VectorIndex
from triage_core.likeness.spaces import Spaces

MORE = {
    "soap": "How do people make soap from olive oil and lye?",
    "sail": "Which cloth is best for the sail of a toy ship?",
    "bees": "When do bees leave the hive in early spring?",
    "clock": "Why does my grandfather clock lose a minute each day?",
    "paint": "What colour do blue and yellow paint make together?",
    "tent": "How can I dry a wet tent inside a small flat?",
}
ASKED = {**QUESTIONS, **MORE}
TOLD = [(wrapper, asked) for wrapper in WRAPPERS for asked in ASKED]


def text_of(told: tuple[str, str]) -> str:
    return WRAPPERS[told[0]] + ASKED[told[1]]


def read(texts: Sequence[str], at_once: int = 7, together: int = 0) -> Spaces:
    """Spaces that hold these texts: the first `together` read with each other, then in batches of `at_once`."""
    held = Spaces(64)
    grams: list[spaces.Grams] = []
    starts = [*range(0, together, together or 1), *range(together, len(texts), at_once)]
    for start, stop in pairwise([*starts, len(texts)]):
        documents = [spaces.document(text) for text in texts[start:stop]]
        grams += [item.grams for item in documents]
        passages = sketch.decoded(np.stack([item.passages for item in documents]))
        held.passages.add(passages)
        mates = held.mates(passages, np.arange(start, stop), stop <= together)
        spans = [
            spaces.divided(item, [grams[row] for row in rows])
            for item, rows in zip(documents, mates, strict=True)
        ]
        meaning = embed([item.text for item in documents])
        held.add(spaces.readings(documents, spans, meaning, embed), meaning)
    return held


def shuffled(seed: int) -> list[tuple[str, str]]:
    told = list(TOLD)
    random.Random(seed).shuffle(told)
    return told


def labels(held: Spaces, axis: Axis) -> list[int]:
    return cluster_all(held.laid(axis, np.arange(len(held))), PARAMS[axis]).labels().tolist()


def test_a_technique_is_found_around_other_requests_and_a_request_in_other_wrappers() -> None:
    told = shuffled(0)
    held = read([text_of(item) for item in told])
    for axis, part, most in ((Axis.TECHNIQUE, 0, len(ASKED) - 1), (Axis.REQUEST, 1, len(WRAPPERS) - 1)):
        right = [
            [told[near][part] == told[row][part] for near, _ in held.neighbours(row, axis, most)]
            for row in range(len(told))
        ]
        assert np.mean(right) >= 0.95
        assert adjusted_rand_score([item[part] for item in told], labels(held, axis)) >= 0.8


def test_scores_are_those_of_close_reading_give_or_take_the_sketch() -> None:
    held = read([text_of(item) for item in shuffled(1)])
    near = held.neighbours(3, Axis.TECHNIQUE, 29)
    inside, outside = [score for _, score in near[:9]], [score for _, score in near[9:]]
    assert min(inside) > 0.9
    assert max(outside) < 0.1


@pytest.mark.parametrize("at_once", [1, 5, 30])
def test_how_they_come_in_changes_nothing(at_once: int) -> None:
    texts = [text_of(item) for item in shuffled(2)]
    one, other = read(texts, at_once), read(texts)
    rows = np.arange(len(texts))
    for axis in Axis:
        np.testing.assert_array_equal(one.index[axis].vectors(rows), other.index[axis].vectors(rows))
        assert labels(one, axis) == labels(other, axis)


def test_ten_orders_agree() -> None:
    found: dict[Axis, list[list[int]]] = {axis: [] for axis in Axis}
    for seed in range(10):
        told = shuffled(seed)
        held = read([text_of(item) for item in told], together=24)
        for axis in Axis:
            laid = dict(zip(told, labels(held, axis), strict=True))
            found[axis].append([laid[item] for item in TOLD])
    # No two are one report here; see below.
    for axis in (Axis.TECHNIQUE, Axis.REQUEST):
        assert min(adjusted_rand_score(found[axis][0], other) for other in found[axis]) >= 0.98


def test_ten_orders_agree_on_edited_copies() -> None:
    endings = ("", " Thank you.", " Please hurry, I am late.", " A friend of mine wants to know as well.")
    told = [(item, ending) for item in list(zip(WRAPPERS, ASKED, strict=False)) for ending in endings]
    found = []
    for seed in range(10):
        order = random.Random(seed).sample(range(len(told)), len(told))
        held = read([text_of(told[at][0]) + told[at][1] for at in order])
        laid = dict(zip(order, labels(held, Axis.WHOLE), strict=True))
        found.append([laid[at] for at in range(len(told))])
    assert adjusted_rand_score([item[0] for item, _ in told], found[0]) >= 0.98
    assert min(adjusted_rand_score(found[0], other) for other in found) >= 0.98


def test_one_wrapper_around_two_requests_is_not_one_report() -> None:
    told = shuffled(3)
    held = read([text_of(item) for item in told])
    whole = held.laid(Axis.WHOLE, np.arange(len(told)))
    alike = [
        float(whole[a] @ whole[b])
        for a in range(20, len(told))
        for b in range(20, a)
        if told[a][0] == told[b][0]
    ]
    assert max(alike) < PARAMS[Axis.WHOLE].join


def test_a_text_that_is_not_held_is_read_like_one_that_is() -> None:
    texts = [text_of(item) for item in shuffled(4)]
    held, last = read(texts[:-1]), spaces.document(texts[-1])
    mates = held.mates(sketch.decoded(last.passages[None]), np.array([len(held)]))[0]
    spans = spaces.divided(last, [spaces.grams(texts[row]) for row in mates])
    meaning = embed([texts[-1]])
    asked = held.neighbours_of(spaces.readings([last], [spans], meaning, embed), meaning, Axis.TECHNIQUE, 5)
    told = read(texts).neighbours(len(texts) - 1, Axis.TECHNIQUE, 5)
    assert [row for row, _ in asked] == [row for row, _ in told]
    assert [score for _, score in asked] == pytest.approx([score for _, score in told], abs=1e-5)


def test_bytes_hold_a_sketch_exactly() -> None:
    rng = np.random.default_rng(0)
    codes = sketch.coded(rng.standard_normal((70, 32)).astype(np.float32))
    vectors = sketch.decoded(codes)
    np.testing.assert_array_equal(sketch.coded(vectors), codes)
    index = VectorIndex(32, coded=True)
    index.add(vectors)
    np.testing.assert_allclose(index.vectors(np.arange(70)), vectors, rtol=1e-6)
    assert index.top_k(vectors[5:6], 1)[1].tolist() == [[5]]
    assert index.nbytes < in_full(vectors).nbytes


def in_full(vectors: spaces.Vectors) -> VectorIndex:
    index = VectorIndex(vectors.shape[1])
    index.add(vectors)
    return index


def test_a_sketch_keeps_the_likeness_of_passages() -> None:
    copy = WRAPPERS["chess"].replace("Black", "Brown").replace("White", "Grey")
    other = WRAPPERS["cookbook"]
    one, near, far = (sketch.passages(lexical.tokenize(text)) for text in (WRAPPERS["chess"], copy, other))
    assert float(one @ near) > 0.4
    assert abs(float(one @ far)) < 0.2


def test_bytes_are_added_as_what_they_stand_for() -> None:
    codes = sketch.coded(np.random.default_rng(1).standard_normal((70, 32)).astype(np.float32))
    codes[3] = 0
    index, other = VectorIndex(32, coded=True), VectorIndex(32, coded=True)
    index.add_coded(codes)
    other.add(sketch.decoded(codes))
    rows = np.arange(70)
    np.testing.assert_allclose(index.vectors(rows), other.vectors(rows), atol=1e-6)
    np.testing.assert_array_equal(index.vectors(rows)[5:9], index.vectors(rows[5:9]))
    np.testing.assert_array_equal(index.vectors(rows[::-1])[::-1], index.vectors(rows))
    query = sketch.decoded(codes[5:6])
    assert index.top_k(query, 5)[1].tolist() == other.top_k(query, 5)[1].tolist()
    with pytest.raises(ValueError, match="bytes"):
        in_full(sketch.decoded(codes)).add_coded(codes)
