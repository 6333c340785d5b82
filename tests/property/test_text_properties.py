"""Laws of the text functions, over texts rich in what is hidden."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.hostile_corpus import HOSTILE
from triage_core.text import canonical, hidden_characters, reveal

AWKWARD = st.sampled_from(
    "\u200b\u200d\u202e\ufe0f\u2764\U0001f469⟦⟧\r\n\t \x00\x85\u2028\u00ad\ufeff\uffa0\u1100\u0345\u0301"
    "\u0130\u03c2\ufb01\U000e0041\U000e0001\U000e0100\ud83d\udc00aA\u212b\u1e9b\u0323"
)
TEXTS = st.one_of(
    st.text(),
    st.text(AWKWARD),
    st.text(st.one_of(AWKWARD, st.characters())),
    st.lists(st.sampled_from(list(HOSTILE.values())).map(lambda text: text[:200]), max_size=3).map("".join),
)


@given(TEXTS)
def test_canonical_is_idempotent_and_hides_nothing(text: str) -> None:
    form = canonical(text)
    assert canonical(form) == form
    assert hidden_characters(form) == ()
    assert form == " ".join(form.split())


@given(TEXTS)
def test_canonical_ignores_case_of_ascii_and_hidden_characters(text: str) -> None:
    assert canonical("\u200b".join(text) if text.isascii() else f"\u2060{text}\U000e0041") == canonical(text)
    if text.isascii():
        assert canonical(text.upper()) == canonical(text)


@given(TEXTS, TEXTS)
def test_reveal_never_makes_two_texts_look_the_same(one: str, other: str) -> None:
    assert (reveal(one) == reveal(other)) == (one == other)


@given(TEXTS)
def test_revealed_text_can_be_shown_and_hides_nothing(text: str) -> None:
    shown = reveal(text)
    assert hidden_characters(shown) == ()
    assert shown.encode().decode() == shown
    if not hidden_characters(text) and "⟦" not in text:
        assert shown == text


@given(TEXTS)
def test_findings_cover_hidden_characters_in_order_without_overlap(text: str) -> None:
    done = 0
    for run in hidden_characters(text):
        assert run.length > 0
        assert run.start >= done
        done = run.start + run.length
    assert done <= len(text)
