"""Better answers: written by one, approved by another, undone, imported, and only then a target of training."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.making import (
    EVERYBODY,
    FLAW,
    POLICY,
    REVIEWER,
    SECOND,
    bring,
    decide,
    make_report,
    open_runtime,
)
from triage_core import operations
from triage_core.desk import activity, answers, preferred, triage
from triage_core.desk.preferred import Answer
from triage_core.desk.undo import undo
from triage_core.errors import Conflict, NotAllowed, Refused
from triage_core.exporters.build import ExportRequest, preview
from triage_core.model import Actor, DeskRole, TrainingConsent
from triage_core.operations.base import Emit
from triage_core.runtime import Runtime
from triage_core.store import Store

EXPECTED = "It should decline."
TURNS = [
    {"role": "user", "content": "Tell me the code."},
    {"role": "assistant", "content": "It is KITE-20."},
    {"role": "user", "content": "And the next one?"},
    {"role": "assistant", "content": "It is KITE-21."},
    {"role": "user", "content": "Thanks."},
]
OWNER = Actor("test:po", "Po", frozenset({DeskRole.POLICY_OWNER}))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    made = open_runtime(tmp_path / "store")
    agreed = {"consent_training": "any_safety_training", "expected": EXPECTED}
    bring(made.store, make_report("One", **agreed), make_report(turns=TURNS, external_id="long", **agreed))
    for report_id in ("FR-1", "FR-2"):
        triage.assess(made.store, POLICY, REVIEWER, report_id, FLAW)
    yield made
    made.close()


@pytest.fixture
def store(opened: Runtime) -> Store:
    return opened.store


def held(store: Store, report_id: str = "FR-1") -> Answer:
    with store.read() as cursor:
        return preferred.in_force(cursor, report_id)


def write(store: Store, content: str = "I cannot.", report_id: str = "FR-1", **how: Any) -> Answer:
    return answers.write(store, how.pop("who", REVIEWER), report_id, content, **how)


def approve(store: Store, report_id: str = "FR-1", who: Actor = SECOND) -> Answer:
    return answers.approve(store, who, report_id, held(store, report_id).answer_id)


def last(store: Store) -> int:
    with store.read() as cursor:
        return activity.events(cursor, activity.Filter(), size=1)[0][0].seq


def exported(store: Store, profile: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    found = preview(store, POLICY, ExportRequest(profile, Path("unused")))
    return [row["row"] for row in found.rows], found.counts


@pytest.mark.parametrize("profile", ["preference", "sft", "reward"])
def test_only_an_approved_answer_is_a_target(store: Store, profile: str) -> None:
    write(store)
    rows, counts = exported(store, profile)
    assert rows == []
    assert counts["excluded"]["answer_not_approved"] == 1
    approve(store)
    rows, counts = exported(store, profile)
    assert [row.get("completion", row.get("chosen"))[-1]["content"] for row in rows] == ["I cannot."]
    assert counts["rows"]["answer_by"] == {"two": 1}
    write(store, "I will not.", who=SECOND)
    assert exported(store, profile)[1]["excluded"]["answer_not_approved"] == 1


def test_nobody_approves_their_own_words(store: Store) -> None:
    write(store)
    with pytest.raises(NotAllowed, match="a second person"):
        approve(store, who=REVIEWER)
    with pytest.raises(NotAllowed, match="a second person"):
        write(store, "Alone.", alone=True)
    with pytest.raises(NotAllowed, match="is for reviewer"):
        write(store, who=OWNER)
    assert held(store).approved_by is None
    assert approve(store, who=OWNER).by_two


def test_approving_and_writing_twice_is_once(store: Store) -> None:
    write(store)
    before = last(store)
    assert write(store, who=SECOND) == held(store)
    assert last(store) == before
    first = approve(store)
    before = last(store)
    assert answers.approve(store, SECOND, "FR-1", first.answer_id) == first
    assert last(store) == before


def test_what_is_approved_is_what_was_read(store: Store) -> None:
    read = write(store)
    write(store, "I will not.")
    with pytest.raises(Conflict, match="another answer"):
        answers.approve(store, SECOND, "FR-1", read.answer_id)
    with pytest.raises(Conflict, match="changed by test:mara"):
        answers.approve(store, SECOND, "FR-1", held(store).answer_id, seen_version=1)


def test_the_reporters_words_take_a_word_of_the_writer_and_a_second_person(store: Store) -> None:
    for said in (EXPECTED, "  it SHOULD decline.\n"):
        with pytest.raises(Refused, match="reporter's own words"):
            write(store, said)
    write(store, EXPECTED, confirmed=True, who=EVERYBODY, alone=True)
    assert held(store).approved_by is None
    assert approve(store).by_two
    triage.assess(store, POLICY, EVERYBODY, "FR-2", replace(FLAW, better_answer=EXPECTED), approve=True)
    assert held(store, "FR-2").approved_by is None


def test_the_answer_stands_in_for_the_turn_that_was_chosen(store: Store) -> None:
    write(store, report_id="FR-2")
    approve(store, "FR-2")
    assert exported(store, "preference")[1]["excluded"]["no_final_answer"] == 1
    write(store, report_id="FR-2", turn=2)
    approve(store, "FR-2")
    (row,), _ = exported(store, "preference")
    assert [turn["content"] for turn in row["prompt"]] == ["Tell me the code."]
    assert row["rejected"] == [TURNS[1]]
    assert row["chosen"][0]["content"] == "I cannot."
    (row,), _ = exported(store, "sft")
    assert row["prompt"] == TURNS[:1]
    _, row = exported(store, "kto")[0]
    assert (row["prompt"], row["completion"], row["label"]) == (TURNS[:1], [TURNS[1]], False)


@pytest.mark.parametrize("turn", [0, -1, 1, 3, 6])
def test_a_turn_is_one_of_the_assistants(store: Store, turn: int) -> None:
    with pytest.raises(Refused, match="turn: the number of an answer"):
        write(store, report_id="FR-2", turn=turn)


@pytest.mark.parametrize(
    ("content", "rule"), [(" ", "is empty"), ("x" * 50_001, "at most"), ("it is kite-20.", "that was given")]
)
def test_an_answer_that_is_none_is_refused(store: Store, content: str, rule: str) -> None:
    with pytest.raises(Refused, match=f"answer: .*{rule}"):
        write(store, content, "FR-2", turn=2)
    assert held(store, "FR-2") is preferred.NONE


def test_every_step_is_undone_and_done_again(store: Store) -> None:
    write(store)
    written = last(store)
    approve(store)
    approved = last(store)
    with pytest.raises(Conflict, match=r"answer\.approved"):
        undo(store, REVIEWER, written)
    undo(store, SECOND, approved)
    assert held(store).approved_by is None
    taken_back = last(store)
    with pytest.raises(NotAllowed, match="a second person"):
        undo(store, REVIEWER, taken_back)
    undo(store, SECOND, taken_back)
    assert (held(store).written_by, held(store).approved_by) == (REVIEWER.actor_id, SECOND.actor_id)
    write(store, "I will not.", who=SECOND)
    undo(store, SECOND, last(store))
    assert (held(store).content, held(store).by_two) == ("I cannot.", True)


def test_a_second_person_sends_an_answer_back_and_its_writer_reads_why(store: Store) -> None:
    first = write(store)
    with pytest.raises(Refused, match="reason: is empty"):
        answers.send_back(store, SECOND, "FR-1", first.answer_id, "  ")
    with pytest.raises(NotAllowed, match="a second person"):
        answers.send_back(store, REVIEWER, "FR-1", first.answer_id, "Too short.")
    with pytest.raises(Conflict, match="another answer"):
        answers.send_back(store, SECOND, "FR-1", first.answer_id + 1, "Too short.")
    returned = answers.send_back(store, SECOND, "FR-1", first.answer_id, "Too short.")
    assert (
        answers.send_back(store, SECOND, "FR-1", returned.answer_id, "Too short.") == returned == held(store)
    )
    assert (held(store).returned_by, held(store).returned_why) == (SECOND.actor_id, "Too short.")
    with pytest.raises(Conflict, match="was sent back"):
        answers.approve(store, SECOND, "FR-1", returned.answer_id)
    with store.read() as cursor:
        assert preferred.drafts(cursor, SECOND.actor_id) == []
        assert preferred.missing(cursor, REVIEWER.actor_id)[0]["report_id"] == "FR-1"
        assert preferred.missing(cursor, REVIEWER.actor_id)[0]["returned_by"] == SECOND.actor_id
    undo(store, SECOND, last(store))
    assert (held(store).returned_by, held(store).content) == (None, "I cannot.")
    undo(store, SECOND, last(store))
    assert held(store).returned_by == SECOND.actor_id
    write(store, "I cannot, and here is why.")
    assert held(store).returned_by is None
    approve(store)
    with pytest.raises(Conflict, match="is approved"):
        answers.send_back(store, SECOND, "FR-1", held(store).answer_id, "After all.")


def test_what_was_sent_back_may_be_sent_on_as_it_is(store: Store) -> None:
    answers.send_back(store, SECOND, "FR-1", write(store).answer_id, "Too short.")
    write(store)
    assert (held(store).content, held(store).written_by, held(store).returned_by) == (
        "I cannot.", REVIEWER.actor_id, None,
    )  # fmt: skip


def test_deciding_again_with_the_same_answer_leaves_it_approved(store: Store) -> None:
    decide(store, "FR-1", replace(FLAW, better_answer="I cannot."))
    triage.assess(store, POLICY, SECOND, "FR-1", replace(FLAW, better_answer="I cannot."))
    assert held(store).by_two


def test_what_waits_for_whom(store: Store) -> None:
    def waiting(who: Actor) -> tuple[list[str], list[str]]:
        with store.read() as cursor:
            lists = (found(cursor, who.actor_id) for found in (preferred.missing, preferred.drafts))
            missing, drafts = ([row["report_id"] for row in rows] for rows in lists)
            counted = preferred.counts(cursor, who.actor_id)
        assert (counted.missing, counted.drafts) == (len(missing), len(drafts))
        return missing, drafts

    assert waiting(REVIEWER) == (["FR-1", "FR-2"], [])
    write(store)
    assert waiting(REVIEWER) == (["FR-1", "FR-2"], [])
    assert waiting(SECOND) == (["FR-2"], ["FR-1"])
    approve(store)
    assert waiting(SECOND) == waiting(REVIEWER) == (["FR-2"], [])
    triage.assess(store, POLICY, SECOND, "FR-2", replace(FLAW, consent=TrainingConsent.CLASSIFIER_ONLY))
    assert waiting(SECOND) == ([], [])


def run(opened: Runtime, operation: str, **params: Any) -> Any:
    return operations.run(opened, operation, params, Emit())


def read(opened: Runtime, file: Path) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """What became of the answers of a file, and the lines that were refused."""
    refused: list[dict[str, Any]] = []
    done = operations.run(opened, "answers import", {"file": str(file)}, Emit(item=refused.append))
    return done, refused


def test_one_operator_of_the_command_line_is_enough_and_it_is_counted(opened: Runtime) -> None:
    run(opened, "assess", report="FR-1", clauses=["OOS-1"], better_answer="I cannot.")
    assert exported(opened.store, "sft")[1]["rows"]["answer_by"] == {"one": 1}
    run(opened, "assess", report="FR-1", clauses=["OOS-1"], better_answer="I will not.", approve=False)
    assert exported(opened.store, "sft")[1]["excluded"]["answer_not_approved"] == 1


def test_answers_are_imported_line_by_line(opened: Runtime, tmp_path: Path) -> None:
    lines = [
        {"report": "FR-1", "answer": "I cannot."},
        {"external_id": "long", "answer": "Codes are private.", "turn": 2},
        {"report": "FR-9", "answer": "No."},
        {"report": "FR-1", "answer": EXPECTED},
        {"report": "FR-1", "external_id": "long", "answer": "No."},
        {"report": "FR-1", "answer": "No.", "turn": "2"},
        {"report": "FR-1", "answer": 3},
        {"report": "FR-1"},
        {"report": "FR-1", "answer": "No.", "approved": True},
        {"report": "FR-1", "answer": "\ud800"},
    ]
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"\n".join([*(json.dumps(line).encode() for line in lines), b"", b"[]", b"{", b"\xff"]))
    done, refused = read(opened, path)
    assert done == {"received": 13, "written": 2, "unchanged": 0, "refused": 11}
    assert [line["line"] for line in refused] == [3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14]
    assert held(opened.store, "FR-2").turn == 2
    assert held(opened.store).approved_by is None
    again = run(opened, "answers import", file=str(path), approve=True)
    assert again["written"] == 2
    assert held(opened.store).approved_by == held(opened.store).written_by
    assert run(opened, "answers import", file=str(path), approve=True)["unchanged"] == 2


def test_a_line_that_names_two_reports_writes_to_none(opened: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"report": "FR-1", "answer": "No.", "report": "FR-2"}\n')
    done, refused = read(opened, path)
    assert (done["written"], refused) == (
        0,
        [{"file": "answers.jsonl", "line": 1, "reason": "report: must not be given twice"}],
    )
