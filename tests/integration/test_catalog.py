"""The list of built datasets and the archive that is downloaded."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.making import (
    EVERYBODY,
    FLAW,
    POLICY,
    REVIEWER,
    Clock,
    bring,
    lay_store,
    make_report,
    open_store,
)
from triage_core import cli
from triage_core.desk import triage
from triage_core.errors import NotFound
from triage_core.exporters import catalog, plans
from triage_core.exporters.build import ExportRequest, build
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store", Clock())
    (report_id,) = bring(opened, make_report(consent_training="any_safety_training"))
    triage.assess(opened, POLICY, REVIEWER, report_id, FLAW)
    yield opened
    opened.close()


def listed(store: Store, page: int = 1, size: int = 10) -> tuple[list[catalog.Built], int]:
    with store.read() as cursor:
        return catalog.built(cursor, page, size)


def test_built_versions_are_listed_newest_first_and_paged(store, tmp_path):
    assert listed(store) == ([], 0)
    made = [build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out")) for _ in range(3)]
    found, total = listed(store)
    assert (total, [one.version for one in found]) == (3, ["3", "2", "1"])
    assert found[0].manifest["content_sha256"] == made[-1]["content_sha256"]
    assert [one.version for one in listed(store, page=2, size=2)[0]] == ["1"]
    plans.retire(store, EVERYBODY, "kto", version="2")
    with store.read() as cursor:
        assert catalog.kept(cursor, 10) == [("kto", "3"), ("kto", "1")]
        assert catalog.kept(cursor, 1) == [("kto", "3")]


def test_archive_holds_the_files_of_the_manifest_and_nothing_else(store, tmp_path):
    made = build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out", format="jsonl"))
    folder = Path(made["folder"])
    (folder / "left-behind.txt").write_text("not part of it")
    built = listed(store)[0][0]
    with zipfile.ZipFile(io.BytesIO(b"".join(built.archive()))) as packed:
        assert packed.testzip() is None
        names = {name.removeprefix("kto-1/") for name in packed.namelist()}
        assert names == {"manifest.json", *(file["path"] for file in made["files"])}
        for name in names:
            assert packed.read(f"kto-1/{name}") == (folder / name).read_bytes()
    assert list(built.archive()) == list(built.archive())
    assert built.size == sum(file["bytes"] for file in made["files"])


def test_a_version_whose_files_are_gone_says_so(store, tmp_path):
    made = build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    built = listed(store)[0][0]
    assert built.is_here
    (Path(made["folder"]) / "README.md").unlink()
    assert not built.is_here
    with pytest.raises(NotFound, match="no longer"):
        built.archive()


def test_an_archive_is_packed_while_it_is_read(store, tmp_path):
    made = build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    account = listed(store)[0][0]
    data = Path(made["folder"]) / "more.bin"
    data.write_bytes(random.Random(0).randbytes(5 << 20))
    files = [*account.manifest["files"], {"path": "more.bin", "bytes": 5 << 20}]
    parts = list(replace(account, manifest={**account.manifest, "files": files}).archive())
    assert max(map(len, parts)) < 2 << 20
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as packed:
        assert packed.read("kto-1/more.bin") == data.read_bytes()


def test_a_version_is_found_by_its_name(store, tmp_path):
    build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    with store.read() as cursor:
        assert catalog.one(cursor, "kto", "1").manifest["name"] == "kto"
        with pytest.raises(NotFound, match="no kto 2"):
            catalog.one(cursor, "kto", "2")


def test_the_command_line_lists_and_compares(store, tmp_path):
    build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    (report_id,) = bring(store, make_report("another", consent_training="any_safety_training"))
    triage.assess(store, POLICY, REVIEWER, report_id, FLAW)
    build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    store.close()

    def ask(*command):
        done = CliRunner().invoke(
            cli.app, ["datasets", *command, "--store", str(tmp_path / "store"), "--json"]
        )
        return json.loads(done.stdout) if done.exit_code == 0 else done.exception

    later, earlier = ask("list")
    assert (later["name"], later["version"], later["rows"], earlier["rows"]) == ("kto", "2", 2, 1)
    assert Path(later["folder"], "README.md").is_file()
    found = ask("compare", "kto", "1", "2")
    assert found["added"] == {"count": 1, "first": [f"kto-{report_id}"]}
    assert (found["removed"]["count"], found["changed"]["count"], found["counts"]["rows"]) == (0, 0, [1, 2])
    Path(earlier["folder"], "README.md").unlink()
    assert [one["folder"] for one in ask("list")] == [later["folder"], None]
    assert isinstance(ask("compare", "kto", "1", "2"), NotFound)
    told = CliRunner().invoke(cli.app, ["datasets", "list", "--store", str(tmp_path / "store")]).stdout
    assert told.splitlines() == [
        f"kto 2: 2 rows, kto parquet strict, {later['folder']}",
        "kto 1: 1 row, kto parquet strict, its files are gone",
    ]


def test_a_store_without_datasets_says_so(tmp_path: Path) -> None:
    lay_store(tmp_path)
    ask = ["datasets", "list", "--store", str(tmp_path)]
    assert CliRunner().invoke(cli.app, ask).stdout == "no dataset has been built\n"
    assert CliRunner().invoke(cli.app, [*ask, "--json"]).stdout == "[]\n"
