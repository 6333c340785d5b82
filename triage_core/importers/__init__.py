"""Reports out of files of other tools: one format a module, all read under caps.

Nothing here stores anything; `intake.import_batch` does, with `Line.key` as the key that makes a
second import of the same file a no-op.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from re import Pattern
from typing import BinaryIO

from triage_core.channel.reportformat import report_sha256
from triage_core.errors import NotFound, Refused
from triage_core.importers import (
    avid,
    csvfile,
    flare,
    garak_hitlog,
    garak_report,
    inspectlog,
    jsonl,
    mail,
    openwebui,
    promptfoo,
    pyrit,
    pyrit_memory,
    zerodin,
)
from triage_core.importers.lines import BOM
from triage_core.importers.mapping import ColumnMapping, Names
from triage_core.model import FlawReport


class Format(StrEnum):
    AUTO = "auto"
    FLAW_REPORT = "flaw-report"
    CSV = "csv"
    GARAK_HITLOG = "garak-hitlog"
    GARAK_REPORT = "garak-report"
    PROMPTFOO = "promptfoo"
    PYRIT = "pyrit"
    PYRIT_MEMORY = "pyrit-memory"
    AVID = "avid"
    EMAIL = "email"
    FLARE = "flare"
    INSPECT = "inspect"
    OPEN_WEBUI = "openwebui"
    ZERODIN = "0din"


_READERS: dict[Format, Callable[[BinaryIO], Iterator[tuple[int, FlawReport | Refused]]]] = {
    Format.FLAW_REPORT: jsonl.records,
    Format.CSV: csvfile.records,
    Format.GARAK_HITLOG: garak_hitlog.records,
    Format.GARAK_REPORT: garak_report.records,
    Format.PROMPTFOO: promptfoo.records,
    Format.PYRIT: pyrit.records,
    Format.PYRIT_MEMORY: pyrit_memory.records,
    Format.AVID: avid.records,
    Format.EMAIL: mail.records,
    Format.FLARE: flare.records,
    Format.INSPECT: inspectlog.records,
    Format.OPEN_WEBUI: openwebui.records,
    Format.ZERODIN: zerodin.records,
}
_MAPPED: Mapping[
    Format, Callable[[BinaryIO, ColumnMapping, Names], Iterator[tuple[int, FlawReport | Refused]]]
] = {Format.FLAW_REPORT: jsonl.mapped, Format.CSV: csvfile.mapped}
_BEGINS: Mapping[Format, Pattern[bytes]] = {
    Format.GARAK_HITLOG: garak_hitlog.BEGINS,
    Format.GARAK_REPORT: garak_report.BEGINS,
    Format.PROMPTFOO: promptfoo.BEGINS,
    Format.PYRIT: pyrit.BEGINS,
    Format.PYRIT_MEMORY: pyrit_memory.BEGINS,
    Format.AVID: avid.BEGINS,
    Format.FLARE: flare.BEGINS,
    Format.INSPECT: inspectlog.BEGINS,
    Format.OPEN_WEBUI: openwebui.BEGINS,
    Format.ZERODIN: zerodin.BEGINS,
}
"""What files of other tools begin with. They are asked for by name: what they hold is nobody's report yet."""
_BINARY: Mapping[bytes, str] = {
    b"\x1f\x8b": "is compressed: unpack it first",
    b"PK\x03\x04": "is an archive or a spreadsheet: unpack it, save it as CSV, or name the format of its tool",
    b"\xff\xfe": "must be UTF-8, and is UTF-16",
    b"\xfe\xff": "must be UTF-8, and is UTF-16",
}
"""What a file that is no text in UTF-8 begins with."""
_ZIPPED = frozenset({Format.INSPECT})
_SUFFIXES = {
    ".jsonl": Format.FLAW_REPORT,
    ".ndjson": Format.FLAW_REPORT,
    ".csv": Format.CSV,
    ".eml": Format.EMAIL,
    ".mbox": Format.EMAIL,
}


