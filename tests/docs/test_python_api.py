"""The example of the Python page runs, and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import documents
from tests.making import POLICY, Clock, bring, make_report
from triage_core import queries
from triage_core.desk import bulk, claims, drafts, triage, undo, views
from triage_core.runtime import Runtime
from triage_core.store import Store

PAGE = (documents.REPOSITORY / "docs" / "python-api.md").read_text()


def test_the_example_runs_and_prints_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (printed,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    store = Store(tmp_path, Clock())
    bring(store, make_report("One"), make_report("Two"))
    exec(compile(code, "python-api.md", "exec"), {"store": store, "policy": POLICY})
    assert capsys.readouterr().out == printed
    with store.read() as cursor:
        assert queries.report(cursor, "FR-1").case["status"] == "new"
        asleep = queries.Filter(only=queries.Only.SNOOZED, at=store.clock())
        assert queries.queue(cursor, asleep, queries.Sort.NEWEST) == ["FR-2"]
    store.close()


def test_every_function_that_the_page_names_exists() -> None:
    places = {
        "bulk": bulk,
        "views": views,
        "triage": triage,
        "claims": claims,
        "undo": undo,
        "drafts": drafts,
        "queries": queries,
        "Runtime": Runtime,
    }
    named = re.findall(r"`(bulk|views|triage|claims|undo|drafts|queries)\.(\w+)`", PAGE)
    assert len(named) > 10
    assert [f"{place}.{name}" for place, name in named if not hasattr(places[place], name)] == []
