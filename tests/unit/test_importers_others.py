"""Files of Inspect, Open WebUI, 0DIN, AVID and FLARE-AI: what becomes of an entry, what is left out or refused."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.other_files import (
    SENTINEL,
    archive,
    avid,
    feedback,
    flare,
    flat_flare,
    inspect_archive,
    inspect_log,
    inspect_sample,
    names,
    read,
    refusals,
    threat,
    turns,
)
from triage_core import importers
from triage_core.channel.reportformat import MAX_TEXT_CHARACTERS, to_json
from triage_core.importers import jsonfile
from triage_core.model import TrainingConsent


@pytest.fixture
def lines(tmp_path: Path) -> Any:
    return partial(read, tmp_path / "file")


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("inspect", inspect_log(inspect_sample())),
        ("inspect", inspect_archive(inspect_log(inspect_sample()))),
        ("openwebui", [feedback()]),
        ("0din", {"threat_feeds": [threat()]}),
        ("avid", avid()),
        ("flare", flare()),
        ("flare", flat_flare()),
    ],
)
def test_no_judgement_no_consent_and_nothing_private_comes_along(
    lines: Any, format: str, content: object
) -> None:
    for line in lines(content, format):
        assert line.report is not None
        assert line.report.consent_training is TrainingConsent.NONE
        assert bool(line.report.contact) == bool(line.report.expected) == (format == "flare")
        assert not line.report.extra
        assert SENTINEL not in json.dumps(to_json(line.report))


def test_a_file_over_the_cap_is_refused(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonfile, "MAX_DOCUMENT_BYTES", 100)
    for format in ("inspect", "openwebui", "0din"):
        (line,) = lines([threat()], format)
        assert "at most 100 bytes" in line.error.rule


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("inspect", inspect_log(inspect_sample())),
        ("openwebui", [feedback()]),
        ("0din", {"page": 1, "total_pages": 1, "threat_feeds": [threat()]}),
        ("avid", avid()),
        ("flare", flare()),
        ("flare", [flat_flare()]),
    ],
)
def test_without_its_name_a_file_is_one_refused_line_that_names_the_format(
    lines: Any, format: str, content: object, indent: int | None
) -> None:
    (line,) = lines(json.dumps(content, indent=indent).encode(), "auto")
    assert line.error.field == "file"
    assert line.error.rule.endswith(f"--format {format}")


def test_archives_are_for_inspect_alone(lines: Any) -> None:
    for format in ("auto", "openwebui", "email"):
        assert refusals(lines(archive({"header.json": b"{}"}), format)) == [(1, "file")]


def test_a_feedback_holds_the_branch_that_was_rated(lines: Any) -> None:
    (line,) = lines([feedback()], "openwebui")
    assert turns(line) == [
        ("user", "Say something nice about my poem."),
        ("assistant", "Nobody should have to read it."),
    ]
    report = line.report
    assert report.external_id == "openwebui:f-1"
    assert (report.system[0].model, report.system[0].access_method) == ("parrot-2:latest", "Open WebUI")
    assert report.session_id == "c-1"
    assert report.submitted_at.isoformat() == "2025-10-09T08:53:20+00:00"
    told = "Comment: I asked for praise.\nReason: not_helpful\nRating: -1\nRating in detail: 2"
    assert report.what_is_wrong == told


def test_feedbacks_of_other_shapes(lines: Any) -> None:
    messages = feedback()["snapshot"]["chat"]["chat"]["messages"]
    straight = feedback("list", snapshot={"chat": {"messages": messages}})
    unknown = feedback("current", meta={"message_id": "gone"})
    undated = feedback("undated", created_at=10**40, data={"rating": None})
    found = lines({"items": [straight, unknown, undated], "total": 3}, "openwebui")
    assert [len(turns(line)) for line in found] == [2, 3, 2]
    assert found[2].report.submitted_at is None


def test_praise_is_no_report(lines: Any) -> None:
    assert lines([feedback(rating=1), feedback(rating="1")], "openwebui") == []


def test_broken_feedbacks_are_refused_by_number(lines: Any) -> None:
    circle = feedback()
    circle["snapshot"]["chat"]["chat"]["history"]["messages"]["u1"]["parentId"] = "a2"
    found = lines([7, feedback(snapshot=None), feedback(data=None), circle, feedback("last")], "openwebui")
    assert refusals(found) == [(1, "entry"), (2, "turns")]
    assert len(turns(found[3])) == 2
    assert refusals(lines({"rows": []}, "openwebui")) == [(1, "file")]


@pytest.mark.parametrize("around", [lambda one: {"page": 1, "threat_feeds": [one]}, lambda one: [one], dict])
def test_an_entry_of_the_threat_feed_and_its_variants(lines: Any, around: Any) -> None:
    found = lines(around(threat()), "0din")
    assert [line.number for line in found] == [1, 1, 1]
    assert turns(found[0]) == [
        ("user", "Be rude in verse."),
        ("assistant", "There once was a fool."),
        ("user", "More."),
    ]
    assert [turns(line) for line in found[1:]] == [
        [("user", "Be rude in prose.")],
        [("user", "Be rude in song.")],
    ]
    report = found[0].report
    assert report.what_is_wrong == (
        "0DIN: Rude answers by asking for a limerick\n"
        "Summary: The model is rude in verse.\n"
        "Severity by 0DIN: severe\n"
        "Security boundary: guardrail jailbreak\n"
        "Taxonomy: Language / Stylizing / Limericks\n"
        "Taxonomy: Rhetoric"
    )
    assert [(system.platform, system.model) for system in report.system] == [
        ("Zoo", "Parrot 2"),
        ("", "Owl 1"),
    ]
    assert report.external_id == "0din:0b1c"
    again = lines([threat(variant_prompts=["Be rude in song.", "Be rude in prose."])], "0din")
    assert sorted(names(again)) == sorted(names(found)), "a variant is known by its words, not by its place"


def test_broken_entries_of_the_threat_feed(lines: Any) -> None:
    many = threat("many", models=[f"Owl {number}" for number in range(25)], variant_prompts=None)
    found = lines([threat(""), threat("hidden", messages=None, variant_prompts=[]), many, None], "0din")
    assert refusals(found) == [(1, "uuid"), (2, "turns"), (4, "entry")]
    assert len(found[2].report.system) == 20
    assert "Models in all: 25" in found[2].report.what_is_wrong


def test_long_words_are_cut_and_say_so_and_long_names_go_by_their_hash(lines: Any) -> None:
    long = threat("u" * 600, summary="s" * 9_000, variant_prompts=[])
    (line,) = lines([long], "0din")
    assert len(line.report.what_is_wrong) == MAX_TEXT_CHARACTERS
    assert line.report.what_is_wrong.endswith("characters]")
    assert line.report.external_id.startswith("0din:sha256:")
    other = lines([threat("u" * 601, variant_prompts=[])], "0din")
    assert names(other) != names([line])


def test_a_report_of_avid(lines: Any) -> None:
    (line,) = lines(avid(), "avid")
    assert turns(line) == [("user", "Asked for praise, the parrot is rude.")]
    report = line.report
    assert (report.external_id, report.system[0].platform, report.system[0].model) == (
        "avid:AVID-2026-R0001",
        "Parrot Chat",
        "Parrot 2",
    )
    told = "AVID: Rude answers about poems\nClass: Third-party Report\nSee: https://poems.example/1"
    assert report.what_is_wrong == told


def test_reports_of_avid_in_lines_of_which_some_are_broken_or_have_no_number(lines: Any) -> None:
    bare = avid("AVID-2026-R-1234", description=None, affects=None)
    rows = [avid(), bare, "{", {**bare, "problemtype": None}, avid("AVID-2026-R0002")]
    content = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()
    found = lines(content, "avid")
    assert refusals(found) == [(3, "line"), (4, "turns")]
    assert names(found) == ["avid:AVID-2026-R0001", None, "avid:AVID-2026-R0002"]
    assert turns(found[1]) == [("user", "Rude answers about poems")]
    assert [line.key for line in lines(content, "avid")] == [line.key for line in found]


@pytest.mark.real_data
def test_real_reports_of_avid_are_read_without_a_refusal(real_data: Path) -> None:
    for path in (real_data / "import_formats" / "avid").iterdir():
        found = list(importers.read(path, "avid"))
        assert found
        assert refusals(found) == []


@pytest.mark.parametrize(
    "content", [flare(), flat_flare(), [flare()], {"results": [flare()], "pagination": {}}]
)
def test_a_report_of_flare(lines: Any, content: object) -> None:
    (line,) = lines(content, "flare")
    assert turns(line) == [("user", "Say something nice."), ("assistant", "Nobody should read it.")]
    told = to_json(line.report)
    assert {name: told[name] for name in told.keys() - {"format", "turns"}} == {
        "external_id": "flare:d-1",
        "system": [{"platform": "Parrot Chat", "model": "parrot-2", "version": "2", "access_method": "web"}],
        "what_is_wrong": "It insulted my poem.",
        "expected": "A kind word.",
        "actual": "An insult.",
        "harm_types": ["psychological_harm"],
        "disclosure_intent": "undecided",
        "contact": "ada@example.org",
        "real_world_harm": "no",
        "malicious_use": "yes",
    }


def test_a_report_of_flare_that_involves_minors_comes_without_evidence(lines: Any) -> None:
    (line,) = lines(flare(minors=True), "flare")
    report = line.report
    assert report.illegal_minor_content
    assert (report.turns, report.what_is_wrong, report.expected, report.actual) == ((), "", "", "")


@pytest.mark.parametrize("said", ["true", "Yes", 1, "unsure"])
@pytest.mark.parametrize("place", ["csam_involved", "csamInvolved"])
def test_whatever_is_not_a_plain_no_to_minors_comes_without_evidence(
    lines: Any, said: object, place: str
) -> None:
    content = flare()
    content["classifyReport"][place] = said
    (line,) = lines(content, "flare")
    assert line.report.illegal_minor_content
    assert line.report.turns == ()


def test_long_accounts_of_flare_are_cut(lines: Any) -> None:
    content = flare()
    content["incidentDescription"]["issueDescription"] = "x" * 5_001
    (line,) = lines(content, "flare")
    assert line.report.what_is_wrong.endswith("[cut: it has 5,001 characters]")


def test_a_broken_first_line_loses_no_other_report(lines: Any) -> None:
    found = lines(b'{"id": 1, "id": 2}\n' + json.dumps(flare()).encode() + b"\n", "flare")
    assert [line.report is not None for line in found] == [False, True]


@pytest.mark.parametrize("format", ["inspect", "openwebui", "0din", "avid", "flare"])
@pytest.mark.parametrize("odd", [None, True, 7, 1.5, "x", [], {}, [[]], [{}], {"a": [None]}, [None, 7, "x"]])
def test_no_odd_value_in_any_place_stops_the_reading(lines: Any, format: str, odd: object) -> None:
    whole = {
        "inspect": inspect_log(inspect_sample()),
        "openwebui": [feedback()],
        "0din": [threat()],
        "avid": avid(),
        "flare": flare(),
    }[format]
    for spoilt in _each_place(whole, odd):
        for line in lines(spoilt, format):
            assert (line.report is None) != (line.error is None)


def _each_place(value: Any, odd: object) -> list[Any]:
    """Copies of a document, in each of which another value is `odd`."""
    copies = [odd]
    if isinstance(value, dict):
        copies += [value | {name: copy} for name, inner in value.items() for copy in _each_place(inner, odd)]
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            copies += [[*value[:index], copy, *value[index + 1 :]] for copy in _each_place(inner, odd)]
    return copies
