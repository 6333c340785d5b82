"""Long work in a process whose screens somebody uses meanwhile: on threads of its own, after everything else.

What runs here gives way: its threads are of lower priority where the system has that for threads (Linux), and hold
the interpreter for shorter turns. It can be stopped: whoever waits for it is told how far it is, and when that
raises, the work ends at the next step.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from triage_core import collector

Result = TypeVar("Result")
Item = TypeVar("Item")
Progress = Callable[[int, int], None]

SECONDS = 0.2
"""So often whoever waits is told how far the work is."""
AHEAD = 2
"""So many items are made ahead: with one, each side waits for the other, since some take longer than others."""
_NICE = 10
_USUAL_TURN = sys.getswitchinterval()


class Stopped(Exception):
    """Raised in the work by its `progress` when nobody waits for it any more."""


def run(work: Callable[[Progress], Result], told: Progress) -> Result:
    """What `work` gives; it gets a `progress` to call at each step. `told` is called from this thread alone.

    When `told` raises, the work has ended when that comes out of here; if it was past its last step, it is done.
    """
    latest: list[tuple[int, int]] = []
    stopped = threading.Event()

    def progress(done: int, total: int) -> None:
        if stopped.is_set():
            raise Stopped
        latest[:] = [(done, total)]

    with _giving_way(), _pool(1) as pool:
        running = pool.submit(work, progress)
        try:
            waiting = True
            while waiting:
                waiting = not futures.wait([running], SECONDS).done
                if latest:
                    told(*latest.pop())
        except BaseException:
            stopped.set()
            raise
        return running.result()


def ahead(items: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """The same items, `AHEAD` of them made on another thread while the one before them is used here.

    When this is closed, nothing is made any more.
    """
    with closing(items), _pool(1) as pool:
        following: deque[Future[Item | None]] = deque()
        try:
            following += [pool.submit(next, items, None) for _ in range(AHEAD)]
            while (item := following.popleft().result()) is not None:
                following.append(pool.submit(next, items, None))
                yield item
        finally:
            for one in following:
                one.cancel()


def both(work: Callable[[NDArray[Any]], Result], rows: NDArray[Any]) -> list[Result]:
    """What `work` gives for each part of the rows, a part for each core; it should not need the interpreter much."""
    cores = os.cpu_count() or 1
    with _pool(cores) as pool:
        return list(pool.map(work, np.array_split(rows, cores)))


def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "beside", _give_way)


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere this is about the whole process
        with suppress(OSError):  # a sandbox may forbid it; then the work is only less polite
            os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))


@contextmanager
def _giving_way() -> Iterator[None]:
    """Other threads have the interpreter ten times as often; the collector leaves what the process held before."""
    sys.setswitchinterval(_USUAL_TURN / 10)
    try:
        with collector.held():
            yield
    finally:
        sys.setswitchinterval(_USUAL_TURN)
