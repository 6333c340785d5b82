"""The report button's doors: keys, origins, batches, tracking by header, the puzzle, and the limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import SHOP
from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, Clock, make_report
from triage_core import db, runtime
from triage_core.channel import apikeys, limits, messages, puzzle
from triage_core.channel.limits import Limits, TokenBucket
from triage_core.channel.puzzle import Puzzle
from triage_core.desk import triage

REPORTS, BATCH, TRACK = "/api/v1/reports", "/api/v1/reports/batch", "/api/v1/reports/track"
OTHER = "https://other.example"


def bearer(key: str, origin: str | None = None) -> dict[str, str]:
    headers = {"authorization": f"Bearer {key}"}
    return headers | ({"origin": origin, "sec-fetch-site": "cross-site"} if origin else {})


def post(client: TestClient, body: Any = None, path: str = REPORTS, **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    content = json.dumps(make_report() if body is None else body)
    return client.post(path, content=content, headers={"content-type": "application/json", **names})


def stored() -> list[db.Row]:
    with runtime.current().store.read() as cursor:
        return db.rows(cursor, "SELECT subject, data FROM events WHERE kind = 'report.received' ORDER BY seq")


def test_a_known_page_sends_with_its_key_and_may_read_the_answer(client: TestClient, key: str) -> None:
    asked = client.options(REPORTS, headers={"origin": SHOP, "access-control-request-method": "POST"})
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert "authorization" in asked.headers["access-control-allow-headers"]
    answer = post(client, **bearer(key, SHOP))
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["vary"] == "Origin"
    assert json.loads(stored()[0]["data"])["api_key"] == 1
    refused = post(client, {}, **bearer(key, SHOP))
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (422, SHOP)


def test_no_other_page_sends_anything(client: TestClient, key: str) -> None:
    asked = client.options(REPORTS, headers={"origin": OTHER, "access-control-request-method": "POST"})
    assert asked.status_code == 403
    for headers in (
        bearer(key, OTHER),
        bearer(key, "null"),
        {"origin": SHOP, "sec-fetch-site": "cross-site"},
    ):
        answer = post(client, **headers)
        assert (answer.status_code, answer.json()["error"]["field"]) == (403, "origin")
        if headers["origin"] != SHOP:
            assert "access-control-allow-origin" not in answer.headers
    # The rest of the server stays closed to the same page, key or not.
    for path in ("/report", "/track", "/policy", "/api/v1/health", "/"):
        assert client.get(path, headers=bearer(key, SHOP)).status_code == 403
    assert stored() == []


@pytest.mark.parametrize("given", ["Bearer nonsense", "Basic abc", "", "Bearer "])
def test_an_unknown_key_is_refused(client: TestClient, key: str, given: str) -> None:
    answer = post(client, authorization=given)
    assert (answer.status_code, answer.json()["error"]["field"]) == (401, "authorization")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_is_refused_at_once(client: TestClient, key: str) -> None:
    apikeys.revoke(runtime.current().store, EVERYBODY, 1)
    assert post(client, **bearer(key)).status_code == 401
    assert client.options(REPORTS, headers={"origin": SHOP}).status_code == 403


def test_two_products_may_use_the_same_idempotency_key(client: TestClient, key: str) -> None:
    other = apikeys.add(runtime.current().store, EVERYBODY, "Lumen Tutor")[1]
    first = post(client, idempotency_key="a", **bearer(key))
    assert post(client, make_report("Else"), idempotency_key="a", **bearer(other)).status_code == 201
    again = post(client, idempotency_key="a", **bearer(key))
    assert (again.status_code, again.json()["report_id"]) == (200, first.json()["report_id"])


def test_a_batch_answers_each_report_on_its_own(client: TestClient, key: str) -> None:
    items = [
        {"report": make_report("One"), "idempotency_key": "1"},
        {"report": make_report("Two", severity="high")},
        {"report": make_report("Other"), "idempotency_key": "1"},
        {"report": make_report("One"), "idempotency_key": "1"},
        {"reports": []},
        {"report": make_report(), "idempotency_key": ""},
        {"report": "text"},
        {"report": make_report("Three", turns=[{"role": "user", "content": ""}])},
    ]
    answer = post(client, {"reports": items}, BATCH, **bearer(key))
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [201, 422, 409, 200, 422, 422, 422, 422]
    assert [one["error"]["field"] for one in results if "error" in one] == [
        "reports[1].report.severity",
        "reports[2].idempotency_key",
        "reports[4]",
        "reports[5].idempotency_key",
        "reports[6].report.body",
        "reports[7].report.turns",
    ]
    assert results[0]["report_id"] == results[3]["report_id"] == "FR-1"
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [([], "body"), ({}, "body"), ({"reports": []}, "reports"), ({"reports": [{}] * 101}, "reports"),
     ({"reports": {}}, "reports"), ({"reports": [], "x": 1}, "body")],
)  # fmt: skip
def test_what_is_no_batch_is_refused(client: TestClient, key: str, body: Any, field: str) -> None:
    answer = post(client, body, BATCH, **bearer(key))
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_a_batch_needs_a_key(client: TestClient) -> None:
    assert post(client, {"reports": [{"report": make_report()}]}, BATCH).status_code == 401
    assert stored() == []


def test_the_state_is_read_with_the_key_in_a_header(client: TestClient) -> None:
    tracking_key = post(client).json()["tracking_key"]
    messages.ask(runtime.current().store, REVIEWER, "FR-1", "Which version?")
    answer = client.get(TRACK, headers={"x-tracking-key": tracking_key})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert (found["report_id"], found["status"], found["question"]) == (
        "FR-1",
        "needs_info",
        "Which version?",
    )
    assert found["embargo"]["ends_at"] == "2026-04-16T12:00:00Z"
    unknown = [
        client.get(TRACK, headers=headers)
        for headers in (
            {},
            {"x-tracking-key": "x" * 32},
            {"x-tracking-key": "FR-1"},
            {"x-tracking-key": "a" * 900},
        )
    ]
    assert {(one.status_code, one.text) for one in unknown} == {(404, unknown[0].text)}
    assert client.get(f"{TRACK}?key={tracking_key}").status_code == 404


def test_an_anonymous_post_solves_the_puzzle_where_it_is_asked_for(client: TestClient, key: str) -> None:
    runtime.current().puzzle = Puzzle(8)
    refused = post(client)
    assert (refused.status_code, refused.json()["error"]["field"]) == (428, "x-proof")
    given = client.get("/api/v1/challenge").json()
    assert given["bits"] == 8
    proof = puzzle.solve(given["challenge"])
    assert post(client, x_proof=proof).status_code == 201
    assert post(client, x_proof=proof).status_code == 422
    assert post(client, x_proof="nonsense").json()["error"]["field"] == "x-proof"
    assert post(client, **bearer(key)).status_code == 201


def test_each_limit_holds_on_its_own(client: TestClient, key: str, clock: Clock) -> None:
    def still(burst: float) -> TokenBucket:
        return TokenBucket(burst, 0.01, clock=lambda: 0.0)

    many = 1e9
    opened = runtime.current()
    opened.limits = Limits(still(2), still(many), still(many), still(many), still(many))
    assert [post(client).status_code for _ in range(3)] == [201, 201, 429]
    assert post(client, **bearer(key)).status_code == 201, "a product's server has the rate of its key"
    assert post(client, **bearer(key, SHOP)).status_code == 429, "a page is one address among many"
    opened.limits = Limits(still(many), still(many), still(many), still(1 / 300), still(many))
    assert [post(client, **bearer(key)).status_code for _ in range(3)] == [201, 201, 429], (
        "600 a minute / 300"
    )
    opened.limits = Limits(still(many), still(many), still(many), still(many), still(1))
    assert [post(client).status_code for _ in range(2)] == [201, 429]
    opened.limits = Limits(still(many), still(1), still(many), still(many), still(many))
    assert [client.get(TRACK).status_code for _ in range(2)] == [404, 429]


def test_standing_lifts_the_limit_of_a_reporter(client: TestClient) -> None:
    opened = runtime.current()
    few = TokenBucket(1, 0.01, clock=lambda: 0.0)
    opened.limits.reporter = few
    opened.limits.standing = lambda name: 3.0 if name == "ana@example.org" else 1.0

    def codes(contact: str) -> list[int]:
        return [post(client, make_report(contact=contact)).status_code for _ in range(4)]

    assert codes("Ben@example.org") == [201, 429, 429, 429]
    assert codes(" Ana@example.org ") == [201, 201, 201, 429]
    assert codes("") == [201] * 4


def test_the_standing_of_a_known_reporter_is_that_of_the_policy(client: TestClient) -> None:
    opened = runtime.current()
    post(client, make_report(contact="ana@example.org"))
    assert opened._standing("ANA@example.org ") == opened._standing("nobody@example.org") == 1
    triage.assess(opened.store, POLICY, REVIEWER, "FR-1", FLAW)
    for number in range(2, 12):
        post(client, make_report(f"Question {number}", contact="ana@example.org"))
        triage.assess(opened.store, POLICY, REVIEWER, f"FR-{number}", FLAW)
    assert opened._standing("ana@example.org") > 1


def test_a_large_batch_is_paid_off_later() -> None:
    now = [0.0]
    bucket = TokenBucket(10, 1, clock=lambda: now[0])
    assert bucket.take("a", cost=30) == 0
    assert bucket.take("a") == pytest.approx(21)
    now[0] = 21.0
    assert bucket.take("a") == 0


def test_among_many_callers_a_debt_stays_and_who_owes_nothing_is_forgotten() -> None:
    now = [0.0]
    bucket = TokenBucket(10, 1, clock=lambda: now[0])
    bucket.take("a", cost=30)
    for number in range(limits.MOST_KEPT):
        bucket.take(str(number))
    now[0] = 15.0
    assert bucket.take("b") == 0
    assert len(bucket._levels) == 2
    assert bucket.take("a") == pytest.approx(6)
