"""The public pages work without a script, keep what was typed, and show hostile text as text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.hostile_corpus import HOSTILE
from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock
from triage_core import db, queries, runtime
from triage_core.channel import messages, reporter, reportformat, transcript
from triage_core.channel.limits import TokenBucket
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.front import Front
from triage_core.guidance import policies, policy, policy_drafts
from triage_core.lifecycle import Trigger
from triage_core.middleware import PUBLIC_POLICY
from triage_core.model import Actor, DeskRole
from triage_core.outgoing.delivery import Smtp
from triage_core.rewards import rewards
from triage_core.rewards.reward_rules import RewardKind

FORM: dict[str, Any] = {
    "platform": "Kite Travel",
    "turn_role": ["user", "assistant"],
    "turn_content": ["Show me seat 4's booking", "Here it is."],
    "what_is_wrong": "It did.",
    "harm_types": ["rights_violations"],
    "disclosure_intent": "no",
}
PAGES = ("/report", "/track", "/peers", "/policy", "/thanks")


def send(client: TestClient, **fields: Any) -> str:
    page = client.post("/report", data=FORM | fields)
    assert page.status_code == 201, page.text
    found = re.search(r'<code id="key">([^<]+)</code>', page.text)
    assert found
    return found[1]


def track(client: TestClient, key: str, do: str = "show", **fields: str) -> Any:
    return client.post("/track", data={"key": key, "do": do, **fields})


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_html_of_its_own_without_script_or_cookie(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers
    assert "<script" not in page.text
    assert "style=" not in page.text, "the content policy allows no inline style"
    assert '<html lang="en">' in page.text
    assert page.text.count("<h1>") == 1


@pytest.mark.parametrize("path", PAGES)
def test_each_field_has_a_label_and_each_id_is_one(client: TestClient, path: str) -> None:
    text = client.get(path).text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    outside = re.sub(r"<label.*?</label>", "", text, flags=re.DOTALL)
    assert re.findall(r"<(?:input(?! type=\"hidden\")|textarea|select)\b[^>]*>", outside) == []


def test_the_form_says_that_files_are_not_taken_and_takes_none(client: TestClient) -> None:
    text = client.get("/report").text
    assert "Files are not taken" in text
    assert 'type="file"' not in text
    sent = client.post("/report", data=FORM, files={"screenshot": ("a.png", b"\x89PNG", "image/png")})
    assert sent.status_code == 422
    assert "form in URL encoding" in sent.text


def test_a_pasted_conversation_is_split_and_can_be_corrected(client: TestClient) -> None:
    pasted = "User: Book seat 4\nAssistant: Whose?\nUser: Anybody's\nAssistant: Done."
    empty = {"turn_content": ["", ""], "transcript": pasted, "do": "split", "what_is_wrong": "It booked."}
    page = client.post("/report", data=FORM | empty)
    assert page.status_code == 200
    assert page.text.count('name="turn_role"') == 4
    assert "It booked." in page.text
    assert "Book seat 4" in page.text
    corrected = {
        "turn_role": ["user", "tool", "user", "assistant"],
        "turn_content": ["Book seat 4", "Whose?", "", "Done."],
        "do": "send",
    }
    send(client, **corrected)
    with runtime.current().store.read() as cursor:
        turns = db.value(cursor, "SELECT turns FROM reports")
    assert [(turn["role"], turn["content"]) for turn in turns] == [
        ("user", "Book seat 4"),
        ("tool", "Whose?"),
        ("assistant", "Done."),
    ]


def test_split_turns_join_those_that_are_there_and_an_empty_paste_is_named(client: TestClient) -> None:
    page = client.post("/report", data=FORM | {"transcript": "User: And then?", "do": "split"})
    assert page.text.count('name="turn_role"') == 3
    refused = client.post("/report", data=FORM | {"do": "split"})
    assert refused.status_code == 422
    assert 'href="#transcript"' in refused.text
    for filled in (FORM, FORM | {"turn_content": ["", ""]}):
        added = client.post("/report", data=filled | {"do": "add"})
        assert added.text.count('name="turn_role"') == 3
        assert "Turn 3, who speaks" in added.text


def test_nothing_that_was_pasted_is_left_out(client: TestClient) -> None:
    pasted = FORM | {"transcript": "User: And then?\nAssistant: Then seat 5."}
    page = client.post("/report", data=pasted)
    assert page.status_code == 422
    assert "What was said: what you pasted stands here in turns now" in page.text
    assert page.text.count('name="turn_role"') == 4
    assert "Checked: nothing is sent yet" in client.post("/report", data=pasted | {"do": "check"}).text
    many = {"turn_role": ["user"] * 199, "turn_content": ["x"] * 199}
    assert 'href="#transcript"' in client.post("/report", data=pasted | many).text
    with runtime.current().store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM reports") == 0


def test_a_refused_form_comes_back_with_what_was_typed_in_any_script(client: TestClient) -> None:
    long = "\u0416" * reportformat.MAX_TURN_CHARACTERS  # six bytes each, in URL encoding
    send(client, turn_role=["user"] * 4, turn_content=[long] * 4)
    runtime.current().limits.everybody = TokenBucket(1, 1e-9)
    send(client)
    refused = client.post("/report", data=FORM | {"what_is_wrong": "It told seat 4."})
    assert refused.status_code == 429
    assert "It told seat 4." in refused.text


def test_the_receipt_promises_the_waiting_period_that_there_is(client: TestClient) -> None:
    for told, words in (
        ({"disclosure_intent": "already"}, "no waiting period begins"),
        ({"disclosure_intent": "yes", "planned_date": "2026-03-20T10:00"}, "You named a day"),
        ({}, "wait 45 days before you publish"),
    ):
        assert words in client.post("/report", data=FORM | told).text
    key = send(client, disclosure_intent="already")
    assert "None holds for this report" in track(client, key).text


def test_the_hint_names_a_clause_and_refuses_nothing(client: TestClient) -> None:
    fields = {"what_is_wrong": "It got 48213 x 90177 wrong in the last digits, a wrong sum."}
    page = client.post("/report", data=FORM | fields | {"turn_content": ["", ""], "do": "check"})
    assert page.status_code == 200
    assert "looks like clause <strong>OOS-1" in page.text
    assert "You can still send it" in page.text
    assert "There is a problem" in page.text, "a missing turn is said at the same time"
    with runtime.current().store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM reports") == 0
    send(client, **fields)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"platform": ""}, "platform"),
        ({"turn_content": ["", ""]}, "turn-0"),
        ({"turn_content": ["x", "y" * (reportformat.MAX_TURN_CHARACTERS + 1)]}, "turn-1"),
        ({"what_is_wrong": ""}, "what_is_wrong"),
        ({"harm_types": []}, "harm-0"),
        ({"disclosure_intent": "maybe"}, "intent-0"),
        ({"tries": "many"}, "tries"),
        ({"disclosure_intent": "yes", "planned_date": "soon"}, "planned_date"),
        ({"other_platform": ["Owl"], "other_model": [""], "other_worked": ["perhaps"]}, "other-0"),
        ({"malicious_use": "very"}, "malicious_use"),
    ],
)
def test_a_refusal_links_to_its_field(client: TestClient, fields: dict[str, Any], place: str) -> None:
    page = client.post("/report", data=FORM | fields)
    assert page.status_code == 422
    assert f'<a href="#{place}">' in page.text
    assert re.search(rf'id="{place}" aria-invalid="true" aria-describedby="error"', page.text)
    assert 'role="alert"' in page.text


def test_all_that_is_missing_is_said_at_once(client: TestClient) -> None:
    page = client.post("/report", data={"turn_role": ["user", "assistant"], "turn_content": ["", ""]}).text
    places = ["platform", "turn-0", "what_is_wrong", "harm-0", "intent-0"]
    assert re.findall(r'<li><a href="#([^"]+)">[^<]+: is required</a></li>', page) == places
    assert all(f'id="{place}" aria-invalid="true"' in page for place in places)
    # Of illegal material nothing is asked that must not be sent.
    page = client.post("/report", data={"illegal_minor_content": "yes", "platform": "Kite"}).text
    assert re.findall(r'<li><a href="#([^"]+)">', page) == ["harm-0", "intent-0"]
    assert "is required" not in client.get("/report").text


def test_every_optional_field_reaches_the_report(client: TestClient) -> None:
    send(
        client,
        access_method="app", actual="It told me.", session_id="s-1", policy_clause_claimed="IN-3",
        real_world_harm="yes", malicious_use="unknown", disclosure_intent="yes", planned_date="2026-05-01T10:30",
        embargo_wish="2026-04-01T00:00", other_platform=["Owl", ""], other_model=["owl-1", ""],
        other_worked=["yes", "untested"],
    )  # fmt: skip
    with runtime.current().store.read() as cursor:
        body = db.value(cursor, "SELECT body FROM reports")
    for part in ('"access_method":"app"', '"actual":"It told me."', '"session_id":"s-1"', '"real_world_harm":"yes"',
                 '"planned_date":"2026-05-01T10:30:00Z"', '"embargo_wish":"2026-04-01T00:00:00Z"',
                 '"policy_clause_claimed":"IN-3"', '"model":"owl-1"'):  # fmt: skip
        assert part in body
    assert "malicious_use" not in body


def test_dates_are_asked_only_of_those_who_mean_to_publish(client: TestClient) -> None:
    send(client, planned_date="2026-05-01T10:30")
    with runtime.current().store.read() as cursor:
        assert "planned_date" not in db.value(cursor, "SELECT body FROM reports")


def test_illegal_material_is_refused_and_its_authorities_are_named(client: TestClient) -> None:
    flagged = {"illegal_minor_content": "yes"}
    refused = client.post("/report", data=FORM | flagged)
    assert refused.status_code == 422
    assert "send no evidence" in refused.text
    empty = {"turn_content": ["", ""], "what_is_wrong": ""}
    page = client.post("/report", data=FORM | flagged | empty)
    assert page.status_code == 201
    assert "report.cybertip.org" in page.text
    assert "you publish" not in page.text
    with runtime.current().store.read() as cursor:
        row = db.row(
            cursor,
            "SELECT r.turns, r.what_is_wrong, c.resolution, r.body FROM reports r JOIN cases c USING (report_id)",
        )
    assert row is not None
    assert (row["turns"], row["what_is_wrong"], row["resolution"]) == ([], "", "rerouted")
    assert "Kite Travel" in row["body"]


def test_a_reporter_follows_answers_and_withdraws(client: TestClient, clock: Clock) -> None:
    key = send(client)
    opened = runtime.current()
    page = track(client, key)
    assert page.status_code == 200
    assert "waiting to be read" in page.text
    assert "Wednesday, 4 March 2026, 12:00 UTC" in page.text
    assert "Thursday, 16 April 2026, 12:00 UTC" in page.text, "the end of the waiting period"
    assert page.headers["cache-control"] == "no-store"
    messages.ask(opened.store, REVIEWER, "FR-1", "Which <b>version</b>?")
    page = track(client, key)
    assert "Which &lt;b&gt;version&lt;/b&gt;?" in page.text
    assert "Send the answer" in page.text
    blank = track(client, key, "write", text=" ")
    assert blank.status_code == 422
    assert 'href="#text"' in blank.text
    for _ in range(2):  # a second click
        page = track(client, key, "write", text="2.1\r\nof May")
        assert page.status_code == 200
    with opened.store.read() as cursor:
        assert [one["text"] for one in messages.thread(cursor, "FR-1")] == [
            "Which <b>version</b>?",
            "2.1\nof May",
        ]
    asked = track(client, key, "withdraw")
    assert "Withdraw this report?" in asked.text
    with opened.store.read() as cursor:
        assert db.value(cursor, "SELECT status FROM cases") == "new"
    assert "You withdrew it" in track(client, key, "confirm").text
    again = track(client, key, "confirm")
    assert again.status_code == 422
    assert "There is a problem" in again.text


def test_a_reporter_takes_back_what_was_agreed_to_and_the_desk_sees_it(client: TestClient) -> None:
    key = send(client, consent_training="any_safety_training", consent_share_peers="under_embargo")
    store = runtime.current().store
    messages.ask(store, REVIEWER, "FR-1", "Which one?")
    page = track(client, key)
    assert "We may train on your report: any safety training" in page.text
    for _ in range(2):  # a second click
        page = track(client, key, "end_training")
    assert "We do not train on your report" in page.text
    assert "Do not train on it any more" not in page.text
    page = track(client, key, "end_sharing")
    assert "No company with similar products gets it" in page.text
    assert page.text.count("To agree to it, write to the reviewers") == 1, (
        "the desk records the one, not the other"
    )
    with store.read() as cursor:
        case = db.row(cursor, "SELECT consent_training, consent_share_peers FROM cases")
        wrote = queries.count(cursor, queries.Filter(only=queries.Only.WROTE, at=NOON))
        thread = messages.thread(cursor, "FR-1")
    assert case == {"consent_training": "none", "consent_share_peers": "no"}
    assert [one["kind"] for one in thread] == ["question", "training_ended", "sharing_ended"]
    assert wrote == 1
    assert "Send the answer" in page.text, "the question still waits"
    store.verify()


def test_mail_is_offered_where_there_is_some_and_can_be_refused(client: TestClient) -> None:
    mute, key = send(client), send(client, contact="ann@example.org")
    opened = runtime.current()
    assert "Send me no e-mail" not in track(client, key).text, "the company has not set up mail"
    smtp = Smtp("localhost", 25, "none", "desk@example.org", ("desk@example.org",))
    opened.settings = replace(opened.settings, smtp=smtp)
    assert "Send me" not in track(client, mute).text
    assert "Send me no e-mail" in track(client, key).text
    for _ in range(2):
        page = track(client, key, "mail_off")
    assert "You get no e-mail about this report" in page.text
    assert "ann@example.org" not in page.text
    assert "Send me no e-mail</button>" in track(client, key, "mail_on").text


def test_who_wished_to_be_named_may_take_that_back(client: TestClient) -> None:
    key = send(client, credit_name="Ann <b>Example</b>", credit_wish="named")
    assert "names you as Ann &lt;b&gt;Example&lt;/b&gt;" in track(client, key).text
    assert "The thanks page does not name you" in track(client, key, "name_off").text
    assert "Do not name me</button>" in track(client, key, "name_on").text
    for _ in range(reporter.MOST_CHANGES - 1):
        track(client, key, "name_off")
        assert track(client, key, "name_on").status_code == 200
    # The end of so many changes is that of a person who is not named.
    assert "The thanks page does not name you" in track(client, key, "name_off").text
    assert "taken back 50 times at most" in track(client, key, "name_on").text
    assert "The thanks page does not name you" in track(client, key).text
    written = track(client, key, "write", text="Enough of that.").text
    assert 'role="status" tabindex="-1" autofocus>Your message is stored' in written
    assert "thanks page" not in track(client, send(client, credit_name="Bo")).text, "no wish was stated"


def test_a_reporter_knows_the_report_again_by_what_was_sent(client: TestClient) -> None:
    long = "word " * 300
    key = send(client, turn_role=["user"] * 30, turn_content=["<b>one</b>", long, *map(str, range(28))])
    page = track(client, key).text
    assert "Kite Travel" in page
    assert "&lt;b&gt;one&lt;/b&gt;" in page
    assert long.strip() not in page
    assert "And 10 more turns." in page


def embargo() -> db.Row:
    with runtime.current().store.read() as cursor:
        found = db.row(cursor, "SELECT * FROM embargo_terms")
    assert found is not None
    return found


def test_a_reporter_agrees_refuses_and_proposes_the_end_of_the_waiting_period(client: TestClient) -> None:
    key = send(client, disclosure_intent="yes", embargo_wish="2026-03-20T10:00")
    page = track(client, key)
    assert "We propose that it ends at" in page.text
    seen = re.search(r'name="seen" value="(\d+)"', page.text)[1]
    assert "Your answer about the waiting period is stored" in track(client, key, "accept", seen=seen).text
    assert (embargo()["state"], embargo()["ends_at"]) == ("active", NOON + timedelta(days=45))
    again = track(client, key, "accept", seen=seen)
    assert again.status_code == 409
    assert "was changed while you looked at it" in again.text
    assert "You propose that it ends at" in track(client, key, "propose", end="2026-05-20T10:00").text
    assert embargo()["proposed_end"] == datetime(2026, 5, 20, 10, tzinfo=UTC)
    assert embargo()["proposed_by"] == "reporter"
    track(client, key, "reject")
    assert embargo()["proposed_end"] is None
    for end in ("", "soon", "2026-02-30T10:00", "2027-05-20T10:00", "2026-01-01T00:00"):
        refused = track(client, key, "propose", end=end)
        assert refused.status_code == 422
        assert 'href="#end"' in refused.text
    assert "End the waiting period now?" in track(client, key, "public").text
    assert embargo()["state"] == "active", "the page asks once more"
    ended = track(client, key, "end")
    assert "The waiting period is over" in ended.text
    assert embargo()["state"] == "exited"
    assert "Propose another end" not in ended.text


def test_who_reported_no_flaw_may_publish_and_end_the_waiting_period(client: TestClient) -> None:
    key = send(client)
    assert "We ask you not to publish" in track(client, key).text
    early = track(client, key, "release")
    assert (early.status_code, embargo()["state"]) == (422, "active")
    store = runtime.current().store
    triage.assess(store, POLICY, REVIEWER, "FR-1", Decision(("OOS-1",), note="Only a sum."))
    page = track(client, key).text
    assert "We do not ask you to wait: you may publish" in page
    assert "We ask you not to publish" not in page
    assert "Propose another end" not in page
    assert 'value="release"' in track(client, key, "public").text
    assert embargo()["state"] == "active", "the page asks once more"
    ended = track(client, key, "release").text
    assert "The waiting period is over" in ended
    assert "Reason:" not in ended
    assert embargo()["state"] == "exited"


def test_a_withdrawn_report_says_why_its_waiting_period_goes_on(client: TestClient) -> None:
    key = send(client)
    assert "The waiting period goes on to its end." in track(client, key, "withdraw").text
    page = track(client, key, "confirm").text
    assert "We ask you not to publish" in page
    assert "Nobody has found that it is no flaw" in page


def test_what_is_only_proposed_names_no_end_above(client: TestClient) -> None:
    page = track(client, send(client, disclosure_intent="yes", embargo_wish="2026-01-20T10:00")).text
    assert "We propose that it ends at" in page
    assert "the end above holds" not in page


def test_an_unknown_key_and_a_wrong_one_get_the_same_answer(client: TestClient) -> None:
    key = send(client)
    answers = [
        track(client, wrong, do, text="x")
        for wrong in ("", "x" * 32, key[:-1], "FR-1", "\u20ac" * 300)
        for do in ("show", "write", "confirm", "accept", "end")
    ]
    assert {(one.status_code, one.text) for one in answers} == {(404, answers[0].text)}
    assert client.get(f"/track?key={key}").text == client.get("/track").text
    with runtime.current().store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM messages") == 0


def test_a_closure_shows_clause_and_reason(client: TestClient) -> None:
    key = send(client)
    opened = runtime.current()
    triage.assess(opened.store, POLICY, REVIEWER, "FR-1", Decision(("OOS-1",), note="Only a <i>sum</i>."))
    page = track(client, key).text
    assert "Outside what this policy covers" in page
    assert "Clause OOS-1: Arithmetic" in page
    assert "Only a &lt;i&gt;sum&lt;/i&gt;." in page


def test_a_reporter_sees_the_reward_and_the_fix(client: TestClient, clock: Clock) -> None:
    key = send(client, contact="ana@example.org", wants_reward="yes")
    store = runtime.current().store
    triage.assess(store, POLICY, REVIEWER, "FR-1", FLAW)
    clock.forward(days=8)  # until then a duplicate may still share it
    number = rewards.propose(store, POLICY, REVIEWER, "FR-1", RewardKind.CASH, Decimal(1_000))
    assert "1,000" not in track(client, key).text, "what nobody has approved promises nothing"
    owner = Actor("test:olga", "Olga", frozenset({DeskRole.POLICY_OWNER}))
    rewards.approve(store, POLICY, owner, number)
    page = track(client, key).text
    assert "Cash: 1,000.00 USD" in page
    assert "approved on Tuesday, 10 March 2026" in page
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX):
        triage.move(store, REVIEWER, "FR-1", trigger)
    assert "A fix for the flaw that you reported is in place." in track(client, key).text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_text_on_every_page(client: TestClient, clock: Clock, name: str) -> None:
    text = HOSTILE[name]
    marks = [
        mark for mark in ("<script", "<img", "<svg", "<iframe", "javascript:", "onerror=") if mark in text
    ]
    key = send(client, turn_content=[f"x{text}", ""], what_is_wrong=f"x{text}"[:5000], credit_name=f"x{text}"[:500],
               credit_wish="named", do="send")  # fmt: skip
    opened = runtime.current()
    messages.answer(opened.store, "FR-1", f"x{text}"[:5000])
    triage.assess(opened.store, POLICY, REVIEWER, "FR-1", FLAW)
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX):
        triage.move(opened.store, REVIEWER, "FR-1", trigger)
    clock.forward(days=60)
    pages = [
        track(client, key).text,
        track(client, key, "write", text="\0" + text[:100]).text,
        client.get("/thanks").text,
        client.post(
            "/report", data=FORM | {"platform": text[:400], "what_is_wrong": text, "do": "check"}
        ).text,
        client.post("/report", data={"transcript": text, "do": "split"}).text,
    ]
    for page in pages:
        bare = re.sub(r"<(?:/?(?:a|p|h[1-3]|li|ul|ol|div|section|article|form|label|input|textarea|select|option|button"
                      r"|details|summary|fieldset|legend|span|dl|dt|dd|code|time|nav|header|footer|main|body|html|head"
                      r"|meta|title|link|strong|br|datalist)\b[^<>]*|!doctype html)>", "", page)  # fmt: skip
        assert not re.search(r"<\w", bare), "a tag that is not ours"
        for mark in marks:
            if mark.startswith("<"):
                assert mark not in page
        ours = r"/|#|mailto:ai-flaws@example\.org|https://(?:report\.|www\.inhope)"
        assert not re.search(rf'(?:src|href)="(?!{ours})', page)


def test_the_policy_shows_versions_and_what_changed(client: TestClient, clock: Clock) -> None:
    clock.forward(days=1)
    changed = (
        POLICY.toml_text.replace(f'version = "{POLICY.version}"', 'version = "2099.1"')
        .replace("default_days = 45", "default_days = 50")
        .replace("Product feedback is the place for it.", "Product feedback is its place.")
    )
    changes = {  # what stands in force, and what it becomes
        "window_days = 7": "window_days = 9",
        "yearly_budget = 50000": "yearly_budget = 61000",
        'name = "Trusted"': 'name = "Steady"',
        "share = 0.1": "share = 0.25",
        "holidays = [2026-01-01,": "holidays = [2026-01-02,",
        '["mon", "tue", "wed", "thu", "fri"]': '["mon", "tue", "wed", "thu", "sat"]',
        'owasp = ["LLM07"]': 'owasp = ["LLM08"]',
    }
    for before, after in changes.items():
        assert before in changed
        changed = changed.replace(before, after)
    milder = POLICY.priority_csv.replace("medium,active,out_of_cycle", "medium,active,scheduled")
    newer = policy.parse(changed, POLICY.severity_csv, milder)
    policies.publish(runtime.current().store, EVERYBODY, newer)
    page = client.get(f"/policy?version=2099.1&since={POLICY.version}").text
    assert "Version 2099.1, in force since Tuesday, 3 March 2026, 12:00 UTC" in page
    for before, after in (("45", "50"), ("7", "9"), ("50000", "61000"), ("Trusted", "Steady"), ("0.1", "0.25"),
                          ("2026-01-01, ", "2026-01-02, "), ("fri", "sat"), ("LLM07", "LLM08"),
                          ("out_of_cycle", "scheduled")):  # fmt: skip
        assert f"<del>{before}</del> <ins>{after}</ins>" in page
    for said in ("within 9 days share", "61,000 USD", ">Steady</th>", "25% and every critical", "2 January 2026",
                 "Thursday, Saturday", "Known as LLM08, AML.T0056"):  # fmt: skip
        assert said in page
    assert "by severity and by what is known of attacks (public poc" in page
    assert "<dt>number 2, name</dt>" in page
    assert page.count('<th scope="row">universal, reliable, uplift</th>') == 5
    assert "<h3>Clause OOS-2</h3>" in page
    assert "<h3>Clause OOS-1</h3>" not in page
    assert "is not in force any more" in client.get(f"/policy?version={POLICY.version}").text
    assert client.get("/policy?version=<script>").status_code == 404
    assert "<script" not in client.get("/policy?version=<script>").text


def test_a_draft_that_is_published_is_on_the_public_page_at_once(client: TestClient) -> None:
    store = runtime.current().store
    send(client)
    writer, other = (Actor(name, name, EVERYBODY.roles) for name in ("ada", "ben"))
    draft_id = policy_drafts.start(store, writer)
    changes = {"title": "Where to send a flaw", "contact": "mailto:new@example.org"}
    revision = policy_drafts.change(store, writer, draft_id, changes, seen_revision=1)
    policy_drafts.approve(store, other, draft_id, seen_revision=revision)
    assert "Where to send a flaw" not in client.get("/policy").text
    policy_drafts.publish(store, writer, draft_id, seen_revision=revision)
    assert "Where to send a flaw" in client.get("/policy").text
    assert POLICY.title not in client.get("/policy").text
    assert POLICY.title in client.get(f"/policy?version={POLICY.version}").text
    assert "Contact: mailto:new@example.org" in client.get("/.well-known/security.txt").text
    send(client, what_is_wrong="Another thing went wrong.")
    with store.read() as cursor:
        kept = cursor.execute("SELECT policy_version FROM reports ORDER BY seq").fetchall()
    assert kept == [(POLICY.version,), (runtime.current().policy.version,)]


def test_whether_anybody_is_looking_is_published(client: TestClient) -> None:
    send(client)
    page = client.get("/policy").text
    assert "Is anybody looking?" in page
    assert "1 report came in" in page
    for clock in ("First response", "Decision", "Fix, by severity", "Reward that was asked for"):
        assert clock in page
    assert "too few to say, 0 decided twice." in page


@pytest.mark.parametrize("page", ["/report", "/track", "/peers", "/policy", "/thanks", "/.well-known"])
def test_below_a_public_page_there_is_nothing(client: TestClient, page: str) -> None:
    for answer in (client.get(f"{page}/none"), client.post(f"{page}/none/")):
        assert answer.status_code == 404
        assert "There is no such page" in answer.text
        assert answer.headers["content-security-policy"] == PUBLIC_POLICY


def test_a_folder_alone_is_nothing(client: TestClient) -> None:
    assert "There is no such page" in client.get("/.well-known").text
    assert client.get("/.well-known").status_code == 404
    assert client.get("/api").status_code == 404
    assert client.post("/api").json()["error"]["field"] == "path"


def test_security_txt_is_complete_and_not_over(client: TestClient, clock: Clock) -> None:
    answer = client.get("/.well-known/security.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    fields = [line.split(": ", 1) for line in answer.text.splitlines()]
    names = [name for name, _ in fields]
    assert {"Contact", "Expires", "Policy", "Canonical", "Preferred-Languages"} <= set(names)
    assert names.count("Expires") == names.count("Preferred-Languages") == 1
    found = dict(fields)
    assert found["Canonical"] == "http://localhost/.well-known/security.txt"
    assert found["Expires"] == (NOON + timedelta(days=180)).isoformat().replace("+00:00", "Z")
    assert dict(reversed(fields))["Contact"] == "http://localhost/report"


def test_what_names_this_server_names_its_public_address(client: TestClient) -> None:
    opened, address = runtime.current(), "https://flaws.example.org"
    opened.settings = replace(opened.settings, front=Front(address))
    outside = {"host": "flaws.example.org", "origin": address}
    text = client.get("/.well-known/security.txt", headers=outside).text
    assert f"Contact: {address}/report" in text
    assert "localhost" not in text
    assert client.get("/.well-known/security.txt").text == text
    assert client.get("/api/v1/openapi.json").json()["servers"] == [{"url": address}]
    receipt = client.post("/report", data=FORM, headers=outside)
    assert receipt.status_code == 201
    assert f">{address}/track</a>" in receipt.text
    foreign = {**outside, "origin": "https://other.example"}
    assert client.post("/report", data=FORM, headers=foreign).status_code == 403


def test_what_is_split_is_what_the_function_splits(client: TestClient) -> None:
    text = "User: a\nAssistant: b"
    page = client.post("/report", data={"transcript": text, "do": "split"}).text
    assert all(turn.content in page for turn in transcript.split(text))
