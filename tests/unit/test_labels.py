"""Words that tell a cluster from the others."""

from __future__ import annotations

from triage_core.likeness.labels import Spread, distinctive, spread

OTHERS = spread([f"the weather of town number {n} and what people say of it" for n in range(40)])


def label(*texts: str, size: int = 4, others: Spread = OTHERS) -> str:
    return distinctive({"one": texts}, size, others)["one"]


def test_words_that_most_members_have_and_few_others_come_in_reading_order() -> None:
    songs = [f"zoom to the old lighthouse and sing of weather {n}" for n in ("red", "blue", "green")]
    assert label(*songs) == "zoom old lighthouse sing"


def test_forms_of_one_word_count_once() -> None:
    assert label("archive archived archives caution cautions decoded decode") == "archive caution decoded"


def test_no_word_in_common_is_no_label() -> None:
    assert label("first thing", "second matter", "third issue") == ""
