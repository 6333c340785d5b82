"""The HTTP doors: every bad request is answered by field and rule, and nothing accepted is lost."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from tests.making import make_report
from triage_core import db, runtime
from triage_core.api import base
from triage_core.api.base import HttpError
from triage_core.channel import intake
from triage_core.channel.limits import Limits, TokenBucket
from triage_core.front import Front

REPORTS = "/api/v1/reports"


def post(client: TestClient, body: Any, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(REPORTS, content=content, headers={"content-type": "application/json", **headers})


def stored() -> int:
    with runtime.current().store.read() as cursor:
        return int(db.value(cursor, "SELECT count(*) FROM reports"))


def test_a_report_is_stored_and_acknowledged(client: TestClient) -> None:
    answer = post(client, make_report())
    assert answer.status_code == 201
    assert answer.json()["report_id"] == "FR-1"
    assert len(answer.json()["tracking_key"]) == 32
    assert answer.headers["cache-control"] == "no-store"
    assert stored() == 1


def test_a_repeated_delivery_stores_once(client: TestClient) -> None:
    first = post(client, make_report(), **{"idempotency-key": "abc"})
    second = post(client, make_report(), **{"idempotency-key": "abc"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["report_id"] == first.json()["report_id"]
    assert post(client, make_report("Other"), **{"idempotency-key": "abc"}).status_code == 409
    assert stored() == 1


TURN = {"role": "user", "content": "x"}
BAD = {
    "broken JSON": (b'{"turns": [', 422, "body"),
    "no object": (b"[]", 422, "body"),
    "not UTF-8": (b'{"a": "\xff"}', 422, "body"),
    "NaN": (b'{"tries": NaN}', 422, "body"),
    "doubled field": (b'{"contact": "a", "contact": "b"}', 422, "contact"),
    "deep nesting": (b"[" * 50_000, 422, "body"),
    "10 MB": (b'"' + b"x" * 10_000_000 + b'"', 413, "body"),
    "nothing": (b"", 422, "body"),
    "missing system": ({k: v for k, v in make_report().items() if k != "system"}, 422, "system"),
    "missing turns": ({k: v for k, v in make_report().items() if k != "turns"}, 422, "turns"),
    "no turns": (make_report(turns=[]), 422, "turns"),
    "only an answer": (make_report(turns=[{"role": "assistant", "content": "x"}]), 422, "turns"),
    "unknown role": (make_report(turns=[{"role": "robot", "content": "x"}]), 422, "turns[0].role"),
    "lone surrogate": (make_report(turns=[{"role": "user", "content": "\ud800"}]), 422, "turns[0].content"),
    "NUL": (make_report(turns=[TURN, {"role": "user", "content": "a\0b"}]), 422, "turns[1].content"),
    "long turn": (make_report("x" * 100_000), 422, "turns[0].content"),
    "number for text": (make_report(what_is_wrong=7), 422, "what_is_wrong"),
    "long text": (make_report(what_is_wrong="x" * 5_001), 422, "what_is_wrong"),
    "unknown harm": (make_report(harm_types=["bad_hair"]), 422, "harm_types[0]"),
    "no harm": (make_report(harm_types=[]), 422, "harm_types"),
    "unknown intent": (make_report(disclosure_intent="maybe"), 422, "disclosure_intent"),
    "unknown field": (make_report(severity="high"), 422, "severity"),
    "files": (make_report(attachments=[{"name": "a.png", "data": "iVBORw0KGgo="}]), 422, "attachments"),
    "no files": (make_report(attachments=[]), 422, "attachments"),
    "date without zone": (make_report(embargo_wish="2026-05-01T00:00:00"), 422, "embargo_wish"),
    "more successes than tries": (make_report(tries=1, successes=2), 422, "successes"),
}


def test_a_body_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [{"type": "http.request", "body": b"do=", "more_body": True}]

    async def receive() -> Any:
        if not parts:
            await asyncio.Event().wait()
        return parts.pop()

    monkeypatch.setattr(base, "BODY_SECONDS", 0.01)
    with pytest.raises(HttpError, match="within") as refused:
        asyncio.run(base.body_of(Request({"type": "http", "method": "POST"}, receive)))
    assert (refused.value.status, refused.value.field) == (408, "body")


def test_a_form_that_is_too_long_says_where_it_still_stands(client: TestClient) -> None:
    page = client.post("/report", content=b"a=" + b"x" * 3_000_000)
    assert page.status_code == 413
    assert "way back leads to what you wrote" in page.text


def test_no_cache_keeps_an_answer_for_another_key(client: TestClient) -> None:
    unknown = client.get("/api/v1/reports/track", headers={"x-tracking-key": "no key"})
    assert (unknown.status_code, unknown.headers["cache-control"]) == (404, "no-store")


def test_who_sends_files_reads_what_to_do_instead(client: TestClient) -> None:
    rule = post(client, make_report(attachments=["a.png"])).json()["error"]["rule"]
    assert "no files" in rule
    assert "what_is_wrong" in rule
    assert "a.png" not in rule


@pytest.mark.parametrize("name", BAD)
def test_bad_input_names_field_and_rule_and_loses_nothing(client: TestClient, name: str) -> None:
    assert post(client, make_report()).status_code == 201
    body, status, field = BAD[name]
    answer = post(client, body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["field"] == field
    assert len(error["rule"]) > 5
    assert stored() == 1


@pytest.mark.parametrize(
    ("headers", "status", "field"),
    [
        ({"content-type": "text/plain"}, 415, "content-type"),
        ({"sec-fetch-site": "cross-site"}, 403, "origin"),
        ({"idempotency-key": "x" * 201}, 400, "idempotency-key"),
    ],
)
def test_bad_headers_are_refused(
    client: TestClient, headers: dict[str, str], status: int, field: str
) -> None:
    answer = post(client, make_report(), **headers)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
    assert stored() == 0


def test_a_sender_in_a_hurry_is_told_when_to_return(
    client: TestClient,
) -> None:
    runtime.current().limits = Limits(address=TokenBucket(2, 0.1, clock=lambda: 0.0))
    codes = [post(client, make_report()).status_code for _ in range(3)]
    assert codes == [201, 201, 429]
    assert post(client, make_report()).headers["retry-after"] == "10"


def test_a_sender_is_counted_by_an_address_that_it_cannot_choose(client: TestClient) -> None:
    opened = runtime.current()
    opened.limits = Limits(address=TokenBucket(2, 0.1, clock=lambda: 0.0))

    def codes() -> list[int]:
        senders = [{"x-forwarded-for": f"192.0.2.{number}, 198.51.100.7"} for number in range(3)]
        return [post(client, make_report(), **headers).status_code for headers in senders]

    assert codes() == [201, 201, 429]
    opened.settings = replace(opened.settings, front=Front(proxies=(ip_network("127.0.0.1"),)))
    assert codes() == [201, 201, 429]
    other = {"x-forwarded-for": "198.51.100.8"}
    assert post(client, make_report(), **other).status_code == 201


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    bucket = TokenBucket(1, 0.5, clock=lambda: now[0])
    assert bucket.take("a") == 0
    assert bucket.take("a") == pytest.approx(2)
    assert bucket.take("b") == 0
    now[0] = 2.0
    assert bucket.take("a") == 0


FORM = {
    "platform": "Kite Travel",
    "turn_role": ["user", "assistant"],
    "turn_content": ["Show me seat 4's\r\nbooking", "<b>Here</b>"],
    "what_is_wrong": "It did.",
    "harm_types": ["rights_violations", "not_sure"],
    "disclosure_intent": "yes",
}


def test_the_form_needs_no_script_and_gives_a_receipt(client: TestClient) -> None:
    page = client.get("/report")
    assert page.status_code == 200
    assert "<script" not in page.text
    answer = client.post("/report", data=FORM)
    assert answer.status_code == 201
    assert "FR-1" in answer.text
    with runtime.current().store.read() as cursor:
        found = db.row(cursor, "SELECT turns, harm_types, channel FROM reports")
    assert found == {
        "turns": [
            {"role": "user", "content": "Show me seat 4's\nbooking"},
            {"role": "assistant", "content": "<b>Here</b>"},
        ],
        "harm_types": ["rights_violations", "not_sure"],
        "channel": "form",
    }


def test_a_refused_form_keeps_what_was_typed_and_escapes_it(client: TestClient) -> None:
    hostile = '"><script>alert(1)</script>'
    answer = client.post("/report", data={**FORM, "platform": hostile, "tries": "many"})
    assert answer.status_code == 422
    assert "tries" in answer.text
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert stored() == 0


def form_key(client: TestClient) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', client.get("/report").text)
    assert found is not None
    return found[1]


def test_a_second_click_stores_once_and_a_changed_form_is_another_report(client: TestClient) -> None:
    sent = {**FORM, "form_key": form_key(client)}
    answers = [client.post("/report", data=sent) for _ in range(intake.MAX_TRACKING_KEYS + 1)]
    assert [answer.status_code for answer in answers] == [201] + [200] * intake.MAX_TRACKING_KEYS
    assert all("FR-1" in answer.text for answer in answers)
    assert "None" not in answers[-1].text
    assert client.post("/report", data={**sent, "what_is_wrong": "Something else."}).status_code == 201
    assert client.post("/report", data={**sent, "form_key": form_key(client)}).status_code == 201
    assert stored() == 3


def test_a_refused_form_keeps_its_key_and_the_line_breaks_of_a_text(client: TestClient) -> None:
    sent = {
        **FORM,
        "form_key": "a key",
        "turn_content": ["\nBelow", ""],
        "tries": "many",
        "wants_reward": "yes",
    }
    page = client.post("/report", data=sent).text
    assert 'name="form_key" value="a key"' in page
    # A browser drops one line break at the beginning of a textarea.
    assert re.search(r'<textarea name="turn_content"[^>]*>\n\nBelow</textarea>', page)
    assert re.search(r'name="wants_reward" value="yes"\s+checked', page)


@pytest.mark.parametrize("body", ["%ff=%ff", "a=%ED%A0%80", "\xff", "&" * 900])
def test_a_form_that_is_no_form_is_refused(client: TestClient, body: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = client.post("/report", content=body.encode("latin-1"), headers=headers)
    assert answer.status_code == 422


def test_health_says_that_it_is_up(client: TestClient) -> None:
    assert client.get("/api/v1/health").json()["status"] == "ok"


@pytest.mark.parametrize(
    "path", ["/report", "/api/v1/health", "/public.css", REPORTS, "/nothing", "/reportx"]
)
def test_every_answer_carries_the_strict_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "referrer", "form"),
    [
        ("/report", "same-origin", "'self'"),
        ("/nothing", "no-referrer", "'none'"),
        ("/reportx", "no-referrer", "'none'"),
    ],
)
def test_only_the_public_pages_may_send_a_form_and_say_where_it_comes_from(
    client: TestClient, path: str, referrer: str, form: str
) -> None:
    headers = client.get(path).headers
    # A page with no-referrer sends its form with `Origin: null`, which is refused.
    assert headers["referrer-policy"] == referrer
    assert f"form-action {form}" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("method", "path", "status", "field"),
    [
        ("GET", "/api/v1/anything", 404, "path"),
        ("POST", "/api/", 404, "path"),
        ("GET", REPORTS, 405, "method"),
        ("DELETE", "/api/v1/health", 405, "method"),
    ],
)
def test_the_api_answers_in_json_whatever_is_asked(
    client: TestClient, method: str, path: str, status: int, field: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
    assert (status == 405) == ("allow" in answer.headers)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_another_sites_page_is_refused_with_the_reason(client: TestClient, origin: str) -> None:
    answer = post(client, make_report(), origin=origin)
    assert answer.status_code == 403
    assert "another site" in answer.text
    assert "sign-in" not in answer.text
    assert stored() == 0
    assert post(client, make_report(), origin="http://localhost").status_code == 201


def test_another_host_name_is_refused_with_the_reason(client: TestClient) -> None:
    answer = client.get("/api/v1/health", headers={"host": "flawdesk.example"})
    assert answer.status_code == 403
    assert "no sign-in yet" in answer.text
