"""Where a report stands in the queue, and what comes after it."""

from __future__ import annotations

from ui.review.queue import Place, place

IDS = ["FR-1", "FR-2", "FR-3"]


def test_between_its_neighbours():
    assert place(IDS, "FR-2") == Place(2, "FR-1", "FR-3")


def test_after_the_last_comes_the_first():
    assert place(IDS, "FR-3") == Place(3, "FR-2", "FR-1")


def test_the_only_one_has_no_neighbours():
    assert place(["FR-1"], "FR-1") == Place(1, None, None)


def test_outside_the_queue_its_first_comes_next():
    assert place(IDS, "FR-9") == Place(0, None, "FR-1")
    assert place([], "FR-9") == Place(0, None, None)
