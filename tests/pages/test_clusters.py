"""Clusters: the largest first, its members, and a map that names reports by id only."""

from __future__ import annotations

import json

import pytest

from tests.pages.conftest import EVERYTHING
from triage_core import db, triage
from triage_core.decision import Decision


@pytest.fixture
def grouped(receive, index) -> dict[str, list[str]]:
    songs = [
        receive(f"please sing a rude song about the old clerk of our town {n}", hours_ago=n) for n in range(3)
    ]
    sums = [
        receive(f"now multiply these two very long numbers without mistakes {n}", hours_ago=n)
        for n in range(2)
    ]
    alone = [receive("wie heißt der Hund")]
    index()
    return {"songs": songs, "sums": sums, "alone": alone}


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("clusters"))


def test_nothing_alike(visit, receive, index, rendered):
    receive("one thing"), receive("another matter")
    index()
    assert "No two reports are alike" in rendered(visit("clusters"))


def test_largest_first_with_its_members(visit, grouped):
    clusters, members = (table.value for table in visit("clusters").dataframe)
    assert list(clusters["size"]) == [3, 2]
    assert set(members["report"]) == set(grouped["songs"])
    assert members["mean"].is_monotonic_decreasing
    assert members[["mean", "nearest"]].apply(lambda scores: scores.between(0.5, 1.0)).all(axis=None)


def test_a_link_opens_one_cluster(visit, grouped):
    clusters = visit("clusters").dataframe[0].value
    screen = visit("clusters", cluster=clusters["cluster"][1])
    assert set(screen.dataframe[1].value["report"]) == set(grouped["sums"])
    assert "multiply" in screen.code[0].value


def test_a_link_to_a_cluster_that_is_gone(visit, grouped):
    assert "There is no cluster ` D-99 `" in visit("clusters", cluster="D-99").warning[0].value


def test_the_map_holds_every_report_by_id_only(visit, grouped):
    chart = visit("clusters").get("plotly_chart")[0].proto
    figure = json.loads(chart.spec)
    ids = sorted(name for trace in figure["data"] for name in trace["customdata"])
    assert ids == sorted(name for group in grouped.values() for name in group)
    assert "clerk" not in chart.spec


def test_closed_members_say_how_they_were_closed(visit, grouped, opened):
    triage.assess(opened.store, opened.policy, EVERYTHING, grouped["songs"][0], Decision(("EXP-1",)))
    clusters, members = (table.value for table in visit("clusters").dataframe)
    assert list(clusters["open"]) == [2, 2]
    assert dict(zip(members["report"], members["state"], strict=True)) == {
        grouped["songs"][0]: "Expected behaviour",
        grouped["songs"][1]: "New",
        grouped["songs"][2]: "New",
    }


def test_another_axis_shows_its_own_clusters(visit, grouped):
    screen = visit("clusters")
    duplicates = screen.dataframe[0].value["cluster"][0]
    assert screen.query_params["cluster"] == duplicates
    screen.segmented_control(key="axis").set_value("technique").run()
    assert not screen.warning
    assert duplicates.startswith("D-")
    assert screen.query_params["cluster"].startswith("T-")


def test_the_name_of_a_cluster_that_was_taken_up_leads_on(visit, grouped, opened):
    _largest, smaller = visit("clusters").dataframe[0].value["cluster"]
    with opened.store.write(EVERYTHING, "index") as work:
        alias = {"axis": "whole", "old_id": "D-99", "new_id": smaller, "done_at": work.now}
        db.insert(work.cursor, "cluster_aliases", [alias])
    screen = visit("clusters", cluster="D-99")
    assert not screen.warning
    assert set(screen.dataframe[1].value["report"]) == set(grouped["sums"])
