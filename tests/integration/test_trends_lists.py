"""Every number of a chart has the list of the reports that it counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.dated import MONDAY, NOW, came, came_all, decide
from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, bring, make_report
from triage_core import queries, trends
from triage_core.channel import apikeys, intake, reportformat
from triage_core.counted import WITHOUT_KEY, Counted, Moment
from triage_core.desk import triage
from triage_core.lifecycle import Trigger
from triage_core.model import Channel
from triage_core.trends import Dimension, Window


def test_fixes_by_severity_have_their_lists(store, ask):
    for report_id in came_all(store, (NOON - timedelta(days=days) for days in (70, 80))):
        decide(store, report_id, 1, FLAW)
    late = {row["severity"]: row["fix_late"] for row in ask(trends.fixes_by_severity, NOW)}
    assert late == {"critical": 0, "high": 0, "medium": 2, "low": 0}
    chosen = queries.Filter(only=Counted.FIX_LATE, at=NOON, severity=["medium"])
    assert ask(queries.count, chosen) == 2


def test_sources_are_told_apart_by_door_key_and_who_sent(store, ask):
    numbers = [apikeys.add(store, EVERYBODY, product)[0] for product in ("Kite Travel", "Lumen Tutor")]
    sent: list[tuple[Channel, int | None, str | None, str]] = [
        (Channel.FORM, None, None, "one@example.org"),
        (Channel.FORM, None, None, "one@example.org"),
        (Channel.API, numbers[0], "its own name", ""),
        (Channel.API, numbers[1], None, " ONE@example.org "),
        (Channel.API, numbers[1], None, "two@example.org"),
        (Channel.API, None, "7:key:no key", ""),
        (Channel.IMPORT, None, None, ""),
    ]
    batch = [
        intake.incoming(reportformat.parse(make_report(f"Report {n}", contact=contact)), channel, name, key)
        for n, (channel, key, name, contact) in enumerate(sent)
    ]
    intake.receive_all(store, POLICY, batch)
    rows = ask(trends.sources, NOW)
    kinds = (Counted.NO_CONTACT, Counted.FIRST_TIME, Counted.RETURNING)
    found = {(row["door"], row["api_key"]): tuple(row[kind] for kind in kinds) for row in rows}
    assert found == {
        ("form", None): (0, 1, 1),
        ("api", numbers[0]): (1, 0, 0),
        ("api", numbers[1]): (0, 1, 1),
        ("api", None): (1, 0, 0),
        ("import", None): (1, 0, 0),
    }
    assert {row["product"] for row in rows} == {None, "Kite Travel", "Lumen Tutor"}
    for (door, key), counts in found.items():
        by_key = {"api_key": str(key or WITHOUT_KEY)} if door == "api" else {}
        for kind, count in zip(kinds, counts, strict=True):
            chosen = queries.Filter(channel=[door], only=kind, at=NOON, **by_key)
            assert ask(queries.count, chosen) == count, (door, key, kind)
    then = {(row["door"], row["api_key"]): row for row in ask(trends.sources, NOW.back(26), NOW)}
    assert {key: tuple(row[f"then_{kind}"] for kind in kinds) for key, row in then.items()} == found
    assert {row[kind] for row in then.values() for kind in kinds} == {0}
    *shown, rest = ask(trends.sources, NOW, None, 2)
    assert ([row["door"] for row in shown], rest["door"], rest["no_contact"]) == (["api", "form"], None, 3)
    without = [row["source"] for row in shown]
    chosen = queries.Filter(other="source", without=without, only=Counted.NO_CONTACT, at=NOON)
    assert ask(queries.count, chosen) == 3
    assert ask(trends.sources, Window(NOON, None, ("Other",))) == []


def test_every_count_has_its_list(store, ask):
    first = came(store, MONDAY, "Tell me the code.")
    came(store, MONDAY + timedelta(minutes=1), "Tell me the code.")
    linked = came(store, MONDAY + timedelta(minutes=2), "Which code?", product="Lumen Tutor")
    triage.link(store, REVIEWER, linked, first, now=MONDAY + timedelta(hours=1))
    decide(store, came(store, MONDAY + timedelta(minutes=3)), 1)
    came(store, MONDAY - timedelta(weeks=3))
    for minutes, version in ((4, ""), (5, "2")):
        at = MONDAY + timedelta(minutes=minutes)
        line = make_report(f"Again {version}", submitted_at=at.isoformat(), system=[{"version": version}])
        back = bring(store, line)[0]
        decide(store, back, 1)
        triage.move(store, REVIEWER, back, Trigger.REOPEN, now=NOON)
    head, known, closed = ask(trends.figures, NOW), ask(trends.known_by_week, NOW), ask(trends.closures, NOW)

    def listed(only: Counted, **more: Any) -> int:
        return ask(queries.count, queries.Filter(only=only, at=NOON, **more))

    week = {"since": MONDAY, "until": NOON}
    assert listed(Counted.KNOWN) == head.known == 2
    assert listed(Counted.RESPONSE) == head.first_response.counted == 5
    assert listed(Counted.ANSWERED) == listed(Counted.TRIAGED) == 4
    assert listed(Counted.TRIAGE_INSIDE) == head.triage.inside
    assert listed(Counted.TRIAGE_LATE) == head.triage.late > 0
    assert listed(Counted.RESPONSE_LATE) == head.first_response.late
    assert listed(Counted.FRESH, **week) == known[-1]["fresh"] == 4
    for kind in (Counted.BY_CLAUSE, Counted.BY_LINK, Counted.BY_NEITHER):
        assert listed(kind, moment=Moment.CLOSED, **week) == closed[-1][kind], kind
    assert listed(Counted.NO_TECHNIQUE) == 7
    came_back = ask(trends.come_back, NOW)
    assert [row["version"] for row in came_back] == ["", "2"]
    for row in came_back:
        version = [row["version"]]
        again = listed(Counted.REOPENED, moment=Moment.REOPENED, model_version=version, **week)
        assert again == row["reopened"] == 1
        assert listed(Counted.REGRESSION, model_version=version, **week) == row["regression"] == 0
    then = ask(trends.come_back, NOW.back(26), NOW)
    assert [(row["version"], row["reopened"], row["then_reopened"]) for row in then] == [
        ("", 0, 1),
        ("2", 0, 1),
    ]


def test_all_others_have_their_list(store, ask):
    for number, (product, version, harms) in enumerate(
        [
            ("Kite Travel", "1", ["other"]),
            ("Kite Travel", "1", ["other"]),
            ("Lumen Tutor", "2", ["misinformation", "discrimination"]),
            ("", "", ["not_sure"]),
        ]
    ):
        at = (MONDAY + timedelta(minutes=number)).isoformat()
        system = [{"platform": product, "version": version}]
        bring(store, make_report(f"Number {number}", submitted_at=at, system=system, harm_types=harms))
    for dimension in (Dimension.PRODUCT, Dimension.VERSION, Dimension.HARM):
        found = ask(trends.volume, NOW, dimension, 1)
        assert found.values[1:] == (None,)
        rest = queries.Filter(other=dimension, without=[found.values[0]])
        assert found.total(1) == ask(queries.count, rest) == 2, dimension
    assert ask(queries.count, queries.Filter(other=Dimension.TECHNIQUE, without=[""])) == 0
    assert ask(queries.count, queries.Filter(other=Dimension.TECHNIQUE, without=["a family"])) == 4
    assert ask(queries.count, queries.Filter(other=Dimension.CHANNEL, without=["form"])) == 4


def test_the_ages_of_the_backlog_are_lists(store, ask):
    for days in (0, 2, 3, 8, 31, 91):
        came(store, NOON - timedelta(days=days))
    for band, row in enumerate(ask(trends.backlog, NOW)):
        since, until = trends.age_bounds(NOW, band)
        chosen = queries.Filter(status=queries.OPEN_STATES, since=since, until=until)
        assert ask(queries.count, chosen) == row["to_decide"] + row["in_work"], row["label"]
