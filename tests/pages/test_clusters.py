"""Clusters: the queue by worth, one cluster on the desk, its members chosen and decided on, and a map by ids only."""

from __future__ import annotations

import json
import re

import pytest

from tests.pages.conftest import EVERYTHING, off_without_a_reason, toasts
from triage_core import db
from triage_core.clusters import cluster_work
from triage_core.desk import drafts, triage
from triage_core.desk.decision import Decision
from triage_core.likeness.axes import Axis

MEMBER = re.compile(r"take-\w+-[DTQ]-\d+-(FR-\d+)-\d+")
SONG = "please sing a rude song about the old clerk of our town"


@pytest.fixture
def grouped(receive, index) -> dict[str, list[str]]:
    songs = [receive(f"{SONG} {n}", hours_ago=30 + n) for n in range(3)]
    sums = [
        receive(f"now multiply these two very long numbers without mistakes {n}", hours_ago=n)
        for n in range(2)
    ]
    alone = [receive("wie heißt der Hund")]
    index()
    return {"songs": songs, "sums": sums, "alone": alone}


def queue(screen) -> dict[str, list]:
    (table,) = (table.value for table in screen.dataframe if "worth" in table.value)
    return {name: list(table[name]) for name in table}


def members(screen) -> dict[str, str]:
    """The line of every member shown, by its report."""
    found = ((MEMBER.fullmatch(box.key), box.label) for box in screen.checkbox)
    return {match[1]: label for match, label in found if match}


def choose(screen, kind: str, cluster: str, axis: str = "whole"):
    return screen.button(key=f"choose-{kind}-{axis}-{cluster}").click().run()


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("clusters"))


def test_nothing_alike(visit, receive, index, rendered):
    receive("one thing"), receive("another matter")
    index()
    assert "No two reports are alike" in rendered(visit("clusters"))


def test_before_the_worker_has_been_there_nobody_claims_that_none_are_alike(visit, receive, rendered):
    receive("please sing a rude song about a clerk")
    for page in ("clusters", "duplicates"):
        said = rendered(visit(page))
        assert "Reports are still being compared" in said
        assert "No two reports are alike" not in said
        assert "No pair waits" not in said


def test_the_queue_says_what_a_decision_is_worth(visit, grouped, rendered):
    screen = visit("clusters")
    assert queue(screen)["size"] == [3, 2]
    assert queue(screen)["worth"] == ["3 open × low × 1 day", "2 open × low × 1 day"]
    assert set(members(screen)) == set(grouped["songs"])
    assert "expected, from the harm that its reporters name" in rendered(screen)


def test_severity_and_age_go_before_size(visit, grouped, receive, index):
    for n in range(2):
        receive(
            f"how does one pick the lock of the red door {n}", hours_ago=24 * 9, harm_types=["physical_harm"]
        )
    index()
    assert queue(visit("clusters"))["worth"][0] == "2 open × high × 9 days"


def test_decided_members_tell_the_severity_and_a_decided_cluster_leaves_the_queue(
    visit, grouped, opened, rendered
):
    first, second, third = grouped["songs"]
    for report in (first, second):
        triage.assess(opened.store, opened.policy, EVERYTHING, report, Decision(("EXP-1",)))
    screen = visit("clusters")
    assert queue(screen)["worth"] == ["2 open × low × 1 day", "1 open × none × 1 day"]
    triage.assess(opened.store, opened.policy, EVERYTHING, third, Decision(("EXP-1",)))
    assert queue(visit("clusters"))["size"] == [2]
    screen = visit("clusters")
    screen.toggle(key="all").set_value(True).run()
    assert queue(screen)["size"] == [2, 3]


def test_what_members_share_and_what_is_their_own(visit, grouped, receive, index):
    long = receive(f"{SONG} with a bassoon {'la' * 90} to the end")
    index()
    screen = visit("clusters")
    marked = [line.split()[1:] for line in screen.code[0].value.splitlines() if line.startswith("▌")]
    assert marked in ([["0"]], [["1"]], [["2"]])
    assert any(
        "with a bassoon" in caption.value and "clerk" not in caption.value for caption in screen.caption
    )
    assert len(screen.code) == 1
    screen.toggle(key=f"full-whole-{long}-1").set_value(True).run()
    shared, own = screen.code[1].value.splitlines()
    assert "clerk" in shared
    assert own.split() == ["▌", "with", "a", "bassoon", "la" * 90, "to", "the", "end"]


