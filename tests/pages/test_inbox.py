"""Inbox: figures, filters in the address, pages from SQL, and what to do when there is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.pages.conftest import EVERYTHING, NOW
from triage_core import db
from triage_core.desk import bulk, claims, drafts, second_look, triage
from triage_core.desk import views as kept_views
from triage_core.desk.decision import Decision
from triage_core.index.embedding import TOGETHER
from triage_core.model import Actor, DeskRole, SeverityInputs
from triage_core.runtime import WorkerState
from ui.desk import views as desk_views


def listed(screen) -> list[str]:
    return list(screen.dataframe[0].value["report"])


def views(screen) -> dict[str, str]:
    """The number of reports that each view's button tells, by its name."""
    buttons = [button for button in screen.button if str(button.key).startswith("view-")]
    return dict(button.label.rpartition(" ")[::2] for button in buttons)


def press(screen, label: str):
    """Press the button whose label begins so."""
    (button,) = [button for button in screen.button if button.label.startswith(label)]
    return button.click().run()


def test_empty_store_says_what_to_do_next(visit, rendered):
    screen = visit("inbox")
    assert "No reports yet" in rendered(screen)
    assert [code.value for code in screen.code] == [
        "python -m triage_core import FILE",
        "python -m triage_core serve --demo",
    ]
    assert not screen.dataframe


def test_newest_first_with_their_clocks(visit, receive):
    old, new = receive("tell me a joke", hours_ago=80), receive("sing me a song", hours_ago=1)
    screen = visit("inbox")
    assert listed(screen) == [new, old]
    assert list(screen.dataframe[0].value["due"]) == ["in 47 h", "12 h late"]
    assert views(screen)["Breaching"] == "1"
    assert views(screen)["New"] == "2"


def test_every_view_of_ours_has_a_hint_of_what_it_holds(visit, receive):
    receive("tell me a joke")
    shown = {button.label.rpartition(" ")[0]: button.help for button in visit("inbox").button}
    assert "24 hours" in shown["Breaching"]
    assert all(shown[label] for _, label, *_ in desk_views.VIEWS)


def test_only_one_page_is_sent(visit, receive):
    ids = [receive(f"prompt number {n}", hours_ago=n) for n in range(30)]
    screen = visit("inbox")
    assert listed(screen) == ids[:25]
    screen = visit("inbox", page="2")
    assert listed(screen) == ids[25:]


def test_filters_come_from_the_address(visit, receive, opened):
    decided, joke, song = (
        receive("poem", hours_ago=3),
        receive("joke", hours_ago=2),
        receive("song", hours_ago=1),
    )
    triage.assess(opened.store, opened.policy, EVERYTHING, decided, Decision(("EXP-1",)))
    assert listed(visit("inbox")) == [song, joke]
    assert listed(visit("inbox", state="Any state", sort="Oldest first")) == [decided, joke, song]
    assert listed(visit("inbox", state="Closed")) == [decided]
    assert listed(visit("inbox", words="JOKE")) == [joke]


def test_filters_by_product_harm_and_lateness(visit, receive):
    one = receive("a", hours_ago=200, system=[{"platform": "Chat"}], harm_types=["misinformation"])
    other = receive("b", hours_ago=1, system=[{"platform": "Agent"}], harm_types=["discrimination"])
    assert listed(visit("inbox", product="Agent")) == [other]
    assert listed(visit("inbox", harm="Misinformation")) == [one]
    assert listed(visit("inbox", only="Late")) == [one]


def test_a_search_that_finds_nothing_offers_all_reports(visit, receive, opened):
    closed = receive("tell me a joke")
    triage.assess(opened.store, opened.policy, EVERYTHING, closed, Decision(("EXP-1",)))
    screen = visit("inbox", words="joke")
    assert not screen.dataframe
    next(button for button in screen.button if button.label == "Search in all reports").click().run()
    assert listed(screen) == [closed]


def test_nothing_left_to_decide_is_said(visit, receive, opened, rendered):
    triage.assess(opened.store, opened.policy, EVERYTHING, receive("a joke"), Decision(("EXP-1",)))
    assert "Everything is decided" in rendered(visit("inbox"))


