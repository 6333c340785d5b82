"""The cards of Health: each tells how one thing stands, what is not well with it, and what to do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString

import streamlit as st

from triage_core.errors import StoreError
from triage_core.health import Anchored, Health
from triage_core.runtime import Step, in_our_words
from triage_core.unwell import ABOUT, Ill, Level, Subject
from ui.health import words
from ui.hostile import inline, plain
from ui.words import CHANNEL, STAGE, ago, counted

SHORT_S = 60
"""What the worker does for less than this is not worth a time."""


def verdict(seen: Health, ills: Sequence[Ill]) -> None:
    """At a glance: is everything well, and if not, what?"""
    looked = f"Looked at {seen.at:%H:%M:%S} UTC, and again every ten seconds."
    if not ills:
        st.success(f"**Everything is well.** {looked}", icon=":material/check_circle:")
        return
    named = ", ".join(words.SUBJECT[one] for one in Subject if any(ABOUT[ill][0] is one for ill in ills))
    said = f"**{counted(len(ills), 'thing')} to see to: {named}.** What to do stands there. {looked}"
    if any(ABOUT[ill][1] is Level.ILL for ill in ills):
        st.error(said, icon=":material/error:")
    else:
        st.warning(said, icon=":material/visibility:")


def unreadable(error: StoreError) -> None:
    """When not even this page can look."""
    st.error(
        f"**The store cannot be read: {plain(in_our_words(error))}.** Look at the disk and at what the server printed,"
        " and start it again. Keep the folder as it is.",
        icon=":material/error:",
    )


@contextmanager
def _card(
    subject: Subject, seen: Health, ills: Sequence[Ill], well: LiteralString = words.WELL
) -> Iterator[None]:
    """A card with its badge, and what is not well with its subject; what is drawn in it stands below."""
    mine = [ill for ill in ills if ABOUT[ill][0] is subject]
    state = words.LEVEL[max(ABOUT[ill][1] for ill in mine)] if mine else well
    with st.container(border=True, height="stretch", gap="xsmall"):
        _heading(words.ICON[subject], words.SUBJECT[subject], state)
        for ill in mine:
            if ABOUT[ill][1] is Level.ILL:
                st.error(f"**{words.ill_words(ill, seen)}** {words.DO[ill]}")
            else:
                st.warning(f"**{words.ill_words(ill, seen)}** {words.DO[ill]}")
            if line := words.command_for(ill, seen.folder):
                st.code(line, language=None, wrap_lines=True)
        yield


def _heading(icon: LiteralString, title: LiteralString, state: LiteralString) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(f"{icon} {title}", anchor=False, width="content")
        st.markdown(state, width="content")


def intake(seen: Health, ills: Sequence[Ill], public: str) -> None:
    """`public` is the address that reporters open, "" for this machine's own."""
    found = seen.intake
    with _card(Subject.INTAKE, seen, ills):
        st.metric("Reports held", f"{found.reports:,}")
        if found.last_at:
            st.markdown(f"The last one came in {ago(found.last_at, seen.at)}, {CHANNEL[found.last_channel]}.")
        else:
            st.markdown("None has come in yet. They come by the form, by a report button, or from a file:")
            st.code("python -m triage_core import FILE", language=None, wrap_lines=True)
        if found.waiting:
            st.markdown(
                f"{counted(found.waiting, 'accepted report')} on the way from the journal to the database."
            )
        else:
            st.markdown("Nothing waits in the journal.")
        if Ill.FRONT_SILENT not in ills:
            st.markdown("The public form answers on this machine.")
        if public:
            st.caption(
                f"Reporters open {plain(public)}; whether a proxy lets them in is seen from outside only."
            )


def comparing(seen: Health, ills: Sequence[Ill]) -> None:
    found, state = seen.comparing, seen.comparing.state
    with _card(Subject.COMPARING, seen, ills):
        st.metric("Reports that wait to be compared", f"{max(0, found.total - found.done):,}")
        if state.working and state.total:
            st.progress(
                min(1.0, state.done / state.total),
                text=f"{state.done:,} of {state.total:,} {STAGE[state.what]}",
            )
        elif found.is_running:
            step, since = found.step
            lasts = (seen.at - since).total_seconds() >= SHORT_S and step is not Step.REST
            does = words.READIES if state.working else words.DOES[step]
            st.markdown(f"{does}{f' For {words.lasting(since, seen.at)} now.' if lasts else ''}")
        if found.total:
            st.markdown(
                f"{found.done:,} of {counted(found.total, 'report')} with a conversation are compared."
            )
        else:
            st.markdown("There is no report with a conversation yet.")
        if found.last_failure and not state.error:
            st.markdown(
                f"It failed {ago(found.last_failure.at, seen.at)} and has worked since:"
                f" {plain(found.last_failure.why)}"
            )
        space = f", space {plain(found.space)}" if found.space else "; no vectors of it yet"
        st.caption(f"Model {plain(found.model)}{space}")