def test_members_come_by_distance_and_exactly_the_far_one_is_marked(visit, receive, index, opened):
    songs = [receive(f"{SONG} {n}") for n in range(9)]
    index()
    with opened.store.write(EVERYTHING, "index") as work:
        typical = db.value(work.cursor, "SELECT representative_id FROM clusters WHERE axis = 'whole'")
        others = [name for name in songs if name != typical]
        # Nine means: their quartiles are 0.85 and 0.89, so that only what lies below 0.75 is far.
        means = dict(zip(others, (0.86, 0.9, 0.55, 0.88, 0.79, 0.87, 0.89, 0.85), strict=True))
        for name, mean in {typical: 0.91, **means}.items():
            of = [mean, name]
            work.cursor.execute("UPDATE memberships SET mean = ? WHERE axis = 'whole' AND report_id = ?", of)
    screen = visit("clusters")
    shown = members(screen)
    assert list(shown) == [typical, *sorted(others, key=means.__getitem__, reverse=True)]
    assert [name for name, line in shown.items() if "Outlier" in line] == [others[2]]
    cluster = queue(screen)["cluster"][0]
    screen = choose(screen, "outliers", cluster)
    assert [box.key for box in screen.checkbox if box.value] == [f"take-whole-{cluster}-{others[2]}-1"]


def test_a_link_opens_one_cluster(visit, grouped):
    name = queue(visit("clusters"))["cluster"][1]
    screen = visit("clusters", cluster=name)
    assert set(members(screen)) == set(grouped["sums"])
    assert "multiply" in screen.code[0].value


def test_a_link_to_a_cluster_that_is_gone(visit, grouped):
    assert "There is no cluster ` D-99 `" in visit("clusters", cluster="D-99").warning[0].value


def test_the_map_holds_every_report_by_id_only(visit, grouped):
    chart = visit("clusters", clusters_view="Map").get("plotly_chart")[0].proto
    figure = json.loads(chart.spec)
    ids = sorted(name for trace in figure["data"] for name in trace["customdata"])
    assert ids == sorted(name for group in grouped.values() for name in group)
    assert "clerk" not in chart.spec


def test_another_axis_shows_its_own_clusters(visit, grouped):
    screen = visit("clusters")
    duplicates = queue(screen)["cluster"][0]
    assert screen.query_params["cluster"] == duplicates
    screen.segmented_control(key="axis").set_value("technique").run()
    assert not screen.warning
    assert duplicates.startswith("D-")
    assert screen.query_params["cluster"].startswith("T-")


def test_an_address_still_naming_a_cluster_of_the_axis_that_was_left_shows_one_of_this_axis(visit, grouped):
    screen = visit("clusters", axis="Same technique", cluster="D-1")
    assert not screen.warning
    assert screen.query_params["cluster"].startswith("T-")


def test_the_name_of_a_cluster_that_was_taken_up_leads_on(visit, grouped, opened):
    _first, smaller = queue(visit("clusters"))["cluster"]
    with opened.store.write(EVERYTHING, "index") as work:
        alias = {"axis": "whole", "old_id": "D-99", "new_id": smaller, "done_at": work.now}
        db.insert(work.cursor, "cluster_aliases", [alias])
    screen = visit("clusters", cluster="D-99")
    assert not screen.warning
    assert set(members(screen)) == set(grouped["sums"])


def test_a_cluster_is_accepted_as_duplicates_and_one_press_takes_it_back(visit, grouped, case, rendered):
    screen = visit("clusters")
    name = queue(screen)["cluster"][0]
    choose(screen, "open", name)
    screen.button(key=f"decide-whole-{name}").click().run()
    screen.toggle(key="cluster_with_decision").set_value(False).run()
    screen.button(key="cluster_do").click().run()
    assert "Done on 2 reports" in rendered(screen)
    earliest = grouped["songs"][2]
    assert {case(report)["canonical_id"] for report in grouped["songs"]} == {earliest, None}
    undo = next(button for button in screen.button if "Undo all of it" in button.label)
    undo.click().run()
    assert {case(report)["status"] for report in grouped["songs"]} == {"new"}
    assert "Taken back on 2 reports" in rendered(screen)
    screen.button(key="many_close").click().run()
    assert not [one for one in screen.button if one.key in ("cluster_do", "many_close")], (
        "the dialog is closed"
    )


