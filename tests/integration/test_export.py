"""Datasets from the store: which reports become rows, of whom, with what in their texts, and the preview."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.exported import EXPECTED, SPAM, THIRD, Export, add, rows, sides
from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, SECOND, Clock, make_report
from triage_core import db
from triage_core.desk import second_look, triage
from triage_core.errors import NotAllowed, Refused
from triage_core.exporters.build import ExportRequest, build, preview
from triage_core.exporters.gate import Reason
from triage_core.exporters.hygiene import Hygiene
from triage_core.model import Actor, Resolution
from triage_core.store import Store


def test_refused_reports_are_counted_by_reason(store: Store, export: Export, clock: Clock) -> None:
    add(store, "free one", "free two")
    add(store, "held", disclosure_intent="yes")
    add(store, "never asked", consent_training="none")
    add(store, "for a classifier", consent_training="classifier_only")
    add(store, "advertising", decision=SPAM)
    add(store, "waits", decision=None)
    add(store, "FREE  one")
    add(store, "no answer", turns=[{"role": "user", "content": "no answer"}])
    (linked,) = add(store, "free two, again", decision=None)
    triage.link(store, REVIEWER, linked, "FR-2")
    made = export("kto")
    assert made["excluded"] == {
        "active_embargo": 1, "no_consent": 2, "spam": 1, "linked_duplicate": 1, "undecided": 1,
        "no_final_answer": 1, "exact_duplicate": 1,
    }  # fmt: skip
    assert made["rows"]["total"] == 2
    assert made["considered"] == 10
    assert {row["meta_report_id"] for row in rows(made, "__metadata__")} == {"FR-1", "FR-2"}
    assert export("classifier")["rows"]["total"] == 4
    clock.forward(days=60)
    later = export("kto")
    assert (later["rows"]["total"], later["diff"]) == (
        3,
        {"added": 1, "removed": 0, "removed_examples": [], "changed": 0},
    )


def test_what_two_people_differ_about_waits_for_a_third(store: Store, export: Export) -> None:
    add(store, "one", "two")
    look = second_look.ask(store, THIRD, "FR-1")
    assert "disputed" not in export("kto")["excluded"], "a question alone is no difference"
    second_look.answer(store, SECOND, look, replace(EXPECTED, better_answer=""))
    made = export("kto")
    assert made["excluded"] == {"disputed": 1}
    assert (made["agreement"]["n"], made["agreement"]["same"]) == (1, 0)


def test_a_row_tells_how_many_people_decided_apart_and_how_many_of_them_won(
    store: Store, export: Export
) -> None:
    add(store, "one", "two", "three", "four")

    def seen_by(person: Actor, report_id: str, decision: Any) -> int:
        look = second_look.ask(store, REVIEWER, report_id)
        second_look.answer(store, person, look, replace(decision, better_answer=""))
        return look

    seen_by(SECOND, "FR-2", FLAW)
    look = seen_by(SECOND, "FR-3", replace(FLAW, clauses=("RTE-1",), resolution=Resolution.REROUTED))
    second_look.adjudicate(store, POLICY, THIRD, look, FLAW)
    look = seen_by(SECOND, "FR-4", EXPECTED)
    second_look.adjudicate(store, POLICY, THIRD, look, EXPECTED)
    told = {
        row["meta_report_id"]: (row["meta_verdict"], row["meta_votes"], row["meta_consensus"])
        for row in rows(export("kto"), "__metadata__")
    }
    assert told == {
        "FR-1": ("flaw", "flaw:1", "1.00"),
        "FR-2": ("flaw", "flaw:2", "1.00"),
        "FR-3": ("flaw", "flaw:2 other:1", "0.67"),
        "FR-4": ("expected", "expected:2 flaw:1", "0.67"),
    }


def test_a_later_copy_of_a_held_report_is_held_and_an_earlier_one_is_not(
    store: Store, export: Export
) -> None:
    add(store, "known for long")
    add(store, "known for long", disclosure_intent="yes")
    add(store, "new trick", disclosure_intent="yes")
    add(store, "New Trick")
    add(store, "new trick", disclosure_intent="yes")
    made = export("kto")
    assert [row["meta_report_id"] for row in rows(made, "__metadata__")] == ["FR-1"]
    assert made["excluded"] == {"active_embargo": 4}


def test_only_those_who_may_export(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        build(store, POLICY, REVIEWER, ExportRequest("kto", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_one_report_stands_for_its_group(store: Store, export: Export) -> None:
    ids = add(store, *(f"Question {number}" for number in range(6)))
    with store.write(EVERYBODY, "index") as work:
        members = [
            {"axis": "whole", "report_id": ids[at], "cluster_id": "D-1", "model_id": "m"} for at in (1, 3, 5)
        ]
        db.insert(work.cursor, "memberships", members)
    made = export("kto")
    assert set(sides(made)) == {ids[0], ids[1], ids[2], ids[4]}
    assert made["excluded"] == {"group_represented": 2}
    assert made["dedup"]["reports_per_group"] == 1
    weights = {row["meta_report_id"]: row["meta_group_size"] for row in rows(made, "__metadata__")}
    assert weights[ids[1]] == "3"
    assert set(sides(export("kto", per_group=2, name="two"))) == set(ids) - {ids[5]}


def test_a_bad_user_needs_a_consent_of_its_own(store: Store, export: Export) -> None:
    add(store, "Not for that")
    turns = [
        {"role": "user", "content": "First try."},
        {"role": "assistant", "content": "No."},
        {"role": "user", "content": "Second try."},
        {"role": "assistant", "content": "The secret."},
    ]
    (agreed,) = add(store, "", turns=turns, consent_training="safety_and_bad_user")
    made = export("bad_user")
    assert made["considered"] == 2
    assert made["excluded"] == {"no_consent": 1}
    assert made["rows"]["total"] == 2
    assert [row["meta_example_id"] for row in rows(made, "__metadata__")] == [
        f"bad_user-{agreed}-1", f"bad_user-{agreed}-2",
    ]  # fmt: skip
    assert not any("The secret." in str(row) for row in rows(made))


def test_what_was_redacted_is_logged_without_the_value(store: Store, export: Export) -> None:
    (report_id,) = add(store, "Write to ann@example.org about 203.0.113.7")
    made = export("kto")
    assert rows(made)[0]["prompt"][0]["content"] == "Write to [EMAIL_1] about [IP_1]"
    folder = Path(made["folder"])
    log = [json.loads(line) for line in (folder / "__metadata__/redactions.jsonl").read_text().splitlines()]
    assert log == [
        {
            "report_id": report_id,
            "turn": 0,
            "start": 9,
            "end": 24,
            "kind": "EMAIL",
            "placeholder": "[EMAIL_1]",
        },
        {"report_id": report_id, "turn": 0, "start": 31, "end": 42, "kind": "IP", "placeholder": "[IP_1]"},
    ]
    assert made["found"]["personal_data"] == {"rows": 1, "spans": {"EMAIL": 1, "IP": 1}}
    assert made["hygiene"]["personal_data"] == "redact"
    assert not any(b"ann@example" in path.read_bytes() for path in folder.rglob("*.json*"))
    (about,) = rows(made, "__metadata__")
    # With the rest of the text at hand it would tell a guess from the value.
    assert about["meta_content_sha256"] == ""
    kept = export("kto", name="kept", hygiene=Hygiene(personal_data="keep"))
    assert kept["content_sha256"] != made["content_sha256"]
    assert not Path(kept["folder"], "__metadata__/redactions.jsonl").exists()
    assert len(rows(kept, "__metadata__")[0]["meta_content_sha256"]) == 64
    with pytest.raises(Refused, match="1 because it holds personal data"):
        export("kto", name="none", hygiene=Hygiene(personal_data="refuse"))


def test_personal_data_beside_a_conversation_is_treated_alike(store: Store, export: Export) -> None:
    add(store, "Plain words", external_id="from ann@example.org")
    made = export("kto", layout="rich")
    (found,) = rows(made)
    assert found["meta_external_id"] == "from [EMAIL_1]"
    assert found["meta_platform"] == make_report("Plain words")["system"][0]["platform"]
    assert not any(b"ann@example" in path.read_bytes() for path in Path(made["folder"]).rglob("*.*"))
    kept = export("kto", name="kept", layout="rich", hygiene=Hygiene(personal_data="keep"))
    assert rows(kept)[0]["meta_external_id"] == "from ann@example.org"
    with pytest.raises(Refused, match="1 because it holds personal data"):
        export("kto", name="none", hygiene=Hygiene(personal_data="refuse"))


def test_one_reporter_has_a_share_at_most(store: Store, export: Export) -> None:
    add(store, *(f"Question {number}" for number in range(40)), contact="eager@example.org")
    add(store, *(f"Riddle {number}" for number in range(5)), contact="calm@example.org")
    made = export("kto")
    about = rows(made, "__metadata__")
    per_side = Counter((sides(made)[row["meta_report_id"]], row["meta_reporter_id"]) for row in about)
    assert max(per_side.values()) == 10
    assert made["excluded"]["reporter_cap"] == 45 - made["rows"]["total"] > 0
    eager = made["reporters"]["largest"][0]
    assert eager["reports"] == sum(
        count for (_, reporter), count in per_side.items() if reporter == eager["reporter"]
    )
    assert "reporter_cap" not in export("kto", name="all", reporter_share=1.0)["excluded"]


def test_filters_narrow_down_what_is_considered(store: Store, tmp_path: Path) -> None:
    add(store, "one", system=[{"platform": "Kite Agent"}])
    add(store, "two")
    add(store, "three", consent_training="none", system=[{"platform": "Kite Agent"}])
    params = {"profile": "kto", "out": str(tmp_path), "platform": "Kite Agent"}
    made = build(store, POLICY, EVERYBODY, ExportRequest.from_json(params))
    assert (made["considered"], made["rows"]["total"], made["excluded"]) == (2, 1, {"no_consent": 1})
    assert made["filters"] == {"platform": ["Kite Agent"]}


def test_a_preview_shows_what_a_build_writes_and_stores_nothing(
    store: Store, export: Export, tmp_path: Path
) -> None:
    add(store, *(f"Question {number}" for number in range(5)))
    add(store, "no", consent_training="none")
    before = store.revision
    found = preview(store, POLICY, ExportRequest("kto", tmp_path / "out"), limit=3)
    shown, counts = found.rows, found.counts
    assert (found.behind, found.unread) == ({Reason.NO_CONSENT: ["FR-6"]}, 0)
    assert store.revision == before
    assert not (tmp_path / "out").exists()
    made = export("kto", layout="rich")
    assert len(shown) == 3
    del made["leakage"]["nearest"]  # only a build compares vectors: it takes a second where there are many
    assert counts.items() <= made.items()
    written = {row["meta_report_id"]: row for row in rows(made)}
    assert all({**row["row"], **row["meta"]} == written[row["meta"]["meta_report_id"]] for row in shown)


def test_a_preview_of_many_reports_stops_and_says_so(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from triage_core.exporters import source

    add(store, *(f"Question {number}" for number in range(9)))
    monkeypatch.setattr(source, "BATCH", 3)
    found = preview(store, POLICY, ExportRequest("kto", tmp_path / "out"), limit=2, most=4)
    assert (len(found.rows), found.counts["rows"]["total"], found.unread) == (2, 6, 3)
