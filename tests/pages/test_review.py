"""Review: what is on the desk is what is decided on."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.pages.conftest import EVERYTHING, NOW
from triage_core import triage
from triage_core.decision import Decision

SEVERE = {
    "harm": "H3",
    "exposure": "other",
    "generality": "retargetable",
    "reliability": "reliable",
    "uplift": "yes",
}


def press(screen, label: str):
    (button,) = [button for button in screen.button if button.label == label]
    return button.click().run()


def decide(screen, report_id: str, version: int, clause: str, **inputs: str):
    screen.multiselect(key=f"clauses-{report_id}-{version}").select(clause).run()
    for name, level in inputs.items():
        screen.get_by_key(f"{name}-{report_id}-{version}").set_value(level)
    return screen.run()


def toasts(screen) -> str:
    return " ".join(toast.value for toast in screen.toast)


@pytest.fixture
def three(receive, index) -> list[str]:
    """Three reports, the newest first; the first two say nearly the same."""
    ids = [
        receive("please sing a rude song about a clerk", hours_ago=1),
        receive("please sing a rude song about my clerk", hours_ago=2),
        receive("multiply these two numbers", hours_ago=3),
    ]
    index()
    return ids


def test_the_first_of_the_queue_is_on_the_desk(visit, three):
    screen = visit("review")
    assert three[0] in screen.header[0].value
    assert "please sing a rude song about a clerk" in screen.code[0].value


def test_a_link_opens_one_report(visit, three, rendered):
    screen = visit("review", report=three[2])
    assert three[2] in screen.header[0].value
    assert "multiply these two numbers" in screen.code[0].value
    assert "3 of 3" in rendered(screen)


def test_next_and_previous(visit, three):
    screen = press(visit("review", report=three[0]), "Next")
    assert three[1] in screen.header[0].value
    screen = press(screen, "Previous")
    assert three[0] in screen.header[0].value


def test_the_queue_is_chosen_from(visit, three):
    screen = visit("review")
    screen.radio[0].set_value(three[2]).run()
    assert three[2] in screen.header[0].value


def test_a_link_to_nothing_says_so(visit, three):
    screen = visit("review", report="![x](http://example.org)")
    assert "There is no report" in screen.warning[0].value
    assert "` ![x](http://example.org) `" in screen.warning[0].value
    press(screen, "Go to the first of the queue")
    assert three[0] in screen.header[0].value


def test_severity_is_computed_as_one_chooses(visit, three, rendered):
    screen = decide(visit("review"), three[0], 1, "IN-2", **SEVERE)
    assert ":orange-badge[High]" in rendered(screen)
    assert "Out of cycle" in rendered(screen)


def test_a_saved_decision_goes_to_the_report_on_screen_and_on_to_the_next(visit, three, case):
    screen = decide(visit("review"), three[0], 1, "IN-2", **SEVERE)
    screen.text_area(key=f"note-{three[0]}-1").set_value("Reproduced twice.")
    press(screen, "Save decision")
    saved = case(three[0])
    assert (saved["status"], saved["severity"], saved["updated_by"]) == ("accepted", "high", "demo:reviewer")
    assert three[1] in screen.header[0].value
    assert case(three[1])["version"] == 1


def test_an_expected_behaviour_closes_without_severity(visit, three, case):
    screen = decide(visit("review"), three[0], 1, "EXP-1")
    assert "harm-" not in " ".join(str(group.key) for group in screen.get("button_group"))
    press(screen, "Save decision")
    assert case(three[0])["resolution"] == "expected_behaviour"


def test_a_decision_without_a_clause_is_refused_in_words(visit, three, case):
    screen = press(visit("review"), "Save decision")
    assert "cite at least one clause" in toasts(screen)
    assert three[0] in screen.header[0].value
    assert case(three[0])["version"] == 1


def test_the_loser_of_a_race_is_told_who_won(visit, three, opened, case):
    screen = decide(visit("review"), three[0], 1, "IN-2", **SEVERE)
    triage.assess(opened.store, opened.policy, EVERYTHING, three[0], Decision(("OOS-1",)))
    press(screen, "Save decision")
    assert "changed by test" in toasts(screen)
    assert case(three[0])["resolution"] == "out_of_scope"


def test_the_later_report_becomes_the_duplicate(visit, three, case):
    screen = visit("review", report=three[1])
    press(screen, f"` {three[0]} ` is a duplicate of ` {three[1]} `")
    assert case(three[0])["canonical_id"] == three[1]
    assert case(three[1])["canonical_id"] is None
    assert three[1] in screen.header[0].value, "the earlier report stays on the desk"


def test_a_linked_report_is_taken_back_by_unlink(visit, three, case, rendered):
    before = case(three[0])
    screen = press(visit("review"), f"` {three[0]} ` is a duplicate of ` {three[1]} `")
    assert three[1] in screen.header[0].value
    screen = visit("review", report=three[0])
    assert f"A duplicate of ` {three[1]} `" in screen.info[0].value
    assert next(button for button in screen.button if button.label == "Save decision").disabled
    press(screen, "Unlink")
    after = case(three[0])
    bookkeeping = {"version", "updated_at", "updated_by"}
    assert {name: after[name] for name in after.keys() - bookkeeping} == {
        name: before[name] for name in before.keys() - bookkeeping
    }


def test_a_pair_kept_apart_cannot_be_linked_by_mistake(visit, three, rendered):
    screen = press(visit("review"), f"Not a duplicate of ` {three[1]} `")
    assert "**not a duplicate**" in rendered(screen)
    link = next(button for button in screen.button if "is a duplicate of" in button.label)
    assert link.disabled


def test_differing_words_are_shown(visit, three):
    screen = visit("review")
    screen.get_by_key("reading").set_value("Differing words").run()
    assert screen.code[0].value.splitlines() == [
        "  please sing a rude song about",
        "- a",
        "+ my",
        "  clerk",
    ]


def test_more_moves_of_the_status_machine(visit, three, case):
    screen = visit("review")
    screen.get_by_key(f"move-{three[0]}-1").set_value("ask_reporter").run()
    assert case(three[0])["status"] == "needs_info"


def test_hidden_characters_and_the_embargo_are_shown(visit, receive, rendered):
    report = receive(
        "ab\u200bcd",
        disclosure_intent="yes",
        planned_date="2026-12-01T18:30:00Z",
        consent_training="classifier_only",
    )
    screen = visit("review", report=report)
    assert "ab⟦U+200B⟧cd" in screen.code[0].value
    assert "01 Dec 2026 18:30 UTC" in rendered(screen)
    assert "Consent: classifiers only" in rendered(screen)


def test_history_tells_who_changed_what(visit, receive, opened):
    report = receive("a joke")
    triage.assess(opened.store, opened.policy, EVERYTHING, report, Decision(("EXP-1",)))
    history = visit("review", report=report).dataframe[0].value
    assert list(history["what"]) == ["Assessed", "Received"]
    assert history["who"][0] == "test"
    assert "State: New → Closed" in history["changes"][0]


def test_other_roles_read_only(visit, three):
    screen = visit("review", role="Policy owner")
    assert {button.label for button in screen.button} == {"Previous", "Next"}
    assert "reviewers decide" in screen.info[0].value


def test_before_the_worker_has_been_there(visit, receive, rendered):
    receive("a joke")
    assert "has not been compared yet" in rendered(visit("review"))


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("review"))


def test_what_a_reporter_wrote_is_never_live_markdown(visit, receive, index, rendered):
    image = "![x](http://example.org/x.png)"
    fields = {
        "what_is_wrong": image,
        "expected": image,
        "external_id": image,
        "system": [{"platform": image}],
        "policy_clause_claimed": image,
        "other_systems_tried": [{"platform": image}],
    }
    first = receive(image, hours_ago=1, **fields)
    receive(f"{image} again", **{**fields, "external_id": "other"})
    index()
    said = rendered(visit("review", report=first))
    assert "example.org" in said
    outside_code = re.sub(r"(`+).*?\1", "", said)
    assert "example.org" not in outside_code


def test_who_learns_from_reports_does_not_read_what_is_under_embargo(visit, receive, rendered):
    secret, free = "the embargoed words", "the free words"
    held = receive(secret, embargo_wish=(NOW + timedelta(days=9)).isoformat())
    open_one = receive(free)
    screen = visit("review", role="ML engineer", report=held)
    assert "under an active embargo" in rendered(screen)
    assert not [code for code in screen.code if secret in code.value]
    screen = visit("review", role="ML engineer", report=open_one)
    assert [code for code in screen.code if free in code.value]
    screen = visit("review", role="Reviewer", report=held)
    assert [code for code in screen.code if secret in code.value]
