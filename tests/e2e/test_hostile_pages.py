"""Hostile text in every field, on every page, in a real browser: nothing leaves this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser import Server, running_server, wait_until_settled
from tests.hostile_corpus import BEACON, HOSTILE
from tests.making import EVERYBODY, FLAW, POLICY, bring, make_report, open_runtime
from triage_core.advisories import advising, answering, peers
from triage_core.desk import second_look, triage
from triage_core.desk.decision import Decision
from triage_core.disclosure import disclosure
from triage_core.guidance import policy_drafts
from triage_core.model import Actor, DeskRole, ProductStatus
from triage_core.rewards import rewards
from triage_core.rewards.reward_rules import RewardKind
from triage_core.store import Store, utc_now
from ui.words import ROLE

pytestmark = pytest.mark.browser

# Each of these would make a browser ask somebody, if it were not shown as text.
ALIVE = {name: text for name, text in HOSTILE.items() if BEACON in text or "javascript:" in text}
# Page -> who looks, and what stands there only when hostile reports are on it.
PAGES = {
    "": (DeskRole.REVIEWER, "heading", "Inbox"),
    "review": (DeskRole.REVIEWER, "heading", "What the reporter says"),
    "duplicates": (DeskRole.REVIEWER, "button", "Mark as duplicate"),
    "clusters": (DeskRole.REVIEWER, "heading", "Members"),
    "second_look": (DeskRole.REVIEWER, "heading", "Your own decision"),
    "disclosure": (DeskRole.DISCLOSURE_LEAD, "heading", "Calendar"),
    "rewards": (DeskRole.POLICY_OWNER, "heading", "Money"),
    "answers": (DeskRole.REVIEWER, "heading", "What it should have said"),
    "activity": (DeskRole.REVIEWER, "heading", "Activity"),
    "trends": (DeskRole.POLICY_OWNER, "heading", "Volume"),
    "guidance": (DeskRole.POLICY_OWNER, "heading", "In scope"),
    "gaps": (DeskRole.POLICY_OWNER, "heading", "Guidance gaps"),
    "datasets": (DeskRole.ML_ENGINEER, "button", r"Build \d+ rows?"),
    "health": (DeskRole.OPERATOR, "heading", "Imports of the last 30 days"),
}
CLAUSE_TEXTS = ("title", "text", "in_scope_example", "out_of_scope_example")
SLOW_MS = 120_000  # the worker has its turn first, on a machine that may be busy
LIVE_ELEMENTS = (
    f"img[src*='{BEACON}'], a[href*='{BEACON}'], a[href^='javascript:'], script[src*='{BEACON}'], iframe"
)


def hostile(text: str, number: int, **fields: Any) -> dict[str, Any]:
    """A report that holds the hostile text in every field that takes text."""
    roles = ("system", "user", "assistant", "tool", "user", "assistant")
    return make_report(
        external_id=f"{number} {text[:400]}",
        **{
            "turns": [{"role": role, "content": text} for role in roles],
            "system": [dict.fromkeys(("platform", "model", "version", "access_method"), text[:500])],
            "consent_training": "any_safety_training",
            **dict.fromkeys(("what_is_wrong", "expected", "actual"), text[:5000]),
            **dict.fromkeys(("contact", "credit_name", "session_id", "policy_clause_claimed"), text[:500]),
            **fields,
        },
    )


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A report for each text that would ask for something, a second one for the first, and one with all as turns."""
    folder = tmp_path_factory.mktemp("hostile")
    first_text, second_text, *_ = ALIVE.values()
    texts = [*ALIVE.values(), f"{first_text} again"]
    lines = [hostile(text, number) for number, text in enumerate(texts)]
    everything = [{"role": "user", "content": text} for text in HOSTILE.values()]
    lines.append(hostile("all of them", len(lines), turns=everything, consent_share_peers="under_embargo"))
    opened = open_runtime(folder, utc_now)
    first, second, third, fourth, fifth, *_, last = bring(opened.store, *lines)
    _, peer_key = peers.add(opened.store, EVERYBODY, "Heron")
    (folder / "peer_key").write_text(peer_key)
    advising.open_advisory(opened.store, EVERYBODY, last, "Texts that attack", "They attack others too")
    advising.tell(opened.store, EVERYBODY, 1, ["Heron"])
    answering.answer(opened.store, peer_key, 1, ProductStatus.FIXED, second_text)
    triage.assess(opened.store, POLICY, EVERYBODY, first, Decision(("EXP-1",)))
    for report_id, text in ((second, first_text), (third, second_text)):
        somebody, other = (Actor(f"{side} {text}"[:200], text, EVERYBODY.roles) for side in ("one", "other"))
        triage.assess(opened.store, POLICY, somebody, report_id, Decision(("EXP-1",), note=text))
        (folder / "undoable").write_text(str(opened.store.revision))
        look_id = second_look.ask(opened.store, somebody, report_id)
        if report_id == third:
            second_look.answer(opened.store, other, look_id, Decision(("OOS-1",), note=text))
    triage.assess(opened.store, POLICY, EVERYBODY, fourth, FLAW)
    disclosure.propose(
        opened.store, POLICY, EVERYBODY, fourth, utc_now() + timedelta(days=20), note=second_text
    )
    rewards.propose(opened.store, POLICY, EVERYBODY, fourth, RewardKind.PUBLIC_THANKS, reason=second_text)
    # One flaw waits for a better answer, and one for somebody who approves its hostile one.
    triage.assess(opened.store, POLICY, EVERYBODY, fifth, replace(FLAW, better_answer=first_text))
    draft_hostile(opened.store)
    opened.close()
    with running_server(folder) as server:
        yield server


