"""Before an event is undone: what would change, and what stands in the way."""

from __future__ import annotations

import streamlit as st

from triage_core.desk import activity, assessments, bulk, undo
from triage_core.desk.activity import Event
from triage_core.errors import NotFound
from ui import event_words, row_buttons, session
from ui.hostile import inline, plain
from ui.words import counted, moment


def _take_back(seq: int) -> None:
    """Undo an event and close its card; a refused one stays, with what stands in the way."""
    opened = session.current()
    if session.command(f"Event {seq:,} is undone", undo.undo, opened.store, session.actor(), seq):
        session.pick("event", None)


def _take_back_all(batch: int) -> None:
    """Undo a decision for many as far as nothing stands in the way, and say for how many something does."""
    opened = session.current()
    outcomes: list[bulk.Outcome] = []
    if session.command(
        "The decision for many is undone",
        lambda: outcomes.append(bulk.undo_batch(opened.store, session.actor(), batch)),
    ):
        session.pick("event", None)
        if skipped := outcomes[0].skipped:
            st.toast(
                f"{counted(len(skipped), 'report')} skipped: {plain(skipped[0].why)}",
                icon=":material/block:",
                duration="long",
            )


def may_undo(event: Event) -> bool:
    return undo.may(session.actor(), event)


def draw(name: str) -> None:
    """The card of the event with this number: what undoing it would change, and the button that does it."""
    try:
        event = session.read(activity.event, session.number(name))
    except NotFound:
        st.warning(f"There is no event {plain(name)}.", icon=":material/search_off:")
        return
    row_buttons.into_view()
    with st.container(border=True):
        st.subheader(f"Undo event {event.seq:,}?", anchor=False)
        done = f"{moment(event.done_at)} by {plain(event.actor_id)}"
        st.markdown(f"{plain(event_words.what(event))} {plain(event.subject)}, {done}")
        found = event_words.changes(
            event, session.read(assessments.numbered, event_words.assessments([event]))
        )
        if found:
            st.dataframe(
                {
                    "field": [inline(field) for field, _, _ in found],
                    "now": [inline(new, event_words.LONG) for _, _, new in found],
                    "then": [inline(old, event_words.LONG) for _, old, _ in found],
                },
                column_config={
                    "field": st.column_config.TextColumn("Field", width=150),
                    "now": st.column_config.TextColumn("As the event left it", width=260),
                    "then": st.column_config.TextColumn("After undoing it", width=260),
                },
                hide_index=True,
                height="content",
                alt="What undoing this event changes, one field a row",
            )
        why_not = session.read(undo.obstacle, event.seq)
        if not why_not and session.read(undo.with_it, event):
            st.caption(
                ":material/lock_clock: What it has changed of the waiting period is taken back with it."
            )
        if why_not:
            st.info(f"Not possible: {plain(why_not, 400)}", icon=":material/block:")
        elif not may_undo(event):
            st.info("Your role reads this; who may decide may undo.", icon=":material/visibility:")
        with st.container(horizontal=True):
            st.button(
                "Undo it",
                key=f"undo-{event.seq}",
                type="primary",
                icon=":material/undo:",
                disabled=bool(why_not) or not may_undo(event),
                on_click=_take_back,
                args=(event.seq,),
            )
            if (batch := event.data.get("batch")) and may_undo(event):
                reports = {one.subject for one in session.read(activity.batch, batch)}
                st.button(
                    f"Undo the whole decision: {counted(len(reports), 'report')}",
                    key=f"undo-batch-{batch}",
                    icon=":material/undo:",
                    on_click=_take_back_all,
                    args=(batch,),
                )
            st.button("Cancel", key="cancel", on_click=session.pick, args=("event", None))
