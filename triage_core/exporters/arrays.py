"""What lies beneath an Arrow column of texts, for loops that read bytes, and numbers in the place of texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

TEXT = pa.large_string()
"""A column of texts that may hold more than 2 GB."""


def held(texts: pa.Array) -> tuple[Bytes, Places]:
    """The bytes of a column of type `TEXT`, text i from bounds[i] to bounds[i + 1]; nothing is copied."""
    if not len(texts):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8), bounds


def numbered(texts: pa.Array, known: dict[str, int]) -> Places:
    """(n,) the number of each text; one that is not `known` yet gets the next number there."""
    found = texts.dictionary_encode()
    numbers = [known.setdefault(text, len(known)) for text in found.dictionary.to_pylist()]
    return np.asarray(np.array(numbers, np.int64)[found.indices.to_numpy()])


def apart(places: Places, sizes: Places, limit: int) -> list[Places]:
    """The places in runs whose sizes come to about the limit each."""
    ends = np.cumsum(sizes)
    return [run for run in np.split(places, np.flatnonzero(np.diff(ends // limit)) + 1) if len(run)]
