"""Fast and held keys in a real browser; a file of its own, since it takes a minute and files run side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from benchmarks import desk_keys
from tests.browser import running_server
from triage_core import db, told
from triage_core.store import Store

pytestmark = pytest.mark.browser


def test_fast_keys_meet_what_is_on_screen_and_none_is_lost(tmp_path: Path, page: Page) -> None:
    """A short round of the benchmark: presses without a pause, a third of them held, beside a second session."""
    desk_keys.fill(tmp_path)
    presses = 60
    with running_server(tmp_path) as server:
        desk_keys.play(page, server, seed=0, presses=presses)
        pressed = desk_keys.observed(page)
    result = desk_keys.judge(tmp_path, pressed)
    assert result.presses >= presses
    assert result.repeats > presses / 2
    assert result.commands >= presses / 10, "keys that do nothing prove nothing"
    assert result.by_others >= 5
    assert result.wrong == []
    assert result.lost == []
    store = Store(tmp_path)
    store.verify()
    with store.read() as cursor:
        assert told.disagreements(cursor) == []
        assert db.value(cursor, "SELECT count(*) FROM reports") == 60
    store.close()
