"""What a reporter may do with the tracking key beside writing: take the report back.

The door that calls has looked up the key; a report id here is one that the reporter holds.
"""

from __future__ import annotations

from datetime import datetime

from triage_core import cases, db, lifecycle
from triage_core.channel.messages import REPORTER
from triage_core.desk import linking
from triage_core.lifecycle import Trigger
from triage_core.model import Resolution, Status
from triage_core.store import Store


def withdraw(store: Store, report_id: str, *, now: datetime | None = None) -> db.Row:
    """Close the report as withdrawn by its reporter; gives the new state of the case.

    What was sent stays stored, as every report does. Others who sent the same flaw did not take theirs back:
    the earliest of its duplicates leads on in its place. Raises IllegalTransition for a closed one.
    """
    with store.write(REPORTER, "withdraw", now) as work:
        case = cases.read(work.cursor, report_id)
        status = lifecycle.step(Status(case["status"]), Trigger.WITHDRAW)
        lifecycle.check_closing(Trigger.WITHDRAW, Resolution.WITHDRAWN, reason="")
        after = {
            "status": str(status),
            "resolution": str(Resolution.WITHDRAWN),
            "closed_at": work.now,
        }
        linking.hand_over(work, report_id)  # first, so that the act itself is the last event of its command
        return cases.change(work, case, "report.withdrawn", after, {})
