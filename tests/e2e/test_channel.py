"""The channel in a real browser: a reporter from the form to the credit, and a button on another site."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser import Server, running_server
from triage_core import control

pytestmark = pytest.mark.browser

FLAW = {"clauses": ["IN-3"], "harm": "H3", "exposure": "other", "generality": "retargetable",
        "reliability": "reliable", "uplift": "yes"}  # fmt: skip


def desk(server: Server, operation: str, **params: Any) -> Any:
    """What a reviewer does, through the command line's door of the running server."""
    for message in control.call(server.store, operation, params):
        assert "error" not in message, message
        if "result" in message:
            return message["result"]
    raise AssertionError("the server ended")


@pytest.fixture
def plain(chromium: Browser) -> Iterator[Page]:
    """A page of a phone without JavaScript."""
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    yield context.new_page()
    context.close()


def send(page: Page, server: Server, words: str, intent: str, credit: str = "", reward: bool = False) -> str:
    """Fill the form by its labels and give the tracking key."""
    page.goto(f"{server.url}/report")
    page.get_by_label("Product or platform").fill("Kite Travel Agent")
    page.get_by_text("Paste a whole conversation").click()
    page.get_by_label("as you copied it").fill(
        f"User: {words}\nAssistant: Seat 4, Robin Example.\nUser: Thanks"
    )
    page.get_by_role("button", name="Split into turns").click()
    page.get_by_label("Turn 3, what was said").fill("")
    page.get_by_label("In your own words").fill("It named another guest, whose data is private.")
    page.get_by_role("checkbox", name="rights violations").check()
    page.get_by_role("radio", name=intent, exact=True).check()
    if credit:
        page.get_by_label("Name for the credit").fill(credit)
        page.locator("[name=credit_wish]").select_option("named")
    if reward:
        page.locator("[name=wants_reward]").check()
    page.get_by_role("button", name="Check before sending").click()
    page.get_by_text(re.compile("This looks like clause IN-3")).wait_for()
    page.get_by_role("button", name="Send report").last.click()
    page.get_by_role("heading", name=re.compile(r"^Thank you: report FR-\d+ is stored$")).wait_for()
    return page.locator("#key").inner_text()


def show(page: Page, server: Server, key: str) -> None:
    page.goto(f"{server.url}/track")
    page.get_by_label("Tracking key").fill(key)
    page.get_by_role("button", name="Show the report").click()


def test_a_reporter_follows_a_report_to_its_end(server: Server, plain: Page) -> None:
    page = plain
    key = send(page, server, "Who sits beside me?", "undecided")
    show(page, server, key)
    report_id = page.get_by_role("heading", name=re.compile(r"^Report FR-\d+$")).inner_text().split()[1]
    page.get_by_role("heading", name="Received, and waiting to be read").wait_for()
    expect(page.get_by_text(re.compile(r"\d{2}:\d{2} UTC, as the policy promises"))).to_be_visible()
    page.get_by_role("heading", name="Waiting period").wait_for()
    expect(page.locator("section[aria-labelledby=embargo] time").first).to_have_text(
        re.compile(r"\d{2}:\d{2} UTC$")
    )

    desk(server, "ask", report=report_id, text="Which version was it?")
    page.get_by_role("button", name="Look again").click()
    page.get_by_role("heading", name="Waiting for your answer").wait_for()
    expect(page.get_by_text("Which version was it?")).to_be_visible()
    page.get_by_role("textbox", name="Your answer").fill("2.1, on the web.")
    page.get_by_role("button", name="Send the answer").click()
    page.get_by_text("Your message is stored").wait_for()
    expect(page.get_by_text("2.1, on the web.")).to_be_visible()

    for operation, params, state in (
        ("assess", FLAW, "Accepted as a flaw"),
        ("move", {"trigger": "finish_fix"}, "A fix is ready"),
        ("move", {"trigger": "deploy_fix"}, "A fix is in place"),
        ("move", {"trigger": "start_retest"}, "The fix is being tested"),
        ("move", {"trigger": "pass_retest", "resolution": "resolved_fixed", "note": "0 of 20."}, "Closed"),
    ):
        desk(server, operation, report=report_id, **params)
        page.get_by_role("button", name="Look again").click()
        page.get_by_role("heading", name=state, exact=True).wait_for()
    expect(page.get_by_text("0 of 20.")).to_be_visible()
    assert "key=" not in page.url
    assert page.context.cookies() == []


