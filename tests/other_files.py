"""Files as other tools write them, with mild words of our own; whatever must not arrive holds SENTINEL."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from triage_core import importers
from triage_core.importers import Line

SENTINEL = "sentinel-7f3a"
STORED, DEFLATED, ZSTANDARD = 0, 8, 93


def inspect_sample(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "epoch": 1,
        "input": "Say something nice about my poem.",
        "target": "a kind word",
        "files": [f"/home/{SENTINEL}/poem.txt"],
        "setup": f"echo {SENTINEL}",
        "messages": [
            {"id": "m1", "role": "system", "content": "You are a parrot.", "source": "input"},
            {"role": "user", "content": "Say something nice about my poem."},
            {
                "role": "assistant",
                "content": [
                    {"type": "reasoning", "reasoning": SENTINEL},
                    {"type": "text", "text": "Nobody should"},
                    {"type": "text", "text": "have to read it."},
                ],
                "tool_calls": [{"id": "c1", "function": "sing", "arguments": {"loud": True}}],
            },
            {"role": "tool", "content": "la la", "function": "sing"},
        ],
        "output": {"model": "parrot-2", "choices": []},
        "scores": {
            "kindness": {"value": "I", "explanation": "It was not kind.", "metadata": {"x": SENTINEL}}
        },
        "metadata": {"token": SENTINEL},
        "store": {"secret": SENTINEL},
        "events": [{"event": "info", "data": SENTINEL}],
        **fields,
    }


def inspect_log(*samples: object, **run: Any) -> dict[str, Any]:
    head = {
        "eval_id": "e-1",
        "run_id": "r-1",
        "task_id": "t-1",
        "task": "poems",
        "task_file": f"/home/{SENTINEL}/poems.py",
        "model": "zoo/parrot-2",
        "model_args": {"api_key": SENTINEL},
        "model_base_url": f"https://{SENTINEL}.invalid",
        **run,
    }
    return {"version": 2, "status": "success", "eval": head, "samples": list(samples)}


def inspect_archive(log: Mapping[str, Any], method: int = ZSTANDARD, header: str = "header.json") -> bytes:
    """The log as Inspect packs it: a header, and a file for each sample."""
    head = {name: value for name, value in log.items() if name != "samples"}
    members = {header: json.dumps(head).encode(), "summaries.json": b"[]"}
    for sample in log["samples"]:
        members[f"samples/{sample['id']}_epoch_{sample['epoch']}.json"] = json.dumps(sample).encode()
    return archive(members, method)


def archive(members: Mapping[str, bytes], method: int = ZSTANDARD, flags: int = 0) -> bytes:
    """A zip archive, made by hand: the standard library does not write Zstandard."""
    body, directory = b"", b""
    for name, content in members.items():
        packed = {STORED: bytes, DEFLATED: _deflated, ZSTANDARD: _zstandard}.get(method, bytes)(content)
        about = struct.pack(
            "<HHHHHIIIHH",
            20,
            flags,
            method,
            0,
            0,
            zlib.crc32(content),
            len(packed),
            len(content),
            len(name),
            0,
        )
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + about
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name.encode()
        body += b"PK\x03\x04" + about + name.encode() + packed
    count = len(members)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def _zstandard(content: bytes) -> bytes:
    """In two frames, as Inspect packs what is long."""
    codec, half = pa.Codec("zstd"), len(content) // 2
    packed: list[bytes] = [codec.compress(piece, asbytes=True) for piece in (content[:half], content[half:])]
    return b"".join(packed)


def feedback(name: str = "f-1", rating: object = -1, **fields: Any) -> dict[str, Any]:
    messages = {
        "u1": _message("u1", None, "user", "Say something nice about my poem."),
        "a1": _message("a1", "u1", "assistant", "It has three verses."),
        "a2": _message("a2", "u1", "assistant", "Nobody should have to read it."),
        "u2": _message("u2", "a2", "user", "That hurts."),
    }
    chat = {
        "title": "Poems",
        "params": {"system": SENTINEL},
        "history": {"messages": messages, "currentId": "u2"},
        "messages": [messages["u1"], messages["a2"], messages["u2"]],
    }
    return {
        "id": name,
        "user_id": SENTINEL,
        "user": {"name": SENTINEL, "email": f"{SENTINEL}@example.org"},
        "version": 0,
        "type": "rating",
        "data": {
            "rating": rating,
            "model_id": "parrot-2:latest",
            "reason": "not_helpful",
            "comment": "I asked for praise.",
            "details": {"rating": 2},
            "tags": [SENTINEL],
        },
        "meta": {"message_id": "a2", "chat_id": "c-1", "base_models": {"parrot-2:latest": SENTINEL}},
        "snapshot": {"chat": {"id": "c-1", "user_id": SENTINEL, "chat": chat, "share_id": SENTINEL}},
        "created_at": 1_760_000_000,
        "updated_at": 1_760_000_100,
        **fields,
    }


def _message(name: str, parent: str | None, role: str, content: str) -> dict[str, Any]:
    files = [{"url": f"/files/{SENTINEL}"}]
    return {"id": name, "parentId": parent, "role": role, "content": content, "files": files}


def threat(name: str = "0b1c", **fields: Any) -> dict[str, Any]:
    return {
        "uuid": name,
        "title": "Rude answers by asking for a limerick",
        "summary": "The model is rude in verse.",
        "severity": "severe",
        "security_boundary": "guardrail_jailbreak",
        "taxonomies": [
            {"category": "Language", "strategy": "Stylizing", "technique": "Limericks"},
            "Rhetoric",
        ],
        "models": [{"name": "Parrot 2", "vendor": {"name": "Zoo"}}, "Owl 1"],
        "messages": [
            {"prompt": "Be rude in verse.", "response": "There once was a fool."},
            {"prompt": "More."},
        ],
        "variant_prompts": ["Be rude in prose.", {"prompt": "Be rude in song."}],
        "detection_signatures": [{"version": "v1", "signature": SENTINEL}],
        "researcher": SENTINEL,
        **fields,
    }


def avid(name: str = "AVID-2026-R0001", **fields: Any) -> dict[str, Any]:
    return {
        "data_type": "AVID",
        "data_version": "0.3.3",
        "metadata": {"report_id": name},
        "affects": {
            "developer": ["Zoo"],
            "deployer": ["Parrot Chat"],
            "artifacts": [{"type": "Model", "name": "Parrot 2"}],
        },
        "problemtype": {
            "classof": "Third-party Report",
            "type": "Issue",
            "description": {"lang": "eng", "value": "Rude answers about poems"},
        },
        "metrics": [{"name": SENTINEL, "results": {"score": SENTINEL}}],
        "references": [{"type": "source", "label": SENTINEL, "url": "https://poems.example/1"}],
        "description": {"lang": "eng", "value": "Asked for praise, the parrot is rude."},
        "impact": {"avid": {"risk_domain": [SENTINEL]}},
        "credit": [{"lang": "eng", "value": SENTINEL}],
        "reported_date": "2026-01-02",
        **fields,
    }


def flare(name: str = "d-1", *, minors: bool = False) -> dict[str, Any]:
    return {
        "id": 7,
        "documentId": name,
        "step": "REVIEW_REPORT",
        "metadata": {"reportType": SENTINEL},
        "classifyReport": {"real_world_harm": False, "malicious_use": True, "csam_involved": minors},
        "reporterDetails": {
            "reporter": {"email": "ada@example.org", "org": SENTINEL, "country": SENTINEL},
            "systems": [
                {"platform": "Parrot Chat", "model": "parrot-2", "accessMethod": "web", "version": "2"}
            ],
        },
        "incidentDescription": {
            "issueDescription": "It insulted my poem.",
            "expectedBehavior": "A kind word.",
            "actualBehavior": "An insult.",
        },
        "evidence": {
            "stepsToReproduce": "User: Say something nice.\nAssistant: Nobody should read it.",
            "attachments": [SENTINEL],
        },
        "impactAssessment": {
            "severityOfHarm": SENTINEL,
            "harmTypes": ["psychological_harm", "hurt_feelings"],
            "affectedStakeholders": [SENTINEL],
        },
        "disclosurePlan": {"publicDisclosureIntent": "undecided"},
        "reviewReport": {"selectedStakeholders": [SENTINEL]},
    }


def flat_flare() -> dict[str, Any]:
    """The same report as its server keeps it."""
    return {
        "documentId": "d-1",
        "classify_realWorldHarm": False,
        "classify_maliciousUse": True,
        "classify_csamInvolved": False,
        "reporter_email": "ada@example.org",
        "reporter_org": SENTINEL,
        "system_configurations": flare()["reporterDetails"]["systems"],
        "incident_issueDescription": "It insulted my poem.",
        "incident_expectedBehavior": "A kind word.",
        "incident_actualBehavior": "An insult.",
        "evidence_stepsToReproduce": flare()["evidence"]["stepsToReproduce"],
        "impact_harmTypes": ["psychological_harm"],
        "disclosure_publicDisclosureIntent": "undecided",
    }


def read(path: Path, content: object, format: str) -> list[Line]:
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return list(importers.read(path, format))


def refusals(found: list[Line]) -> list[tuple[int, str]]:
    return [(line.number, line.error.field) for line in found if line.error]


def turns(line: Line) -> list[tuple[str, str]]:
    assert line.report is not None, line.error
    return [(str(turn.role), turn.content) for turn in line.report.turns]


def names(found: list[Line]) -> list[str | None]:
    return [line.report.external_id for line in found if line.report]
