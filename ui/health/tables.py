"""The tables of Health: keys of report buttons, and files that were imported."""

from __future__ import annotations

import streamlit as st

from triage_core.health import MOST_IMPORTS, MOST_KEYS, Health
from ui.hostile import inline
from ui.words import ago, counted

NEVER = "never"


def keys(seen: Health) -> None:
    st.subheader("Keys of report buttons", anchor=False)
    if not seen.keys:
        st.caption("None has been made. A product's own button needs one:")
        st.code(
            "python -m triage_core keys add PRODUCT --origin URL",
            language=None,
            wrap_lines=True,
        )
        return
    st.dataframe(
        {
            "key": [f"{key.key_id:,}" for key in seen.keys],
            "product": [inline(key.product) for key in seen.keys],
            "reports": [f"{key.reports:,}" for key in seen.keys],
            "last": [ago(key.last_at, seen.at) if key.last_at else NEVER for key in seen.keys],
            "made": [ago(key.made_at, seen.at) for key in seen.keys],
            "ended": [ago(key.revoked_at, seen.at) if key.revoked_at else "" for key in seen.keys],
        },
        column_config={
            "key": st.column_config.TextColumn("Key", width=60, alignment="right"),
            "product": st.column_config.TextColumn("Product", width="medium"),
            "reports": st.column_config.TextColumn("Reports", width=90, alignment="right"),
            "last": st.column_config.TextColumn("Last report", width=110),
            "made": st.column_config.TextColumn("Made", width=100),
            "ended": st.column_config.TextColumn("Ended", width=100),
        },
        hide_index=True,
        height="content",
        key="health-keys",
        alt="Keys of report buttons, one a row, those in use first",
    )
    if len(seen.keys) == MOST_KEYS:
        st.caption(f"The first {MOST_KEYS:,}; `keys list` has all.")


def imports(seen: Health) -> None:
    st.subheader("Imports of the last 30 days", anchor=False)
    by_import = f"{counted(seen.imported, 'report')} came in by import."
    if not seen.imports:
        st.caption(f"No import has ended in that time. {by_import}")
        return
    refused = sum(one.refused for one in seen.imports)
    st.caption(
        f"{by_import} Refused: {counted(refused, 'line')} of these files. The import named each one and why; once"
        " they are mended, import the file again: what is stored is known."
        if refused
        else f"{by_import} No line of these files was refused."
    )
    st.dataframe(
        {
            "when": [ago(one.at, seen.at) for one in seen.imports],
            "file": [inline(one.file) for one in seen.imports],
            "refused": [f"{one.refused:,}" for one in seen.imports],
            "received": [f"{one.received:,}" for one in seen.imports],
            "stored": [f"{one.stored:,}" for one in seen.imports],
            "known": [f"{one.already_known:,}" for one in seen.imports],
            "who": [inline(one.actor_id) for one in seen.imports],
        },
        column_config={
            "when": st.column_config.TextColumn("When", width=90),
            "file": st.column_config.TextColumn("File", width=150),
            "refused": st.column_config.TextColumn("Refused", width=75, alignment="right"),
            "received": st.column_config.TextColumn("Lines", width=70, alignment="right"),
            "stored": st.column_config.TextColumn("Stored", width=70, alignment="right"),
            "known": st.column_config.TextColumn("Known", width=70, alignment="right"),
            "who": st.column_config.TextColumn("By", width=100),
        },
        hide_index=True,
        height="content",
        key="health-imports",
        alt="Files that were imported, one a row, the latest first",
    )
    if len(seen.imports) == MOST_IMPORTS:
        st.caption(f"The last {MOST_IMPORTS:,}.")
