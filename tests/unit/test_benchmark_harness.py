"""The last line of a benchmark is a promise to scripts, and a missed target is never left out of it."""

from __future__ import annotations

import json
import math

import pytest

from benchmarks import harness
from benchmarks.harness import Timing


def test_last_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    harness.table("Methods", ("method", "seconds"), [("ours", 0.12345), ("a peer", 1234567)])
    harness.finish("demo", {"f1": 0.99, "seconds": math.inf}, {"f1": (">=", 0.9), "seconds": ("<=", 30)})
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["name"] == "demo"
    assert last["figures"] == {"f1": 0.99, "seconds": None}
    assert [miss.split(":")[0] for miss in last["falls_short"]] == ["seconds"]
    assert last["machine"].keys() == {"cpu", "cores", "memory_gib", "system", "python"}


@pytest.mark.parametrize(
    ("figure", "target", "short"),
    [
        (0.9, (">=", 0.9), False),
        (0.8999, (">=", 0.9), True),
        (30.0, ("<=", 30), False),
        (30.1, ("<=", 30), True),
        (1.0, ("==", 1), False),
        (math.nan, ("<=", 30), True),
    ],
)
def test_falls_short_of_its_target(figure: float, target: harness.Target, short: bool) -> None:
    assert bool(harness.falls_short({"x": figure}, {"x": target})) is short


def test_figure_that_was_not_taken_falls_short() -> None:
    assert harness.falls_short({}, {"recall": (">=", 1.0)}) == ["recall: not measured, wanted >= 1"]


def test_contestants_run_in_turns() -> None:
    calls: list[str] = []
    timings = harness.compete({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(timing.seconds) for name, timing in timings.items()} == {"a": 3, "b": 3}


def test_ratio_and_quantiles() -> None:
    ours, peer = Timing((1.0, 9.0, 2.0)), Timing((2.0, 9.0, 8.0))
    assert harness.ratio({"ours": ours, "peer": peer}, "ours", "peer") == 0.5
    assert (ours.median, ours.quantile(0.95), ours.quantile(0.5), ours.quantile(0.0)) == (2.0, 9.0, 2.0, 1.0)