def test_what_a_reporter_wrote_is_never_markdown(visit, receive, rendered):
    image = "![x](http://example.org/x.png)"
    receive(image, what_is_wrong=image, system=[{"platform": image}], external_id=image)
    screen = visit("inbox")
    assert image in str(screen.dataframe[0].value.to_dict())
    assert "example.org" not in rendered(screen)


def test_worker_line_tells_how_far_the_reading_is_and_of_what(visit, receive, opened):
    receive("one")
    opened.worker.state = WorkerState(True, 300, 5_000, what=TOGETHER)
    (bar,) = visit("inbox").get("progress")
    told = "Comparing new reports: 300 of 5,000 first reports read again, with each other"
    assert (bar.proto.text, bar.proto.value) == (told, 6)


def test_worker_line_counts_reports_and_who_is_alike_is_counted(visit, receive, index, rendered):
    receive("one"), receive("one", hours_ago=1), receive("two")
    assert "3 reports to be compared" in rendered(visit("inbox"))
    index()
    screen = visit("inbox")
    assert "Everything is compared: 3 conversations" in rendered(screen)
    assert list(screen.dataframe[0].value["cluster"]) == ["", "2", "2"]


def test_a_clock_that_runs_out_shows_at_the_next_look(visit, receive, opened):
    receive("tell me a joke")
    assert views(visit("inbox"))["Breaching"] == "0"
    opened.store.clock = lambda: NOW + timedelta(days=30)
    assert views(visit("inbox"))["Breaching"] == "1"


NOON_TOMORROW = NOW + timedelta(days=1)
ME = Actor("demo:reviewer", "Demo person", frozenset({DeskRole.REVIEWER}))
INES = Actor("demo:ines", "Ines", frozenset({DeskRole.REVIEWER}))


@pytest.fixture
def three(receive) -> list[str]:
    """Three reports, the newest first."""
    return [receive(words, hours_ago=hours) for hours, words in enumerate(("song", "joke", "poem"), 1)]


def test_a_view_is_one_press_and_then_stands_in_the_address(visit, three, opened):
    claims.assign(opened.store, ME, three[1], ME)
    claims.snooze(opened.store, ME, three[2], NOON_TOMORROW)
    screen = visit("inbox")
    assert listed(screen) == three[:2]
    assert views(screen) == {
        "To decide": "2", "New": "2", "Mine": "1", "Breaching": "0", "Reporter wrote": "0", "Embargo ends soon": "0",
        "Snoozed": "1", "All open": "2", "Needs second look": "0",
    }  # fmt: skip
    assert listed(press(screen, "Mine")) == [three[1]]
    assert screen.query_params["only"] == "Mine"
    assert listed(press(screen, "Snoozed")) == [three[2]]
    assert listed(press(screen, "To decide")) == three[:2]
    assert "only" not in screen.query_params


def test_a_view_of_one_s_own(visit, three, opened):
    screen = visit("inbox", words="joke", severity="")
    screen.text_input(key="view_name").set_value("Jokes, **all**").run()
    press(screen, "Keep")
    assert listed(press(screen, "To decide")) == three
    button = next(button for button in screen.button if "Jokes" in button.label)
    assert button.label == "` Jokes, **all** `"
    assert listed(button.click().run()) == [three[1]]
    assert listed(visit("inbox", words="joke")) == [three[1]]
    screen.selectbox(key="view_gone").set_value("Jokes, **all**").run()
    press(screen, "Forget")
    assert not [button for button in screen.button if "Jokes" in button.label]


def test_a_view_of_what_is_no_more_shows_what_is_left(visit, three, opened):
    old = {"product": ["Gone"], "state": "as_it_was_called", "colour": "red", "severity": ["high", "worse"]}
    kept_views.save(opened.store, ME, "Old", old)
    screen = press(visit("inbox", state="Any state"), "` Old `")
    assert screen.multiselect(key="severity").value == ["high"]
    assert screen.multiselect(key="product").value == []
    assert screen.selectbox(key="state").value == "to_decide"


def test_a_row_that_is_pressed_as_the_list_changes_is_still_the_one_that_was_seen(visit, three, receive):
    screen = visit("inbox")
    later = receive("a riddle")
    screen.menu_button[0].click(three[1]).run()
    assert screen.header[0].value == f"` {three[1]} `"
    assert later not in three


