"""What a person at the desk reads: the whole store, or the store without the words of what is withheld.

The gate for everybody inside. Who may not read what is under an active embargo or TLP:RED gets a cursor on
which the tables themselves hold a placeholder in place of its words, so that no question to the store, and no
search in it, tells them: none has to think of the rule, and none can forget it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from triage_core import access, db
from triage_core.access import Command
from triage_core.disclosure.embargo_machine import IN_FORCE
from triage_core.model import Actor, Tlp
from triage_core.store import STORE_FILE, Store

_IN_FORCE = ", ".join(sorted(repr(str(state)) for state in IN_FORCE))

# The rules of `embargo.why_not` for a reading that decides nothing, told of all reports at once; a property test
# holds the two together. `until` is the last end known of whatever withholds the report.
_WITHHELD = f"""
WITH active AS MATERIALIZED (
    SELECT report_id, binding_end FROM embargo_terms
    WHERE state IN ({_IN_FORCE}) AND (binding_end IS NULL OR binding_end > $now)),
copies AS (SELECT report_id, content_sha256, seq FROM reports
    WHERE report_id IN (SELECT report_id FROM cases WHERE is_copy)),
told AS (
    SELECT report_id, binding_end AS until FROM active
    UNION ALL SELECT c.report_id, a.binding_end FROM active a JOIN cases c ON c.canonical_id = a.report_id
    UNION ALL SELECT c.report_id, a.binding_end FROM copies c
        JOIN reports r ON r.content_sha256 = c.content_sha256 AND r.seq < c.seq
        JOIN active a ON a.report_id = r.report_id),
held AS (SELECT report_id, max(until) AS until FROM told GROUP BY report_id)
SELECT report_id, 'Under embargo' || coalesce(' until ' || strftime(until, '%Y-%m-%d %H:%M UTC'), '') AS instead
FROM held
UNION ALL SELECT report_id, 'TLP:RED, for named people only' FROM cases ANTI JOIN held USING (report_id)
    WHERE tlp = '{Tlp.RED}'
"""

_CATALOG = STORE_FILE.removesuffix(".duckdb")


def _instead(table: str, columns: str) -> str:
    """A view in the place of a table, with these columns replaced in the rows of withheld reports."""
    return (
        f"CREATE TEMP VIEW {table} AS SELECT t.* REPLACE ({columns}) FROM {_CATALOG}.main.{table} t"
        " LEFT JOIN withheld w ON w.report_id = t.report_id"
    )


def _without(table: str, column: str = "report_id") -> str:
    """A view in the place of a table, without the rows of withheld reports."""
    return (
        f"CREATE TEMP VIEW {table} AS SELECT t.* FROM {_CATALOG}.main.{table} t"
        f" ANTI JOIN withheld w ON w.report_id = t.{column}"
    )


_VIEWS = (
    _instead(
        "reports",
        "coalesce(w.instead, t.what_is_wrong) AS what_is_wrong,"
        " CASE WHEN w.instead IS NULL THEN t.external_id END AS external_id,"
        " CASE WHEN w.instead IS NULL THEN t.body ELSE '{}' END AS body,"
        " CASE WHEN w.instead IS NULL THEN t.turns ELSE [{'role': 'user', 'content': w.instead}] END AS turns",
    ),
    _instead(
        "better_answers",
        "coalesce(w.instead, t.content) AS content,"
        " CASE WHEN w.instead IS NULL THEN t.returned_why ELSE '' END AS returned_why",
    ),
    _instead(
        "assessments",
        "CASE WHEN w.instead IS NULL THEN t.note ELSE '' END AS note,"
        " CASE WHEN w.instead IS NULL THEN t.override_reason ELSE '' END AS override_reason,"
        " CASE WHEN w.instead IS NULL THEN t.reproduction_log ELSE '' END AS reproduction_log",
    ),
    _without("spans"),
    _without("messages"),
    _without("drafts"),
    # Events repeat notes, questions and answers.
    _without("events", "subject"),
    # The words that set a cluster apart come from all of its members.
    "CREATE TEMP VIEW clusters AS"
    " SELECT t.* REPLACE (CASE WHEN w.cluster_id IS NULL THEN t.label ELSE '' END AS label)"
    f" FROM {_CATALOG}.main.clusters t LEFT JOIN (SELECT DISTINCT m.axis, m.cluster_id FROM memberships m"
    " SEMI JOIN withheld USING (report_id)) w ON w.axis = t.axis AND w.cluster_id = t.cluster_id",
)


_NEXT_END = f"SELECT min(binding_end) FROM embargo_terms WHERE state IN ({_IN_FORCE}) AND binding_end > $now"


@dataclass(frozen=True, slots=True)
class _Known:
    """What is withheld after one event, from the moment of the look until the next embargo ends (None: for good)."""

    seq: int
    since: datetime
    until: datetime | None
    table: pa.Table

    def holds(self, seq: int, now: datetime) -> bool:
        return self.seq == seq and self.since <= now and (self.until is None or now < self.until)


class Desk:
    """The desk's way of reading a store; remembers what was withheld at the last look."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: _Known | None = None

    @contextmanager
    def look(self, actor: Actor, now: datetime) -> Iterator[db.Cursor]:
        """A cursor for one consistent look at the store at `now`, as far as this person may read it."""
        with self._store.read() as cursor:
            if not access.may(actor, Command.READ_EMBARGOED):
                cursor.register("withheld", self._now_withheld(cursor, now))
                for view in _VIEWS:
                    cursor.execute(view)
            yield cursor

    def _now_withheld(self, cursor: db.Cursor, now: datetime) -> pa.Table:
        # Every change of an embargo, a label or a link is an event of the same transaction. The number comes from
        # this very look: that of the store may still be the one before the change that the look already shows.
        seq = int(db.value(cursor, "SELECT coalesce(max(seq), 0) FROM events"))
        last = self._last
        if last is None or not last.holds(seq, now):
            asked = {"now": db.naive(now)}
            end = db.value(cursor, _NEXT_END, asked)
            last = _Known(seq, now, end, db.arrow(cursor, _WITHHELD, asked))
            self._last = last
        return last.table
