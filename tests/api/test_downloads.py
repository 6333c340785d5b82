"""The archive of a dataset by a link: who was given one gets it, nobody else does."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.making import EVERYBODY, FLAW, NOON, POLICY, Clock, bring, decide, make_report
from triage_core import runtime, tickets
from triage_core.exporters import catalog
from triage_core.exporters.build import ExportRequest, build


@pytest.fixture
def folder(client: TestClient, tmp_path: Path) -> Path:
    """The folder of the dataset kto 1."""
    store = runtime.current().store
    (report_id,) = bring(store, make_report(consent_training="any_safety_training"))
    decide(store, report_id, FLAW)
    return Path(build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))["folder"])


def link(name: str, version: str, to: str = "") -> str:
    ticket = runtime.current().tickets.issue(catalog.subject(name, version), NOON + tickets.HOLDS)
    return f"/download/datasets/{to or f'{name}/{version}'}?ticket={ticket}"


def test_a_link_gives_the_files_as_one_archive(client: TestClient, folder: Path) -> None:
    answer = client.get(link("kto", "1"))
    assert answer.headers["content-disposition"] == 'attachment; filename="kto-1.zip"'
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.read("kto-1/README.md") == (folder / "README.md").read_bytes()


def test_without_a_ticket_of_its_own_there_is_none(client: TestClient, folder: Path, clock: Clock) -> None:
    good = link("kto", "1")
    for refused in ("/download/datasets/kto/1", link("kto", "2", to="kto/1"), good[:-1]):
        answer = client.get(refused)
        assert (answer.status_code, "take a new one" in answer.text) == (403, True)
    clock.now += timedelta(hours=1)
    assert client.get(good).status_code == 403


def test_a_version_that_is_gone_says_so(client: TestClient, folder: Path) -> None:
    assert client.get(link("kto", "9")).status_code == 404
    (folder / "README.md").unlink()
    answer = client.get(link("kto", "1"))
    assert (answer.status_code, "no longer" in answer.text) == (404, True)
