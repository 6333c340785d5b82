"""What a person at the desk reads: the whole store, or the store without the words of what is withheld.

The gate for everybody inside. Who may not read what is under an active embargo or TLP:RED gets a cursor on
which the tables themselves hold a placeholder in place of its words, so that no question to the store, and no
search in it, tells them: none has to think of the rule, and none can forget it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from triage_core import access, db
from triage_core.access import Command
from triage_core.disclosure import embargo_board
from triage_core.model import Actor, Tlp
from triage_core.store import STORE_FILE, Store

# The rules of `embargo.why_not` for a reading that decides nothing, told of many reports at once; a property test
# holds the two together. `until` is the last end of whatever withholds the report, infinity where one has no end.
_RULE = f"""
active AS (
    SELECT report_id, coalesce(binding_end, 'infinity'::TIMESTAMP) AS until FROM facts
    WHERE state IN ({embargo_board.IN_FORCE_SQL}) AND (binding_end IS NULL OR binding_end > $now)),
told AS (
    FROM active
    UNION ALL SELECT f.report_id, a.until FROM facts f JOIN active a ON a.report_id = f.canonical_id
    UNION ALL SELECT report_id, max(until) OVER (PARTITION BY content_sha256 ORDER BY seq
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        FROM facts LEFT JOIN active USING (report_id) WHERE content_sha256 <> ''),
held AS (SELECT report_id, max(until) AS until FROM told GROUP BY report_id)
SELECT report_id, CASE
    WHEN until IS NULL THEN 'TLP:RED, for named people only'
    WHEN until = 'infinity' THEN 'Under embargo'
    ELSE strftime(until, 'Under embargo until %Y-%m-%d %H:%M UTC') END AS instead
FROM facts LEFT JOIN held USING (report_id) WHERE asked AND (until IS NOT NULL OR tlp = '{Tlp.RED}')
"""

_OF_ALL = f"""
WITH copied AS (
    SELECT report_id, content_sha256 FROM reports WHERE content_sha256 IN (
        SELECT content_sha256 FROM reports WHERE report_id IN (SELECT report_id FROM cases WHERE is_copy))),
facts AS MATERIALIZED (
    SELECT c.report_id, c.seq, c.canonical_id, c.tlp, t.state, t.binding_end, content_sha256, true AS asked
    FROM cases c LEFT JOIN embargo_terms t USING (report_id) LEFT JOIN copied USING (report_id)), {_RULE}
"""

# The reports that something has happened to since the last look. What the rule reads and a command may change are
# these columns, and whoever changes a case or an embargo names in the event the columns that changed.
_CHANGED = """
SELECT subject AS report_id FROM events WHERE seq > $seq AND (
    kind = 'report.received' OR regexp_matches(data, '"(tlp|canonical_id|state|ends_at|exited_at)":'))
UNION SELECT report_id FROM accepted_ends WHERE accepted_end > $then AND accepted_end <= $now
"""

# Those of which the rule may say something else now: whatever is linked to a changed report, or was, since the
# earliest end binds all of them, and every report with the words of one of these.
_REACHED = """
WITH roots AS (
    FROM changed UNION SELECT canonical_id FROM duplicate_links SEMI JOIN changed ON child_id = report_id),
family AS (FROM roots UNION SELECT child_id FROM duplicate_links SEMI JOIN roots ON canonical_id = report_id),
linked AS MATERIALIZED (SELECT report_id, content_sha256 FROM reports SEMI JOIN family USING (report_id))
FROM linked UNION SELECT report_id, content_sha256 FROM reports
    WHERE content_sha256 IN (SELECT content_sha256 FROM linked WHERE content_sha256 <> '')
"""

# A report is withheld by its canonical report too, which need not be one of them.
_OF_REACHED = f"""
WITH roots AS (
    SELECT DISTINCT coalesce(canonical_id, report_id) AS root FROM cases SEMI JOIN reached USING (report_id)),
ends AS ({embargo_board.BINDING_ENDS}),
facts AS MATERIALIZED (
    SELECT c.report_id, c.seq, c.canonical_id, c.tlp, e.state, binding_end, content_sha256,
        r.report_id IS NOT NULL AS asked
    FROM (SELECT report_id FROM reached UNION FROM roots) JOIN cases c USING (report_id)
    LEFT JOIN ends ON root = coalesce(c.canonical_id, c.report_id)
    LEFT JOIN embargoes e USING (report_id) LEFT JOIN reached r USING (report_id)), {_RULE}
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
    # The title is the desk's own, and is for whoever may read the report; a peer's note may repeat what it has read.
    _without("advisories"),
    _without("advisory_ends"),
    _without("advisory_steps"),
    # Events repeat notes, questions and answers.
    _without("events", "subject"),
    # The words that set a cluster apart come from all of its members.
    "CREATE TEMP VIEW clusters AS"
    " SELECT t.* REPLACE (CASE WHEN w.cluster_id IS NULL THEN t.label ELSE '' END AS label)"
    f" FROM {_CATALOG}.main.clusters t LEFT JOIN (SELECT DISTINCT m.axis, m.cluster_id FROM memberships m"
    " SEMI JOIN withheld USING (report_id)) w ON w.axis = t.axis AND w.cluster_id = t.cluster_id",
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is withheld at a moment, after so many events."""

    seq: int
    now: datetime
    table: pa.Table


class Desk:
    """The desk's way of reading a store; remembers what was withheld at the last look, and follows what happens."""

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
        if last is None or seq < last.seq or now < last.now:  # nothing leads backwards
            table = db.arrow(cursor, _OF_ALL, {"now": db.naive(now)})
        elif (seq, now) == (last.seq, last.now):
            return last.table
        else:
            table = _followed(cursor, last, now)
        self._last = _Known(seq, now, table)
        return table


def _followed(cursor: db.Cursor, last: _Known, now: datetime) -> pa.Table:
    """What is withheld now, from what was at the last look and what has happened since."""
    since = {"seq": last.seq, "then": db.naive(last.now), "now": db.naive(now)}
    changed = _few(cursor, ("report_id",), _CHANGED, since)
    if not changed.num_rows:
        return last.table
    with db.registered(cursor, "changed", changed):
        reached = _few(cursor, ("report_id", "content_sha256"), _REACHED)
    with db.registered(cursor, "reached", reached):
        found = _few(cursor, ("report_id", "instead"), _OF_REACHED, {"now": db.naive(now)})
    before = pc.is_in(last.table["report_id"], value_set=reached["report_id"])
    if not found.num_rows and not pc.any(before).as_py():
        return last.table
    return pa.concat_tables([last.table.filter(pc.invert(before)), found]).combine_chunks()


def _few(
    cursor: db.Cursor,
    columns: Sequence[str],
    sql: str,
    parameters: Mapping[str, Any] | None = None,
) -> pa.Table:
    """A question with few rows as a table of text. The way for many plans it twice, which costs more here."""
    found = db.rows(cursor, sql, parameters or {})
    return pa.table({name: pa.array([row[name] for row in found], pa.string()) for name in columns})
