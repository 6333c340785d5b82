"""Work on threads that give way: progress, stopping, order."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from triage_core.exporters import beside
from triage_core.exporters.beside import Progress, Stopped


def test_whoever_waits_is_told_how_far_it_is_on_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "SECONDS", 0.01)
    told = threading.Event()
    seen: list[tuple[int, int, int]] = []

    def work(progress: Progress) -> int:
        progress(3, 7)
        assert told.wait(20)
        return threading.get_ident()

    def tell(done: int, total: int) -> None:
        seen.append((done, total, threading.get_ident()))
        told.set()

    assert beside.run(work, tell) != threading.get_ident()
    assert seen == [(3, 7, threading.get_ident())]


def test_work_that_nobody_waits_for_ends_at_its_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "SECONDS", 0.01)
    asked, ended = threading.Event(), list[str]()

    def work(progress: Progress) -> None:
        progress(0, 1)
        assert asked.wait(20)
        try:
            while True:
                progress(1, 1)
        except Stopped:
            ended.append("stopped")
            raise

    def leave(done: int, total: int) -> None:
        asked.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        beside.run(work, leave)
    assert ended == ["stopped"]


def test_an_error_of_the_work_comes_out_and_the_interpreter_is_as_before() -> None:
    def work(progress: Progress) -> None:
        raise ValueError("no")

    before = sys.getswitchinterval()
    with pytest.raises(ValueError, match="no"):
        beside.run(work, lambda done, total: None)
    assert sys.getswitchinterval() == before


def test_items_made_ahead_come_in_order_and_an_error_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise ValueError("after five")

    found = beside.ahead(items())
    assert [next(found) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="after five"):
        next(found)


def test_nothing_is_made_any_more_when_nobody_takes_it() -> None:
    made, closed = list[int](), list[bool]()

    def items() -> Iterator[int]:
        try:
            for number in range(100):
                made.append(number)
                yield number
        finally:
            closed.append(True)

    found = beside.ahead(items())
    assert [next(found), next(found)] == [0, 1]
    found.close()
    assert closed
    assert len(made) <= 2 + beside.AHEAD + 1
    before = len(made)
    assert list(found) == []
    assert len(made) == before


def test_parts_of_rows_come_back_in_their_order() -> None:
    assert [one for part in beside.both(list, np.arange(7)) for one in part] == list(range(7))


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a priority of its own")
def test_the_threads_give_way_and_nobody_else_does() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    (given,) = {beside.run(lambda _: os.getpriority(os.PRIO_PROCESS, 0), lambda done, total: None)}
    assert given >= max(10, before)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
