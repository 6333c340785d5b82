"""Hashes of texts that are put together of pieces: those of hashlib."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triage_core.exporters.digests import sha256


@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.integers(0, 6), st.integers(0, 5), st.data()
)
def test_each_text_has_the_hash_of_its_pieces(
    pieces: list[bytes], texts: int, length: int, data: st.DataObject
) -> None:
    bounds = np.cumsum([0, *map(len, pieces)])
    number = st.integers(0, len(pieces) - 1)
    chosen = data.draw(
        st.lists(st.lists(number, min_size=length, max_size=length), min_size=texts, max_size=texts)
    )
    buffer = np.frombuffer(b"".join(pieces), np.uint8)
    found = sha256(buffer, bounds, np.array(chosen, np.int64).reshape(texts, length))
    wanted = [hashlib.sha256(b"".join(pieces[one] for one in numbers)).digest() for numbers in chosen]
    assert [row.tobytes() for row in found] == wanted
