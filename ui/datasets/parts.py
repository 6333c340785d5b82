"""The parts of the Datasets screen: what is asked for, what a dataset would hold, and what it leaves out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import streamlit as st

from triage_core.exporters import build as exports
from triage_core.exporters import hygiene, loss, poison
from triage_core.exporters.build import Preview
from triage_core.exporters.gate import MEANING, Reason
from triage_core.exporters.hygiene import Hygiene
from triage_core.exporters.loss import Effect
from triage_core.exporters.packs import PACKS
from triage_core.exporters.request import FORMATS, LAYOUTS, ExportRequest
from triage_core.model import TurnRole
from ui import hostile, paging, session
from ui.hostile import ROLES, plain
from ui.words import counted

ROWS = 10
SPLIT: Mapping[str, LiteralString] = {"train": "Train", "test": "Test"}
COLUMN: Mapping[str, LiteralString] = {
    "prompt": "Prompt",
    "completion": "Completion",
    "chosen": "Chosen",
    "rejected": "Rejected",
    "response": "Response",
    "id": "Id",
    "category": "Category",
    "expected": "Expected",
    "reported_answer": "Reported answer",
    "better_answer": "Better answer",
    "label": "Label",
    "prompt_harm_label": "Prompt harm",
    "response_harm_label": "Response harm",
    "response_refusal_label": "Refusal",
    "adversarial": "Adversarial",
    "subcategory": "Subcategory",
}
FORMAT = {
    "jsonl": "JSONL",
    "parquet": "Parquet",
    "promptfoo": "promptfoo",
    "inspect": "Inspect",
    "pyrit": "PyRIT",
    "lm-eval": "lm-eval",
    "garak": "garak",
    "harmbench": "HarmBench",
    "openai": "OpenAI",
}
LAYOUT = {"strict": "Trainer's columns", "rich": "With metadata"}
PERSONAL = {"redact": "Write over with placeholders", "refuse": "Leave the report out", "keep": "Keep"}
TOKENS = {"flag": "Keep, and name them", "drop": "Leave the report out", "defang": "Break them up"}
HIDDEN = {"flag": "Keep, and count them", "drop": "Leave the report out"}
EFFECT: Mapping[Effect, LiteralString] = {
    Effect.READ: ":gray-badge[:material/visibility: Read, no loss]",
    Effect.LEARNT: ":green-badge[:material/school: Learnt]",
    Effect.MORE_LIKELY: ":green-badge[:material/trending_up: Made more likely]",
    Effect.LESS_LIKELY: ":red-badge[:material/trending_down: Made less likely]",
    Effect.SCORED_HIGHER: ":green-badge[:material/trending_up: Scored higher]",
    Effect.SCORED_LOWER: ":red-badge[:material/trending_down: Scored lower]",
}


def shape(profile: str) -> tuple[str, str]:
    """Ask for format and layout; other tools' formats are for one profile each, and have one layout."""
    packs = [name for name, pack in PACKS.items() if pack.profile == profile]
    form = st.segmented_control(
        "Format",
        [*FORMATS, *packs],
        default="parquet",
        required=True,
        format_func=FORMAT.get,
        key=f"format-{'-'.join(packs)}",
    )
    if form in PACKS:
        st.caption(PACKS[form].about)
        return form, "strict"
    layout = st.segmented_control(
        "Layout",
        LAYOUTS,
        default="strict",
        required=True,
        format_func=LAYOUT.get,
        key="layout",
        help="Trainer's columns: the metadata lies beside the rows, in files of its own.",
    )
    return form, layout


def limits() -> tuple[Hygiene, float, int, float]:
    """Ask what is done to texts, how much one reporter and one group of duplicates may be, and the highest cosine."""
    personal = st.selectbox(
        "Personal data and keys", hygiene.PERSONAL_DATA, format_func=PERSONAL.get, key="personal_data"
    )
    tokens = st.selectbox(
        "Control tokens of chat templates",
        hygiene.CONTROL_TOKENS,
        format_func=TOKENS.get,
        key="control_tokens",
        help="A typed token becomes a real one in training and ends the message that it stands in.",
    )
    hidden = st.selectbox("Hidden characters", hygiene.HIDDEN, format_func=HIDDEN.get, key="hidden")
    share = st.number_input(
        "Share of one reporter, percent",
        1,
        100,
        round(100 * poison.SHARE),
        key="reporter_share",
        help=f"Of the reports of a side; {poison.LEAST} are always taken.",
    )
    group = st.number_input(
        "Reports of one group of duplicates",
        0,
        1_000,
        1,
        key="per_group",
        help="The earliest first; 0 takes all of them.",
    )
    cosine = st.number_input(
        "Highest cosine of a test and a training report",
        0.5,
        1.0,
        1.0,
        0.01,
        key="cosine_limit",
        help="A pair above it stops the build and is named; 1 lets every pair pass.",
    )
    return Hygiene(personal, tokens, hidden), share / 100, int(group), cosine


