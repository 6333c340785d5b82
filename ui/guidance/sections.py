"""The parts of the Policy screen. The policy's own texts are drawn as text, with what it hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from triage_core import db
from triage_core.guidance.policy import Clause, ClauseKind, Policy
from triage_core.model import Exploitation, Exposure, Generality, Harm, Reliability, SeverityInputs, Uplift
from triage_core.text import reveal
from ui import numbers, screens
from ui.guidance import tables
from ui.hostile import inline, plain
from ui.words import (
    EXPOSURE,
    GENERALITY,
    HARM,
    RELIABILITY,
    SEVERITY,
    UPLIFT,
    badge,
    counted,
    moment,
    severity_badge,
)

KINDS = {
    ClauseKind.IN_SCOPE: ("green", "In scope", "Flaws: send them."),
    ClauseKind.EXPECTED: ("blue", "Expected behaviour", "The model did what it was asked to do, and may."),
    ClauseKind.OUT_OF_SCOPE: ("gray", "Out of scope", "Known limits: not every instance needs a report."),
    ClauseKind.REROUTED: (
        "violet",
        "Goes elsewhere",
        "Somebody else is responsible; the report is passed on.",
    ),
}
INPUTS = (
    (
        "harm",
        "Harm",
        Harm,
        HARM,
        Harm.H2,
        "Nuisance: or a policy breach. Significant: safety, rights, privacy.",
    ),
    (
        "exposure",
        "Who is exposed",
        Exposure,
        EXPOSURE,
        Exposure.SELF,
        "Many: also anybody who need not do a thing.",
    ),
    (
        "generality",
        "How general",
        Generality,
        GENERALITY,
        Generality.RETARGETABLE,
        "Retargetable: to two topics.",
    ),
    (
        "reliability",
        "How often it works",
        Reliability,
        RELIABILITY,
        Reliability.INTERMITTENT,
        "Of at least ten tries.",
    ),
    ("uplift", "Uplift", Uplift, UPLIFT, Uplift.YES, "Does it help more than a search engine would?"),
)


def guidance(policy: Policy, cited: Mapping[str, int]) -> None:
    """The clauses by kind, each with both examples and on how many reports it is cited."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(":material/info: **Not everything is listed here**")
        st.text(reveal(policy.incomplete_note))
    for kind, (colour, name, about) in KINDS.items():
        clauses = [clause for clause in policy.clauses if clause.kind is kind]
        if clauses:
            st.header(f"{name} :{colour}-badge[{len(clauses):,}]", anchor=False)
            st.caption(about)
        for clause in clauses:
            _clause(clause, cited.get(clause.clause_id, 0))


def _clause(clause: Clause, times: int) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(clause.clause_id)}**", width="content")
            st.text(reveal(clause.title), width="stretch")
            if times and screens.opens(numbers.INBOX):
                numbers.list_link(
                    {"state": "any", "clause": clause.clause_id}, f"Cited on {counted(times, 'report')}"
                )
            else:
                cited = f"Cited on {counted(times, 'report')}" if times else "Never cited"
                st.caption(cited, width="content")
        st.text(reveal(clause.text))
        report, leave = st.columns(2, gap="medium")
        report.markdown(badge("green", ":material/check: Report it"))
        report.text(reveal(clause.in_scope_example))
        leave.markdown(badge("gray", ":material/close: No need to"))
        leave.text(reveal(clause.out_of_scope_example))
        if clause.owasp or clause.atlas:
            st.caption(
                f"OWASP LLM Top 10 and MITRE ATLAS: {plain(', '.join((*clause.owasp, *clause.atlas)), 400)}"
            )


def severity(policy: Policy) -> None:
    """Choose the five inputs: the level that follows, what the level means, and the tables around it."""
    choices, outcome = st.columns([3, 2], gap="large")
    with choices:
        st.subheader("What would it be?", anchor=False)
        chosen = SeverityInputs(
            **{
                key: kind(
                    st.segmented_control(
                        label,
                        [str(level) for level in kind],
                        default=str(default),
                        required=True,
                        format_func=words.__getitem__,
                        key=key,
                        bind="query-params",
                        help=about,
                        width="stretch",
                    )
                )
                for key, label, kind, words, default, about in INPUTS
            }
        )
    level = policy.severity(chosen)
    with outcome, st.container(border=True):
        st.subheader(f"Severity: {severity_badge(level)}", anchor=False)
        fix, band = policy.clocks.fix_days.get(level), policy.reward_band(level)
        st.markdown(f"A fix is due in **{fix:,} days**." if fix else "No fix is due.")
        quiet, seen = (policy.waiting_days(level, each) for each in (Exploitation.NONE, Exploitation.ACTIVE))
        st.markdown(f"The reporter is asked to wait **{quiet:,} days**, {seen:,} when attacks are seen.")
        if band:
            st.markdown(f"Reward: **{band.minimum:,} to {band.maximum:,}** {plain(policy.rewards.currency)}.")
        else:
            st.markdown("No cash reward.")
    with st.grid(3, gap="large", min_column_width=380) as grid:
        with grid.cell():
            st.subheader("Harm and who is exposed", anchor=False)
            st.caption("The base table, with the other three inputs as chosen above.")
            st.markdown(tables.harm_by_exposure(policy, chosen))
        with grid.cell():
            st.subheader("What moves it up or down", anchor=False)
            st.caption("How general, and how often; with harm, exposure and uplift as chosen above.")
            st.markdown(tables.generality_by_reliability(policy, chosen))
        with grid.cell():
            st.subheader("Priority", anchor=False)
            st.caption("What is done when: by severity, and by what is known of exploitation.")
            st.markdown(tables.priorities(policy, level))
    st.caption(
        f"All {len(policy.severity_table):,} combinations have one level, and raising an input never lowers it;"
        " a table for which that does not hold is refused."
    )


