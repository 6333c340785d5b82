"""promptfoo's results, as one JSON document or as JSON Lines: each failed test with an answer becomes one report.

A test that passed is no flaw, and neither is one whose provider gave an error. Of a document with `results`,
the number of a report is its place among them, from 1. Nothing of `config`, `vars` and `env` is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from triage_core.channel.jsontext import check_plain, decode
from triage_core.errors import InvalidReport, Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.contents import Turns
from triage_core.importers.jsonfile import as_object, document, inner, listed, objects
from triage_core.importers.lines import BOM, MAX_LINE_BYTES
from triage_core.model import FlawReport, TurnRole

BEGINS = re.compile(rb'\{\s*"evalId": ?|\{.*"(promptIdx|testIdx|gradingResult|namedScores)": ?', re.DOTALL)
_AS_LINES = "write the results as JSON Lines, with --output results.jsonl"
_STRIPPED = ("[prompt stripped]", "[output stripped]")
_ERROR = 2  # of failureReason: the provider gave an error
# Providers whose ids go on with an address, a path or a command.
_PLACES = re.compile("https?|wss?|webhook|file|exec|package|python|javascript|golang|ruby")


def records(stream: BinaryIO) -> Iterator[tuple[int, FlawReport | Refused]]:
    """Each failed test and each one that is refused, with its line or, in a document, its place."""
    try:
        for number, row in _rows(stream):
            try:
                found = row if isinstance(row, Refused) else _report(row)
            except InvalidReport as error:
                found = error
            if found is not None:
                yield number, found
    except InvalidReport as error:
        yield 1, error


def _rows(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | Refused]]:
    """Raises InvalidReport for a document that is too large, broken or holds no results."""
    first = stream.readline(MAX_LINE_BYTES + 1)
    if first.strip():
        opens = len(first) > MAX_LINE_BYTES or first.removeprefix(BOM).strip() == b"{"
        alone = None if opens else as_object(first)
        if isinstance(alone, Refused) and b'"results"' in first:  # a document that goes on in the next line
            alone = None
        if alone is None or (isinstance(alone, dict) and "results" in alone):
            yield from enumerate(_results(document(stream, first, _AS_LINES)), start=1)
            return
        yield 1, alone
    for number, row in objects(stream):
        yield number + 1, row


def _results(found: object) -> Iterator[dict[str, Any] | Refused]:
    """The results of a document: `results.results`, or `results` where it is the list itself."""
    results = found.get("results") if isinstance(found, dict) else None
    if isinstance(results, dict):
        results = results.get("results")
    if not isinstance(results, list):
        raise InvalidReport("results", "must hold a list of results, as promptfoo writes them")
    # One by one: what refuses a row is far larger than the row.
    return (
        row if isinstance(row, dict) else InvalidReport("results", "must hold objects") for row in results
    )


def _report(row: dict[str, Any]) -> FlawReport | None:
    if not isinstance(row.get("success"), bool):
        raise InvalidReport("success", "must be true or false")
    if row["success"] or row.get("failureReason") == _ERROR or inner(row, "response").get("output") is None:
        return None
    found = {**inner(row, "testCase", "metadata"), **inner(row, "metadata")}
    graded = inner(row, "gradingResult")
    said = {
        "Test": row.get("description") or inner(row, "testCase").get("description"),
        "Plugin": found.get("pluginId"),
        "Strategy": found.get("strategyId"),
        "Goal": found.get("goal"),
        "Grader": graded.get("reason"),
        "Score": row.get("score"),
    }
    return toolreport.report(
        toolreport.name_of("promptfoo", row.get("id")),
        _turns(row),
        toolreport.found_by("promptfoo", said),
        _system(row.get("provider")),
    )


def _turns(row: Mapping[str, Any]) -> Turns:
    """The conversation of an attack in turns, else the prompt and the answer."""
    metadata, answer = inner(row, "response", "metadata"), contents.answer(_output(row["response"]["output"]))
    if messages := listed(metadata, "messages"):
        turns = contents.turns(messages, "response.metadata.messages")
        return turns if turns[-1]["role"] == TurnRole.ASSISTANT else [*turns, answer]
    history = listed(metadata, "redteamHistory")
    # What has scores of its own are tries of one prompt after the other, each in a conversation of its own.
    if history and "finalIteration" not in metadata and "highestScore" not in metadata:
        if not all(isinstance(one, dict) for one in history):
            raise InvalidReport("response.metadata.redteamHistory", "must hold objects")
        return [
            turn
            for one in history
            for turn in (*_prompt(one.get("prompt")), contents.answer(_output(one.get("output"))))
        ]
    prompt = metadata.get("redteamFinalPrompt") or inner(row, "prompt").get("raw")
    return [*_prompt(prompt), answer]


def _prompt(prompt: object) -> Turns:
    """The turns of a prompt, which may be a text, or a list of messages written as JSON in a text."""
    if prompt in _STRIPPED:
        raise InvalidReport("prompt", "was left out of the file by promptfoo's own setting")
    if isinstance(prompt, str) and prompt.lstrip().startswith("[{"):
        try:
            messages = decode(prompt.encode("utf-8", "surrogatepass"))
        except InvalidReport:
            messages = None
        if isinstance(messages, list) and all(isinstance(one, dict) and "role" in one for one in messages):
            return contents.turns(messages, "prompt.raw")
    return contents.turns(prompt, "prompt.raw")


def _output(output: object) -> str:
    if output in _STRIPPED:
        raise InvalidReport("response.output", "was left out of the file by promptfoo's own setting")
    if output is None or isinstance(output, str):
        return output or ""
    check_plain(output, "response.output")
    return json.dumps(output, ensure_ascii=False, sort_keys=True)


def _system(provider: object) -> dict[str, str]:
    """openai:chat:gpt-4o is the model chat:gpt-4o of openai."""
    name = provider.get("id") if isinstance(provider, dict) else provider
    family, _, model = name.partition(":") if isinstance(name, str) else ("", "", "")
    return toolreport.system(family, "" if _PLACES.fullmatch(family) else model)
