"""The parts of the Datasets screen: what a dataset would hold, what it leaves out, and the built versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, LiteralString

import streamlit as st

from triage_core.exporters import build as exports
from triage_core.exporters.catalog import Built
from triage_core.exporters.gate import MEANING, Reason
from triage_core.exporters.packs import PACKS
from triage_core.exporters.request import FORMATS, LAYOUTS, ExportRequest
from triage_core.model import Turn, TurnRole
from ui import hostile, session
from ui.hostile import inline, plain
from ui.words import moment

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
    "better_answer": "Better answer",
    "label": "Label",
    "prompt_harm_label": "Prompt harm",
    "response_harm_label": "Response harm",
    "response_refusal_label": "Refusal",
    "adversarial": "Adversarial",
    "subcategory": "Subcategory",
}


EVAL_FORMATS = (*FORMATS, *PACKS)
FORMAT = {
    "jsonl": "JSONL",
    "parquet": "Parquet",
    "promptfoo": "promptfoo",
    "inspect": "Inspect",
    "pyrit": "PyRIT",
    "lm-eval": "lm-eval",
    "garak": "garak",
    "harmbench": "HarmBench",
}
LAYOUT = {"strict": "Trainer's columns", "rich": "With metadata"}


def shape(profile: str) -> tuple[str, str]:
    """Ask for format and layout; other tools' formats are for the profile eval, and have one layout."""
    form = st.segmented_control(
        "Format",
        EVAL_FORMATS if profile == "eval" else FORMATS,
        default="parquet",
        required=True,
        format_func=FORMAT.get,
        key=f"format-{profile == 'eval'}",
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


@st.cache_data(max_entries=50, show_spinner="Reading the reports …")
def _preview(stamp: session.Stamp, minute: str, asked: str, _request: ExportRequest) -> Any:
    opened = session.current()
    return exports.preview(opened.store, opened.policy, _request, ROWS)


def preview(request: ExportRequest) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The first rows and the counts of the manifest, from memory while nothing has changed."""
    found: tuple[list[dict[str, Any]], dict[str, Any]] = _preview(
        session.stamp(), session.now().isoformat(), repr(request), request
    )
    return found


def excluded(counts: Mapping[str, int]) -> None:
    """Why reports are not rows, the most frequent reason first, in plain words."""
    if not counts:
        st.caption(":material/done_all: No report is left out.")
        return
    lines = ["| Reports | Left out because |", "|--:|---|"]
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        lines.append(f"| {count:,} | {MEANING[Reason(name)]} |")
    st.markdown("\n".join(lines))


def example(item: Mapping[str, Any], number: int) -> None:
    """One row as a trainer gets it; every text of it through the door for hostile text."""
    st.caption(
        f":material/call_split: {SPLIT[item['split']]} · from report {plain(item['meta']['meta_report_id'])}"
    )
    for column, value in item["row"].items():
        name = COLUMN[column]
        if isinstance(value, list):
            st.markdown(f"**{name}**")
            turns = [Turn(TurnRole(turn["role"]), turn["content"]) for turn in value]
            hostile.conversation(turns, key=f"row-{number}-{column}")
        elif isinstance(value, str) and column in ("prompt", "response", "better_answer"):
            hostile.show(value, key=f"row-{number}-{column}", label=f"**{name}**")
        else:
            st.markdown(f"**{name}** {plain(json.dumps(value))}")


def version(built: Built) -> None:
    """One built version: what is in it, what is not, and its files as one archive."""
    account, key = built.manifest, f"{built.name}-{built.version}"
    rows, sides = account["rows"], account["rows"]["split"]
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        with st.container(gap="xsmall", width="stretch"):
            st.markdown(f"**{plain(f'{built.name} {built.version}')}** built {moment(built.created_at)}")
            st.caption(
                f"{plain(account['profile'])} {plain(account['format'])} {plain(account['layout'])} ·"
                f" {rows['total']:,} rows: {sides.get('train', 0):,} train, {sides.get('test', 0):,} test ·"
                f" {sum(account['excluded'].values()):,} reports left out · {built.size / 1024:,.0f} KiB"
            )
        with st.popover("What is in it", icon=":material/fact_check:"):
            _account(built)
        st.download_button(
            "Download",
            built.archive,
            f"{key}.zip",
            "application/zip",
            key=f"download-{key}",
            icon=":material/download:",
            on_click="ignore",
            disabled=not built.is_here,
            help=None if built.is_here else "Its files are no longer where they were written.",
        )


def _account(built: Built) -> None:
    account = built.manifest
    rows, changed = account["rows"], account["diff"]
    for title, part in (("Labels", "label"), ("Severity", "severity"), ("Clauses", "clause")):
        if rows[part]:
            counts = [f"{plain(str(name or 'none'))} {count:,}" for name, count in rows[part].items()]
            st.markdown(f"**{title}** {', '.join(counts)}")
    if changed:
        st.markdown(
            f"**Since version {plain(account['parent'])}** {changed['added']:,} rows added,"
            f" {changed['removed']:,} removed, {changed['changed']:,} changed"
        )
    excluded(account["excluded"])
    st.caption(
        f"Policy {plain(account['policy_version'])}, by {plain(built.actor_id)}. Content hash and folder:"
    )
    st.code(f"{account['content_sha256']}\n{inline(str(built.folder), 400)}", language=None, wrap_lines=True)
