"""The monthly report: the month that was asked for, one file without scripts, the figures of the public page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.making import NOON, Clock, bring, make_report, open_store
from triage_core import monthly
from triage_core.channel import promises
from triage_core.errors import Refused
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store", Clock())
    yield opened
    opened.close()


def came(store: Store, at: str, product: str = "Kite Travel") -> None:
    bring(store, make_report(f"Asked at {at}", submitted_at=at, system=[{"platform": product}]))


def test_a_month_holds_its_own_reports_and_those_of_the_month_before(store):
    for at in (
        "2026-01-31T23:59:59Z",
        "2026-02-01T00:00:00Z",
        "2026-02-28T23:59:59Z",
        "2026-03-01T00:00:00Z",
    ):
        came(store, at)
    with store.read() as cursor:
        february = monthly.figures(cursor, NOON, "2026-02")
        march = monthly.figures(cursor, NOON)
        looking = promises.looking(cursor, NOON)
    assert (february.figures.reports, february.before.reports) == (2, 1)
    assert (march.month, march.figures.reports, march.before.reports) == ("2026-03", 1, 2)
    assert march.looking == looking


def test_what_still_waits_and_is_past_its_target_by_now_is_late(store):
    came(store, "2026-01-30T12:00:00Z")
    came(store, "2026-02-27T12:00:00Z")  # a Friday: its answer was due on Tuesday, 3 March
    for now, counted in ((NOON, 0), (NOON + timedelta(days=2), 1)):
        with store.read() as cursor:
            found = monthly.figures(cursor, now, "2026-02")
        assert (found.figures.first_response.counted, found.figures.first_response.inside) == (counted, 0)
        assert found.before.first_response.counted == 1, "of the month before, likewise"
        assert found.looking.first_response.counted == counted + 1


def test_the_file_stands_alone_and_escapes_what_reporters_named(store):
    came(store, "2026-03-01T00:00:00Z", "<script>x</script>")
    with store.read() as cursor:
        text = monthly.document(monthly.figures(cursor, NOON))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"(src|href)=|url\(|@import|https?:", text)
    assert "<svg" in text
    for clock in ("First response", "Triage", "Fix", "Reward"):
        assert text.count(f"{clock} in target") == 2, "of the month, and of what is published"


def test_an_empty_store_has_a_report(store):
    with store.read() as cursor:
        text = monthly.document(monthly.figures(cursor, NOON))
    assert "None." in text
    assert "(weighted kappa): too few to say, 0 decided twice." in text


@pytest.mark.parametrize("month", ["2026-04", "2026-13", "March", "2026", "0001-01", "1999-12"])
def test_what_is_no_month_or_has_not_begun_is_refused(store, month):
    with store.read() as cursor, pytest.raises(Refused) as refused:
        monthly.figures(cursor, NOON, month)
    assert refused.value.field == "month"
    assert not monthly.is_month(month, NOON)


def test_the_command_writes_the_file_and_gives_the_figures(tmp_path):
    out = tmp_path / "report.html"
    arguments = ["report", "--out", str(out), "--json", "--store", str(tmp_path / "run")]
    found = subprocess.run(
        [sys.executable, "-m", "triage_core", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(found.stdout)["figures"]["reports"] == 0
    assert out.read_text("utf-8").lstrip().startswith("<!doctype html>")
