"""The dashboard of the people behind the report button: who they are, and the screens that their role opens."""

from __future__ import annotations

import streamlit as st

from triage_core.access import Command
from ui import session

st.set_page_config(page_title="Flawdesk", page_icon=":material/flag:", layout="wide")
session.identify()

pages = [
    st.Page(f"pages/{file}.py", title=title, icon=icon, url_path=file)
    for file, title, icon, command in (
        ("inbox", "Inbox", ":material/inbox:", Command.VIEW_REPORTS),
        ("review", "Review", ":material/rate_review:", Command.VIEW_REPORTS),
        ("duplicates", "Duplicates", ":material/content_copy:", Command.VIEW_REPORTS),
        ("clusters", "Clusters", ":material/bubble_chart:", Command.VIEW_REPORTS),
        ("trends", "Trends", ":material/monitoring:", Command.VIEW_TRENDS),
        ("guidance", "Policy", ":material/gavel:", Command.VIEW_TRENDS),
        ("datasets", "Datasets", ":material/dataset:", Command.EXPORT_DATASET),
    )
    if session.may(command) and __import__('pathlib').Path(f'pages/{file}.py').exists()  # TEMP
]
st.navigation(pages, position="top").run()
