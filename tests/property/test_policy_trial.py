"""The dry run tells what a real change brings: random drafts, published on a copy of the store and decided again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.making import EVERYBODY, POLICY, REVIEWER, bring, make_report, open_runtime
from triage_core import db
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.errors import InvalidPolicy, NotFound
from triage_core.guidance import policies, policy_drafts, policy_text, policy_trial
from triage_core.guidance.tables import PRIORITY_CSV, SEVERITY_CSV
from triage_core.model import (
    Actor,
    DeskRole,
    Exploitation,
    Exposure,
    Generality,
    Harm,
    Reliability,
    Severity,
    SeverityInputs,
    Uplift,
)
from triage_core.runtime import Runtime

SECOND = Actor("test:ben", "Ben", frozenset({DeskRole.POLICY_OWNER}))
INPUTS = tuple(
    SeverityInputs(harm, exposure, generality, reliability, uplift)
    for harm, exposure, generality, reliability, uplift in zip(
        list(Harm) * 6, list(Exposure) * 10, list(Generality) * 10, list(Reliability) * 10, list(Uplift) * 15,
        strict=True,
    )
)  # fmt: skip


def decisions() -> Iterator[Decision]:
    seen = list(Exploitation)
    for at, inputs in enumerate(INPUTS):
        yield Decision(("IN-1", "IN-2") if at % 3 else ("IN-3",), inputs, exploitation=seen[at % 3])
    for clause in ("EXP-1", "OOS-1", "RTE-1"):
        yield Decision((clause,))
    yield Decision(("IN-4",), INPUTS[0], override=Severity.HIGH, override_reason="It hurt somebody.")
    yield Decision(
        ("IN-4",), INPUTS[0], override=POLICY.severity(INPUTS[0]), override_reason="As the table says."
    )


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store with a decision for each of many inputs, one made twice and one closed as a duplicate since."""
    folder = tmp_path_factory.mktemp("decided")
    runtime = open_runtime(folder)
    made = list(decisions())
    ids = bring(runtime.store, *(make_report(f"words {at}") for at in range(len(made))))
    for report_id, decision in zip(ids, made, strict=True):
        triage.assess(runtime.store, POLICY, REVIEWER, report_id, decision)
    triage.assess(runtime.store, POLICY, REVIEWER, ids[0], made[1])
    triage.link(runtime.store, REVIEWER, ids[-3], ids[0])
    bring(runtime.store, make_report("nobody has decided on this one"))
    runtime.close()
    return folder


