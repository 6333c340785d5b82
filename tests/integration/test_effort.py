"""The simulated expert of the effort benchmark, on demo reports: all is cleared and counted, nothing decided twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.effort import work
from tests.making import open_runtime
from triage_core import db
from triage_core.clusters import cluster_board
from triage_core.likeness.axes import Axis
from triage_core.settings import ROOT

COUNT = 48


def demo(name: str) -> list[dict]:
    with (ROOT / "data" / "demo" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Demo reports of wrappers that are used again, and some without one."""
    return {row["external_id"]: row["turns"][0]["content"] for row in demo("reports") if row.get("turns")}


@pytest.mark.slow
@pytest.mark.parametrize("axis", [Axis.WHOLE, Axis.TECHNIQUE])
def test_the_expert_clears_everything_by_public_commands(
    tmp_path: Path, texts: dict[str, str], axis: Axis
) -> None:
    labels = [row for row in demo("labels") if row["external_id"] in texts][:COUNT]
    used = Counter(row["technique"] for row in labels)
    truth = [
        row["technique"] if row["technique"] != "none" and used[row["technique"]] > 1 else None
        for row in labels
    ]
    opened = open_runtime(tmp_path)
    expert = work(opened, axis, [texts[row["external_id"]] for row in labels], truth)
    assert expert.cleared == set(expert.truth)
    assert len(expert.curve) == expert.given.total()
    assert [count for count, _ in expert.curve] == list(range(1, len(expert.curve) + 1))
    assert expert.curve[-1][1] == 1 - len(expert.wrong()) / COUNT
    right = {name for name in expert.truth if name not in expert.wrong()}
    assert len(right) / COUNT >= 0.5, "an expert who knows the truth groups most reports rightly"
    with opened.store.read() as cursor:
        waiting, total = cluster_board.queue(cursor, axis, opened.store.clock(), least=1)
        assert (waiting, total) == ([], 0)
        assessed = db.rows(
            cursor, "SELECT report_id, count(*) AS n FROM assessments GROUP BY ALL HAVING n > 1"
        )
        assert assessed == []
    opened.store.verify()
    opened.close()


def test_a_share_that_was_never_reached_is_said_so(tmp_path: Path) -> None:
    opened = open_runtime(tmp_path)
    expert = work(opened, Axis.WHOLE, ["one thing", "another matter altogether"], ["same", "same"])
    assert expert.given == {"cluster decided": 2}
    assert len(expert.wrong()) == 1
    assert (expert.decisions_for(0.5), expert.decisions_for(0.98)) == (1, None)
    opened.close()
