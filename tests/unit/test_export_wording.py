"""Runs of words as hashes: the same tokens as likeness reads, and the same without numba."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.architecture.source import REPOSITORY
from triage_core.exporters import wording
from triage_core.exporters.wording import EMPTY, WHOLE
from triage_core.likeness.lexical import chain, tokenize

TEXTS = st.text(st.sampled_from("aÄß1_ .,!?東京é\u0301\n\t\U0001f642\U00020000"), max_size=60)


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_runs_are_equal_where_the_tokens_are(texts: list[str]) -> None:
    runs = wording.read(texts, [0, len(texts)])
    lengths = {len(tokenize(text).hashes) for text in texts}
    expected = [chain(tokenize(text).hashes, min(5, len(tokenize(text).hashes) or 5)) for text in texts]
    known = [value for part in expected for value in part.tolist()]
    assert len(runs.five) == len(known)
    names = defaultdict(set)
    for ours, theirs in zip(runs.five.tolist(), known, strict=True):
        names[theirs].add(ours)
    assert all(len(values) == 1 for values in names.values())
    assert len(set(runs.five.tolist())) == len(names)
    long = sum(max(0, length - 12) for length in (len(tokenize(text).hashes) for text in texts))
    assert len(runs.thirteen) == long
    assert (runs.five >= WHOLE).any() == any(0 < length < 5 for length in lengths)


def test_reports_keep_their_texts_apart() -> None:
    one, other = "a b c d e f", "g h"
    runs = wording.read([one, other, one], [0, 2, 3])
    assert runs.five_from.tolist() == [0, 3, 5]
    assert runs.five[:2].tolist() == runs.five[3:].tolist()


def test_a_share_of_the_long_runs_is_the_same_everywhere() -> None:
    words = [f"word{number}" for number in range(2_000)]
    whole = wording.read([" ".join(words)], [0, 1])
    part = wording.read([" ".join(words)], [0, 1], share=10)
    assert part.thirteen.tolist() == [value for value in whole.thirteen.tolist() if value < 2**64 // 10]
    assert 100 < len(part.thirteen) < 300
    assert part.five.tolist() == whole.five.tolist()


def test_the_smallest_hashes_are_distinct_and_ascend() -> None:
    runs = wording.read(["a b c d e " * 20, "", " ".join(map(str, range(200)))], [0, 1, 2, 3])
    found = wording.smallest(runs, 32)
    assert (found[0] != EMPTY).sum() == 5
    assert (found[1] == EMPTY).all()
    assert found[2].tolist() == (np.unique(runs.five[runs.five_from[2] :])[:32] >> 32).tolist()


# On both sides of the limit below which enough are looked for first.
LOW_OR_HIGH = st.integers(0, 40) | st.integers(2**31 - 20, 2**31 - 1)


@given(st.lists(st.lists(LOW_OR_HIGH, max_size=60), max_size=4), st.integers(2, 9))
def test_of_hashes_that_come_again_in_any_order_each_is_kept_once(rows: list[list[int]], count: int) -> None:
    bounds = np.cumsum([0, *map(len, rows)])
    hashes = np.array([one << 32 for row in rows for one in row], np.uint64)
    found = wording.smallest(wording.Runs(hashes, bounds, hashes, bounds), count)
    for row, kept in zip(rows, found, strict=True):
        wanted = sorted(set(row))[:count]
        assert kept.tolist() == wanted + [int(EMPTY)] * (count - len(wanted))


def test_without_numba_the_hashes_are_the_same() -> None:
    program = """
from tests.hostile_corpus import HOSTILE
from triage_core.exporters import wording
from triage_core.likeness import kernels
print(kernels.COMPILED)
texts = list(HOSTILE.values())
runs = wording.read(texts, list(range(len(texts) + 1)), 3)
print(runs.five.tolist(), runs.thirteen.tolist(), wording.smallest(runs, 8).tolist())
"""
    without = 'import sys; sys.modules["numba"] = None'
    outputs = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", first + program],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        for first in ("", without)
    ]
    assert outputs[1][0] == "False"
    assert outputs[0][1:] == outputs[1][1:]
