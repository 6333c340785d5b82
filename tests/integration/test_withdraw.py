"""A reporter's consent ends: their rows leave the next versions, which say so; everything else stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, FLAW, POLICY, Clock, bring, decide, make_report, open_store
from triage_core import db, told
from triage_core.channel import consent, intake, messages, reporter, reportformat
from triage_core.desk import activity, triage, undo
from triage_core.disclosure import disclosure
from triage_core.errors import Conflict, NotAllowed, NotFound, Refused
from triage_core.exporters import build as exports
from triage_core.exporters import folder, revoke
from triage_core.exporters.build import ExportRequest, build
from triage_core.exporters.hygiene import Hygiene
from triage_core.guidance.policy import Policy
from triage_core.model import Actor, Channel, DeskRole, Tlp, TrainingConsent
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store", Clock())
    agreed = {"consent_training": "any_safety_training"}
    bring(opened, *(make_report(f"Question {n}", contact="ann@example.org", **agreed) for n in range(3)))
    bring(opened, *(make_report(f"Riddle {n}", contact="bob@example.org", **agreed) for n in range(3)))
    for number in range(1, 7):
        decide(opened, f"FR-{number}", replace(FLAW, better_answer="I cannot say.") if number == 4 else FLAW)
    yield opened
    opened.close()


def test_a_reporter_leaves_every_dataset_that_held_their_words(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ExportRequest("kto", out, "jsonl", hygiene=Hygiene(hidden="drop"), per_group=2)
    first = build(store, POLICY, EVERYBODY, asked)
    build(store, POLICY, EVERYBODY, ExportRequest("preference", out))
    ended, built = revoke.withdraw(store, POLICY, EVERYBODY, EVERYBODY, "RP-1")
    assert ended == ("FR-1", "FR-2", "FR-3")
    (second,) = built
    assert (second["name"], second["version"], second["parent"]) == ("kto", "2", "1")
    assert second["diff"]["removed_examples"] == ["kto-FR-1", "kto-FR-2", "kto-FR-3"]
    assert (second["format"], second["hygiene"], second["dedup"]) == (
        first["format"], first["hygiene"], first["dedup"],
    )  # fmt: skip
    assert folder.report_ids(Path(second["folder"]), "strict", "jsonl") == {"FR-4", "FR-5", "FR-6"}
    assert folder.report_ids(Path(first["folder"]), "strict", "jsonl") == {f"FR-{n}" for n in range(1, 7)}
    store.verify()


def test_whoever_was_told_of_a_version_is_told_of_the_next_one_without_them(
    store: Store, tmp_path: Path
) -> None:
    """Once, by the version that replaced it, in words that hold nothing of the report; nobody else hears of it."""
    agreed = {"consent_training": "any_safety_training", "contact": "cy@example.org"}
    sent, taken, stays = (
        intake.receive(store, POLICY, reportformat.parse(make_report(said, **agreed)), Channel.FORM).report_id
        for said in ("A secret riddle", "How old is the moon?", "Who sits beside me on the plane?")
    )
    for report in (sent, taken, stays):
        decide(store, report, FLAW)
    store.clock.forward(days=46)
    build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path))
    disclosure.set_tlp(store, EVERYBODY, stays, Tlp.RED, "for named people only, for now")
    reporter.withdraw(store, taken)
    revoke.withdraw(store, POLICY, EVERYBODY, EVERYBODY, sent)
    build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path))
    with store.read() as cursor:
        told_of = {name: messages.thread(cursor, name) for name in (sent, taken, stays, "FR-1")}
    assert [one["text"] for one in told_of[sent]] == [
        "Your report is in version 1 of the training set kto.",
        "Your report has left the training set kto: version 2 is built without it. Versions before it"
        " stay as they were.",
    ]
    assert [one["kind"] for one in told_of[taken]] == ["trained_version", "left_version"]
    # What leaves for another reason may come back; what came by no public door has nobody to be told.
    assert [one["kind"] for one in told_of[stays]] == ["trained_version"]
    assert told_of["FR-1"] == []
    store.verify()


def test_who_withdrew_is_in_no_training_set_of_a_report_that_the_desk_opens_again(
    store: Store, tmp_path: Path
) -> None:
    reporter.withdraw(store, "FR-1")
    decide(store, "FR-1", FLAW)
    made = build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path, "jsonl", per_group=2))
    assert folder.report_ids(Path(made["folder"]), "strict", "jsonl") == {f"FR-{n}" for n in range(2, 7)}
    with store.read() as cursor:
        decided = activity.history(cursor, "FR-1")
    with pytest.raises(Refused, match="only the reporter can agree again"):
        undo.undo(store, EVERYBODY, next(one.seq for one in decided if one.kind == consent.REVOKED))
    store.verify()


def test_one_that_is_refused_or_out_of_sight_stops_no_other(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    for name in ("bad", "gone", "good"):
        made = build(store, POLICY, EVERYBODY, ExportRequest("kto", out, name=name))
        if name == "gone":
            Path(made["folder"]).rename(tmp_path / "elsewhere")
    without = build(store, POLICY, EVERYBODY, ExportRequest("preference", out, name="untouched"))
    Path(without["folder"]).rename(tmp_path / "elsewhere too")

    right = revoke.exports.build_changed

    def refuses(store: Store, policy: Policy, actor: Actor, request: ExportRequest) -> dict[str, Any] | None:
        if request.dataset == "bad":
            raise Refused("split", "a near-copy")
        return right(store, policy, actor, request)

    with monkeypatch.context() as patch:
        patch.setattr(revoke.exports, "build_changed", refuses)
        _, built = revoke.withdraw(store, POLICY, EVERYBODY, EVERYBODY, "RP-1")
    refused, gone, good = built
    assert refused == {"name": "bad", "refused": "split: a near-copy"}
    assert (gone["name"], gone["rows"]["total"]) == ("gone", 3)
    assert (good["name"], good["diff"]["removed"]) == ("good", 3)
    ended, built = revoke.withdraw(store, POLICY, EVERYBODY, EVERYBODY, "RP-1")
    assert (ended, [(one["name"], one["version"]) for one in built]) == ((), [("bad", "2")])


@pytest.mark.parametrize("of", ["consent", "label"])
def test_a_build_notices_what_had_to_leave_while_it_ran(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    right = exports.manifest.document

    def meanwhile(*arguments: Any, **more: Any) -> dict[str, Any]:
        if of == "consent":
            assert revoke.withdraw(store, POLICY, EVERYBODY, EVERYBODY, "FR-2") == (("FR-2",), [])
        else:
            disclosure.set_tlp(store, EVERYBODY, "FR-2", Tlp.RED, "for named people only")
        return right(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(exports.manifest, "document", meanwhile)
        with pytest.raises(Conflict, match=r"1 of its reports \(FR-2\) had to leave while it was built"):
            build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path))
    assert not list(tmp_path.rglob("manifest.json"))
    again = build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path))
    assert folder.report_ids(Path(again["folder"]), "strict", "parquet") == {
        f"FR-{n}" for n in (1, 3, 4, 5, 6)
    }
    with store.read() as cursor:
        assert messages.thread(cursor, "FR-2") == []


def test_a_version_that_loses_all_its_rows_is_made_without_any(store: Store, tmp_path: Path) -> None:
    build(store, POLICY, EVERYBODY, ExportRequest("preference", tmp_path / "out"))
    _, (last,) = revoke.withdraw(store, POLICY, EVERYBODY, EVERYBODY, "FR-4")
    assert (last["version"], last["rows"]["total"]) == ("2", 0)
    assert last["diff"]["removed_examples"] == ["preference-FR-4"]


def test_one_report_can_be_withdrawn_and_twice_is_once(store: Store) -> None:
    assert revoke.withdraw(store, POLICY, EVERYBODY, EVERYBODY, "FR-2") == (("FR-2",), [])
    assert revoke.withdraw(store, POLICY, EVERYBODY, EVERYBODY, "FR-2") == ((), [])
    with store.read() as cursor:
        found = db.rows(cursor, "SELECT report_id FROM cases WHERE consent_training = 'none'")
        seq = db.value(cursor, "SELECT seq FROM events WHERE kind = 'consent.revoked'")
    assert found == [{"report_id": "FR-2"}]
    with pytest.raises(Refused, match="only the reporter can agree again"):
        undo.undo(store, EVERYBODY, seq)


def test_a_decision_is_undone_after_consent_ended_and_brings_none_back(store: Store) -> None:
    """The consent is the reporter's, and no part of what reviewers decide together."""
    with store.read() as cursor:
        decided = next(
            event.seq for event in activity.history(cursor, "FR-2") if event.kind == "report.assessed"
        )
    consent.revoke(store, EVERYBODY, ["FR-2"])
    undo.undo(store, EVERYBODY, decided)
    with store.read() as cursor:
        case = db.row(cursor, "SELECT status, consent_training FROM cases WHERE report_id = 'FR-2'")
    assert case == {"status": "new", "consent_training": "none"}
    agreed = replace(
        FLAW, consent=TrainingConsent.ANY_SAFETY_TRAINING
    )  # as somebody says who asked the reporter
    triage.assess(store, POLICY, EVERYBODY, "FR-3", FLAW)
    consent.revoke(store, EVERYBODY, ["FR-3"])
    triage.assess(store, POLICY, EVERYBODY, "FR-3", agreed)
    said = store.revision
    consent.revoke(store, EVERYBODY, ["FR-3"])
    with pytest.raises(Conflict, match=r"consent\.revoked FR-3"):
        undo.undo(store, EVERYBODY, said)


def test_a_consent_that_was_undone_does_not_come_back_by_a_redo_once_it_ended(store: Store) -> None:
    (report,) = bring(store, make_report("New."))
    agreed = replace(FLAW, consent=TrainingConsent.ANY_SAFETY_TRAINING)
    triage.assess(store, POLICY, EVERYBODY, report, agreed)
    undo.undo(store, EVERYBODY, store.revision)
    redo = store.revision
    for _ in range(2):
        assert consent.revoke(store, EVERYBODY, [report]) == ()
    assert store.revision == redo + 1
    with pytest.raises(Conflict, match=r"consent\.revoked FR-7"):
        undo.undo(store, EVERYBODY, redo)
    assert consent.revoke(store, EVERYBODY, bring(store, make_report("Newer."))) == ()
    with store.read() as cursor:
        assert told.disagreements(cursor) == []
    store.verify()


def test_who_may_and_whom_there_is(store: Store) -> None:
    with pytest.raises(NotFound, match="RP-99"):
        revoke.withdraw(store, POLICY, EVERYBODY, EVERYBODY, "RP-99")
    with pytest.raises(NotAllowed):
        consent.revoke(store, Actor("o", "O", frozenset({DeskRole.OPERATOR})), ["FR-1"])