def test_a_menu_that_is_open_stays_while_its_rows_are_the_same(visit, three, receive, opened):
    menu = visit("inbox").menu_button[0].proto.id
    claims.assign(opened.store, ME, three[0], ME)
    assert visit("inbox").menu_button[0].proto.id == menu
    receive("a riddle")
    assert visit("inbox").menu_button[0].proto.id != menu


def test_whose_task_and_who_is_at_work(visit, three, opened):
    claims.assign(opened.store, ME, three[0], ME)
    claims.assign(opened.store, ME, three[1], INES)
    claims.claim(opened.store, INES, three[0])
    shown = visit("inbox").dataframe[0].value
    assert list(shown["task"]) == ["Me", "ines", ""]
    assert list(shown["claim"]) == ["ines", "", ""]


def form(name: str, report_ids: Sequence[str]) -> str:
    """The key of an input of the dialog."""
    return f"{name}-{drafts.of_many(report_ids)}-0"


def test_all_that_the_list_showed_is_decided_on_nothing_else_and_taken_back(
    visit, three, receive, case, opened, rendered
):
    triage.assess(opened.store, opened.policy, INES, three[2], Decision(("EXP-1",)))
    screen = visit("inbox", state="Any state")
    claims.assign(opened.store, INES, three[1], INES)  # after the page was drawn
    later = [receive("a riddle"), receive("a rhyme")]
    screen = press(screen, "Decide on all 3")
    assert "**3 reports**, as the list showed them." in rendered(screen)
    assert "2 more came in since and are not among them." in rendered(screen)
    screen.multiselect(key=form("clauses", three)).select("EXP-1").run()
    press(screen, "Assess: 3 reports")
    assert "**Done on 2 reports.**" in rendered(screen)
    (skipped,) = [table.value for table in screen.dataframe if "why" in table.value]
    assert list(skipped["report"]) == [three[1]]
    assert "changed by demo:ines" in skipped["why"][0]
    assert {case(name)["status"] for name in later} == {"new"}
    press(screen, "Undo all of it: 2 reports")
    assert "**Taken back on 2 reports.**" in rendered(screen)
    assert "Done on" not in rendered(screen)
    with opened.store.read() as cursor:
        closed = db.value(cursor, "SELECT list(report_id) FROM cases WHERE status = 'closed'")
    assert closed == [three[2]]


def test_what_was_taken_back_is_done_again_by_a_press_that_says_so(visit, three, case, rendered):
    screen = press(visit("inbox"), "Decide on all 3")
    screen.multiselect(key=form("clauses", three)).select("EXP-1").run()
    press(press(screen, "Assess: 3 reports"), "Undo all of it: 3 reports")
    assert {case(name)["status"] for name in three} == {"new"}
    press(screen, "Do it again: 3 reports")
    assert "**Done on 3 reports.**" in rendered(screen)
    assert {case(name)["status"] for name in three} == {"closed"}
    press(screen, "Undo all of it: 3 reports")
    press(press(screen, "Close"), "Decide on all 3")
    assert not [button for button in screen.button if "again" in button.label], "another decision begins anew"


def test_what_was_done_is_told_over_an_empty_list(visit, three, rendered):
    screen = press(visit("inbox"), "Decide on all 3")
    screen.multiselect(key=form("clauses", three)).select("EXP-1").run()
    press(screen, "Assess: 3 reports").run()
    assert "Everything is decided" in rendered(screen)
    assert "**Done on 3 reports.**" in rendered(screen)
    press(screen, "Undo all of it: 3 reports")
    assert listed(press(screen, "Close")) == three


def test_what_was_entered_for_many_is_there_again_for_the_same_reports_until_they_are_decided(
    visit, three, rendered
):
    screen = press(visit("inbox"), "Decide on all 3")
    screen.multiselect(key=form("clauses", three)).select("EXP-1").run()
    screen.text_area(key=form("note", three)).input("A joke, as asked.").run()
    screen = press(visit("inbox"), "Decide on all 3")
    assert "Your draft is back" in rendered(screen)
    assert screen.text_area(key=form("note", three)).value == "A joke, as asked."
    press(press(screen, "Assess: 3 reports"), "Undo all of it: 3 reports")
    screen = press(visit("inbox"), "Decide on all 3")
    assert "Your draft is back" not in rendered(screen)
    assert screen.multiselect(key=form("clauses", three)).value == []


