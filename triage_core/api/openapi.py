"""GET /api/v1/openapi.json: the API described in OpenAPI 3.1, with the report's schema as it is checked.

The report comes from `reportformat.json_schema`, so that what is described cannot drift from what
is accepted; a test compares the paths with the routes and sends what the document allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from triage_core import __version__
from triage_core.advisories.advisory import State
from triage_core.api.advisories import ACCEPT, ANSWER
from triage_core.api.base import address
from triage_core.channel import reportformat
from triage_core.channel.messages import Direction, Kind
from triage_core.exchange import FORMATS
from triage_core.model import EmbargoState, HarmType, ProductStatus, Resolution, Status, Tlp

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MOMENT = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_KEY = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"}


async def openapi(request: Request) -> Response:
    """The document, with the address at which this server is reached."""
    content = {**document(), "servers": [{"url": address(request)}]}
    return JSONResponse(content, headers={"Access-Control-Allow-Origin": "*"})


routes = [Route("/api/v1/openapi.json", openapi, methods=["GET"])]


@cache
def document() -> dict[str, Any]:
    """The whole OpenAPI document as JSON."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Flawdesk reports",
            "version": __version__,
            "description": (
                "Tell a company about a flaw in its AI system, and follow what becomes of it. A post without a key"
                " is anonymous; a product's key names the product and sets its rate. Every refusal names the field"
                " and the rule."
            ),
        },
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "product": {"type": "http", "scheme": "bearer", "description": "a product's key (keys add)"},
                "peer": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Peer-Key",
                    "description": "the key of a company that advisories are told to (peers add)",
                },
                "reporter": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Tracking-Key",
                    "description": "the tracking key of a receipt",
                },
            },
        },
    }


def _paths() -> dict[str, Any]:
    idempotency = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": _KEY,
        "description": "Sent again with the same report, it stores nothing new; with another one it is refused.",
    }
    proof = {
        "name": "X-Proof",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "pattern": "^[ -~]*$"},
        "description": "CHALLENGE:NUMBER, whose SHA-256 begins with as many zero bits as the challenge says.",
    }
    known = {"200": _answer("It had come before; nothing new was stored.", "Receipt")}
    stored = {"201": _answer("Stored; the tracking key is shown here and nowhere else.", "Receipt")}
    return {
        "/api/v1/reports": {
            "post": {
                "operationId": "sendReport",
                "summary": "Send one report",
                "security": [{}, {"product": []}],
                "parameters": [idempotency, proof],
                "requestBody": _body("FlawReport"),
                "responses": {
                    **stored,
                    **known,
                    **_errors(400, 401, 403, 408, 409, 413, 415, 422, 428, 429, 503),
                },
            }
        },
        "/api/v1/reports/batch": {
            "post": {
                "operationId": "sendBatch",
                "summary": "Send up to 100 reports of a product's feedback stream",
                "security": [{"product": []}],
                "requestBody": _body("Batch"),
                "responses": {
                    "200": _answer("One result a report, in order; a refused one harms no other.", "Results"),
                    **_errors(401, 403, 408, 413, 415, 422, 429, 503),
                },
            }
        },
        "/api/v1/reports/track": {
            "get": {
                "operationId": "trackReport",
                "summary": "What becomes of a report",
                "security": [{"reporter": []}, {"reporter": [], "product": []}],
                "responses": {
                    "200": _answer("The report as its reporter sees it.", "Tracked"),
                    **_errors(401, 403, 404, 429, 503),
                },
            }
        },
        "/api/v1/challenge": {
            "get": {
                "operationId": "getChallenge",
                "summary": "A puzzle for an anonymous post",
                "security": [{}, {"product": []}],
                "responses": {
                    "200": _answer("The puzzle; 0 bits: none is asked for.", "Challenge"),
                    **_errors(401, 403, 429, 503),
                },
            }
        },
        **_of_peers(),
        "/api/v1/health": {
            "get": {
                "operationId": "getHealth",
                "summary": "Is the server up?",
                "responses": {"200": _answer("It is.", "Health")},
            }
        },
        "/api/v1/openapi.json": {
            "get": {
                "operationId": "getDescription",
                "summary": "This document",
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1.",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                },
            }
        },
    }


def _of_peers() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
    advisory = {"name": "advisory", "in": "path", "required": True, "schema": number}
    name = {
        "name": "format",
        "in": "query",
        "required": False,
        "schema": {"enum": list(FORMATS), "default": reportformat.FORMAT},
    }
    refused = _errors(401, 403, 404, 408, 409, 413, 415, 422, 429, 503)
    known = {"200": _answer("The advisory as it is then.", "Advisory"), **refused}
    common = {"security": [{"peer": []}], "parameters": [advisory], "responses": known}
    return {
        "/api/v1/advisories": {
            "get": {
                "operationId": "getAdvisories",
                "summary": "What the peer was told, the newest first",
                "security": [{"peer": []}],
                "responses": {
                    "200": _answer("The advisories.", "Advisories"),
                    **_errors(401, 403, 404, 429, 503),
                },
            }
        },
        "/api/v1/advisories/{advisory}/accept": {
            "post": {
                "operationId": "acceptEmbargo",
                "summary": "Accept the embargo with the end that was seen",
                "requestBody": _body("Accept"),
                **common,
            }
        },
        "/api/v1/advisories/{advisory}/decline": {
            "post": {"operationId": "declineEmbargo", "summary": "Decline the embargo", **common}
        },
        "/api/v1/advisories/{advisory}/status": {
            "post": {
                "operationId": "sayStatus",
                "summary": "Say how the peer's product stands",
                "requestBody": _body("Answer"),
                **common,
            }
        },
        "/api/v1/advisories/{advisory}/record": {
            "get": {
                "operationId": "getRecord",
                "summary": "The record in an exchange format",
                **common,
                "parameters": [advisory, name],
                "responses": {
                    "200": {
                        "description": "A document of that format.",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    },
                    **refused,
                },
            }
        },
    }


