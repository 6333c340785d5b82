"""The feedback that users of Open WebUI gave, as an administrator exports it: a JSON list of ratings.

Answers that were rated well are no reports and give none. Who rated is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

from triage_core.errors import InvalidReport, Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.jsonfile import document, inner, listed
from triage_core.importers.toolreport import Document, Entry, Record

BEGINS = re.compile(rb'\[\s*\{\s*"id": ?"[^"]*",\s*"user_id":')


def records(stream: BinaryIO) -> Iterator[Record]:
    """Each feedback but praise, as its number in the list and the report or what refused it."""
    try:
        found = document(stream)
        if isinstance(found, dict):
            found = found.get("items")  # a page of the list, as the API gives it
        if not isinstance(found, list):
            raise InvalidReport("file", "must be a list of feedbacks")
        yield from toolreport.reports(found, _documents)
    except Refused as error:
        yield 1, error


def _documents(feedback: Entry) -> Iterator[Document]:
    rated = inner(feedback, "data")
    if rated.get("rating") in (1, "1"):
        return
    against = [contents.text(other) for other in listed(rated, "sibling_model_ids")]
    yield {
        "external_id": toolreport.name_of("openwebui", feedback.get("id")),
        "submitted_at": _instant(feedback.get("created_at")),
        "session_id": contents.text(inner(feedback, "meta").get("chat_id")),
        "system": [{"model": toolreport.plain(rated.get("model_id")), "access_method": "Open WebUI"}],
        "turns": contents.turns(_messages(feedback), "messages"),
        "what_is_wrong": toolreport.words(
            [
                ("Comment", contents.text(rated.get("comment"))),
                ("Reason", contents.text(rated.get("reason"))),
                ("Rating", contents.text(rated.get("rating"))),
                ("Rating in detail", contents.text(inner(rated, "details").get("rating"))),
                ("Compared with", ", ".join(against)),
            ]
        ),
    }


def _messages(feedback: Entry) -> Sequence[object]:
    """The branch of the conversation that ends with the answer that was rated."""
    chat = inner(feedback, "snapshot", "chat")
    chat = inner(chat, "chat") or chat
    history = inner(chat, "history")
    every = inner(history, "messages")
    at = inner(feedback, "meta").get("message_id")
    if not isinstance(at, str) or at not in every:
        at = history.get("currentId")
    branch: list[object] = []
    seen: set[str] = set()
    while isinstance(at, str) and at in every and at not in seen:
        seen.add(at)
        branch.append(every[at])
        at = inner(every, at).get("parentId")
    if branch:
        return branch[::-1]
    straight = listed(chat, "messages")
    ids = [message.get("id") if isinstance(message, dict) else None for message in straight]
    rated = inner(feedback, "meta").get("message_id")
    return straight[: ids.index(rated) + 1] if rated in ids else straight


def _instant(seconds: object) -> str | None:
    """Seconds since 1970 as a date and time; None for what is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
