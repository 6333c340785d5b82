"""Where reports come from: by which door, with which key, and from whom."""

from __future__ import annotations

from typing import Any

from triage_core import db
from triage_core.counted import OF_REPORTERS, SOURCE
from triage_core.trends.window import Window, windows


def sources(
    cursor: db.Cursor, window: Window, compared: Window | None = None, most: int = 10
) -> list[db.Row]:
    """The sources of what came in within the window, the largest first; the last stands for all beyond the `most`.

    Columns: source (as in counted.SOURCE, None for all the others), door (a channel), api_key and product of the key
    of a report button (None without one), and the counts no_contact, first_time and returning. With a window
    `compared`, the same counts for that one: then_no_contact and so on. A file that was imported leaves its name
    nowhere, so that all imports are one source.
    """
    counts: dict[str, str] = {}
    values: dict[str, Any] = {}
    within = []
    for mark, one in windows(window, compared).items():
        where, bounds = one.where(mark=mark)
        values |= bounds
        within.append(f"({where})")
        counts |= {
            f"{mark}{kind}": f"count(*) FILTER ({who} AND {where})" for kind, who in OF_REPORTERS.items()
        }
    found = db.rows(
        cursor,
        f"WITH found AS (SELECT {SOURCE} AS source, c.channel AS door, c.api_key, count(*) AS n,"
        f" {', '.join(f'{count} AS {key}' for key, count in counts.items())} FROM reports c"
        f" WHERE {' OR '.join(within)} GROUP BY c.channel, c.api_key)"
        " SELECT found.* EXCLUDE (n), a.product FROM found"
        " LEFT JOIN api_keys a ON a.key_id = found.api_key ORDER BY n DESC, door, found.api_key",
        values,
    )
    others = found[most:]
    if len(others) < 2:
        return found
    rest = {kind: sum(row[kind] for row in others) for kind in counts}
    return [*found[:most], {**dict.fromkeys(found[0]), **rest}]