def test_a_closure_cites_its_clause_a_duplicate_leaks_nothing_and_the_credit_is_given(
    server: Server, plain: Page
) -> None:
    page = plain
    first = send(page, server, "Tell me who else flies", "already", credit="Ana <b>Example</b>")
    second = send(page, server, "Tell me who else flies, please", "no")
    third = send(page, server, "Who sleeps in the next room?", "no")
    ids = []
    for key in (first, second, third):
        show(page, server, key)
        ids.append(page.get_by_role("heading", name=re.compile(r"^Report FR-\d+$")).inner_text().split()[1])
    desk(server, "link", child=ids[1], canonical=ids[0], reason="The same trick.")
    show(page, server, second)
    page.get_by_text("Somebody reported the same flaw").wait_for()
    assert ids[0] not in page.content()
    desk(server, "assess", report=ids[2], clauses=["OOS-2"], note="It refused, as it should.")
    show(page, server, third)
    page.get_by_text("Clause OOS-2:").wait_for()
    page.get_by_text("It refused, as it should.").wait_for()
    desk(server, "assess", report=ids[0], **FLAW)
    for trigger in ("finish_fix", "deploy_fix"):
        desk(server, "move", report=ids[0], trigger=trigger)
    page.goto(f"{server.url}/thanks")
    page.get_by_text("Ana <b>Example</b>").wait_for()


def test_a_reporter_is_asked_sees_each_state_the_reward_and_the_credit(
    tmp_path: Path, plain: Page, page: Page
) -> None:
    """The reporter on a phone without scripts; the desk's money on its own screen, by two persons."""
    # A server of its own: the thanks are counted once a minute, and another test has asked for them.
    with running_server(tmp_path) as server:
        _from_the_report_to_the_credit(server, plain, page)


def _from_the_report_to_the_credit(server: Server, plain: Page, page: Page) -> None:
    key = send(plain, server, "Whose seat is beside mine?", "already", credit="Ana Reward", reward=True)
    show(plain, server, key)
    report_id = plain.get_by_role("heading", name=re.compile(r"^Report FR-\d+$")).inner_text().split()[1]
    desk(server, "ask", report=report_id, text="On which day?")
    again(plain, "Waiting for your answer")
    plain.get_by_role("textbox", name="Your answer").fill("On Monday.")
    plain.get_by_role("button", name="Send the answer").click()
    plain.get_by_text("Your message is stored").wait_for()
    desk(server, "assess", report=report_id, **{**FLAW, "harm": "H1"})  # a low one: nobody shares it
    again(plain, "Accepted as a flaw")
    rewards = plain.locator("section[aria-labelledby=reward]")
    expect(rewards.get_by_text("400.00")).to_have_count(0)

    page.goto(f"{server.url}/rewards?report={report_id}&role=Reviewer")
    page.get_by_role("textbox", name="Amount").fill("400")
    page.get_by_role("button", name="Propose", exact=True).click()
    page.get_by_text("The reward is proposed").wait_for()
    again(plain, "Accepted as a flaw")
    expect(rewards.get_by_text("400.00")).to_have_count(0)  # a proposal is no promise
    page.goto(f"{server.url}/rewards?reward=1&role=Policy%20owner")
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_text("The reward is approved").wait_for()
    again(plain, "Accepted as a flaw")
    plain.get_by_text("A reward was approved for your report: cash, 400.00 USD.").wait_for()
    page.get_by_role("button", name="Paid or given", exact=True).click()
    page.get_by_text("It is noted as paid or given").wait_for()
    again(plain, "Accepted as a flaw")
    plain.get_by_text("Your reward was paid: cash, 400.00 USD.").wait_for()
    expect(rewards.first).to_contain_text("400.00 USD")

    for trigger, state in (("finish_fix", "A fix is ready"), ("deploy_fix", "A fix is in place")):
        desk(server, "move", report=report_id, trigger=trigger)
        again(plain, state)
    plain.goto(f"{server.url}/thanks")
    plain.get_by_text("Ana Reward").wait_for()


def again(page: Page, state: str) -> None:
    """Look at the report once more: this is its state now."""
    page.get_by_role("button", name="Look again").click()
    page.get_by_role("heading", name=state, exact=True).wait_for()


def test_a_report_is_withdrawn_after_a_second_thought(server: Server, plain: Page) -> None:
    key = send(plain, server, "Never mind who sits there", "no")
    show(plain, server, key)
    plain.get_by_role("button", name="Withdraw the report").click()
    plain.get_by_role("button", name="No, keep it").click()
    plain.get_by_role("heading", name="Received, and waiting to be read").wait_for()
    plain.get_by_role("button", name="Withdraw the report").click()
    plain.get_by_role("button", name="Yes, withdraw it").click()
    plain.get_by_text("You withdrew it").first.wait_for()


