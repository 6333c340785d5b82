"""The door for untrusted text: what reaches Streamlit is a code block, a cell or a Markdown code span."""

from __future__ import annotations

from typing import Any

import pytest
from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from tests.hostile_corpus import BEACON, HOSTILE, REFUSED
from triage_core.text import hidden_characters, reveal
from ui.hostile import LONG_TEXT, inline, plain

ALL = {**HOSTILE, **REFUSED}


def _page(turns: list[tuple[str, str]]) -> None:
    from triage_core.model import Turn, TurnRole
    from ui import hostile

    hostile.conversation([Turn(TurnRole(role), content) for role, content in turns], key="c")


def page(*turns: tuple[str, str]) -> AppTest:
    app = AppTest.from_function(_page, args=(list(turns),)).run(timeout=30)
    assert not app.exception
    return app


def our_words(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in app.caption)


def test_hostile_turns_are_shown_as_code_and_nowhere_else() -> None:
    app = page(*(("user", text) for text in ALL.values()))
    assert {element.type for element in app.main} <= {"main", "caption", "code", "toggle"}
    assert {code.language for code in app.code} == {"plaintext"}
    cut = [
        reveal(text) if len(text) <= LONG_TEXT else reveal(text[:LONG_TEXT]) + " …" for text in ALL.values()
    ]
    assert [code.value for code in app.code] == cut
    assert BEACON not in our_words(app)
    assert BEACON not in "".join(toggle.label for toggle in app.toggle)


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        (HOSTILE["unicode tags"], "26 tag"),
        (HOSTILE["bidi override"], "2 text direction"),
        ("a\u200b\u202eb\u200b", "2 zero-width, 1 text direction"),
    ],
    ids=["tags", "bidi", "mixed"],
)
def test_hidden_characters_are_counted_under_the_text(text: str, notice: str) -> None:
    assert notice in our_words(page(("user", text)))


def test_honest_text_comes_without_a_notice() -> None:
    assert "Hidden" not in our_words(page(("user", "nothing to see")))


def test_long_turns_are_cut_until_asked_for() -> None:
    text = "word " * LONG_TEXT
    app = page(("user", text), ("assistant", text))
    app.toggle[0].set_value(True).run()
    assert app.code[0].value == text
    assert len(app.code[1].value) < LONG_TEXT + 10


def test_roles_and_emptiness_are_named() -> None:
    words = our_words(page(("system", "x"), ("user", "x"), ("assistant", ""), ("tool", "x")))
    assert [role for role in ("System", "User", "Assistant", "Empty", "Tool") if role not in words] == []
    assert "No conversation" in our_words(page())


@pytest.mark.parametrize("name", ALL)
def test_inline_is_one_short_line_that_hides_nothing(name: str) -> None:
    line = inline(ALL[name], 60)
    assert len(line) <= 60
    assert line.splitlines() == [line]
    assert hidden_characters(line) == ()
    assert line.encode()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("around", ["{}", "Duplicate of {} since Monday", "**{}**"])
def test_plain_is_a_code_span_wherever_it_stands(name: str, around: str) -> None:
    tokens: list[Any] = MarkdownIt("gfm-like", {"linkify": False}).parse(around.format(plain(ALL[name])))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    spans = [token for token in tokens[1].children if token.type == "code_inline"]
    assert [span.content for span in spans] == [inline(ALL[name], 200)]
    assert {token.type for token in tokens[1].children} <= {
        "text",
        "code_inline",
        "strong_open",
        "strong_close",
    }


def test_nothing_stays_nothing() -> None:
    assert inline(" \n ") == plain(" \n ") == ""
