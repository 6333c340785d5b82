"""The parts of Guidance gaps: the gaps with a draft for one, the clauses, and how suggestions did."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import LiteralString

import streamlit as st

from triage_core.counted import Counted
from triage_core.guidance import guidance_gaps, policies, policy_drafts, policy_text
from triage_core.guidance.clause_figures import ClauseFigures
from triage_core.guidance.guidance_gaps import Gap, Why
from triage_core.guidance.placeholders import MARK
from triage_core.guidance.policy import ClauseKind, Policy
from triage_core.index.suggestion_facts import Tested
from ui import hostile, numbers, session
from ui.hostile import inline, plain

WHY: Mapping[Why, LiteralString] = {
    Why.FAR: "Far from every clause",
    Why.DISPUTED: "Decided without agreement",
}
FATES: Mapping[Counted, LiteralString] = {
    Counted.CITED: "Cited",
    Counted.OVERTURNED: "Overturned",
    Counted.TWICE: "Decided twice",
    Counted.DISAGREED: "Disagreed on",
}
ABOUT: Mapping[str, LiteralString] = {"clause": "Clause", "severity": "Severity", "harm": "Harm"}


# Beside the store it needs the vectors, which `session.read` cannot name; the rest is as there.
@st.cache_data(ttl=10, max_entries=10, show_spinner=False)
def _found(stamp: session.Stamp, version: str) -> list[Gap]:
    opened = session.current()
    with session.look() as cursor:
        return guidance_gaps.gaps(cursor, opened.policy, opened.suggestions.explained)


@st.cache_data(ttl=10, max_entries=10, show_spinner=False)
def _nearest(stamp: session.Stamp, version: str) -> dict[str, dict[str, float]]:
    opened = session.current()
    return opened.suggestions.nearest(opened.policy)


def find(policy: Policy) -> list[Gap]:
    """The gaps of the policy in force."""
    return _found(session.stamp(), policy.version)


def gaps(found: Sequence[Gap]) -> None:
    """The clusters that no clause explains, and a draft for the chosen one."""
    if not found:
        st.info(
            "No gap: every cluster of two reports and more is near a clause or was decided in agreement.",
            icon=":material/done_all:",
        )
        return
    st.dataframe(
        {
            "Cluster": [inline(gap.label or gap.representative_id) for gap in found],
            "Reports": [gap.size for gap in found],
            "Why": [WHY[gap.why] for gap in found],
            "Nearest clause": [inline(gap.nearest) for gap in found],
            "Likeness or share": [gap.likeness for gap in found],
        },
        hide_index=True,
        alt="Clusters of reports that no clause explains, the largest first",
        column_config={"Likeness or share": st.column_config.NumberColumn(format="%.2f")},
    )
    by_id = {gap.cluster_id: gap for gap in found}
    chosen = st.selectbox(
        "Draft a clause for",
        list(by_id),
        format_func=lambda name: inline(
            f"{by_id[name].size:,} × {by_id[name].label or by_id[name].representative_id}"
        ),
    )
    gap = by_id[chosen]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Most typical: {plain(gap.representative_id)}", width="content")
        st.button(
            "Open it", key="representative", on_click=session.pick, args=("report", gap.representative_id)
        )
        st.page_link(
            "pages/clusters.py",
            label="See all of the cluster",
            icon=":material/list:",
            query_params={"cluster": gap.cluster_id},
        )
    st.caption(
        "A clause from the words that these reports share, and the most typical one as its example. They are the"
        " reporters' words, and a published policy is for everybody: nothing that still says"
        f" “{MARK}” can be published."
    )
    clause_id = session.read(policies.next_clause_id, ClauseKind.IN_SCOPE)
    text = session.read(guidance_gaps.draft, clause_id, gap)
    hostile.show(text, key="draft")
    if st.button("Put it into a draft", icon=":material/edit_note:"):
        _into_draft(text)


def _into_draft(text: str) -> None:
    """Begin a draft of the policy that holds this clause, and go there."""
    store, actor = session.current().store, session.actor()
    (clause,) = tomllib.loads(text)["clause"]
    part = policy_text.clause_part(clause["id"])

    def begin() -> None:
        draft_id = policy_drafts.start(store, actor)
        policy_drafts.change(store, actor, draft_id, {part: clause}, seen_revision=1)

    if session.command("A draft holds the clause", begin):
        known = session.read(policy_drafts.listed)
        number = max(row["draft_id"] for row in known)
        role = {"role": st.query_params["role"]} if "role" in st.query_params else {}
        st.switch_page(
            "pages/guidance.py", query_params={**role, "part": "Drafts", "draft": f"Draft {number:,}"}
        )


def clauses(figures: Mapping[str, ClauseFigures], policy: Policy) -> None:
    """Every clause in force with how it fares, and the list behind a number that was chosen."""
    rows = [figures.get(clause.clause_id, ClauseFigures()) for clause in policy.clauses]
    near = _nearest(session.stamp(), policy.version)
    chosen_cell = st.dataframe(
        {
            "Clause": [inline(f"{clause.clause_id} {clause.title}") for clause in policy.clauses],
            **{title: [getattr(row, kind) for row in rows] for kind, title in FATES.items()},
            "Nearest reports": [
                inline(", ".join(near.get(clause.clause_id, ()))) for clause in policy.clauses
            ],
        },
        hide_index=True,
        height="content",
        alt="Each clause: cited, overturned, disagreed on, and its nearest reports",
        # On a narrow screen the title of a clause is cut short rather than the numbers of reports.
        column_config={
            "Clause": st.column_config.TextColumn(width=400),
            "Nearest reports": st.column_config.TextColumn(width=170),
        },
        on_select="rerun",
        selection_mode="single-cell",
        key="clauses",
    )
    kinds = {title: kind for kind, title in FATES.items()}
    for place, title in chosen_cell["selection"]["cells"]:
        if title in kinds:
            behind = {"state": "any", "only": kinds[title], "clause": policy.clauses[place].clause_id}
            numbers.list_link(behind, "See what is behind this number")
    st.caption(
        "Numbers of reports: choose one to get the link to its list. Overturned: a later decision on the report holds,"
        " and it does not cite the clause. Nearest: the reports most like the clause's example, whatever was decided"
        " on them."
    )
    titles = {clause.clause_id: inline(f"{clause.clause_id} {clause.title}") for clause in policy.clauses}
    if chosen := st.selectbox(
        "Reports nearest to", [name for name in titles if near.get(name)], None, titles.__getitem__,
        placeholder="Choose a clause",
    ):  # fmt: skip
        for report_id, likeness in near[chosen].items():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(f"{plain(report_id)} with a likeness of {likeness:.2f}", width="content")
                st.button(
                    "Open it", key=f"near-{report_id}", on_click=session.pick, args=("report", report_id)
                )


def tests(found: Sequence[Tested]) -> None:
    """Precision and coverage on decided reports, in order of time."""
    if not found:
        st.info(
            "Suggestions are tested in the background, once there are more than 20 decisions.",
            icon=":material/science:",
        )
        return
    st.dataframe(
        {
            "About": [ABOUT[test.about] for test in found],
            "After decisions": [test.decisions for test in found],
            "Tested on the next": [test.asked for test in found],
            "Coverage": [_share(test.suggested, test.asked) for test in found],
            "Precision": [_share(test.hits, test.suggested) for test in found],
        },
        hide_index=True,
        height="content",
        placeholder="–",
        alt="Coverage and precision of suggestions by the number of decisions learned from",
        column_config={
            name: st.column_config.NumberColumn(format="%.0f%%") for name in ("Coverage", "Precision")
        },
    )
    st.caption(
        "Each row learns from the decisions up to a point and is tested on those that came next. Coverage: how often"
        " something was suggested; precision: how often that was what the reviewer decided."
    )


def _share(part: int, whole: int) -> float | None:
    """As per cent, unless there is nothing to have a share of."""
    return 100 * part / whole if whole else None
