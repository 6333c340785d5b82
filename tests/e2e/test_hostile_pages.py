"""Hostile text in every field, on every page, in a real browser: nothing leaves this machine."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response

from tests.browser import Server, running_server, wait_until_settled
from tests.hostile_corpus import HOSTILE
from tests.making import make_report
from triage_core.model import DeskRole

pytestmark = pytest.mark.browser

PAGES = {
    "inbox": DeskRole.REVIEWER,
    "review": DeskRole.REVIEWER,
    "duplicates": DeskRole.REVIEWER,
    "clusters": DeskRole.REVIEWER,
    "guidance": DeskRole.POLICY_OWNER,
    "trends": DeskRole.POLICY_OWNER,
    "datasets": DeskRole.ML_ENGINEER,
}


def send(server: Server, text: str) -> None:
    """One report that holds the hostile text in every field that takes text."""
    report = make_report(
        text,
        turns=[{"role": role, "content": text} for role in ("system", "user", "assistant", "tool")],
        system=[dict.fromkeys(("platform", "model", "version", "access_method"), text[:500])],
        what_is_wrong=text[:5000],
        contact=text[:500],
        credit_name=text[:500],
        expected=text[:5000],
        actual=text[:5000],
        session_id=text[:500],
        policy_clause_claimed=text[:500],
    )
    request = urllib.request.Request(
        server.url + "/api/v1/reports", json.dumps(report).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("hostile")) as server:
        for text in HOSTILE.values():
            send(server, text)
            send(server, text + " again")
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with urllib.request.urlopen(server.url + "/api/v1/health", timeout=5) as answer:
                worker = json.loads(answer.read())["worker"]
            if not worker["working"]:
                break
            time.sleep(0.5)
        yield server


@pytest.mark.parametrize("name", PAGES)
def test_a_page_full_of_hostile_text_asks_nobody_else(hostile_server: Server, page: Page, name: str) -> None:
    messages: list[str] = []
    answers: list[Response] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("dialog", lambda dialog: messages.append(f"dialog {dialog.message}"))
    page.on("response", answers.append)
    page.goto(f"{hostile_server.url}/{name}?role={PAGES[name]}")
    wait_until_settled(page)
    page.wait_for_timeout(1_500)
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_text("encountered an error").count() == 0
    assert (
        page.locator("img[src*='invalid'], iframe, a[href*='invalid'], script[src*='invalid']").count() == 0
    )
    assert not [text for text in messages if "dialog" in text or "Content Security Policy" in text]
    without = [answer.url for answer in answers if "content-security-policy" not in answer.headers]
    assert without == []


@pytest.mark.parametrize("text", HOSTILE, ids=str)
def test_every_hostile_report_opens_in_review(hostile_server: Server, page: Page, text: str) -> None:
    number = 1 + 2 * list(HOSTILE).index(text)
    page.goto(f"{hostile_server.url}/review?report=FR-{number}")
    wait_until_settled(page)
    page.get_by_text(f"FR-{number}", exact=True).first.wait_for()
    assert page.get_by_text("encountered an error").count() == 0
    assert page.locator("img[src*='invalid'], iframe, a[href*='invalid']").count() == 0


def test_the_receipt_and_the_form_echo_nothing_alive(hostile_server: Server, page: Page) -> None:
    page.goto(hostile_server.url + "/report")
    page.get_by_label("Product or platform").fill(HOSTILE["html image"])
    page.get_by_label("What you (or the page").fill(HOSTILE["html script"])
    page.get_by_label("In your own words").fill(HOSTILE["markdown image"])
    page.get_by_label("not sure").check()
    page.get_by_label("undecided").check()
    page.get_by_text("Add detail").click()
    page.get_by_label("Tries").fill("often")
    page.get_by_role("button", name="Send report").click()
    page.get_by_role("alert").wait_for()
    assert "tries" in page.get_by_role("alert").inner_text()
    assert page.locator("img, script, iframe").count() == 0
    page.get_by_label("Tries").fill("3")
    page.get_by_role("button", name="Send report").click()
    page.get_by_text("Tracking key", exact=True).wait_for()


def test_the_store_can_be_verified_while_the_server_runs(hostile_server: Server, repository: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "triage_core", "verify", "--json", "--store", str(hostile_server.store)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["ok"] is True
    assert "asking it" in done.stderr


def test_a_deep_link_as_the_first_request_passes_identity(tmp_path: Path, page: Page) -> None:
    with running_server(tmp_path / "store") as fresh:
        page.goto(f"{fresh.url}/trends?role=operator")
        wait_until_settled(page)
        page.get_by_text("Sign-in is not built yet").wait_for()
        assert page.get_by_role("link", name="dashboard", exact=True).count() == 0
