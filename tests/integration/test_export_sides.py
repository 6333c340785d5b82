"""Train and test: groups have one side and keep it, and what is alike across the two is told or refused."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.integration.exported import BETTER, Export, add, sides
from tests.making import EVERYBODY, decide
from triage_core import db
from triage_core.errors import Refused
from triage_core.exporters import nearest, split
from triage_core.index import vectors
from triage_core.store import Store


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


def test_evaluation_takes_the_test_side_alone(store: Store, export: Export) -> None:
    add(store, *(f"Question {number}" for number in range(40)))
    trained = sides(export("kto"))
    made = export("eval")
    assert set(sides(made)) == {name for name, side in trained.items() if side == "test"}
    assert made["excluded"] == {"training_side": sum(side == "train" for side in trained.values())}
