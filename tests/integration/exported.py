"""What tests of datasets share: decisions, reports that may go out, and the rows of what was built."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.making import FLAW, bring, decide, make_report
from triage_core.model import Actor, DeskRole, Resolution
from triage_core.store import Store

THIRD = Actor("test:ines", "Ines", frozenset({DeskRole.REVIEWER}))
EXPECTED = replace(FLAW, clauses=("EXP-1",), inputs=None)
SPAM = replace(FLAW, clauses=("OOS-1",), inputs=None, resolution=Resolution.SPAM, note="Advertising.")
BETTER = replace(FLAW, better_answer="I cannot share codes.")

Export = Callable[..., dict[str, Any]]


def add(store: Store, *words: str, decision: Any = BETTER, **fields: Any) -> list[str]:
    """Bring reports in whose reporters agree to everything, and decide on them."""
    lines = [make_report(text, **{"consent_training": "any_safety_training", **fields}) for text in words]
    ids = bring(store, *lines)
    if decision:
        for report_id in ids:
            decide(store, report_id, decision)
    return ids


def rows(made: dict[str, Any], part: str = "data") -> list[dict[str, Any]]:
    """The rows of a dataset as they stand in its files, train before test."""
    found: list[dict[str, Any]] = []
    for side in ("train", "test"):
        path = Path(made["folder"], part, f"{side}.{made['format']}")
        if not path.exists():
            continue
        if made["format"] == "jsonl":
            found += [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        else:
            found += pq.read_table(path).to_pylist()
    return found


def sides(made: dict[str, Any]) -> dict[str, str]:
    """The side of each report in a dataset of the strict layout."""
    return {
        row["meta_report_id"]: side
        for side in ("train", "test")
        if (path := Path(made["folder"], "__metadata__", f"{side}.parquet")).exists()
        for row in pq.read_table(path).to_pylist()
    }
