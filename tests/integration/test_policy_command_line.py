"""The policy's way from file to force on the command line: draft, compare, try, approve by another, publish, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.making import (
    FLAW,
    POLICY,
    REVIEWER,
    Clock,
    LetterEmbedder,
    bring,
    held_by_a_server,
    make_report,
    open_runtime,
)
from triage_core import cli, runtime
from triage_core.desk import triage
from triage_core.errors import Conflict, InvalidPolicy, NotAllowed, NotFound, Refused
from triage_core.guidance import policy
from triage_core.guidance.policy_text import Texts

NEXT = "2031.1"


def call(folder: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, ["policy", *arguments, "--store", str(folder), "--json"])
    if result.exception:
        raise result.exception
    return json.loads(result.stdout)


def write(folder: Path, texts: Texts) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in texts.by_file().items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(params=["own process", "running server"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store with one decision on it: free, or held by a server that the command line has to ask."""
    made = tmp_path / "store"
    monkeypatch.setattr(runtime.Runtime, "_load_model", lambda self: LetterEmbedder())
    opened = open_runtime(made, Clock())
    (report_id,) = bring(opened.store, make_report())
    triage.assess(opened.store, POLICY, REVIEWER, report_id, FLAW)
    if request.param == "own process":
        opened.close()
        yield made
        return
    with held_by_a_server(opened, monkeypatch):
        yield made


def act_as(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: name)


def test_from_a_file_to_force_and_back(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    act_as(monkeypatch, "ada")
    critical = POLICY.severity_csv.replace(
        "H3,self,retargetable,reliable,yes,medium", "H3,self,retargetable,reliable,yes,high"
    )
    for row in ("H3,self,universal,intermittent,yes", "H3,self,universal,rare,yes"):
        critical = critical.replace(f"{row},medium", f"{row},high")
    toml = POLICY.toml_text.replace(f'version = "{POLICY.version}"', f'version = "{NEXT}"')
    files = write(tmp_path / "new", Texts(toml, critical, POLICY.priority_csv))
    begun = call(store, "draft", str(files))
    assert (begun["draft"], begun["state"], begun["version"], begun["in_force"]) == (
        1,
        "open",
        NEXT,
        POLICY.version,
    )
    found = call(store, "diff", "1")
    assert found[0] == {"part": "version", "place": "", "before": POLICY.version, "after": NEXT}
    assert {row["part"] for row in found} == {"version", "severity.csv"}
    tried = call(store, "trial", "1")
    assert (tried["decisions"], tried["changed"]) == (1, 1)
    assert tried["moves"] == [{"from": "medium", "to": "high", "decisions": 1}]
    assert [row["report_id"] for row in tried["reports"]] == ["FR-1"]
    with pytest.raises((NotAllowed, Refused), match="does not approve"):
        call(store, "approve", "1")
    with pytest.raises((Conflict, Refused), match="second person"):
        call(store, "publish", "1")
    act_as(monkeypatch, "ben")
    assert call(store, "approve", "1")["state"] == "approved"
    done = call(store, "publish", "1")
    assert (done["state"], done["in_force"]) == ("published", NEXT)
    assert call(store, "drafts")[0]["version"] == NEXT
    call(store, "export", "--out", str(tmp_path / "out"))
    assert policy.load(tmp_path / "out") == policy.load(files)
    call(store, "export", "--out", str(tmp_path / "old"), "--version", POLICY.version)
    assert policy.load(tmp_path / "old") == POLICY
    (tmp_path / "taken").write_text("no folder")
    with pytest.raises(Refused, match=r"out: .* cannot be written to: File exists"):
        call(store, "export", "--out", str(tmp_path / "taken"))


def test_files_go_into_a_draft_whole_or_not_at_all(store: Path, tmp_path: Path) -> None:
    call(store, "draft", str(write(tmp_path / "new", Texts.of(POLICY))))
    broken = Texts(
        POLICY.toml_text, POLICY.severity_csv + "H9,self,instance,rare,no,none\n", POLICY.priority_csv
    )
    with pytest.raises(InvalidPolicy, match="row 272"):
        call(store, "draft", str(write(tmp_path / "new", broken)), "--draft", "1")
    titled = Texts(
        POLICY.toml_text.replace("How to report", "Where to report"), POLICY.severity_csv, POLICY.priority_csv
    )
    assert call(store, "draft", str(write(tmp_path / "new", titled)), "--draft", "1")["revision"] == 2
    call(store, "export", "--out", str(tmp_path / "out"), "--draft", "1")
    assert policy.load(tmp_path / "out").title.startswith("Where to report")
    with pytest.raises((NotFound, Refused), match="no draft 7"):
        call(store, "trial", "7")


def test_a_folder_that_cannot_be_written_to_is_named(store: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(Refused, match="cannot be written") as refused:
        call(store, "export", "--out", str(tmp_path / "taken" / "policy"))
    assert refused.value.field == "out"
