"""Disclosure: what ends when, whose answer is waited for, and each act of the disclosure lead from its button."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from tests.pages.conftest import EVERYTHING, NOW, column, press
from triage_core import db
from triage_core.channel import intake
from triage_core.desk import activity, triage
from triage_core.desk.decision import Decision
from triage_core.disclosure import disclosure, embargoes
from triage_core.disclosure.disclosure import ByKey
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.model import Exploitation
from ui.words import ROLE

LEAD = ROLE["disclosure_lead"]
DAY = timedelta(days=1)


@pytest.fixture
def held(receive, opened):
    """`held("words", days=20)` stores a report under an embargo; its tracking key is its id."""

    def go(words: str = "a joke", days: float = 20, **fields) -> str:
        report = receive(words, hours_ago=24, embargo_wish=(NOW + days * DAY).isoformat(), **fields)
        with opened.store.write(EVERYTHING, "test") as work:
            key = {"key_sha256": intake.tracking_hash(report), "report_id": report, "created_at": NOW}
            db.insert(work.cursor, "tracking_keys", [key])
        disclosure.reject(opened.store, EVERYTHING, report) if days < 44 else None
        return report

    return go


@pytest.fixture
def stands(opened):
    def read(report_id: str) -> dict:
        with opened.store.read() as cursor:
            return embargoes.row(cursor, report_id)

    return read


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("disclosure", role=LEAD))


def test_no_embargo(visit, receive, rendered):
    receive("a joke")
    assert "No embargo is in force" in rendered(visit("disclosure", role=LEAD))
    assert "No embargo has ended yet" in rendered(visit("disclosure", role=LEAD, show="Over"))


def test_what_ends_soonest_is_first_with_its_hour_and_zone(visit, held):
    late, soon = held("one", days=30), held("two", days=5)
    screen = visit("disclosure", role=LEAD)
    assert column(screen, "report") == [soon, late]
    assert column(screen, "ends")[0] == "09 Nov 2026 12:00 UTC"
    assert column(screen, "left")[0] == "5 d"
    assert screen.get("plotly_chart")
    assert [metric.value for metric in screen.metric] == ["2", "0", "0", "0"]
    screen.menu_button[0].click(late).run()
    assert screen.query_params["embargo"] == late


def test_bars_of_the_calendar_are_alike_however_few_have_their_colour(visit, held, opened):
    held("one", days=30)
    held("two", days=20)
    proposed = held("three", days=5)
    end = opened.store.clock() + timedelta(days=9)
    disclosure.propose(opened.store, opened.policy, EVERYTHING, proposed, end)
    spec = json.loads(visit("disclosure", role=LEAD).get("plotly_chart")[0].proto.spec)
    assert [(len(bars["y"]), bars["width"]) for bars in spec["data"]] == [(2, 0.8), (1, 0.8)]


def test_why_it_ended_is_a_column_only_where_one_has_ended(visit, held, opened):
    def hidden(show: str) -> bool:
        columns = json.loads(visit("disclosure", role=LEAD, show=show).dataframe[-1].proto.columns)
        return columns["because"].get("hidden", False)

    report = held()
    held("another joke")
    disclosure.terminate(opened.store, EVERYTHING, report, ExitReason.FIXED)
    assert hidden("Running")
    assert not hidden("Over")


def test_a_proposal_of_the_reporter_is_accepted(visit, held, opened, stands):
    report = held()
    disclosure.propose(opened.store, opened.policy, ByKey(report), report, NOW + 60 * DAY)
    screen = visit("disclosure", role=LEAD, show="Waiting for our answer", embargo=report)
    assert column(screen, "by") == ["The reporter"]
    press(screen, "Accept")
    assert stands(report)["ends_at"] == NOW + 60 * DAY


def test_a_proposal_is_refused_and_ours_taken_back(visit, held, opened, stands):
    report = held()
    for who, label in ((ByKey(report), "Refuse"), (EVERYTHING, "Take ours back")):
        disclosure.propose(opened.store, opened.policy, who, report, NOW + 60 * DAY)
        press(visit("disclosure", role=LEAD, embargo=report), label)
        assert (stands(report)["state"], stands(report)["proposed_end"]) == ("active", None)


def test_another_end_is_proposed_from_the_form(visit, held, stands):
    report = held()
    screen = visit("disclosure", role=LEAD, embargo=report)
    screen.date_input[0].set_value((NOW + 90 * DAY).date())
    press(screen, "Propose this end")
    assert (stands(report)["proposed_by"], stands(report)["proposed_end"]) == ("company", NOW + 90 * DAY)
    assert stands(report)["ends_at"] == NOW + 20 * DAY


def test_an_end_beyond_the_cap_is_refused_in_words(visit, held, stands):
    report = held()
    screen = visit("disclosure", role=LEAD, embargo=report)
    screen.date_input[0].set_value((NOW + 400 * DAY).date())
    screen = press(screen, "Propose this end")
    assert "180 days in all" in screen.toast[0].value
    assert stands(report)["proposed_end"] is None


def test_it_is_ended_with_a_reason(visit, held, stands):
    report = held()
    screen = visit("disclosure", role=LEAD, embargo=report)
    next(box for box in screen.selectbox if box.label == "End it now, because").set_value("fixed")
    press(screen, "End the embargo")
    assert stands(report)["exit_reason"] == "fixed"
    screen = visit("disclosure", role=LEAD, show="Over")
    assert column(screen, "because") == ["The fix is deployed"]


def test_a_public_flaw_is_marked_and_its_embargo_is_over(visit, held, stands, case):
    report = held()
    press(visit("disclosure", role=LEAD, embargo=report), "It is public")
    assert (stands(report)["exit_reason"], case(report)["exploitation"]) == ("public", "public_poc")


def test_an_attacked_flaw_should_end(visit, held, case, rendered):
    report = held()
    press(visit("disclosure", role=LEAD, embargo=report), "It is attacked")
    screen = visit("disclosure", role=LEAD, show="Should end", embargo=report)
    assert column(screen, "report") == [report]
    assert "Attacks are seen: it should end" in rendered(screen)


def test_the_lead_reads_what_the_reporter_of_no_flaw_is_told(visit, held, opened, rendered):
    report, copy = held(), held("the joke again")
    told = "do not ask them to wait"
    triage.link(opened.store, EVERYTHING, copy, report)
    assert told not in rendered(visit("disclosure", role=LEAD, embargo=copy))
    triage.assess(opened.store, opened.policy, EVERYTHING, report, Decision(("OOS-1",), note="A sum."))
    for name in (report, copy):
        assert told in rendered(visit("disclosure", role=LEAD, embargo=name))


def test_a_label_is_suggested_and_lowered_by_hand(visit, held, opened, case, rendered):
    report = held()
    disclosure.mark(opened.store, opened.policy, EVERYTHING, report, Exploitation.PUBLIC_POC)
    screen = visit("disclosure", role=LEAD, embargo=report)
    assert "Suggested now: TLP:CLEAR" in rendered(screen)
    assert case(report)["tlp"] == "AMBER+STRICT"
    next(text for text in screen.text_input if text.label == "Reason").set_value("published by its reporter")
    press(screen, "Set the label")
    assert case(report)["tlp"] == "CLEAR"


def test_duplicates_show_the_earliest_date(visit, held, opened, rendered):
    first, second = held("one", days=30), held("two", days=5)
    triage.link(opened.store, EVERYTHING, second, first)
    screen = visit("disclosure", role=LEAD, embargo=first)
    assert set(column(screen, "ends")) == {"09 Nov 2026 12:00 UTC"}
    assert "earliest date of the linked duplicates" in rendered(screen)


def test_what_a_linked_duplicate_ended_is_over(visit, held, opened, stands, rendered):
    first, second = held("one", days=30), held("two", days=5)
    triage.link(opened.store, EVERYTHING, second, first)
    disclosure.terminate(opened.store, EVERYTHING, second, ExitReason.FIXED)
    assert stands(first)["state"] == "active"
    screen = visit("disclosure", role=LEAD, show="Over", embargo=first)
    assert column(screen, "state") == ["Over", "Over"]
    assert sorted(column(screen, "because")) == ["Its end was reached", "The fix is deployed"]
    said = rendered(screen)
    assert "Over since **04 Nov 2026 12:00 UTC**: Its end was reached. It is the earliest date of the" in said
    assert "Propose this end" not in said


def test_no_end_of_a_duplicate_stands_at_a_mere_proposal(visit, receive, held, opened, rendered):
    passed = (NOW - 2 * DAY).isoformat()
    first, second = receive("one", hours_ago=24, embargo_wish=passed), held("two", days=20)
    triage.link(opened.store, EVERYTHING, second, first)
    screen = visit("disclosure", role=LEAD, embargo=first)
    assert "No embargo is in force." in rendered(screen)
    assert dict(zip(column(screen, "report"), column(screen, "ends"), strict=True))[first] == ""


def test_a_mark_keeps_where_it_was_seen(visit, held, opened):
    report = held()
    screen = visit("disclosure", role=LEAD, embargo=report)
    next(box for box in screen.text_input if box.label == "Where it was seen").set_value("on a forum")
    press(screen, "It is public")
    with opened.store.read() as cursor:
        (mark,) = [one for one in activity.history(cursor, report) if one.kind == "report.marked"]
    assert mark.data["note"] == "on a forum"


def test_no_embargo_is_proposed_for_a_flaw_that_is_public(visit, receive, opened, rendered):
    report = receive("a joke")
    disclosure.mark(opened.store, opened.policy, EVERYTHING, report, Exploitation.PUBLIC_POC)
    said = rendered(visit("disclosure", role=LEAD, embargo=report))
    assert "No new embargo: the flaw, or a duplicate of it, is public" in said
    assert "Propose this end" not in said


def test_no_label_is_offered_that_would_be_refused(visit, held):
    screen = visit("disclosure", role=LEAD, embargo=held())
    labels = next(box for box in screen.selectbox if box.label == "Another label")
    assert labels.options == ["TLP:RED, named people only"]


def test_who_comes_too_late_is_told(visit, held, opened, stands):
    report = held()
    disclosure.propose(opened.store, opened.policy, ByKey(report), report, NOW + 60 * DAY)
    screen = visit("disclosure", role=LEAD, embargo=report)
    disclosure.propose(opened.store, opened.policy, ByKey(report), report, NOW + 90 * DAY)
    screen = press(screen, "Accept")
    assert "while you looked at it" in screen.toast[0].value
    assert stands(report)["state"] == "revise"


def test_products_are_filtered(visit, held, rendered):
    held("one", system=[{"platform": "Kite"}])
    other = held("two", system=[{"platform": "Lark"}])
    screen = visit("disclosure", role=LEAD, platform="Lark")
    assert column(screen, "report") == [other]
    assert [metric.value for metric in screen.metric] == ["1", "0", "0", "0"]
    assert "Attacks are seen" in screen.metric[3].help
    said = rendered(visit("disclosure", role=LEAD, platform="Lark", show="Should end"))
    assert "No embargo of the chosen products is among these." in said


def test_reviewers_read_and_cannot_act(visit, held, rendered):
    screen = visit("disclosure", role=ROLE["reviewer"], embargo=held())
    assert "the disclosure lead acts on it" in rendered(screen)
    assert not [button for button in screen.button if button.label in {"Accept", "It is public"}]


def test_only_one_page_is_sent(visit, held):
    for number in range(27):
        held(f"prompt {number}", days=1 + number)
    assert len(column(visit("disclosure", role=LEAD), "report")) == 25
    assert len(column(visit("disclosure", role=LEAD, embargoes="2"), "report")) == 2


@pytest.mark.parametrize("name", ["FR-99", "![x](http://example.org)"])
def test_a_report_that_is_not_there(visit, held, rendered, name):
    held()
    said = rendered(visit("disclosure", role=LEAD, embargo=name))
    assert "There is no report" in said
    assert "example.org" not in re.sub(r"(`+).*?\1", "", said)


def test_what_reporters_wrote_is_never_markdown(visit, held, rendered):
    image = "![x](http://example.org/x.png)"
    report = held(image, what_is_wrong=image, system=[{"platform": image}])
    said = rendered(visit("disclosure", role=LEAD, embargo=report))
    assert "example.org" not in re.sub(r"(`+).*?\1", "", said)
