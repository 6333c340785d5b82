"""Two thousand hostile submissions made out of valid ones: each refused with its field, and nothing lost.

The mutations are drawn with a fixed seed. An independent reader (Python's JSON and the published
schema) says which of them are really wrong; what it finds right is drawn again.
"""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from tests.hostile_corpus import HOSTILE
from tests.making import make_report
from triage_core import db, runtime
from triage_core.channel import reportformat

ROUNDS = 2_000
SEED = 20_261_125
REPORTS = "/api/v1/reports"
HEADERS = {"content-type": "application/json"}
FULL = make_report(
    format="flaw-report/1", contact="ana@example.org", credit_name="Ana", credit_wish="named", expected="No.",
    actual="Yes.", tries=10, successes=3, other_systems_tried=[{"platform": "Owl", "worked": "no"}],
    real_world_harm="unknown", malicious_use=False, session_id="s", policy_clause_claimed="IN-3", wants_reward=True,
    planned_date="2026-05-01T00:00:00Z", embargo_wish="2026-04-01T00:00:00Z", consent_training="none",
    consent_share_peers="after_fix", external_id="x", illegal_minor_content=False,
)  # fmt: skip
JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**70, 1e308, 0.5, "", " ", "\0", "\ud800", "x" * 60_000, [], {}, [[]], [None], {"a": 1},
    [{"role": "user"}], "2026-13-45T00:00:00Z", "2026-01-01", "<script>alert(1)</script>", "x'; DROP TABLE reports;--",
    "../../etc/passwd", "{{7*7}}", "%s%n", "NaN", *HOSTILE.values(),
)  # fmt: skip


@cache
def schema() -> Draft202012Validator:
    return Draft202012Validator(reportformat.json_schema())


def is_wrong(body: bytes) -> bool:
    """Whether the published rules refuse this body, as said by others than our own validator."""
    try:
        text = body.decode("utf-8-sig")
        repeated = False

        def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
            nonlocal repeated
            repeated |= len(dict(found)) < len(found)
            return dict(found)

        data = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return True
    if repeated or "\\ud800" in text:
        return True
    if isinstance(data, dict) and not schema().is_valid(data):
        return True
    return not isinstance(data, dict)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of every value inside a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, item in inner for found in places(item, (*path, name)))]


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        document = document[name]
    return document


def replaced(chance: random.Random, document: Any) -> bytes:
    path = chance.choice(places(document)[1:])
    at(document, path[:-1])[path[-1]] = chance.choice(JUNK)
    return encode(document)


def removed(chance: random.Random, document: Any) -> bytes:
    path = chance.choice(places(document)[1:])
    del at(document, path[:-1])[path[-1]]
    return encode(document)


def renamed(chance: random.Random, document: Any) -> bytes:
    path = chance.choice([path for path in places(document)[1:] if isinstance(path[-1], str)])
    parent = at(document, path[:-1])
    parent[chance.choice(["severity", "__proto__", "turns ", "", "submitted_at", "\u202e"])] = parent.pop(
        path[-1]
    )
    return encode(document)


def swollen(chance: random.Random, document: Any) -> bytes:
    name = chance.choice([name for name, value in document.items() if isinstance(value, list)])
    document[name] = document[name] * chance.choice([30, 300, 3_000])
    return encode(document)


def nested(chance: random.Random, document: Any) -> bytes:
    inner: Any = "x"
    for _ in range(chance.choice([1, 30, 900])):
        inner = [inner] if chance.random() < 0.5 else {"a": inner}
    document[chance.choice(list(document))] = inner
    return encode(document)


def cut(chance: random.Random, document: Any) -> bytes:
    body = encode(document)
    return body[: chance.randrange(len(body))]


def flipped(chance: random.Random, document: Any) -> bytes:
    body = bytearray(encode(document))
    for _ in range(chance.randint(1, 8)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body)


def repeated(chance: random.Random, document: Any) -> bytes:
    body = encode(document)
    name = chance.choice(list(document))
    return body[:-1] + b"," + json.dumps(name).encode() + b":" + json.dumps(document[name]).encode() + b"}"


def spliced(chance: random.Random, document: Any) -> bytes:
    body = encode(document)
    where = chance.randrange(len(body))
    piece = chance.choice(
        [b"\xff\xfe", b"\0", b"NaN", b"[" * 5_000, b"\\ud800", b'"', b"1e999", b"9" * 6_000, b"/*"]
    )
    return body[:where] + piece + body[where:]


def encode(document: Any) -> bytes:
    return json.dumps(document).encode()


MUTATIONS: tuple[Callable[[random.Random, Any], bytes], ...] = (
    replaced, removed, renamed, swollen, nested, cut, flipped, repeated, spliced,
)  # fmt: skip


def hostile(chance: random.Random) -> tuple[str, bytes]:
    """A body that is wrong, and the name of the mutation that made it so."""
    while True:
        mutate = chance.choice(MUTATIONS)
        body = mutate(chance, copy.deepcopy(chance.choice([FULL, make_report()])))
        if is_wrong(body):
            return mutate.__name__, body


def test_two_thousand_hostile_submissions_are_refused_by_field_and_lose_nothing(client: TestClient) -> None:
    chance = random.Random(SEED)
    kept = [client.post(REPORTS, json=make_report(f"Kept {n}"), headers=HEADERS).json() for n in range(3)]
    tried: Counter[str] = Counter()
    for number in range(ROUNDS):
        name, body = hostile(chance)
        tried[name] += 1
        answer = client.post(REPORTS, content=body, headers=HEADERS)
        case = (number, name, answer.status_code, body[:300])
        assert 400 <= answer.status_code < 500, case
        error = answer.json()["error"]
        assert error["field"], case
        assert error["rule"], case
        assert len(answer.content) < 2_000, "the answer does not repeat what it refuses"
    assert set(tried) == {mutate.__name__ for mutate in MUTATIONS}
    assert min(tried.values()) > ROUNDS / len(MUTATIONS) / 3
    opened = runtime.current()
    opened.store.verify()
    with opened.store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM reports") == 3
    for receipt in kept:
        found = client.get(REPORTS + "/track", headers={"x-tracking-key": receipt["tracking_key"]})
        assert found.json()["report_id"] == receipt["report_id"]


def test_the_form_survives_the_same_treatment(client: TestClient) -> None:
    chance = random.Random(SEED)
    fields = ("platform", "turn_role", "turn_content", "what_is_wrong", "harm_types", "disclosure_intent", "do",
              "tries", "other_platform", "planned_date", "illegal_minor_content", "transcript")  # fmt: skip
    texts = [text for text in JUNK if isinstance(text, str) and "\ud800" not in text]
    for _ in range(200):
        sent = {name: [chance.choice(texts)] * chance.choice([1, 1, 3]) for name in chance.sample(fields, 6)}
        answer = client.post("/report", data=sent)
        assert answer.status_code in (200, 413, 422), (answer.status_code, sent)
        body = bytes(chance.randrange(256) for _ in range(200))
        answer = client.post(
            "/track", content=body, headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert 400 <= answer.status_code < 500
    with runtime.current().store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM reports") == 0
