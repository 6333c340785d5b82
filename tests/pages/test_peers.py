"""Peers on Advisories: who sees and manages them, a key that is shown once, an end after a question, hostile names."""

from __future__ import annotations

import re

import pytest

from tests.embargoed import DAY, send
from tests.hostile_corpus import BEACON, HOSTILE
from tests.making import FLAW
from tests.pages.conftest import EVERYTHING, NOW, column, off_without_a_reason, press, toasts
from triage_core.advisories import advising, answering, peers
from triage_core.desk import triage
from triage_core.errors import NotFound
from ui.words import ROLE

OPERATOR, LEAD = {"role": ROLE["operator"]}, {"role": ROLE["disclosure_lead"], "advisories-part": "Peers"}


@pytest.fixture
def found(opened):
    """`found(key)` is the name of the peer with a key, None for a key that nobody has."""

    def look(key: str) -> str | None:
        with opened.store.read() as cursor:
            try:
                return peers.of_key(cursor, key).name
            except NotFound:
                return None

    return look


@pytest.fixture
def add(opened):
    return lambda name, email="": peers.add(opened.store, EVERYTHING, name, email)[1]


def typed(screen, name: str, email: str = ""):
    screen.text_input(key="peer_name").set_value(name)
    screen.text_input(key="peer_email").set_value(email)
    return press(screen, "Add the peer")


def test_the_operator_adds_one_and_its_key_is_shown_until_it_is_copied_and_never_again(
    visit, found, rendered
):
    screen = visit("advisories", **OPERATOR)
    assert "There are no peers that may be told. Add each below" in rendered(screen), (
        "and no report is needed"
    )
    assert screen.segmented_control[0].options == ["Peers"]
    screen = typed(screen, " Heron ", "security@heron.example")
    assert "The peer is added" in toasts(screen)
    (shown,) = screen.code
    key = shown.value
    assert (key.startswith("peer_"), found(key)) == (True, "Heron")
    assert "it is shown only now" in rendered(screen)
    assert column(screen, "peer") == ["Heron"]
    assert (column(screen, "state"), column(screen, "address")) == (
        ["May be told"],
        ["security@heron.example"],
    )
    assert screen.text_input(key="peer_name").value == ""
    assert screen.run().code[0].value == key, "another run of the page loses nothing"
    screen = press(screen, "I have copied it")
    assert (list(screen.code), NOW.strftime("%d %b %Y %H:%M UTC")) == ([], column(screen, "added")[0])
    assert key not in repr(screen.session_state)
    assert not off_without_a_reason(screen)


@pytest.mark.parametrize(
    ("name", "email", "said"),
    [
        ("  ", "", "Name: ` must be one line of words"),
        ("Heron", "", "Name: ` is that of a peer already"),
        ("Ibis", "ibis", "E-mail address: ` must be a plain e-mail address"),
    ],
)
def test_what_is_refused_says_its_field_and_stays_typed(visit, add, name, email, said):
    add("Heron")
    screen = typed(visit("advisories", **OPERATOR), name, email)
    assert said in toasts(screen)
    assert (screen.text_input(key="peer_name").value, screen.text_input(key="peer_email").value) == (
        name,
        email,
    )
    assert (column(screen, "peer"), list(screen.code)) == (["Heron"], [])


def test_one_is_ended_after_a_question(visit, add, found, rendered):
    keys = {name: add(name) for name in ("Heron", "Ibis")}
    screen = visit("advisories", **OPERATOR)
    (menu,) = screen.menu_button
    assert menu.proto.label == "End a peer"
    screen = menu.click("1 Heron").run()
    assert "The key of ` Heron ` is dead at once" in rendered(screen)
    assert "This cannot be undone" in rendered(screen)
    screen = press(screen, "Leave it")
    assert "is dead at once" not in rendered(screen)
    assert found(keys["Heron"]) == "Heron"
    screen = press(screen.menu_button[0].click("1 Heron").run(), "End the peer")
    assert (found(keys["Heron"]), found(keys["Ibis"])) == (None, "Ibis")
    assert "is dead at once" not in rendered(screen)
    assert column(screen, "peer") == ["Ibis", "Heron"], "those that may be told come first"
    assert column(screen, "state")[1] == "Ended 04 Nov 2026 12:00 UTC"
    screen = press(press(screen, "End a peer: ` 2 Ibis `"), "End the peer")
    assert "There are no peers that may be told" in rendered(screen)
    assert not [one for one in screen.button if one.label.startswith("End")]


def test_one_that_a_colleague_has_ended_meanwhile_is_asked_about_no_more(visit, add, opened, rendered):
    add("Heron")
    screen = visit("advisories", **OPERATOR)
    peers.end(opened.store, EVERYTHING, 1)
    screen = press(screen, "End a peer: ` 1 Heron `")
    assert "is dead at once" not in rendered(screen)
    assert column(screen, "state")[0].startswith("Ended")


def test_the_lead_sees_what_they_were_told_and_whose_it_is_to_add_and_end(visit, add, opened, rendered):
    heron, _ = add("Heron"), add("Ibis")
    for number, words in enumerate(("one", "two"), 1):
        report, _ = send(opened.store, words, consent_share_peers="under_embargo")
        triage.assess(opened.store, opened.policy, EVERYTHING, report, FLAW)
        advising.open_advisory(opened.store, EVERYTHING, report, f"Title {number}", names=("Heron", "Ibis"))
    advising.withdraw(opened.store, EVERYTHING, 2, "Ibis")
    answering.accept(opened.store, heron, 1, NOW + 45 * DAY)
    screen = visit("advisories", **LEAD)
    assert screen.segmented_control[0].options == ["Advisories", "Peers"]
    assert column(screen, "peer") == ["Heron", "Ibis"]
    assert (column(screen, "told"), column(screen, "acted")) == (["2", "1"], ["just now", "never"])
    assert "This is for another role: Operator." in rendered(screen)
    assert not screen.text_input
    assert not screen.menu_button
    operators = visit("advisories", **OPERATOR, **{"advisories-part": "Advisories"})
    assert operators.segmented_control[0].value == "peers", "nothing of an advisory is for the operator"
    assert not {"told", "acted"} & set(operators.dataframe[0].value)


def test_a_hostile_name_is_never_markdown(visit, add, rendered):
    names = [text for text in HOSTILE.values() if BEACON in text and text.isprintable() and len(text) <= 200]
    assert len(names) > 3
    for name in names:
        add(name)

    def sound(screen) -> None:
        said = rendered(screen) + "".join(one.proto.label for one in screen.menu_button)
        said += "".join(words for one in screen.menu_button for words in one.proto.options)
        assert BEACON not in re.sub(r"(`+).*?\1", "", said)

    screen = visit("advisories", **OPERATOR)
    sound(screen)
    screen = screen.menu_button[0].click(f"1 {names[0]}").run()
    assert BEACON in rendered(screen)
    sound(screen)
    screen = typed(press(screen, "Leave it"), f"{names[0]} Ltd")
    assert screen.code
    sound(screen)
    sound(visit("advisories", **LEAD))