def draft_hostile(store: Store) -> None:
    """A policy draft that holds the hostile texts wherever it takes text, by somebody with such a name."""
    text = " ".join(ALIVE.values())
    draft_id = policy_drafts.start(store, Actor(text[:200], text, EVERYBODY.roles))
    clause = {"id": "IN-99", "kind": "in_scope", **dict.fromkeys(CLAUSE_TEXTS, text)}
    words = dict.fromkeys(("title", "incomplete_note", "safe_harbour"), text)
    changes = {**words, "products": list(ALIVE.values()), "clause IN-99": clause}
    policy_drafts.change(store, EVERYBODY, draft_id, changes, seen_revision=1)


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """A page on which nothing hostile comes alive and every answer carries the content policy."""
    messages: list[str] = []
    answers: list[Response] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("dialog", lambda dialog: messages.append(f"dialog {dialog.message}"))
    page.on("response", lambda answer: answers.append(answer))
    yield page
    assert page.locator(LIVE_ELEMENTS).count() == 0
    assert [text for text in messages if "dialog" in text or "Content Security Policy" in text] == []
    assert len(answers) > 1
    assert [
        answer.url
        for answer in answers
        if "default-src 'none'" not in answer.headers["content-security-policy"]
    ] == []


def look(
    page: Page, server: Server, name: str, role: DeskRole = DeskRole.REVIEWER, **parameters: str
) -> None:
    page.goto(f"{server.url}/{name}?{urlencode({'role': ROLE[role], **parameters})}")


def assert_sound(page: Page) -> None:
    wait_until_settled(page)
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_text("encountered an error").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_a_page_full_of_hostile_text_asks_nobody_else(
    hostile_server: Server, watched: Page, name: str
) -> None:
    role, kind, title = PAGES[name]
    look(watched, hostile_server, name, role)
    watched.get_by_role(kind, name=re.compile(f"^{title}")).first.wait_for(timeout=SLOW_MS)
    assert_sound(watched)
    watched.wait_for_timeout(500)  # for what an image or a style would ask for after it was drawn


def test_a_hostile_answer_that_waits_for_approval_asks_nobody_else(
    hostile_server: Server, watched: Page
) -> None:
    look(watched, hostile_server, "answers", **{"answers-part": "Approve"})
    watched.get_by_text("Better answer", exact=True).wait_for(timeout=SLOW_MS)
    assert_sound(watched)
    watched.wait_for_timeout(500)


@pytest.mark.parametrize(("part", "title"), [("Adjudicate", "What holds"), ("Agreement", "By two reviewers")])
def test_two_hostile_decisions_side_by_side_ask_nobody_else(
    hostile_server: Server, watched: Page, part: str, title: str
) -> None:
    look(watched, hostile_server, "second_look", part=part)
    watched.get_by_role("heading", name=title).wait_for(timeout=SLOW_MS)
    assert_sound(watched)
    watched.wait_for_timeout(500)


@pytest.mark.parametrize(
    ("name", "presses", "shown"),
    [
        ("", ["Decide on all"], "as the list showed them"),
        ("clusters", [r"All \(", r"Decide on \d+ members"], "And the cluster"),
        ("duplicates", ["^Why$"], "Likeness as a whole"),
        ("duplicates", ["Both texts in full"], "only in"),
        ("review", ["^Differing words$", "only in", "^Side by side$"], "^Side by side$"),
    ],
)
def test_what_a_press_opens_on_hostile_reports_asks_nobody_else(
    hostile_server: Server, watched: Page, name: str, presses: list[str], shown: str
) -> None:
    look(watched, hostile_server, name)
    for words in presses:
        watched.get_by_text(re.compile(words)).first.click(timeout=SLOW_MS)
    watched.get_by_text(re.compile(shown)).first.wait_for(timeout=SLOW_MS)
    assert_sound(watched)
    watched.wait_for_timeout(500)


