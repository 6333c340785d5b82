"""Review: the decision on the report on the desk, what is suggested for it, and what is kept of one half made."""

from __future__ import annotations

from tests.making import FLAW
from tests.pages.conftest import EVERYTHING, NOW, off_without_a_reason, toasts
from tests.pages.reviewing import ME, SEVERE, button, decide, press
from triage_core.desk import claims, drafts, triage
from triage_core.desk.decision import Decision
from triage_core.lifecycle import Trigger
from ui.review import candidates


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


def test_undo_takes_back_one_s_own_last_decision_and_shows_it(visit, three, opened, case):
    press(decide(visit("review"), three[0], 1, "EXP-1"), "Save decision")
    triage.assess(opened.store, opened.policy, EVERYTHING, three[1], Decision(("OOS-1",)))
    screen = press(visit("review", report=three[2]), f"Undo assessed ` {three[0]} `")
    assert case(three[0])["status"] == "new"
    assert three[0] in screen.header[0].value
    assert case(three[1])["status"] == "closed"
    assert button(screen, "Undo").disabled
