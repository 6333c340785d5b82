"""croissant.json names every file with its hash and every column; MLCommons' own reader agrees, where installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core.desk import triage
from triage_core.exporters.build import ExportRequest, build
from triage_core.exporters.profiles import PROFILES

KINDS = [(profile, layout) for profile in ("kto", "classifier") for layout in ("strict", "rich")]

READER = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the reader's own


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("croissant")
    store = open_store(folder / "store", Clock())
    lines = [make_report(f"Question {n}", consent_training="any_safety_training") for n in range(30)]
    for report_id in bring(store, *lines):
        triage.assess(store, POLICY, REVIEWER, report_id, FLAW)
    yield {
        (profile, layout): build(
            store,
            POLICY,
            EVERYBODY,
            ExportRequest(profile, folder, layout=layout, name=f"{profile}-{layout}"),
        )
        for profile, layout in KINDS
    }
    store.close()


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_every_file_and_column_is_described(
    made: dict[tuple[str, str], dict[str, Any]], kind: tuple[str, str]
) -> None:
    dataset = made[kind]
    found = json.loads(Path(dataset["folder"], "croissant.json").read_text())
    hashes = {file["path"]: file["sha256"] for file in dataset["files"]}
    described = {file["contentUrl"]: file["sha256"] for file in found["distribution"]}
    assert described.items() <= hashes.items()
    assert {path for path in hashes if path.endswith(".parquet")} == set(described)
    assert "croissant.json" in hashes
    train = next(records for records in found["recordSet"] if records["@id"] == "train")
    names = [field["name"].removeprefix("train/") for field in train["field"]]
    assert names[: len(PROFILES[kind[0]].schema.names)] == PROFILES[kind[0]].schema.names


@pytest.mark.optional
@READER
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_the_reference_reader(made: dict[tuple[str, str], dict[str, Any]], kind: tuple[str, str]) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    dataset = made[kind]
    loaded = mlcroissant.Dataset(jsonld=str(Path(dataset["folder"], "croissant.json")))
    assert not loaded.metadata.issues.errors
    rows = list(loaded.records("train"))
    assert len(rows) == dataset["rows"]["split"]["train"]


@pytest.mark.optional
@READER
def test_the_reference_reader_refuses_a_changed_file(made: dict[tuple[str, str], dict[str, Any]]) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    folder = Path(made["kto", "rich"]["folder"])
    train = folder / "data/train.parquet"
    kept = train.read_bytes()
    try:
        train.write_bytes((folder / "data/test.parquet").read_bytes())
        with pytest.raises(Exception, match="Download"):
            list(mlcroissant.Dataset(jsonld=str(folder / "croissant.json")).records("train"))
    finally:
        train.write_bytes(kept)
