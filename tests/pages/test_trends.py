"""Trends: numbers, charts with names and tables, pickers in the address, nothing hostile in a figure."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest

from tests.hostile_corpus import HOSTILE
from tests.making import FLAW, make_report
from tests.pages.conftest import EVERYTHING, NOW, figures
from triage_core import db
from triage_core.channel import apikeys, intake, reportformat
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.lifecycle import Trigger
from triage_core.model import Channel
from ui import paint


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
        "Severity, kappa": "Too few",
    }
    assert screen.metric[2].delta == "median 30 h"
    drawn = charts(screen)
    assert "" not in drawn
    assert "Open reports by age" not in drawn  # nothing is open
    nothing = "Nothing to draw for this choice: open reports by age."
    assert any(nothing in caption.value for caption in screen.caption)


def test_only_the_first_chart_of_a_session_waits_for_what_is_above_it(visit, receive, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(paint, "time", SimpleNamespace(sleep=pauses.append))
    receive("one", hours_ago=1)
    screen = visit("trends")
    assert pauses == [paint.FIRST_CHART_S]
    screen.run()
    assert len(pauses) == 1


def test_the_rest_comes_when_the_browser_asks_for_it(visit, receive, monkeypatch):
    monkeypatch.setattr(paint, "FIRST_CHART_S", 0.1)
    receive("one", hours_ago=1)
    screen = visit("trends")
    assert figures(screen)["Reports"] == "1"
    assert not charts(screen)
    assert charts(screen.run())


def test_period_and_stacking_are_in_the_address_and_a_product_narrows(visit, receive):
    receive("one", hours_ago=24 * 60, system=[{"platform": "Chat"}])
    receive("two", hours_ago=1, system=[{"platform": "Agent"}])
    assert figures(visit("trends"))["Reports"] == "2"
    assert figures(visit("trends", period="4 weeks"))["Reports"] == "1"
    assert figures(visit("trends").multiselect(key="product").select("Chat").run())["Open now"] == "1"
    screen = visit("trends", by="Severity")
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
    screen.session_state["numbers-total-state"] = True
    screen.run()
    (table,) = screen.dataframe
    assert dict(zip(table.value["State"], table.value["Reports"], strict=True)) == {
        "Waiting for a decision": 1,
        "Being worked on": 0,
        "Closed": 0,
    }


def links(screen, label="See the list") -> list[dict[str, list[str]]]:
    """The addresses of the lists behind the figures, in their order."""
    found = [link.proto.query_string for link in screen.get("page_link") if link.proto.label == label]
    return [parse_qs(address) for address in found]


def test_each_figure_of_the_head_has_its_list_behind_it(visit, receive, opened):
    receive("tell me a joke", hours_ago=30, system=[{"platform": "Chat"}])
    receive("tell me a joke", hours_ago=3, system=[{"platform": "Chat"}])
    receive("another one", hours_ago=2, system=[{"platform": "Agent"}])
    receive("long ago", hours_ago=24 * 300)
    screen = visit("trends")
    counts = []
    for address in links(screen):
        inbox = visit("inbox", **address)
        counts.append(len(inbox.dataframe[0].value) if inbox.dataframe else 0)
    head = figures(screen)
    assert counts == [int(head["Reports"]), int(head["Open now"]), 0, 0, 1]
    assert (head["Reports"], head["Open now"]) == ("3", "4")


def chosen(screen, name: str, row: int, column: str) -> dict[str, list[str]]:
    """The address of the list behind a number of a chart's table."""
    screen.session_state[f"numbers-{name}"] = True
    screen.run()
    screen.session_state[f"table-{name}"] = {"selection": {"cells": [[row, column]]}}
    screen.run()
    (address,) = links(screen, "See what is behind this number")
    return address


def test_a_number_of_a_chart_opens_the_list_behind_it(visit, receive):
    receive("one", hours_ago=1)
    receive("two", hours_ago=24 * 8)
    address = chosen(visit("trends"), "volume-state", 0, "Waiting for a decision")
    assert len(visit("inbox", **address).dataframe[0].value) == 1


def test_all_others_open_the_list_of_what_is_not_named(visit, receive):
    for number, product in enumerate(["A, or B", "C", "D", "E", "F", ""] * 2 + ["G", "H"]):
        receive(f"number {number}", hours_ago=1, system=[{"platform": product}])
    address = chosen(visit("trends", by="Product"), "volume-product", 0, "All others")
    assert address["other"] == ["Products"]
    assert sorted(visit("inbox", **address).dataframe[0].value["product"]) == ["G", "H"]


