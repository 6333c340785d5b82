"""PyRIT's memory (SQLite, since 0.11): the conversation of each attack that PyRIT calls a success is one report.

The database is opened to be read only. The number of a report is its place among the successes, from 1. The
conversations of the model that attacks and those that came to nothing are in the memory too, and are left out.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from triage_core.channel.fields import field_path
from triage_core.channel.jsontext import decode
from triage_core.channel.reportformat import MAX_TURNS
from triage_core.errors import InvalidReport, Refused
from triage_core.importers import pyrit
from triage_core.importers.lines import MAX_LINE_BYTES
from triage_core.model import FlawReport

BEGINS = re.compile(rb"SQLite format 3\x00")
_TABLES = frozenset({"AttackResultEntries", "PromptMemoryEntries", "ScoreEntries"})
_MAX_SCORES = 20
# A view, a virtual table or a column that is computed could compute anything.
_FOUND = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
_COMPUTED = "SELECT count(*) FROM pragma_table_xinfo(?) WHERE hidden <> 0"
# A conversation may have more than one result; the last one stands.
_SUCCESSES = """
SELECT conversation_id, objective, outcome_reason, max(rowid) AS latest FROM AttackResultEntries
WHERE outcome = 'success' GROUP BY conversation_id ORDER BY latest
"""
# The tables have no index by conversation, and without one each success would read all of them.
_PLACES = """
CREATE TEMP TABLE spoken AS
    SELECT conversation_id, sequence, original_prompt_id, rowid AS place FROM PromptMemoryEntries;
CREATE INDEX temp.by_conversation ON spoken (conversation_id);
CREATE TEMP TABLE scored AS SELECT prompt_request_response_id AS prompt_id, rowid AS place FROM ScoreEntries;
CREATE INDEX temp.by_prompt ON scored (prompt_id);
"""
_MESSAGES = """
SELECT message.* FROM spoken JOIN PromptMemoryEntries AS message ON message.rowid = spoken.place
WHERE spoken.conversation_id = ? ORDER BY spoken.sequence, spoken.place LIMIT ?
"""
_SCORES = """
SELECT score.* FROM ScoreEntries AS score WHERE score.rowid IN
    (SELECT scored.place FROM spoken JOIN scored ON scored.prompt_id = spoken.original_prompt_id
     WHERE spoken.conversation_id = ?)
ORDER BY score.rowid LIMIT ?
"""
_TARGET = "SELECT target_identifier FROM Conversations WHERE conversation_id = ?"


def records(stream: BinaryIO) -> Iterator[tuple[int, FlawReport | Refused]]:
    """Each conversation of a successful attack, with its place, and the report or what refused it."""
    path = Path(str(stream.name))
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as memory:
            memory.row_factory = sqlite3.Row
            memory.text_factory = _text
            memory.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LINE_BYTES)
            memory.execute("PRAGMA trusted_schema = OFF")
            tables = {row["name"] for row in memory.execute(_FOUND)} & {*_TABLES, "Conversations"}
            tables = {name for name in tables if not memory.execute(_COMPUTED, [name]).fetchone()[0]}
            if missing := sorted(_TABLES - tables):
                yield 1, InvalidReport("file", f"must be a memory of PyRIT, which has the table {missing[0]}")
                return
            memory.executescript(_PLACES)
            for number, success in enumerate(memory.execute(_SUCCESSES), start=1):
                try:
                    yield number, _report(memory, dict(success), "Conversations" in tables)
                except InvalidReport as error:
                    yield number, error
                except sqlite3.Error:
                    yield number, InvalidReport("conversation_id", "must name messages that can be read")
    except sqlite3.Error:
        yield 1, InvalidReport("file", "must be a sound SQLite database with the columns of PyRIT")


def _report(memory: sqlite3.Connection, success: dict[str, Any], has_targets: bool) -> FlawReport | Refused:
    name = success["conversation_id"]
    if not isinstance(name, str) or not name:
        return InvalidReport("conversation_id", "must be the text by which messages are grouped")
    messages = [_decoded(row) for row in memory.execute(_MESSAGES, [name, MAX_TURNS + 1])]
    if len(messages) > MAX_TURNS:
        return InvalidReport("turns", f"must be at most {MAX_TURNS}")
    scores = [_decoded(row) for row in memory.execute(_SCORES, [name, _MAX_SCORES])]
    target = memory.execute(_TARGET, [name]).fetchone() if has_targets else None
    if messages:
        messages[0]["scores"] = scores
        if target is not None:  # as 1.1 does; in 0.11 each message names its target
            messages[0]["prompt_target_identifier"] = _decoded(target)["target_identifier"]
    said = {"Goal": success["objective"], "Outcome": "success", "Reason": success["outcome_reason"]}
    return pyrit.conversation(name, messages, said)


def _text(raw: bytes) -> str:
    """A text that is no UTF-8 loses no other report."""
    return raw.decode("utf-8", "replace")


def _decoded(row: sqlite3.Row) -> dict[str, Any]:
    """The row by name of column, with what names a target or a scorer as the object that its JSON holds."""
    found = dict(row)
    for name in found:
        if name.endswith("_identifier") and isinstance(found[name], str):
            try:
                found[name] = decode(found[name].encode())
            except InvalidReport as error:
                raise InvalidReport(field_path("", name), error.rule) from None
    return found
