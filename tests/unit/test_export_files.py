"""The writers and the request: exact text, reproducible bytes, and what a request may say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile_corpus import HOSTILE
from triage_core.errors import Refused
from triage_core.exporters import metadata, parquet
from triage_core.exporters.folder import FORMATS
from triage_core.exporters.profiles import MESSAGES
from triage_core.exporters.request import ExportRequest

SCHEMA = pa.schema([("prompt", MESSAGES), ("note", pa.string())])
ROWS = [
    {"prompt": [{"role": "user", "content": text}, {"role": "assistant", "content": name}], "note": text}
    for name, text in HOSTILE.items()
] + [{"prompt": [], "note": None}]


def written(path: Path, format: str) -> bytes:
    with FORMATS[format].open(path, SCHEMA) as writer:
        for start in range(0, len(ROWS), 5):
            writer.write(pa.Table.from_pylist(ROWS[start : start + 5], SCHEMA))
    return path.read_bytes()


def test_jsonl_keeps_hostile_text_exactly_and_one_row_a_line(tmp_path: Path) -> None:
    raw = written(tmp_path / "rows.jsonl", "jsonl")
    assert raw.isascii()
    assert [json.loads(line) for line in raw.decode().splitlines()] == ROWS
    assert [list(json.loads(line)) for line in raw.split(b"\n")[:1]] == [SCHEMA.names]


def test_parquet_keeps_hostile_text_exactly(tmp_path: Path) -> None:
    written(tmp_path / "rows.parquet", "parquet")
    found = pq.ParquetFile(tmp_path / "rows.parquet")
    assert found.schema_arrow.equals(SCHEMA)
    assert found.read().to_pylist() == ROWS
    assert found.metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, format: str) -> None:
    assert written(tmp_path / "one", format) == written(tmp_path / "two", format)


@pytest.mark.parametrize("limit", ["GROUP_ROWS", "GROUP_CHARACTERS"])
def test_parquet_holds_no_more_than_a_row_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(parquet, limit, 7)
    written(tmp_path / "rows.parquet", "parquet")
    found = pq.ParquetFile(tmp_path / "rows.parquet")
    assert found.num_row_groups >= len(ROWS) / 7
    assert found.read().to_pylist() == ROWS


def test_a_request_reads_json_with_defaults() -> None:
    request = ExportRequest.from_json(
        {
            "profile": "kto",
            "out": "here",
            "name": None,
            "version": "",
            "severity": "high",
            "platform": ["a", "b"],
        }
    )
    assert (request.format, request.layout, request.dataset, request.version) == (
        "parquet",
        "strict",
        "kto",
        "",
    )
    assert request.out == Path("here")
    assert request.filters() == {"severity": ["high"], "platform": ["a", "b"]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"profile": "dpo"}, "profile"),
        ({"profile": None}, "profile"),
        ({"out": ""}, "out"),
        ({"format": "csv"}, "format"),
        ({"layout": "loose"}, "layout"),
        ({"name": "../elsewhere"}, "name"),
        ({"name": "Upper"}, "name"),
        ({"name": 7}, "name"),
        ({"version": ".."}, "version"),
        ({"version": "a/b"}, "version"),
        ({"severity": [1]}, "severity"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_request_names_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        ExportRequest.from_json({"profile": "kto", "out": "here", **change})
    assert refused.value.field == field


CONVERSATIONS = st.fixed_dictionaries(
    {
        "prompt": st.lists(
            st.fixed_dictionaries({"role": st.sampled_from(["user", "tool"]), "content": st.text()})
        ),
        "label": st.sampled_from([True, False, None]),
        "id": st.text(),
    }
)


@given(CONVERSATIONS)
def test_a_row_is_hashed_as_canonical_json(row: dict[str, Any]) -> None:
    assert metadata.canonical(row) == json.dumps(
        row, sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