def test_clusters_that_emerge_have_numbers_and_lists(visit, receive, opened, rendered):
    for number in range(30):
        receive(f"number {number}", hours_ago=24 * 60)
    new = [receive(f"new {number}", hours_ago=1) for number in range(6)]
    whole = {"axis": "whole", "cluster_id": "W-1"}
    with opened.store.write(EVERYTHING, "index") as work:
        cluster = {**whole, "representative_id": "FR-1", "size": 7, "label": ""}
        db.insert(work.cursor, "clusters", [cluster])
        members = [{**whole, "report_id": name, "model_id": ""} for name in ("FR-1", *new)]
        db.insert(work.cursor, "memberships", members)
    screen = visit("trends")
    (link,) = [one for one in screen.get("page_link") if one.proto.label.startswith("Cluster")]
    assert link.proto.label == "Cluster ` W-1 `", "on one line, or it breaks within the number"
    assert "6 of its 7 latest reports came in since" in rendered(screen)
    recent = visit("inbox", **chosen(screen, "emerging", 0, "Recent"))
    assert sorted(recent.dataframe[0].value["report"]) == sorted(new)
    assert (
        len(
            visit("inbox", **chosen(screen, "emerging", 0, "Reports of the last 16 weeks")).dataframe[0].value
        )
        == 7
    )


def test_the_month_of_the_report_is_in_the_address(visit, receive):
    receive("one", hours_ago=1)
    screen = visit("trends", report_month="2026-10")
    assert screen.text_input(key="report_month").value == "2026-10"
    assert "report_month=2026-10" in screen.code[0].value


def test_what_came_back_without_a_version_lists_no_other_version(visit, receive, opened):
    for words, version in (("one", ""), ("two", "4.1")):
        report_id = receive(words, hours_ago=3, system=[{"platform": "Chat", "version": version}])
        triage.assess(opened.store, opened.policy, EVERYTHING, report_id, Decision(("EXP-1",)))
        triage.move(opened.store, EVERYTHING, report_id, Trigger.REOPEN)
    address = chosen(visit("trends"), "back", 0, "Reopened")
    assert address["version"] == ["(none named)"]
    assert list(visit("inbox", **address).dataframe[0].value["report"]) == ["FR-1"]


def test_the_name_of_a_key_is_text_and_leads_to_its_reports(visit, receive, opened, rendered):
    receive("imported", hours_ago=2)
    number, _ = apikeys.add(opened.store, EVERYTHING, HOSTILE["plotly link"])
    report = reportformat.parse(make_report("By the button"))
    sent = intake.incoming(report, Channel.API, None, number)
    intake.receive_all(opened.store, opened.policy, [sent])
    screen = visit("trends")
    labels = charts(screen)["Reports of the period by source"]["layout"]["yaxis"]["ticktext"]
    assert [label.strip()[:6] for label in labels] == ["Key 1:", "Import"]
    for chart in ("Reports of the period by source", "Open reports by age"):
        assert charts(screen)[chart]["layout"]["xaxis"]["title"]["text"] == "Reports"
    assert "attacker.invalid" not in rendered(screen)
    screen.session_state["numbers-sources"] = True
    screen.session_state["table-sources"] = {"selection": {"cells": [[0, "No contact"]]}}
    (address,) = links(screen.run(), "See what is behind this number")
    assert len(visit("inbox", **address).dataframe[0].value) == 1


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("Product", ["Chat", "No product"]),
        ("Model version", ["No version", "4.1"]),
        ("Door", ["Import"]),
        ("Harm", ["Misinformation", "Not sure"]),
        ("Technique", ["Not known"]),
    ],
)
def test_volume_by_what_reports_are_about(visit, receive, by, names):
    receive("one", hours_ago=1, system=[{"platform": "Chat", "version": "4.1"}])
    receive("two", hours_ago=1, harm_types=["misinformation"])
    receive("three", hours_ago=1, harm_types=["misinformation"], system=[{"platform": "Chat"}])
    drawn = charts(visit("trends", by=by))["Reports that came in each week"]["data"]
    assert [trace["name"] for trace in drawn] == names