def _schemas() -> dict[str, Any]:
    report = {
        name: part for name, part in reportformat.json_schema().items() if name not in ("$schema", "$id")
    }
    error = _object({"error": _object({"field": _TEXT, "rule": _TEXT})})
    receipt = {
        "report_id": _TEXT,
        "external_id": _MAYBE_TEXT,
        "tracking_key": _MAYBE_TEXT,
        "already_known": {"type": "boolean"},
    }
    item = _object({"report": _ref("FlawReport"), "idempotency_key": {**_KEY, "type": ["string", "null"]}})
    item["required"] = ["report"]
    result = {"type": "object", "properties": {"status": {"type": "integer"}}, "required": ["status"]}
    return {
        "FlawReport": report,
        "Error": error,
        "Receipt": _object(receipt),
        "Batch": _object({"reports": {"type": "array", "items": item, "minItems": 1, "maxItems": 100}}),
        "Results": _object(
            {
                "results": {
                    "type": "array",
                    "items": {"allOf": [result], "anyOf": [_open(receipt), _open(error["properties"])]},
                }
            }
        ),
        "Tracked": _object(_tracked()),
        "Advisory": _object(_advisory()),
        "Advisories": _object({"peer": _TEXT, "advisories": {"type": "array", "items": _ref("Advisory")}}),
        "Accept": ACCEPT.schema(),
        "Answer": ANSWER.schema(),
        "Challenge": _object({"challenge": _TEXT, "bits": {"type": "integer", "minimum": 0}}),
        "Health": _open({"status": _TEXT, "version": _TEXT, "policy_version": _TEXT}),
    }


def _tracked() -> dict[str, Any]:
    message = {"at": _MOMENT, "direction": _enum(Direction), "kind": _enum(Kind), "text": _TEXT}
    waiting = {
        "state": _enum(EmbargoState),
        "active": {"type": "boolean"},
        "ends_at": _MAYBE_MOMENT,
        "proposed_end": _MAYBE_MOMENT,
        "proposed_by": _TEXT,
        "exited_at": _MAYBE_MOMENT,
        "exit_reason": _TEXT,
        "version": {"type": "integer"},
        "asked": {"type": "boolean"},
        "why": _TEXT,
    }
    reward = {"at": _MOMENT, "kind": _TEXT, "amount": _MAYBE_TEXT, "currency": _TEXT, "state": _TEXT}
    closure = {
        "resolution": _enum(Resolution),
        "words": _TEXT,
        "reason": _TEXT,
        "clauses": {"type": "array", "items": _TEXT},
    }
    return {
        "report_id": _TEXT,
        "received_at": _MOMENT,
        "policy_version": _TEXT,
        "status": _enum(Status),
        "state": _TEXT,
        "next_step": _TEXT,
        "next_due": _MAYBE_MOMENT,
        "question": _MAYBE_TEXT,
        "messages": {"type": "array", "items": _object(message)},
        "embargo": {"anyOf": [_object(waiting), {"type": "null"}]},
        "rewards": {"type": "array", "items": _object(reward)},
        "closure": {"anyOf": [_object(closure), {"type": "null"}]},
    }


def _advisory() -> dict[str, Any]:
    return {
        "advisory_id": {"type": "integer"},
        "title": _MAYBE_TEXT,
        "harm_types": {"type": "array", "items": _enum(HarmType)},
        "tlp": {"enum": [*Tlp, None]},
        "held": {"type": "boolean"},
        "embargo_end": _MAYBE_MOMENT,
        "closed_at": _MAYBE_MOMENT,
        "state": _enum(State),
        "accepted_end": _MAYBE_MOMENT,
        "must_accept": {"type": "boolean"},
        "no_record": _MAYBE_TEXT,
        "status": {"enum": [*ProductStatus, None]},
        "note": _TEXT,
        "answered_at": _MAYBE_MOMENT,
    }


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Exactly these fields, all of them there."""
    return {**_open(properties), "additionalProperties": False}


def _open(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _enum(values: type[StrEnum]) -> dict[str, Any]:
    return {"enum": [value.value for value in values]}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(name: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": _ref(name)}}}


def _answer(description: str, name: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}}


_REFUSALS = {
    400: "A header or a key breaks a rule.",
    401: "The key is unknown or revoked, or is missing where one is needed.",
    403: "The page that sends this may not, or what is asked for is not shared.",
    404: "There is nothing with this key, or with this number.",
    409: "The idempotency key or external id came before with another report, or the embargo ends at another time.",
    408: "The body did not come within the time for it.",
    413: "The body is too long.",
    415: "The body is not declared as JSON.",
    422: "What was sent breaks a rule.",
    428: "A solved puzzle is asked for.",
    429: "Too many requests; Retry-After says when to come back.",
    503: "Nothing can be stored now; nothing was accepted.",
}


def _errors(*statuses: int) -> dict[str, Any]:
    return {str(status): _answer(_REFUSALS[status], "Error") for status in statuses}
