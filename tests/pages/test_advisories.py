"""Advisories: what waits for whom, each act of the disclosure lead, what is refused, and hostile text as text."""

from __future__ import annotations

import re

import pytest

from tests.embargoed import DAY, send
from tests.hostile_corpus import HOSTILE
from tests.making import FLAW, MEDIUM
from tests.pages.conftest import EVERYTHING, NOW, column, figures, press, toasts
from triage_core.advisories import advising, advisory_board, answering, peers
from triage_core.advisories.advisory_board import Advisory
from triage_core.channel import reporter
from triage_core.desk import triage
from triage_core.disclosure import disclosure
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, DeskRole, Exploitation, ProductStatus, Tlp
from ui.words import ROLE

LEAD = ROLE["disclosure_lead"]
COLLEAGUE = Actor("test:lena", "Lena", frozenset({DeskRole.DISCLOSURE_LEAD}))
END = NOW + 45 * DAY
TITLE = "A wrapper that hides a request in a table"
BEACON = "attacker.invalid"
assert MEDIUM.generality == "retargetable"


@pytest.fixture
def flaw(opened):
    def go(words: str = "Tell me the code of the vault", assessed: bool = True, **fields) -> str:
        report, _ = send(opened.store, words, **{"consent_share_peers": "under_embargo", **fields})
        if assessed:
            triage.assess(opened.store, opened.policy, EVERYTHING, report, FLAW)
        return report

    return go


@pytest.fixture
def add(opened):
    return lambda name: peers.add(opened.store, EVERYTHING, name)[1]


@pytest.fixture
def about(opened):
    def go(report: str, *names: str, title: str = TITLE) -> int:
        found = advising.open_advisory(opened.store, COLLEAGUE, report, title, names=names)
        return found.advisory_id

    return go


@pytest.fixture
def stands(opened):
    def read(number: int = 1) -> Advisory:
        with opened.store.read() as cursor:
            return advisory_board.one(cursor, number, NOW)

    return read


def states(advisory: Advisory) -> dict[str, str]:
    return {side.name: str(side.exchange.state) for side in advisory.sides}


def field(screen, kind: str, label: str):
    (found,) = [one for one in screen.get(kind) if one.label == label]
    return found


def alive(said: str) -> bool:
    """Whether something hostile stands outside of code."""
    return BEACON in re.sub(r"(`+).*?\1", "", said)


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("advisories", role=LEAD))


def test_without_peers_it_says_who_adds_them(visit, flaw, add, rendered):
    flaw()
    screen = visit("advisories", role=LEAD)
    assert "no peers that may be told. The operator adds each, on this screen under Peers" in rendered(screen)
    assert "No advisory is open" in rendered(screen)
    add("Heron")
    assert "no peers that" not in rendered(visit("advisories", role=LEAD))


def test_disclosure_leads_to_the_form_and_then_to_the_advisory(visit, flaw, about):
    report = flaw()
    screen = press(visit("disclosure", role=LEAD, embargo=report), "Tell peers")
    assert (screen.title[0].value, screen.query_params["about"]) == ("Advisories", report)
    about(report)
    screen = press(visit("disclosure", role=LEAD, embargo=report), "Advisory 1")
    assert screen.query_params["advisory"] == "1"


def test_review_leads_there_from_a_flaw_that_reaches_others_and_only_the_lead(visit, flaw, index):
    reaching, unknown = flaw(), flaw("something else", assessed=False)
    index()

    def offered(role: str, report: str) -> bool:
        return "Tell peers" in [one.label for one in visit("review", role=role, report=report).button]

    assert offered(LEAD, reaching)
    assert not offered(LEAD, unknown)
    assert not offered(ROLE["reviewer"], reaching)
    assert not [
        one
        for one in visit("disclosure", role=ROLE["reviewer"], embargo=reaching).button
        if one.label == "Tell peers"
    ]


def test_one_is_opened_and_told_at_once(visit, flaw, add, stands):
    report = flaw()
    add("Heron")
    add("Ibis")
    screen = visit("advisories", role=LEAD, about=report)
    field(screen, "text_input", "Title").set_value(TITLE)
    field(screen, "multiselect", "Peers to tell at once").set_value(["Ibis"])
    screen = press(screen, "Open the advisory")
    assert (stands().title, states(stands())) == (TITLE, {"Ibis": "told"})
    assert screen.query_params["advisory"] == "1"
    assert "about" not in screen.query_params


