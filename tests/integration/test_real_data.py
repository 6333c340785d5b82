"""The whole path on real prompts: import, index, similar, assess, link, export, and what came of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from triage_core import operations
from triage_core.operations import Emit
from triage_core.runtime import Runtime
from triage_core.settings import Settings

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


def lines_of(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:  # not splitlines: the prompts hold U+2028
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def rows(real_data: Path) -> dict[str, dict[str, Any]]:
    """The 305 prompts from the wild and every third of the 444 composed ones, by their id."""
    wild = lines_of(real_data / "wild_jailbreaks" / "wild_dev.jsonl")
    composed = lines_of(real_data / "template_x_payload" / "composed_dev.jsonl")
    return {row["id"]: row for row in [*wild, *composed[::3]]}


@pytest.fixture(scope="module")
def opened(rows: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("real")
    file = folder / "real.jsonl"
    with file.open("w") as out:
        for name, row in rows.items():
            answer = {"role": "assistant", "content": "An answer that should not have been given."}
            turns = [{"role": "user", "content": row["text"]}, answer]
            out.write(json.dumps({"external_id": name, "turns": turns}) + "\n")
    runtime = Runtime(Settings(store=folder / "store"))
    done = run(runtime, "import", files=[str(file)])
    assert (done["received"], done["stored"], done["refused"]) == (len(rows), len(rows), 0)
    assert run(runtime, "import", files=[str(file)])["already_known"] == len(rows)
    run(runtime, "index")
    yield runtime
    runtime.close()


def run(runtime: Runtime, operation: str, **params: Any) -> Any:
    return operations.run(runtime, operation, params, Emit())


def test_everything_is_embedded_and_clustered(opened: Runtime, rows: dict[str, dict[str, Any]]) -> None:
    found = run(opened, "clusters")
    assert [row["external_id"] for row in found] == list(rows)
    assert run(opened, "index")["embedded"] == 0


def test_exact_groups_are_exact_duplicates(opened: Runtime, rows: dict[str, dict[str, Any]]) -> None:
    """Rows that the data calls the same text come first, marked exact."""
    groups: dict[Any, list[str]] = defaultdict(list)
    for name, row in rows.items():
        if row.get("exact_group") is not None:
            groups[row["exact_group"]].append(name)
    pairs = [(members[0], members[1]) for members in groups.values() if len(members) > 1]
    assert pairs
    hits = 0
    for one, other in pairs:
        near = run(opened, "similar", external_id=one, k=len(groups[rows[one]["exact_group"]]))
        hits += any(row["external_id"] == other for row in near)
    assert hits == len(pairs)


def test_a_family_finds_itself(opened: Runtime, rows: dict[str, dict[str, Any]]) -> None:
    """The nearest report of a composed prompt uses the same template, nearly always."""
    composed = [name for name, row in rows.items() if "technique_id" in row]
    hits = 0
    for name in composed[::2]:
        # Prompts from the wild use the same templates, but only the composed ones say which.
        near = [row["external_id"] for row in run(opened, "similar", external_id=name, axis="technique")]
        nearest = next(row for row in near if "technique_id" in rows[row])
        hits += rows[nearest]["technique_id"] == rows[name]["technique_id"]
    assert hits / len(composed[::2]) >= 0.95


def test_from_a_decision_to_a_training_file(
    opened: Runtime, rows: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    severity = {"harm": "H2", "exposure": "other", "generality": "retargetable", "reliability": "reliable"}
    names = list(rows)[:3]
    for name in names:
        made = run(
            opened,
            "assess",
            report=name,
            clauses=["IN-1"],
            **severity,
            uplift="yes",
            consent="any_safety_training",
            better_answer="I will not help with that; here is what I can do instead.",
        )
        assert made["severity"] == "medium"
    child = run(opened, "duplicates")[0]
    linked = run(opened, "link", child=child["report_id"], canonical=child["canonical_id"])
    assert linked["resolution"] == "duplicate"
    for profile in ("kto", "preference", "sft", "classifier"):
        for form in ("jsonl", "parquet"):
            manifest = run(
                opened, "export", profile=profile, format=form, out=str(tmp_path), name=f"{profile}-{form}"
            )
            written = manifest["rows"]["total"]
            assert written >= 2
    assert run(opened, "verify")["ok"]
