"""Datasets: labelled rows for training, what each leaves out and why, and every version that was built."""

from __future__ import annotations

import streamlit as st

from triage_core import queries
from triage_core.access import Command
from triage_core.errors import Refused
from triage_core.exporters import build as exports
from triage_core.exporters import catalog, plans
from triage_core.exporters.profiles import PROFILES
from triage_core.exporters.request import ExportRequest
from triage_core.model import HarmType, Severity
from triage_core.queries import Filter
from ui import empty, filters, paging, refusals, session, worker
from ui.datasets import parts, versions, withdrawal
from ui.hostile import inline
from ui.words import HARM_TYPE, SEVERITY, counted

SIZE, LONG = 10, 500

st.title("Datasets", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
opened = session.current()
choices, outcome = st.columns([2, 3], gap="large")
with choices:
    profile = st.selectbox("Profile", list(PROFILES), key="profile", bind="query-params")
    st.caption(PROFILES[profile].about)
    form, layout = parts.shape(profile)
    with st.expander("Only some reports", icon=":material/filter_alt:"):
        levels, harms = [str(level) for level in Severity], [str(harm) for harm in HarmType]
        severity = st.multiselect(
            "Severity", levels, format_func=SEVERITY.get, key="only_severity", placeholder="Any"
        )
        harm = st.multiselect("Harm", harms, format_func=HARM_TYPE.get, key="only_harm", placeholder="Any")
        products = filters.products()
        product = st.multiselect(
            "Product", products, format_func=inline, key="only_product", placeholder="Any"
        )
    with st.expander("What texts may hold, and whose", icon=":material/cleaning_services:"):
        hygiene, share, per_group, cosine = parts.limits()
    with st.container(horizontal=True):
        name = st.text_input("Name", key="name", placeholder=profile, max_chars=64)
        version = st.text_input("Version", key="dataset_version", placeholder="next number", max_chars=64)

chosen = Filter(severity=tuple(severity), harm=tuple(harm), platform=tuple(product))
may_build = session.may(Command.EXPORT_DATASET)
try:
    folder = opened.settings.store / "datasets"
    request = ExportRequest(
        profile, folder, form, layout, name, version, per_group, share, cosine, hygiene, chosen
    )
    with outcome:  # where what is waited for will stand
        found = parts.preview(request)
except Refused as error:
    with outcome:
        if error.field == "split" and worker.comparing():  # it may pass once both are compared
            st.info(f"Not yet: {refusals.why(error, LONG)}", icon=":material/hourglass_top:")
            worker.line(session.stamp())
        else:
            st.error(f"This cannot be built: {refusals.why(error, LONG)}", icon=":material/block:")
    found = None

if found:
    rows = found.counts["rows"]["total"]
    build = choices.button(
        f"Build {counted(rows, 'row')}" if not found.unread else "Build all rows",
        type="primary",
        icon=":material/build:",
        disabled=not (may_build and rows),
        width="stretch",
        help=session.whose(Command.EXPORT_DATASET),
    )
    if build:
        bar = choices.progress(0.0, text="Reading the reports")
        session.command(
            "The dataset is built: it stands first in the list.",
            exports.build,
            opened.store,
            opened.policy,
            session.actor(),
            request,
            lambda done, total: bar.progress(
                done / max(1, total), text=f"{done:,} of {total:,} reports read; leaving the page stops it"
            ),
        )
        bar.empty()
    with outcome:
        parts.outcome(profile, found)

st.header("Built versions", anchor=False)
total = session.read(catalog.built, 1, 1)[1]
if not total:
    st.caption(":material/dataset: None yet. Choose a profile above and build the first one.")
    st.stop()
if total > 1:
    versions.compared()
page = paging.choose(total, SIZE, "built", most=7) if total > SIZE else 1
planned = {plan.name: plan for plan in session.read(plans.plans)}
latest = {built.name: built.version for built in session.read(catalog.latest)}
for built in session.read(catalog.built, page, SIZE)[0]:
    versions.version(built, planned.get(built.name), may_build, latest.get(built.name) == built.version)
withdrawal.asked()
