"""The Disclosure page over 200,000 embargoes, and a round of the notifier over 1,000,000 reports.

    python -m benchmarks.disclosure [--small]

Every third embargo waits for an answer, one report of fifty is a linked duplicate, one of ten says what an earlier
one said. Timed in process, each question on a look of its own. A look by somebody who may not read what is withheld is
told in processor time, all threads together, also after one event. Small: 20,000 and 50,000.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import harness
from triage_core import db
from triage_core.desk import claims
from triage_core.disclosure import disclosure, embargo_board, embargoes
from triage_core.disclosure.embargo_board import Show
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.disclosure.withheld import Desk
from triage_core.guidance import policy
from triage_core.model import Actor, DeskRole, Tlp
from triage_core.outgoing import outbox
from triage_core.settings import ROOT
from triage_core.store import Store

ROUNDS = 10
CPU = ", CPU"
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 4, 8, tzinfo=UTC)
OPERATOR = Actor("bench", "Benchmark", frozenset(DeskRole))
ENGINEER = Actor("bench", "Benchmark", frozenset({DeskRole.ML_ENGINEER}))

_FILL = (
    "INSERT INTO reports (report_id, seq, channel, received_at, policy_version, content_sha256, body_sha256, platform,"
    " model, model_version, what_is_wrong, harm_types, disclosure_intent, turns, body)"
    " SELECT 'FR-' || i, i, 'form', $begin::TIMESTAMP + to_seconds((i * $seconds) // $count), '1',"
    " sha256((i % ($count * 9 // 10))::VARCHAR), '', 'Product ' || (i % 5), '', '', 'It did wrong ' || i, ['other'],"
    " 'yes', [{'role': 'user', 'content': 'Question ' || i}], '{}' FROM range(1, $count + 1) t(i)",
    "INSERT INTO cases (report_id, seq, received_at, channel, platform, model_version, harm_types, is_copy, version,"
    " status, exploitation, tlp, consent_training, consent_share_peers, response_due, triage_due, updated_at,"
    " updated_by, canonical_id)"
    " SELECT report_id, seq, received_at, channel, platform, model_version, harm_types,"
    " seq >= $count * 9 // 10, 1, 'new', CASE WHEN seq % 1000 = 0 THEN 'active' ELSE 'none' END, 'AMBER', 'none', 'no',"
    " received_at + INTERVAL 2 DAY, received_at + INTERVAL 7 DAY, received_at, '',"
    " CASE WHEN seq % 50 = 0 THEN 'FR-' || (seq - 1) END FROM reports",
    "INSERT INTO duplicate_links SELECT row_number() OVER (), report_id, canonical_id, received_at, '', '', NULL, NULL,"
    " NULL FROM cases WHERE canonical_id IS NOT NULL",
    "INSERT INTO embargoes (report_id, state, starts_at, ends_at, proposed_end, proposed_by, exit_reason, version)"
    " SELECT report_id, CASE WHEN seq % 3 = 0 THEN 'revise' ELSE 'active' END, received_at,"
    " received_at + INTERVAL 170 DAY, CASE WHEN seq % 3 = 0 THEN received_at + INTERVAL 175 DAY END,"
    " CASE WHEN seq % 3 = 0 THEN 'reporter' ELSE '' END, '', 1 FROM reports WHERE seq % ($count // $embargoes) = 0",
)


def filled(folder: Path, count: int, embargoed: int) -> Store:
    """A store with so many reports, received evenly between BEGIN and NOW, and so many of them under embargo."""
    store = Store(folder, lambda: NOW)
    values = {
        "count": count,
        "embargoes": embargoed,
        "begin": db.naive(BEGIN),
        "seconds": int((NOW - BEGIN).total_seconds()),
    }
    with store.write(OPERATOR, "benchmark") as work:
        for statement in _FILL:
            used = {name: value for name, value in values.items() if f"${name}" in statement}
            work.cursor.execute(statement, used)
        work.event("benchmark.filled", "store", {})
    return store


def timed(store: Store, ask: Callable[[db.Cursor], object]) -> harness.Timing:
    seconds = []
    for _ in range(ROUNDS):
        with store.read() as cursor:
            start = time.perf_counter()
            ask(cursor)
            seconds.append(time.perf_counter() - start)
    return harness.Timing(tuple(seconds))


def board(folder: Path, count: int) -> dict[str, harness.Timing]:
    """Every question of the Disclosure page, and the looks of somebody who may not read what is withheld."""
    store = filled(folder, count, count)
    product = ("Product 1",)
    asked: dict[str, Callable[[db.Cursor], object]] = {
        "counts": lambda cursor: embargo_board.counts(cursor, NOW),
        "counts of a product": lambda cursor: embargo_board.counts(cursor, NOW, product),
        "page 1 of a product": lambda cursor: embargo_board.page(cursor, Show.RUNNING, NOW, product),
        "last page": lambda cursor: embargo_board.page(cursor, Show.RUNNING, NOW, (), count // 25 - 1),
        "reminders": lambda cursor: embargoes.reminders(cursor, NOW),
    }
    for show in Show:
        asked[f"page 1, {show}"] = lambda cursor, show=show: embargo_board.page(cursor, show, NOW)  # type: ignore[misc]
    found = {name: timed(store, ask) for name, ask in harness.progress(list(asked.items()), "board")} | looks(
        store
    )
    store.close()
    return found


def looks(store: Store) -> dict[str, harness.Timing]:
    """Processor time of a look by somebody who may not read what is withheld: the first, and after one event each."""
    commands: dict[str, Callable[[str], object]] = {
        "next look": lambda report: None,
        "after a claim": lambda report: claims.claim(store, OPERATOR, report),
        "after another label": lambda report: disclosure.set_tlp(store, OPERATOR, report, Tlp.RED, "a test"),
        "after an embargo ended": lambda report: disclosure.terminate(
            store, OPERATOR, report, ExitReason.FIXED
        ),
    }
    desks = [Desk(store) for _ in range(3)]
    seconds = {"first look": [_look(desk) for desk in desks]} | {name: [] for name in commands}
    for number in range(ROUNDS):
        for place, (name, command) in enumerate(commands.items()):
            command(f"FR-{1 + 1_997 * number + 499 * place}")
            seconds[name].append(_look(desks[-1]))
    return {f"withheld, {name}{CPU}": harness.Timing(tuple(taken)) for name, taken in seconds.items()}


def _look(desk: Desk) -> float:
    start = time.process_time()
    with desk.look(ENGINEER, NOW):
        return time.process_time() - start


def notifier(folder: Path, count: int) -> dict[str, harness.Timing]:
    """A round in which nothing is new, and one with clocks that ran out and the digest of the day."""
    store = filled(folder, count, count // 50)
    clocks = policy.load(ROOT / "data").clocks
    outbox.collect(store, OPERATOR, clocks, ("email",), None, NOW - timedelta(hours=1))
    found = {}
    for name, minutes, hour in (("round with a digest", 0, 0), ("round without", 1, None)):
        start = time.perf_counter()
        outbox.collect(store, OPERATOR, clocks, ("email",), hour, NOW + timedelta(minutes=minutes))
        found[name] = harness.Timing((time.perf_counter() - start,))
    store.close()
    return found


def main() -> None:
    small = harness.arguments(__doc__).small
    embargoed, reports = (20_000, 50_000) if small else (200_000, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="flawdesk-disclosure-") as name:
        page = board(Path(name) / "board", embargoed)
        rounds = notifier(Path(name) / "notifier", reports)
    for title, found in (
        (f"Disclosure over {embargoed:,} embargoes", page),
        (f"The notifier over {reports:,} reports", rounds),
    ):
        rows = [(key, one.median * 1000, one.quantile(0.95) * 1000) for key, one in found.items()]
        harness.table(title, ("question", "median ms", "p95 ms"), rows)
    key = {name: name.replace(",", "").replace(" ", "_").lower() + "_ms" for name in (*page, *rounds)}
    figures = {key[name]: one.median * 1000 for name, one in (page | rounds).items()}
    targets = {
        key[name]: ("<=", 50.0 if name.endswith(CPU) else 200.0) for name in page if "first" not in name
    }
    harness.finish("disclosure", figures, targets)


if __name__ == "__main__":
    main()