def promises(policy: Policy) -> None:
    """Clocks, waiting periods, rewards, tiers and second looks."""
    clocks, waiting, rewards = st.columns(3, gap="large")
    with clocks:
        st.subheader("Clocks", anchor=False)
        st.markdown(tables.clocks(policy))
        st.caption(
            f"Business days are {tables.business_days(policy)} in the zone {plain(policy.clocks.zone)},"
            f" but for {counted(len(policy.clocks.holidays), 'holiday')}. Fixes count calendar days."
        )
        if policy.clocks.holidays:
            st.markdown("Holidays")
            st.text("\n".join(f"{day:%a %-d %b %Y}" for day in sorted(policy.clocks.holidays)))
    with waiting:
        st.subheader("Waiting before going public", anchor=False)
        st.markdown(tables.waiting(policy))
        st.caption("Every waiting period ends; none may run longer than the last line says.")
    with rewards:
        split = policy.rewards.duplicates
        st.subheader("Rewards", anchor=False)
        st.markdown(tables.rewards(policy))
        st.caption(
            f"In {plain(policy.rewards.currency)}. Duplicates that arrive within {split.window_days:,} days share:"
            f" equally from {SEVERITY[split.equal_from].lower()} upwards,"
            f" below that {', '.join(f'{share:,}%' for share in split.percent)} in the order of arrival."
        )
        st.caption(f"Also: {plain(', '.join(policy.rewards.non_cash).replace('_', ' '))}.")
        if policy.rewards.yearly_budget is not None:
            st.caption(
                f"Budget of a calendar year: {policy.rewards.yearly_budget:,} {plain(policy.rewards.currency)}."
            )
    _tiers(policy)
    st.subheader("Second looks", anchor=False)
    st.markdown(
        f"Of all decisions, **{100 * policy.second_look_share:.4g}%** and every critical one are made again by another"
        " reviewer who does not see the first."
    )


def _tiers(policy: Policy) -> None:
    st.subheader("White hats", anchor=False)
    if not policy.tiers:
        st.caption("No tier: a good record earns nothing more.")
        return
    st.dataframe(
        {
            "Tier": [inline(tier.name) for tier in policy.tiers],
            "Confirmed flaws": [tier.valid_reports for tier in policy.tiers],
            "Signal": [tier.signal for tier in policy.tiers],
            "May send so many times as often": [tier.rate_factor for tier in policy.tiers],
            "Early access": ["Yes" if tier.early_access else "No" for tier in policy.tiers],
        },
        hide_index=True,
        height="content",
        width="content",
        alt="White-hat tiers and what they take and give, the lowest first",
    )


def terms(policy: Policy) -> None:
    """Safe harbour, contact and products."""
    harbour, contact = st.columns([3, 2], gap="large")
    with harbour:
        st.subheader("Safe harbour", anchor=False)
        st.text(reveal(policy.safe_harbour))
    with contact:
        st.subheader("Contact", anchor=False)
        st.text(reveal(policy.contact.removeprefix("mailto:")))
        st.subheader("Products", anchor=False)
        st.text(reveal("\n".join(policy.products)))


def versions(history: Sequence[db.Row]) -> None:
    """Every version that was published, newest first."""
    st.dataframe(
        {
            "Version": [inline(row["version"]) for row in history],
            "Published": [moment(row["published_at"]) for row in history],
            "By": [inline(row["actor_id"]) for row in history],
            "Approved by": [inline(row["approved_by"] or "–") for row in history],
            "In force": ["Yes", *[""] * (len(history) - 1)],
            "SHA-256": [row["sha256"] for row in history],
        },
        hide_index=True,
        height="content",
        alt="Published versions of the policy, newest first",
    )
    st.caption(
        "A published version never changes; one that nobody approved came from files. Choose one above to read it."
        " Reports keep theirs."
    )
