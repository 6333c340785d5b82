"""Activity: who did what, in words, and every decision undone after a look at what that changes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.making import FLAW, MEDIUM
from tests.pages.conftest import EVERYTHING, column, press
from triage_core.channel import reporter
from triage_core.clusters import cluster_work
from triage_core.desk import bulk, second_look, triage
from triage_core.desk.decision import Decision
from triage_core.errors import Conflict
from triage_core.likeness.axes import Axis
from triage_core.model import Actor, Harm, Severity, Uplift

INES = Actor("ines", "Ines", EVERYTHING.roles)


def numbers(screen) -> list[int]:
    return [int(number) for number in column(screen, "number")]


@pytest.fixture
def decide(opened):
    """`decide("FR-1", who)` closes a report and gives the number of the event."""

    def go(report_id: str, who: Actor = EVERYTHING, clause: str = "OOS-1") -> int:
        triage.assess(opened.store, opened.policy, who, report_id, Decision((clause,)))
        return opened.store.revision

    return go


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("activity"))


def test_no_decision_yet(visit, receive, rendered):
    receive("a joke")
    screen = visit("activity")
    assert "No event fits these filters" in rendered(screen)
    assert "Received" in column(press(screen, "Show everything"), "what")


def test_old_and_new_values_in_words(visit, receive, decide):
    decide(receive("a joke"))
    screen = visit("activity")
    (changes,) = column(screen, "changes")
    assert changes.startswith("State: New → Closed; Resolution: Out of scope")
    assert "Closed: 04 Nov 2026 12:00 UTC" in changes
    assert (column(screen, "what"), column(screen, "who")) == (["Assessed"], ["test"])


def test_what_an_assessment_says_otherwise_is_told_when_the_level_stays(visit, receive, opened, rendered):
    report, image = receive("a joke"), "![x](http://example.org/x.png)"
    triage.assess(opened.store, opened.policy, EVERYTHING, report, FLAW)
    again = replace(
        FLAW, clauses=("IN-2", "IN-1"), note=image, inputs=replace(MEDIUM, harm=Harm.H2, uplift=Uplift.NO)
    )
    triage.assess(opened.store, opened.policy, INES, report, again)
    told = {
        "Clauses": ("IN-1", "IN-2, IN-1"),
        "Harm": ("Significant", "Moderate"),
        "Uplift": ("Real uplift", "Freely found elsewhere"),
        "Note": ("nothing", image),
    }
    screen = visit("activity", event=str(opened.store.revision))
    card = screen.dataframe[0].value
    shown = {field: (then, now) for field, now, then in card.itertuples(index=False)}
    assert {name: shown.get(name) for name in told} == told
    assert "Assessment" not in shown
    lines = [f"{name}: {old} → {new}" for name, (old, new) in told.items() if name != "Note"]
    assert "; ".join([*lines, f"Note: {image}"]) in column(screen, "changes")[0]
    screen = press(screen, "Undo it")
    assert "Clauses: IN-2, IN-1 → IN-1" in column(screen, "changes")[0]
    assert "example.org" not in re.sub(r"(`+).*?\1", "", rendered(screen))


def test_a_second_look_in_words(visit, receive, opened):
    report = receive("a joke")
    severe = replace(FLAW, override=Severity.CRITICAL, override_reason="seen in use")
    triage.assess(opened.store, opened.policy, INES, report, severe)
    second_look.answer(opened.store, EVERYTHING, 1, FLAW)
    screen = visit("activity")
    assert column(screen, "what") == ["Decided again, blind", "Assessed"]
    answered, assessed = column(screen, "changes")
    assert answered.startswith("Clauses: IN-1; Harm: Significant")
    assert "Severity: Medium; Agreement of the two: 0.8" in answered
    assert assessed.endswith("second look 1 drawn as every critical one")


def test_filters_come_from_the_address(visit, receive, decide):
    one, two = receive("a joke"), receive("a song")
    first, second = decide(one), decide(two, INES)
    assert numbers(visit("activity")) == [second, first]
    assert numbers(visit("activity", report=one)) == [first]
    assert numbers(visit("activity", who="ines")) == [second]
    assert set(column(visit("activity", what="Received"), "report")) == {one, two}
    assert len(numbers(visit("activity", what="Everything"))) > 4
    assert numbers(visit("activity", since="A day")) == [second, first]


def test_only_one_page_is_sent(visit, receive, decide):
    made = [decide(receive(f"prompt {number}")) for number in range(27)][::-1]
    assert numbers(visit("activity")) == made[:25]
    assert numbers(visit("activity", events="2")) == made[25:]


def test_undo_asks_first_and_then_undoes(visit, receive, decide, case, rendered):
    report = receive("a joke")
    before = case(report)
    seq = decide(report)
    screen = visit("activity", event=str(seq))
    assert f"Undo event {seq}?" in rendered(screen)
    card = screen.dataframe[0].value
    assert dict(zip(card["field"], card["then"], strict=True))["State"] == "New"
    assert case(report)["status"] == "closed"
    screen = press(screen, "Undo it")
    assert case(report)["status"] == before["status"]
    assert column(screen, "what") == [f"Undone: event {seq}", f"Assessed (undone by {seq + 1})"]
    assert "Undo event" not in rendered(screen)


def test_a_decision_for_many_is_undone_as_one_at_any_age(visit, receive, decide, opened, case, rendered):
    seen = dict.fromkeys([receive("a joke"), receive("a song"), receive("a poem")], 1)
    done = bulk.assess(opened.store, opened.policy, EVERYTHING, seen, Decision(("EXP-1",)))
    two = list(seen)[1]
    decide(two, INES)
    screen = press(visit("activity", event=str(done.batch)), "Undo the whole decision: 3 reports")
    assert [case(name)["status"] for name in seen] == ["new", "closed", "new"]
    assert "1 report skipped" in rendered(screen)
    assert "Undo event" not in rendered(screen)


def test_only_what_can_be_undone_has_a_button(visit, receive, decide):
    seq = decide(receive("a joke"))
    screen = press(visit("activity", event=str(seq)), "Undo it")
    assert [list(cell) for cell in column(screen, "undo")] == [["Undo"], []]
    screen = visit("activity", what="Received")
    assert [list(cell) for cell in column(screen, "undo")] == [[]]


def test_cancel_changes_nothing(visit, receive, decide, case, rendered):
    report = receive("a joke")
    screen = press(visit("activity", event=str(decide(report))), "Cancel")
    assert "Undo event" not in rendered(screen)
    assert case(report)["status"] == "closed"


def test_what_stands_in_the_way_is_said_beforehand(visit, receive, decide, rendered):
    report = receive("a joke")
    first = decide(report)
    second = decide(report, INES, "EXP-1")
    screen = visit("activity", event=str(first))
    assert f"event {second} (report.assessed {report}) of ines stands in the way" in rendered(screen)
    assert next(button for button in screen.button if button.label == "Undo it").disabled


def test_who_comes_too_late_is_told_who_was_first(visit, receive, decide, opened, case, rendered):
    report = receive("a joke")
    screen = visit("activity", event=str(decide(report)))
    last = decide(report, INES, "EXP-1")
    screen = press(screen, "Undo it")
    assert f"event {last} (report.assessed {report}) of ines" in " ".join(
        toast.value for toast in screen.toast
    )
    assert case(report)["resolution"] == "expected_behaviour"


def test_a_pair_said_to_differ_is_undone(visit, receive, opened):
    earlier, later = receive("a joke", hours_ago=2), receive("a song")
    triage.keep_apart(opened.store, EVERYTHING, earlier, later)
    screen = visit("activity", event=str(opened.store.revision))
    assert list(screen.dataframe[0].value["then"]) == ["may be duplicates"]
    press(screen, "Undo it")
    triage.link(opened.store, EVERYTHING, later, earlier)
    with pytest.raises(Conflict, match="unlink"):
        triage.keep_apart(opened.store, EVERYTHING, earlier, later)


def test_others_read_only(visit, receive, decide):
    seq = decide(receive("a joke"))
    screen = visit("activity", role="Policy owner", event=str(seq))
    assert next(button for button in screen.button if button.label == "Undo it").disabled
    assert [list(cell) for cell in column(screen, "undo")] == [[]]


@pytest.mark.parametrize("name", ["999", "0", "-1", "9" * 30, "![x](http://example.org)", "²"])
def test_an_event_that_is_not_there(visit, receive, decide, rendered, name):
    decide(receive("a joke"))
    said = rendered(visit("activity", event=name))
    assert "There is no event" in said
    assert "example.org" not in re.sub(r"(`+).*?\1", "", said)


def test_what_others_wrote_is_never_markdown(visit, receive, opened, decide, rendered):
    image = "![x](http://example.org/x.png)"
    seq = decide(receive(image, what_is_wrong=image), Actor(image, image, EVERYTHING.roles))
    said = rendered(visit("activity", event=str(seq)))
    assert "example.org" not in re.sub(r"(`+).*?\1", "", said)


def test_what_was_said_of_a_cluster_is_told_and_undone(visit, receive, index, opened, rendered):
    ids = [receive(f"please sing a rude song about the old clerk of our town {n}") for n in range(4)]
    index()
    seq = opened.store.revision + 1
    cluster_work.split(opened.store, EVERYTHING, Axis.TECHNIQUE, "T-1", ids[1:3])
    assert column(visit("activity"), "changes")[0] == (
        "Same technique: FR-2, FR-3 left the cluster, without 2 others"
    )
    for name in ("T-1", *ids):
        assert seq in numbers(visit("activity", report=name, what="Said of a cluster")), name
    screen = visit("activity", event=str(seq))
    screen.button(key=f"undo-{seq}").click().run()
    assert column(screen, "what")[0] == f"Undone: event {seq}"
    assert column(screen, "changes")[0].endswith("→ nothing")


def test_what_a_withdrawal_moved_is_shown_and_is_the_reporters_own_act(opened, visit, receive, rendered):
    first, second = receive("a joke"), receive("the same joke")
    triage.link(opened.store, EVERYTHING, second, first)
    reporter.withdraw(opened.store, first)
    handed = opened.store.revision - 2  # the end of the sharing, then the withdrawal itself
    screen = visit("activity", event=str(handed))
    assert numbers(screen) == [handed, handed - 1]
    assert [list(buttons) for buttons in column(screen, "undo")] == [[], ["Undo"]]
    assert "it is the reporter's own act" in rendered(screen)
    assert next(button for button in screen.button if button.label == "Undo it").disabled


def test_an_earlier_end_is_said_to_go_with_its_decision_while_it_does(visit, receive, opened, rendered):
    report = receive("a joke", disclosure_intent="yes")
    severe = replace(FLAW, override=Severity.CRITICAL, override_reason="seen in use")
    triage.assess(opened.store, opened.policy, EVERYTHING, report, severe)
    decided, said = opened.store.revision, "of the waiting period is taken back with it"
    assert said in rendered(visit("activity", event=str(decided)))
    triage.assess(opened.store, opened.policy, EVERYTHING, report, severe)
    stands = rendered(visit("activity", event=str(decided)))
    assert "Not possible" in stands
    assert said not in stands, "nothing is taken back"
    press(visit("activity", event=str(opened.store.revision)), "Undo it")
    assert said in rendered(visit("activity", event=str(decided)))
    press(visit("activity", event=str(decided - 1)), "Undo it")
    assert said not in rendered(visit("activity", event=str(decided)))