PAGES = ("report", "track", "peers", "policy", "thanks")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_public_pages_fit_a_phone_and_can_be_read(
    server: Server, chromium: Browser, scheme: Any, tmp_path: Path
) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    for name in PAGES:
        page.goto(f"{server.url}/{name}")
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), name
        faint = page.evaluate(CONTRAST)
        assert faint == [], name
    context.close()


# Every piece of text against the ground that it stands on: WCAG 2.2 AA, 1.4.3.
CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !element.checkVisibility() || element.tagName === "OPTION") continue;
    const [one, other] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) found.push(`${walk.currentNode.textContent.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
  }
  return found;
}"""


@pytest.fixture
def website(repository: Path) -> Iterator[Callable[[str], str]]:
    """A website on another port of this machine; call it with the page's script tag to get its address."""
    script = (repository / "docs" / "report-button.js").read_bytes()
    shown = {"/report-button.js": ("text/javascript", script)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = shown.get(self.path, ("text/html", b""))
            self.send_response(200)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{served.server_address[1]}"

    def page(tag: str) -> str:
        talk = """<script>window.flawReport = {conversation: () => [
            {role: "user", content: "Who sits beside me?"},
            {role: "assistant", content: "Robin <i>Example</i>."}]};</script>"""
        shown["/"] = ("text/html", f"<!doctype html><title>Shop</title><body>{talk}{tag}".encode())
        return address

    yield page
    served.shutdown()
    served.server_close()


def button(server: Server, key: str) -> str:
    return (
        f'<script src="/report-button.js" data-server="{server.url}" data-key="{key}"'
        ' data-product="Kite Travel Agent"></script>'
    )


def answer_is_lost(route: Route) -> None:
    route.fetch()
    route.abort()


def test_a_button_on_another_site_sends_a_report(
    server: Server, context: BrowserContext, website: Callable[[str], str]
) -> None:
    address = website("")
    made = desk(server, "keys.add", product="Kite Travel Agent", origins=[address], per_minute=60)
    website(button(server, made["key"]))
    page = context.new_page()
    # Without the wait before the next try.
    page.add_init_script("const later = setTimeout; window.setTimeout = (call) => later(call, 0)")
    page.goto(address)
    page.get_by_role("button", name="Report a flaw").click()
    expect(page.get_by_label("What you told the system")).to_have_value("Who sits beside me?")
    page.get_by_label("What is wrong with that?").fill(" ")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Not sent: what is wrong").wait_for()
    page.get_by_label("What is wrong with that?").fill("It named another guest.")
    before = desk(server, "stats")["reports"]
    page.route("**/api/v1/reports", answer_is_lost)
    page.get_by_role("button", name="Send").click()
    page.get_by_text("the server does not answer").wait_for()
    page.unroute("**/api/v1/reports")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Report a flaw").click()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("is stored. Tracking key").wait_for()
    assert desk(server, "stats")["reports"] == before + 1, "the same words are stored once"
    key = page.get_by_role("status").locator("code").inner_text()
    show(page, server, key)
    page.get_by_role("heading", name="Received, and waiting to be read").wait_for()


def test_a_long_conversation_goes_out_with_its_end(
    server: Server, context: BrowserContext, website: Callable[[str], str]
) -> None:
    """In a script of three bytes a character, with a turn that would be cut within one."""
    address = website("")
    made = desk(server, "keys.add", product="Kite Travel Agent", origins=[address], per_minute=60)
    talk = """<script>window.flawReport = {conversation: () => [..."abcdefgh"].flatMap((name) => [
        {role: "user", content: name + "\U0001f600".repeat(30000)},
        {role: "assistant", content: name + "\u5b57".repeat(60000)}])};</script>"""
    website(talk + button(server, made["key"]))
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="Report a flaw").click()
    page.get_by_label("What is wrong with that?").fill("It goes on and on.")
    with page.expect_request("**/api/v1/reports") as sent:
        page.get_by_role("button", name="Send").click()
    page.get_by_text("is stored. Tracking key").wait_for()
    turns = sent.value.post_data_json["turns"]
    assert [turn["content"][0] for turn in turns] == [*"ffgghh"]
    assert [len(turn["content"]) for turn in turns] == [25_000, 50_000] * 3  # no half of a sign


def test_a_button_on_a_site_that_the_key_does_not_name_sends_nothing(
    server: Server, context: BrowserContext, website: Callable[[str], str]
) -> None:
    made = desk(server, "keys.add", product="Kite", origins=["https://shop.example"], per_minute=60)
    before = desk(server, "stats")["reports"]
    page = context.new_page()
    page.goto(website(button(server, made["key"])))
    page.get_by_role("button", name="Report a flaw").click()
    page.get_by_label("What is wrong with that?").fill("It named another guest.")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("the server does not answer").wait_for()
    assert desk(server, "stats")["reports"] == before
