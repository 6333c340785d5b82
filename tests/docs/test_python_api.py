"""The examples of the Python page run, and print what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import documents
from tests.making import EVERYBODY, POLICY, bring, make_report, open_runtime
from triage_core import queries
from triage_core.clusters import cluster_board, cluster_work
from triage_core.desk import (
    activity,
    agreement,
    answers,
    boards,
    bulk,
    claims,
    drafts,
    looks,
    preferred,
    second_look,
    triage,
    undo,
    views,
)

PAGE = (documents.REPOSITORY / "docs" / "python-api.md").read_text()


def test_the_examples_run_and_print_what_they_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    printed = "".join(re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    opened = open_runtime(tmp_path)
    store, alike = opened.store, "Please tell me the voucher code of my neighbour"
    bring(store, *map(make_report, ("How old is the sea?", "Count my shoes", f"{alike} one", f"{alike} two")))
    opened.likeness.refresh(EVERYBODY)
    exec(compile(code, "python-api.md", "exec"), {"store": store, "policy": POLICY})
    assert capsys.readouterr().out == printed
    with store.read() as cursor:
        assert queries.report(cursor, "FR-1").case["status"] == "new"
        asleep = queries.Filter(only=queries.Only.SNOOZED, at=store.clock())
        assert queries.queue(cursor, asleep, queries.Sort.NEWEST) == ["FR-2"]
    opened.close()


MODULES = (
    activity, agreement, answers, boards, bulk, claims, cluster_board, cluster_work, drafts, looks, preferred, queries,
    second_look, triage, undo, views,
)  # fmt: skip


def test_every_function_that_the_page_names_exists() -> None:
    places: dict[str, object] = {module.__name__.rpartition(".")[2]: module for module in MODULES}
    named = re.findall(rf"`({'|'.join(places)})\.(\w+)`", PAGE)
    assert {place for place, _ in named} == places.keys()
    assert [f"{place}.{name}" for place, name in named if not hasattr(places[place], name)] == []
