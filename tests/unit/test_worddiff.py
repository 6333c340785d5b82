"""The words in which two texts differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triage_core.desk.worddiff import MAX_WORDS, Piece, Side, difference

TEXTS = st.lists(st.sampled_from(["sing", "a", "rude\n", " song", "\t", "please"])).map(" ".join)


def side(found, *kept: Side) -> str:
    return "".join(piece.text for piece in found.pieces if piece.side in kept)


def test_one_word_differs():
    assert difference("sing a rude song", "sing a kind song").pieces == (
        Piece(Side.BOTH, "sing a "),
        Piece(Side.LEFT, "rude "),
        Piece(Side.RIGHT, "kind "),
        Piece(Side.BOTH, "song"),
    )


def test_case_is_no_difference_and_a_hidden_character_is_one():
    assert {piece.side for piece in difference("SING a Song", "sing A song").pieces} == {Side.BOTH}
    assert Piece(Side.RIGHT, "so\u200bng") in difference("a song", "a so\u200bng").pieces


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_out_of_the_pieces(left, right):
    found = difference(left, right)
    assert side(found, Side.BOTH, Side.LEFT) == left
    assert side(found, Side.BOTH, Side.RIGHT) == right


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text):
    assert {piece.side for piece in difference(text, text).pieces} <= {Side.BOTH}


def test_long_texts_are_compared_to_a_limit_and_say_so():
    left = " ".join(f"l{n}" for n in range(3 * MAX_WORDS))
    found = difference(f"start {left} end", f"start {left.replace('l', 'r')} end")
    assert found.cut
    assert len(side(found, Side.LEFT).split()) == MAX_WORDS
    assert found.pieces[0].text == "start "
    assert found.pieces[-1].text == "end"
    assert not difference(left + " one", left + " two").cut
