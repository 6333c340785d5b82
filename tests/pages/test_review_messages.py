"""Review: what desk and reporter write to each other."""

from __future__ import annotations

from datetime import timedelta

from tests.pages.conftest import EVERYTHING, NOW, toasts
from tests.pages.reviewing import press
from triage_core.channel import messages
from triage_core.desk import triage
from triage_core.desk.decision import Decision


def with_messages(screen, report_id):
    """The page with the messages of this report opened: where there are none they are closed."""
    screen.session_state[f"messages-{report_id}"] = True
    return screen.run()


def test_a_question_goes_to_the_reporter_and_the_answer_stands_in_the_thread(
    visit, three, opened, case, rendered
):
    screen = visit("review", report=three[0])
    assert not [one for one in screen.text_area if one.label == "Ask the reporter"]
    with_messages(screen, three[0]).text_area(key=f"question-{three[0]}-1").set_value("Which version was it?")
    press(screen, "Send the question")
    assert "is asked" in toasts(screen)
    assert case(three[0])["status"] == "needs_info"
    assert three[0] in screen.header[0].value, "asking does not take the report from the desk"
    assert screen.text_area(key=f"question-{three[0]}-2").value == ""
    assert "Which version was it?" in " ".join(code.value for code in screen.code)
    assert "not answered yet" in rendered(screen)
    messages.answer(opened.store, three[0], "![x](http://example.org/a.png) 4.1")
    screen = visit("review", report=three[0])
    assert "![x](http://example.org/a.png) 4.1" in " ".join(code.value for code in screen.code)
    assert "example.org" not in rendered(screen)
    assert "not answered yet" not in rendered(screen)


def test_a_question_about_a_report_that_changed_is_not_sent_and_its_words_stay(visit, three, opened, case):
    screen = with_messages(visit("review", report=three[0]), three[0])
    screen.text_area(key=f"question-{three[0]}-1").set_value("Which version was it?").run()
    triage.assess(opened.store, opened.policy, EVERYTHING, three[0], Decision(("EXP-1",)))
    press(screen, "Send the question")
    assert "Nothing was changed" in toasts(screen)
    assert screen.text_area(key=f"question-{three[0]}-2").value == "Which version was it?"


def test_a_question_not_sent_yet_is_there_after_another_report_and_a_reload(visit, three):
    screen = visit("review", report=three[0])
    screen.text_area(key=f"note-{three[0]}-1").set_value("Seen twice.").run()
    with_messages(screen, three[0])
    screen.text_area(key=f"question-{three[0]}-1").set_value("Which version was it?").run()
    screen = with_messages(visit("review", report=three[1]), three[1])
    assert screen.text_area(key=f"question-{three[1]}-1").value == ""
    screen = visit("review", report=three[0])
    assert screen.text_area(key=f"question-{three[0]}-1").value == "Which version was it?"
    press(screen, "Send the question")
    screen = visit("review", report=three[0])
    assert screen.text_area(key=f"question-{three[0]}-2").value == ""
    assert screen.text_area(key=f"note-{three[0]}-2").value == "Seen twice.", "the rest of the draft stays"


def test_who_may_not_ask_sees_the_thread_alone(visit, three, opened):
    messages.ask(opened.store, EVERYTHING, three[0], "Which version was it?")
    screen = visit("review", report=three[0], role="ML engineer")
    assert "Which version was it?" in " ".join(code.value for code in screen.code)
    assert not [one for one in screen.button if one.label == "Send the question"]


def test_the_thread_of_a_report_under_embargo_is_not_for_everybody(visit, receive, opened):
    held = receive("a song", embargo_wish=(NOW + timedelta(days=9)).isoformat())
    messages.ask(opened.store, EVERYTHING, held, "Which secret version was it?")
    assert not [one for one in visit("review", role="ML engineer", report=held).code if "secret" in one.value]
    assert [one for one in visit("review", report=held).code if "secret" in one.value]
