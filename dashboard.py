"""The dashboard of the people behind the report button: who they are, and the screens that their role opens."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from triage_core.access import MAY
from triage_core.model import DeskRole
from ui import empty, session
from ui.screens import SCREENS

# A file of ours: an icon by name would be fetched from another host for the browser's tab.
ICON = Path(__file__).parent / "ui" / "icon.svg"

st.set_page_config(page_icon=ICON, layout="wide")
HOME = {
    DeskRole.REVIEWER: "inbox",
    DeskRole.POLICY_OWNER: "trends",
    DeskRole.ML_ENGINEER: "datasets",
    DeskRole.DISCLOSURE_LEAD: "disclosure",
    DeskRole.OPERATOR: "health",
}

(role,) = session.identify().roles
page = st.navigation(
    [
        *(
            st.Page(f"pages/{name}.py", title=title, icon=icon, url_path=name)
            if session.may(command)
            # A link from somebody of another role says whose screen it is, and not that there is none.
            else st.Page(
                partial(empty.not_for, role, title, MAY[command]),
                title=title,
                url_path=name,
                visibility="hidden",
            )
            for name, title, icon, command in SCREENS
        ),
        # Where a role begins has no address, so that every page keeps its own whoever looks.
        st.Page(f"pages/{HOME[role]}.py", title="Start", url_path="start", default=True, visibility="hidden"),
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · Flawdesk")
page.run()
