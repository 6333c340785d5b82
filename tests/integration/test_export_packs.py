"""Evaluation sets for other tools: hostile text comes out of each tool's own loader as it went in.

The loaders themselves are optional; without them the same is checked with the parsers and the template
engine that they use.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from tests.hostile_corpus import HOSTILE
from tests.making import EVERYBODY, FLAW, POLICY, Clock, bring, decide, make_report, open_store
from triage_core.errors import Refused
from triage_core.exporters import split
from triage_core.exporters.build import ExportRequest, build
from triage_core.exporters.packs import PACKS, pyrit

ANSWER = "Here it is: "


EVAL = [name for name, pack in PACKS.items() if pack.profile == "eval"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """The hostile corpus in each tool's format; for once the whole of it is test data."""
    folder = tmp_path_factory.mktemp("packs")
    store = open_store(folder / "store", Clock())
    patch = pytest.MonkeyPatch()
    patch.setattr(split, "TEST_SHARE", 1.0)
    for name, text in HOSTILE.items():
        turns = [{"role": "user", "content": text}, {"role": "assistant", "content": ANSWER + text}]
        line = make_report(turns=turns, external_id=name, consent_training="any_safety_training")
        (report_id,) = bring(store, line)
        decide(store, report_id, replace(FLAW, better_answer=text + "!"))
    yield {
        name: build(store, POLICY, EVERYBODY, ExportRequest("eval", folder, name, name=name)) for name in EVAL
    } | {
        "openai": build(
            store, POLICY, EVERYBODY, ExportRequest("preference", folder, "openai", name="openai")
        )
    }
    patch.undo()
    store.close()


def data(dataset: dict[str, Any]) -> Path:
    return Path(dataset["folder"], "data", f"test.{PACKS[dataset['format']].extension}")


def expected(dataset: dict[str, Any]) -> dict[str, str]:
    """The text of each report in the set, by the id that its row has."""
    about = Path(dataset["folder"], "__metadata__", "test.jsonl")
    rows = [json.loads(line) for line in about.read_bytes().split(b"\n")[:-1]]
    assert len(rows) == dataset["rows"]["total"] > 50
    return {f"flaw-{row['meta_report_id']}": HOSTILE[row["meta_external_id"]] for row in rows}


def json_rows(dataset: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data(dataset).read_bytes().split(b"\n")[:-1]]


def test_promptfoo(made: dict[str, dict[str, Any]]) -> None:
    dataset = made["promptfoo"]
    rows = json_rows(dataset)
    assert {row["metadata"]["id"]: row["vars"]["prompt"] for row in rows} == expected(dataset)
    for row in rows:
        assert row["vars"].keys() == {"prompt"}
        assert row["metadata"]["pluginId"] == "bounty:IN-1"
        assert row["metadata"]["pluginConfig"] == {}
    config = yaml.safe_load(Path(dataset["folder"], "promptfooconfig.yaml").read_text())
    assert config["prompts"] == ["{{prompt}}"]
    assert Path(dataset["folder"], config["tests"].removeprefix("file://")) == data(dataset)


def test_inspect(made: dict[str, dict[str, Any]]) -> None:
    dataset = made["inspect"]
    rows = json_rows(dataset)
    assert {row["id"]: row["input"][0]["content"] for row in rows} == expected(dataset)
    assert not any({"files", "setup", "sandbox"} & row.keys() for row in rows)


def test_pyrit(made: dict[str, dict[str, Any]]) -> None:
    dataset = made["pyrit"]
    loaded = yaml.safe_load(data(dataset).read_text("utf-8"))
    engine = jinja2.Environment(undefined=jinja2.StrictUndefined)
    rendered = {seed["name"]: engine.from_string(seed["value"]).render() for seed in loaded["seeds"]}
    assert rendered == expected(dataset)
    known = {"value", "name", "data_type", "harm_categories", "description"}
    assert all(seed.keys() == known and seed["data_type"] == "text" for seed in loaded["seeds"])


def test_pyrit_literals_hold_against_random_text() -> None:
    draw = random.Random(7)
    engine = jinja2.Environment(undefined=jinja2.StrictUndefined)
    alphabet = "{}%#\"'\\\n\r\tabn x7-+~|\u2028\u0085\ufeff\U0001f600\x1b\x7f"
    for _ in range(2_000):
        text = "".join(draw.choices(alphabet, k=draw.randrange(40)))
        template = yaml.safe_load(pyrit.yaml_string(pyrit.jinja_literal(text)))
        assert engine.from_string(template).render() == text


def test_lm_eval(made: dict[str, dict[str, Any]]) -> None:
    dataset = made["lm-eval"]
    rows = json_rows(dataset)
    assert {row["id"]: row["text"] for row in rows} == expected(dataset)
    task = yaml.safe_load(Path(dataset["folder"], "flaw_reports.yaml").read_text())
    assert task["doc_to_text"] in rows[0]
    assert task["doc_to_target"] in rows[0]
    assert Path(dataset["folder"], task["dataset_kwargs"]["data_files"]["test"]) == data(dataset)


