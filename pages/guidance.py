"""Policy: the guidance as published, for everybody to read; a policy owner drafts and publishes the next one."""

from __future__ import annotations

import streamlit as st

from triage_core import access
from triage_core.guidance import clause_figures, policies
from triage_core.guidance.policy_text import Texts
from ui import session
from ui.guidance import drafts, files, sections
from ui.hostile import inline
from ui.words import moment

PARTS = {
    "guidance": "Guidance",
    "severity": "Severity",
    "promises": "Clocks and rewards",
    "terms": "Safe harbour and contact",
    "versions": "Versions",
    "drafts": "Drafts",
}

history = session.read(policies.history)
versions = [row["version"] for row in history]
with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Policy", anchor=False, width="content")
    version = st.selectbox(
        "Version", versions, format_func=inline, key="policy", bind="query-params", width=160
    )
policy = session.read(policies.version, version)
place = versions.index(version)
if place == 0:
    st.caption(f":material/verified: In force since {moment(history[0]['published_at'])}.")
else:
    st.warning(
        f"In force from {moment(history[place]['published_at'])} to {moment(history[place - 1]['published_at'])},"
        " and not any more. Reports of that time keep it.",
        icon=":material/history:",
    )
parts = [part for part in PARTS if part != "drafts" or session.may(access.Command.SET_POLICY)]
part = st.segmented_control(
    "Part",
    parts,
    default="guidance",
    required=True,
    format_func=PARTS.__getitem__,
    key="part",
    bind="query-params",
    label_visibility="collapsed",
)
if part == "guidance":
    sections.guidance(policy, session.read(clause_figures.citations))
elif part == "severity":
    sections.severity(policy)
elif part == "promises":
    sections.promises(policy)
elif part == "terms":
    sections.terms(policy)
elif part == "drafts":
    drafts.draw()
else:
    sections.versions(history)
    files.download(Texts.of(policy), policy.version)
