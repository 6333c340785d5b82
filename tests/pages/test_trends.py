"""Trends: numbers, charts with names and tables, pickers in the address, nothing hostile in a figure."""

from __future__ import annotations

import json

import pytest

from tests.hostile_corpus import HOSTILE
from tests.pages.conftest import EVERYTHING
from triage_core import triage
from triage_core.decision import Decision


def figures(screen) -> dict[str, str]:
    return {metric.label: metric.value for metric in screen.metric}


def charts(screen) -> dict[str, dict]:
    """What each chart draws, by the name that is read out for it."""
    return {chart.proto.alt: json.loads(chart.proto.spec) for chart in screen.get("plotly_chart")}


def test_empty_store_says_what_to_do_next(visit, rendered):
    screen = visit("trends")
    assert "No reports yet" in rendered(screen)
    assert not charts(screen)


def test_numbers_of_one_report(visit, receive, opened):
    report_id = receive("tell me a joke", hours_ago=30)
    triage.assess(opened.store, opened.policy, EVERYTHING, report_id, Decision(("EXP-1",)))
    screen = visit("trends")
    assert figures(screen) == {
        "Reports": "1",
        "Open now": "0",
        "First response in target": "100%",
        "Triage in target": "100%",
        "Known already": "0%",
    }
    assert screen.metric[2].delta == "median 30 h"
    drawn = charts(screen)
    assert "" not in drawn
    assert "Open reports by age" not in drawn  # nothing is open
    (backlog,) = [caption.value for caption in screen.caption if "Nothing to draw" in caption.value]
    assert backlog


def test_period_and_stacking_are_in_the_address_and_a_product_narrows(visit, receive):
    receive("one", hours_ago=24 * 60, system=[{"platform": "Chat"}])
    receive("two", hours_ago=1, system=[{"platform": "Agent"}])
    assert figures(visit("trends"))["Reports"] == "2"
    assert figures(visit("trends", period="4 weeks"))["Reports"] == "1"
    assert figures(visit("trends").multiselect(key="product").select("Chat").run())["Open now"] == "1"
    screen = visit("trends", by="By severity")
    names = [trace["name"] for trace in charts(screen)["Reports that came in each week"]["data"]]
    assert names == ["Not assessed", "None", "Low", "Medium", "High", "Critical"]


def test_a_period_without_reports_says_so_and_keeps_the_backlog(visit, receive):
    receive("one", hours_ago=24 * 60)
    screen = visit("trends", period="4 weeks")
    assert "choose a longer period" in screen.info[0].value
    assert "Open reports by age" in charts(screen)


def test_numbers_can_be_opened_as_a_table(visit, receive):
    receive("one", hours_ago=1)
    screen = visit("trends")
    assert not screen.dataframe
    screen.session_state["numbers-severity"] = True
    screen.run()
    (table,) = screen.dataframe
    assert dict(zip(table.value["Severity"], table.value["Reports"], strict=True))["Not assessed"] == 1


@pytest.mark.parametrize("name", ["plotly link", "markdown image", "html script", "bidi override"])
def test_a_hostile_product_is_text_in_every_chart(visit, receive, rendered, name):
    receive("one", hours_ago=1, system=[{"platform": HOSTILE[name]}])
    screen = visit("trends")
    spec = charts(screen)["Reports by product, the most frequent ones"]
    (label,) = spec["layout"]["yaxis"]["ticktext"]
    assert label
    assert not {"<", ">", "\u202e"} & set(json.dumps(spec["layout"]["yaxis"], ensure_ascii=False))
    assert "attacker.invalid" not in rendered(screen)
