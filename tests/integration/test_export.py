"""Datasets from the store to the loader: gates, split, versions, files and what is recorded."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, SECOND, Clock, bring, decide, make_report
from triage_core import db
from triage_core.channel import consent
from triage_core.desk import second_look, triage
from triage_core.errors import Conflict, NotAllowed, Refused
from triage_core.exporters import build as exports
from triage_core.exporters import metadata, nearest, split
from triage_core.exporters.build import ExportRequest, build, build_changed, preview
from triage_core.exporters.gate import Reason
from triage_core.exporters.hygiene import Hygiene
from triage_core.guidance import policies
from triage_core.index import vectors
from triage_core.model import Actor, DeskRole, Resolution
from triage_core.queries import Filter
from triage_core.store import Store

THIRD = Actor("test:ines", "Ines", frozenset({DeskRole.REVIEWER}))
EXPECTED = replace(FLAW, clauses=("EXP-1",), inputs=None)
SPAM = replace(FLAW, clauses=("OOS-1",), inputs=None, resolution=Resolution.SPAM, note="Advertising.")
BETTER = replace(FLAW, better_answer="I cannot share codes.")

Export = Callable[..., dict[str, Any]]


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(tmp_path / "store", clock)
    yield opened
    opened.close()


@pytest.fixture
def export(store: Store, tmp_path: Path) -> Export:
    def run(profile: str = "kto", **fields: Any) -> dict[str, Any]:
        return build(store, POLICY, EVERYBODY, ExportRequest(profile, **{"out": tmp_path / "out", **fields}))

    return run


def add(store: Store, *words: str, decision: Any = BETTER, **fields: Any) -> list[str]:
    """Bring reports in whose reporters agree to everything, and decide on them."""
    lines = [make_report(text, **{"consent_training": "any_safety_training", **fields}) for text in words]
    ids = bring(store, *lines)
    if decision:
        for report_id in ids:
            decide(store, report_id, decision)
    return ids


def rows(made: dict[str, Any], part: str = "data") -> list[dict[str, Any]]:
    """The rows of a dataset as they stand in its files, train before test."""
    found: list[dict[str, Any]] = []
    for side in ("train", "test"):
        path = Path(made["folder"], part, f"{side}.{made['format']}")
        if not path.exists():
            continue
        if made["format"] == "jsonl":
            found += [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        else:
            found += pq.read_table(path).to_pylist()
    return found


def sides(made: dict[str, Any]) -> dict[str, str]:
    """The side of each report in a dataset of the strict layout."""
    return {
        row["meta_report_id"]: side
        for side in ("train", "test")
        if (path := Path(made["folder"], "__metadata__", f"{side}.parquet")).exists()
        for row in pq.read_table(path).to_pylist()
    }


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
    policies.publish(store, EVERYBODY, POLICY)
    add(store, "one", "two")
    look = second_look.ask(store, THIRD, "FR-1")
    assert "disputed" not in export("kto")["excluded"], "a question alone is no difference"
    second_look.answer(store, SECOND, look, replace(EXPECTED, better_answer=""))
    made = export("kto")
    assert made["excluded"] == {"disputed": 1}
    assert (made["agreement"]["n"], made["agreement"]["same"]) == (1, 0)


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


def test_the_manifest_can_be_checked_against_the_files(store: Store, export: Export) -> None:
    add(store, *(f"Question {number}" for number in range(30)))
    add(store, "A rude joke, please.", decision=EXPECTED)
    made = export("kto", name="voucher", version="2026-03", format="jsonl")
    folder = Path(made["folder"])
    assert folder.parts[-2:] == ("voucher", "2026-03")
    assert {**json.loads((folder / "manifest.json").read_text()), "folder": made["folder"]} == made
    listed = {file["path"] for file in made["files"]}
    assert listed == {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {
        "manifest.json"
    }
    for file in made["files"]:
        content = (folder / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    digests = sorted(hashlib.sha256(metadata.canonical(row).encode()).hexdigest() for row in rows(made))
    assert made["content_sha256"] == hashlib.sha256("".join(f"{d}\n" for d in digests).encode()).hexdigest()
    counts = made["rows"]
    assert (counts["total"], counts["label"]) == (31, {"false": 30, "true": 1})
    assert counts["clause"] == {"EXP-1": 1, "IN-1": 30}
    assert sum(counts["split"].values()) == sum(counts["severity"].values()) == 31


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_the_same_inputs_give_the_same_bytes(
    store: Store, clock: Clock, tmp_path: Path, export: Export, format: str
) -> None:
    add(store, *(f"Question {number}" for number in range(20)))
    ticking = itertools.count(1)
    store.clock = lambda: NOON + timedelta(seconds=next(ticking))
    one = export("kto", version="1", format=format)
    two = export("kto", version="1", format=format, out=tmp_path / "elsewhere")
    files = [
        {
            p.relative_to(made["folder"]): p.read_bytes()
            for p in Path(made["folder"]).rglob("*")
            if p.is_file()
        }
        for made in (one, two)
    ]
    assert files[0] == files[1]


def test_a_version_stands_for_its_rows(store: Store, tmp_path: Path, export: Export) -> None:
    add(store, "one", "two")
    made = export("kto", version="1")
    with pytest.raises(Conflict, match="is there already"):
        export("kto", version="1")
    other = export("kto", version="1", format="jsonl", layout="rich", out=tmp_path / "elsewhere")
    assert other["content_sha256"] == made["content_sha256"]
    add(store, "three")
    with pytest.raises(Conflict, match="kto 1 stands for other rows"):
        export("kto", version="1", out=tmp_path / "third")
    assert list((tmp_path / "third" / "kto").iterdir()) == []
    newer = export("kto")
    assert (newer["version"], newer["parent"]) == ("2", "1")
    assert newer["diff"] == {"added": 1, "removed": 0, "removed_examples": [], "changed": 0}


def test_a_name_stands_for_one_profile(store: Store, export: Export) -> None:
    add(store, "one", consent_training="safety_and_bad_user")
    export("kto", name="mine")
    with pytest.raises(
        Conflict, match="mine is a dataset of the profile kto: choose another name for bad_user"
    ):
        export("bad_user", name="mine")


def test_the_difference_to_the_parent(store: Store, export: Export) -> None:
    add(store, "one", "two", "three")
    export("preference", format="jsonl")
    decide(store, "FR-1", SPAM)
    decide(store, "FR-2", replace(FLAW, better_answer="Ask the shop."))
    made = export("preference", layout="rich")
    left = made["diff"].pop("removed_examples")
    assert made["diff"] == {"added": 0, "removed": 1, "changed": 1}
    assert len(left) == 1


def test_a_build_is_recorded_and_a_failed_one_is_not(
    store: Store, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "one")
    made = export("kto")
    with store.read() as cursor:
        record = db.row(cursor, "SELECT * FROM datasets")
        event = db.row(cursor, "SELECT * FROM events WHERE kind = 'dataset.built'")
        remembered = db.rows(cursor, "SELECT * FROM dataset_splits")
    assert record is not None
    assert event is not None
    assert (record["name"], record["version"], record["folder"]) == ("kto", "1", made["folder"])
    assert event["subject"] == "kto/1"
    assert json.loads(event["data"])["content_sha256"] == made["content_sha256"]
    assert [row["report_id"] for row in remembered] == ["FR-1"]

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    before = store.revision
    monkeypatch.setattr(db, "insert", fail)
    with pytest.raises(Refused, match="disk full"):
        export("kto")
    assert [path.name for path in (tmp_path / "out" / "kto").iterdir()] == ["1"]
    assert store.revision == before


def test_what_a_killed_build_left_goes_with_the_next_of_another_process(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "one")
    ask = ExportRequest("kto", tmp_path / "out", "jsonl")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        patch.setattr(db, "insert", killed)
        with pytest.raises(KeyboardInterrupt):
            build(store, POLICY, EVERYBODY, ask)
    (left,) = (tmp_path / "out" / "kto").iterdir()
    assert (left / "data").is_dir()
    (of_another_store := left.with_name(".1.01234567-89abcdef.0.partial")).mkdir()
    build(store, POLICY, EVERYBODY, ask)
    assert left.exists(), "of this process: it may be running"
    monkeypatch.setattr(exports, "_PROCESS", "another")
    build(store, POLICY, EVERYBODY, ask)
    assert {path.name for path in left.parent.iterdir()} == {"1", "2", of_another_store.name}


def test_only_those_who_may_export(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        build(store, POLICY, REVIEWER, ExportRequest("kto", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_groups_stay_on_one_side(store: Store, export: Export) -> None:
    ids = add(store, *(f"Question {number}" for number in range(60)))
    with store.write(EVERYBODY, "index") as work:
        near = [
            {
                "child_id": ids[at + 1],
                "canonical_id": ids[at],
                "score": 0.9,
                "basis": "cosine",
                "model_id": "m",
            }
            for at in range(0, 30, 2)
        ]
        far = {"child_id": ids[58], "canonical_id": ids[59], "score": 0.7, "basis": "cosine", "model_id": "m"}
        db.insert(work.cursor, "suggestions", [{**row, "later_id": row["child_id"]} for row in [*near, far]])
        members = [
            {"axis": "whole", "report_id": ids[at], "cluster_id": f"D-{at // 3}", "model_id": "m"}
            for at in range(30, 45)
        ]
        db.insert(work.cursor, "memberships", members)
        db.insert(work.cursor, "likeness_space", [{"model": "m", "model_id": "m"}])
        names = db.rows(work.cursor, "SELECT content_sha256 FROM reports ORDER BY seq")
        given = np.random.default_rng(7).normal(size=(60, 16)).astype(np.float32)
        given /= np.linalg.norm(given, axis=1, keepdims=True)
        contents = [row["content_sha256"] for row in names]
        vectors.save(work, "m", contents[:-1], given[:-1])
        vectors.save(work, "another", contents, np.tile(given[:1], (60, 1)))
    made = export("kto", per_group=0)
    found = sides(made)
    assert all(found[ids[at]] == found[ids[at + 1]] for at in range(0, 30, 2))
    assert all(len({found[ids[at + more]] for more in range(3)}) == 1 for at in range(30, 45, 3))
    assert set(found.values()) == {"train", "test"}
    told = {
        "groups": 60 - 15 - 10,
        "groups_across_splits": 0,
        "prompts_across_splits": 0,
        "rows_not_indexed": 45,
    }
    assert told.items() <= made["leakage"].items()
    test = np.array([found[name] == "test" for name in ids[:-1]])
    cosines = np.where(test[:, None] & ~test, given[:-1] @ given[:-1].T, -2)
    tested, trained = np.unravel_index(cosines.argmax(), cosines.shape)
    compared = {"test_reports_compared": test.sum(), "training_reports_compared": (~test).sum()}
    assert made["leakage"]["nearest"] == {
        "highest": pytest.approx(cosines.max(), abs=0.002), "train": ids[trained], "test": ids[tested],
        "exact": False, "test_reports": list(found.values()).count("test"), **compared,
        "test_reports_near": (cosines.max(axis=1) >= 0.85).sum(), "near_from": 0.85, "without_vector": 1,
    }  # fmt: skip
    with pytest.raises(Refused, match=rf"{ids[trained]} \(train\) and {ids[tested]} \(test\)"):
        export("kto", name="strict", per_group=0, cosine_limit=cosines.max() - 0.01)
    card = Path(made["folder"], "README.md").read_text()
    assert f"{ids[tested]} with {ids[trained]}." in card
    assert f"Compared by cosine: {test.sum()} of" in card


def test_of_too_many_pairs_some_test_reports_are_drawn_and_that_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add(store, *(f"Question {number}" for number in range(12)), decision=None)
    with store.write(EVERYBODY, "index") as work:
        db.insert(work.cursor, "likeness_space", [{"model": "m", "model_id": "m"}])
        contents = db.rows(work.cursor, "SELECT content_sha256 FROM reports ORDER BY seq")
        vectors.save(work, "m", [row["content_sha256"] for row in contents], np.eye(12, 3, dtype=np.float32))
    monkeypatch.setattr(nearest, "PAIRS", 4 * 2)
    train, test = np.arange(1, 5), np.arange(5, 13)
    with store.read() as cursor:
        found = [nearest.to_json(cursor, train, test[:more], lambda: None) for more in (8, 8, 2)]
        nothing = nearest.to_json(cursor, train, test[:0], lambda: None)
    assert found[0] == found[1]
    assert (found[0]["exact"], found[0]["test_reports_compared"], found[0]["test_reports"]) == (False, 2, 8)
    assert (found[2]["exact"], found[2]["highest"], found[2]["train"], found[2]["test"]) == (
        True,
        0,
        ids[0],
        ids[4],
    )
    assert (nothing["highest"], nothing["exact"], nothing["without_vector"]) == (None, True, 0)


def test_a_near_copy_across_the_split_stops_the_export_and_names_the_pair(
    store: Store, export: Export, tmp_path: Path
) -> None:
    words = [f"word{number}" for number in range(60)]
    texts = [" ".join(random.Random(number).sample(words, 60)) for number in range(10)]
    ids = add(store, *texts)
    found = sides(export("kto"))
    trained = next(name for name in ids if found[name] == "train")
    copy = texts[ids.index(trained)].split()
    # New reports until one of them, which `index` has not seen, is drawn for the test side.
    for number in range(200):
        (planted,) = add(store, " ".join([*copy, f"and {number}"]), decision=None)
        if split.drawn([planted])[0]:
            decide(store, planted, BETTER)
            break
    with pytest.raises(Refused, match=f"{planted} \\(test\\) is a near-copy of FR-"):
        export("kto", version="planted")
    assert not (tmp_path / "out/kto/planted").exists()


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


def test_evaluation_takes_the_test_side_alone(store: Store, export: Export) -> None:
    add(store, *(f"Question {number}" for number in range(40)))
    trained = sides(export("kto"))
    made = export("eval")
    assert set(sides(made)) == {name for name, side in trained.items() if side == "test"}
    assert made["excluded"] == {"training_side": sum(side == "train" for side in trained.values())}


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


def test_a_side_is_kept_when_new_reports_come_in(store: Store, export: Export) -> None:
    ids = add(store, *(f"Question {number}" for number in range(50)))
    first = sides(export("kto"))
    add(store, *(f"Another {number}" for number in range(5)))
    (joined,) = add(store, "This one resembles a test report")
    tested = next(report_id for report_id in ids if first[report_id] == "test")
    with store.write(EVERYBODY, "index") as work:
        link = {"child_id": joined, "canonical_id": tested, "score": 0.95, "basis": "cosine", "model_id": "m"}
        db.insert(work.cursor, "suggestions", [{**link, "later_id": link["child_id"]}])
    second = sides(export("kto", per_group=0))
    assert {report_id: second[report_id] for report_id in ids} == first
    assert second[joined] == "test"


def test_train_rows_that_grow_into_a_test_group_leave_train(store: Store, export: Export) -> None:
    ids = add(store, *(f"Question {number}" for number in range(50)))
    first = sides(export("kto"))
    trained = next(report_id for report_id in ids if first[report_id] == "train")
    tested = next(report_id for report_id in ids if first[report_id] == "test")
    with store.write(EVERYBODY, "index") as work:
        link = {
            "child_id": trained,
            "canonical_id": tested,
            "score": 0.95,
            "basis": "cosine",
            "model_id": "m",
        }
        db.insert(work.cursor, "suggestions", [{**link, "later_id": link["child_id"]}])
    made = export("kto")
    assert sides(made)[trained] == "test"
    assert made["split"]["moved_to_test"] == [trained]
    with store.write(EVERYBODY, "index") as work:
        work.cursor.execute("DELETE FROM suggestions")
    assert sides(export("kto"))[trained] == "test"


def test_a_prompt_on_both_sides_stops_the_export(store: Store, export: Export, tmp_path: Path) -> None:
    ids = add(store, *(f"Question {number}" for number in range(50)))
    first = sides(export("kto"))
    trained = next(report_id for report_id in ids if first[report_id] == "train")
    tested = next(report_id for report_id in ids if first[report_id] == "test")
    with store.write(EVERYBODY, "test") as work:  # a text whose fingerprint does not fit it
        work.cursor.execute(
            "UPDATE reports SET turns = (SELECT turns FROM reports WHERE report_id = ?) WHERE report_id = ?",
            [trained, tested],
        )
    with pytest.raises(Refused, match="the same prompt must not be in train and test") as refused:
        export("kto")
    assert trained in str(refused.value)
    assert tested in str(refused.value)
    assert [path.name for path in (tmp_path / "out" / "kto").iterdir()] == ["1"]


def test_filters_narrow_down_what_is_considered(store: Store, tmp_path: Path) -> None:
    add(store, "one", system=[{"platform": "Kite Agent"}])
    add(store, "two")
    add(store, "three", consent_training="none", system=[{"platform": "Kite Agent"}])
    params = {"profile": "kto", "out": str(tmp_path), "platform": "Kite Agent"}
    made = build(store, POLICY, EVERYBODY, ExportRequest.from_json(params))
    assert (made["considered"], made["rows"]["total"], made["excluded"]) == (2, 1, {"no_consent": 1})
    assert made["filters"] == {"platform": ["Kite Agent"]}


def test_batches_make_no_difference(
    store: Store, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from triage_core.exporters import source

    add(store, *(f"Question {number}" for number in range(11)))
    add(store, "no", "never", consent_training="none")
    whole = export("preference", version="1")
    monkeypatch.setattr(source, "BATCH", 4)
    monkeypatch.setattr(source, "TEXT_BYTES", 60)
    parts = export("preference", version="1", out=tmp_path / "elsewhere")
    assert parts["files"] == whole["files"]


def test_a_build_that_nobody_waits_for_stops_and_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from triage_core.exporters import beside, source

    add(store, *(f"Question {number}" for number in range(5)))
    left = threading.Event()
    real = source.facts

    def slow(*asked: Any) -> Any:
        left.wait(20)
        return real(*asked)

    def leave(done: int, total: int) -> None:
        assert (done, total) == (0, 5)
        left.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(source, "facts", slow)
    monkeypatch.setattr(beside, "SECONDS", 0.01)
    with pytest.raises(KeyboardInterrupt):
        build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"), leave)
    assert list((tmp_path / "out" / "kto").iterdir()) == []
    with store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM datasets") == 0


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


def test_a_dataset_without_rows_is_refused_with_the_reasons(
    store: Store, export: Export, tmp_path: Path
) -> None:
    add(store, "no", "neither", consent_training="none")
    add(store, "undecided", decision=None)
    with pytest.raises(
        Refused, match=r"none of 3 reports becomes one: 2 because the reporter has .*; 1 because"
    ):
        export("kto")
    with pytest.raises(Refused, match="no report among those"):
        export("kto", chosen=Filter(platform=("Nothing",)))
    assert not list((tmp_path / "out" / "kto").iterdir())


def test_the_next_version_without_rows_is_an_honest_account(
    store: Store, export: Export, tmp_path: Path
) -> None:
    (only,) = add(store, "yes")
    export("kto")
    consent.revoke(store, EVERYBODY, [only])
    made = build_changed(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    assert made is not None
    assert (made["version"], made["rows"]["total"], made["excluded"]) == ("2", 0, {"no_consent": 1})
    assert made["diff"]["removed_examples"] == [f"kto-{only}"]
    assert [file["path"] for file in made["files"]] == ["README.md"]
    front, body = (Path(made["folder"]) / "README.md").read_text().split("---\n", 2)[1:]
    assert "Groups of like reports: 0; on both sides: 0." in body
    assert "configs" not in front, "a loader refuses a configuration without files"
    again = build_changed(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    assert again is None, "nothing changed"


def test_a_small_dataset_without_test_rows_loads(store: Store, export: Export, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    add(store, "Question 1")
    made = export("classifier", format="jsonl")
    (side,) = (name for name, count in made["rows"]["split"].items() if count)
    loaded = datasets.load_dataset(made["folder"], cache_dir=str(tmp_path / "cache"))
    assert {name: list(part) for name, part in loaded.items()} == {side: rows(made)}


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_a_loader_that_remembers_takes_no_dataset_for_another(
    store: Store, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(split, "TEST_SHARE", 0)  # both have the same sides, and so the same files
    add(store, "Question 1")
    add(store, "Question 2", system=[{"platform": "Other"}])
    cache = str(tmp_path / "cache")
    for name, platform in (("one", "Kite Travel"), ("other", "Other")):
        made = export("kto", format=format, name=name, chosen=Filter(platform=(platform,)))
        for configuration, part in (("default", "data"), ("metadata", "__metadata__")):
            loaded = datasets.load_dataset(made["folder"], configuration, cache_dir=cache)
            assert [row for side in loaded.values() for row in side] == rows(made, part)
    (file,) = (file for file in made["files"] if file["path"].startswith("data/"))
    (side,) = datasets.load_dataset(made["folder"], cache_dir=cache).values()
    assert file["sha256"] in side.info.description, "a run can say what it has read"