@st.cache_data(max_entries=50, show_spinner="Reading the reports …")
def _preview(stamp: session.Stamp, minute: str, asked: str, _request: ExportRequest) -> Preview:
    opened = session.current()
    return exports.preview(opened.store, opened.policy, _request, ROWS)


def preview(request: ExportRequest) -> Preview:
    """The first rows and the counts of the manifest, from memory while nothing has changed."""
    found: Preview = _preview(session.stamp(), session.now().isoformat(), repr(request), request)
    return found


def outcome(profile: str, found: Preview) -> None:
    """What would be built: how many rows, why the other reports are none, and the first rows."""
    counts, examples = found.counts, found.rows
    rows = counts["rows"]["total"]
    st.subheader(f"{counted(rows, 'row')} from {counted(counts['considered'], 'report')}", anchor=False)
    if found.unread:
        st.caption(
            f":material/hourglass_top: These are the first ones: {found.unread:,} more reports are read by the build."
        )
    if not rows:
        st.info(
            "No report can become a row yet. The reasons below say what is missing: most often a decision on Review,"
            " a better answer, or the reporter's consent.",
            icon=":material/info:",
        )
    excluded(counts["excluded"])
    if found.behind:
        behind(found.behind, counts["excluded"])
    if examples:
        with st.container(border=True):
            with st.container(
                horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
            ):
                st.markdown("**As a trainer gets them**", width="content")
                number = paging.choose(len(examples), 1, f"row-{profile}", linked=False) - 1
            example(profile, examples[number], number)


def excluded(counts: Mapping[str, int]) -> None:
    """Why reports are not rows, the most frequent reason first, in plain words."""
    if not counts:
        st.caption(":material/done_all: No report is left out.")
        return
    lines = ["| Reports | Left out because |", "|--:|---|"]
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        lines.append(f"| {count:,} | {MEANING[Reason(name)]} |")
    st.markdown("\n".join(lines))


def behind(found: Mapping[Reason, Sequence[str]], counts: Mapping[str, int]) -> None:
    """The reports behind a reason that somebody chooses, each a way to Review."""
    reason = st.selectbox(
        "Show the reports left out because",
        sorted(found, key=lambda one: -counts[one]),
        index=None,
        format_func=MEANING.get,
        placeholder="Choose a reason",
        key="behind",
    )
    if reason is None:
        return
    names = found[reason]
    with st.container(horizontal=True, gap="small"):
        for report_id in names:
            if st.button(plain(report_id), key=f"behind-{report_id}", type="tertiary"):
                session.open_report(report_id)
    if counts[reason] > len(names):
        st.caption(f"The first {len(names):,} of {counts[reason]:,}")


def example(profile: str, item: Mapping[str, Any], number: int) -> None:
    """One row as a trainer gets it, with what carries the loss; every text through the door for hostile text."""
    st.caption(
        f":material/call_split: {SPLIT[item['split']]} · from report {plain(item['meta']['meta_report_id'])}"
    )
    st.caption(loss.ABOUT[profile])
    for column, value in item["row"].items():
        name = COLUMN[column]
        if isinstance(value, list):
            st.markdown(f"**{name}**")
            _messages(profile, item["row"], column, f"row-{number}-{column}")
        elif isinstance(value, str) and column in ("prompt", "response", "reported_answer", "better_answer"):
            hostile.show(value, key=f"row-{number}-{column}", label=f"**{name}**")
        else:
            st.markdown(f"**{name}** {plain(json.dumps(value))}")


def _messages(profile: str, row: Mapping[str, Any], column: str, key: str) -> None:
    """Messages between the marks of a chat template (ChatML's, for one): the mark that opens one is only read."""
    effects = loss.effects(profile, row, column)
    for number, (message, effect) in enumerate(zip(row[column], effects, strict=True)):
        role = TurnRole(message["role"])
        icon, name = ROLES[role]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"{icon} **{name}**", width="content")
            st.markdown(EFFECT[effect], width="content")
            st.caption(f"{plain(f'<|im_start|>{role}')} read", width="content")
        hostile.show(message["content"], key=f"{key}-{number}")
        ending = "read" if effect is Effect.READ else "carries the loss, as the text above it does"
        if effect in (Effect.SCORED_HIGHER, Effect.SCORED_LOWER):
            ending = "the score is taken here"
        st.caption(f"{plain('<|im_end|>')} {ending}")
