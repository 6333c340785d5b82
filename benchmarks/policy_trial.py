"""The dry run of a policy over many decisions: how long the counts and one page of the list take.

Decisions over all combinations of inputs are written straight into the tables; the draft tried raises every
low severity to medium, so that a part of them changes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import harness
from triage_core.guidance import policies, policy, policy_trial
from triage_core.guidance.policy_text import Texts
from triage_core.model import Actor, DeskRole, Severity
from triage_core.settings import ROOT
from triage_core.store import Store

OPERATOR = Actor("bench", "Benchmark", frozenset(DeskRole))
ROUNDS = 20
TARGET_MS = 500  # the least that reads as an answer rather than a wait
ASSESSMENTS = """
INSERT INTO assessments SELECT i, 'FR-' || i, TIMESTAMP '2026-01-01' + to_seconds(i), 'somebody', $version,
    ['IN-' || (1 + i % 7)], $harm[1 + i % 270], $exposure[1 + i % 270], $generality[1 + i % 270],
    $reliability[1 + i % 270], $uplift[1 + i % 270], $level[1 + i % 270], $level[1 + i % 270], '',
    'scheduled', NULL, '', '', NULL
FROM range(1, $count + 1) r(i)
"""
CASES = """
INSERT INTO cases BY NAME SELECT report_id, 1 AS version, 'accepted' AS status, assessment_id, severity, priority,
    'none' AS exploitation, 'amber' AS tlp, 'none' AS consent_training, 'no' AS consent_share_peers,
    done_at AS response_due, done_at AS triage_due, done_at AS updated_at, 'somebody' AS updated_by
FROM assessments
"""


def main() -> None:
    count = 10_000 if harness.arguments(__doc__).small else 100_000
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        rules = policies.publish(store, OPERATOR, policy.load(ROOT / "data"))
        columns = ("harm", "exposure", "generality", "reliability", "uplift")
        inputs = {name: [str(key[at]) for key in rules.severity_table] for at, name in enumerate(columns)}
        levels = {"level": [str(level) for level in rules.severity_table.values()]}
        with store.write(OPERATOR, "benchmark") as work:
            work.cursor.execute(ASSESSMENTS, {**inputs, **levels, "version": rules.version, "count": count})
            work.cursor.execute(CASES)
        raised = rules.severity_csv.replace(f",{Severity.LOW}\n", f",{Severity.MEDIUM}\n")
        tried = Texts(rules.toml_text, raised, rules.priority_csv).parse()
        counts, pages = [], []
        for _ in harness.progress(range(ROUNDS), "trying the draft"):
            started = time.perf_counter()
            with store.read() as cursor:
                found = policy_trial.summary(cursor, tried)
            counts.append(time.perf_counter() - started)
            started = time.perf_counter()
            with store.read() as cursor:
                policy_trial.changed(cursor, tried, 2)
            pages.append(time.perf_counter() - started)
        store.close()
    figures = {"decisions": count, "changed": found.changed}
    for name, seconds in (("summary", counts), ("page", pages)):
        figures |= {
            f"{name}_p{at}_ms": round(float(np.quantile(seconds, at / 100)) * 1000) for at in (50, 95)
        }
    harness.table(
        f"Dry run over {count:,} decisions, {found.changed:,} of which change",
        ("", "p50 ms", "p95 ms"),
        [(name, figures[f"{name}_p50_ms"], figures[f"{name}_p95_ms"]) for name in ("summary", "page")],
    )
    harness.finish(
        "policy_trial", figures, {"summary_p95_ms": ("<=", TARGET_MS), "page_p95_ms": ("<=", TARGET_MS)}
    )


if __name__ == "__main__":
    main()
