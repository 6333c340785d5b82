"""The threat feed of 0DIN in JSON: a page with `threat_feeds`, a list of entries, or one entry.

An entry is one report, and so is each variant of its prompt. Severity, boundary and taxonomy are
written down in words: what they are worth here is for a reviewer to say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import BinaryIO

from triage_core.channel.reportformat import MAX_SYSTEMS
from triage_core.errors import InvalidReport, Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.jsonfile import inner, listed, rows
from triage_core.importers.toolreport import Document, Entry, Record

BEGINS = re.compile(rb'\{.{0,300}"threat_feeds":', re.DOTALL)


def records(stream: BinaryIO) -> Iterator[Record]:
    """Each entry and each variant of it, as the number of the entry and the report or what refused it."""
    try:
        yield from toolreport.reports(rows(stream, "threat_feeds"), _documents)
    except Refused as error:
        yield 1, error


def _documents(entry: Entry) -> Iterator[Document]:
    uuid = entry.get("uuid")
    if not isinstance(uuid, str) or not uuid:
        raise InvalidReport("uuid", "is required")
    title = contents.text(entry.get("title"))
    systems = [_system(model) for model in listed(entry, "models")]
    named: Document = {"system": systems[:MAX_SYSTEMS] or None}
    yield named | {
        "external_id": toolreport.name_of("0din", uuid),
        "turns": [turn for message in listed(entry, "messages") for turn in _turns(message)],
        "what_is_wrong": toolreport.words(
            [
                ("0DIN", title),
                ("Summary", contents.text(entry.get("summary"))),
                ("Severity by 0DIN", contents.text(entry.get("severity"))),
                ("Security boundary", contents.text(entry.get("security_boundary")).replace("_", " ")),
                *(("Taxonomy", _taxonomy(found)) for found in listed(entry, "taxonomies")),
                ("Models in all", str(len(systems)) if len(systems) > MAX_SYSTEMS else ""),
            ]
        ),
    }
    for variant in listed(entry, "variant_prompts"):
        # A variant has no name of its own, and its place in the list may change.
        text = contents.text(
            variant.get("prompt") if isinstance(variant, dict) and "prompt" in variant else variant
        )
        if text:
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
            yield named | {
                "external_id": toolreport.name_of("0din", uuid, "variant", digest),
                "turns": [{"role": "user", "content": text}],
                "what_is_wrong": toolreport.words([("0DIN, a variant of", f"{title} ({uuid})")]),
            }


def _turns(message: object) -> Iterator[Document]:
    if isinstance(message, dict):
        for role, name in (("user", "prompt"), ("assistant", "response")):
            if text := contents.text(message.get(name)):
                yield {"role": role, "content": text}


def _system(model: object) -> Document:
    if not isinstance(model, dict):
        return {"model": contents.text(model)}
    vendor = inner(model, "vendor").get("name") or model.get("vendor")
    return {"platform": contents.text(vendor), "model": contents.text(model.get("name"))}


def _taxonomy(found: object) -> str:
    if not isinstance(found, dict):
        return contents.text(found)
    levels = {str(level).lower(): contents.text(word) for level, word in found.items()}
    return " / ".join(filter(None, map(levels.get, ("category", "strategy", "technique"))))
