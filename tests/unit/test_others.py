"""The values that a list leaves out, as a text in the address."""

from __future__ import annotations

import pytest

from ui import others


@pytest.mark.parametrize(
    "values",
    [["4.1"], ["a, b", 'the "c"', " d "], ["", "two\nlines"], ["'=1+1", "![x](http://example.org)"]],
)
def test_what_is_written_is_what_is_read(values: list[str]) -> None:
    written = others.without("version", values)
    assert written["other"] == "version"
    assert others.left_out("version", written["without"]) == values


def test_our_own_values_stand_under_their_words() -> None:
    written = others.without("harm", ["misinformation", ""])["without"]
    assert written == '"Misinformation","(none named)"'
    assert others.left_out("harm", written) == ["misinformation", ""]


def test_what_somebody_types_needs_no_quotation_marks() -> None:
    assert others.left_out("product", "Chat, Agent") == ["Chat", "Agent"]
    assert others.left_out("product", "") == []
    assert others.left_out("product", "a\nb") == ["a\nb"]
