"""Hostile text through every profile, format and layout, read back plainly and by the reference loader."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.hostile_corpus import HOSTILE
from tests.making import EVERYBODY, FLAW, POLICY, Clock, bring, decide, make_report, open_store
from triage_core.exporters import metadata
from triage_core.exporters.build import ExportRequest, build
from triage_core.exporters.profiles import PROFILES
from triage_core.exporters.request import FORMATS, LAYOUTS

KINDS = list(itertools.product(PROFILES, FORMATS, LAYOUTS))
SIDES = ("train", "test")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str, str], dict[str, Any]]]:
    """One dataset of each kind, all of the hostile corpus; the better answer is hostile, too."""
    folder = tmp_path_factory.mktemp("hostile")
    store = open_store(folder / "store", Clock())
    for name, text in HOSTILE.items():
        turns = [{"role": "user", "content": text}, {"role": "assistant", "content": text + name}]
        agreed = {"turns": turns, "external_id": name, "consent_training": "safety_and_bad_user"}
        (report_id,) = bring(store, make_report(**agreed))
        decide(store, report_id, replace(FLAW, better_answer=text + "!"))
    requests = {kind: ExportRequest(kind[0], folder, kind[1], kind[2], name="-".join(kind)) for kind in KINDS}
    yield {kind: build(store, POLICY, EVERYBODY, request) for kind, request in requests.items()}
    store.close()


def rows(dataset: dict[str, Any], part: str = "data") -> dict[str, list[dict[str, Any]]]:
    """The rows of each side as they stand in the files."""
    found = {}
    for side in SIDES:
        path = Path(dataset["folder"], part, f"{side}.{dataset['format']}")
        if PROFILES[dataset["profile"]].test_only and side == "train":
            assert not path.exists()
            continue
        if dataset["format"] == "jsonl":
            found[side] = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        else:
            found[side] = pq.read_table(path).to_pylist()
    return found


def hostile_text(profile: str, row: dict[str, Any]) -> str:
    """What the reporter's user turn has become."""
    match profile:
        case "classifier":
            return row["prompt"]
        case "reward":
            return row["chosen"][0]["content"]
        case "bad_user":
            return row["completion"][0]["content"]
    return row["prompt"][0]["content"]


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_text_comes_out_exactly(made: dict[Any, dict[str, Any]], kind: tuple[str, str, str]) -> None:
    profile, _, layout = kind
    columns = PROFILES[profile].schema.names
    data = rows(made[kind])
    told = data if layout == "rich" else rows(made[kind], "__metadata__")
    seen = set()
    for side in data:
        for whole, about in zip(data[side], told[side], strict=True):
            row = {name: whole[name] for name in columns}
            text = HOSTILE[about["meta_external_id"]]
            assert hostile_text(profile, row) == text
            assert list(whole) == columns + (metadata.SCHEMA.names if layout == "rich" else [])
            digest = hashlib.sha256(metadata.canonical(row).encode()).hexdigest()
            assert digest == about["meta_row_sha256"]
            seen.add(about["meta_external_id"])
    assert len(seen) == made[kind]["rows"]["total"] == len(HOSTILE) - sum(made[kind]["excluded"].values())
    assert set(made[kind]["excluded"]) <= {"exact_duplicate", "training_side"}


def test_answers_come_out_exactly(made: dict[Any, dict[str, Any]]) -> None:
    data = rows(made["preference", "jsonl", "rich"])
    for row in data["train"] + data["test"]:
        name = row["meta_external_id"]
        assert row["rejected"] == [{"role": "assistant", "content": HOSTILE[name] + name}]
        assert row["chosen"] == [{"role": "assistant", "content": HOSTILE[name] + "!"}]


def test_control_tokens_are_flagged(made: dict[Any, dict[str, Any]]) -> None:
    dataset = made["kto", "jsonl", "strict"]
    told = rows(dataset, "__metadata__")
    flagged = {row["meta_external_id"]: row["meta_control_tokens"] for side in SIDES for row in told[side]}
    assert flagged["chat template chatml"] == "<|im_end|> <|im_start|>"
    assert flagged["sql"] == ""
    assert dataset["found"]["control_tokens"]["rows"] == sum(map(bool, flagged.values()))


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_the_reference_loader_reads_the_same(
    made: dict[Any, dict[str, Any]], kind: tuple[str, str, str], tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    folder, cache = made[kind]["folder"], str(tmp_path)
    loaded = datasets.load_dataset(folder, cache_dir=cache)
    assert {side: list(loaded[side]) for side in loaded} == rows(made[kind])
    if kind[2] == "strict":
        about = datasets.load_dataset(folder, "metadata", cache_dir=cache)
        assert {side: list(about[side]) for side in about} == rows(made[kind], "__metadata__")


@pytest.mark.parametrize("format", FORMATS)
def test_the_metadata_does_not_get_between_the_rows_without_the_card(
    made: dict[Any, dict[str, Any]], format: str, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    reader = {"jsonl": "json", "parquet": "parquet"}[format]
    dataset = made["kto", format, "strict"]
    loaded = datasets.load_dataset(reader, data_dir=dataset["folder"], cache_dir=str(tmp_path))
    assert {side: len(loaded[side]) for side in SIDES} == dataset["rows"]["split"]
    assert loaded["train"].column_names == ["prompt", "completion", "label"]


def test_dates_are_text_even_for_a_loader_that_guesses(
    made: dict[Any, dict[str, Any]], tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    file = str(Path(made["kto", "jsonl", "rich"]["folder"], "data", "train.jsonl"))
    loaded = datasets.load_dataset("json", data_files=file, cache_dir=str(tmp_path))["train"]
    assert set(loaded["meta_received_at"]) == {"2026-03-02 12:00:00 UTC"}
