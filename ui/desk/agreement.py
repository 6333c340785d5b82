"""The tables of agreement: each figure with the number of pairs that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import LiteralString

import streamlit as st

from triage_core.desk import agreement
from triage_core.desk.agreement import Measured, Pair
from triage_core.guidance.policy import Policy
from ui.hostile import inline
from ui.words import counted

TOO_FEW: LiteralString = "Too few to say"
NO_SPREAD: LiteralString = "All the same"
_HELP = (
    "1 is full agreement, 0 is what chance would give, below 0 is worse than chance. Kappa and the first alpha"
    " weigh how far two levels lie apart; the alpha of clauses asks only whether the same was cited."
)


def draw(pairs: Sequence[Pair], policy: Policy) -> None:
    """All figures: over everything, by clause and by two reviewers."""
    whole = agreement.overall(pairs)
    if not whole.n:
        st.info(
            "No decision has been made twice so far. Agreement appears here with the first answer.",
            icon=":material/balance:",
        )
        return
    with st.grid(5, gap="small"):
        st.metric("Decided twice", f"{whole.n:,}", border=True)
        st.metric("Full agreement", f"{whole.same / whole.n:.0%}", border=True)
        st.metric("Severity, kappa", figure(whole.kappa, whole), border=True, help=_HELP)
        st.metric("Severity, alpha", figure(whole.severity, whole), border=True, help=_HELP)
        st.metric("Clauses, alpha", figure(whole.clauses, whole), border=True, help=_HELP)
    st.caption(
        "The same clauses, the same level and the same outcome are full agreement. Below"
        f" {counted(agreement.LEAST, 'pair')} nothing is said: so few tell more about chance than about people."
    )
    titles = {clause.clause_id: clause.title for clause in policy.clauses}
    st.subheader("By clause", anchor=False)
    clauses = {f"{name} {titles.get(name, '')}": found for name, found in agreement.by_clause(pairs).items()}
    table(clauses, "Clause", "Agreement by clause, with the number of pairs in which either cited it")
    st.subheader("By two reviewers", anchor=False)
    people = {" and ".join(names): found for names, found in agreement.by_reviewers(pairs).items()}
    table(people, "Reviewers", "Agreement of each two reviewers, with the number of reports both decided on")


def table(found: Mapping[str, Measured], title: LiteralString, alt: LiteralString) -> None:
    """One line for each group, those with the most pairs first."""
    rows = sorted(found.items(), key=lambda item: -item[1].n)
    st.dataframe(
        {
            "name": [inline(name, 100) for name, _ in rows],
            "pairs": [one.n for _, one in rows],
            "same": [f"{one.same / one.n:.0%}" for _, one in rows],
            "kappa": [figure(one.kappa, one) for _, one in rows],
            "severity": [figure(one.severity, one) for _, one in rows],
            "clauses": [figure(one.clauses, one) for _, one in rows],
        },
        column_config={
            "name": st.column_config.TextColumn(title, width="large"),
            "pairs": st.column_config.NumberColumn("Decided twice", width=105),
            "same": st.column_config.TextColumn("Full agreement", width=110),
            "kappa": st.column_config.TextColumn("Severity, kappa", width=120, help=_HELP),
            "severity": st.column_config.TextColumn("Severity, alpha", width=120, help=_HELP),
            "clauses": st.column_config.TextColumn("Clauses, alpha", width=120, help=_HELP),
        },
        hide_index=True,
        height="content",
        alt=alt,
    )


def figure(value: float | None, measured: Measured) -> LiteralString:
    """A coefficient with two decimals, or why there is none."""
    if value is not None:
        return f"{value:.2f}"
    return TOO_FEW if measured.too_few else NO_SPREAD
