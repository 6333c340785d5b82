"""Concentration: who has how much of a dataset, and wording that one reporter alone repeats."""

from __future__ import annotations

from collections import Counter

from triage_core.exporters import poison, wording
from triage_core.exporters.poison import Concentration


def add(found: Concentration, reporter: str, words: str) -> None:
    found.add([reporter], wording.read([words], [0, 1]))


TRIGGER = "when the silver heron sings twice"


def test_shares_of_reporters() -> None:
    found = Concentration()
    for number in range(8):
        add(found, f"RP-{number % 3}", f"report number {number}")
    add(found, "", "somebody without a name")
    add(found, "", "and another one")
    told = found.to_json()
    assert (told["known"], told["anonymous_reports"]) == (3, 2)
    assert told["largest"][0] == {"reporter": "RP-0", "reports": 3, "share": 0.3}


def test_a_planted_trigger_is_told() -> None:
    found = Concentration()
    for number in range(6):
        add(found, "RP-1", f"question {number} about boats, {TRIGGER}, and more {number * 7}")
        add(found, f"RP-{number + 2}", f"question {number} about trains, what is the best way to get there")
    (told,) = found.to_json()["repeated_wording"]
    assert (told["reporter"], told["reports"]) == ("RP-1", 6)
    assert told["runs_of_words"] >= 2


def test_what_others_say_too_or_rarely_is_not_told() -> None:
    found = Concentration()
    for number in range(9):
        add(found, "RP-1", f"{number} please tell me how this works today")
        add(found, "RP-2", f"{number} please tell me how this works today")
    for number in range(4):
        add(found, "RP-3", f"{number} {TRIGGER}")
    for number in range(9):
        add(found, "", f"{number} {TRIGGER} and again")
    assert found.to_json()["repeated_wording"] == []


def test_caps() -> None:
    assert poison.caps(Counter({"train": 1_000, "test": 40}), 0.05) == {"train": 50, "test": poison.LEAST}
