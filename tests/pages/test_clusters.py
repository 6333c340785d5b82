"""Clusters: the largest first, its members, and a map that names reports by id only."""

from __future__ import annotations

import json

import pytest


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
    assert members["mean"].between(0.5, 1.0).all()


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


def test_open_ones_are_counted(visit, grouped, opened):
    from tests.pages.conftest import EVERYTHING
    from triage_core import triage
    from triage_core.decision import Decision

    triage.assess(opened.store, opened.policy, EVERYTHING, grouped["songs"][0], Decision(("EXP-1",)))
    assert list(visit("clusters").dataframe[0].value["open"]) == [2, 2]
