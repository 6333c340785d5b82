"""The account of a dataset: what is in it, what is not and why, and by which hashes it can be checked."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triage_core import __version__, db
from triage_core.desk import agreement, looks
from triage_core.errors import Refused, StoreError
from triage_core.exporters import nearest, wording
from triage_core.exporters.arrays import held
from triage_core.exporters.gate import Reason
from triage_core.exporters.leakage import Leakage
from triage_core.exporters.make import Batch, Made, Taken
from triage_core.exporters.poison import LEAST, Concentration
from triage_core.exporters.profiles import Profile
from triage_core.exporters.request import ExportRequest
from triage_core.exporters.source import NEAR_DUPLICATE
from triage_core.exporters.split import TEST_SHARE, Split

SCHEMA_VERSION = "flawdesk-dataset/1"
FILE = "manifest.json"
READ_BYTES = 1 << 20
"""Of so many bytes of text the runs of words are read at once: they take more room than the text."""
BEHIND = 50
"""So many reports are remembered for each reason."""
_HASHED = 10_000
_TEST, _TRAIN = 2, 1


@dataclass(slots=True)
class Tally:
    """Counts every report exactly once, and watches that nothing is on both sides of the split.

    `last` is the number of the newest report in the store. Holds some 300 bytes a row. `step` is called again and
    again while the sides are compared, and may raise.
    """

    profile: Profile
    last: int
    step: Callable[[], object] = lambda: None
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
    _shown: bytearray = field(default_factory=bytearray)
    _test: bytearray = field(default_factory=bytearray)
    _of: list[NDArray[np.int32]] = field(default_factory=list)  # by row the place of its report
    _sides: NDArray[np.uint8] = field(init=False)
    _group_sides: NDArray[np.uint8] = field(init=False)
    _with: Counter[str] = field(default_factory=Counter)
    _redacted: Counter[str] = field(default_factory=Counter)
    _concentration: Concentration = field(default_factory=Concentration)
    _leakage: Leakage = field(init=False)
    _not_indexed: int = 0

    def __post_init__(self) -> None:
        self._sides, self._group_sides = np.zeros((2, self.last + 1), np.uint8)
        self._leakage = Leakage(self.last, self.step)
        self._counts["split"].update(dict.fromkeys(Split, 0))  # a side without rows is told, too

    def add(self, batch: Batch) -> None:
        """Count rows and reasons; of each reason the first `BEHIND` reports are remembered in `behind`, by number."""
        for reason, seqs in batch.refused.items():
            self.excluded[reason] += len(seqs)
            behind = self.behind.setdefault(reason, [])
            behind += seqs[: BEHIND - len(behind)]
        if batch.made:
            self._count(batch.made)
            self._read(batch.made.reports)

    def _read(self, reports: Taken) -> None:
        """Take in the wording of reports that became rows."""
        self._reports += len(reports.facts)
        self._sides[reports.facts["seq"].to_numpy()] = np.where(reports.test, _TEST, _TRAIN)
        for spans in reports.redactions.values():
            self._redacted.update(span.kind for span in spans)
        names, ids = (reports.facts[name].combine_chunks() for name in ("reporter_id", "report_id"))
        indexed = reports.facts["is_indexed"].to_numpy()
        block = held(reports.said)[1][reports.starts[:-1]] // READ_BYTES
        for start, end in itertools.pairwise([0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(ids)]):
            runs = wording.read(reports.said, reports.starts[start : end + 1], self._leakage.share)
            self._concentration.add(names[start:end], runs)
            self._leakage.add(ids[start:end], reports.test[start:end], indexed[start:end], runs)

    def _count(self, made: Made) -> None:
        counts, label = self._counts, self.profile.label
        self.rows += len(made.report)
        for side, bit, ours in ((Split.TRAIN, _TRAIN, ~made.test), (Split.TEST, _TEST, made.test)):
            counts["split"][side] += int(ours.sum())
            self._group_sides[made.reports.group[made.report[ours]]] |= bit
        counts["severity"].update(_counted(made.meta["meta_severity"]))
        for clauses, rows in _counted(made.meta["meta_clauses"]).items():
            counts["clause"].update(dict.fromkeys(clauses.split(","), rows))
        if label:
            found = _counted(made.rows.table[label])
            counts["label"].update({_as_counted(value): rows for value, rows in found.items()})
        for name in ("control_tokens", "hidden_characters", "redactions"):
            self._with[name] += pc.sum(pc.not_equal(made.meta[f"meta_{name}"], "")).as_py()
        if self.profile.needs_better_answer:
            found = _counted(made.meta["meta_answer_by"])
            counts["answer_by"].update({name or "nobody": rows for name, rows in found.items()})
        self._not_indexed += int((~made.reports.facts["is_indexed"].to_numpy()[made.report]).sum())
        self._digests += made.rows.sha256.tobytes()
        self._shown += made.rows.shown().tobytes()
        self._test += made.test.tobytes()
        self._of.append((made.report + self._reports).astype(np.int32))

    def _watch_prompts(self) -> None:
        """Raise Refused when what a row shows stands on the other side of the split, too."""
        shown, test = np.frombuffer(self._shown, np.int64), np.frombuffer(self._test, np.bool_)
        trained = pa.array(shown[~test])
        both = trained.filter(pc.is_in(trained, value_set=pa.array(shown[test]))).to_numpy()
        if len(both):
            rows, names, of = np.flatnonzero(shown == both[0]), self._leakage.ids, np.concatenate(self._of)
            one = f"{names[of[rows[~test[rows]][0]]]} ({Split.TRAIN})"
            other = f"{names[of[rows[test[rows]][0]]]} ({Split.TEST})"
            raise Refused("split", f"the same prompt must not be in train and test: {one} and {other}")

    def nearest(self, cursor: db.Cursor) -> dict[str, Any]:
        """The highest cosine between the two sides (nearest.py)."""
        train, test = (np.flatnonzero(self._sides == side) for side in (_TRAIN, _TEST))
        return nearest.to_json(cursor, train, test, self.step)

    def reconcile(self, considered: int) -> None:
        """Raise StoreError unless every report that was considered has been counted once."""
        counted = self._reports + self.excluded.total()
        if counted != considered:
            raise StoreError(f"{considered} reports were considered, but {counted} were counted")

    def _content_sha256(self) -> str:
        """The hex SHA-256 over the sorted hex SHA-256 of all rows, one a line; independent of format and order."""
        digest = hashlib.sha256()
        rows = np.frombuffer(self._digests, ">u8").reshape(-1, 4)
        order = np.argsort(rows[:, 0])
        if (np.diff(rows[order, 0]) == 0).any():  # as good as never
            order = np.lexsort(rows.T[::-1])
        for start in range(0, len(order), _HASHED):
            # The last separator is missing from what `hex` writes.
            digest.update(rows[order[start : start + _HASHED]].tobytes().hex("\n", 32).encode() + b"\n")
        return digest.hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The counts for the manifest, to be asked for once: most of what is held is given up then.

        Raises Refused when a prompt or a near-copy of it is on both sides.
        """
        self._watch_prompts()
        reporters, content_sha256 = self._concentration.to_json(), self._content_sha256()
        self._digests, self._shown, self._of = bytearray(), bytearray(), []
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
            "reporters": reporters,
            "leakage": {
                "groups": int(np.count_nonzero(self._group_sides)),
                "groups_across_splits": int(np.count_nonzero(self._group_sides == _TRAIN | _TEST)),
                "prompts_across_splits": 0,  # one would have stopped the export
                "rows_not_indexed": self._not_indexed,
                **self._leakage.to_json(),
            },
            "content_sha256": content_sha256,
        }


def _counted(column: pa.ChunkedArray) -> dict[Any, int]:
    """How often each value stands in a column."""
    return {one["values"]: one["counts"] for one in column.value_counts().to_pylist()}


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
    """The manifest, without its files. Raises Refused when a test report is nearer to a training report than asked for.

    `moved_to_test`: ids of reports that were training data before their group grew into test data.
    """
    counts = tally.to_json()
    counts["leakage"]["nearest"] = near = tally.nearest(cursor)
    if (near["highest"] or 0) > request.cosine_limit:
        pair = f"{near['train']} ({Split.TRAIN}) and {near['test']} ({Split.TEST}) have {near['highest']}"
        rule = f"no test report may have a cosine above {request.cosine_limit} with a training report"
        raise Refused("cosine_limit", f"{rule}: {pair}")
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
            "cosine_limit": request.cosine_limit,
            "moved_to_test": moved_to_test,
        },
        "agreement": asdict(agreement.overall(looks.pairs(cursor))),
        **counts,
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
