"""What Trends says in words: late rewards, agreement and clusters that emerge, each with its numbers and lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from triage_core import trends
from triage_core.counted import Counted
from triage_core.rewards import bounty
from triage_core.trends import Growth, Window
from triage_core.trends.emerging import LOOK_BACK
from ui import numbers, screens, session, spending
from ui.hostile import inline, plain
from ui.trends.cards import between, of_window
from ui.words import counted


def money(window: Window) -> None:
    spending.draw(window.now.year)
    spending.elsewhere(window.now.year)
    late = len(session.read(bounty.late, window.now, window.platform))
    st.caption(
        f"{counted(late, 'reward')} asked for and not decided within the bounty clock, of the products above."
    )
    behind = {"view": spending.LATE, "product": list(window.platform)}
    numbers.list_link(behind, "See the late rewards", page=spending.REWARDS)


def agreed(window: Window) -> None:
    """How far two reviewers agree on the reports of the window."""
    found = session.read(trends.agreed, window)
    kappa = "Too few" if found.kappa is None else f"{found.kappa:.2f}"
    st.metric("Severity, kappa", kappa, help="1 is full agreement, 0 is what chance would give.")
    if found.twice:
        st.caption(
            f"Of {counted(found.twice, 'report')} decided twice, {found.alike:,} were decided alike in full."
        )
    else:
        st.caption("No report was decided twice.")
    screens.lead("pages/second_look.py", "See where people differ", ":material/balance:", {})
    kinds = (Counted.DECIDED_TWICE, Counted.ALIKE, Counted.DECIDED_TWICE)
    figures = {
        "Figure": ["Reports decided twice", "Reports decided alike in full", "Severity, kappa"],
        "Value": [found.twice, found.alike, found.kappa],
    }
    numbers.tabulate(
        "agreement",
        figures,
        "How far two reviewers agree",
        behind=lambda title, place: of_window(window, only=kinds[place]) if title == "Value" else None,
    )


def emerging(window: Window) -> None:
    """Clusters that outgrow their own past by more than chance explains, in words."""
    grown = session.read(trends.emerging, window)
    if not grown:
        st.caption(":material/check: No cluster grew by more than chance explains.")
    for one in grown:
        # On one line: a longer one breaks within the number.
        name = f"Cluster {plain(one.cluster_id)}"
        if screens.opens("pages/clusters.py"):
            screens.lead("pages/clusters.py", name, ":material/trending_up:", {"cluster": one.cluster_id})
        else:
            st.markdown(name)
        st.markdown(
            f"{one.recent:,} of its {counted(one.size, 'latest report')} came in since {one.since:%d %b},"
            f" where about {one.expected:,.1f} were to be expected."
        )
    st.caption(
        "Of what came in during the last 16 weeks, is more of the cluster recent, from the last four, than of all the"
        " rest? Fisher's exact test says how likely that is while nothing changes; Holm's correction allows for the"
        " number of clusters that were looked at: without any change one look in twenty names one at most. On a"
        " younger desk the last quarter of its time is recent."
    )
    if grown:
        _emerging_numbers(window, grown)


def _emerging_numbers(window: Window, grown: Sequence[Growth]) -> None:
    recent, whole = "Recent", "Reports of the last 16 weeks"

    def behind(title: str, place: int) -> dict[str, Any] | None:
        since = {recent: grown[place].since, whole: window.now - LOOK_BACK}.get(title)
        of_cluster = {"state": "any", "product": list(window.platform), "of_cluster": grown[place].cluster_id}
        return {**of_cluster, **between(since, window.now)} if since else None

    figures = {
        "Cluster": [inline(one.cluster_id) for one in grown],
        recent: [one.recent for one in grown],
        whole: [one.size for one in grown],
        "To be expected": [round(one.expected, 1) for one in grown],
        "Chance": [one.chance for one in grown],
    }
    numbers.tabulate("emerging", figures, "Clusters that grow faster than their own past", behind=behind)