def test_what_was_skipped_is_told_with_the_reason(visit, grouped, opened, case, rendered):
    screen = visit("clusters")
    name = queue(screen)["cluster"][0]
    choose(screen, "all", name)
    triage.assess(opened.store, opened.policy, EVERYTHING, grouped["songs"][0], Decision(("EXP-1",)))
    screen.button(key=f"decide-whole-{name}").click().run()
    screen.segmented_control(key="cluster_action").set_value("assess").run()
    screen.multiselect(key=f"clauses-{drafts.of_many(grouped['songs'])}-0").select("OOS-1").run()
    screen.button(key="cluster_do").click().run()
    assert "Done on 2 reports" in rendered(screen)
    skipped = next(table.value for table in screen.dataframe if "why" in table.value)
    assert list(skipped["report"]) == [grouped["songs"][0]]
    assert "was changed by test" in skipped["why"][0]


def test_a_member_is_split_off_for_good(visit, grouped, index, opened):
    screen = visit("clusters")
    name = queue(screen)["cluster"][0]
    out = grouped["songs"][0]
    screen.checkbox(key=f"take-whole-{name}-{out}-1").check().run()
    screen.button(key=f"split-whole-{name}").click().run()
    assert screen.button(key=f"split-whole-{name}").disabled, "nobody is chosen any more"
    index()
    assert queue(visit("clusters"))["size"] == [2, 2]
    opened.likeness.rebuild(EVERYTHING, accept=True)
    with opened.store.read() as cursor:
        rows = db.rows(cursor, "SELECT cluster_id, report_id FROM memberships WHERE axis = 'whole'")
    home = {row["report_id"]: row["cluster_id"] for row in rows}
    assert list(home.values()).count(home[out]) == 1


def test_a_member_is_moved(visit, grouped, index):
    screen = visit("clusters")
    songs, sums = queue(screen)["cluster"]
    screen.checkbox(key=f"take-whole-{songs}-{grouped['songs'][0]}-1").check().run()
    screen.button(key=f"move-whole-{songs}").click().run()
    assert "name the cluster first" in toasts(screen)
    screen.selectbox(key=f"target-whole-{songs}").set_value(sums).run()
    screen.button(key=f"move-whole-{songs}").click().run()
    index()
    found = [set(members(visit("clusters", cluster=name))) for name in queue(visit("clusters"))["cluster"]]
    assert {grouped["songs"][0], *grouped["sums"]} in found


def test_two_clusters_that_may_be_one_are_merged_or_kept_apart(
    visit, grouped, receive, index, opened, rendered
):
    with opened.store.write(EVERYTHING, "index") as work:
        work.cursor.execute(
            "UPDATE memberships SET runner_up = 0.6 WHERE axis = 'whole' AND runner_up_id IS NOT NULL"
        )
    screen = visit("clusters", clusters_view="May be one")
    screen.toggle[0].set_value(True).run()
    assert "only in" in rendered(screen)
    assert "surest first" in rendered(screen)
    merge = [button for button in screen.button if button.label == "Merge"]
    assert merge
    pair = merge[0].key.removeprefix("merge-whole-")
    one, other = "-".join(pair.split("-")[:2]), "-".join(pair.split("-")[2:4])
    screen.button(key=f"two-whole-{pair}").click().run()
    with pytest.raises(Exception, match="has said otherwise"):
        cluster_work.merge(opened.store, EVERYTHING, Axis.WHOLE, one, other)
    assert f"merge-whole-{pair}" not in {button.key for button in screen.button}
    (undo,) = [button for button in screen.button if button.label.startswith("Undo your last word")]
    assert one in undo.label
    undo.click().run()
    cluster_work.merge(opened.store, EVERYTHING, Axis.WHOLE, one, other)
    assert not [button for button in screen.button if button.label.startswith("Undo your last word")]


def test_others_may_look_only(visit, grouped, rendered):
    screen = visit("clusters", role="Disclosure lead")
    assert "reviewers decide on them" in rendered(screen)
    assert all(box.disabled for box in screen.checkbox)
    assert off_without_a_reason(screen) == []
    screen = visit("clusters")
    assert any(button.disabled for button in screen.button)
    assert off_without_a_reason(screen) == []


def test_many_members_are_shown_a_page_at_a_time(visit, receive, index):
    for n in range(30):
        receive(f"{SONG} {n}")
    index()
    screen = visit("clusters")
    assert len(members(screen)) == 12
    name = queue(screen)["cluster"][0]
    choose(screen, "all", name)
    assert screen.button(key=f"decide-whole-{name}").label == "Decide on 30 members"
