"""Whatever story is told: what each person sees agrees with what others see, with what was told, and the rules."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.making import EVERYBODY
from tests.property.stories import PROFILES, Story
from triage_core import db, queries, told, trends
from triage_core.api import reports as api
from triage_core.channel import messages, promises, tracking
from triage_core.channel.messages import REPORTER, Direction, Kind
from triage_core.desk import activity, undo
from triage_core.disclosure import embargo_board, embargoes, sharing
from triage_core.disclosure.embargo_board import Show
from triage_core.exporters import catalog, folder, profiles
from triage_core.lifecycle import fix_deployed
from triage_core.model import Resolution, Status
from triage_core.outgoing import notices, outbox
from triage_core.outgoing.notices import Notice
from triage_core.rewards import batches, bounty, dismissals, entitlements, payments, rewards, spending
from triage_core.rewards.reward_rules import SPENT, STANDING, VALUED

pytestmark = pytest.mark.slow

OF_PROPOSALS = {Kind.EMBARGO_PROPOSED, Kind.EMBARGO_TAKEN_BACK, Kind.EMBARGO_REFUSED, Kind.EMBARGO_REOPENED}
OF_FIXES = {Kind.FIX_MARKED, Kind.FIX_REOPENED}
OF_REWARDS = {
    "approved": {Kind.REWARD_APPROVED, Kind.REWARD_UNPAID},
    "paid": {Kind.REWARD_PAID, Kind.REWARD_GIVEN},
    "declined": {Kind.REWARD_DECLINED},
    "proposed": {Kind.REWARD_REOPENED},
    "withdrawn": {Kind.REWARD_REOPENED},
}
WORDS_OF_PEOPLE = {Kind.QUESTION, Kind.ANSWER}


@dataclass(frozen=True)
class Waiting:
    """What the tracking page says of a waiting period."""

    active: bool = False
    end: datetime | None = None
    proposed: datetime | None = None
    by: str = ""


@dataclass
class Judge:
    """Looks at a story after each step; remembers what it saw at the step before."""

    story: Story
    waiting: dict[str, Waiting] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    rewards: dict[int, str] = field(default_factory=dict)
    waited: bool = False
    touched: list[str] = field(default_factory=list)
    own: set[str] = field(default_factory=set)
    seq: int = 0
    collected: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def look(self, did: str) -> None:
        self.waited = did == "wait"
        with self.story.store.read() as cursor:
            self.cursor, self.now = cursor, self.story.clock.now
            found = db.rows(cursor, "SELECT subject, actor_id FROM events WHERE seq > ?", [self.seq])
            self.own = {row["subject"] for row in found if row["actor_id"] == REPORTER.actor_id}
            subjects = {row["subject"] for row in found}
            self.touched = [
                name for name in self.story.ids if name in subjects or self.waited or self.ended(name)
            ]
            for name in self.touched:
                self.reporter_sees(name)
            self.disclosure_agrees()
            self.money_adds_up()
            if self.touched:
                self.bounties_can_be_decided(did)
            self.thanks_are_due()
            if did == "build":
                self.datasets_hold_what_they_may()
            if did == "collect":
                self.who_has_news_is_written_to()
        self.seq = self.story.store.revision

    # ------------------------------------------------------------------ the reporter

    def reporter_sees(self, name: str) -> None:
        found = tracking.view(self.cursor, name, self.now)
        thread = messages.thread(self.cursor, name)
        new = [one for one in thread[self.heard.get(name, 0) :] if one["direction"] == Direction.TO_REPORTER]
        self.kinds.update(one["kind"] for one in new)
        for one in new:
            assert one["kind"] in WORDS_OF_PEOPLE or "SENTINEL" not in one["text"]
        shown = json.loads(json.dumps(api._tracked(found)))
        assert shown["status"] == found.status
        assert [one["text"] for one in shown["messages"]] == [one["text"] for one in thread]
        assert (shown["next_due"] is None) == (found.next_due is None)
        waiting = self.shown(found)
        if name in self.waiting:
            self.waiting_period(name, self.waiting[name], waiting, new)
        self.waiting[name], self.heard[name] = waiting, len(thread)
        self.fix(name, thread)
        self.reward(name, found, thread)

    def ended(self, name: str) -> bool:
        """Whether time alone has ended what was in force at the step before."""
        was = self.waiting.get(name, Waiting())
        return was.active and was.end is not None and was.end <= self.now

    @staticmethod
    def shown(found: tracking.Tracked) -> Waiting:
        held = found.embargo
        if held is None:
            return Waiting()
        end = held.ends_at if held.active else held.exited_at or held.ends_at
        if held.proposed_end and (held.active or held.state == "proposed"):
            return Waiting(held.active, end, held.proposed_end, held.proposed_by)
        return Waiting(held.active, end)

    def waiting_period(self, name: str, was: Waiting, now: Waiting, new: list[db.Row]) -> None:
        ends = [one["text"] for one in new if one["kind"] == Kind.EMBARGO_CHANGED]
        said = OF_PROPOSALS & {one["kind"] for one in new}
        another = was.active != now.active or (now.active and was.end != now.end)
        silent = name in self.own or self.waited or self.ended(name)
        if another and not silent:
            assert ends, (name, was, now)
        if ends and now.end:
            assert f"{now.end:%Y-%m-%d %H:%M} UTC" in ends[-1], (name, now, ends)
        changed = (was.proposed, was.by) != (now.proposed, now.by)
        lapsed = was.proposed is not None and was.proposed <= self.now
        if changed and not silent and not lapsed:
            assert ends or said, (name, was, now)
        assert changed or not said or was.active != now.active, (name, was, now, said)

    def fix(self, name: str, thread: list[db.Row]) -> None:
        """Who was never a duplicate, and withdrew nothing, was told last how it stands."""
        elsewhere = db.value(
            self.cursor,
            "SELECT count(*) FROM events WHERE subject = ? AND kind IN ('report.linked', 'report.withdrawn')",
            [name],
        )
        case = db.row(self.cursor, "SELECT status, resolution FROM cases WHERE report_id = ?", [name])
        assert case
        resolution = Resolution(case["resolution"]) if case["resolution"] else None
        if elsewhere:
            return
        last = [one["kind"] for one in thread if one["kind"] in OF_FIXES][-1:]
        assert (last == [Kind.FIX_MARKED]) == fix_deployed(Status(case["status"]), resolution), (
            name,
            case,
            last,
        )

    def reward(self, name: str, found: tracking.Tracked, thread: list[db.Row]) -> None:
        rows = db.rows(
            self.cursor, "SELECT * FROM present_rewards WHERE report_id = ? ORDER BY reward_no", [name]
        )
        decided = [row for row in rows if row["state"] in {"approved", "paid", "declined"}]
        assert [(one["state"], one["amount"]) for one in found.rewards] == [
            (row["state"], row["amount"]) for row in decided
        ]
        last = [one["kind"] for one in thread if one["kind"].startswith("reward_")][-1:]
        if len(rows) == 1:
            assert set(last) <= OF_REWARDS[rows[0]["state"]], (name, rows, last)
            assert last or not decided

    # ------------------------------------------------------------------ the disclosure lead

    def disclosure_agrees(self) -> None:
        running = {
            row["report_id"]: row
            for row in embargo_board.page(self.cursor, Show.RUNNING, self.now, size=1_000)
        }
        active = {name for name, one in self.waiting.items() if one.active}
        assert active == {name for name, row in running.items() if row["state"] != "proposed"}
        assert all(running[name]["binding_end"] == self.waiting[name].end for name in active)
        for name in self.touched:
            card = embargo_board.one(self.cursor, name)
            assert card
            assert name not in active or card["binding_end"] == self.waiting[name].end
            view = queries.report(self.cursor, name).embargo
            assert (view and view["binding_end"]) == (card["state"] and card["binding_end"])
        week = timedelta(days=7)
        soon = {name for name in active if (self.waiting[name].end or self.now) <= self.now + week}
        assert soon == {one["report_id"] for one in embargoes.reminders(self.cursor, self.now)}
        listed = queries.Filter(only=queries.Only.EMBARGO, at=self.now)
        assert soon == set(queries.queue(self.cursor, listed, queries.Sort.OLDEST))
        ending = trends.embargo_ends(self.cursor, trends.Window(self.now), weeks=40)
        assert sum(row["ending"] for row in ending) == len(active)

    # ------------------------------------------------------------------ the budget holder

    def money_adds_up(self) -> None:
        rows = db.rows(self.cursor, "FROM present_rewards")
        standing = Counter((row["report_id"], row["kind"]) for row in rows if row["state"] in STANDING)
        assert max(standing.values(), default=1) == 1
        spent = {
            state: sum(
                (row["amount"] for row in rows if row["state"] == state and row["kind"] in SPENT), Decimal(0)
            )
            for state in ("paid", "approved")
        }
        assert spending.spend(self.cursor, self.now.year) == spent
        months = spending.spend_by_month(self.cursor, self.now.year)
        assert {state: sum(month[state] for month in months) for state in spent} == spent
        gone = dismissals.since(self.cursor)
        to_pay = {row["reward_no"]: row for row in payments.to_pay(self.cursor)}
        out = {row["reward_no"]: row for row in rows if batches.sent(self.cursor, row["reward_no"])}
        assert not to_pay.keys() & out.keys()
        assert {row["state"] for row in out.values()} <= {"approved", "paid"}
        assert {number for number, row in to_pay.items() if row["dismissed"]} == to_pay.keys() & gone.keys()
        due = [*to_pay.values(), *(row for row in out.values() if row["state"] == "approved")]
        assert sum((row["amount"] for row in due), Decimal(0)) == spent["approved"]
        total = batches.page(self.cursor)[1]
        files = [batches.read(self.cursor, number)["file"] for number in range(1, total + 1)]
        listed = [row["reward"] for file in files for row in csv.DictReader(io.StringIO(file))]
        inside = [row["reward_no"] for n in range(total) for row in batches.rewards_of(self.cursor, n + 1)]
        assert sorted(map(int, listed)) == sorted(inside)
        for row in rows:
            if row["state"] in {"proposed", "approved"} and row["reward_no"] not in gone:
                flaw = db.row(
                    self.cursor,
                    "SELECT c.* FROM cases o JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)"
                    " WHERE o.report_id = ?",
                    [row["report_id"]],
                )
                assert flaw
                assert flaw["severity"] in {"low", "medium", "high", "critical"}
                assert flaw["status"] not in {"new", "needs_info", "triaged"}
                assert flaw["resolution"] in {None, "resolved_fixed", "resolved_mitigated", "accepted_risk"}
        for row in rows:
            if row["state"] == "approved" and self.rewards.get(row["reward_no"]) != "approved":
                may = entitlements.entitlement(self.cursor, self.story.policy, row["report_id"])
                same = [
                    one["amount"] for one in rows
                    if one["report_id"] == row["report_id"] and one["state"] in STANDING and one["kind"] in VALUED
                ]  # fmt: skip
                assert row["amount"] is None or may.least <= row["amount"] <= sum(same) <= may.most, row
                proposer = db.value(
                    self.cursor, "SELECT actor_id FROM rewards WHERE reward_id = ?", [row["reward_no"]]
                )
                assert proposer != row["actor_id"]
        self.rewards = {row["reward_no"]: row["state"] for row in rows}

    def bounties_can_be_decided(self, did: str) -> None:
        late = bounty.late(self.cursor, self.now)
        waiting = {row["report_id"] for row in rewards.candidates(self.cursor, size=1_000)[0]}
        waiting |= {row["report_id"] for row in rewards.board(self.cursor, ["proposed"], size=1_000)[0]}
        # What was proposed and withdrawn, or reopened after a decision, is found by its own card.
        for name, _ in late:
            assert name in waiting, name
            assert entitlements.entitlement(self.cursor, self.story.policy, name)
        if did not in {"collect", "wait"}:
            return
        digest = outbox.digest(self.cursor, self.story.policy.clocks, self.now, self.now - timedelta(days=1))
        assert [name for name, _ in digest["bounty_late"]["reports"]] == [name for name, _ in late]
        assert "SENTINEL" not in notices.message("k", Notice.DIGEST, digest).body

    # ------------------------------------------------------------------ everybody

    def thanks_are_due(self) -> None:
        named = {one.name for one in promises.thanks(self.cursor, self.now)}
        for name in named:
            report_id = self.story.ids[int(name.rpartition(" ")[2])]
            case = db.row(self.cursor, "SELECT * FROM cases WHERE report_id = ?", [report_id])
            assert case
            assert case["status"] in {"fixed", "retest"} or case["resolution"] == "resolved_fixed"
            assert not self.waiting[report_id].active

    # ------------------------------------------------------------------ the ML engineer

    def datasets_hold_what_they_may(self) -> None:
        for version in catalog.latest(self.cursor):
            if version.created_at != self.now or version.name not in PROFILES:
                continue
            use = profiles.get(version.manifest["profile"]).use
            held = folder.report_ids(version.folder, "rich", "jsonl")
            for name in held:
                assert sharing.why_not(self.cursor, name, use, self.now) is None
                case = db.row(
                    self.cursor, "SELECT resolution, assessment_id FROM cases WHERE report_id = ?", [name]
                )
                assert case
                assert case["assessment_id"]
                assert case["resolution"] not in {"withdrawn", "duplicate"}
                texts = [one["text"] for one in messages.thread(self.cursor, name)]
                assert (
                    f"Your report is in version {version.version} of the training set {version.name}."
                    in texts
                )

    # ------------------------------------------------------------------ e-mail

    def who_has_news_is_written_to(self) -> None:
        """Every reporter with an address to whom something was written, or whose report moved on by another's act."""
        values = {"since": self.collected}
        moved = db.rows(
            self.cursor,
            "SELECT DISTINCT subject FROM events WHERE seq > $since AND (kind IN ('report.told', 'report.asked')"
            " OR (contains(data, '\"status\":') AND kind NOT IN ('report.withdrawn', 'report.answered')))",
            values,
        )
        addressed = {
            row["report_id"]
            for row in db.rows(
                self.cursor,
                "SELECT report_id FROM reports JOIN reporters USING (reporter_id) WHERE contact LIKE '%@example.org'",
            )
        }
        queued = db.rows(
            self.cursor,
            "SELECT data, subject FROM events WHERE seq > $since AND kind = 'notice.queued'",
            values,
        )
        news = {row["subject"].split(":")[1] for row in queued if row["subject"].startswith("news:")}
        assert news == {row["subject"] for row in moved} & addressed
        facts = db.rows(self.cursor, "SELECT message_key, kind, facts FROM outbox")
        for row in facts:
            made = notices.message(row["message_key"], Notice(row["kind"]), json.loads(row["facts"]))
            assert "SENTINEL" not in made.subject + made.body
        self.collected = self.story.store.revision


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_everybody_sees_the_same_story(tmp_path: Path, seed: int) -> None:
    story = Story(tmp_path, seed)
    judge = Judge(story)
    judge.look("collect")
    steps = []
    for _ in range(100):
        steps.append(story.step())
        try:
            judge.look(steps[-1])
        except AssertionError as error:
            raise AssertionError(f"after {steps[-12:]}: {error}") from error
    with story.store.read() as cursor:
        assert told.disagreements(cursor) == []
        for event in activity.events(cursor, activity.Filter(), size=100)[0]:
            assert isinstance(undo.obstacle(cursor, event.seq), str)
            assert isinstance(undo.may(EVERYBODY, event), bool)
    story.store.verify()
    story.store.close()
    assert {"assess", "build", "link", "move", "undo"} <= story.done.keys()
    assert len(judge.kinds) > 4, "a story in which nobody is told anything proves nothing"
