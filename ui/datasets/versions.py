"""The built versions on the Datasets screen: what is in each, its files, its plan, and how two differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import streamlit as st

from triage_core import tickets
from triage_core.access import Command
from triage_core.errors import NotFound
from triage_core.exporters import catalog, difference, plans
from triage_core.exporters.catalog import Built
from triage_core.exporters.difference import Difference, Names
from triage_core.exporters.plans import Plan
from ui import refusals, session
from ui.datasets import parts, withdrawal
from ui.hostile import inline, plain
from ui.words import counted, moment

NAMED, KEPT, MIB = 200, 2_000, 1 << 20
GONE: Mapping[bool, LiteralString] = {
    False: "Its files are no longer where they were written.",
    True: "This version was retired: its files were deleted, and its account stays.",
}


def version(built: Built, plan: Plan | None, may: bool, is_latest: bool) -> None:
    """One built version: what is in it, what is not, its files as one archive; the latest with its plan.

    From the latest a reporter can be taken out.
    """
    account = built.manifest
    rows, sides = account["rows"], account["rows"]["split"]
    size = f"{built.size / MIB:,.0f} MiB" if built.size >= MIB else f"{built.size / 1024:,.0f} KiB"
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        with st.container(gap="xsmall", width="stretch"):
            st.markdown(f"**{plain(f'{built.name} {built.version}')}** built {moment(built.created_at)}")
            st.caption(
                f"{plain(account['profile'])} {plain(account['format'])} {plain(account['layout'])} ·"
                f" {counted(rows['total'], 'row')}: {sides.get('train', 0):,} train, {sides.get('test', 0):,} test ·"
                f" {counted(sum(account['excluded'].values()), 'report')} left out · {size}"
            )
            if plan and plan.latest == built.version:
                every = counted(plan.every_days, "day")
                st.caption(f":material/schedule: Built again every {every}, next {moment(plan.next_at)}")
        with st.popover("What is in it", icon=":material/fact_check:"):
            _account(built)
        with st.popover(
            "Keep or renew",
            icon=":material/schedule:",
            disabled=not may,
            help=session.whose(Command.EXPORT_DATASET),
        ):
            _future(built, plan)
            if is_latest:
                withdrawal.offer(built)
        _download(built)


def _download(built: Built) -> None:
    """A link to the archive, which is packed while it is sent: a download button would hold it in memory."""
    opened = session.current()
    ticket = opened.tickets.issue(catalog.subject(built.name, built.version), session.now() + tickets.HOLDS)
    st.link_button(
        "Download",
        f"/download/datasets/{built.name}/{built.version}?ticket={ticket}",
        key=f"download-{built.name}-{built.version}",
        icon=":material/download:",
        disabled=not built.is_here,
        help=None if built.is_here else GONE[built.is_retired],
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
    people, across, held = account["reporters"], account["leakage"], account["found"]
    most = people["largest"][0]["share"] if people["largest"] else 0
    st.markdown(
        f"**Whose words** {counted(people['known'], 'reporter')} and {people['anonymous_reports']:,} reports"
        f" without a name; the most of one {most:.1%};"
        f" {len(people['repeated_wording']):,} who alone repeat some wording"
    )
    st.markdown(
        f"**Train and test** {counted(across['groups'], 'group')}, {across['groups_across_splits']:,} on both sides;"
        f" {across['near_copies_held_different']:,} near-copies across that likeness holds for different;"
        f" {across['test_rows_sharing_13_words']:,} test rows share 13 words in a row with train;"
        f" {across['rows_not_indexed']:,} rows not compared yet"
    )
    if near := across.get("nearest"):  # an earlier release did not tell it
        if near["highest"] is not None:
            pair = f"{near['highest']:.3f}, {plain(near['test'])} with {plain(near['train'])}"
            st.markdown(
                f"**Highest cosine** of a test and a training report {pair}; {near['test_reports_near']:,} test reports"
                f" reach {near['near_from']:.2f}"
            )
        st.caption(
            f"Compared by cosine: {near['test_reports_compared']:,} of {near['test_reports']:,} test reports, each with"
            f" {near['training_reports_compared']:,} of train; {near['without_vector']:,} have no vector yet"
        )
    st.markdown(
        f"**Texts** {held['personal_data']['rows']:,} rows with personal data,"
        f" {held['control_tokens']['rows']:,} with control tokens,"
        f" {held['hidden_characters']['rows']:,} with hidden characters"
    )
    parts.excluded(account["excluded"])
    st.caption(
        f"Policy {plain(account['policy_version'])}, by {plain(built.actor_id)}. Content hash and folder:"
    )
    st.code(f"{account['content_sha256']}\n{inline(str(built.folder), 400)}", language=None, wrap_lines=True)


def _future(built: Built, plan: Plan | None) -> None:
    """When the next version is built, and giving up the files of this one."""
    key, store, actor = f"{built.name}-{built.version}", session.current().store, session.actor()
    days = st.number_input(
        "Build again every so many days",
        0,
        plans.LONGEST,
        plan.every_days if plan else 0,
        key=f"plan-{key}",
        help="0 is never. The operator's scheduler runs what is due: python -m triage_core datasets build-due",
    )
    st.button(
        "Save the plan",
        key=f"save-plan-{key}",
        icon=":material/schedule:",
        on_click=session.command,
        args=("The plan is saved", plans.plan, store, actor, built.name, int(days)),
    )
    gone = built.is_retired and not built.is_here  # it may have been built again since
    sure = st.checkbox(
        "I do not need these files any more",
        key=f"sure-{key}",
        disabled=gone,
        help="Its files are deleted; its manifest stays, so that what a model was trained on can be told.",
    )
    st.button(
        "Retire this version",
        key=f"retire-{key}",
        icon=":material/delete:",
        disabled=gone or not sure,
        on_click=_retire,
        args=(built,),
    )


def _retire(built: Built) -> None:
    session.command(
        "The version is retired: its files are deleted",
        plans.retire,
        session.current().store,
        session.actor(),
        built.name,
        version=built.version,
    )


@st.fragment
def compared() -> None:
    """Choose two versions and see how they differ; nothing is read before somebody opens it."""
    box = st.expander(
        "Compare two versions", icon=":material/compare_arrows:", key="compare", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        kept = session.read(catalog.kept, KEPT)
        if len(kept) < 2:
            st.caption("Two versions with their files are needed.")
            return
        before = next((at for at, (name, _) in enumerate(kept[1:], 1) if name == kept[0][0]), 1)
        one, other = st.columns(2)
        earlier = one.selectbox("Earlier", kept, index=before, format_func=_named, key="compare-earlier")
        later = other.selectbox("Later", kept, index=0, format_func=_named, key="compare-later")
        if len(kept) == KEPT:
            st.caption(f"The {KEPT:,} that were built last can be chosen.")
        try:
            told, counts = _difference(earlier, later)
        except NotFound as error:
            st.warning(refusals.why(error), icon=":material/folder_off:")
            return
        _told(told, counts)


def _named(version: tuple[str, str]) -> str:
    return inline(" ".join(version))


@st.cache_data(max_entries=20, show_spinner="Comparing …")
def _difference(
    earlier: tuple[str, str], later: tuple[str, str]
) -> tuple[Difference, Mapping[str, tuple[int, int]]]:
    return difference.of_versions(*(session.read(catalog.one, *version) for version in (earlier, later)))


def _told(found: Difference, counts: Mapping[str, tuple[int, int]]) -> None:
    with st.container(horizontal=True):
        st.metric("Added", f"{found.added.count:,}", border=True)
        st.metric("Removed", f"{found.removed.count:,}", border=True)
        st.metric("Changed", f"{found.changed.count:,}", border=True)
    if not (found.added.count or found.removed.count or found.changed.count):
        st.caption(":material/equal: Both versions hold the same rows.")
    if counts:
        lines = ["| What | Earlier | Later |", "|---|--:|--:|"]
        lines += [f"| {plain(name)} | {was:,} | {now:,} |" for name, (was, now) in counts.items()]
        st.markdown("\n".join(lines))
    _names("Added", found.added)
    _names("Removed", found.removed)
    _names("Changed", found.changed)


def _names(title: LiteralString, names: Names) -> None:
    if not names.count:
        return
    shown = names.first[:NAMED]
    more = f"\n… {names.count - len(shown):,} more" if names.count > len(shown) else ""
    with st.expander(f"{title}: {names.count:,} rows"):
        st.code("\n".join(inline(name) for name in shown) + more, language=None, wrap_lines=True)
