"""The demo is whole after a start that was cut short, shows every person's job, and touches nothing of anybody's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, Clock, bring, open_runtime
from triage_core import db, demo, demo_acts, queries
from triage_core.advisories import advisory_board
from triage_core.channel import promises
from triage_core.desk import looks, triage
from triage_core.disclosure import embargo_board
from triage_core.disclosure.embargo_board import Show
from triage_core.errors import Refused
from triage_core.rewards import batches
from triage_core.runtime import SYSTEM, Runtime

REPORTS = 30
FILES = ("decisions", "acts")
MAYBE_NOTHING = {"answer_looks", "ask_look"}  # of what the lot draws, nobody knows beforehand
NOWS = {
    "a Friday": datetime(2026, 11, 27, 8, 20, tzinfo=UTC),
    "a Sunday night": datetime(2026, 6, 14, 23, 50, tzinfo=UTC),
    "a Monday after holidays": datetime(2027, 1, 4, 0, 10, tzinfo=UTC),
}


def lines(name: str, folder: Path = demo.FOLDER) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The first reports of the demo, with what concerns them alone."""
    made = tmp_path / "demo"
    made.mkdir()
    names = {line["external_id"] for line in lines("reports")[:REPORTS]}
    for name in ("reports", *FILES):
        kept = [
            line
            for line in lines(name)
            if {line["external_id"], line.get("duplicate_of", line["external_id"])} <= names
        ]
        (made / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in kept), "utf-8")
    return made


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    made = open_runtime(tmp_path / "store")
    yield made
    made.close()


def done(opened: Runtime) -> list[db.Row]:
    """What was recorded, in order, but for what the lot has drawn."""
    with opened.store.read() as cursor:
        return db.rows(
            cursor,
            "SELECT kind, subject, actor_id, done_at FROM events WHERE NOT starts_with(kind, 'look.') ORDER BY seq",
        )


@pytest.mark.parametrize("cuts", [(4,), (1, 30, 31)])
def test_a_start_that_was_cut_short_is_made_good(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, cuts: tuple[int, ...]
) -> None:
    whole = open_runtime(tmp_path / "whole", clock=Clock())
    demo.load_demo(whole, folder)
    expected = done(whole)
    whole.close()
    perform, calls = demo_acts.perform, []

    def cut_short(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) in cuts:
            raise KeyboardInterrupt
        perform(*arguments)

    clock = Clock()
    opened = open_runtime(tmp_path / "cut", clock=clock)
    with monkeypatch.context() as crash:
        crash.setattr(demo_acts, "perform", cut_short)
        for _ in cuts:
            with pytest.raises(KeyboardInterrupt):
                demo.load_demo(opened, folder)
    clock.forward(seconds=40)
    assert demo.load_demo(opened, folder) == REPORTS
    assert done(opened) == expected
    assert len(calls) == max(cuts)
    revision = opened.store.revision
    assert demo.load_demo(opened, folder) == REPORTS
    assert opened.store.revision == revision
    opened.close()


def test_a_store_in_which_somebody_works_is_left_alone(opened: Runtime, folder: Path) -> None:
    demo.load_demo(opened, folder)
    with opened.store.read() as cursor:
        linked = db.value(cursor, "SELECT report_id FROM cases WHERE canonical_id IS NOT NULL")
    triage.unlink(opened.store, EVERYBODY, linked, reason="They differ.")
    revision = opened.store.revision
    assert demo.load_demo(opened, folder) == 0
    assert opened.store.revision == revision


def test_whoever_looks_at_the_demo_is_not_of_its_cast(
    opened: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_acts, "perform", lambda *arguments: None)
    demo.load_demo(opened, folder)
    monkeypatch.undo()
    with opened.store.read() as cursor:
        report_id = triage.find(cursor, lines("decisions", folder)[0]["external_id"])
    triage.keep_apart(opened.store, demo_acts.VISITOR, report_id, "FR-30", reason="Two flaws.")
    assert demo.load_demo(opened, folder) == 0
    assert len(done(opened)) == 1 + REPORTS + 1


def test_a_store_with_other_reports_is_left_alone(opened: Runtime, folder: Path) -> None:
    bring(opened.store, {"external_id": "own", "turns": [{"role": "user", "content": "Our own"}]})
    assert demo.load_demo(opened, folder) == 0
    assert len(done(opened)) == 2


