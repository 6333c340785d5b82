"""Near-copies across the split: found, named, told apart from what only shares a wrapper."""

from __future__ import annotations

import random

import pytest

from triage_core.errors import Refused
from triage_core.exporters.leakage import Leakage
from triage_core.exporters.split import Split
from triage_core.likeness.lexical import token_hashes

WORDS = [f"word{number}" for number in range(400)]


def text(seed: int, length: int = 120) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def filled(indexed: bool = True) -> Leakage:
    found = Leakage(100)
    for number in range(40):
        found.add(
            f"FR-{number}",
            Split.TEST if number % 4 == 0 else Split.TRAIN,
            [token_hashes(text(number))],
            indexed,
        )
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
    found.add("FR-99", side, [token_hashes(edited(text(number)))], indexed=False)
    with pytest.raises(Refused, match="split: ") as refusal:
        found.to_json()
    assert {"FR-99", f"FR-{number}"} <= set(refusal.value.rule.split())


def test_a_near_copy_on_the_same_side_is_no_leak() -> None:
    found = filled()
    found.add("FR-99", Split.TRAIN, [token_hashes(edited(text(1)))], indexed=False)
    assert found.to_json()["near_copies_held_different"] == 0


def test_what_likeness_holds_different_is_told_and_stops_nothing() -> None:
    found = filled()
    found.add("FR-99", Split.TEST, [token_hashes(edited(text(1)))], indexed=True)
    told = found.to_json()
    assert told["near_copies_held_different"] == 1
    assert told["most_alike"][0]["train"] == "FR-1"
    assert told["most_alike"][0]["test"] == "FR-99"
    assert 0.8 <= told["most_alike"][0]["agreement"] < 1
    assert told["test_rows_sharing_13_words"] == 1


def test_half_a_text_is_no_near_copy() -> None:
    found = filled()
    half = " ".join(text(1).split()[:60]) + " " + text(500, 60)
    found.add("FR-99", Split.TEST, [token_hashes(half)], indexed=False)
    told = found.to_json()
    assert told["near_copies_held_different"] == 0
    assert told["test_rows_sharing_13_words"] == 1


def test_short_and_empty_texts_are_compared_as_a_whole() -> None:
    found = Leakage(10)
    found.add("FR-1", Split.TRAIN, [token_hashes("Tell me.")], indexed=False)
    found.add("FR-2", Split.TEST, [token_hashes("Ask me.")], indexed=False)
    found.add("FR-3", Split.TEST, [token_hashes("")], indexed=False)
    assert found.to_json()["near_copies_held_different"] == 0
    assert Leakage(10).to_json()["near_copies_held_different"] == 0
