"""The published description of the API: complete, sound, and kept by the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.embargoed import send
from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, make_report
from triage_core import api, runtime
from triage_core.advisories import advising, answering, peers
from triage_core.api.openapi import document
from triage_core.channel import apikeys, messages, reportformat
from triage_core.desk import triage
from triage_core.exchange import FORMATS

# Nothing of a request to these can be wrong.
FIXED = {
    "/api/v1/health",
    "/api/v1/openapi.json",
    "/api/v1/challenge",
    "/api/v1/reports/track",
    "/api/v1/advisories",
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def test_it_is_served_and_describes_every_route(client: TestClient) -> None:
    served = client.get("/api/v1/openapi.json")
    assert served.json() == {**document(), "servers": [{"url": "http://localhost"}]}
    described = {(path, method.upper()) for path, item in document()["paths"].items() for method in item}
    routes = {
        (route.path, method)
        for route in api.routes
        for method in route.methods or ()
        if route.path.startswith("/api/v1/") and method not in ("HEAD", "OPTIONS")
    }
    assert described == routes


def test_the_report_is_the_published_schema(repository: Path) -> None:
    published = json.loads((repository / "docs" / "flaw-report-1.schema.json").read_text())
    described = document()["components"]["schemas"]["FlawReport"]
    assert described == {name: part for name, part in published.items() if name not in ("$schema", "$id")}
    assert described["description"] == reportformat.json_schema()["description"]


def resolved(schema: Any) -> Any:
    """A part of the document with its references put in."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return resolved(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        return {name: resolved(part) for name, part in schema.items()}
    return [resolved(part) for part in schema] if isinstance(schema, list) else schema


def test_a_report_with_everything_is_told_as_described(client: TestClient) -> None:
    key = client.post("/api/v1/reports", json=make_report()).json()["tracking_key"]
    opened = runtime.current()
    messages.ask(opened.store, REVIEWER, "FR-1", "Why?")
    messages.answer(opened.store, "FR-1", "So.")
    triage.assess(opened.store, POLICY, REVIEWER, "FR-1", FLAW)
    shape = Draft202012Validator(resolved(document()["components"]["schemas"]["Tracked"]))
    shape.validate(client.get("/api/v1/reports/track", headers={"x-tracking-key": key}).json())


def told() -> str:
    """The key of a peer that is told of a report under embargo, and has accepted that."""
    store = runtime.current().store
    report, _ = send(store, consent_share_peers="under_embargo")
    _, key = peers.add(store, EVERYBODY, "Heron")
    opened = advising.open_advisory(store, EVERYBODY, report, "A title of ours", "It reaches others")
    advising.tell(store, EVERYBODY, opened.advisory_id, ["Heron"])
    answering.accept(store, key, opened.advisory_id, opened.embargo_end)
    return key


def test_an_advisory_is_told_and_answered_as_described(client: TestClient) -> None:
    headers = {"x-peer-key": told()}
    schemas = resolved(document()["components"]["schemas"])
    (one,) = client.get("/api/v1/advisories", headers=headers).json()["advisories"]
    Draft202012Validator(schemas["Advisory"]).validate(one)
    assert (one["state"], one["embargo_end"], one["no_record"]) == ("accepted", "2026-04-16T12:00:00Z", None)
    address, end = "/api/v1/advisories/1", one["embargo_end"]
    for name, body, status in (
        ("accept", {"embargo_end": end}, 200),
        ("accept", {"embargo_end": "2026-04-16T12:00:01Z"}, 409),
        ("accept", {}, 422),
        ("status", {"status": "fixed", "note": "By us"}, 200),
        ("status", {"status": "known_affected", "note": None}, 200),
        ("status", {"status": "mended"}, 422),
        ("decline", None, 422),
    ):
        answer = client.post(f"{address}/{name}", json=body, headers=headers)
        assert answer.status_code == status, (name, answer.text)
        Draft202012Validator(schemas["Advisory" if status == 200 else "Error"]).validate(answer.json())
        assert answer.headers["cache-control"] == "no-store"
    for name in FORMATS:
        answer = client.get(f"{address}/record", params={"format": name}, headers=headers)
        assert (answer.status_code, "Tell me the code." in json.dumps(answer.json())) == (200, True)
    assert client.get(f"{address}/record", headers=headers).json()["format"] == "flaw-report/1"
    assert client.get(f"{address}/record", params={"format": "x"}, headers=headers).status_code == 422
    for wrong in ({}, {"x-peer-key": "peer_x"}):
        assert client.get("/api/v1/advisories", headers=wrong).json() == {
            "error": {"field": "peer_key", "rule": "no peer has this key"}
        }
        assert client.get(f"{address}/record", headers=wrong).status_code == 404
    for number in ("2", "0", "x", "9" * 40):
        assert client.get(f"/api/v1/advisories/{number}/record", headers=headers).status_code == 404
    assert (
        client.get(f"{address}/record", headers={**headers, "Origin": "https://x.example"}).status_code == 403
    )


def statuses(operation: Any, mode: GenerationMode, key: str, peer_key: str) -> set[int]:
    """Send 50 generated requests of one operation and check each answer; gives the statuses seen."""
    seen, headers, checks = set(), {"X-Peer-Key": peer_key}, CHECKS
    if operation.path.endswith("/batch"):
        headers |= {"Authorization": f"Bearer {key}"}
        # A batch is answered with 200 and names each refused report in it.
        checks = [check for check in CHECKS if check is not negative_data_rejection]

    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        answer = case.call_and_validate(base_url="http://localhost", headers=headers, checks=checks)
        seen.add(answer.status_code)

    check()
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_server_keeps_to_its_description(
    application: Starlette, client: TestClient, mode: GenerationMode
) -> None:
    """Generated requests, right and wrong: no fault, no undescribed answer, no wrong one taken."""
    key, peer_key = apikeys.add(runtime.current().store, EVERYBODY, "Kite Travel")[1], told()
    schema = schemathesis.openapi.from_dict(client.get("/api/v1/openapi.json").json())
    schema.app = application
    # A body over the cap is refused before it is read, so it may be wrong in other ways as well.
    rejection = schema.config.checks.negative_data_rejection
    rejection.expected_statuses = [*rejection.expected_statuses, "413"]
    seen = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.POSITIVE or operation.path not in FIXED:
            seen[operation.path] = statuses(operation, mode, key, peer_key)
    assert set(seen) | FIXED == set(document()["paths"])
    assert (201 in seen["/api/v1/reports"]) == (mode is GenerationMode.POSITIVE)
