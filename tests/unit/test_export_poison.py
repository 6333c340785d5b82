"""Concentration: who has how much of a dataset, and wording that one reporter alone repeats."""

from __future__ import annotations

from collections import Counter

from triage_core.exporters import poison
from triage_core.exporters.poison import Concentration
from triage_core.likeness.lexical import token_hashes

TRIGGER = "when the silver heron sings twice"


def test_shares_of_reporters() -> None:
    found = Concentration()
    for number in range(8):
        found.add(f"RP-{number % 3}", [token_hashes(f"report number {number}")])
    found.add("", [token_hashes("somebody without a name")])
    found.add("", [token_hashes("and another one")])
    told = found.to_json()
    assert (told["known"], told["anonymous_reports"]) == (3, 2)
    assert told["largest"][0] == {"reporter": "RP-0", "reports": 3, "share": 0.3}


def test_a_planted_trigger_is_told() -> None:
    found = Concentration()
    for number in range(6):
        found.add("RP-1", [token_hashes(f"question {number} about boats, {TRIGGER}, and more {number * 7}")])
        found.add(
            f"RP-{number + 2}",
            [token_hashes(f"question {number} about trains, what is the best way to get there")],
        )
    (told,) = found.to_json()["repeated_wording"]
    assert (told["reporter"], told["reports"]) == ("RP-1", 6)
    assert told["runs_of_words"] >= 2


def test_what_others_say_too_or_rarely_is_not_told() -> None:
    found = Concentration()
    for number in range(9):
        found.add("RP-1", [token_hashes(f"{number} please tell me how this works today")])
        found.add("RP-2", [token_hashes(f"{number} please tell me how this works today")])
    for number in range(4):
        found.add("RP-3", [token_hashes(f"{number} {TRIGGER}")])
    for number in range(9):
        found.add("", [token_hashes(f"{number} {TRIGGER} and again")])
    assert found.to_json()["repeated_wording"] == []


def test_caps() -> None:
    assert poison.caps(Counter({"train": 1_000, "test": 40}), 0.05) == {"train": 50, "test": poison.LEAST}