def messages(seen: Health, ills: Sequence[Ill]) -> None:
    found = seen.messages
    with _card(Subject.MESSAGES, seen, ills, words.WELL if found.channels else words.OFF):
        st.metric("Messages that wait", f"{found.waiting:,}")
        if found.channels:
            st.markdown(f"They go out by {' and '.join(words.CHANNEL[name] for name in found.channels)}.")
        else:
            st.markdown("Nothing goes out: neither a mail server nor a webhook is set.")
        if found.last_sent_at:
            st.markdown(f"{found.sent:,} sent, the last one {ago(found.last_sent_at, seen.at)}.")
        elif found.channels:
            st.markdown("None has been sent yet.")
        if found.oldest_at and Ill.MESSAGES_LATE not in ills:
            st.markdown(
                f"The oldest was written {ago(found.oldest_at, seen.at)}.{words.outbox_errors(found)}"
            )
        if found.looked_at and found.channels:
            st.caption(f"Last round {ago(found.looked_at, seen.at)}; there is one every minute.")


def record(seen: Health, ills: Sequence[Ill]) -> None:
    found = seen.record
    with _card(Subject.RECORD, seen, ills):
        st.metric("Events in the chain", f"{found.events:,}")
        if found.anchored is Anchored.SAME:
            st.markdown("The anchor file ends at the same event.")
        elif found.anchored is Anchored.BEHIND and Ill.ANCHOR_BEHIND not in ills:
            st.markdown("The anchor file is just being written.")
        last = found.verified
        if last and not last.wrong:
            st.markdown(
                f"Verified {ago(last.at, seen.at)}: {counted(last.events, 'event')}, and every report, were as they"
                " came in."
            )
        elif not last and Ill.VERIFY_DUE not in ills:
            st.markdown("Not verified as a whole yet; each start checks the last thousand events.")
        st.caption("The head of the chain, to compare with what you keep elsewhere:")
        st.code(found.head, language=None, wrap_lines=True)


def backups(seen: Health) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        _heading(":material/backup:", "Backups", words.BY_HAND)
        st.metric("Database to copy", words.bytes_words(seen.disk.database))
        if last := seen.backup:
            since = counted(seen.record.events - last.events, "event")
            st.markdown(
                f"The last one was made and checked {ago(last.at, seen.at)}: {counted(last.events, 'event')}, and"
                f" {since} came since. It was written to:"
            )
            st.code(inline(last.folder, 400), language=None, wrap_lines=True)
        else:
            st.markdown("None was made by this command yet, and of other copies nothing is known here.")
        st.markdown("To copy the store into a new folder, best on another disk, while everybody works on:")
        st.code(
            f"python -m triage_core backup FOLDER --store {shlex.quote(str(seen.folder))}",
            language=None,
            wrap_lines=True,
        )


def disk(seen: Health, ills: Sequence[Ill]) -> None:
    found = seen.disk
    with _card(Subject.DISK, seen, ills):
        st.metric("Free where the store lies", words.bytes_words(found.free))
        others = max(0, found.folder - found.database - found.journal)
        st.markdown(
            f"The store takes {words.bytes_words(found.folder)}: database {words.bytes_words(found.database)}, journal"
            f" {words.bytes_words(found.journal)}, models and the rest {words.bytes_words(others)}."
        )
        if found.versions:
            gone = f", and {found.gone:,} no longer where they were built" if found.gone else ""
            st.markdown(
                f"{counted(found.versions - found.gone, 'version')} of datasets take"
                f" {words.bytes_words(found.datasets)}{gone}."
            )
        else:
            st.markdown("No dataset has been built.")
        st.caption(f"The disk holds {words.bytes_words(found.size)}. The store's folder:")
        st.code(inline(str(seen.folder), 400), language=None, wrap_lines=True)
