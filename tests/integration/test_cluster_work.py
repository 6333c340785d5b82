"""Decisions on clusters: what they say, that the model honours them for ever, and that each is undone as one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.making import (
    EVERYBODY,
    FLAW,
    POLICY,
    REVIEWER,
    LetterEmbedder,
    bring,
    lay,
    make_report,
    open_runtime,
)
from triage_core import db, verification
from triage_core.channel import reporter
from triage_core.clusters import cluster_work
from triage_core.desk import activity, boards, bulk, triage
from triage_core.desk.activity import UNDONE
from triage_core.desk.undo import undo
from triage_core.errors import Conflict, NotAllowed, NotFound, Refused
from triage_core.index.indexing import Likeness
from triage_core.likeness.axes import Axis
from triage_core.model import Actor, DeskRole
from triage_core.runtime import Runtime

SONGS = ["FR-1", "FR-2", "FR-3"]
SUMS = ["FR-4", "FR-5"]
ALONE = "FR-6"
WORDS = (
    "please sing a rude song about the old clerk of our town one",
    "please sing a rude song about the old clerk of our town two",
    "please sing a rude song about the old clerk of our town three",
    "now multiply these two very long numbers without mistakes one",
    "now multiply these two very long numbers without mistakes two",
    "wie heißt der kleine Hund von nebenan",
)


def fill(folder: Path) -> None:
    runtime = open_runtime(folder)
    bring(runtime.store, *(make_report(words) for words in WORDS))
    runtime.likeness.refresh(EVERYBODY)
    runtime.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    lay(tmp_path, fill)
    runtime = open_runtime(tmp_path)
    assert groups(runtime) == {"D-1": SONGS, "D-4": SUMS, "D-6": [ALONE]}
    yield runtime
    verification.verify(runtime.store)
    runtime.close()


def groups(runtime: Runtime, axis: str = "whole") -> dict[str, list[str]]:
    """The members of every cluster, as the model lays them now and anew."""
    runtime.likeness.refresh(EVERYBODY)
    with runtime.store.read() as cursor:
        rows = db.rows(
            cursor, "SELECT cluster_id, report_id FROM memberships WHERE axis = ? ORDER BY report_id", [axis]
        )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["cluster_id"], []).append(row["report_id"])
    assert runtime.likeness.rebuild(EVERYBODY)[axis].moved == 0, "a run from nothing says the same"
    return found


def states(runtime: Runtime) -> dict[str, str]:
    with runtime.store.read() as cursor:
        rows = db.rows(
            cursor, "SELECT report_id, coalesce(canonical_id, status) AS state FROM cases ORDER BY ALL"
        )
    return {row["report_id"]: row["state"] for row in rows}


def act(runtime: Runtime, command: Any, *arguments: Any, **more: Any) -> Any:
    return command(runtime.store, REVIEWER, *arguments, **more)


@pytest.mark.parametrize("axis", Axis)
def test_what_leaves_stays_away_on_its_own_axis_alone(opened: Runtime, axis: Axis) -> None:
    before = {other: groups(opened, other) for other in Axis}
    name = next(name for name, members in before[axis].items() if "FR-2" in members)
    act(opened, cluster_work.split, axis, name, ["FR-2"])
    after = groups(opened, axis)
    assert next(members for members in after.values() if "FR-2" in members) == ["FR-2"]
    assert all(groups(opened, other) == before[other] for other in Axis if other is not axis)
    assert set(states(opened).values()) == {"new"}
    undo(opened.store, REVIEWER, opened_last(opened, "group.decided"))
    assert groups(opened, axis) == before[axis]


def opened_last(runtime: Runtime, kind: str) -> int:
    with runtime.store.read() as cursor:
        return int(db.value(cursor, "SELECT max(seq) FROM events WHERE kind = ?", [kind]))


def test_those_that_leave_together_are_one_group_and_singly_they_are_none(opened: Runtime) -> None:
    act(opened, cluster_work.split, Axis.WHOLE, "D-1", ["FR-2", "FR-3"])
    assert groups(opened) == {"D-1": ["FR-1"], "D-2": ["FR-2", "FR-3"], "D-4": SUMS, "D-6": [ALONE]}
    act(opened, cluster_work.split, Axis.WHOLE, "D-2", ["FR-3"], singly=True)
    assert groups(opened)["D-3"] == ["FR-3"], "a later word on part of a group replaces what it contradicts"
    undo(opened.store, REVIEWER, opened_last(opened, "group.decided"))
    assert groups(opened)["D-2"] == ["FR-2", "FR-3"]


def test_a_split_into_single_ones_is_one_act_that_is_undone_and_done_again_as_one(opened: Runtime) -> None:
    act(opened, cluster_work.confirm, Axis.WHOLE, "D-1", SONGS)
    act(opened, cluster_work.split, Axis.WHOLE, "D-1", ["FR-2", "FR-3"], singly=True)
    split = opened_last(opened, "group.decided")
    alone = {"D-1": ["FR-1"], "D-2": ["FR-2"], "D-3": ["FR-3"], "D-4": SUMS, "D-6": [ALONE]}
    assert groups(opened) == alone
    undo(opened.store, REVIEWER, split)
    assert groups(opened)["D-1"] == SONGS
    undo(opened.store, REVIEWER, opened_last(opened, UNDONE))
    assert groups(opened) == alone


def test_a_decision_on_two_clusters_is_found_by_either_and_so_is_its_undo(opened: Runtime) -> None:
    act(opened, cluster_work.merge, Axis.WHOLE, "D-1", "D-4")
    undo(opened.store, REVIEWER, opened_last(opened, "group.decided"))
    for name in ("D-1", "D-4"):
        with opened.store.read() as cursor:
            found, total = activity.events(cursor, activity.Filter(report=name))
        assert [event.kind for event in found] == [UNDONE, "group.decided"]
        assert total == 2


def test_a_split_writes_a_row_a_report_not_a_row_a_pair(opened: Runtime) -> None:
    more = [f"please sing a rude song about the old clerk of our town number {n}" for n in range(20)]
    ids = bring(opened.store, *(make_report(words) for words in more))
    opened.likeness.refresh(EVERYBODY)
    act(opened, cluster_work.split, Axis.WHOLE, "D-1", ids[:10])
    with opened.store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM group_pairs") == 9 + 13
    assert set(ids[:10]) in [set(members) for members in groups(opened).values()]


def test_a_decision_stands_in_the_history_of_every_report_that_it_names(opened: Runtime) -> None:
    act(opened, cluster_work.confirm, Axis.WHOLE, "D-1", SONGS)
    act(opened, cluster_work.split, Axis.WHOLE, "D-1", ["FR-3"])
    opened.likeness.refresh(EVERYBODY)
    with pytest.raises(Conflict, match="FR-3 left D-1 while you looked at it, after a word of test:mara"):
        act(opened, cluster_work.confirm, Axis.WHOLE, "D-1", SONGS)
    undo(opened.store, REVIEWER, opened_last(opened, "group.decided"))
    told = ["group.decided", "group.decided", "event.undone"]
    with opened.store.read() as cursor:
        for name in SONGS:
            assert [event.kind for event in activity.whole_history(cursor, name)][1:] == told, name
        assert [event.kind for event in activity.events(cursor, activity.Filter(report="D-1"))[0]] == told[
            ::-1
        ]
        assert len(activity.whole_history(cursor, "FR-4")) == 1


def test_moved_and_merged(opened: Runtime) -> None:
    act(opened, cluster_work.move, Axis.WHOLE, "D-1", ["FR-3"], "D-4")
    assert groups(opened) == {"D-1": ["FR-1", "FR-2"], "D-3": ["FR-3", *SUMS], "D-6": [ALONE]}
    act(opened, cluster_work.merge, Axis.WHOLE, "D-3", "D-6")
    assert groups(opened) == {"D-1": ["FR-1", "FR-2"], "D-3": ["FR-3", *SUMS, ALONE]}
    with pytest.raises(Conflict, match=r"test:mara \(02 Mar 2026 12:00 UTC\) has said otherwise"):
        act(opened, cluster_work.merge, Axis.WHOLE, "D-1", "D-3")
    new = bring(opened.store, make_report("now multiply these two very long numbers without mistakes four"))
    assert groups(opened)["D-3"] == ["FR-3", *SUMS, ALONE, *new], "new reports still come in"


def test_what_was_split_off_is_suggested_no_more(opened: Runtime) -> None:
    found = {("FR-2", "FR-1"), ("FR-3", "FR-2"), ("FR-5", "FR-4")}
    assert suggested(opened) == found
    act(opened, cluster_work.split, Axis.TECHNIQUE, technique_of(opened, "FR-2"), ["FR-2"])
    assert suggested(opened) == found, "the technique says nothing of duplicates"
    act(opened, cluster_work.split, Axis.WHOLE, "D-1", ["FR-1", "FR-2"])
    assert suggested(opened) == {("FR-2", "FR-1"), ("FR-5", "FR-4")}
    with opened.store.read() as cursor:
        assert boards.kept_apart(cursor, "FR-3") == {"FR-1", "FR-2"}


def technique_of(runtime: Runtime, report: str) -> str:
    return next(name for name, members in groups(runtime, "technique").items() if report in members)


def suggested(runtime: Runtime) -> set[tuple[str, str]]:
    with runtime.store.read() as cursor:
        found, _ = boards.suggestions(cursor)
    return {(each.pair.later.report_id, each.pair.earlier.report_id) for each in found}


def test_two_clusters_that_are_not_one_never_merge(opened: Runtime) -> None:
    act(opened, cluster_work.keep_apart, Axis.WHOLE, "D-1", "D-4")
    with pytest.raises(Conflict, match="undo that first"):
        act(opened, cluster_work.merge, Axis.WHOLE, "D-1", "D-4")
    assert groups(opened) == {"D-1": SONGS, "D-4": SUMS, "D-6": [ALONE]}


def test_a_cluster_is_accepted_and_cleared_by_one_decision(opened: Runtime) -> None:
    before = states(opened)
    seen = dict.fromkeys(SONGS, 1)
    found = cluster_work.accept(opened.store, POLICY, REVIEWER, "D-1", seen, FLAW)
    assert (set(found.done), found.skipped) == (set(SONGS), ())
    assert states(opened) == {**before, "FR-1": "accepted", "FR-2": "FR-1", "FR-3": "FR-1"}
    with opened.store.read() as cursor:
        score, model = db.rows(cursor, "SELECT score, model_id FROM active_links")[0].values()
    assert 0.5 < score < 1
    assert model == "letters/256"
    with pytest.raises(Conflict, match="FR-2 is a duplicate of FR-1: unlink it first"):
        act(opened, cluster_work.split, Axis.WHOLE, "D-1", ["FR-2"])
    assert found.batch
    bulk.undo_batch(opened.store, REVIEWER, found.batch)
    assert states(opened) == before


def test_the_earliest_that_was_not_withdrawn_leads_a_cluster(opened: Runtime) -> None:
    reporter.withdraw(opened.store, "FR-1")
    before, seen = states(opened), {"FR-1": 3, "FR-2": 1, "FR-3": 1}
    found = cluster_work.accept(opened.store, POLICY, REVIEWER, "D-1", seen, FLAW)
    assert found.done == ("FR-2", "FR-3")
    assert [(skipped.report_id, "submitted first" in skipped.why) for skipped in found.skipped] == [
        ("FR-1", True)
    ]
    assert states(opened) == {**before, "FR-2": "accepted", "FR-3": "FR-2"}


def test_a_decision_says_when_the_report_that_it_is_for_was_not_chosen(opened: Runtime) -> None:
    triage.link(opened.store, REVIEWER, "FR-2", "FR-1")
    before, seen = states(opened), {"FR-2": 2, "FR-3": 1}
    found = cluster_work.accept(opened.store, POLICY, REVIEWER, "D-1", seen, FLAW)
    assert found.done == ("FR-2", "FR-3")
    assert [(skipped.report_id, skipped.why) for skipped in found.skipped] == [
        ("FR-1", "FR-2 is its duplicate, and it is not among these: decide on it by itself")
    ]
    assert states(opened) == {**before, "FR-3": "FR-1"}


def test_members_that_changed_or_left_are_skipped_and_told(opened: Runtime) -> None:
    triage.keep_apart(opened.store, REVIEWER, "FR-1", "FR-3")
    triage.assess(opened.store, POLICY, REVIEWER, "FR-2", FLAW)
    seen = {"FR-1": 1, "FR-2": 1, "FR-3": 1, "FR-4": 1}
    found = cluster_work.accept(opened.store, POLICY, REVIEWER, "D-1", seen)
    assert found.done == ()
    why = {skipped.report_id: skipped.why for skipped in found.skipped}
    assert "left D-1" in why["FR-4"]
    assert "changed by test:mara" in why["FR-2"]
    assert "are not duplicates" in why["FR-3"]


def test_one_assessment_for_chosen_members_can_say_that_they_are_one_group(opened: Runtime) -> None:
    name = next(name for name, members in groups(opened, "technique").items() if "FR-4" in members)
    found = cluster_work.assess(
        opened.store,
        POLICY,
        REVIEWER,
        Axis.TECHNIQUE,
        name,
        dict.fromkeys(SUMS, 1),
        FLAW,
        grouping=cluster_work.SAME,
    )
    assert found.done == tuple(SUMS)
    assert {states(opened)[report] for report in SUMS} == {"accepted"}
    with opened.store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM bound_pairs WHERE axis = 'technique'") == 1
    assert found.batch
    taken = bulk.undo_batch(opened.store, REVIEWER, found.batch)
    assert set(taken.done) == set(SUMS)
    with opened.store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM bound_pairs") == 0


def test_what_cannot_be_meant_is_refused(opened: Runtime) -> None:
    with pytest.raises(Refused, match="somebody must stay"):
        act(opened, cluster_work.split, Axis.WHOLE, "D-1", SONGS)
    with pytest.raises(Refused, match="at least one"):
        act(opened, cluster_work.confirm, Axis.WHOLE, "D-1", [])
    with pytest.raises(Conflict, match="FR-4 left D-1"):
        act(opened, cluster_work.confirm, Axis.WHOLE, "D-1", ["FR-1", "FR-4"])
    with pytest.raises(NotFound, match="no cluster 'D-9'"):
        act(opened, cluster_work.merge, Axis.WHOLE, "D-1", "D-9")
    with pytest.raises(NotAllowed):
        cluster_work.merge(
            opened.store, Actor("o", "O", frozenset({DeskRole.OPERATOR})), Axis.WHOLE, "D-1", "D-4"
        )


class TestChains:
    """A report with duplicates of its own becomes a duplicate: they follow, and come back with it."""

    @pytest.fixture
    def linked(self, opened: Runtime) -> Runtime:
        triage.link(opened.store, REVIEWER, "FR-3", "FR-2")
        triage.link(opened.store, REVIEWER, "FR-5", "FR-2")
        triage.link(opened.store, REVIEWER, "FR-2", "FR-1")
        assert states(opened) | {"FR-6": "new"} == {
            "FR-1": "new", "FR-2": "FR-1", "FR-3": "FR-1", "FR-4": "new", "FR-5": "FR-1", "FR-6": "new",
        }  # fmt: skip
        return opened

    def test_unlinking_gives_them_back(self, linked: Runtime) -> None:
        triage.unlink(linked.store, REVIEWER, "FR-2")
        assert (states(linked)["FR-2"], states(linked)["FR-3"], states(linked)["FR-5"]) == (
            "new",
            "FR-2",
            "FR-2",
        )
        undo(linked.store, REVIEWER, opened_last(linked, "report.unlinked"))
        assert [states(linked)[name] for name in ("FR-2", "FR-3", "FR-5")] == ["FR-1"] * 3

    def test_one_undo_gives_them_back_and_one_more_takes_them_again(self, linked: Runtime) -> None:
        undo(linked.store, REVIEWER, opened_last(linked, "report.linked"))
        assert [states(linked)[name] for name in ("FR-2", "FR-3", "FR-5")] == ["new", "FR-2", "FR-2"]
        undo(linked.store, REVIEWER, linked.store.revision)
        assert [states(linked)[name] for name in ("FR-2", "FR-3", "FR-5")] == ["FR-1"] * 3

    def test_a_follower_that_is_unlinked_stands_alone(self, linked: Runtime) -> None:
        triage.unlink(linked.store, REVIEWER, "FR-3")
        assert states(linked)["FR-3"] == "new"
        triage.unlink(linked.store, REVIEWER, "FR-2")
        assert [states(linked)[name] for name in ("FR-2", "FR-3", "FR-5")] == ["new", "new", "FR-2"]

    def test_a_follower_does_not_go_back_alone(self, linked: Runtime) -> None:
        seq = opened_last(linked, "report.linked") - 1  # of a follower
        with pytest.raises(Conflict, match=r"report\.linked FR-2"):
            undo(linked.store, REVIEWER, seq)

    def test_a_pair_said_to_differ_among_the_followers_stops_the_link(self, opened: Runtime) -> None:
        triage.link(opened.store, REVIEWER, "FR-3", "FR-2")
        triage.keep_apart(opened.store, REVIEWER, "FR-3", "FR-1")
        with pytest.raises(Conflict, match="FR-1 and FR-3 are not duplicates"):
            triage.link(opened.store, REVIEWER, "FR-2", "FR-1")

    def test_two_duplicates_of_one_report_cannot_be_said_to_differ(self, linked: Runtime) -> None:
        with pytest.raises(Conflict, match="put together"):
            triage.keep_apart(linked.store, REVIEWER, "FR-3", "FR-5")


@pytest.mark.parametrize("axis", Axis)
def test_beyond_close_reading_people_are_obeyed_too(opened: Runtime, axis: Axis) -> None:
    opened.likeness = Likeness(opened.store, LetterEmbedder, opened.settings.model, 0)
    opened.likeness.rebuild(EVERYBODY, accept=True)
    before = groups(opened, axis)
    home = {report: name for name, members in before.items() for report in members}
    if len(before[home["FR-1"]]) > 1:
        act(opened, cluster_work.split, axis, home["FR-1"], ["FR-1"])
        assert ["FR-1"] in groups(opened, axis).values()
        undo(opened.store, REVIEWER, opened_last(opened, "group.decided"))
        assert groups(opened, axis) == before
    act(opened, cluster_work.merge, axis, home["FR-1"], home["FR-6"])
    merged = sorted({*before[home["FR-1"]], *before[home["FR-6"]]})
    assert merged in groups(opened, axis).values()
    undo(opened.store, REVIEWER, opened_last(opened, "group.decided"))
    assert groups(opened, axis) == before
