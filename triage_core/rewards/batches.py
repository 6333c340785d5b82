"""Payment batches: which rewards went out to be paid together, when and by whom, and the file that went out.

A reward is in one batch at most. What puts it there, or takes it back, is a row that stays.
"""

from __future__ import annotations

from typing import Any

from triage_core import db
from triage_core.desk import activity
from triage_core.errors import NotFound
from triage_core.store import Work

FIELD = "payment_batch"
"""The name by which events tell where a reward is: the number of its batch, None outside of any."""


def sent(cursor: db.Cursor, reward_no: int) -> db.Row | None:
    """The batch that a reward is in: {batch_no, done_at, actor_id}, of when and by whom it was sent; None outside."""
    return db.row(
        cursor, "SELECT batch_no, done_at, actor_id FROM sent_rewards WHERE reward_no = ?", [reward_no]
    )


def number(cursor: db.Cursor, reward_no: int) -> int | None:
    """The number of the batch that a reward is in; None outside."""
    found = sent(cursor, reward_no)
    return None if found is None else int(found["batch_no"])


def put(work: Work, reward: db.Row, kind: str, batch_no: int | None, **details: Any) -> None:
    """Put a reward into a batch, or with None take it back from there, and write the event."""
    row = {
        "entry_id": work.next_id("payment_entries", "entry_id"),
        "reward_no": reward["reward_no"],
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "batch_no": batch_no,
    }
    before = number(work.cursor, reward["reward_no"])
    db.insert(work.cursor, "payment_entries", [row])
    states = {"before": {FIELD: before}, "after": {FIELD: batch_no}}
    work.event(kind, reward["report_id"], {**states, "reward_no": reward["reward_no"], **details})


def sending(cursor: db.Cursor, reward_no: int, batch_no: int) -> int:
    """The number of the event that put a reward into this batch. Raises NotFound where it is not in it."""
    report_id = db.value(
        cursor,
        "SELECT report_id FROM present_rewards JOIN sent_rewards USING (reward_no)"
        " WHERE reward_no = ? AND batch_no = ?",
        [reward_no, batch_no],
    )
    if report_id is None:
        raise NotFound("reward", f"reward {reward_no} is not in payment batch {batch_no}")
    found = activity.history(cursor, report_id)
    return next(
        event.seq
        for event in reversed(found)
        if event.data.get("reward_no") == reward_no and event.after.get(FIELD) is not None
    )


def page(cursor: db.Cursor, page: int = 1, size: int = 25) -> tuple[list[db.Row], int]:
    """Batches, the latest first, and how many there are in all: {batch_no, done_at, actor_id, rewards, waiting, back}.

    Of the `rewards` of its file `waiting` are to be paid still, and `back` were taken back from it since.
    """
    found = db.rows(
        cursor,
        "WITH listed AS (SELECT DISTINCT batch_no, reward_no FROM payment_entries WHERE batch_no IS NOT NULL)"
        " SELECT b.batch_no, b.done_at, b.actor_id, count(*) AS rewards,"
        " count(*) FILTER (s.batch_no = b.batch_no AND p.state = 'approved') AS waiting,"
        " count(*) FILTER (s.batch_no IS DISTINCT FROM b.batch_no) AS back"
        " FROM payment_batches b JOIN listed l USING (batch_no) JOIN present_rewards p USING (reward_no)"
        " LEFT JOIN sent_rewards s USING (reward_no)"
        " GROUP BY ALL ORDER BY b.batch_no DESC LIMIT $size OFFSET $offset",
        {"size": size, "offset": (page - 1) * size},
    )
    return found, int(db.value(cursor, "SELECT count(*) FROM payment_batches"))


def read(cursor: db.Cursor, batch_no: int) -> db.Row:
    """One batch with its `file`, as text: {batch_no, done_at, actor_id, file}. Raises NotFound."""
    found = db.row(cursor, "SELECT * FROM payment_batches WHERE batch_no = ?", [batch_no])
    if found is None:
        raise NotFound("batch", f"there is no payment batch {batch_no}")
    return found


def rewards_of(cursor: db.Cursor, batch_no: int) -> list[db.Row]:
    """The rewards that went out in a batch, by number, as they stand now; `is_in` while they were not taken back."""
    return db.rows(
        cursor,
        "SELECT p.*, s.batch_no IS NOT DISTINCT FROM $batch AS is_in FROM present_rewards p"
        " LEFT JOIN sent_rewards s USING (reward_no) WHERE reward_no IN"
        " (SELECT reward_no FROM payment_entries WHERE batch_no = $batch) ORDER BY reward_no",
        {"batch": batch_no},
    )
