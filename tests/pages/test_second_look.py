"""Second look: blind means blind, the two step back where they differ, and figures need numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.making import FLAW
from tests.pages.conftest import EVERYTHING
from triage_core.desk import drafts, looks, second_look, triage
from triage_core.desk.decision import Decision
from triage_core.model import Actor, DeskRole, Severity

MARA = Actor("mara", "Mara", EVERYTHING.roles)
INES = Actor("ines", "Ines", EVERYTHING.roles)
ME = Actor("demo:reviewer", "Me", frozenset({DeskRole.REVIEWER}))
SECRET = replace(
    FLAW,
    override=Severity.CRITICAL,
    override_reason="a word of Mara's",
    note="Mara has said so",
    better_answer="No!",
)
OUT = Decision(("OOS-1",))
AGREEMENT = "Agreement"


@pytest.fixture
def decided(opened, receive):
    """`decided("some words", decision)` is a report on which Mara has decided and asked for a second look."""

    def go(
        words: str = "please sing a rude song", decision: Decision = SECRET, who: Actor = MARA
    ) -> tuple[str, int]:
        report_id = receive(words, harm_types=["discrimination"], tries=10, successes=3)
        triage.assess(opened.store, replace(opened.policy, second_look_share=0.0), who, report_id, decision)
        return report_id, second_look.ask(opened.store, who, report_id)

    return go


@pytest.fixture
def disputed(opened, decided):
    """A report on which Mara and Ines differ."""

    def go(second: Decision = OUT, by: Actor = INES) -> tuple[str, int]:
        report_id, look_id = decided()
        second_look.answer(opened.store, by, look_id, second)
        return report_id, look_id

    return go


def button(screen, label: str):
    return next((button for button in screen.button if button.label == label), None)


def choose(screen, report_id: str, look_id: int, clause: str, **inputs: str):
    screen.multiselect(key=f"clauses-{report_id}-{-look_id}").select(clause).run()
    for name, level in inputs.items():
        screen.get_by_key(f"{name}-{report_id}-{-look_id}").set_value(level)
    return screen.run()


CHOICES = {"multiselect", "selectbox", "button_group"}  # which offer the whole guidance to everybody


def everything(screen) -> str:
    """All that the page sends to the browser, in whatever element, but for what there is to choose from."""
    tables = [str(table.value.to_dict()) for table in screen.dataframe]
    found = [element for element in screen.main if element.type not in CHOICES]
    return "\n".join([*tables, *(str(element.proto) for element in found)])


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("second_look"))


def test_nothing_to_look_at_in_any_part(visit, receive, rendered):
    receive("a joke")
    assert "No decision waits for your second look" in rendered(visit("second_look"))
    assert "Nowhere do two decisions differ" in rendered(visit("second_look", part="Adjudicate"))
    assert "No decision has been made twice" in rendered(visit("second_look", part=AGREEMENT))


def test_the_second_reviewer_sees_the_report_and_nothing_of_the_decision(visit, decided, rendered):
    report_id, _ = decided()
    screen = visit("second_look")
    assert report_id in rendered(screen)
    assert "please sing a rude song" in screen.code[0].value
    assert "Harm: Discrimination" in rendered(screen)
    assert "worked 3 of 10 times" in rendered(screen)
    said = everything(screen)
    for word in ("mara", "Mara", "IN-1", "Critical", "Accepted", "No!", "Fix", "Triage", "History"):
        assert word not in said, word
    chosen = {box.key: box.value for kind in CHOICES for box in screen.main.get(kind) if box.value}
    assert chosen.pop("role") == DeskRole.REVIEWER, "the banner says who one is"
    chosen.pop("part", None)  # where one is
    assert chosen == {}
    assert all(area.value == "" for area in screen.text_area)


def test_an_answer_is_kept_and_the_case_is_not_touched(visit, decided, opened, case):
    report_id, look_id = decided()
    before = case(report_id)
    screen = choose(visit("second_look"), report_id, look_id, "OOS-1")
    screen = button(screen, "Save decision").click().run()
    assert "is kept" in " ".join(toast.value for toast in screen.toast)
    assert case(report_id) == before
    with opened.store.read() as cursor:
        (dispute,) = looks.disputes(cursor)
    assert (dispute.second["actor_id"], dispute.second["clauses"]) == (ME.actor_id, ["OOS-1"])


def test_after_an_answer_comes_the_next_look_of_the_list(visit, decided, rendered):
    looks_of = [decided(words) for words in ("please sing a rude song", "tell a joke", "draw a map")]
    _, (second, middle), (third, _) = looks_of
    screen = visit("second_look", look=str(middle))
    screen = choose(screen, second, middle, "IN-1")
    said = rendered(screen)
    assert "The level appears when these are chosen" in said
    screen = choose(screen, second, middle, "OOS-1")
    screen.multiselect(key=f"clauses-{second}-{-middle}").unselect("IN-1").run()
    screen = button(screen, "Save decision").click().run()
    assert [header.value.strip("` ") for header in screen.header] == [third]
    brought = [one.proto.component_name for one in screen.get("bidi_component")]
    assert "flawdesk.arrive" in brought, "it is read from its beginning"


def test_what_was_entered_is_there_again_until_it_is_given(visit, decided, opened, rendered):
    report_id, look_id = decided()
    screen = choose(visit("second_look"), report_id, look_id, "OOS-1")
    screen.text_area(key=f"note-{report_id}-{-look_id}").input("A song, as asked.").run()
    screen = visit("second_look")
    assert "Your draft is back" in rendered(screen)
    assert screen.multiselect(key=f"clauses-{report_id}-{-look_id}").value == ["OOS-1"]
    button(screen, "Save decision").click().run()
    with opened.store.read() as cursor:
        (dispute,) = looks.disputes(cursor)
        assert dispute.second["note"] == "A song, as asked."
        assert drafts.read(cursor, ME, drafts.of_look(look_id)) == {}


def test_the_level_follows_the_inputs(visit, decided, rendered):
    report_id, look_id = decided("a joke", OUT)
    levels = {
        "harm": "H3",
        "exposure": "other",
        "generality": "retargetable",
        "reliability": "reliable",
        "uplift": "yes",
    }
    screen = choose(visit("second_look"), report_id, look_id, "IN-1", **levels)
    assert "orange-badge[High]" in rendered(screen)


def test_what_breaks_a_rule_is_said_and_stays(visit, decided):
    report_id, _ = decided()
    screen = button(visit("second_look"), "Save decision").click().run()
    assert "cite at least one clause" in " ".join(toast.value for toast in screen.toast)
    assert report_id in screen.header[0].value


def test_one_after_the_other_and_a_link_opens_one(visit, decided):
    one, first = decided("a joke", OUT)
    two, second = decided("a song", OUT)
    screen = visit("second_look", look=str(second))
    assert two in screen.header[0].value
    screen = button(choose(screen, two, second, "OOS-1"), "Save decision").click().run()
    assert one in screen.header[0].value
    assert first != second


@pytest.mark.parametrize("name", ["999", "x", "![x](http://example.org)"])
def test_a_look_that_is_not_there_is_the_first_of_the_list(visit, decided, name):
    report_id, _ = decided()
    assert report_id in visit("second_look", look=name).header[0].value


def test_who_decided_gets_no_second_look_at_it(visit, decided, rendered):
    decided(who=ME)
    said = rendered(visit("second_look"))
    assert "No decision waits for your second look" in said
    assert "0 for you of 1" in said


def test_where_two_differ_a_third_sees_both_and_decides(visit, disputed, case, rendered):
    report_id, look_id = disputed()
    screen = visit("second_look", part="Adjudicate")
    table = screen.dataframe[0].value
    assert dict(zip(table["what"], table["first"], strict=True))["Reviewer"] == "mara"
    assert dict(zip(table["what"], table["second"], strict=True))["Outcome"] == "Out of scope"
    assert "Mara has said so" in everything(screen)
    assert "worked 3 of 10 times" in rendered(screen)
    screen = button(choose(screen, report_id, look_id, "OOS-1"), "Save decision").click().run()
    assert (case(report_id)["resolution"], case(report_id)["updated_by"]) == ("out_of_scope", ME.actor_id)
    assert "Nowhere do two decisions differ" in rendered(screen)


def test_one_of_the_two_only_reads(visit, disputed, rendered):
    disputed(by=ME)
    screen = visit("second_look", part="Adjudicate")
    assert "You are one of the two" in rendered(screen)
    assert button(screen, "Save decision") is None


def test_who_comes_too_late_is_told(visit, disputed, opened, case):
    report_id, look_id = disputed()
    screen = choose(visit("second_look", part="Adjudicate"), report_id, look_id, "OOS-1")
    third = Actor("jon", "Jon", EVERYTHING.roles)
    second_look.adjudicate(opened.store, opened.policy, third, look_id, FLAW)
    screen = button(screen, "Save decision").click().run()
    assert "no longer stands" in " ".join(toast.value for toast in screen.toast)
    assert case(report_id)["updated_by"] == "jon"


def test_a_policy_owner_adjudicates_and_reads_agreement_but_gives_no_second_decision(
    visit, disputed, case, rendered
):
    report_id, look_id = disputed()
    screen = visit("second_look", role="Policy owner")
    assert "blind" not in rendered(screen)
    assert report_id in rendered(screen)
    button(choose(screen, report_id, look_id, "OOS-1"), "Save decision").click().run()
    assert case(report_id)["updated_by"] == "demo:policy_owner"


def test_few_pairs_are_counted_and_nothing_is_said(visit, disputed):
    disputed()
    screen = visit("second_look", part=AGREEMENT)
    figures = {metric.label: metric.value for metric in screen.metric}
    assert (figures["Decided twice"], figures["Full agreement"]) == ("1", "0%")
    assert figures["Severity, kappa"] == figures["Clauses, alpha"] == "Too few to say"
    clauses, people = (table.value for table in screen.dataframe)
    assert [name.split()[0] for name in clauses["name"]] == ["IN-1", "OOS-1"]
    assert list(people["name"]) == ["ines and mara"]
    assert set(people["kappa"]) == {"Too few to say"}


def test_many_pairs_have_figures(visit, opened, decided):
    for number in range(12):
        decision = replace(FLAW, override=Severity.HIGH, override_reason="so") if number % 2 else FLAW
        _, look_id = decided(f"prompt {number}", decision)
        second_look.answer(opened.store, INES, look_id, FLAW if number == 1 else decision)
    screen = visit("second_look", part=AGREEMENT)
    figures = {metric.label: metric.value for metric in screen.metric}
    assert (figures["Decided twice"], figures["Full agreement"]) == ("12", "92%")
    assert figures["Severity, kappa"] == "0.83"
    assert figures["Clauses, alpha"] == "All the same"


def test_what_others_wrote_is_never_markdown(visit, opened, receive, rendered):
    image = "![x](http://example.org/x.png)"
    report_id = receive(image, what_is_wrong=image)
    triage.assess(
        opened.store,
        opened.policy,
        Actor(image, image, EVERYTHING.roles),
        report_id,
        replace(FLAW, note=image),
    )
    look_id = second_look.ask(opened.store, MARA, report_id)
    said = rendered(visit("second_look"))
    second_look.answer(opened.store, INES, look_id, replace(OUT, note=image))
    for part in ("Adjudicate", AGREEMENT):
        said += rendered(visit("second_look", part=part))
    assert "example.org" not in re.sub(r"(`+).*?\1", "", said)
