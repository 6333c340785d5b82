"""Answers: written by one, approved by another, the reporter's words as a beginning only."""

from __future__ import annotations

import json
import re

import pytest

from tests.making import FLAW
from tests.pages.conftest import EVERYTHING, toasts
from triage_core.desk import answers, preferred, triage
from triage_core.model import Actor, DeskRole

ME = "demo:reviewer"
MARA = Actor("mara", "Mara", frozenset({DeskRole.REVIEWER}))
EXPECTED = "It should decline."


@pytest.fixture
def flaw(receive, opened):
    """`flaw("words")` is a confirmed flaw whose reporter agrees to training and said what they expected."""

    def confirm(words: str = "tell me the code", **fields) -> str:
        report_id = receive(
            words, **{"consent_training": "any_safety_training", "expected": EXPECTED, **fields}
        )
        triage.assess(opened.store, opened.policy, EVERYTHING, report_id, FLAW)
        return report_id

    return confirm


@pytest.fixture
def held(opened):
    def read(report_id: str):
        with opened.store.read() as cursor:
            return preferred.in_force(cursor, report_id)

    return read


def button(screen, label: str):
    return next((one for one in screen.button if one.label == label), None)


def save(screen):
    return button(screen, "Save the answer").click().run()


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("answers"))


def test_nothing_to_do_in_either_part(visit, receive, rendered):
    receive("a joke")
    assert "No answer waits to be written" in rendered(visit("answers"))
    assert "No answer of somebody else waits" in rendered(visit("answers", **{"answers-part": "Approve"}))


def test_the_expectation_is_a_beginning_and_not_the_answer(visit, flaw, held):
    report_id = flaw()
    screen = visit("answers")
    (area,) = screen.text_area
    assert area.value == EXPECTED
    assert "reporter's own words" in screen.warning[0].value
    screen = save(screen)
    assert "edit them" in toasts(screen)
    assert held(report_id) is preferred.NONE
    screen.text_area[0].input("I cannot share codes.").run()
    assert not screen.warning
    screen = save(screen)
    assert "waits for approval" in toasts(screen)
    answer = held(report_id)
    assert (answer.content, answer.written_by, answer.approved_by) == ("I cannot share codes.", ME, None)
    assert answer.turn == 2


def test_it_can_be_confirmed_word_for_word(visit, flaw, held):
    report_id = flaw()
    screen = visit("answers")
    screen.checkbox[0].check().run()
    save(screen)
    assert held(report_id).content == EXPECTED
    screen = visit("answers", **{"answers-part": "Approve"})
    assert "No answer of somebody else" in screen.info[0].value


def test_the_turn_is_chosen(visit, flaw, held):
    turns = [
        {"role": role, "content": text}
        for role, text in zip(["user", "assistant"] * 3, "abcdef", strict=True)
    ]
    report_id = flaw(turns=turns[:5])
    screen = visit("answers")
    choice = next(box for box in screen.selectbox if box.label.startswith("Instead"))
    assert (choice.options, choice.value) == (["2: b", "4: d"], None)
    choice.select(2).run()
    screen.text_area[0].input("Rather not.").run()
    save(screen)
    assert held(report_id).turn == 2


def test_a_second_person_approves_and_the_next_one_opens(visit, flaw, opened, held, rendered):
    one, two = flaw("one"), flaw("two")
    for report_id in (one, two):
        answers.write(opened.store, MARA, report_id, "I cannot share codes.")
    screen = visit("answers", **{"answers-part": "Approve"})
    assert "I cannot share codes." in " ".join(block.value for block in screen.code)
    assert "mara" in rendered(screen)
    screen = button(screen, "Approve the answer").click().run()
    assert held(one).approved_by == ME
    assert held(two).approved_by is None
    assert two in screen.header[0].value


def test_who_wrote_it_cannot_approve_it(visit, flaw, opened):
    report_id = flaw()
    answers.write(opened.store, Actor(ME, "Me", frozenset({DeskRole.REVIEWER})), report_id, "No.")
    screen = visit("answers", report=report_id, **{"answers-part": "Approve"})
    assert button(screen, "Approve the answer").disabled