def test_what_another_policy_refuses_is_left_out(
    opened: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **named: Any) -> None:
        raise Refused("amount", "must lie in another band")

    monkeypatch.setattr(demo_acts.rewards, "propose", refuse)
    assert demo.load_demo(opened, folder) == REPORTS
    kinds = {event["kind"] for event in done(opened)}
    assert "report.assessed" in kinds
    assert not any(kind.startswith("reward.") for kind in kinds)


@pytest.fixture(scope="module", params=NOWS, ids=list(NOWS))
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """All of the demo, loaded at one of several moments."""
    made = open_runtime(tmp_path_factory.mktemp("whole"), clock=Clock(NOWS[request.param]))
    demo.load_demo(made)
    yield made
    made.close()


def test_every_act_is_done_at_its_moment_and_recorded_in_order(whole: Runtime) -> None:
    with whole.store.read() as cursor:
        sql = "SELECT done_at FROM events WHERE NOT list_contains(?, actor_id) ORDER BY seq"
        loading = [demo.IMPORTER.actor_id, SYSTEM.actor_id]
        times = [row["done_at"] for row in db.rows(cursor, sql, [loading])]
        found = db.rows(cursor, "SELECT external_id, received_at FROM reports")
    received = {row["external_id"]: row["received_at"] for row in found}
    assert times == sorted(times)
    missing = [
        line
        for name in FILES
        for line in lines(name)
        if received[line["external_id"]] + timedelta(hours=line["after_hours"]) not in set(times)
        and line.get("act") not in MAYBE_NOTHING
    ]
    assert missing == []
    assert whole.store.verify() > len(times)


def test_the_desk_keeps_its_clocks_mostly_and_leaves_some_to_decide(whole: Runtime) -> None:
    now = whole.store.clock()
    with whole.store.read() as cursor:
        kept = promises.looking(cursor, now)
        late = (
            "SELECT count(*) FROM cases WHERE status IN ('new', 'needs_info', 'triaged')"
            " AND (coalesce(first_response_at, $now) > response_due OR coalesce(triaged_at, $now) > triage_due)"
        )
        overdue = db.value(cursor, late, {"now": db.naive(now)})
        waiting = queries.count(cursor, queries.Filter(status=queries.OPEN_STATES))
    for clock in (kept.first_response, kept.triage):
        assert 0.85 <= clock.inside / clock.counted <= 0.97
    assert 0.75 <= kept.longer.fix.inside / kept.longer.fix.counted < 1
    assert 1 <= overdue <= 12
    assert 100 <= waiting <= 150


def test_every_person_finds_something_to_do(whole: Runtime) -> None:
    with whole.store.read() as cursor:
        embargoes = embargo_board.counts(cursor, whole.store.clock())
        ends = {row["exit_reason"] for row in db.rows(cursor, "SELECT DISTINCT exit_reason FROM embargoes")}
        given = {
            (row["kind"], row["state"])
            for row in db.rows(cursor, "SELECT DISTINCT kind, state FROM present_rewards")
        }
        sent, _ = batches.page(cursor)
        seconds = looks.counts(cursor, demo_acts.VISITOR.actor_id)
        thanked = promises.thanks(cursor, whole.store.clock())
        mine = db.value(
            cursor, "SELECT count(*) FROM cases WHERE assigned_to = ?", [demo_acts.VISITOR.actor_id]
        )
        asked = db.value(cursor, "SELECT count(*) FROM cases WHERE status = 'needs_info'")
        told = advisory_board.board(cursor, advisory_board.Show.OPEN, whole.store.clock()).counts
    assert embargoes[Show.FOR_US] >= 1
    assert embargoes[Show.FOR_REPORTER] >= 1
    assert embargoes[Show.SHOULD_END] == 1
    assert {"fixed", "public"} <= ends
    cash = {("cash", state) for state in ("proposed", "approved", "paid", "declined")}
    assert cash | {("donation", "paid"), ("credits", "paid")} <= given
    assert [batch["waiting"] > 0 for batch in sent] == [True, False, False, False]
    assert seconds.mine >= 2
    assert seconds.disputed == 1
    assert len(thanked) >= 10
    assert mine >= 2
    assert asked == 1
    for show in advisory_board.Show.OPEN, advisory_board.Show.ANSWERED:
        assert told[show] == 2
    for show in advisory_board.Show.ASKED, advisory_board.Show.DECLINED, advisory_board.Show.CLOSED:
        assert told[show] == 1


def test_the_visitor_reads_what_reporters_wrote(whole: Runtime) -> None:
    with whole.store.read() as cursor:
        wrote = queries.count(cursor, queries.Filter(only=queries.Only.WROTE, at=whole.store.clock()))
    assert 2 <= wrote <= 6
