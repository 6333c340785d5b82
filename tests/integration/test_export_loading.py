"""Datasets as the reference loader reads them, its cache included."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.exported import Export, add, rows
from triage_core.exporters import split
from triage_core.queries import Filter
from triage_core.store import Store


def test_a_small_dataset_without_test_rows_loads(store: Store, export: Export, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    add(store, "Question 1")
    made = export("classifier", format="jsonl")
    (side,) = (name for name, count in made["rows"]["split"].items() if count)
    loaded = datasets.load_dataset(made["folder"], cache_dir=str(tmp_path / "cache"))
    assert {name: list(part) for name, part in loaded.items()} == {side: rows(made)}


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_a_loader_that_remembers_takes_no_dataset_for_another(
    store: Store, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(split, "TEST_SHARE", 0)  # both have the same sides, and so the same files
    add(store, "Question 1")
    add(store, "Question 2", system=[{"platform": "Other"}])
    cache = str(tmp_path / "cache")
    for name, platform in (("one", "Kite Travel"), ("other", "Other")):
        made = export("kto", format=format, name=name, chosen=Filter(platform=(platform,)))
        for configuration, part in (("default", "data"), ("metadata", "__metadata__")):
            loaded = datasets.load_dataset(made["folder"], configuration, cache_dir=cache)
            assert [row for side in loaded.values() for row in side] == rows(made, part)
    (file,) = (file for file in made["files"] if file["path"].startswith("data/"))
    (side,) = datasets.load_dataset(made["folder"], cache_dir=cache).values()
    assert file["sha256"] in side.info.description, "a run can say what it has read"