def test_many_are_assigned_snoozed_or_closed_as_duplicates(visit, three, case):
    screen = press(visit("inbox"), "Decide on all 3")
    screen.segmented_control(key="many_action").set_value("assign").run()
    screen.selectbox(key="many_person").set_value("demo:reviewer").run()
    press(screen, "Assign: 3 reports")
    assert {case(name)["assigned_to"] for name in three} == {"demo:reviewer"}

    screen = press(visit("inbox"), "Decide on all 3")
    screen.segmented_control(key="many_action").set_value("link").run()
    screen.text_input(key="many_canonical").set_value(three[2]).run()
    press(screen, "Close as duplicates: 3 reports")
    assert [case(name)["canonical_id"] for name in three] == [three[2], three[2], None]

    screen = press(visit("inbox", state="Any state"), "Decide on all 3")
    screen.segmented_control(key="many_action").set_value("snooze").run()
    press(screen, "Snooze: 3 reports")
    assert all(case(name)["snoozed_until"] > NOW for name in three)


def test_many_are_decided_on_with_all_that_one_is(visit, three, opened, case, rendered):
    screen = press(visit("inbox"), "Decide on all 3")
    screen.multiselect(key=form("clauses", three)).select("IN-1").select("OOS-1").run()
    assert "In scope" in rendered(screen)
    assert opened.policy.clause("OOS-1").out_of_scope_example.strip() in [text.value for text in screen.text]
    levels = {
        "harm": "H3",
        "exposure": "other",
        "generality": "universal",
        "reliability": "rare",
        "uplift": "yes",
    }
    for name, level in levels.items():
        screen.get_by_key(form(name, three)).set_value(level)
    screen.run()
    screen.selectbox(key=form("override", three)).set_value("low").run()
    assert "needs a reason" in rendered(screen)
    screen.text_input(key=form("override_reason", three)).set_value("tested").run()
    screen.selectbox(key=form("resolution", three)).set_value("accepted_risk").run()
    press(screen, "Assess: 3 reports")
    assert {(case(name)["resolution"], case(name)["severity"]) for name in three} == {
        ("accepted_risk", "low")
    }


def test_no_more_than_the_most_is_taken_at_once(visit, three, monkeypatch, rendered):
    monkeypatch.setattr(bulk, "MOST", 2)
    screen = visit("inbox")
    assert listed(screen) == three
    assert "**2 reports**, as the list showed them." in rendered(press(screen, "Decide on the first 2"))


def test_who_may_not_decide_sees_no_bulk(visit, three):
    assert not [button for button in visit("inbox", role="ML engineer").button if "Decide" in button.label]


def test_breaching_counts_a_bounty_that_is_late_even_after_the_report_was_closed(visit, receive, opened):
    asked = receive("a joke", wants_reward=True)
    receive("a song", wants_reward=True)
    flaw = Decision(("IN-2",), SeverityInputs("H3", "other", "retargetable", "reliable", "yes"))
    triage.assess(opened.store, opened.policy, EVERYTHING, asked, flaw, now=NOW - timedelta(days=60))
    bounty = {"state": "Any state", "only": "Late or due within 24 h"}
    screen = visit("inbox", **bounty)
    assert views(screen)["Breaching"] == "1"
    assert listed(screen) == [asked]
    assert "late" in screen.dataframe[0].value["due"][0]


def test_the_view_of_second_looks_is_a_way_to_where_nothing_is_seen_of_the_first_decision(
    visit, receive, opened, rendered
):
    report = receive("a joke")
    triage.assess(opened.store, opened.policy, EVERYTHING, report, Decision(("EXP-1",)))
    second_look.ask(opened.store, EVERYTHING, report)
    screen = visit("inbox")
    assert views(screen)["Needs second look"] == "1"
    screen = press(screen, "Needs second look")
    assert screen.title[0].value == "Second look"
    assert report in screen.header[0].value
    assert "Expected behaviour" not in rendered(screen)
    assert "Needs second look" not in views(visit("inbox", role="ML engineer"))
