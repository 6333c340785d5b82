"""The runs of words in many texts as hashes, for whatever compares rows by their wording.

    runs = read(texts, [0, 2, 3], share=1)      # two reports: texts 0 and 1, text 2
    runs.five[runs.five_from[0] : runs.five_from[1]]

One pass over the characters: words and single signs are tokens, lower case, as in likeness/lexical.py. Compiled
where numba is installed; else the same in Python, many times slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core.exporters.arrays import TEXT, Places, held
from triage_core.likeness.kernels import compiled

Hashes = NDArray[np.uint64]
Sketches = NDArray[np.uint32]

FIVE, THIRTEEN = 5, 13
WHOLE = np.uint64(1 << 63)
"""Set in the hash of a whole text that is shorter than a run of five tokens."""
EMPTY = np.uint32(2**32 - 1)
"""Stands in a sketch where a text has no more runs."""

_SPACE, _WORD, _SIGN = 0, 1, 2
_CHARACTERS = 0x34000  # beyond them there are neither letters nor spaces
_MIX = 0x9E3779B97F4A7C15
_LEAVES_FIVE, _LEAVES_THIRTEEN = pow(_MIX, FIVE, 2**64), pow(_MIX, THIRTEEN, 2**64)


@dataclass(frozen=True, slots=True)
class Runs:
    """Of report i the runs of five tokens, with repetitions: `five[five_from[i]:five_from[i + 1]]`; thirteen alike."""

    five: Hashes
    five_from: Places
    thirteen: Hashes
    thirteen_from: Places

    def __len__(self) -> int:
        return len(self.five_from) - 1


def read(texts: Sequence[str] | pa.Array, starts: Sequence[int] | Places, share: int = 1) -> Runs:
    """The runs of reports of which number i has the texts starts[i] to starts[i + 1].

    A text of fewer than five tokens counts as one run, marked by `WHOLE`. Of the runs of thirteen only those are
    given whose hash is among the lowest, one of `share`: everywhere the same ones.
    """
    data, bounds = held(texts if isinstance(texts, pa.Array) else pa.array(texts, TEXT))
    reports = np.asarray(starts, np.int64)
    # A run ends with a token, and a token has a byte at least.
    most = int(bounds[reports[-1]] - bounds[reports[0]]) + 1
    five, thirteen = np.empty(most, np.uint64), np.empty(most, np.uint64)
    five_from, thirteen_from = np.zeros(len(reports), np.int64), np.zeros(len(reports), np.int64)
    kinds, lower = _tables()
    limit = np.uint64((2**64 - 1) // share)
    with np.errstate(over="ignore"):  # hashes run over where they are not compiled, too
        _read(data, bounds, reports, kinds, lower, limit, five, five_from, thirteen, thirteen_from)
    return Runs(five[: five_from[-1]].copy(), five_from, thirteen[: thirteen_from[-1]].copy(), thirteen_from)


def smallest(runs: Runs, count: int) -> Sketches:
    """(reports, count) the smallest distinct hashes of the runs of five of each report, ascending, then `EMPTY`.

    Their upper 32 bits, which tell two runs apart but for one pair in a billion.
    """
    found = np.full((len(runs), count), EMPTY)
    _smallest(runs.five, runs.five_from, found)
    return found


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """For each character whether it is white space, part of a word or a sign, and its lower case."""
    # Room for two, since the lower case of some has two: those stay as they are.
    characters = np.array([chr(number) for number in range(_CHARACTERS)], "U2")
    words = np.strings.isalnum(characters) | (characters == "_")
    kinds = np.where(words, _WORD, np.where(np.strings.isspace(characters), _SPACE, _SIGN)).astype(np.uint8)
    lower = np.arange(_CHARACTERS, dtype=np.uint32)
    small = np.strings.lower(characters)
    single = words & (np.strings.str_len(small) == 1)
    lower[single] = small[single].astype("U1").view(np.uint32)
    return kinds, lower


@compiled
def _read(
    data: NDArray[np.uint8],
    bounds: Places,
    reports: Places,
    kinds: NDArray[np.uint8],
    lower: NDArray[np.uint32],
    limit: np.uint64,
    five: Hashes,
    five_from: Places,
    thirteen: Hashes,
    thirteen_from: Places,
) -> None:
    mix, shift, high = np.uint64(_MIX), np.uint64(29), np.uint64(1 << 63)
    # A run is a polynomial of its tokens, so that the next one follows from the last: one token in, one out.
    out_of_five, out_of_thirteen = np.uint64(_LEAVES_FIVE), np.uint64(_LEAVES_THIRTEEN)
    fives = thirteens = 0
    recent = np.zeros(16, np.uint64)  # the last tokens, number n in place n % 16
    for report in range(len(reports) - 1):
        for text in range(reports[report], reports[report + 1]):
            at, end, tokens = bounds[text], bounds[text + 1], 0
            token, inside = np.uint64(0), False
            last_five, last_thirteen = np.uint64(0), np.uint64(0)
            recent[:] = np.uint64(0)
            while at <= end:
                kind, character = 0, np.uint32(0)
                if at < end:
                    character = np.uint32(data[at])
                    at += 1
                    if character >= 0x80:
                        more = 1 if character < 0xE0 else 2 if character < 0xF0 else 3
                        character &= np.uint32(0x3F >> more)
                        for _ in range(more):
                            character = (character << np.uint32(6)) | np.uint32(data[at] & 0x3F)
                            at += 1
                    kind = kinds[character] if character < _CHARACTERS else _SIGN
                else:
                    at += 1
                if kind == _WORD:
                    token = (token ^ np.uint64(lower[character])) * mix
                    inside = True
                    continue
                # What ends here: a word, then perhaps a sign, which is a token of its own.
                for ending in range(2):
                    if ending == 0:
                        if not inside:
                            continue
                        inside = False
                    else:
                        if kind != _SIGN:
                            break
                        token = (np.uint64(1) ^ np.uint64(character)) * mix
                    token ^= token >> shift
                    last_five = last_five * mix + token - recent[(tokens - 5) & 15] * out_of_five
                    last_thirteen = last_thirteen * mix + token - recent[(tokens - 13) & 15] * out_of_thirteen
                    recent[tokens & 15] = token
                    tokens += 1
                    token = np.uint64(0)
                    if tokens >= FIVE:
                        value = (last_five ^ (last_five >> shift)) * mix
                        five[fives] = (value ^ (value >> shift)) & ~high
                        fives += 1
                    if tokens >= THIRTEEN:
                        value = (last_thirteen ^ (last_thirteen >> shift)) * mix
                        value ^= value >> shift
                        if value <= limit:
                            thirteen[thirteens] = value
                            thirteens += 1
            if 0 < tokens < FIVE:
                value = (last_five ^ np.uint64(tokens) ^ (last_five >> shift)) * mix
                five[fives] = (value ^ (value >> shift)) | high
                fives += 1
        five_from[report + 1] = fives
        thirteen_from[report + 1] = thirteens


@compiled
def _smallest(hashes: Hashes, bounds: Places, found: Sketches) -> None:
    most, end = found.shape[1], np.uint32(2**32 - 1)
    for row in range(found.shape[0]):
        runs = hashes[bounds[row] : bounds[row + 1]]
        # Hashes are spread evenly from 0 to 2**31: below this limit there are nearly always enough and few more.
        limit = np.uint32(min(1.0, 1.6 * most / (len(runs) + 1)) * 2**31)
        if not _keep(runs, limit, found[row]):
            found[row] = end
            _keep(runs, end, found[row])


@compiled
def _keep(hashes: Hashes, limit: np.uint32, kept: NDArray[np.uint32]) -> bool:
    """Keep the smallest distinct hashes below the limit; whether there are as many as there is room for."""
    most, last, held = len(kept), np.uint32(2**32 - 2), 0
    for whole in hashes:
        value, largest = min(np.uint32(whole >> np.uint64(32)), last), kept[most - 1]
        if value >= limit or value >= largest:
            continue
        place = min(held, most - 1)
        while place > 0 and kept[place - 1] > value:
            kept[place] = kept[place - 1]
            place -= 1
        if place > 0 and kept[place - 1] == value:
            # It is there already: what has moved up for it moves back.
            kept[place : most - 1] = kept[place + 1 :]
            kept[most - 1] = largest
            continue
        kept[place] = value
        held += 1
    return held >= most
