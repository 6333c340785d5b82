"""The SHA-256 of many texts at once, each put together of pieces that stand in one buffer; nothing is copied.

Compiled where numba is installed and Python's own OpenSSL can be called without the interpreter; else hashlib does
the same, at twice the cost.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from typing import Any

import numpy as np

from triage_core.exporters.arrays import Bytes, Places
from triage_core.likeness.kernels import compiled, foreign

SIZE = 32
_CONTEXT = 128  # bytes that OpenSSL needs while it hashes, and some more
_FUNCTIONS = {
    "SHA256_Init": "intc(voidptr)",
    "SHA256_Update": "intc(voidptr, voidptr, uintp)",
    "SHA256_Final": "intc(voidptr, voidptr)",
}


def sha256(data: Bytes, bounds: Places, pieces: Places) -> Bytes:
    """(n, SIZE) of each text, whose pieces are named by number (n, k): piece i is data[bounds[i]:bounds[i + 1]]."""
    found = np.empty((len(pieces), SIZE), np.uint8)
    _hash(data, bounds, pieces, found)
    return found


def _native() -> list[Any]:
    """OpenSSL's functions of Python's own hashes, for compiled loops; empty where they cannot be called."""
    spec = find_spec("_hashlib")
    return foreign(spec.origin, _FUNCTIONS) if spec and spec.origin else []


if native := _native():
    _start, _add, _end = native

    @compiled
    def _hash(data: Bytes, bounds: Places, pieces: Places, found: Bytes) -> None:
        context = np.empty(_CONTEXT, np.uint8)
        for text in range(len(pieces)):
            _start(context.ctypes)
            for piece in pieces[text]:
                start, end = bounds[piece], bounds[piece + 1]
                _add(context.ctypes, data[start:end].ctypes, np.uintp(end - start))
            _end(found[text].ctypes, context.ctypes)

else:

    def _hash(data: Bytes, bounds: Places, pieces: Places, found: Bytes) -> None:
        raw = data.tobytes()
        for text, numbers in enumerate(pieces.tolist()):
            parts = [raw[bounds[piece] : bounds[piece + 1]] for piece in numbers]
            found[text] = np.frombuffer(hashlib.sha256(b"".join(parts)).digest(), np.uint8)
