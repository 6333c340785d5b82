"""What a server holds for good is walked once; garbage is found all the same."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from triage_core import collector


class Node:
    """One that can hold itself, which only the collector ends."""

    def __init__(self) -> None:
        self.me: Node | None = None


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    threshold = gc.get_threshold()
    monkeypatch.setattr(collector, "_settled", False)
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def loop() -> tuple[Node, weakref.ref[Node]]:
    node = Node()
    node.me = node
    return node, weakref.ref(node)


def walked(what: object) -> bool:
    return any(one is what for one in gc.get_objects())


def test_what_lives_is_left_out_of_later_collections() -> None:
    kept, _ = loop()
    assert walked(kept)
    collector.settle()
    assert not walked(kept)
    new, _ = loop()
    assert walked(new)


def test_what_became_garbage_before_is_gone() -> None:
    node, seen = loop()
    del node
    collector.settle()
    assert seen() is None


def test_garbage_that_is_made_after_is_collected() -> None:
    collector.settle()
    node, seen = loop()
    del node
    gc.collect()
    assert seen() is None


def test_what_was_settled_and_became_garbage_goes_at_the_next_time() -> None:
    node, seen = loop()
    collector.settle()
    del node
    gc.collect()
    assert seen() is not None
    collector.settle()
    assert seen() is None


def test_long_work_holds_what_was_there_and_gives_it_back() -> None:
    kept, _ = loop()
    with collector.held():
        assert not walked(kept)
    assert walked(kept)
    assert gc.get_freeze_count() == 0


def test_after_long_work_a_settled_process_is_settled() -> None:
    collector.settle()
    later, _ = loop()
    with collector.held():
        pass
    assert not walked(later)
    assert not walked(sys.modules)


@pytest.mark.parametrize("settled", [False, True])
def test_of_two_that_work_at_once_the_later_end_counts(settled: bool) -> None:
    if settled:
        collector.settle()
    kept, _ = loop()
    one, other = collector.held(), collector.held()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert not walked(kept)
    other.__exit__(None, None, None)
    assert walked(kept) is not settled
