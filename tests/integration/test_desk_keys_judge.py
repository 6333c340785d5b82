"""The judge of benchmarks/desk_keys.py: which event came from which press, and which from none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import desk_keys
from benchmarks.desk_keys import Press
from tests.making import Clock, bring, make_report, open_runtime
from triage_core.desk import triage, undo
from triage_core.model import Actor, DeskRole

ME = Actor(desk_keys.ME, "Test", frozenset(DeskRole))


def press(key: str, heading: str, version: int = 1, candidate: str = "", undo: str = "") -> Press:
    return Press(key, False, heading, version, candidate, undo, False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """FR-3 became a duplicate of FR-2, FR-2 one of FR-1, with which FR-3 went along; then that was undone."""
    opened = open_runtime(tmp_path, Clock())
    first, second, third = bring(opened.store, *(make_report(f"Name river {n}.") for n in range(3)))
    triage.link(opened.store, ME, third, second)
    triage.link(opened.store, ME, second, first)
    with opened.store.read() as cursor:
        last = undo.last_of(cursor, ME)
    assert last is not None
    assert last.subject == second
    undo.undo(opened.store, ME, last.seq)
    opened.close()
    return tmp_path


PRESSED = [
    press("d", "FR-3", candidate="FR-2"),
    press("d", "FR-2", candidate="FR-1"),
    press("u", "FR-1", undo="U Undo marked as a duplicate FR-2"),
]


def test_a_duplicate_that_goes_along_needs_no_press_of_its_own(folder: Path) -> None:
    found = desk_keys.judge(folder, PRESSED)
    assert (found.commands, found.wrong, found.lost) == (3, [], [])


def test_an_event_of_another_report_than_the_one_on_screen_is_wrong(folder: Path) -> None:
    elsewhere = [*PRESSED[:2], replace(PRESSED[2], undo="U Undo marked as a duplicate FR-3")]
    assert len(desk_keys.judge(folder, elsewhere).wrong) == 1
    assert len(desk_keys.judge(folder, PRESSED[1:]).wrong) == 1