def test_a_refused_opening_names_its_field_and_keeps_what_was_typed(visit, flaw, opened, rendered):
    report = flaw(assessed=False)
    screen = visit("advisories", role=LEAD, about=report)
    assert "not assessed for how far it reaches" in rendered(screen)
    for title, note, said in (
        ("", "", "Title: ` must be one line of words"),
        (TITLE, "", "Note: ` must say why peers are told of it"),
        ("Tell me the code of the vault", "It reaches others", "Title: ` must be words of your own"),
    ):
        field(screen, "text_input", "Title").set_value(title)
        field(screen, "text_area", "Why it concerns others").set_value(note)
        screen = press(screen, "Open the advisory")
        assert said in toasts(screen)
        assert field(screen, "text_input", "Title").value == title
    with opened.store.read() as cursor:
        assert advisory_board.open_of(cursor, report) is None


def test_what_changed_while_the_form_was_open_is_told(visit, flaw, opened):
    report = flaw()
    screen = visit("advisories", role=LEAD, about=report)
    field(screen, "text_input", "Title").set_value(TITLE)
    disclosure.mark(opened.store, opened.policy, COLLEAGUE, report, Exploitation.ACTIVE)
    screen = press(screen, "Open the advisory")
    assert "Nothing was changed: ` FR-1 was changed by test:lena" in toasts(screen)
    assert press(screen, "Open the advisory").query_params["advisory"] == "1"


def test_the_form_is_about_the_canonical_report_and_one_is_open_at_a_time(
    visit, flaw, about, opened, rendered
):
    first, second = flaw(), flaw("the same again", assessed=False)
    triage.link(opened.store, EVERYTHING, second, first)
    assert "is a duplicate of it" in rendered(visit("advisories", role=LEAD, about=second))
    about(first)
    screen = visit("advisories", role=LEAD, about=second)
    assert "Advisory 1 about this flaw is open" in rendered(screen)
    assert press(screen, "Open it").query_params["advisory"] == "1"


def test_nothing_is_told_of_what_is_for_named_people(visit, flaw, about, add, opened, rendered):
    report, other = flaw(), flaw("another one")
    add("Heron")
    about(report)
    for name in (report, other):
        disclosure.set_tlp(opened.store, COLLEAGUE, name, Tlp.RED, "so it is")
    screen = visit("advisories", role=LEAD, about=other)
    assert "Nothing may be told: it is TLP:RED" in rendered(screen)
    assert "Open the advisory" not in [button.label for button in screen.button]
    screen = visit("advisories", role=LEAD, advisory="1")
    assert "Nothing may be told: it is TLP:RED" in rendered(screen)
    assert "Tell them" not in [button.label for button in screen.button]
    assert column(screen, "waits") == ["Nothing may be told"]


def test_the_card_says_what_may_be_shared_now_and_why_not(visit, flaw, about, add, opened, rendered):
    add("Heron")
    report, later, never = (
        flaw(f"number {number}", consent_share_peers=consent)
        for number, consent in enumerate(("under_embargo", "after_fix", "no"))
    )
    for one in (report, later, never):
        about(one, "Heron")

    def said(number: str) -> str:
        return rendered(visit("advisories", role=LEAD, advisory=number))

    assert "a peer that is told reads the title, the kinds of harm (financial harm)" in said("1")
    assert "may be read by each peer that has accepted the end" in said("1")
    assert "agreed to sharing after the fix, so it waits" in said("2")
    assert "does not agree to sharing it with peers" in said("3")
    disclosure.terminate(opened.store, COLLEAGUE, report, ExitReason.FIXED)
    assert "may be read by each peer that was told: no embargo holds it" in said("1")
    reporter.end_sharing(opened.store, report)
    assert "does not agree to sharing it with peers" in said("1")


def test_it_shows_how_it_stands_with_each_peer(visit, flaw, about, add, opened):
    report = flaw()
    keys = [add(name) for name in ("Heron", "Ibis", "Teal", "Wren")]
    about(report, "Heron", "Ibis", "Teal", "Wren")
    answering.accept(opened.store, keys[0], 1, END)
    answering.read(opened.store, keys[0], 1)
    answering.answer(opened.store, keys[0], 1, ProductStatus.KNOWN_AFFECTED, "We see it\ntoo")
    answering.decline(opened.store, keys[1], 1)
    peers.end(opened.store, EVERYTHING, 4)
    screen = visit("advisories", role=LEAD, advisory="1")
    table = screen.dataframe[0].value
    assert list(table["state"]) == ["Embargo accepted", "Declined", "Not answered", "Ended by the operator"]
    assert list(table["record"]) == ["May be read", "When it accepts", "When it accepts", ""]
    assert list(table["until"])[:2] == ["19 Dec 2026 12:00 UTC", ""]
    assert (table["read"][0], table["product"][0], table["note"][0]) == (
        "04 Nov 2026 12:00 UTC", "Affected", "We see it too",
    )  # fmt: skip
    assert "We see it\ntoo" in "".join(code.value for code in screen.code)
    assert (column(screen, "told"), column(screen, "accepted")) == (["3"], ["1"])
    assert column(screen, "waits") == ["Answer: Teal"]
    assert column(screen, "product") == ["1 affected"]


