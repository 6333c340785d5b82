"""A pasted conversation becomes turns, whichever product it was copied from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_core.channel.transcript import MOST, split

ASKED, SAID = "Book a seat.\n\nBy the window.", "Done: seat 4A."


@pytest.mark.parametrize(
    "pasted",
    [
        f"User: {ASKED}\nAssistant: {SAID}",
        f"You said:\n{ASKED}\n\nChatGPT said:\n{SAID}\n",
        f"**Human:** {ASKED}\n\n**AI:** {SAID}",
        f"## User\n\n{ASKED}\n\n## Assistant\n\n{SAID}",
        f"<|im_start|>user\n{ASKED}<|im_end|>\n<|im_start|>assistant\n{SAID}<|im_end|>",
        f"[12:03] me: {ASKED}\n[12:04] bot: {SAID}",
        f"Robin: {ASKED}\nKite Travel: {SAID}",
        f"User: {ASKED}\r\nAssistant: {SAID}".replace("\n\n", "\r\n\r\n"),
        '[{"role": "user", "content": "Book a seat.\\n\\nBy the window."},'
        ' {"role": "assistant", "content": "Done: seat 4A."}]',
    ],
)
def test_the_marks_of_many_products_are_read(pasted: str) -> None:
    assert [(turn.role, turn.content) for turn in split(pasted)] == [("user", ASKED), ("assistant", SAID)]


def test_what_marks_nobody_is_one_user_turn() -> None:
    for text in ("Just a prompt.\nOf two lines.", '{"a": 1}', "Note: a\nNote: b", "[1, 2]", "[" * 50_000):
        assert [(turn.role, turn.content) for turn in split(text)] == [("user", text)]
    assert split(" \n") == ()


def test_system_and_tool_turns_and_what_stands_before_the_first_mark() -> None:
    found = split("Yesterday:\nSystem: Be brief.\nUser: Hi\nTool: {}\nAssistant: Hello")
    assert [turn.role for turn in found] == ["user", "system", "user", "tool", "assistant"]


def test_a_word_with_a_colon_inside_a_line_marks_nobody() -> None:
    assert len(split("User: tell me, user: what is a bot: a thing?\nAssistant: yes")) == 2


@given(st.text(st.sampled_from("User:Assistant \n*#[]{}<|>ab"), max_size=300))
def test_no_text_breaks_it_or_gives_a_blank_turn(text: str) -> None:
    found = split(text)
    assert len(found) <= MOST
    assert all(turn.content.strip() for turn in found)
    assert bool(found) == bool(text.strip()) or "[" in text or ":" in text or "#" in text


def test_many_turns_end_in_the_last() -> None:
    assert len(split("User: a\nAssistant: b\n" * 500)) == MOST
