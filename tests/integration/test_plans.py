"""Datasets on a plan: due when they say so, one refusal stops no other; and versions whose files are deleted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, Clock, bring, decide, make_report, open_store
from triage_core import cli, db
from triage_core.channel import consent
from triage_core.errors import NotAllowed, NotFound, Refused
from triage_core.exporters import build as exports
from triage_core.exporters import catalog, plans
from triage_core.exporters.build import ExportRequest, build
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = open_store(tmp_path / "store", clock)
    add(opened, "one")
    for name in ("kto", "other"):
        build(opened, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out", name=name))
    yield opened
    opened.close()


def add(store: Store, words: str) -> None:
    (report_id,) = bring(store, make_report(words, consent_training="any_safety_training"))
    decide(store, report_id, FLAW)


def planned(store: Store) -> dict[str, int]:
    with store.read() as cursor:
        return {one.name: one.every_days for one in plans.plans(cursor)}


def versions(store: Store, name: str = "kto") -> list[catalog.Built]:
    with store.read() as cursor:
        return [one for one in catalog.built(cursor, size=100)[0] if one.name == name][::-1]


def events(store: Store, kind: str) -> int:
    with store.read() as cursor:
        return int(db.value(cursor, "SELECT count(*) FROM events WHERE kind = ?", [kind]))


def test_a_plan_is_set_changed_and_ended(store: Store) -> None:
    plans.plan(store, EVERYBODY, "kto", 7)
    plans.plan(store, EVERYBODY, "kto", 7)
    assert (planned(store), events(store, "dataset.planned")) == ({"kto": 7}, 1)
    plans.plan(store, EVERYBODY, "other", 1)
    assert list(planned(store)) == ["other", "kto"], "the next one due stands first"
    plans.plan(store, EVERYBODY, "kto", 0)
    assert planned(store) == {"other": 1}
    with pytest.raises(Refused, match="0 to 366"):
        plans.plan(store, EVERYBODY, "kto", 367)
    with pytest.raises(NotFound):
        plans.plan(store, EVERYBODY, "nothing", 1)
    with pytest.raises(NotAllowed):
        plans.plan(store, REVIEWER, "kto", 1)


def test_what_is_due_is_built_once_as_it_was_built_before(store: Store, clock: Clock) -> None:
    plans.plan(store, EVERYBODY, "kto", 7)
    add(store, "two")
    assert plans.build_due(store, POLICY, EVERYBODY) == []
    clock.forward(days=7)
    seen: list[tuple[str, int, int]] = []
    (done,) = plans.build_due(store, POLICY, EVERYBODY, lambda *told: seen.append(told))
    assert (done["name"], done["version"], done["rows"]["total"], done["diff"]["added"]) == ("kto", "2", 2, 1)
    assert seen[-1] == ("kto", 2, 2)
    assert plans.build_due(store, POLICY, EVERYBODY) == []
    assert [one.version for one in versions(store, "other")] == ["1"]


def test_where_nothing_changed_no_version_is_made(store: Store, tmp_path: Path, clock: Clock) -> None:
    plans.plan(store, EVERYBODY, "kto", 7)
    clock.forward(days=8)
    assert plans.build_due(store, POLICY, EVERYBODY) == [{"name": "kto", "version": "1", "unchanged": True}]
    assert [one.version for one in versions(store)] == ["1"]
    assert sorted(path.name for path in (tmp_path / "out" / "kto").iterdir()) == ["1"]
    assert plans.build_due(store, POLICY, EVERYBODY) == [], "the next look is seven days away"
    assert events(store, "dataset.unchanged") == 1
    clock.forward(days=7)
    with store.write(EVERYBODY, "test") as work:
        work.cursor.execute("UPDATE cases SET severity = 'critical'")
    (done,) = plans.build_due(store, POLICY, EVERYBODY)
    assert (done["version"], done["diff"]["changed"]) == ("2", 0), "what is told about a row changed"


def test_a_plan_goes_on_where_every_row_has_left(store: Store, clock: Clock) -> None:
    plans.plan(store, EVERYBODY, "kto", 7)
    consent.revoke(store, EVERYBODY, ["FR-1"])
    clock.forward(days=7)
    (done,) = plans.build_due(store, POLICY, EVERYBODY)
    assert (done["version"], done["rows"]["total"], done["diff"]["removed"]) == ("2", 0, 1)
    clock.forward(days=7)
    add(store, "two")
    (done,) = plans.build_due(store, POLICY, EVERYBODY)
    assert (done["version"], done["rows"]["total"]) == ("3", 1)


def test_one_that_is_refused_stops_no_other(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kto", "other"):
        plans.plan(store, EVERYBODY, name, 1)
    clock.forward(days=1)
    right = exports.build_changed
    add(store, "two")

    def fail(*arguments: object) -> object:
        request = arguments[3]
        assert isinstance(request, ExportRequest)
        if request.dataset == "kto":
            raise Refused("split", "a near-copy")
        return right(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(exports, "build_changed", fail)
    first, second = plans.build_due(store, POLICY, EVERYBODY)
    assert first == {"name": "kto", "refused": "split: a near-copy"}
    assert (second["name"], second["version"]) == ("other", "2")


def test_one_whose_folder_cannot_be_written_stops_no_other(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    for name in ("kto", "other"):
        plans.plan(store, EVERYBODY, name, 1)
    clock.forward(days=1)
    add(store, "two")
    shutil.rmtree(tmp_path / "out" / "kto")
    (tmp_path / "out" / "kto").write_text("no folder")
    first, second = plans.build_due(store, POLICY, EVERYBODY)
    assert first == {
        "name": "kto",
        "refused": f"out: {tmp_path / 'out'} cannot be written to: Not a directory",
    }
    assert (second["name"], second["version"]) == ("other", "2")


def test_retired_files_are_gone_and_the_account_stays(store: Store, tmp_path: Path, clock: Clock) -> None:
    for _ in range(3):
        clock.forward(days=1)
        build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    foreign = versions(store)[1].folder / "notes.txt"
    foreign.write_text("mine")
    with pytest.raises(Refused, match="is the latest"):
        plans.retire(store, EVERYBODY, "kto", version="4")
    with pytest.raises(Refused, match="either"):
        plans.retire(store, EVERYBODY, "kto")
    with pytest.raises(NotFound):
        plans.retire(store, EVERYBODY, "kto", version="9")
    assert plans.retire(store, EVERYBODY, "kto", version="1") == ["1"]
    assert plans.retire(store, EVERYBODY, "kto", keep=2) == ["1", "2"]
    assert plans.retire(store, EVERYBODY, "kto", keep=2) == ["1", "2"]
    assert events(store, "dataset.retired") == 2
    first, second, third, fourth = versions(store)
    assert [one.is_here for one in (first, second, third, fourth)] == [False, False, True, True]
    assert (first.is_retired, fourth.is_retired) == (True, False)
    assert not first.folder.exists()
    assert [path.name for path in second.folder.rglob("*")] == ["notes.txt"], "what is not ours stays"
    assert first.manifest["rows"]["total"] == 1
    assert plans.retire(store, EVERYBODY, "kto", keep=9) == []
    with pytest.raises(NotAllowed):
        plans.retire(store, REVIEWER, "kto", keep=1)
    store.verify()


def test_the_command_says_in_words_what_it_did(
    store: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [
        {"name": "kto", "version": "1", "unchanged": True},
        {"name": "other", "version": "2", "rows": {"total": 3}, "diff": None},
        {"name": "third", "refused": "split: a near-copy"},
    ]
    monkeypatch.setattr(plans, "build_due", lambda *_: outcomes)
    store.close()
    done = CliRunner().invoke(cli.app, ["datasets", "build-due", "--store", str(tmp_path / "store")])
    assert done.exit_code == 1, "a scheduler notices what was refused"
    assert [
        words in done.stdout for words in ("nothing changed", "3 rows", "refused: split: a near-copy")
    ] == [True] * 3


def test_a_plan_is_not_ended_by_looking_at_it() -> None:
    assert CliRunner().invoke(cli.app, ["datasets", "plan", "kto"]).exit_code == 2
