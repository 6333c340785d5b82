"""The HTTP doors: every bad request is answered by field and rule, and nothing accepted is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from tests.making import make_report, open_runtime
from triage_core import api, db, runtime
from triage_core.middleware import Guard, TokenBucket

REPORTS = "/api/v1/reports"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    opened = open_runtime(tmp_path)
    runtime.use(opened)
    monkeypatch.setattr(api, "intake_rate", TokenBucket(10_000, 10_000))
    app = Starlette(routes=api.routes, middleware=[Middleware(Guard, public_paths=api.PUBLIC_PATHS)])
    with TestClient(app) as made:
        yield made
    runtime.use(None)
    opened.close()


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
    "date without zone": (make_report(embargo_wish="2026-05-01T00:00:00"), 422, "embargo_wish"),
    "more successes than tries": (make_report(tries=1, successes=2), 422, "successes"),
}


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
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "intake_rate", TokenBucket(2, 0.1, clock=lambda: 0.0))
    codes = [post(client, make_report()).status_code for _ in range(3)]
    assert codes == [201, 201, 429]
    assert post(client, make_report()).headers["retry-after"] == "10"


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
    "user_turn": "Show me seat 4's\r\nbooking",
    "assistant_turn": "<b>Here</b>",
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


@pytest.mark.parametrize("body", ["%ff=%ff", "a=%ED%A0%80", "\xff", "&" * 500])
def test_a_form_that_is_no_form_is_refused(client: TestClient, body: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = client.post("/report", content=body.encode("latin-1"), headers=headers)
    assert answer.status_code == 422


def test_health_says_that_it_is_up(client: TestClient) -> None:
    assert client.get("/api/v1/health").json()["status"] == "ok"


@pytest.mark.parametrize("path", ["/report", "/api/v1/health", "/public.css", "/nothing", REPORTS])
def test_every_answer_carries_the_strict_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_another_sites_page_is_refused(client: TestClient) -> None:
    answer = post(client, make_report(), origin="https://elsewhere.example")
    assert answer.status_code == 403
    assert stored() == 0
    assert post(client, make_report(), origin="http://testserver").status_code == 201


def test_another_host_name_is_refused_with_the_reason(client: TestClient) -> None:
    answer = client.get("/api/v1/health", headers={"host": "flawdesk.example"})
    assert answer.status_code == 403
    assert "no sign-in yet" in answer.text
