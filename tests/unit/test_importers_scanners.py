"""Files of other tools: what holds for each, whatever the tool."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.scanner_files import ONE_OF_EACH, RUDE, SECRET, conversation, only, read, refusals
from triage_core.channel.reportformat import to_json
from triage_core.importers import jsonfile
from triage_core.model import HarmType, PeerConsent, TrainingConsent


@pytest.fixture
def lines(tmp_path: Path) -> Any:
    return partial(read, tmp_path)


@pytest.mark.parametrize("format", ONE_OF_EACH)
def test_each_lands_as_an_unverified_report_with_nothing_of_its_configuration(
    lines: Any, format: str
) -> None:
    report = only(lines(ONE_OF_EACH[format], format))
    assert conversation(report) == RUDE
    assert report.what_is_wrong.startswith("Found by ")
    assert "verified by nobody" in report.what_is_wrong
    assert "make it rude" in report.what_is_wrong
    assert report.system[0].model.endswith("parrot-2")
    assert report.external_id
    assert SECRET not in json.dumps(to_json(report))
    assert report.consent_training is TrainingConsent.NONE
    assert report.consent_share_peers is PeerConsent.AFTER_FIX
    assert report.harm_types == (HarmType.NOT_SURE,)
    assert (report.contact, report.submitted_at, dict(report.extra)) == ("", None, {})
    assert "high" not in report.what_is_wrong


@pytest.mark.parametrize("format", ONE_OF_EACH)
def test_auto_takes_none_of_them_and_names_the_format_once(lines: Any, format: str) -> None:
    for content in (
        ONE_OF_EACH[format],
        json.dumps(ONE_OF_EACH[format], indent=2) if format == "promptfoo" else [],
    ):
        if content:
            (line,) = lines(content)
            assert (line.number, line.report) == (1, None)
            assert f"--format {format}" in line.error.rule


def test_auto_still_takes_a_report_that_only_looks_like_one(lines: Any) -> None:
    row = {"entry_type": "attempt", "turns": [{"role": "user", "content": "hello"}]}
    found = lines([row, "{broken", row])
    assert refusals(found) == [(2, "body")]
    assert len(found) == 3


@pytest.mark.parametrize("format", [*ONE_OF_EACH, "pyrit-memory"])
@pytest.mark.parametrize("content", ["[]", "7", '"text"', "{", "[" * 100_000, '{"turns": []}', "[[[[1]]]]"])
def test_what_is_no_file_of_the_tool_is_refused_and_nothing_is_raised(
    lines: Any, format: str, content: str
) -> None:
    assert all(line.report is None for line in lines(content, format))


@pytest.mark.parametrize("format", ["promptfoo", "pyrit"])
def test_a_document_over_the_cap_is_refused_as_a_whole(
    lines: Any, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonfile, "MAX_DOCUMENT_BYTES", 100)
    (line,) = lines(ONE_OF_EACH[format], format)
    assert (line.number, line.error.field) == (1, "file")
    assert "at most 100 bytes" in line.error.rule
    assert ("results.jsonl" if format == "promptfoo" else "fewer") in line.error.rule