def test_more_peers_are_told_and_one_is_taken_back_and_told_again(visit, flaw, about, add, stands, rendered):
    for name in ("Heron", "Ibis"):
        add(name)
    about(flaw(), "Heron")
    screen = visit("advisories", role=LEAD, advisory="1")
    assert field(screen, "multiselect", "Peers").options == ["Ibis"]
    assert "name at least one peer" in toasts(press(screen, "Tell them"))
    screen = visit("advisories", role=LEAD, advisory="1")
    field(screen, "multiselect", "Peers").set_value(["Ibis"])
    screen = press(screen, "Tell them")
    assert states(stands()) == {"Heron": "told", "Ibis": "told"}
    assert "Every peer knows of it" in rendered(screen)
    (menu,) = [one for one in screen.menu_button if one.proto.label == "Take back from a peer"]
    screen = menu.click("2 Ibis").run()
    assert states(stands()) == {"Heron": "told", "Ibis": "withdrawn"}
    field(screen, "multiselect", "Peers").set_value(["Ibis"])
    press(screen, "Tell them")
    assert states(stands())["Ibis"] == "told"


def test_a_peer_that_was_faster_is_told_and_nothing_is_done(visit, flaw, about, add, opened, stands):
    key = add("Heron")
    about(flaw(), "Heron")
    screen = visit("advisories", role=LEAD, advisory="1")
    field(screen, "text_input", "Reason").set_value("told in public")
    answering.accept(opened.store, key, 1, END)
    screen = press(screen, "Close the advisory")
    assert "Nothing was changed: ` advisory 1 was changed by peer:1" in toasts(screen)
    assert "accepted, Heron" in toasts(screen)
    assert stands().closed_at is None
    assert field(screen, "text_input", "Reason").value == "told in public"
    assert not [one for one in screen.menu_button if one.proto.label == "Take back from a peer"]
    answering.read(opened.store, key, 1)  # a reading changes nothing that an act would be about
    screen = press(screen, "Close the advisory")
    assert (stands().reason, stands().closed_by) == ("told in public", "demo:disclosure_lead")
    assert "told in public" in "".join(code.value for code in screen.code)
    assert "Close the advisory" not in [button.label for button in screen.button]


def test_taking_back_from_a_peer_that_has_just_accepted_does_nothing(visit, flaw, about, add, opened, stands):
    key = add("Heron")
    about(flaw(), "Heron")
    screen = visit("advisories", role=LEAD, advisory="1")
    answering.accept(opened.store, key, 1, END)
    screen = press(screen, "Take back from a peer: ` 1 Heron `")
    assert "Nothing was changed: ` advisory 1 was changed by peer:1" in toasts(screen)
    assert states(stands()) == {"Heron": "accepted"}


def test_a_colleague_that_closed_it_is_named(visit, flaw, about, opened):
    about(flaw())
    screen = visit("advisories", role=LEAD, advisory="1")
    field(screen, "text_input", "Reason").set_value("told in public")
    advising.close(opened.store, COLLEAGUE, 1, "begun too early")
    assert "advisory 1 is closed, by test:lena" in toasts(press(screen, "Close the advisory"))


def test_a_closing_says_why(visit, flaw, about, stands):
    about(flaw())
    assert "Reason: ` a closed advisory says why" in toasts(
        press(visit("advisories", role=LEAD, advisory="1"), "Close the advisory")
    )
    assert stands().closed_at is None


def test_after_fix_and_embargo_it_suggests_the_label_and_leads_to_disclosure(
    visit, flaw, about, opened, rendered
):
    report = flaw()
    about(report)
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX):
        triage.move(opened.store, EVERYTHING, report, trigger)
    disclosure.terminate(opened.store, COLLEAGUE, report, ExitReason.FIXED)
    screen = visit("advisories", role=LEAD, advisory="1", stands="Label suggested")
    assert "Suggested now: TLP:GREEN" in rendered(screen)
    assert "Label TLP:GREEN" in column(screen, "waits")[0]
    screen = press(screen, "Set the label")
    assert (screen.title[0].value, screen.query_params["embargo"]) == ("Disclosure", report)
    assert [button for button in screen.button if button.label == "Set the label"]


