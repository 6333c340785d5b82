"""Python's garbage collector in a long-running process: what is held for good is not walked again and again."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_NEW = (20_000, 20, 20)
"""So many new objects are looked through at once, where Python's 700 are for small programs: a request makes hundreds,
and reports that wait to be stored are not the garbage that is looked for."""


_lock = threading.Lock()
_settled = False
_holders = 0


def settle() -> None:
    """Leave all that lives now, modules and indexes above all, out of every later collection.

    For a server that has just loaded what it works with. A full collection walks some two hundred thousand objects,
    in which nothing else runs, and without this one comes whenever enough is new. Called again, it takes in what was
    loaded since, and what has become garbage meanwhile goes.
    """
    global _settled
    with _lock:
        _settled = True
        if not _holders:
            _settle()


@contextmanager
def held() -> Iterator[None]:
    """For long work, which may overlap with other such: what lived before is out of the collections until all end."""
    global _holders
    with _lock:
        _holders += 1
        gc.freeze()
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if not _holders:
                gc.unfreeze()
                if _settled:
                    _settle()


def _settle() -> None:
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_NEW)
