"""Rewards: what is proposed, approved and paid, what it costs, and how reporters stand."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from triage_core import queries
from triage_core.access import Command
from triage_core.currencies import money_words
from triage_core.rewards.spending import spend
from ui import charts, empty, paging, row_buttons, session, spending
from ui.charts import percent
from ui.hostile import plain
from ui.rewards import card, payment, tables
from ui.words import counted

SIZE = 25


def show_first_page() -> None:
    st.session_state["rewards"] = 1


now, policy = session.now(), session.current().policy
currency = policy.rewards.currency
st.title("Rewards", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
money = session.read(spend, now.year)
budget, committed = policy.rewards.yearly_budget, money["paid"] + money["approved"]
with st.grid(4, gap="small", min_column_width=180):
    st.metric(f"Paid in {now.year:d}", money_words(money["paid"], currency), border=True, height="stretch")
    st.metric("Approved, to be paid", money_words(money["approved"], currency), border=True, height="stretch")
    st.metric(
        "Budget of the year",
        "None set" if budget is None else money_words(Decimal(budget), currency),
        border=True,
        height="stretch",
    )
    used = None if not budget else float(committed) / budget
    st.metric(
        "Committed", percent(used), border=True, height="stretch", help="Paid and approved, of the budget."
    )
st.caption(f"Money in {plain(currency)}: cash and donations. Credits and access cost no money here.")
spending.elsewhere(now.year)
if budget is not None and committed > budget:
    st.warning(
        "More is committed than the budget holds. What was promised is paid.", icon=":material/warning:"
    )
view = st.segmented_control(
    "View",
    list(tables.VIEWS),
    default="open",
    required=True,
    format_func=tables.VIEWS.__getitem__,
    key="view",
    bind="query-params",
    label_visibility="collapsed",
    on_change=show_first_page,
)
picked, batch, report = map(session.picked, card.CARDS)
if picked or batch or report:
    row_buttons.into_view()
if picked:
    card.draw(picked)
if batch:
    payment.show(batch)
if report and session.may(Command.PROPOSE_REWARD):
    card.propose(report)

number = int(st.session_state.get("rewards", 1) or 1)
names, cells, total = tables.READ[view](policy, number, SIZE)
table = st.container()
if not total:
    st.info(tables.NOTHING[view], icon=":material/redeem:")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    beside = st.container(horizontal=True, vertical_alignment="center", width="content")
    beside.caption(f"{counted(total, tables.COUNTS[view])}{tables.ORDER[view]}", width="content")
    # An address tells the page to the buttons below the rows, after these were read.
    if paging.choose(total, SIZE, "rewards") != number:
        st.rerun()
key = f"reward-{session.current().store.revision}-{view}-{names[0]}-{len(names)}"
# A reward and a batch have a number, and a report for which none is proposed has its name.
if view != "reporters" and (name := row_buttons.opened(key, names)):
    opened = "report" if not name.isdecimal() else "batch" if view == "batches" else "reward"
    card.pick(opened, name)
    st.rerun()
button = (
    {} if view == "reporters" else {"open": ["Open" if name.isdecimal() else "Propose" for name in names]}
)
table.dataframe(
    {**button, **cells},
    column_config={
        "open": st.column_config.ButtonColumn("", width=90, pinned=True, type="tertiary", key=key),
        "Amount": st.column_config.TextColumn(alignment="right"),
        "Decided since": st.column_config.TextColumn(width=250),
    }
    if button
    else {name: st.column_config.TextColumn() for name in cells},
    hide_index=True,
    height="content",
    key=f"table-{key}",
    alt="What the chosen view shows, one a row",
)
if button:
    with beside:
        row_buttons.as_menu(tables.MENU[view], key, names)
if view in {"open", "ledger"}:
    if session.may(Command.PAY_REWARD):
        payment.draw()
    with charts.card("Money", "What was paid and approved in each month of this year?"):
        spending.draw(now.year)
