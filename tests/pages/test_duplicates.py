"""Duplicates: pairs are judged on their words, and a link can be taken back."""

from __future__ import annotations

import re

import pytest

from tests.pages.conftest import EVERYTHING
from triage_core import access
from triage_core.desk import triage


@pytest.fixture
def pair(receive, index) -> tuple[str, str]:
    """(later, earlier): the one stored first was submitted later, so that order of arrival says nothing."""
    later = receive("please sing a rude song about a clerk", hours_ago=1)
    earlier = receive("please sing a rude song about my clerk", hours_ago=9)
    receive("multiply these two numbers", hours_ago=5)
    index()
    return later, earlier


def test_an_empty_store_says_how_reports_come_in(visit, rendered):
    for view in ("Suggested", "In force"):
        assert "No reports yet" in rendered(visit("duplicates", links=view))


def test_nothing_suggested(visit, receive, index):
    receive("please sing a rude song")
    index()
    assert "No pair waits" in visit("duplicates").info[0].value


def test_suggestions_show_the_words_that_differ(visit, pair, rendered):
    screen = visit("duplicates")
    assert "1 pair, surest first" in rendered(screen)
    assert [line for line in screen.code[0].value.splitlines() if line[0] in "+-"] == ["- my", "+ a"]


def test_why_tells_the_probability_and_what_moved_it(visit, pair, rendered):
    later, earlier = pair
    screen = visit("duplicates")
    assert "probable" not in rendered(screen)
    screen.toggle(key=f"why-{later}-1-{earlier}").set_value(True).run()
    assert re.search(r"\*\*\d+%\*\* probable", rendered(screen))
    assert any(":material/add_circle:" in caption.value for caption in screen.caption)


def test_who_may_not_decide_is_told_who_does(visit, pair):
    later, earlier = pair
    screen = visit("duplicates", role="Policy owner")
    for key in (f"link-{later}-1-{earlier}", f"apart-{later}-1-{earlier}"):
        assert screen.button(key=key).disabled
        assert "another role: Reviewer" in screen.button(key=key).help
    assert not visit("duplicates").button(key=f"link-{later}-1-{earlier}").help


def test_each_button_follows_its_own_right(visit, pair, opened, monkeypatch):
    later, earlier = pair
    without_links = {**access.MAY, access.Command.LINK: frozenset()}
    monkeypatch.setattr(access, "MAY", without_links)
    screen = visit("duplicates")
    assert screen.button(key=f"link-{later}-1-{earlier}").disabled
    apart = screen.button(key=f"apart-{later}-1-{earlier}")
    assert (apart.disabled, apart.help) == (False, "")
    monkeypatch.undo()
    triage.link(opened.store, EVERYTHING, later, earlier)
    monkeypatch.setattr(access, "MAY", without_links)
    unlink = visit("duplicates", links="In force").button(key=f"unlink-{later}-2")
    assert (unlink.disabled, unlink.help) == (False, "")


def test_marking_closes_the_later_report(visit, pair, case, rendered):
    later, earlier = pair
    screen = visit("duplicates")
    screen.button(key=f"link-{later}-1-{earlier}").click().run()
    assert case(later)["canonical_id"] == earlier
    assert case(earlier)["status"] == "new"
    assert "No pair waits" in rendered(screen)


def test_not_a_duplicate_ends_the_suggestion_for_ever(visit, pair, index, case, rendered):
    later, earlier = pair
    screen = visit("duplicates")
    screen.button(key=f"apart-{later}-1-{earlier}").click().run()
    index()
    assert "No pair waits" in rendered(visit("duplicates"))
    assert case(later)["status"] == "new"


def test_links_in_force_are_unlinked(visit, pair, case, rendered):
    later, earlier = pair
    screen = visit("duplicates")
    screen.button(key=f"link-{later}-1-{earlier}").click().run()
    screen = visit("duplicates", links="In force")
    assert "1 link in force" in rendered(screen)
    screen.button(key=f"unlink-{later}-2").click().run()
    assert (case(later)["status"], case(later)["canonical_id"]) == ("new", None)
    assert "No report is marked" in rendered(screen)


def test_a_chain_is_named_and_goes_to_its_root(visit, pair, receive, index, case, rendered):
    later, earlier = pair
    visit("duplicates").button(key=f"link-{later}-1-{earlier}").click().run()
    newest = receive("please sing a rude song about a clerk")
    index()
    screen = visit("duplicates")
    assert f"` {later} ` is itself a duplicate of ` {earlier} `" in rendered(screen)
    screen.button(key=f"link-{newest}-1-{later}").click().run()
    assert case(newest)["canonical_id"] == earlier


def test_others_may_look_only(visit, pair):
    screen = visit("duplicates", role="Disclosure lead")
    assert [button.disabled for button in screen.button] == [True, True, False]


def test_a_report_is_opened_from_a_view_that_stands_in_the_address(visit, pair, opened):
    later, earlier = pair
    triage.link(opened.store, EVERYTHING, later, earlier)
    address = {"links": "In force", "role": "Policy owner"}
    screen = visit("duplicates", **address)
    for name, value in address.items():
        screen.query_params[name] = value
    next(button for button in screen.button if button.label == "Open").click().run()
    assert not screen.exception
    assert later in screen.header[0].value
