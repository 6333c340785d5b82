"""Review: what is on the desk is what is decided on."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from tests.making import FLAW
from tests.pages.conftest import EVERYTHING, NOW, off_without_a_reason, toasts
from triage_core.channel import messages
from triage_core.desk import claims, drafts, looks, triage
from triage_core.desk.decision import Decision
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, DeskRole
from ui import paint
from ui.review import candidates, desk, keys, queue, seen

SEVERE = {
    "harm": "H3",
    "exposure": "other",
    "generality": "retargetable",
    "reliability": "reliable",
    "uplift": "yes",
}


ME = Actor("demo:reviewer", "Demo person", frozenset({DeskRole.REVIEWER}))


def press(screen, label: str):
    return button(screen, label).click().run()


def button(screen, label: str):
    """The button of these words; the key before them is printed as code."""
    (found,) = [one for one in screen.button if re.sub(r"^`[\w+]+` ", "", one.label) == label]
    return found


def decide(screen, report_id: str, version: int, clause: str, **inputs: str):
    screen.multiselect(key=f"clauses-{report_id}-{version}").select(clause).run()
    for name, level in inputs.items():
        screen.get_by_key(f"{name}-{report_id}-{version}").set_value(level)
    return screen.run()


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
    screen = visit("review", report=three[0])
    screen.text_area(key=f"note-{three[0]}-1").set_value("Half a thought").run()
    screen = press(screen, "Next")
    assert three[1] in screen.header[0].value
    assert not [
        name for name in ("question", "retest", "drafted") if f"{name}-{three[0]}-1" in screen.session_state
    ]
    screen = press(screen, "Previous")
    assert three[0] in screen.header[0].value
    assert screen.text_area(key=f"note-{three[0]}-1").value == "Half a thought"


def test_what_the_next_report_needs_is_read_while_this_one_is_read(visit, three, opened, monkeypatch):
    asked: list[str] = []
    for part, name in ((opened.likeness, "similar"), (opened.suggestions, "suggest")):
        found = getattr(part, name)
        monkeypatch.setattr(part, name, lambda *given, found=found: asked.append(str(given)) or found(*given))
    screen = visit("review")
    assert (
        len([one for one in asked if three[0] in one]) == len([one for one in asked if three[1] in one]) == 2
    )
    before = len(asked)
    press(screen, "Next")
    assert three[1] in screen.header[0].value
    assert not [one for one in asked[before:] if three[1] in one]


def test_only_a_report_that_comes_on_the_desk_is_waited_for(visit, three, monkeypatch):
    pauses: list[str] = []
    monkeypatch.setattr(paint, "text", lambda: pauses.append("pause"))
    screen = visit("review")
    assert len(pauses) == 1
    decide(screen, three[0], 1, "IN-1", harm="H2")
    assert len(pauses) == 1
    press(screen, "Next")
    assert len(pauses) == 2


def test_the_queue_is_chosen_from(visit, three):
    screen = visit("review")
    screen.radio[0].set_value(three[2]).run()
    assert three[2] in screen.header[0].value
    assert screen.radio[0].value == three[2]
    press(screen, "Previous")
    assert screen.radio[0].value == three[1]


def test_the_shown_part_of_the_queue_stays_while_the_report_is_in_it(visit, receive, monkeypatch):
    monkeypatch.setattr(queue, "WINDOW", 4)
    for number in range(8):
        receive(f"Question {number}", hours_ago=20 - number)
    screen, shown, chosen = visit("review"), [], []
    for _ in range(5):
        shown.append(tuple(screen.radio[0].options))
        chosen.append(shown[-1].index(f"` {screen.radio[0].value} `"))
        press(screen, "Next")
    assert shown[0] == shown[1] == shown[2] == shown[3]
    assert shown[4][:2] == shown[3][2:]
    assert chosen == [0, 1, 2, 3, queue.BEFORE]


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


def test_why_a_level_follows_the_inputs(visit, three, rendered):
    screen = decide(visit("review"), three[0], 1, "IN-2", **SEVERE)
    said = rendered(screen)
    assert "Harm: **H3**" in said
    assert "the level :orange-badge[High]." in said
    assert "Harm **H4**: :red-badge[Critical]" in said
    screen.get_by_key(f"harm-{three[0]}-1").set_value("H0").run()
    assert "Harm: **H0**" in rendered(screen)


def test_a_saved_decision_goes_to_the_report_on_screen_and_on_to_the_next(visit, three, case):
    screen = decide(visit("review"), three[0], 1, "IN-2", **SEVERE)
    screen.text_area(key=f"note-{three[0]}-1").set_value("Reproduced twice.")
    press(screen, "Save decision")
    saved = case(three[0])
    assert (saved["status"], saved["severity"], saved["updated_by"]) == ("accepted", "high", "demo:reviewer")
    assert three[1] in screen.header[0].value
    assert case(three[1])["version"] == 1


def test_what_the_level_waits_for_is_named(visit, three, rendered):
    screen = decide(visit("review"), three[0], 1, "IN-2", harm="H3", uplift="yes")
    assert "these are chosen: Who is exposed, How general, How often it works." in rendered(screen)
    said = toasts(press(screen, "Save decision"))
    assert "an in-scope clause needs the five severity inputs" in said
    assert "Harm" not in said, "that one is chosen"
    screen = decide(screen, three[0], 1, "IN-2", **SEVERE)
    assert "The level appears" not in rendered(screen)


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


def test_who_lost_the_race_with_a_decision_half_made_is_told_that_and_not_what_lacks(
    visit, three, opened, case
):
    screen = decide(visit("review"), three[0], 1, "IN-2", harm="H3")
    triage.assess(opened.store, opened.policy, EVERYTHING, three[0], Decision(("OOS-1",)))
    press(screen, "Save decision")
    assert "changed by test" in toasts(screen)


def test_the_later_report_becomes_the_duplicate(visit, three, case):
    screen = visit("review", report=three[1])
    press(screen, f"` {three[0]} ` is a duplicate of ` {three[1]} `")
    assert case(three[0])["canonical_id"] == three[1]
    assert case(three[1])["canonical_id"] is None
    assert three[1] in screen.header[0].value, "the earlier report stays on the desk"


def test_what_a_colleague_changes_while_the_page_is_drawn_is_not_linked(
    visit, three, case, opened, rendered, monkeypatch
):
    find = candidates.similar

    def find_late(report_id):
        if case(three[0])["version"] == 1:
            triage.assess(opened.store, opened.policy, EVERYTHING, three[0], Decision(("OOS-1",)))
        return find(report_id)

    monkeypatch.setattr(candidates, "similar", find_late)
    screen = press(visit("review", report=three[0]), f"Duplicate of ` {three[1]} `")
    assert case(three[0])["canonical_id"] is None
    assert "while you looked at it" in rendered(screen)


def test_a_linked_report_is_taken_back_by_unlink(visit, three, case, rendered):
    before = case(three[0])
    screen = press(visit("review"), f"Duplicate of ` {three[1]} `")
    assert three[1] in screen.header[0].value
    screen = visit("review", report=three[0])
    assert f"A duplicate of ` {three[1]} `" in screen.info[0].value
    assert "unlink it first" in button(screen, "Save decision").help
    assert button(screen, f"Duplicate of ` {three[1]} `").disabled
    assert "unlink it first" in button(screen, "Not a duplicate").help
    assert off_without_a_reason(screen) == []
    press(screen, "Unlink")
    after = case(three[0])
    bookkeeping = {"version", "updated_at", "updated_by"}
    assert {name: after[name] for name in after.keys() - bookkeeping} == {
        name: before[name] for name in before.keys() - bookkeeping
    }


def test_a_pair_kept_apart_cannot_be_linked_by_mistake(visit, three, rendered):
    screen = press(visit("review"), "Not a duplicate")
    assert "**not a duplicate**" in rendered(screen)
    assert button(screen, f"Duplicate of ` {three[1]} `").disabled
    assert off_without_a_reason(screen) == []
    assert off_without_a_reason(visit("review", role="Policy owner")) == []


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
    screen = decide(visit("review", report=three[0]), three[0], 1, "IN-2", **SEVERE)
    press(screen, "Save decision")
    screen = visit("review", report=three[0])
    screen.get_by_key(f"move-{three[0]}-2").set_value("defer").run()
    assert case(three[0])["status"] == "deferred"


def test_a_passed_retest_closes_with_an_outcome_and_a_note(visit, three, opened, case):
    triage.assess(opened.store, opened.policy, EVERYTHING, three[0], FLAW)
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX, Trigger.START_RETEST):
        assert "Close the report" not in [button.label for button in visit("review", report=three[0]).button]
        triage.move(opened.store, EVERYTHING, three[0], trigger)
    version = case(three[0])["version"]
    screen = press(visit("review", report=three[0]), "Close the report")
    assert "reason that the reporter can read" in toasts(screen)
    screen.get_by_key(f"passed-{three[0]}-{version}").set_value("resolved_mitigated").run()
    screen.get_by_key(f"retest-{three[0]}-{version}").set_value("0 of 20.").run()
    with opened.store.read() as cursor:
        assert drafts.read(cursor, ME, three[0])["retest"] == "0 of 20."
    screen = press(screen, "Close the report")
    assert case(three[0])["resolution"] == "resolved_mitigated"
    screen.session_state["history"] = True
    changes = screen.run().dataframe[0].value["changes"][0]
    assert changes.startswith("Retest passed: State: Retest → Closed; Resolution: Mitigated")
    assert changes.endswith("note: 0 of 20.")


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
    screen = visit("review", report=report)
    assert not screen.dataframe
    screen.session_state["history"] = True
    history = screen.run().dataframe[0].value
    assert list(history["what"]) == ["Assessed", "Received"]
    assert history["who"][0] == "test"
    assert "State: New → Closed" in history["changes"][0]


def test_other_roles_read_only(visit, three):
    screen = visit("review", role="Policy owner")
    assert {one.label for one in screen.button} == {"`K` Previous", "`J` Next", "`H` Keys"}
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


def test_who_learns_from_reports_does_not_read_what_is_under_embargo(visit, receive):
    secret, free = "the embargoed words", "the free words"
    held = receive(secret, embargo_wish=(NOW + timedelta(days=9)).isoformat())
    open_one = receive(free)
    screen = visit("review", role="ML engineer", report=held)
    assert "Under embargo until" in " ".join(code.value for code in screen.code)
    assert not [code for code in screen.code if secret in code.value]
    screen = visit("review", role="ML engineer", report=open_one)
    assert [code for code in screen.code if free in code.value]
    screen = visit("review", role="Reviewer", report=held)
    assert [code for code in screen.code if secret in code.value]


@pytest.fixture
def advised(receive, index, opened) -> str:
    """A report like two that were closed as arithmetic."""
    for hours in (5, 6):
        done = receive(f"multiply the two large numbers {hours}", hours_ago=hours)
        triage.assess(opened.store, opened.policy, EVERYTHING, done, Decision(("OOS-1",)))
    new = receive("multiply the two large numbers 7", hours_ago=1)
    index()
    opened.advice.prepare(EVERYTHING, opened.policy)
    return new


def test_the_clause_of_decided_neighbours_is_suggested_and_closes_the_report(visit, advised, rendered, case):
    screen = visit("review", report=advised)
    said = rendered(screen)
    assert "Not in scope" in said
    assert "` OOS-1 " in said
    assert "2 decisions near by" in said
    assert "A share of their votes" in said
    assert "A share of the votes of the nearest decisions" in said, "they say severity none"
    press(screen, "Expected or out of scope")
    assert case(advised)["resolution"] == "out_of_scope"


def test_inputs_hidden_by_a_clause_out_of_scope_come_back_with_another(visit, three, case):
    screen = decide(visit("review"), three[0], 1, "EXP-1")
    screen.multiselect(key=f"clauses-{three[0]}-1").unselect("EXP-1").run()
    screen = decide(screen, three[0], 1, "IN-2", **SEVERE)
    assert not screen.exception
    press(screen, "Save decision")
    assert (case(three[0])["severity"], case(three[0])["exploitation"]) == ("high", "none")


def test_a_suggestion_is_chosen_and_its_examples_appear(visit, advised, opened):
    screen = visit("review", report=advised)
    screen.get_by_key(f"choose-{advised}-1-OOS-1").click().run()
    assert screen.multiselect(key=f"clauses-{advised}-1").value == ["OOS-1"]
    example = opened.policy.clause("OOS-1").out_of_scope_example.strip()
    assert example in [text.value for text in screen.text]


def test_nothing_is_suggested_when_nothing_is_near(visit, three, opened, rendered, case):
    opened.advice.prepare(EVERYTHING, opened.policy)
    screen = visit("review", report=three[2])
    assert "No clause is suggested" in rendered(screen)
    press(screen, "Expected or out of scope")
    assert "choose a clause" in toasts(screen)
    assert case(three[2])["version"] == 1


def test_in_scope_clauses_are_not_closed_by_that_key(visit, three, case):
    screen = press(decide(visit("review"), three[0], 1, "IN-2"), "Expected or out of scope")
    assert "choose a clause" in toasts(screen)
    assert case(three[0])["version"] == 1


def test_what_was_entered_is_there_in_a_new_session_until_the_decision(visit, three, opened, rendered):
    screen = decide(visit("review"), three[0], 1, "IN-2", harm="H3")
    screen.text_area(key=f"note-{three[0]}-1").set_value("Half a thought").run()
    again = visit("review", report=three[0])
    assert again.text_area(key=f"note-{three[0]}-1").value == "Half a thought"
    assert again.multiselect(key=f"clauses-{three[0]}-1").value == ["IN-2"]
    assert again.get_by_key(f"harm-{three[0]}-1").value == "H3"
    assert "Your draft of this report is back" in rendered(again)
    triage.assess(opened.store, opened.policy, ME, three[0], Decision(("OOS-1",)))
    with opened.store.read() as cursor:
        assert drafts.read(cursor, ME, three[0]) == {}
    assert visit("review", report=three[0]).text_area(key=f"note-{three[0]}-2").value == ""


def test_the_outcome_and_its_log_are_kept_too(visit, three, case):
    screen = visit("review", report=three[0])
    screen.multiselect(key=f"clauses-{three[0]}-1").select("IN-2").run()
    for name, level in SEVERE.items():
        screen.get_by_key(f"{name}-{three[0]}-1").set_value(level).run()
    screen.selectbox(key=f"override-{three[0]}-1").set_value("low").run()
    screen.text_input(key=f"override_reason-{three[0]}-1").set_value("It needs a key.").run()
    screen.selectbox(key=f"resolution-{three[0]}-1").set_value("not_reproducible").run()
    screen.text_area(key=f"log-{three[0]}-1").set_value("0 of 10").run()
    press(visit("review", report=three[0]), "Save decision")
    saved = case(three[0])
    assert (saved["resolution"], saved["severity"]) == ("not_reproducible", "low")


def test_a_draft_outlives_a_colleague_s_change_of_the_case(visit, three, opened):
    screen = visit("review", report=three[0])
    screen.text_area(key=f"note-{three[0]}-1").set_value("Half a thought").run()
    claims.assign(opened.store, EVERYTHING, three[0], ME)
    assert visit("review", report=three[0]).text_area(key=f"note-{three[0]}-2").value == "Half a thought"


def test_a_snoozed_report_leaves_the_queue_and_can_be_woken(visit, three, case, rendered):
    screen = visit("review", report=three[0])
    screen.get_by_key(f"snooze-{three[0]}-1").set_value("three_days").run()
    assert case(three[0])["snoozed_until"] == claims.wakes_at(claims.Snooze.THREE_DAYS, NOW)
    assert three[1] in screen.header[0].value
    screen = visit("review")
    assert three[1] in screen.header[0].value
    assert "1 of 2" in rendered(screen)
    press(visit("review", report=three[0]), "Wake")
    assert case(three[0])["snoozed_until"] is None


def test_claim_and_release(visit, three, opened, rendered):
    screen = press(visit("review", report=three[0]), "Claim")
    assert "Claimed by you" in rendered(screen)
    press(screen, "Release")
    assert "Claimed by nobody" in rendered(screen)
    claims.claim(opened.store, EVERYTHING, three[0])
    screen = visit("review", report=three[0])
    assert "by ` test `, for 5 min" in rendered(screen)
    press(screen, "Claim")
    assert f"{three[0]} is claimed by test" in toasts(screen)


def test_people_of_one_name_are_listed_by_their_whole_ids(visit, three, opened):
    for who in ("here:mara", "there:mara"):
        claims.claim(opened.store, Actor(who, who, EVERYTHING.roles), three[who == "here:mara"])
    (menu,) = [
        menu for menu in visit("review", report=three[2]).get("menu_button") if "task" in menu.proto.label
    ]
    assert {"` here:mara `", "` there:mara `"} <= set(menu.proto.options)


def test_undo_takes_back_one_s_own_last_decision_and_shows_it(visit, three, opened, case):
    press(decide(visit("review"), three[0], 1, "EXP-1"), "Save decision")
    triage.assess(opened.store, opened.policy, EVERYTHING, three[1], Decision(("OOS-1",)))
    screen = press(visit("review", report=three[2]), f"Undo assessed ` {three[0]} `")
    assert case(three[0])["status"] == "new"
    assert three[0] in screen.header[0].value
    assert case(three[1])["status"] == "closed"
    assert button(screen, "Undo").disabled


def test_the_reporter_s_own_view_stands_beside_the_inputs(visit, receive, rendered):
    report = receive(
        "a joke",
        harm_types=["discrimination"],
        tries=10,
        successes=3,
        real_world_harm="yes",
        policy_clause_claimed="IN-6",
    )
    screen = visit("review", report=report)
    said = rendered(screen)
    assert "Harm: Discrimination" in said
    assert "worked 3 of 10 times" in said
    assert "harm has happened: yes" in said
    assert "claims ` IN-6 `" in said
    assert "Harm: Discrimination" in rendered(decide(screen, report, 1, "OOS-1"))


def test_every_key_has_one_meaning_and_the_table_is_shown(visit, three):
    names = [key.name for key in keys.KEYS]
    assert len(set(names)) == len(names)
    assert set(desk.READING) | set(desk.DECIDING) | {"up", "down"} == set(names)
    screen = press(visit("review"), "Keys")
    assert list(screen.dataframe[-1].value["key"]) == [key.printed for key in keys.KEYS]
    widths = json.loads(screen.dataframe[-1].proto.columns)
    pixels = 7 * max(len(key.does) for key in keys.KEYS)  # no line is cut off
    assert widths["does"]["width"] >= pixels


@pytest.mark.parametrize(
    "press_",
    [
        None,
        {},
        {"report": 3, "version": 1, "shown": {}},
        {"report": "FR-1", "version": "1", "shown": {}},
        {"report": "FR-1", "version": 1, "shown": []},
    ],
)
def test_what_is_no_press_is_passed_over(press_):
    assert seen.from_press(press_) is None


def test_a_press_says_what_was_seen():
    pairing = seen.Pairing("FR-1", "FR-2", 4, "FR-1", 0.9)
    shown = {"clause": "EXP-1", "undo": 7, "mine": True, "candidate": seen.offer(pairing)}
    found = seen.from_press({"n": 1, "key": "d", "report": "FR-2", "version": 4, "shown": shown})
    assert found == seen.Seen("FR-2", 4, pairing, "EXP-1", 7, True)
    assert seen.from_press({"report": "FR-2", "version": 4, "shown": {}}) == seen.Seen("FR-2", 4)


def hear(screen, *presses: dict[str, object]):
    """A run for what the listener has sent: it keeps every press in its state until it is answered."""
    screen.session_state["keys"] = {"presses": list(presses)}
    return screen.run()


def heard(number: int, key: str, report_id: str, version: int = 1, **shown: object) -> dict[str, object]:
    return {"n": number, "key": key, "report": report_id, "version": version, "shown": shown}


def test_a_press_acts_on_the_report_that_it_saw_and_once(visit, advised, case):
    screen = visit("review", report=advised)
    closing = heard(1, "0", advised, clause="OOS-1")
    screen = hear(screen, closing)
    assert (case(advised)["resolution"], case(advised)["version"]) == ("out_of_scope", 2)
    assert not screen.header, "it was the last of the queue"
    hear(screen, closing)
    assert case(advised)["version"] == 2


def test_a_second_press_on_what_is_gone_from_the_screen_changes_nothing_and_says_why(visit, advised, case):
    screen = visit("review", report=advised)
    screen = hear(screen, heard(1, "0", advised, clause="OOS-1"), heard(2, "s", advised))
    assert (
        "FR-3 was changed by demo:reviewer (04 Nov 2026 12:00 UTC) while you looked at it: assessed,"
        " state new → out of scope, severity not assessed → none" in toasts(screen)
    )
    assert case(advised)["snoozed_until"] is None


def test_keys_choose_the_harm_and_save(visit, three, case):
    screen = hear(visit("review", report=three[0]), heard(1, "3", three[0], clause="IN-2"))
    assert screen.get_by_key(f"harm-{three[0]}-1").value == "H3"
    assert screen.multiselect(key=f"clauses-{three[0]}-1").value == ["IN-2"]
    for name, level in SEVERE.items():
        screen.get_by_key(f"{name}-{three[0]}-1").set_value(level)
    screen.run()
    hear(screen, heard(1, "3", three[0]), heard(2, "save", three[0]))
    assert case(three[0])["severity"] == "high"


def test_keys_of_the_pair_use_the_candidate_that_was_highlighted(visit, three, case):
    candidate = {"other_id": three[1], "child_id": three[0], "child_version": 1, "target_id": three[1]}
    screen = visit("review", report=three[0])
    screen = hear(screen, heard(1, "d", three[0]))
    assert "no candidate is highlighted" in toasts(screen)
    hear(screen, heard(2, "d", three[0], candidate={**candidate, "score": 0.9}))
    assert case(three[0])["canonical_id"] == three[1]


def test_other_roles_have_no_deciding_keys(visit, three, case):
    hear(visit("review", role="Policy owner", report=three[0]), heard(1, "s", three[0]))
    assert case(three[0])["version"] == 1


def test_a_second_opinion_is_asked_for_by_key_and_once(visit, three, opened):
    triage.assess(opened.store, opened.policy, EVERYTHING, three[0], Decision(("EXP-1",)))
    screen = hear(visit("review", report=three[0]), heard(1, "f", three[0], 2))
    assert "waits for a second opinion" in toasts(screen)
    press(screen, "Second opinion")
    with opened.store.read() as cursor:
        assert [look["report_id"] for look in looks.mine(cursor, "somebody else")] == [three[0]]


def test_nobody_asks_for_a_second_opinion_before_there_is_a_first(visit, three):
    screen = hear(visit("review", report=three[0]), heard(1, "f", three[0]))
    assert "nobody has decided" in toasts(screen)


def test_choices_keep_their_names_whatever_happens_to_the_reports(visit, three, opened, rendered):
    """The browser tells a choice by its label: one renamed meanwhile would put its old label on the desk."""
    screen = visit("review", report=three[0])
    before = [radio.options for radio in screen.radio]
    triage.assess(opened.store, opened.policy, EVERYTHING, three[1], Decision(("OOS-1",)))
    screen.run()
    assert "Out of scope" in rendered(screen)
    assert [radio.options for radio in screen.radio] == before


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


def test_presses_that_carry_an_older_address_go_on_from_where_the_desk_is(visit, three):
    screen = visit("review", report=three[0])
    pressed: list[dict[str, object]] = []
    for name, on_desk in (("j", 1), ("j", 2), ("k", 1), ("3", 1)):
        pressed.append({"n": len(pressed) + 1, "key": name, "report": three[0], "version": 1, "shown": {}})
        screen.query_params["report"] = three[0]  # the browser has not heard of any move yet
        screen = hear(screen, *pressed)
        assert three[on_desk] in screen.header[0].value
        if name != "3":
            assert screen.query_params["report"] == three[on_desk]
    screen = press(screen, "Previous")
    assert screen.get_by_key(f"harm-{three[0]}-1").value == "H3", (
        "the report that was on screen at that press"
    )
