"""The account of a dataset: what is in it, what is not and why, and by which hashes it can be checked."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_core import __version__, db
from triage_core.desk import agreement, looks
from triage_core.errors import Refused, StoreError
from triage_core.exporters import metadata, source, wording
from triage_core.exporters.gate import Reason
from triage_core.exporters.leakage import Leakage
from triage_core.exporters.poison import ANONYMOUS, LEAST, Concentration
from triage_core.exporters.profiles import Profile
from triage_core.exporters.request import ExportRequest
from triage_core.exporters.select import Batch, Example
from triage_core.exporters.source import NEAR_DUPLICATE
from triage_core.exporters.split import TEST_SHARE, Split

SCHEMA_VERSION = "flawdesk-dataset/1"
FILE = "manifest.json"
READ = 100
BEHIND = 50
"""So many reports are remembered for each reason."""
_SIDE_BIT = {Split.TRAIN: 1, Split.TEST: 2}


@dataclass(slots=True)
class Tally:
    """Counts every report exactly once, and watches that nothing is on both sides of the split.

    `last` is the number of the newest report in the store. Holds some 500 bytes a row.
    """

    profile: Profile
    last: int
    excluded: Counter[Reason] = field(default_factory=Counter)
    behind: dict[Reason, list[int]] = field(default_factory=dict)
    rows: int = 0
    _counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {
            name: Counter() for name in ("split", "label", "severity", "clause", "answer_by")
        }
    )
    _reports: int = 0
    _digests: bytearray = field(default_factory=bytearray)
    _prompts: bytearray = field(default_factory=bytearray)
    _prompts_test: bytearray = field(default_factory=bytearray)
    _names: list[str] = field(default_factory=list)
    _group_sides: NDArray[np.uint8] = field(init=False)
    _with: Counter[str] = field(default_factory=Counter)
    _redacted: Counter[str] = field(default_factory=Counter)
    _concentration: Concentration = field(default_factory=Concentration)
    _leakage: Leakage = field(init=False)
    _not_indexed: int = 0

    def __post_init__(self) -> None:
        self._group_sides = np.zeros(self.last + 1, np.uint8)
        self._leakage = Leakage(self.last)
        self._counts["split"].update(dict.fromkeys(Split, 0))  # a side without rows is told, too

    def add(self, batch: Batch) -> None:
        """Count rows and reasons; of each reason the first `BEHIND` reports are remembered in `behind`, by number."""
        for reason, seqs in batch.refused.items():
            self.excluded[reason] += len(seqs)
            behind = self.behind.setdefault(reason, [])
            behind += seqs[: BEHIND - len(behind)]
        if batch.examples:
            self._count(batch.examples)
        # Conversations may be long, and their runs of words take more room than they do.
        for start in range(0, len(batch.examples), READ):
            self._read([one for one in batch.examples[start : start + READ] if one.part == 0])

    def _read(self, reports: list[Example]) -> None:
        """Take in the wording of reports that became rows."""
        if not reports:
            return
        self._reports += len(reports)
        starts = [0, *itertools.accumulate(len(one.texts) for one in reports)]
        texts = [text for one in reports for text in one.texts]
        runs = wording.read(texts, starts, self._leakage.share)
        self._concentration.add([one.facts.reporter_id or ANONYMOUS for one in reports], runs)
        self._leakage.add(
            [one.facts.report_id for one in reports],
            [one.split is Split.TEST for one in reports],
            [one.facts.is_indexed for one in reports],
            runs,
        )
        for one in reports:
            if one.redactions:
                self._redacted.update(span.kind for span in one.redactions)

    def _count(self, rows: list[Example]) -> None:
        counts, label = self._counts, self.profile.label
        self.rows += len(rows)
        for side in Split:
            groups = [one.group for one in rows if one.split is side]
            counts["split"][side] += len(groups)
            self._group_sides[groups] |= _SIDE_BIT[side]
        counts["severity"].update([one.facts.severity or "" for one in rows])
        counts["clause"].update([clause for one in rows for clause in one.facts.clauses])
        if label:
            counts["label"].update([_as_counted(one.row[label]) for one in rows])
        for name in ("control_tokens", "hidden_characters", "redactions"):
            column = f"meta_{name}"
            self._with[name] += sum([one.meta[column] != "" for one in rows])
        if self.profile.needs_better_answer:
            counts["answer_by"].update([one.meta["meta_answer_by"] or "nobody" for one in rows])
        self._not_indexed += sum([not one.facts.is_indexed for one in rows])
        self._digests += bytes.fromhex("".join([one.meta[metadata.ROW_SHA256] for one in rows]))
        self._prompts += b"".join([metadata.digest(self.profile.watched(one.row)) for one in rows])
        self._prompts_test += bytes([one.split is Split.TEST for one in rows])
        self._names += [one.facts.report_id for one in rows]

    def _watch_prompts(self) -> None:
        """Raise Refused when what a row shows stands on the other side of the split, too."""
        prompts = np.frombuffer(self._prompts, np.uint64)
        test = np.frombuffer(self._prompts_test, np.bool_)
        both = np.intersect1d(prompts[test], prompts[~test])
        if len(both):
            rows = np.flatnonzero(prompts == both[0])
            pair = [(self._names[row], Split.TEST if test[row] else Split.TRAIN) for row in rows.tolist()]
            one = next(f"{name} ({side})" for name, side in pair if side is Split.TRAIN)
            other = next(f"{name} ({side})" for name, side in pair if side is Split.TEST)
            raise Refused("split", f"the same prompt must not be in train and test: {one} and {other}")

    def reconcile(self, considered: int) -> None:
        """Raise StoreError unless every report that was considered has been counted once."""
        counted = self._reports + self.excluded.total()
        if counted != considered:
            raise StoreError(f"{considered} reports were considered, but {counted} were counted")

    def content_sha256(self) -> str:
        """The hex SHA-256 over the sorted hex SHA-256 of all rows, one a line; independent of format and order."""
        digest = hashlib.sha256()
        rows = np.frombuffer(self._digests, ">u8").reshape(-1, 4)
        for row in rows[np.lexsort(rows.T[::-1])]:
            digest.update(row.tobytes().hex().encode() + b"\n")
        return digest.hexdigest()

    def to_json(self, cursor: db.Cursor) -> dict[str, Any]:
        """The counts for the manifest. Raises Refused when a prompt or a near-copy of it is on both sides."""
        self._watch_prompts()
        test = np.frombuffer(self._prompts_test, np.bool_)
        return {
            "considered": self._reports + self.excluded.total(),
            "rows": {"total": self.rows}
            | {name: dict(sorted(counted.items())) for name, counted in self._counts.items()},
            "excluded": {str(reason): self.excluded[reason] for reason in Reason if self.excluded[reason]},
            "found": {
                "control_tokens": {"rows": self._with["control_tokens"]},
                "hidden_characters": {"rows": self._with["hidden_characters"]},
                "personal_data": {
                    "rows": self._with["redactions"],
                    "spans": {str(kind): count for kind, count in sorted(self._redacted.items())},
                },
            },
            "reporters": self._concentration.to_json(),
            "leakage": {
                "groups": int(np.count_nonzero(self._group_sides)),
                "groups_across_splits": int(np.count_nonzero(self._group_sides == 3)),
                "prompts_across_splits": 0,  # one would have stopped the export
                "rows_not_indexed": self._not_indexed,
                "nearest_by_likeness": source.alike_across(cursor, self._names, test),
                **self._leakage.to_json(),
            },
            "content_sha256": self.content_sha256(),
        }


def _as_counted(value: Any) -> str:
    return "unknown" if value is None else str(value).lower()


def document(
    cursor: db.Cursor,
    request: ExportRequest,
    tally: Tally,
    *,
    version: str,
    created_at: datetime,
    policy_version: str,
    moved_to_test: list[str],
    parent: str | None,
    diff: dict[str, Any] | None,
) -> dict[str, Any]:
    """The manifest, without its files.

    `moved_to_test`: ids of reports that were training data before their group grew into test data.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "name": request.dataset,
        "version": version,
        "created_at": created_at.astimezone(UTC).isoformat(),
        "generator": f"flawdesk {__version__}",
        "profile": request.profile,
        "layout": request.layout,
        "format": request.format,
        "filters": request.filters(),
        "policy_version": policy_version,
        "use": str(tally.profile.use),
        "hygiene": asdict(request.hygiene),
        "reporter_cap": {"share": request.reporter_share, "least": LEAST},
        "dedup": {"reports_per_group": request.per_group, "weight": "meta_group_size"},
        "split": {
            "method": "HMAC-SHA-256 of the oldest report of the group, remembered",
            "test_share": TEST_SHARE,
            "near_duplicate_from": NEAR_DUPLICATE,
            "moved_to_test": moved_to_test,
        },
        "agreement": asdict(agreement.overall(looks.pairs(cursor))),
        **tally.to_json(cursor),
        "parent": parent,
        "diff": diff,
    }


def files(folder: Path) -> list[dict[str, Any]]:
    """Every file in a dataset's folder as {path, bytes, sha256}, by path; taken before the manifest is written."""
    return [file(folder, path) for path in sorted(folder.rglob("*")) if path.is_file()]


def file(folder: Path, path: Path) -> dict[str, Any]:
    """One file of a dataset's folder as {path, bytes, sha256}."""
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256")
    return {
        "path": path.relative_to(folder).as_posix(),
        "bytes": path.stat().st_size,
        "sha256": digest.hexdigest(),
    }