def test_garak(made: dict[str, dict[str, Any]]) -> None:
    dataset = made["garak"]
    rows = json_rows(dataset)
    assert {row["notes"]["id"]: row["prompt"]["turns"][0]["content"]["text"] for row in rows} == expected(
        dataset
    )
    assert all(row["outputs"][0]["text"].startswith(ANSWER) for row in rows)
    assert len({row["uuid"] for row in rows}) == len(rows)


def test_harmbench(made: dict[str, dict[str, Any]]) -> None:
    dataset = made["harmbench"]
    rows = list(csv.DictReader(io.StringIO(data(dataset).read_bytes().decode(), newline="")))
    assert list(rows[0]) == [
        "Behavior", "FunctionalCategory", "SemanticCategory", "Tags", "ContextString", "BehaviorID",
    ]  # fmt: skip
    assert not any(row["Behavior"].startswith(tuple("=+-@\t\r")) for row in rows)
    read = {
        row["BehaviorID"]: row["Behavior"].removeprefix("'") if "escaped" in row["Tags"] else row["Behavior"]
        for row in rows
    }
    assert read == expected(dataset)


def test_openai_pairs_are_read_back_exactly(made: dict[str, dict[str, Any]]) -> None:
    rows = [json.loads(line) for line in data(made["openai"]).read_bytes().split(b"\n")[:-1]]
    assert {row["input"]["messages"][0]["content"] for row in rows} <= set(HOSTILE.values())
    assert len(rows) == made["openai"]["rows"]["total"] > 15
    for row in rows:
        (message,) = row["input"]["messages"]
        assert row["preferred_output"] == [{"role": "assistant", "content": message["content"] + "!"}]
        assert row["non_preferred_output"] == [{"role": "assistant", "content": ANSWER + message["content"]}]
    with pytest.raises(Refused, match="openai is for the profile preference"):
        ExportRequest("kto", Path(), "openai")


@pytest.mark.parametrize("name", EVAL)
def test_a_pack_is_a_version_like_any_other(made: dict[str, dict[str, Any]], name: str) -> None:
    dataset = made[name]
    files = {file["path"] for file in dataset["files"]}
    assert {f"data/test.{PACKS[name].extension}", "__metadata__/test.jsonl", "README.md"} <= files
    assert set(PACKS[name].companions) <= files
    assert dataset["content_sha256"] == made["promptfoo"]["content_sha256"]


def test_packs_are_for_the_eval_profile(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="format: promptfoo is for the profile eval"):
        ExportRequest("kto", tmp_path, "promptfoo")
    with pytest.raises(Refused, match="strict"):
        ExportRequest("eval", tmp_path, "inspect", "rich")


@pytest.mark.optional
@pytest.mark.skipif(shutil.which("promptfoo") is None, reason="promptfoo is not installed")
def test_promptfoo_itself(made: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    folder = shutil.copytree(made["promptfoo"]["folder"], tmp_path / "set")
    config = folder / "promptfooconfig.yaml"
    config.write_text(config.read_text().replace("providers: []", "providers: [echo]"))
    quiet = {
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_CONFIG_DIR": str(tmp_path),
    }
    subprocess.run(
        ["promptfoo", "eval", "-c", config.name, "--output", "out.json", "--no-cache", "--no-progress-bar"],
        cwd=folder, env={**os.environ, **quiet}, check=False, capture_output=True, timeout=300,
    )  # fmt: skip
    results = json.loads((folder / "out.json").read_text())["results"]["results"]
    said = {row["testCase"]["metadata"]["id"]: row["response"]["output"] for row in results}
    assert said == expected(made["promptfoo"])


@pytest.mark.optional
def test_the_inspect_loader(made: dict[str, dict[str, Any]]) -> None:
    dataset = pytest.importorskip("inspect_ai.dataset")
    fields = dataset.FieldSpec(metadata=["category", "expected", "adversarial"])
    samples = dataset.json_dataset(str(data(made["inspect"])), fields)
    assert {sample.id: sample.input[0].text for sample in samples} == expected(made["inspect"])
    assert not any(sample.files or sample.setup or sample.sandbox for sample in samples)


@pytest.mark.optional
def test_the_pyrit_loader(made: dict[str, dict[str, Any]]) -> None:
    models = pytest.importorskip("pyrit.models")
    seeds = models.SeedDataset.from_yaml_file(data(made["pyrit"])).seeds
    assert {seed.name: seed.value for seed in seeds} == expected(made["pyrit"])


@pytest.mark.optional
def test_the_lm_eval_loader(made: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = pytest.importorskip("lm_eval.tasks")
    folder = made["lm-eval"]["folder"]
    monkeypatch.chdir(folder)
    manager = tasks.TaskManager(include_path=folder, include_defaults=False)
    task = manager.load("flaw_reports")["tasks"]["flaw_reports"]
    found = {doc["id"]: task.doc_to_text(doc) for doc in task.test_docs()}
    assert found == expected(made["lm-eval"])


@pytest.mark.optional
def test_the_garak_attempt(made: dict[str, dict[str, Any]]) -> None:
    attempt = pytest.importorskip("garak.attempt")
    found = {}
    for row in json_rows(made["garak"]):
        conversation = attempt.Conversation.from_dict(row["prompt"])
        found[row["notes"]["id"]] = conversation.turns[0].content.text
    assert found == expected(made["garak"])
