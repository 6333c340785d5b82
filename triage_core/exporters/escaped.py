"""Many texts as JSON strings at once, each as `json.dumps` writes it: in quotes, ASCII only.

Compiled where numba is installed; else the same in Python, many times slower.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from triage_core.exporters.arrays import Bytes, Places, held
from triage_core.likeness.kernels import compiled

_LONGEST = 6  # \u0000 for one byte; a character of more bytes needs no more for each of them
_BLOCK = 32
_SHORT = np.zeros(128, np.uint8)
for _sign, _letter in {'"': '"', "\\": "\\", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}.items():
    _SHORT[ord(_sign)] = ord(_letter)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


def escaped(texts: pa.Array) -> pa.Array:
    """The JSON string of each text of a large_string array without nulls."""
    data, bounds = held(texts)
    # Memory that is not written to is not taken.
    out, ends = np.empty(_LONGEST * len(data) + 2 * len(texts), np.uint8), np.zeros(len(texts) + 1, np.int64)
    _escape(data, bounds, _SHORT, _HEX, out, ends)
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(out[: ends[-1]]))


@compiled
def _escape(data: Bytes, bounds: Places, short: Bytes, digits: Bytes, out: Bytes, ends: Places) -> None:
    to = 0
    for text in range(len(bounds) - 1):
        at, end = bounds[text], bounds[text + 1]
        out[to] = 34
        to += 1
        while at < end:
            # Nearly all bytes stand as they are: a block is written so, and again byte by byte where it must not be.
            block = data[at : min(at + _BLOCK, end)]
            written = out[to : to + len(block)]
            other = False
            for place in range(len(block)):
                byte = block[place]
                written[place] = byte
                other |= (byte < 32) | (byte > 126) | (byte == 34) | (byte == 92)
            if not other:
                at += len(block)
                to += len(block)
                continue
            stop = at + len(block)
            while at < stop:
                byte = data[at]
                at += 1
                if 32 <= byte < 127 and byte != 34 and byte != 92:
                    out[to] = byte
                    to += 1
                    continue
                out[to] = 92
                if byte < 128 and short[byte]:
                    out[to + 1] = short[byte]
                    to += 2
                    continue
                character = np.int64(byte)
                if byte >= 128:
                    more = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
                    character &= 0x3F >> more
                    for _ in range(more):
                        character = (character << 6) | (np.int64(data[at]) & 0x3F)
                        at += 1
                # A character beyond U+FFFF is written as two, as in UTF-16.
                first = character if character < 0x10000 else 0xD7C0 + (character >> 10)
                for half in range(1 if character < 0x10000 else 2):
                    code = first if half == 0 else 0xDC00 + (character & 0x3FF)
                    out[to] = 92
                    out[to + 1] = 117
                    for place in range(4):
                        out[to + 2 + place] = digits[(code >> (12 - 4 * place)) & 15]
                    to += 6
        out[to] = 34
        to += 1
        ends[text + 1] = to
