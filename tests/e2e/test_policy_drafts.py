"""A policy change from the draft to the public page, in a real browser; every state of it can be looked at."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import REPOSITORY, Server, running_server, wait_until_settled
from tests.making import EVERYBODY, FLAW, POLICY, bring, make_report, open_runtime
from triage_core.desk import triage
from triage_core.store import utc_now

pytestmark = pytest.mark.browser

TITLE = "Where to send a flaw"


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on thirty decisions."""
    folder = tmp_path_factory.mktemp("decided")
    opened = open_runtime(folder, utc_now)
    for report_id in bring(opened.store, *(make_report(f"Question {number}.") for number in range(30))):
        triage.assess(opened.store, POLICY, EVERYBODY, report_id, FLAW)
    opened.close()
    with running_server(folder) as server:
        yield server


def on_the_command_line(server: Server, *words: str) -> Any:
    """What another person asks for, who has the store's folder."""
    command = [sys.executable, "-m", "triage_core", *words, "--store", str(server.store), "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=REPOSITORY, env={**os.environ}
    )
    return json.loads(done.stdout)


def public(server: Server, path: str) -> str:
    with urllib.request.urlopen(server.url + path, timeout=10) as answer:
        return str(answer.read().decode())


def part(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    wait_until_settled(page)


def save(page: Page) -> None:
    """Press Save, and wait for the next revision; a message may be that of the save before, or be gone already."""
    revision = re.compile(r"Revision (\d+)")
    before = int(revision.search(page.get_by_text(revision).first.inner_text())[1])  # type: ignore[index]
    page.get_by_role("button", name="Save").filter(visible=True).first.click()
    page.get_by_text(re.compile(rf"Revision {before + 1}\b")).first.wait_for()
    wait_until_settled(page)


def test_from_the_draft_to_the_public_page(
    decided: Server, page: Page, screenshot: Callable[[str], None]
) -> None:
    page.goto(f"{decided.url}/guidance?role=Policy+owner&part=Drafts")
    page.get_by_text("No draft yet").wait_for()
    screenshot("drafts-none")
    page.get_by_role("button", name="Begin a draft").click()
    page.get_by_test_id("stToast").filter(has_text="yours to write").wait_for()
    wait_until_settled(page)
    page.get_by_label("Title", exact=True).filter(visible=True).first.fill(TITLE)
    # Typing is not lost on the way through the other sections.
    page.get_by_role("tab", name="Clocks and rewards").click()
    screenshot("drafts-clocks")
    page.get_by_role("tab", name="Words").click()
    assert page.get_by_label("Title", exact=True).filter(visible=True).first.input_value() == TITLE
    save(page)
    screenshot("drafts-words")
    assert TITLE not in public(decided, "/policy")

    page.get_by_role("tab", name="Clauses").click()
    page.get_by_test_id("stExpander").first.click()
    screenshot("drafts-clauses")
    page.get_by_role("tab", name="Severity table").click()
    page.get_by_test_id("stDataFrame").filter(visible=True).first.wait_for()
    screenshot("drafts-severity")
    page.get_by_role("tab", name="Priority table").click()
    grid = page.get_by_test_id("stDataFrame").filter(visible=True).first
    wait_until_settled(page)  # a grid that is drawn again forgets what is being typed
    # The cell of medium severity and nothing known: choose "Close", which is less than what low has.
    grid.locator("canvas").first.dblclick(position={"x": 190, "y": 35 + 35 * 2 + 17}, force=True)
    page.keyboard.type("Close", delay=50)
    page.get_by_role("option", name="Close", exact=True).click()
    expect(grid.get_by_test_id("glide-cell-1-2")).to_have_text("close")  # the grid has taken it
    screenshot("drafts-priority")
    save(page)
    page.get_by_text(re.compile("Kept as typed, and not ready")).wait_for()
    screenshot("drafts-refused")
    part(page, "What changes")
    page.get_by_role("heading", name="Priority table").wait_for()
    screenshot("drafts-changes")
    part(page, "Files and revisions")
    screenshot("drafts-files")

    mended = on_the_command_line(decided, "policy", "drafts")[0]
    assert mended["state"] == "open"
    folder = decided.store / "out"
    on_the_command_line(decided, "policy", "export", "--out", str(folder), "--draft", "1")
    (folder / "priority.csv").write_text(
        POLICY.priority_csv.replace("medium,none,scheduled", "medium,none,defer")
    )
    other = on_the_command_line(decided, "policy", "draft", str(folder), "--draft", "1")
    assert other["state"] == "open"
    page.reload()
    part(page, "Past decisions")
    page.get_by_role("heading", name=re.compile("30 of 30 past decisions")).wait_for()
    screenshot("drafts-trial")
    part(page, "Preview")
    page.get_by_role("heading", name=re.compile("In scope")).wait_for()
    assert page.get_by_role("button", name="Approve").is_disabled()
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 900, "height": 900})
    for name in ("Past decisions", "What changes", "Write"):
        part(page, name)
        screenshot(f"drafts-900-dark-{name.split()[0].lower()}")


def test_another_person_approves_and_the_public_page_says_it_at_once(
    decided: Server, page: Page, screenshot: Callable[[str], None]
) -> None:
    page.goto(f"{decided.url}/guidance?role=Policy+owner&part=Drafts")
    page.get_by_role("button", name="Begin a draft").click()
    page.get_by_test_id("stToast").filter(has_text="yours to write").wait_for()
    wait_until_settled(page)
    page.get_by_label("Title", exact=True).filter(visible=True).first.fill(TITLE)
    save(page)
    number = str(max(draft["draft_id"] for draft in on_the_command_line(decided, "policy", "drafts")))
    before = on_the_command_line(decided, "stats")["policy_version"]
    assert TITLE not in public(decided, "/policy")
    assert on_the_command_line(decided, "policy", "approve", number)["state"] == "approved"
    page.reload()
    page.get_by_text("Approved by").wait_for()
    screenshot("drafts-approved")
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Published as").wait_for()
    assert TITLE in public(decided, "/policy")
    assert POLICY.title in public(decided, f"/policy?version={before}")
    assert on_the_command_line(decided, "stats")["policy_version"] != before
    screenshot("drafts-published")