@dataclass(frozen=True, slots=True)
class Line:
    """What one line (or CSV record, or entry of a tool's file) holds: a report, or the error that refused it.

    `number` counts from 1 and is where a CSV record begins; `raw_sha256` is of the report's
    canonical JSON, "" for a refused line; `occurrence` counts equal lines of this file from 1.
    """

    number: int
    report: FlawReport | None
    error: Refused | None
    raw_sha256: str = ""
    occurrence: int = 1

    @property
    def key(self) -> str:
        """What identifies the line in any later import: its external id, else its content and occurrence.

        Two people may send the same words, so equal lines of one file are reports of their own.
        """
        if self.report is not None and self.report.external_id is not None:
            return f"id:{self.report.external_id}"
        return f"sha256:{self.raw_sha256}:{self.occurrence}"


def read(
    path: Path,
    format: Format | str = Format.AUTO,
    mapping: ColumnMapping | None = None,
    found: Names = lambda names: None,
) -> Iterator[Line]:
    """Every line of the file in order, parsed or refused; blank lines are left out.

    `auto` goes by the extension (.jsonl, .ndjson, .csv, .eml, .mbox), else by the first character: a
    brace or a bracket opens JSONL. It never takes a file of another tool: where the first line is refused and looks
    like one, that is the one refused line, and names the format to ask for. A CSV file with the wrong
    columns gives one refused line, its header, and so does a file that is no text. No other refused line
    stops the reading.

    With a `mapping`, JSONL and CSV are read by the columns that it names, and a file of any other format gives one
    refused line. Once all columns are known to be there, and before the first report, `found` hears which others are;
    it should do no more than note that.

    Raises `NotFound` when the file cannot be read, `Refused` for a `format` that has no columns to map.
    """
    seen: Counter[bytes] = Counter()
    try:
        with path.open("rb") as stream:
            start = stream.peek(4096)  # a pipe cannot be read twice
            chosen = _format(path, start, Format(format))
            for begins, rule in _BINARY.items():
                if start.startswith(begins) and not (begins.startswith(b"PK") and chosen in _ZIPPED):
                    yield Line(1, None, Refused("file", rule))
                    return
            if mapping is not None and chosen not in _MAPPED:
                refused = Refused(
                    "format", f"must be {' or '.join(_MAPPED)} where columns are mapped, not {chosen}"
                )
                if format != Format.AUTO:  # as it was asked for
                    raise refused
                yield Line(1, None, refused)
                return
            tool = _tool(start) if format == Format.AUTO and mapping is None else None
            records = _READERS[chosen](stream) if mapping is None else _MAPPED[chosen](stream, mapping, found)
            for number, outcome in records:
                if isinstance(outcome, Refused) and tool is not None:
                    rule = f"is of another tool: import it with --format {tool}"
                    yield Line(number, None, Refused("file", rule))
                    return
                tool = None
                if isinstance(outcome, Refused):
                    yield Line(number, None, outcome)
                    continue
                digest = report_sha256(outcome)
                # Half a digest is enough to tell lines apart and keeps a million of them small.
                seen[bytes.fromhex(digest[:32])] += 1
                yield Line(number, outcome, None, digest, seen[bytes.fromhex(digest[:32])])
    except OSError as error:
        raise NotFound(path.name, f"must be a file that can be read ({error.strerror})") from error


def _format(path: Path, start: bytes, asked: Format) -> Format:
    if asked is not Format.AUTO:
        return asked
    by_suffix = _SUFFIXES.get(path.suffix.lower())
    if by_suffix is not None:
        return by_suffix
    return Format.FLAW_REPORT if _opening(start).startswith((b"{", b"[")) else Format.CSV


def _tool(start: bytes) -> Format | None:
    return next((tool for tool, begins in _BEGINS.items() if begins.match(_opening(start))), None)


def _opening(start: bytes) -> bytes:
    return start.removeprefix(BOM).lstrip()
