"""Logs of Inspect: a .json file with `samples`, or an .eval file, a zip archive of one file a sample.

Every sample is a report, for what a score means is known to its scorer alone. Its configuration,
files, set-up, store, metadata and events are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import BinaryIO

from triage_core.errors import InvalidReport, Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.jsonfile import decoded, document, inner, listed
from triage_core.importers.toolreport import Document, Entry, Record
from triage_core.importers.zipped import Archive

BEGINS = re.compile(rb'\{\s*"version": ?\d+,\s*"status":')

_SAMPLE = re.compile(r"samples/.+\.json", re.DOTALL)
_HEADERS = ("header.json", "_journal/start.json")  # the second one is of a run that did not end
_ASIDE = "attachment://"


def records(stream: BinaryIO) -> Iterator[Record]:
    """Each sample, as its number in the log and the report or what refused it."""
    begins = stream.read(4)
    try:
        if begins.startswith(b"PK"):
            yield from _packed(Archive(stream))
        else:
            yield from _plain(document(stream, begins))
    except Refused as error:
        yield 1, error


def _plain(log: object) -> Iterator[Record]:
    if not isinstance(log, dict) or not isinstance(log.get("samples"), list):
        raise InvalidReport("samples", "must be the list of samples of a log of Inspect")
    yield from toolreport.reports(log["samples"], _made(inner(log, "eval")))


def _packed(archive: Archive) -> Iterator[Record]:
    header = next((name for name in _HEADERS if name in archive.names), None)
    if header is None:
        raise InvalidReport("file", f"must hold {_HEADERS[0]}, as a log of Inspect does")
    log = decoded(archive.read(header), header)
    made = _made(inner(log, "eval") if isinstance(log, dict) else {})
    for number, name in enumerate(filter(_SAMPLE.fullmatch, archive.names), 1):
        try:
            sample = decoded(archive.read(name), "sample")
        except Refused as error:
            yield number, error
            if archive.spent:
                return
            continue
        for outcome in toolreport.entry_reports(sample, made):
            yield number, outcome


def _made(run: Entry) -> Callable[[Entry], Iterable[Document]]:
    return partial(_documents, run)


def _documents(run: Entry, sample: Entry) -> Iterator[Document]:
    if sample.get("error"):
        raise InvalidReport("error", "must be empty: a sample that failed has nothing to report")
    aside = {_ASIDE + name: text for name, text in inner(sample, "attachments").items()}
    # One run may hold several tasks, whose samples are numbered alike.
    whole = [run.get("eval_id")] if run.get("eval_id") else [run.get("run_id"), run.get("task_id")]
    yield {
        "external_id": toolreport.name_of("inspect", *whole, sample.get("id"), sample.get("epoch", 1)),
        "system": [{"model": model}] if (model := toolreport.plain(run.get("model"))) else None,
        "turns": contents.turns(_messages(sample), "messages", aside),
        "what_is_wrong": toolreport.words(
            chain(
                [
                    ("Inspect task", contents.text(run.get("task"))),
                    ("Target", contents.text(sample.get("target"), aside)),
                ],
                _scores(sample, aside),
            )
        ),
    }


def _messages(sample: Entry) -> list[object]:
    if found := listed(sample, "messages"):
        return list(found)
    asked = sample.get("input")
    answers = [
        inner(choice, "message") for choice in listed(inner(sample, "output"), "choices")[:1] if choice
    ]
    return [*(asked if isinstance(asked, list) else [{"role": "user", "content": asked}]), *answers]


def _scores(sample: Entry, aside: Entry) -> Iterator[tuple[str, str]]:
    scores = inner(sample, "scores") or {"": inner(sample, "score")}
    for scorer, score in scores.items():
        if isinstance(score, dict):
            yield f"Score {scorer}".strip(), contents.value(score.get("value"))
            yield "Explanation", contents.text(score.get("explanation"), aside)