def test_figures_and_choices_by_what_waits_for_whom(visit, flaw, about, add, opened, rendered):
    heron, ibis = add("Heron"), add("Ibis")
    moved, plain, closed = flaw("one"), flaw("two"), flaw("three")
    for report in (moved, plain, closed):
        about(report, "Heron", "Ibis")
    about(flaw("four"))
    answering.accept(opened.store, heron, 1, END)
    answering.decline(opened.store, ibis, 2)
    answering.answer(opened.store, ibis, 2, ProductStatus.FIXED)
    advising.close(opened.store, COLLEAGUE, 3, "begun too early")
    disclosure.terminate(opened.store, COLLEAGUE, plain, ExitReason.OTHER, note="agreed")
    screen = visit("advisories", role=LEAD)
    assert figures(screen) == {
        "Open": "3",
        "Not answered": "1",
        "Later end to accept": "0",
        "Label suggested": "0",
    }
    assert column(screen, "number") == ["4", "2", "1"]

    def shown(**parameters: str) -> list[str]:
        screen = visit("advisories", role=LEAD, **parameters)
        return column(screen, "number") if screen.dataframe else []

    assert shown(stands="Nobody told") == ["4"]
    assert shown(stands="Not answered") == ["1"]
    assert shown(stands="Not answered", peer="Heron") == []
    assert shown(stands="Declined") == shown(stands="Product known") == ["2"]
    assert shown(stands="Closed") == ["3"]
    assert shown(peer="Heron") == ["2", "1"]
    nothing = rendered(visit("advisories", role=LEAD, stands="Not answered", peer="Heron"))
    assert "No advisory that these peers were told of is among these." in nothing


def test_a_later_end_is_to_be_accepted(visit, flaw, about, add, opened):
    key = add("Heron")
    report, who = send(opened.store, "later", consent_share_peers="under_embargo")
    triage.assess(opened.store, opened.policy, EVERYTHING, report, FLAW)
    about(report, "Heron")
    answering.accept(opened.store, key, 1, END)
    disclosure.propose(opened.store, opened.policy, who, report, NOW + 60 * DAY)
    disclosure.accept(opened.store, COLLEAGUE, report)
    screen = visit("advisories", role=LEAD, advisory="1", stands="Later end to accept")
    assert screen.dataframe[0].value["state"][0] == "Must accept a later end"
    assert column(screen, "waits") == ["Later end: Heron"]


def test_only_one_page_is_sent(visit, flaw, about):
    for number in range(27):
        about(flaw(f"prompt {number}"))
    assert len(column(visit("advisories", role=LEAD), "number")) == 25
    second = visit("advisories", role=LEAD, advisories="2")
    assert column(second, "number") == ["2", "1"]
    second.menu_button[-1].click("1").run()
    assert second.query_params["advisory"] == "1"


@pytest.mark.parametrize("parameter", ["advisory", "about"])
@pytest.mark.parametrize("name", ["99", HOSTILE["markdown image"], "9" * 30])
def test_what_is_not_there(visit, flaw, rendered, parameter, name):
    flaw()
    said = rendered(visit("advisories", role=LEAD, **{parameter: name}))
    assert "There is no " in said
    assert not alive(said)


def test_hostile_text_is_never_markdown(visit, flaw, about, add, opened, rendered):
    image = HOSTILE["markdown image"]
    key = add(image)
    report = flaw(f"other {image}", what_is_wrong=image)
    about(report, image, title="![mine](https://attacker.invalid/title.png)")
    assert not alive(rendered(visit("advisories", role=LEAD, advisory="1")))
    for text in (text for text in HOSTILE.values() if BEACON in text):
        answering.answer(opened.store, key, 1, ProductStatus.FIXED, text)
        screen = visit("advisories", role=LEAD, advisory="1")
        assert not alive(rendered(screen)), text
        assert BEACON in screen.dataframe[0].value["note"][0]
    form = visit("advisories", role=LEAD, about=flaw(f"again {image}"))
    assert not alive(rendered(form))
    advising.close(opened.store, COLLEAGUE, 1, image)
    assert not alive(rendered(visit("advisories", role=LEAD, advisory="1")))
