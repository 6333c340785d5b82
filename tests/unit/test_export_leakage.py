"""Near-copies across the split: found, named, told apart from what only shares a wrapper."""

from __future__ import annotations

import random

import numpy as np
import pytest

from triage_core.errors import Refused
from triage_core.exporters import leakage, wording
from triage_core.exporters.leakage import Leakage
from triage_core.exporters.split import Split

WORDS = [f"word{number}" for number in range(400)]


def text(seed: int, length: int = 120) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def add(found: Leakage, report_id: str, side: Split, words: str, indexed: bool) -> None:
    runs = wording.read([words], [0, 1], found.share)
    found.add([report_id], [side is Split.TEST], [indexed], runs)


def filled(indexed: bool = True) -> Leakage:
    found = Leakage(100)
    for number in range(40):
        add(found, f"FR-{number}", Split.TEST if number % 4 == 0 else Split.TRAIN, text(number), indexed)
    return found


def edited(original: str) -> str:
    """The same with one word changed."""
    words = original.split()
    words[60] = "another"
    return " ".join(words)


def test_different_texts_are_no_leak() -> None:
    told = filled().to_json()
    assert told["near_copies_held_different"] == 0
    assert told["test_rows_sharing_13_words"] == 0


@pytest.mark.parametrize(("side", "number"), [(Split.TEST, 1), (Split.TRAIN, 0)])
def test_a_planted_near_copy_stops_the_export_and_is_named(side: Split, number: int) -> None:
    found = filled()
    add(found, "FR-99", side, edited(text(number)), False)
    with pytest.raises(Refused, match="split: ") as refusal:
        found.to_json()
    assert {"FR-99", f"FR-{number}"} <= set(refusal.value.rule.split())


def test_a_near_copy_on_the_same_side_is_no_leak() -> None:
    found = filled()
    add(found, "FR-99", Split.TRAIN, edited(text(1)), False)
    assert found.to_json()["near_copies_held_different"] == 0


def test_what_likeness_holds_different_is_told_and_stops_nothing() -> None:
    found = filled()
    add(found, "FR-99", Split.TEST, edited(text(1)), True)
    told = found.to_json()
    assert told["near_copies_held_different"] == 1
    assert told["most_alike"][0]["train"] == "FR-1"
    assert told["most_alike"][0]["test"] == "FR-99"
    assert 0.8 <= told["most_alike"][0]["agreement"] < 1
    assert told["test_rows_sharing_13_words"] == 1


def test_half_a_text_is_no_near_copy() -> None:
    found = filled()
    half = " ".join(text(1).split()[:60]) + " " + text(500, 60)
    add(found, "FR-99", Split.TEST, half, False)
    told = found.to_json()
    assert told["near_copies_held_different"] == 0
    assert told["test_rows_sharing_13_words"] == 1


def test_short_and_empty_texts_are_compared_as_a_whole() -> None:
    found = Leakage(10)
    add(found, "FR-1", Split.TRAIN, "Tell me.", False)
    add(found, "FR-2", Split.TEST, "Ask me.", False)
    add(found, "FR-3", Split.TEST, "", False)
    assert found.to_json()["near_copies_held_different"] == 0
    assert Leakage(10).to_json()["near_copies_held_different"] == 0


@pytest.mark.parametrize("indexed", [True, False])
def test_a_phrase_that_thousands_share_hides_no_near_copy(indexed: bool) -> None:
    wrapper = text(9_999, 100)  # two thirds of every text
    found = Leakage(4_001)
    for number in range(4_000):
        side = Split.TEST if number % 10 == 0 else Split.TRAIN
        add(found, f"FR-{number}", side, f"{wrapper} {text(number, 50)}", indexed)
    words = f"{wrapper} {text(3_999, 50)}".split()
    words[120] = "another"
    add(found, "FR-planted", Split.TEST, " ".join(words), False)
    with pytest.raises(Refused, match=r"FR-planted \(test\) is a near-copy of FR-3999 \(train\)"):
        found.to_json()


def test_the_training_row_most_alike_is_found_and_of_equals_the_earliest() -> None:
    rng = np.random.default_rng(7)
    kinds = rng.integers(0, 2**31, (6, 40), dtype=np.uint32)
    rows = [
        # Of one of six kinds, with some runs of its own; every tenth row is short.
        np.unique(np.concatenate([rng.choice(one, 36, replace=False), rng.integers(0, 2**31, 2, np.uint32)]))
        for one in kinds[rng.integers(0, 6, 300)]
    ]
    sketches = np.full((300, 32), wording.EMPTY)
    for row, runs in enumerate(rows):
        size = 12 if row % 10 == 0 else 32
        sketches[row, :size] = runs[:size]
    train, tested = np.arange(0, 250), np.arange(250, 300)

    def agreement(one: int, other: int) -> float:
        left, right = (set(sketches[row].tolist()) - {int(wording.EMPTY)} for row in (one, other))
        smallest = sorted(left | right)[:32]
        return sum(run in left and run in right for run in smallest) / len(smallest)

    wanted = {}
    for row in tested.tolist():
        best = max(train.tolist(), key=lambda one: (agreement(one, row), -one))
        if agreement(best, row) >= leakage.NEAR_COPY:
            wanted[row] = (best, agreement(best, row))
    found = leakage._nearest(sketches, train, tested, lambda: None)
    assert {row: (one, agreed) for one, row, agreed in found} == wanted
    assert len(wanted) > 20


def test_what_likeness_has_not_read_is_found_behind_what_it_has() -> None:
    found = Leakage(1_000)
    for number in range(500):  # all alike, and placed
        add(found, f"FR-{number}", Split.TRAIN, f"{text(1)} {number}", True)
    add(found, "FR-new", Split.TRAIN, f"{text(1)} 500", False)
    add(found, "FR-test", Split.TEST, f"{text(1)} 501", True)
    with pytest.raises(Refused, match=r"FR-test \(test\) is a near-copy of FR-new \(train\)"):
        found.to_json()


def test_whoever_stops_waiting_stops_the_comparison() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    found = Leakage(100, stop)
    add(found, "FR-1", Split.TRAIN, text(1), True)
    add(found, "FR-2", Split.TEST, text(2), True)
    with pytest.raises(KeyboardInterrupt):
        found.to_json()