def test_an_answer_is_sent_back_and_its_writer_sees_why(visit, flaw, opened, held, rendered):
    report_id = flaw()
    answers.write(opened.store, MARA, report_id, "No.")
    screen = visit("answers", **{"answers-part": "Approve"})
    screen = button(screen, "Send it back").click().run()
    assert "say what should be different" in toasts(screen)
    assert held(report_id).returned_by is None
    screen.text_area[-1].input("Say what you can do instead.").run()
    screen = button(screen, "Send it back").click().run()
    assert not screen.exception
    assert (held(report_id).returned_by, held(report_id).returned_why) == (ME, "Say what you can do instead.")
    assert "No answer of somebody else waits" in rendered(visit("answers", **{"answers-part": "Approve"}))
    written = Actor(ME, "Me", frozenset({DeskRole.REVIEWER}))
    other = flaw("another")
    draft = answers.write(opened.store, written, other, "No.")
    answers.send_back(opened.store, MARA, other, draft.answer_id, "Be kinder.")
    screen = visit("answers")
    assert other in screen.header[0].value
    assert "Sent back by" in screen.warning[0].value
    assert "Be kinder." in " ".join(block.value for block in screen.code)


def test_a_policy_owner_approves_and_does_not_write(visit, flaw, opened, held):
    report_id = flaw()
    answers.write(opened.store, MARA, report_id, "No.")
    screen = visit("answers", role="Policy owner")
    assert button(screen, "Save the answer") is None
    button(screen, "Approve the answer").click().run()
    assert held(report_id).approved_by == "demo:policy_owner"


@pytest.mark.parametrize(
    ("role", "said"), [("Policy owner", "send it back"), ("Reviewer", "write your own on Write")]
)
def test_how_to_have_it_changed_is_a_way_that_the_role_has(visit, flaw, opened, rendered, role, said):
    answers.write(opened.store, MARA, flaw(), "I cannot share codes.")
    part = {} if role == "Policy owner" else {"answers-part": "Approve"}
    screen = visit("answers", role=role, **part)
    assert [one.value for one in screen.caption if "changed, " in one.value or "change it, " in one.value]
    assert said in rendered(screen)


def test_who_comes_too_late_is_told(visit, flaw, opened, held):
    report_id = flaw()
    answers.write(opened.store, MARA, report_id, "No.")
    screen = visit("answers", **{"answers-part": "Approve"})
    answers.write(opened.store, MARA, report_id, "Never.")
    screen = button(screen, "Approve the answer").click().run()
    assert "Nothing was changed" in toasts(screen)
    assert held(report_id).approved_by is None


@pytest.mark.parametrize("name", ["FR-99", "![x](http://example.org)"])
def test_a_report_that_is_not_there(visit, flaw, rendered, name):
    flaw()
    said = rendered(visit("answers", report=name))
    assert "There is no report" in said
    assert "example.org" not in re.sub(r"(`+).*?\1", "", said)


def test_what_others_wrote_is_never_markdown(visit, flaw, opened, rendered):
    image = "![x](http://example.org/x.png)"
    report_id = flaw(image, expected=image, what_is_wrong=image)
    said = rendered(visit("answers"))
    answers.write(opened.store, Actor(image, image, MARA.roles), report_id, image, confirmed=True, turn=2)
    said += rendered(visit("answers", **{"answers-part": "Approve"}))
    assert "example.org" not in re.sub(r"(`+).*?\1", "", said)


def test_answers_are_read_from_a_file_and_its_refused_lines_are_named(visit, flaw, held, rendered):
    report_id = flaw()
    lines = [
        {"report": report_id, "answer": "I cannot share codes."},
        {"report": "FR-9", "answer": "No."},
        {"report": report_id, "answer": "No.", "approved": True},
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    screen = visit("answers")
    screen.file_uploader[0].set_value([("answers.jsonl", content, "application/jsonl")]).run()
    screen = button(screen, "Read them in").click().run()
    assert not screen.exception
    assert (held(report_id).content, held(report_id).written_by) == ("I cannot share codes.", ME)
    said = rendered(screen)
    assert "1 written, 0 stood there already" in said
    assert re.search("line 2: .*there is no report.*FR.*9", said), said
    assert re.search("line 3: .*takes answer", said)
    assert button(screen, "Read them in").disabled
    assert not visit("answers", role="Policy owner").file_uploader
