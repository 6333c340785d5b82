"""The screens: their addresses and names, the right that opens each, and links that lead only where somebody may go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import streamlit as st

from triage_core.access import Command
from ui import session

SCREENS = (
    ("inbox", "Inbox", ":material/inbox:", Command.VIEW_REPORTS),
    ("review", "Review", ":material/rate_review:", Command.VIEW_REPORTS),
    ("duplicates", "Duplicates", ":material/content_copy:", Command.VIEW_REPORTS),
    ("clusters", "Clusters", ":material/bubble_chart:", Command.VIEW_REPORTS),
    ("second_look", "Second look", ":material/visibility_lock:", Command.ADJUDICATE),
    ("disclosure", "Disclosure", ":material/event:", Command.VIEW_REPORTS),
    ("advisories", "Advisories", ":material/campaign:", Command.VIEW_PEERS),
    ("rewards", "Rewards", ":material/redeem:", Command.VIEW_REWARDS),
    ("answers", "Answers", ":material/edit_note:", Command.APPROVE_ANSWER),
    ("activity", "Activity", ":material/history:", Command.VIEW_REPORTS),
    ("trends", "Trends", ":material/monitoring:", Command.VIEW_TRENDS),
    ("guidance", "Policy", ":material/gavel:", Command.VIEW_TRENDS),
    ("gaps", "Gaps", ":material/rule:", Command.SET_POLICY),
    ("datasets", "Datasets", ":material/dataset:", Command.VIEW_REPORTS),
    ("health", "Health", ":material/monitor_heart:", Command.VIEW_HEALTH),
)
_OPENED_BY = {f"pages/{name}.py": command for name, _, _, command in SCREENS}


def opens(page: str) -> bool:
    """True when the person may open the screen in this file, as in "pages/inbox.py"."""
    return session.may(_OPENED_BY[page])


def lead(page: str, label: LiteralString, icon: LiteralString, query_params: Mapping[str, Any]) -> None:
    """A link to a screen; nothing for somebody who may not open it, for whom Streamlit knows no such page."""
    if opens(page):
        st.page_link(page, label=label, icon=icon, query_params=query_params)
