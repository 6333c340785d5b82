"""The demo files keep what their README promises, and hold nothing that should not be shown or followed."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from triage_core import demo_acts, text
from triage_core.channel import reportformat
from triage_core.guidance import policy
from triage_core.model import (
    CreditWish,
    DisclosureIntent,
    Exposure,
    FlawReport,
    Generality,
    Harm,
    PeerConsent,
    Reliability,
    Resolution,
    Severity,
    SeverityInputs,
    TrainingConsent,
    TurnRole,
    Uplift,
)
from triage_core.settings import ROOT
from triage_core.text import HiddenKind

FOLDER = ROOT / "data" / "demo"
FILES = ("reports.jsonl", "decisions.jsonl", "acts.jsonl", "labels.jsonl")
NO_WRAPPER = {"none", "hidden_characters", "flattery", "escalation_plain"}
REVIEWERS = {"mara", "jonas", "ade"}
SHINGLE = 12


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


RAW = rows("reports.jsonl")
DECISIONS = rows("decisions.jsonl")
ACTS = rows("acts.jsonl")
PEERS = {row["peer"] for row in ACTS if row["act"] == "add_peer"}
LABELS = {row["external_id"]: row for row in rows("labels.jsonl")}
DAYS_AGO = {row["external_id"]: row["demo_days_ago"] for row in RAW}
REPORTS: dict[str, FlawReport] = {
    row["external_id"]: reportformat.parse({k: v for k, v in row.items() if not k.startswith("demo_")})
    for row in RAW
}
POLICY = policy.load(ROOT / "data")


def conversations() -> Iterator[tuple[str, FlawReport]]:
    return ((name, report) for name, report in REPORTS.items() if report.turns)


def canonical_text(name: str) -> str:
    return text.canonical(text.conversation_text(REPORTS[name].turns))


def repeats(likeness: str) -> list[dict[str, Any]]:
    return [row for row in LABELS.values() if row.get("likeness") == likeness]


def shingles(name: str) -> set[tuple[str, ...]]:
    words = canonical_text(name).split()
    return {tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}


def severity_inputs(row: dict[str, Any]) -> SeverityInputs:
    return SeverityInputs(
        Harm(row["harm"]),
        Exposure(row["exposure"]),
        Generality(row["generality"]),
        Reliability(row["reliability"]),
        Uplift(row["uplift"]),
    )


def test_every_report_is_one_a_public_door_would_take_and_has_its_own_name() -> None:
    assert len(RAW) >= 330
    assert len(REPORTS) == len(RAW), "external ids repeat"
    assert not any(report.extra for report in REPORTS.values())
    assert {row["format"] for row in RAW} == {reportformat.FORMAT}
    assert list(LABELS) == list(REPORTS)


def test_the_readme_counts_right() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    techniques = {label["technique"] for label in LABELS.values()} - NO_WRAPPER
    assert f"{len(RAW)} made-up reports" in readme
    assert f"{len(techniques)} tricks" in readme


def test_dates_are_relative_lie_in_four_months_and_run_forward() -> None:
    days = [row["demo_days_ago"] for row in RAW]
    assert all(isinstance(day, float) and 0 < day <= 120 for day in days)
    assert days == sorted(days, reverse=True)
    assert not any(
        report.submitted_at or report.planned_date or report.embargo_wish for report in REPORTS.values()
    )


def test_volume_rises_and_one_new_technique_bursts_in_the_last_ten_days() -> None:
    weeks = Counter(int(day // 7) for day in DAYS_AGO.values())
    assert sum(weeks[w] for w in range(2, 9)) > sum(weeks[w] for w in range(9, 16))
    ages: dict[str, list[float]] = defaultdict(list)
    for name, label in LABELS.items():
        ages[label["technique"]].append(DAYS_AGO[name])
    bursts = [technique for technique, days in ages.items() if len(days) >= 20 and max(days) <= 10]
    assert bursts == ["recap"]


@pytest.mark.parametrize("file", FILES)
def test_lines_are_short_readable_and_hide_nothing_from_a_reader_of_the_file(file: str) -> None:
    content = (FOLDER / file).read_bytes().decode("utf-8")
    lines = content.split("\n")
    assert lines.pop() == ""
    assert max(len(line.encode()) for line in lines) < 20_000
    assert not any(text.hidden_characters(line) for line in lines)


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_address_leads_outside_the_example_domains(path: Path) -> None:
    content = path.read_text(encoding="utf-8")
    found = re.findall(r"(?:https?://|www\.|@)([\w.-]*\w)", content, re.IGNORECASE)
    found += re.findall(r"\b(?:[\w-]+\.)+(?:com|org|net|io|de|es|fr|ai|co|app|dev)\b", content)
    outside = [host for host in found if not re.fullmatch(r"(?:[\w-]+\.)*example\.(?:org|com|net)", host)]
    assert outside == []


def test_exact_repeats_are_labelled_and_nothing_else_is_one() -> None:
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    for name, report in conversations():
        earliest = first.setdefault(text.content_sha256(report.turns), name)
        if earliest != name:
            found[name] = earliest
    assert found == {row["external_id"]: row["canonical"] for row in repeats("exact")}
    assert len(found) >= 25


def test_some_exact_repeats_differ_only_in_case_white_space_or_invisible_characters() -> None:
    kinds: Counter[str] = Counter()
    for row in repeats("exact"):
        one, other = (text.conversation_text(REPORTS[row[key]].turns) for key in ("external_id", "canonical"))
        if one.casefold() == other.casefold():
            kinds["case" if one != other else "same"] += 1
        elif one.split() == other.split():
            kinds["white space"] += 1
        elif text.hidden_characters(one) and text.canonical(one) == text.canonical(other):
            kinds["invisible"] += 1
    assert min(kinds[kind] for kind in ("same", "case", "white space", "invisible")) >= 3


def test_near_repeats_ask_the_same_by_the_same_trick_in_other_words() -> None:
    near = repeats("near")
    assert len(near) >= 40
    for row in near:
        original = LABELS[row["canonical"]]
        same = ("technique", "request", "language")
        assert [row[key] for key in same] == [original[key] for key in same]
        assert canonical_text(row["external_id"]) != canonical_text(row["canonical"])


def test_four_languages_and_translations_of_one_report() -> None:
    languages = Counter(row["language"] for row in LABELS.values())
    assert languages.keys() == {"en", "de", "es", "fr"}
    assert min(languages.values()) >= 5
    translations = repeats("translation")
    assert len(translations) >= 15
    for row in translations:
        original = LABELS[row["canonical"]]
        assert row["language"] != original["language"]
        assert row["request"] == original["request"]


def test_a_repeat_names_the_first_of_its_kind() -> None:
    for row in LABELS.values():
        if "canonical" in row:
            assert "canonical" not in LABELS[row["canonical"]]
            assert DAYS_AGO[row["canonical"]] > DAYS_AGO[row["external_id"]]


def test_a_dozen_techniques_share_their_wording_and_not_their_request() -> None:
    families: dict[str, list[str]] = defaultdict(list)
    for name, label in LABELS.items():
        if "canonical" not in label and label["language"] == "en" and label["technique"] not in NO_WRAPPER:
            families[label["technique"]].append(name)
    assert len(families) >= 12
    for technique, members in families.items():
        assert len({LABELS[name]["request"] for name in members}) >= 6, technique
        assert set.intersection(*map(shingles, members)), f"{technique}: no {SHINGLE} words in common"


def test_requests_come_in_several_wrappers() -> None:
    wrappers: dict[str, set[str]] = defaultdict(set)
    for label in LABELS.values():
        if label["technique"] not in NO_WRAPPER:
            wrappers[label["request"]].add(label["technique"])
    assert sum(len(techniques) >= 3 for techniques in wrappers.values()) >= 20


def test_hidden_characters_of_each_kind_occur() -> None:
    kinds = [
        {run.kind for turn in report.turns for run in text.hidden_characters(turn.content)}
        for _, report in conversations()
    ]
    assert sum(bool(found) for found in kinds) >= 6
    for kind in (HiddenKind.ZERO_WIDTH, HiddenKind.TAG, HiddenKind.BIDI):
        assert any(kind in found for found in kinds), kind


def test_long_wrappers_many_turns_and_tool_output_occur() -> None:
    assert sum(len(canonical_text(name).split()) > 400 for name, _ in conversations()) >= 5
    assert sum(4 <= len(report.turns) <= 8 for _, report in conversations()) >= 5
    assert sum(any(turn.role is TurnRole.TOOL for turn in r.turns) for _, r in conversations()) >= 2


def test_spam_and_wrong_sums_are_there_to_be_turned_away() -> None:
    requests = Counter(label["request"] for label in LABELS.values())
    assert requests["spam"] >= 8
    assert requests["arithmetic"] >= 10


@pytest.mark.parametrize(
    ("field", "answers"),
    [
        ("consent_training", TrainingConsent),
        ("consent_share_peers", PeerConsent),
        ("disclosure_intent", DisclosureIntent),
        ("credit_wish", CreditWish),
    ],
)
def test_every_answer_of_a_choice_is_given_by_several_reporters(field: str, answers: type[StrEnum]) -> None:
    given = Counter(getattr(report, field) for report in REPORTS.values())
    assert min(given[answer] for answer in answers) >= 10


@pytest.mark.parametrize("field", ["contact", "expected", "tries", "other_systems_tried", "wants_reward"])
def test_optional_fields_are_filled_by_some_and_left_by_some(field: str) -> None:
    filled = sum(bool(getattr(report, field)) for report in REPORTS.values())
    assert 20 <= filled <= len(REPORTS) - 20


def test_decisions_leave_some_of_the_newest_and_a_few_others() -> None:
    decided = {row["external_id"] for row in DECISIONS}
    assert len(decided) == len(DECISIONS), "two decisions on one report"
    assert decided <= REPORTS.keys()
    withdrawn = {row["external_id"] for row in ACTS if row["act"] == "withdraw"}
    left = REPORTS.keys() - decided - withdrawn
    assert 40 <= len(left) <= 60
    assert sum(DAYS_AGO[name] > 4.5 for name in left) <= 3


def test_decisions_were_taken_by_a_reviewer_after_the_report_and_before_now() -> None:
    assert {row["by"] for row in DECISIONS} == REVIEWERS
    for row in DECISIONS:
        assert 2 <= row["after_hours"] < DAYS_AGO[row["external_id"]] * 24
    assert sum(row["after_hours"] <= 120 for row in DECISIONS) >= 0.9 * len(DECISIONS)


def test_acts_are_known_done_before_now_and_by_somebody_each_at_a_moment_of_its_own() -> None:
    assert {row["act"] for row in ACTS} <= demo_acts._ACTS.keys()
    assert {row["by"] for row in (*DECISIONS, *ACTS)} == {*demo_acts.CAST, *PEERS, "reporter"}
    moments = [row["after_hours"] - DAYS_AGO[row["external_id"]] * 24 for row in (*DECISIONS, *ACTS)]
    assert max(moments) < 0
    assert min(row["after_hours"] for row in ACTS) > 0
    # A start that goes on knows by the last moment what was done.
    assert len({round(moment, 4) for moment in moments}) == len(moments)


def test_a_reporter_who_acts_came_by_a_public_door() -> None:
    doors = {row["external_id"] for row in RAW if "demo_door" in row}
    assert {row["external_id"] for row in ACTS if row["by"] == "reporter"} <= doors
    assert 50 <= len(doors) <= len(RAW) - 50


def test_duplicate_decisions_agree_with_the_labels_and_reach_every_group() -> None:
    linked = {row["external_id"]: row["duplicate_of"] for row in DECISIONS if "duplicate_of" in row}
    assert linked.items() <= {name: row.get("canonical") for name, row in LABELS.items()}.items()
    assert set(linked.values()) == {row["canonical"] for row in LABELS.values() if "canonical" in row}
    assert all("canonical" not in LABELS[r["external_id"]] for r in DECISIONS if "duplicate_of" not in r)


def test_assessments_cite_every_clause_with_sound_inputs_and_a_note() -> None:
    assessed = [row for row in DECISIONS if "duplicate_of" not in row]
    assert {clause for row in assessed for clause in row["clauses"]} == {c.clause_id for c in POLICY.clauses}
    for row in assessed:
        assert row["clauses"]
        assert row["note"].strip()
        in_scope = any(clause.startswith("IN-") for clause in row["clauses"])
        resolution = Resolution(row["resolution"]) if row["resolution"] else None
        known = {None, Resolution.ACCEPTED_RISK, Resolution.NOT_REPRODUCIBLE}
        assert (resolution in known) == in_scope
        assert in_scope or "better_answer" not in row
        assert severity_inputs(row) if "harm" in row else not in_scope
    assert sum("better_answer" in row for row in assessed) >= 40


def test_accepted_reports_span_the_severities() -> None:
    open_ones = [row for row in DECISIONS if row.get("harm") and row["resolution"] is None]
    levels = Counter(POLICY.severity(severity_inputs(row)) for row in open_ones)
    assert (
        min(levels[level] for level in (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)) >= 3
    )
