"""The parts of the Answers screen: the list, the editor of one answer, and reading one before it is approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from triage_core.access import Command
from triage_core.desk import answers
from triage_core.desk.decision import MAX_ANSWER
from triage_core.desk.preferred import Answer
from triage_core.importers import answers as answer_lines
from triage_core.queries import ReportView
from ui import hostile, session
from ui.desk import aside
from ui.hostile import inline, plain
from ui.words import counted

TAKEN, FILES = "answers-taken", "answers-files"
SHORT = 12


def listed(rows: Sequence[Mapping[str, Any]], asked: str) -> str:
    """A list of reports; gives the one that the address names, else the first."""
    names = [row["report_id"] for row in rows]
    if asked and asked not in names:
        st.button(
            "Back to the list", icon=":material/arrow_back:", on_click=session.pick, args=("report", None)
        )
        return asked
    place = names.index(asked) if asked else 0
    aside.choose_one("Reports", "report", names, place, names, [plain(row["excerpt"], 33) for row in rows])
    return str(names[place])


def _key(report_id: str, version: int, name: str) -> str:
    return f"answer-{name}-{report_id}-{version}"


@st.fragment
def editor(view: ReportView, answer: Answer) -> None:
    """Where in the conversation, and the words; the reporter's expectation is the seed, never the answer by itself."""
    report_id, version = view.report["report_id"], view.case["version"]
    st.subheader("What it should have said", anchor=False)
    _returned(answer, report_id)
    turns = answers.answerable(view.turns)
    if turns:
        said = answer.turn or (turns[-1] if turns[-1] == len(view.turns) else None)
        st.selectbox(
            "Instead of the answer at turn",
            turns,
            index=turns.index(said) if said in turns else None,
            format_func=lambda turn: inline(f"{turn}: {view.turns[turn - 1].content}", 60),
            placeholder="Choose the turn at which it went wrong",
            key=_key(report_id, version, "turn"),
        )
    expected = view.body.get("expected", "")
    written = st.text_area(
        "Better answer",
        answer.content or expected,
        key=_key(report_id, version, "words"),
        height=240,
        max_chars=MAX_ANSWER,
    )
    if answers.is_expectation(written or "", expected):
        st.warning(
            "These are the reporter's own words. Edit them into what the assistant should say.",
            icon=":material/edit:",
        )
        st.checkbox("I would say just this", key=_key(report_id, version, "confirmed"))
    if answer.approved_by:
        st.caption(":material/verified: Approved. What you change waits for approval again.")


def reading(view: ReportView, answer: Answer) -> None:
    """The answer beside what was said, who wrote it, and what the reporter expected."""
    st.subheader("What it should have said", anchor=False)
    if not answer.content:
        st.caption("Nobody has written an answer.")
        return
    report_id, expected = view.report["report_id"], view.body.get("expected", "")
    place = f"at turn {answer.turn:,}" if answer.turn else "at the end of the conversation"
    st.caption(f"Written by {plain(answer.written_by)}, for the answer {place}")
    hostile.show(answer.content, key=f"answer-{report_id}", label="**Better answer**")
    if answers.is_expectation(answer.content, expected):
        st.warning("This is word for word what the reporter wrote.", icon=":material/person:")
    if answer.turn:
        given = view.turns[answer.turn - 1].content
        hostile.show(given, key=f"given-{report_id}", label="**What was said there**")
    if answer.approved_by:
        st.caption(f":material/verified: Approved by {plain(answer.approved_by)}")
    _returned(answer, report_id)
    st.caption(
        "To change it, write your own on Write: then somebody else approves that."
        if session.may(Command.WRITE_ANSWER)
        else "To have it changed, send it back and say what should be different: its writer reads that."
    )


def _returned(answer: Answer, report_id: str) -> None:
    """Who sent the answer back, and why."""
    if answer.returned_by is not None:
        st.warning(f"Sent back by {plain(answer.returned_by)}", icon=":material/undo:")
        hostile.show(answer.returned_why, key=f"returned-{report_id}", label="**What should be different**")


