"""Where reports come from: by which door, with which key, and from whom."""

from __future__ import annotations

from triage_core import db
from triage_core.counted import OF_REPORTERS
from triage_core.trends.window import Window


def sources(cursor: db.Cursor, window: Window, most: int = 10) -> list[db.Row]:
    """The sources of what came in within the window, the largest first; the last stands for all beyond the `most`.

    Columns: door (a channel, None for all the others), api_key and product of the key of a report
    button (None without one), and the counts no_contact, first_time and returning. A file that was imported
    leaves its name nowhere, so that all imports are one source.
    """
    where, values = window.where()
    counts = ", ".join(f"count(*) FILTER ({who}) AS {kind}" for kind, who in OF_REPORTERS.items())
    found = db.rows(
        cursor,
        f"WITH found AS (SELECT c.channel AS door, c.api_key, count(*) AS n, {counts} FROM reports c WHERE {where}"
        " GROUP BY c.channel, c.api_key) SELECT found.* EXCLUDE (n), a.product FROM found"
        " LEFT JOIN api_keys a ON a.key_id = found.api_key ORDER BY n DESC, door, found.api_key",
        values,
    )
    others = found[most:]
    if len(others) < 2:
        return found
    rest = {kind: sum(row[kind] for row in others) for kind in OF_REPORTERS}
    return [*found[:most], {"door": None, "api_key": None, "product": None, **rest}]