@contextmanager
def copy_of(folder: Path, place: Path) -> Iterator[Runtime]:
    shutil.copytree(folder, place)
    runtime = open_runtime(place)
    try:
        yield runtime
    finally:
        runtime.close()
        shutil.rmtree(place)


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Parts of a draft: levels raised from or lowered to a border, other priorities, clauses taken out."""
    lines = POLICY.severity_csv.splitlines()
    border = draw(st.integers(0, len(Harm) - 1))
    step = draw(st.sampled_from([-1, 0, 1]))
    table, levels = lines[:1], list(Severity)
    for line in lines[1:]:
        *key, level = line.split(",")
        # Raised above a border or lowered below it, the table stays monotone; a change across it may not.
        moved = step if (int(key[0][1]) >= border) == (step > 0) else 0
        table.append(",".join([*key, levels[min(4, max(0, levels.index(Severity(level)) + moved))]]))
    priorities = POLICY.priority_csv
    if draw(st.booleans()):
        priorities = priorities.replace(
            "medium,none,scheduled", f"medium,none,{draw(st.sampled_from(['defer', 'scheduled']))}"
        )
        priorities = priorities.replace("critical,none,out_of_cycle", "critical,none,immediate")
    gone = draw(st.sets(st.sampled_from(["IN-2", "IN-4", "EXP-1", "OOS-1", "OOS-3"]), max_size=3))
    return {SEVERITY_CSV: "\n".join(table), PRIORITY_CSV: priorities} | {
        policy_text.clause_part(clause_id): None for clause_id in gone
    }


def in_force(cursor: db.Cursor) -> dict[str, db.Row]:
    found = db.rows(
        cursor,
        "SELECT c.report_id, c.severity, c.priority, c.version, a.* EXCLUDE (report_id, severity, priority),"
        " a.severity AS given FROM cases c JOIN assessments a USING (assessment_id) WHERE canonical_id IS NULL",
    )
    return {row["report_id"]: row for row in found}


def again(row: db.Row) -> Decision:
    """The same answers of the same reviewer."""
    names = ("harm", "exposure", "generality", "reliability", "uplift")
    kinds = (Harm, Exposure, Generality, Reliability, Uplift)
    inputs = (
        SeverityInputs(*(kind(row[name]) for kind, name in zip(kinds, names, strict=True)))
        if row["harm"]
        else None
    )
    override = Severity(row["given"]) if row["given"] != row["computed_severity"] else None
    return Decision(tuple(row["clauses"]), inputs, override=override, override_reason=row["override_reason"])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(chosen=changes())
def test_the_list_of_the_dry_run_is_the_list_of_the_real_change(
    decided: Path, tmp_path: Path, chosen: dict[str, Any]
) -> None:
    with copy_of(decided, tmp_path / "copy") as runtime:
        draft_id = policy_drafts.start(runtime.store, EVERYBODY)
        revision = policy_drafts.change(runtime.store, EVERYBODY, draft_id, chosen, seen_revision=1)
        with runtime.store.read() as cursor:
            draft = policy_drafts.read(cursor, draft_id)
            try:
                tried = draft.texts.parse()
            except InvalidPolicy:
                assume(False)
            summary = policy_trial.summary(cursor, tried)
            listed = policy_trial.changed(cursor, tried, 1, 1_000)
            before = in_force(cursor)
        policy_drafts.approve(runtime.store, SECOND, draft_id, seen_revision=revision)
        policy_drafts.publish(runtime.store, SECOND, draft_id, seen_revision=revision)
        assert runtime.policy == tried
        with runtime.store.read() as cursor:
            assert policies.in_force(cursor) == tried
        refused = set()
        for report_id, row in before.items():
            try:
                triage.assess(runtime.store, runtime.policy, REVIEWER, report_id, again(row))
            except NotFound:
                refused.add(report_id)
        with runtime.store.read() as cursor:
            after = in_force(cursor)
        really = {
            report_id
            for report_id, row in before.items()
            if report_id in refused
            or (row["severity"], row["priority"])
            != (after[report_id]["severity"], after[report_id]["priority"])
        }
        assert {row["report_id"] for row in listed} == really
        assert {row["report_id"] for row in listed if row["gone"]} == refused
        for row in listed:
            if row["report_id"] not in refused:
                new = after[row["report_id"]]
                assert (row["new_severity"], row["new_priority"]) == (new["severity"], new["priority"])
        assert (summary.decisions, summary.changed, summary.gone) == (len(before), len(really), len(refused))
        assert sum(summary.moves.values()) == sum(row["severity"] != row["new_severity"] for row in listed)


def test_the_version_in_force_changes_nothing(decided: Path, tmp_path: Path) -> None:
    with copy_of(decided, tmp_path / "copy") as runtime, runtime.store.read() as cursor:
        summary = policy_trial.summary(cursor, POLICY)
        assert summary == policy_trial.Summary(len(INPUTS) + 4, 0, {}, 0, 0)
        assert policy_trial.changed(cursor, POLICY) == []


def test_pages_of_the_list_make_the_whole(decided: Path, tmp_path: Path) -> None:
    head, *lines = POLICY.severity_csv.splitlines()
    all_high = "\n".join([head, *(f"{line.rpartition(',')[0]},high" for line in lines)])
    everything = policy_text.Texts(POLICY.toml_text, all_high, POLICY.priority_csv).parse()
    with copy_of(decided, tmp_path / "copy") as runtime, runtime.store.read() as cursor:
        whole = policy_trial.changed(cursor, everything, 1, 1_000)
        pages = [policy_trial.changed(cursor, everything, page, 7) for page in range(1, len(whole) // 7 + 2)]
        assert [row for page in pages for row in page] == whole
        assert len(whole) > 20