def returning(report_id: str, answer: Answer, version: int, next_id: str | None) -> None:
    """Ask what should be different, and return the answer to its writer."""
    key = f"return-reason-{answer.answer_id}"
    st.text_area(
        "What should be different",
        key=key,
        max_chars=answers.MAX_REASON,
        help="The writer reads this, changes the answer and saves it again.",
    )
    st.button(
        "Send it back",
        key=f"return-answer-{answer.answer_id}",
        icon=":material/undo:",
        on_click=_send_back,
        args=(report_id, answer.answer_id, key, version, next_id),
    )


def _send_back(report_id: str, answer_id: int, key: str, version: int, next_id: str | None) -> None:
    arguments = (
        session.current().store,
        session.actor(),
        report_id,
        answer_id,
        st.session_state[key].strip(),
    )
    done = f"The answer to {plain(report_id)} is back with its writer"
    if session.command(done, answers.send_back, *arguments, seen_version=version):
        session.pick("report", next_id)


def bringing_in() -> None:
    """Read answers in from a file, and say which of its lines were refused, and why."""
    taken, key = st.session_state.get(TAKEN), f"answers-file-{st.session_state.get(FILES, 0)}"
    file = st.file_uploader(
        "Answers as JSON Lines",
        type=["jsonl"],
        key=key,
        help='One a line: {"report": "FR-7", "answer": "I cannot share codes.", "turn": 2}, or "external_id" in place'
        ' of "report"; "turn" may be left out.',
    )
    st.caption(
        "Each is your draft, in place of an answer that stands there, until somebody else approves it."
    )
    if st.button("Read them in", icon=":material/upload:", disabled=file is None, key=f"read-{key}") and file:
        bar = st.progress(0.0, text="Reading the answers")
        found: dict[str, Any] = {}
        first: list[tuple[int, str]] = []

        def refuse(line: int, reason: str) -> None:
            if len(first) < SHORT:
                first.append((line, reason))

        session.command(
            "The answers of the file are read",
            lambda: found.update(
                answer_lines.bring(
                    session.current().store,
                    session.actor(),
                    file,
                    refuse=refuse,
                    told=lambda received: bar.progress(
                        file.tell() / file.size, text=f"{received:,} lines read"
                    ),
                )
            ),
        )
        if found:
            found["first"] = first
            st.session_state[TAKEN], st.session_state[FILES] = found, st.session_state.get(FILES, 0) + 1
            st.rerun()
    if taken and not file:
        st.markdown(f"{taken['written']:,} written, {taken['unchanged']:,} stood there already")
        if refused := taken["refused"]:
            lines = [f"- line {line:,}: {plain(reason)}" for line, reason in taken["first"]]
            more = f"\n- and {refused - SHORT:,} more" if refused > SHORT else ""
            st.markdown(f"{counted(refused, 'line')} refused:\n" + "\n".join(lines) + more)


def write(report_id: str, version: int, next_id: str | None) -> None:
    """Save what stands in the editor, and go on."""

    def entered(name: str) -> Any:
        return st.session_state.get(_key(report_id, version, name))

    done = session.command(
        f"The answer to {plain(report_id)} waits for approval",
        answers.write,
        session.current().store,
        session.actor(),
        report_id,
        (entered("words") or "").strip(),
        turn=entered("turn"),
        confirmed=bool(entered("confirmed")),
        seen_version=version,
    )
    if done:
        session.pick("report", next_id)


def approve(report_id: str, answer_id: int, version: int, next_id: str | None) -> None:
    """Approve what was read, and go on."""
    arguments = (session.current().store, session.actor(), report_id, answer_id)
    done = f"The answer to {plain(report_id)} is approved"
    if session.command(done, answers.approve, *arguments, seen_version=version):
        session.pick("report", next_id)
