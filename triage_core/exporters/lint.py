"""What would crash a trainer or poison it without a word, found in a file before the training run.

    report = lint.file(Path("train.jsonl"), "kto")
    report.ok, report.errors["label"]

The file may come from anywhere; each rule is one that was seen to fail or to be ignored by TRL, by a chat
template or by the loader. An error makes the run crash or learn something else than the rows say; a warning
may be meant.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from triage_core.errors import Refused
from triage_core.exporters import profiles
from triage_core.exporters.lint_rules import LABELS, RULES, Level, Problem, problems
from triage_core.exporters.profiles import Profile
from triage_core.importers.lines import BOM, MAX_LINE_BYTES, capped

EXAMPLES = 20
PARQUET_ROWS = 500
LONGEST = 4 * MAX_LINE_BYTES
"""A pair for a reward model holds a report twice, and two answers."""


class Format(StrEnum):
    JSONL = "jsonl"
    PARQUET = "parquet"


_ENDINGS = {".jsonl": Format.JSONL, ".ndjson": Format.JSONL, ".parquet": Format.PARQUET}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: where it is, the column, the rule broken.

    `row` is the number of the line in JSON Lines, else of the row, from 1; 0 is the file as a whole.
    """

    row: int
    column: str
    rule: str
    level: Level
    says: str


@dataclass(slots=True)
class Report:
    """What was found: every problem is counted by its rule, the first `EXAMPLES` of each are told in full."""

    rows: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.errors

    def add(self, row: int, problem: Problem) -> None:
        level = RULES[problem.rule].level
        counts = self.errors if level is Level.ERROR else self.warnings
        counts[problem.rule] += 1
        if counts[problem.rule] <= EXAMPLES:  # of each, so that many warnings hide no error
            says = RULES[problem.rule].says
            self.findings.append(Finding(row, problem.column, problem.rule, level, says))

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "rows": self.rows,
            "errors": dict(self.errors),
            "warnings": dict(self.warnings),
            "findings": [
                {
                    "row": one.row,
                    "column": one.column,
                    "rule": one.rule,
                    "level": str(one.level),
                    "says": one.says,
                }
                for one in self.findings
            ],
        }


def file(path: Path, profile: str) -> Report:
    """Lint a JSON Lines or Parquet file (by its ending) as data of a profile; streams it.

    Raises Refused for an unknown profile, another ending, or a file that cannot be read.
    """
    format = _ENDINGS.get(path.suffix.lower())
    if format is None:
        raise Refused("file", f"{path.name} must end in .jsonl, .ndjson or .parquet")
    try:
        found = _json_rows(path) if format is Format.JSONL else enumerate(_parquet_rows(path), start=1)
        return _numbered(found, profile)
    except (OSError, pa.ArrowException) as error:
        raise Refused("file", f"{path.name} cannot be read as {format}: {error}") from None


def rows(found: Iterable[Mapping[str, Any] | Problem], profile: str) -> Report:
    """Lint decoded rows; a `Problem` in place of a row says why that row could not be decoded."""
    return _numbered(enumerate(found, start=1), profile)


def _numbered(found: Iterable[tuple[int, Mapping[str, Any] | Problem]], profile: str) -> Report:
    shape = profiles.get(profile)
    report = Report()
    shapes: Counter[str] = Counter()
    labels: Counter[Any] = Counter()
    seen: dict[bytes, str] = {}  # some 100 bytes a row
    for number, row in found:
        report.rows += number > 0
        if isinstance(row, Problem):
            report.add(number, row)
            continue
        for problem in problems(row, shape):
            report.add(number, problem)
        shapes[_shape(row)] += 1
        if shape.label in row:
            labels[str(row[shape.label])] += 1
        said, label = _said(row, shape), str(row.get(shape.label))
        if said not in seen:
            seen[said] = label
        elif seen[said] == label:
            report.add(number, Problem("", "same_row"))
        else:
            report.add(number, Problem(shape.label, "other_label"))
    if not report.rows:
        report.add(0, Problem("", "no_rows"))
    if len(shapes) > 1:
        report.add(0, Problem("", "mixed_formats"))
    if profile == "kto" and len(labels) == 1:
        report.add(0, Problem("label", "one_label"))
    return report


def _shape(row: Mapping[str, Any]) -> str:
    """Which columns a row has and whether each is text or messages; a loader wants one answer for a file."""
    kinds = {name: "list" if isinstance(value, list) else "" for name, value in row.items()}
    return json.dumps(kinds, sort_keys=True)


def _said(row: Mapping[str, Any], profile: Profile) -> bytes:
    """What is said in a row, whatever its name and labels, as a hash that tells two rows apart."""
    told = [row.get(name) for name in profile.schema.names if name not in {"id", profile.label, *LABELS}]
    return blake2b(json.dumps(told, sort_keys=True, default=str).encode(), digest_size=8).digest()


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | Problem]]:
    """Each row with the number of its line; LF alone ends a line, since CR between values is white space of JSON."""
    with path.open("rb") as lines:
        for number, line in capped(lines, LONGEST):
            if number == 1 and line and line.startswith(BOM):
                line = line.removeprefix(BOM)
                yield 0, Problem("", "byte_order_mark")
            if line is None:
                yield number, Problem("", "long_line")
            elif line.strip():  # every loader passes over a blank one
                yield number, _json_row(line)


def _json_row(line: bytes) -> Mapping[str, Any] | Problem:
    try:
        row = json.loads(line.decode(), object_pairs_hook=_once)  # of bytes it would guess UTF-16
    except UnicodeDecodeError:
        return Problem("", "not_utf8")
    except _NamedTwice:
        return Problem("", "named_twice")
    except (ValueError, RecursionError):
        return Problem("", "not_json")
    return row if isinstance(row, dict) else Problem("", "not_an_object")


class _NamedTwice(ValueError):
    """An object has two values of one name."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NamedTwice
    return found


def _parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with pq.ParquetFile(path) as opened:
        twice = [name for name, count in Counter(opened.schema_arrow.names).items() if count > 1]
        if twice:
            raise Refused("file", f"{path.name} has two columns of the name {twice[0]!r}")
        for batch in opened.iter_batches(batch_size=PARQUET_ROWS):
            try:
                found = batch.to_pylist()
            except (ValueError, OverflowError) as error:  # text that is no UTF-8, a day beyond the calendar
                raise Refused("file", f"{path.name} holds a value that cannot be read: {error}") from None
            yield from found