def test_a_hostile_record_on_the_page_of_a_peer_asks_nobody_else(
    hostile_server: Server, watched: Page
) -> None:
    watched.goto(f"{hostile_server.url}/peers")
    watched.get_by_label("Access key").fill((hostile_server.store / "peer_key").read_text())
    watched.get_by_role("button", name="Show the advisories").click()
    watched.get_by_role("button", name="Read the record").click()
    watched.get_by_role("heading", name="The record").wait_for()
    assert watched.get_by_text(re.compile(re.escape(BEACON))).count() > 10
    watched.wait_for_timeout(500)


def test_what_a_hostile_person_did_is_undone_with_nobody_else_asked(
    hostile_server: Server, watched: Page
) -> None:
    look(watched, hostile_server, "activity", event=(hostile_server.store / "undoable").read_text())
    watched.get_by_role("heading", name=re.compile("^Undo event")).wait_for(timeout=SLOW_MS)
    assert_sound(watched)
    watched.wait_for_timeout(500)


@pytest.mark.parametrize(
    ("part", "kind", "title"),
    [
        ("Write", "tab", "Words"),
        ("What changes", "heading", "Words"),
        ("Past decisions", "heading", "Under this draft"),
        ("Preview", "heading", "In scope"),
        ("Files and revisions", "heading", "Revisions"),
    ],
)
def test_a_hostile_draft_asks_nobody_else(
    hostile_server: Server, watched: Page, part: str, kind: str, title: str
) -> None:
    look(watched, hostile_server, "guidance", DeskRole.POLICY_OWNER, **{"part": "Drafts", "draft-part": part})
    watched.get_by_role(kind, name=re.compile(f"^{title}")).first.wait_for(timeout=SLOW_MS)
    assert_sound(watched)
    watched.wait_for_timeout(500)


def test_every_text_that_asks_for_something_is_shown_as_text(hostile_server: Server, watched: Page) -> None:
    look(watched, hostile_server, "review", sort="Oldest first", state="Any state")
    for number, text in enumerate(ALIVE.values(), start=1):
        watched.get_by_role("heading", name=f"FR-{number}", exact=True).wait_for()
        assert_sound(watched)
        assert watched.get_by_test_id("stCode").first.inner_text().strip() == text.strip()
        assert watched.locator(LIVE_ELEMENTS).count() == 0
        watched.get_by_role("button", name="Next").click()


def test_the_whole_corpus_is_shown_as_text(hostile_server: Server, watched: Page) -> None:
    look(watched, hostile_server, "review", report=f"FR-{len(ALIVE) + 2}", state="Any state")
    shown = len(HOSTILE) + 3  # and three texts of the reporter's
    expect(watched.get_by_test_id("stCode")).to_have_count(shown, timeout=SLOW_MS)
    assert_sound(watched)


@pytest.mark.parametrize(
    "address",
    [
        "?words={}",
        "review?report={}",
        "clusters?cluster={}",
        "guidance?policy={}",
        "disclosure?embargo={}",
        "advisories?role=Disclosure%20lead&advisory={}",
        "advisories?role=Disclosure%20lead&about={}",
        "rewards?reward={}",
        "rewards?report={}",
        "second_look?look={}",
        "activity?event={}",
    ],
)
def test_an_address_full_of_hostile_text_is_shown_as_text(
    hostile_server: Server, watched: Page, address: str
) -> None:
    watched.goto(f"{hostile_server.url}/{address.format(quote(HOSTILE['markdown image']))}")
    watched.get_by_role("combobox", name="Role of the demo person").wait_for()
    assert_sound(watched)


def test_the_receipt_and_the_form_echo_nothing_alive(hostile_server: Server, page: Page) -> None:
    page.goto(hostile_server.url + "/report")
    page.get_by_label("Product or platform").fill(HOSTILE["html image"])
    page.get_by_label("What you (or the page").fill(HOSTILE["html script"])
    page.get_by_label("In your own words").fill(HOSTILE["markdown image"])
    page.get_by_role("checkbox", name="not sure").check()
    page.get_by_role("radio", name="undecided").check()
    page.get_by_text("Add detail").click()
    page.get_by_label("Tries").fill("often")
    page.get_by_role("button", name="Send report").click()
    assert "Tries: must be" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Product or platform").input_value() == HOSTILE["html image"]
    assert page.locator("img, script, iframe").count() == 0
    page.get_by_label("Tries").fill("3")
    page.get_by_role("button", name="Send report").click()
    page.get_by_text("Tracking key", exact=True).wait_for()


def test_the_store_can_be_verified_while_the_server_runs(hostile_server: Server) -> None:
    command = [sys.executable, "-m", "triage_core", "verify", "--json", "--store", str(hostile_server.store)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["ok"] is True
    assert "asking it" in done.stderr
