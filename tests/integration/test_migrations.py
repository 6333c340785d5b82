"""Migrations on a store that holds data: everything it held is there afterwards."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report
from triage_core import cases, db, migrations
from triage_core.advisories import advising, answering, peers
from triage_core.channel import first_rows, intake, reportformat
from triage_core.clusters import groups
from triage_core.desk import claims, drafts, linking, second_look, triage
from triage_core.disclosure import disclosure, embargoes, shared_ends
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.importers import mapping, presets
from triage_core.model import Channel, ProductStatus
from triage_core.rewards import batches, payments, rewards
from triage_core.rewards.reward_rules import RewardKind
from triage_core.store import Store
from triage_core.verification import verify

ADDED = ("seq", "received_at")  # to the cases, from the reports
COUNTED_BY = ("channel", "platform", "model_version", "harm_types")  # likewise, later
OF_REPORTS = ("wants_reward", "api_key")  # to the reports, from their body and their intake key


def without(names: tuple[str, ...], earlier: pytest.MonkeyPatch) -> None:
    """Let reports come in as they did before their cases had these columns, and they those of today."""
    for row, added in (("case", names), ("report", OF_REPORTS)):
        earlier.setattr(first_rows, row, _as_then(getattr(first_rows, row), added))


def _as_then(made: Callable[..., dict[str, Any]], added: tuple[str, ...]) -> Callable[..., dict[str, Any]]:
    return lambda *given: {name: value for name, value in made(*given).items() if name not in added}


def tables(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but the record of migrations."""
    with store.read() as cursor:
        names = db.rows(cursor, "SELECT table_name AS name FROM duckdb_tables() ORDER BY name")
        found = {row["name"]: db.rows(cursor, f"FROM {row['name']} ORDER BY ALL") for row in names}
    del found["migrations"]
    return found


def decide_as_the_first_release_did(store: Store) -> None:
    """An assessment and its case: the command of today writes columns that were not there."""
    row = {
        "assessment_id": 1,
        "report_id": "FR-1",
        "done_at": NOON,
        "actor_id": REVIEWER.actor_id,
        "policy_version": POLICY.version,
        "clauses": ["IN-1"],
        "severity": "medium",
        **dict.fromkeys(("override_reason", "note", "reproduction_log"), ""),
    }
    with store.write(REVIEWER, "assess") as work:
        db.insert(work.cursor, "assessments", [row])
        case = cases.read(work.cursor, "FR-1")
        after = {"status": "accepted", "assessment_id": 1, "severity": "medium"}
        cases.change(work, case, "report.assessed", after, {"assessment_id": 1})


def go_back(patch: pytest.MonkeyPatch, migrated: int) -> None:
    """Open stores with so many migrations alone, and take reports in as was done before cases had an order."""
    known = migrations.available()[:migrated]
    patch.setattr(migrations, "available", lambda: known)
    without((*ADDED, *COUNTED_BY, "is_copy"), patch)


def test_claims_and_tasks_come_to_a_store_of_the_first_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as first_release:
        go_back(first_release, 1)
        first_release.setattr(groups, "contradiction", lambda *_: None)  # it knew of pairs alone
        first_release.setattr(embargoes, "follow", lambda *_: None)  # it knew no embargo machine
        first_release.setattr(shared_ends, "joined", lambda *_: None)
        first_release.setattr(linking, "_require_earlier", lambda *_: None)  # a case knew no date
        old = Store(tmp_path, Clock())
        bring(old, make_report("One"), make_report("Two", wants_reward=True))
        third = reportformat.parse(make_report("Three"))
        intake.import_batch(old, POLICY, EVERYBODY, [intake.Incoming(third, "api:5:key:its own")])
        decide_as_the_first_release_did(old)
        triage.link(old, REVIEWER, "FR-2", "FR-1")
        before = tables(old)
        old.close()

    store = Store(tmp_path, Clock())
    after = tables(store)
    new = ("claims", "drafts", "second_looks", "draw_key")
    assert [after.pop(name) for name in new] == [[]] * len(new)
    for assessment in before["assessments"]:
        assessment["look_id"] = None
    for report in before["reports"]:
        report |= {
            "wants_reward": report["report_id"] == "FR-2",
            "api_key": 5 if report["report_id"] == "FR-3" else None,
        }
    for case in before["cases"]:
        report = next(report for report in before["reports"] if report["report_id"] == case["report_id"])
        case |= {"assigned_to": None, "snoozed_until": None, "reopened_at": None, "is_copy": False}
        case |= {name: report[name] for name in (*ADDED, *COUNTED_BY)}
    assert {name: after[name] for name in before} == before
    assert store.verify() == len(before["events"])
    claims.claim(store, REVIEWER, "FR-3")
    claims.assign(store, REVIEWER, "FR-3", REVIEWER)
    triage.unlink(store, REVIEWER, "FR-2")
    assert second_look.ask(store, REVIEWER, "FR-1") == 1
    triage.assess(store, POLICY, REVIEWER, "FR-3", FLAW)
    store.close()
    Store(tmp_path, Clock()).close()


