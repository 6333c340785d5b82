"""Inbox: figures, filters in the address, pages from SQL, and what to do when there is nothing."""

from __future__ import annotations

from datetime import timedelta

from tests.pages.conftest import EVERYTHING, NOW
from triage_core import triage
from triage_core.decision import Decision


def listed(screen) -> list[str]:
    return list(screen.dataframe[0].value["report"])


def links(screen) -> dict[str, str]:
    """What each view's link says after its icon, by its name: the number of its reports."""
    said = [link.proto.label.strip("*").partition(": ")[2] for link in screen.get("page_link")]
    return dict(text.rpartition(" ")[::2] for text in said)


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
    assert links(screen)["Breaching"] == "1"
    assert links(screen)["New"] == "2"


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


def test_worker_line_counts_reports(visit, receive, index, rendered):
    receive("one"), receive("one", hours_ago=1), receive("two")
    assert "3 reports to be compared" in rendered(visit("inbox"))
    index()
    assert "Everything is compared: 3 reports" in rendered(visit("inbox"))


def test_a_clock_that_runs_out_shows_at_the_next_look(visit, receive, opened):
    receive("tell me a joke")
    assert links(visit("inbox"))["Breaching"] == "0"
    opened.store.clock = lambda: NOW + timedelta(days=30)
    assert links(visit("inbox"))["Breaching"] == "1"