def test_a_legend_names_the_series_in_the_order_of_their_bars(visit, receive):
    receive("one", hours_ago=1)
    for drawn in charts(visit("trends")).values():
        assert drawn["layout"]["legend"]["traceorder"] == "normal"  # Plotly turns that of stacked bars around


def test_a_comparison_stands_in_the_address(visit, receive):
    receive("one", hours_ago=1)
    receive("two", hours_ago=24 * 30)
    receive("three", hours_ago=24 * 31)
    screen = visit("trends", period="4 weeks", compare="Period before")
    assert screen.metric[0].delta == "-1 on then"
    drawn = charts(screen)["Reports that came in each week"]["data"]
    assert drawn[-1]["name"] == "All, in the period compared"
    assert drawn[-1]["marker"]["line"] == {"color": "white", "width": 1.5}, "seen on a bar of any colour"
    assert "Compared" not in str(charts(screen)["Reports of the whole period"]["layout"]["title"])
    assert "Compared: those up to 07 Oct 2026" in str(
        charts(screen)["Share inside target each week"]["layout"]["title"]
    )
    address = links(screen, "Those then")[0]
    assert sorted(visit("inbox", **address).dataframe[0].value["report"]) == ["FR-2", "FR-3"]
    address = chosen(screen, "known", 0, "New, then")
    assert list(visit("inbox", **address).dataframe[0].value["report"]) == ["FR-2"]
    screen = visit("trends", period="4 weeks", compare="Period before")
    address = chosen(screen, "volume-state", 0, "All, in the period compared")
    assert address["until"] == ["2026-10-07T12:00:00"]
    lying = charts(screen)["Reports of the period by source"]["data"]
    assert [(trace["name"], trace["x"]) for trace in lying if any(trace["x"])] == [
        ("No contact", [1]),
        ("No contact, then", [2]),
    ]
    screen = visit("trends", period="4 weeks", compare="Period before")
    address = chosen(screen, "sources", 0, "No contact, then")
    assert sorted(visit("inbox", **address).dataframe[0].value["report"]) == ["FR-2", "FR-3"]


@pytest.mark.parametrize("name", ["plotly link", "markdown image", "html script", "bidi override"])
def test_a_hostile_product_is_text_in_every_chart(visit, receive, rendered, name):
    receive("one", hours_ago=1, system=[{"platform": HOSTILE[name]}])
    screen = visit("trends", by="Product")
    spec = charts(screen)["Reports of the whole period"]
    (label,) = spec["layout"]["yaxis"]["ticktext"]
    assert label
    assert not {"<", ">", "\u202e"} & set(json.dumps(spec["layout"]["yaxis"], ensure_ascii=False))
    assert "attacker.invalid" not in rendered(screen)


def test_rewards_that_are_late_are_told(visit, receive, opened, rendered):
    flaw = {"harm_types": ["other"], "wants_reward": True, "system": [{"platform": "Chat"}]}
    report_id = receive("who sits beside me", hours_ago=24 * 62, **flaw)
    receive("nobody has looked", hours_ago=24 * 60, system=[{"platform": "Agent"}])
    opened.store.clock = lambda: NOW - timedelta(days=50)
    triage.assess(opened.store, opened.policy, EVERYTHING, report_id, FLAW)
    opened.store.clock = lambda: NOW
    assert "1 reward asked for and not decided" in rendered(visit("trends"))
    other = visit("trends").multiselect(key="product").select("Chat").run()
    assert "1 reward asked for" in rendered(other)
    (address,) = links(other, "See the late rewards")
    assert (address["view"], address["product"]) == (["Past the bounty clock"], ["Chat"])
    rewards = visit("rewards", **address)
    assert list(rewards.dataframe[0].value["Reward"]) == ["Not proposed yet"]
    assert list(rewards.dataframe[0].value["Report"]) == [report_id]
    rewards.multiselect(key="product").set_value(["Agent"]).run()
    assert "longer than the policy" in rewards.info[0].value
    screen = visit("trends")
    screen.session_state["numbers-inside"] = True
    (table,) = screen.run().dataframe
    for title in ("Fix", "Reward"):  # both were due in these weeks, and neither is done
        (row,) = table.value.index[table.value[title].notna()]
        screen.session_state["table-inside"] = {"selection": {"cells": [[int(row), title]]}}
        (address,) = links(screen.run(), "See what is behind this number")
        assert len(visit("inbox", **address).dataframe[0].value) == 1, title