def test_links_and_cannot_links_made_before_speak_on_the_axis_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        without((*COUNTED_BY, "is_copy"), earlier)
        known = [found for found in migrations.available() if found[0] < 5]
        earlier.setattr(migrations, "available", lambda: known)
        earlier.setattr(groups, "contradiction", lambda *_: None)
        earlier.setattr(shared_ends, "joined", lambda *_: None)
        old = Store(tmp_path, Clock())
        bring(old, *(make_report(f"Question {number}") for number in range(3)))
        triage.link(old, REVIEWER, "FR-2", "FR-1")
        triage.keep_apart(old, REVIEWER, "FR-1", "FR-3")
        old.close()

    store = Store(tmp_path, Clock())
    with store.read() as cursor:
        assert groups.pairs(cursor) == {
            "whole": (frozenset({("FR-1", "FR-2")}), frozenset({("FR-1", "FR-3")}))
        }
        assert groups.contradiction(cursor, "whole", [("FR-2", "FR-3")]) == ("FR-1", "FR-3")
    store.close()


def test_embargoes_and_rewards_of_an_earlier_release_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier_release:
        without((*COUNTED_BY, "is_copy"), earlier_release)
        earlier = [found for found in migrations.available() if found[0] < 7]
        earlier_release.setattr(migrations, "available", lambda: earlier)
        old = Store(tmp_path, Clock())
        bring(old, make_report("One", embargo_wish="2026-03-20T12:00:00Z"))
        before = tables(old)
        old.close()

    store = Store(tmp_path, Clock())
    (embargo,) = tables(store)["embargoes"]
    assert embargo.pop("version") == 1
    assert [embargo] == before["embargoes"]
    disclosure.terminate(store, EVERYBODY, "FR-1", ExitReason.FIXED, seen_version=1)
    (ended,) = tables(store)["embargoes"]
    assert (ended["state"], ended["version"]) == ("exited", 2)
    store.verify()
    store.close()


def test_money_of_an_earlier_release_keeps_its_amounts_and_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with monkeypatch.context() as earlier_release:
        earlier = [found for found in migrations.available() if found[0] < 22]
        earlier_release.setattr(migrations, "available", lambda: earlier)
        old = Store(tmp_path, clock)
        report = reportformat.parse(make_report("One", wants_reward=True))
        name = intake.receive(old, POLICY, report, Channel.FORM).report_id
        triage.assess(old, POLICY, REVIEWER, name, FLAW)
        clock.forward(days=8)
        rewards.propose(old, POLICY, REVIEWER, name, RewardKind.CASH, Decimal("800.50"))
        rewards.approve(old, POLICY, EVERYBODY, 1)
        before = tables(old)
        old.close()

    store = Store(tmp_path, clock)
    assert tables(store)["rewards"] == before["rewards"]
    verify(store)
    payments.send(store, EVERYBODY)
    with store.read() as cursor:
        assert ",cash,800.50,USD," in batches.read(cursor, 1)["file"]
    verify(store)
    store.close()


def test_advisories_come_to_a_store_that_has_embargoes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier_release:
        earlier = [found for found in migrations.available() if found[0] < 23]
        earlier_release.setattr(migrations, "available", lambda: earlier)
        old = Store(tmp_path, Clock())
        bring(old, make_report("One", disclosure_intent="yes", consent_share_peers="under_embargo"))
        before = tables(old)
        old.close()

    store = Store(tmp_path, Clock())
    after = tables(store)
    assert {name: after[name] for name in before} == before
    assert {name for name in after if not after[name]} >= {"peers", "advisories", "advisory_steps"}
    _, key = peers.add(store, EVERYBODY, "Heron")
    advising.open_advisory(store, EVERYBODY, "FR-1", "A title of ours", "It reaches others")
    advising.tell(store, EVERYBODY, 1, ["Heron"])
    assert answering.answer(store, key, 1, ProductStatus.FIXED).exchange.status is ProductStatus.FIXED
    verify(store)
    store.close()


def test_presets_come_to_a_store_that_has_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier_release:
        earlier = [found for found in migrations.available() if found[0] < 24]
        earlier_release.setattr(migrations, "available", lambda: earlier)
        old = Store(tmp_path, Clock())
        bring(old, make_report("One"))
        before = tables(old)
        old.close()

    store = Store(tmp_path, Clock())
    after = tables(store)
    assert {name: after[name] for name in before} == before
    assert after["import_presets"] == []
    presets.save(store, EVERYBODY, "log", mapping.parse(["prompt=question"]))
    with store.read() as cursor:
        assert presets.named(cursor, "log").mapping.pairs() == ["prompt=question"]
    verify(store)
    store.close()


def test_drafts_come_to_a_store_that_has_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before_drafts:
        go_back(before_drafts, 2)
        old = Store(tmp_path, Clock())
        bring(old, make_report("One"))
        claims.claim(old, REVIEWER, "FR-1")
        before = tables(old)
        old.close()
    store = Store(tmp_path, Clock())
    after = tables(store)
    for case in after["cases"]:
        for name in (*ADDED, *COUNTED_BY, "is_copy", "reopened_at"):
            del case[name]
    for report in after["reports"]:
        for name in OF_REPORTS:
            del report[name]
    assert {name: after[name] for name in before} == before
    drafts.save(store, REVIEWER, "FR-1", {"note": "Seen"})
    with store.read() as cursor:
        assert drafts.read(cursor, REVIEWER, "FR-1") == {"note": "Seen"}
    store.close()
